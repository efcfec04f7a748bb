"""REST on the service itself: gateways, quarantine, metrics, health."""

from __future__ import annotations

from ingest.domain.model.fault import Fault
from ingest.domain.model.text import Text
from ingest.plants.in_force import HeldBack
from ingest.storage.journal.records import Quarantined
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import NOON, SECOND, STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn


async def test_gateways_tell_what_is_missing_and_whether_they_are_heard(hall: StandIn, ask: Ask) -> None:
    hall.positions.pop(0)
    hall.values.pop(hall.known.gateways["nanan-aluminium", "GW-01"].device)
    shown = {g["plant"]: g for g in (await ask(OPERATOR).get("/api/v1/gateways")).json()}
    assert shown[STEEL]["missing"] == [[90_120, 90_131], [90_388, 90_388]]
    assert shown[STEEL]["lost"] == [[81_002, 81_003]]
    assert shown[STEEL]["online"] is True
    assert shown[WOOD]["online"] is False
    assert shown["nanan-aluminium"]["online"] is None  # registered, never heard
    assert shown["nanan-aluminium"]["committed"] is None


async def test_gateways_tell_how_far_their_clocks_are_ahead(ask: Ask) -> None:
    """A gateway that is silent has no offset to rely on."""
    shown = {g["plant"]: g["clock_ahead_s"] for g in (await ask(OPERATOR).get("/api/v1/gateways")).json()}
    assert shown == {STEEL: -0.21, "nanan-aluminium": 75.0, WOOD: None}


async def test_a_scoped_token_sees_only_its_own_quarantine(hall: StandIn, ask: Ask) -> None:
    """Even when its messages lie behind many pages of others'."""
    topic = f"yujing/v1/{WOOD}/GW-01/frame"
    hall.quarantine += [Quarantined(5, NOON, topic, "bad-json", "line 1", 0, b"{")]
    hall.quarantine += [
        Quarantined(n, NOON, f"yujing/v1/{STEEL}/GW-01/frame", "x", "", 0, b"") for n in range(100, 1300)
    ]
    shown = (await ask(ELSEWHERE).get("/api/v1/quarantine")).json()
    assert [message["id"] for message in shown["messages"]] == [5]


async def test_a_page_that_others_messages_fill_leads_on_to_the_next(hall: StandIn, ask: Ask) -> None:
    """However many of them lie before the caller's own."""
    topic = f"yujing/v1/{WOOD}/GW-01/frame"
    hall.quarantine += [Quarantined(5, NOON, topic, "bad-json", "line 1", 0, b"{")]
    hall.quarantine += [
        Quarantined(n, NOON, f"yujing/v1/{STEEL}/GW-01/frame", "x", "", 0, b"") for n in range(100, 6100)
    ]
    client = ask(ELSEWHERE)
    page = (await client.get("/api/v1/quarantine")).json()
    seen = page["messages"]
    while page["next"] is not None:
        page = (await client.get("/api/v1/quarantine", params={"before": page["next"]})).json()
        seen += page["messages"]
    assert [message["id"] for message in seen] == [5]
    console = (await client.get("/quarantine")).text
    assert "/quarantine?before=" in console


async def test_the_quarantine_pages_and_shows_bytes_safely(ask: Ask) -> None:
    client = ask(OPERATOR)
    first = (await client.get("/api/v1/quarantine?limit=1")).json()
    second = (await client.get(f"/api/v1/quarantine?limit=1&before={first['next']}")).json()
    assert [first["messages"][0]["id"], second["messages"][0]["id"]] == [17, 16]
    assert second["messages"][0]["payload"] == '<script>alert("x")</script>\\x00�'
    assert second["messages"][0]["bytes"] == 29


async def test_health_reveals_its_parts_only_to_callers_with_a_token(hall: StandIn, ask: Ask) -> None:
    """And what a part says, which may name addresses inside, only to those of all plants."""
    assert (await ask(None).get("/health/live")).json() == {"status": "ok"}
    assert (await ask(None).get("/health/ready")).json() == {"status": "ok"}
    hall.parts["engine"] = "no progress for 20 s"
    answer = await ask(None).get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ok"})
    known = await ask(INSPECTOR).get("/health/ready")
    assert known.json()["parts"]["engine"] == "no progress for 20 s"
    of_a_plant = (await ask(ELSEWHERE).get("/health/ready")).json()["parts"]
    assert of_a_plant == {"journal": "ok", "engine": "not ok", "history": "ok"}


async def test_metrics_count_who_was_turned_away(ask: Ask) -> None:
    await ask(None).get("/api/v1/plants")
    text = (await ask(OPERATOR).get("/metrics")).text
    assert 'yujing_access_refused_total{reason="NotSignedIn"}' in text


async def test_a_gateway_no_longer_registered_is_still_shown(hall: StandIn, ask: Ask) -> None:
    plant = hall.known.plants[STEEL]
    object.__setattr__(plant, "gateways", ())
    shown = {g["plant"]: g for g in (await ask(OPERATOR).get("/api/v1/gateways")).json()}
    assert shown[STEEL]["name"] is None
    assert shown[STEEL]["last_heard"].startswith("2026-11-23T06:12:29")
    assert (NOON - hall.positions[1].received) == SECOND


async def test_a_refused_plant_file_is_shown_to_those_who_may_see_its_plant(hall: StandIn, ask: Ask) -> None:
    """With key, value and expectation, by the API and on the console in both languages."""
    expected = Text("目录中的信号", "a signal of the catalogue")
    fault = Fault("plants/x.toml", "points.0.signal (CO)", "'STL_C0'", expected)
    hall.held = [HeldBack(f"{STEEL}.toml", (fault,)), HeldBack(f"{WOOD}.toml", (fault,), watched=False)]
    (held,) = (await ask(ELSEWHERE).get("/api/v1/plant-files")).json()
    assert (held["plant"], held["watched"]) == (WOOD, False)
    texts = {"zh": expected.zh, "en": expected.en}
    assert held["faults"] == [{"key": fault.key, "value": fault.value, "expected": expected.en, "message": texts}]
    for language, words in (("zh", "该企业未受监测"), ("en", "this plant is NOT watched")):
        client = ask(OPERATOR)
        client.cookies.set("lang", language)
        page = (await client.get("/plants")).text
        assert words in page
        assert fault.key in page
        assert [text for text in texts.values() if text in page] == [texts[language]]
