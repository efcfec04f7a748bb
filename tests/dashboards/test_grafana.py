"""The Grafana dashboards: whole, tidy, and every query answered by a real InfluxDB."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import httpx
import numpy as np
import pytest
import yaml

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.operator_load import OperatorLoad
from ingest.domain.alarms.slot import SLOT, AlarmSlot
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.flags import Flag
from ingest.domain.model.phase_record import HOLDS, PhaseRecord
from ingest.domain.model.plant import UNKNOWN_PHASE
from ingest.plants.catalogue import load_catalogue
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.influx_v1 import InfluxV1Store
from tests.ingest.storage.history.made_up import NOON, PLANT, SECOND, alarm_event, batch, configuration, steady
from tests.servers import influxd

FOLDER = Path(__file__).parents[2] / "dashboards" / "grafana"
DASHBOARDS: dict[str, Any] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
PANELS = [(name, panel) for name, board in DASHBOARDS.items() for panel in board["panels"]]
TARGETS = [
    pytest.param(target, id=f"{name}-{panel['id']}-{target['refId']}")
    for name, panel in PANELS
    for target in panel["targets"]
]
VARIABLES = [
    pytest.param(variable, id=f"{name}-{variable['name']}")
    for name, board in DASHBOARDS.items()
    for variable in board["templating"]["list"]
]
SOURCE = {"type": "influxdb", "uid": "yujing"}
TWO_LANGUAGES = re.compile(r"[\u4e00-\u9fff].*[A-Za-z]")
MINUTES = 30

# What Grafana puts in place of macros and variables: a time filter in milliseconds, several choices as a regex.
LIFE = (AlarmEventKind.RAISED, AlarmEventKind.RETURNED, AlarmEventKind.ACKNOWLEDGED)
MACROS = {
    "$timeFilter": f"time >= {NOON // 10**6}ms and time <= {NOON // 10**6 + MINUTES * 60_000}ms",
    "$__interval": "1m",
    "$plant": f"({PLANT})",
    "$point": r"(CW-01|CW-02|T-01)",
    "$position": "(room)",
}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Half an hour of a plant: three points, some bad readings, a gateway that drops out, alarms of both levels."""
    with influxd(tmp_path_factory.mktemp("grafana")) as url:
        store = InfluxV1Store(InfluxV1Config(url=url))
        store.create_database()
        readings = steady(MINUTES * 60)
        flags = np.choose(np.arange(len(readings)) % 10, [0, Flag.BAD, Flag.OUT_OF_RANGE, Flag.CLOCK, 0, 0, 0, 0, 0, 0])
        store.write_readings(readings.with_flags(flags.astype(np.uint16)), configuration(), 1)
        store.write_readings(
            batch([0, 1], [NOON + 7, NOON + 8], [np.nan, np.nan], [Flag.NO_VALUE] * 2), configuration(), 2
        )
        last = MINUTES * 60 - 1  # flagged, so that the newest reading of one point has a quality to show
        store.write_readings(batch([last % 3], [NOON + last * SECOND], [0.3], [Flag.LATE]), configuration(), 2)
        store.write_readings(
            batch([3] * 3, [NOON + s * SECOND for s in (1, 60, 90)], [1.0, 0.0, 1.0]), configuration(), 3
        )
        begun: list[tuple[int, str, Literal[1, 2]]] = [(5, "CW-01", 2), (300, "CW-01", 2), (90, "T-01", 1)]
        store.write_alarm_events(
            [
                alarm_event(seq, kind, at=NOON + (onset + delay) * SECOND, onset=NOON + onset, where=where, level=level)
                for onset, where, level in begun
                for seq, (delay, kind) in enumerate(zip((0, 10, 40), LIFE, strict=True), start=1)
            ]
        )
        known = OperatorLoad({1: 2, 2: 1}, unacknowledged=1, stale=1, hidden=0, chattering=0, raised=0, flood=False)
        store.write_alarm_slots(
            [
                AlarmSlot("room", NOON + at * SLOT, raised, raised, 0, 0, flood_s, known if at else None)
                for at, (raised, flood_s) in enumerate([(3, 0.0), (14, 300.0), (2, 60.0)])
            ]
        )
        store.write_phases(
            [
                PhaseRecord(PLANT, machine, NOON + minute * 60 * SECOND, phase, number)
                for machine in ("CM-01", "CM-02")
                for minute, phase, number in ((1, "idle", 1), (10, "idle", 1), (12, "start", 3), (15, "unknown", 0))
            ]
        )
        store.close()
        with httpx.Client(base_url=url, trust_env=False) as http:
            yield http


def ask(history: httpx.Client, query: str) -> list[dict[str, Any]]:
    """The series a query gives, with macros and variables as Grafana fills them in."""
    for macro, text in MACROS.items():
        query = query.replace(macro, text)
    assert "$" not in re.sub(r"\$/", "", query), f"a macro Grafana would not know: {query}"
    [result] = history.get("/query", params={"db": "yujing", "epoch": "ms", "q": query}).json()["results"]
    assert "error" not in result, f"{result} for {query}"
    series: list[dict[str, Any]] = result.get("series", [])
    return series


@pytest.mark.parametrize("target", TARGETS)
def test_every_panel_query_gives_data(history: httpx.Client, target: Mapping[str, Any]) -> None:
    """Series, with something in every column and at least one number that is not zero."""
    series = ask(history, target["query"])
    assert series
    for name in series[0]["columns"]:
        values = [row[each["columns"].index(name)] for each in series for row in each["values"]]
        assert any(value not in (None, "") for value in values), name
    if '"phases"' in target["query"]:  # texts
        return
    numbers = [v for each in series for row in each["values"] for v in row[1:] if isinstance(v, int | float)]
    assert any(numbers), "nothing but zeros"


@pytest.mark.parametrize("panel", [panel for _, panel in PANELS if '"gateways"' in panel["targets"][0]["query"]])
def test_a_gateway_that_was_heard_last_long_ago_is_shown_offline(history: httpx.Client, panel: Any) -> None:
    """It reported itself online, and sent nothing more for half an hour."""
    [series] = ask(history, panel["targets"][0]["query"])
    values = [value for _, value in series["values"]]
    assert 1 in values
    assert values[-10:] == [0] * 10


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_offers_choices(history: httpx.Client, variable: Mapping[str, Any]) -> None:
    [series] = ask(history, variable["query"])
    choices = {row[1] for row in series["values"]}
    assert choices == {"plant": {PLANT}, "position": {"room"}, "point": {"CW-01", "CW-02", "T-01"}}[variable["name"]]


def test_the_share_of_bad_readings_is_a_percentage(history: httpx.Client) -> None:
    """Two in ten readings of the made-up plant are bad or out of range, plus two without a value."""
    [panel] = [panel for _, panel in PANELS if panel["title"].startswith("不良读数比例")]
    [series] = ask(history, panel["targets"][0]["query"])
    shares = [row[1] for row in series["values"]]
    assert shares[0] == pytest.approx(100 * (12 + 2) / 62)
    assert shares[1:] == pytest.approx([20.0] * (MINUTES - 1))


def test_top_points_come_with_their_counts(history: httpx.Client) -> None:
    [panel] = [panel for _, panel in PANELS if panel["title"].startswith("报警最多的测点")]
    [series] = ask(history, panel["targets"][0]["query"])
    assert sorted((row[1:] for row in series["values"]), reverse=True) == [[2, PLANT, "CW-01"], [1, PLANT, "T-01"]]


def test_the_rate_and_the_time_in_flood_are_those_of_the_position(history: httpx.Client) -> None:
    """A slot is written at its end; of 30 minutes 6 are in flood. The line that is drawn is where a flood begins."""
    panels = {panel["id"]: panel for panel in DASHBOARDS["alarms"]["panels"]}
    [series] = ask(history, panels[6]["targets"][0]["query"])
    assert [row[1] for row in series["values"]] == [3, 14, 2]
    [series] = ask(history, panels[7]["targets"][0]["query"])
    assert series["values"][0][1] == pytest.approx(100 * 6 / 30)
    assert panels[6]["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == AlarmsConfig().flood_begins_above


def test_the_worst_rules_come_with_their_counts(history: httpx.Client) -> None:
    [panel] = [panel for _, panel in PANELS if panel["title"].startswith("报警最多的十条规则")]
    [series] = ask(history, panel["targets"][0]["query"])
    found = sorted((row[1:] for row in series["values"]), reverse=True)
    assert [(count, point) for count, _, point, _ in found] == [(2, "CW-01"), (1, "T-01")]


def test_phases_are_a_line_an_equipment_named_as_the_catalogue_names_them(history: httpx.Client) -> None:
    """Empty where a record counts no longer; a plant's own phases are shown by their code."""
    [panel] = [panel for _, panel in PANELS if panel["title"].startswith("设备阶段")]
    series = ask(history, panel["targets"][0]["query"])
    assert [(each["tags"], [row[1] for row in each["values"]]) for each in series] == [
        ({"equipment": machine}, ["idle", "idle", "start", "unknown"]) for machine in ("CM-01", "CM-02")
    ]
    defaults = panel["fieldConfig"]["defaults"]
    shown = {code: option["text"] for code, option in defaults["mappings"][0]["options"].items()}
    models = [model for models in load_catalogue().phases.values() for model in models.values()]
    named = {phase.code: f"{phase.name} {phase.name_en}" for model in models for phase in model.phases}
    unknown = UNKNOWN_PHASE.name
    assert shown == named | {UNKNOWN_PHASE.code: f"{unknown.zh} {unknown.en}"}
    assert defaults["custom"]["insertNulls"] == HOLDS // 10**6


def test_there_is_a_dashboard_for_a_plant_and_one_for_alarms() -> None:
    assert {name: board["uid"] for name, board in DASHBOARDS.items()} == {
        "plant": "yujing-plant",
        "alarms": "yujing-alarms",
    }


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_ids_of_their_own_and_do_not_overlap(name: str) -> None:
    panels = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
        assert max(x for x, _ in cells) < 24
        assert not taken & cells, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", DASHBOARDS)
def test_people_read_chinese_first_and_english_too(name: str) -> None:
    board = DASHBOARDS[name]
    texts = [board["title"], board["description"]]
    texts += [panel[key] for panel in board["panels"] for key in ("title", "description")]
    texts += [variable["label"] for variable in board["templating"]["list"]]
    assert [text for text in texts if not TWO_LANGUAGES.search(text)] == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_everything_asks_the_provisioned_source_in_raw_influxql(name: str) -> None:
    board = DASHBOARDS[name]
    for asking in [*board["panels"], *board["templating"]["list"]]:
        assert asking["datasource"] == SOURCE
    for panel in board["panels"]:
        assert [target["datasource"] for target in panel["targets"]] == [SOURCE] * len(panel["targets"])
        assert all(target["rawQuery"] and "$timeFilter" in target["query"] for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_the_files_are_tidy() -> None:
    """Two spaces, Chinese in clear, a newline at the end: what an editor or a diff expects."""
    for name, board in DASHBOARDS.items():
        text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
        assert text == json.dumps(board, ensure_ascii=False, indent=2) + "\n"


def test_provisioning_names_the_source_and_holds_no_secret() -> None:
    source_file = FOLDER / "provisioning" / "datasources" / "yujing.yaml"
    [source] = yaml.safe_load(source_file.read_text(encoding="utf-8"))["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == SOURCE
    assert source["jsonData"]["version"] == "InfluxQL"
    from_outside = [source["url"], source["user"], source["jsonData"]["dbName"], *source["secureJsonData"].values()]
    assert all(re.fullmatch(r"\$YUJING_INFLUX_[A-Z]+", value) for value in from_outside)


def test_dashboards_are_provisioned_from_files() -> None:
    provider_file = FOLDER / "provisioning" / "dashboards" / "yujing.yaml"
    [provider] = yaml.safe_load(provider_file.read_text(encoding="utf-8"))["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
