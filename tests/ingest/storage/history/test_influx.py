"""InfluxDB stores over HTTP, and their reaction to every kind of refusal by a server."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.base.config import Secret
from ingest.domain.model.batch import Batch
from ingest.storage.history.config import InfluxV1Config, InfluxV2Config
from ingest.storage.history.errors import HistoryRejected, HistoryUnavailable
from ingest.storage.history.influx import InfluxStore
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.influx_v2 import InfluxV2Store
from ingest.storage.history.store import TrendQuery
from tests.ingest.storage.history.influx_2 import influx_2_on
from tests.ingest.storage.history.made_up import PLANT, SECOND, batch, configuration, trend_of
from tests.ingest.storage.history.made_up import steady as steady_from
from tests.ingest.storage.history.stand_in import Answer, Asked, http_server, scripted
from tests.servers import HTTP, free_port, influxd, influxd_server

SECRET = "HISTORY_TEST_SECRET"
NOW = time.time_ns() // SECOND * SECOND
Opener = Callable[[str], InfluxStore]


def steady(n: int) -> Batch:
    """Readings that are not late, for which no rollups are queried."""
    return steady_from(n, start=NOW)


def v1(url: str) -> InfluxStore:
    return InfluxV1Store(InfluxV1Config(url=url, username="writer", password=Secret(env=SECRET), timeout_s=2))


def v2(url: str) -> InfluxStore:
    return InfluxV2Store(InfluxV2Config(url=url, org="厂", token=Secret(env=SECRET), timeout_s=2))


@pytest.fixture(params=[v1, v2])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Either transport, with its secret at hand and a proxy in the environment that must not be used."""
    monkeypatch.setenv(SECRET, "s3cret")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    opener: Opener = request.param
    return opener


def test_a_large_batch_goes_in_requests_of_twenty_thousand_lines(opened: Opener) -> None:
    with scripted([Answer(204)]) as (url, asked):
        store = opened(url)
        store.write_readings(steady(48_001), configuration(), 1)
        store.close()
    assert [len(request.body.splitlines()) for request in asked] == [20_000, 20_000, 8_001]
    assert all(request.query["precision"] == "ms" for request in asked)


def test_a_number_that_some_servers_cannot_keep_beside_others_waits_until_it_is_known_which_server_it_is(
    opened: Opener,
) -> None:
    """A gateway in front that answers 502 says nothing of the server. Asked once, and not for ordinary numbers."""
    readings = batch([0, 0], [NOW, NOW + SECOND], [50.25, 3.4e38])
    with scripted([Answer(204), Answer(502), Answer(204)]) as (url, asked):
        store = opened(url)
        store.write_readings(steady(1), configuration(), 1)
        with pytest.raises(HistoryUnavailable, match="502"):
            store.write_readings(readings, configuration(), 2)
        assert [request.path for request in asked[1:]] == ["/ping"]
        for _ in range(2):
            store.write_readings(readings, configuration(), 2)
        store.close()
    assert [request.path == "/ping" for request in asked] == [False, True, True, False, False]
    assert b"value=3.4e38" in asked[-1].body.replace(b"e+", b"e")


@pytest.mark.parametrize("gzip", [None, True, False])
def test_lines_are_packed_for_another_machine_or_on_request(gzip: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured: packing costs us more than sending four times the bytes over loopback does."""
    monkeypatch.setenv(SECRET, "s3cret")
    assert InfluxV1Config(url="http://history:8086", gzip=gzip).packs == (gzip is not False)
    with scripted([Answer(204)]) as (url, asked):
        stores: list[InfluxStore] = [
            InfluxV1Store(InfluxV1Config(url=url, gzip=gzip)),
            InfluxV2Store(InfluxV2Config(url=url, org="厂", token=Secret(env=SECRET), gzip=gzip)),
        ]
        for store in stores:
            store.write_readings(steady(3), configuration(), 1)
            store.close()
    assert [request.headers.get("Content-Encoding") == "gzip" for request in asked] == [gzip is True] * 2
    assert asked[0].body == asked[1].body


def test_a_request_too_large_is_halved_and_the_size_remembered(opened: Opener) -> None:
    """A proxy with a smaller limit than the server's costs a few requests once, and no reading."""
    asked: list[int] = []

    def small(request: Asked) -> Answer:
        lines = request.body.splitlines()
        asked.append(len(lines))
        return Answer(413 if len(lines) > 300 else 204)

    with http_server(small) as url, capture_logs() as logged:
        store = opened(url)
        store.write_readings(steady(1_000), configuration(), 1)
        store.write_readings(steady(500), configuration(), 1)
        store.close()
    assert asked == [1_000, 500, 500, 250, 250, 250, 250, 250, 250], "two requests are under way at a time"
    assert [line["lines"] for line in logged if line["event"] == "history_request_halved"] == [500, 250]


def test_a_single_line_too_large_is_refused(opened: Opener) -> None:
    with scripted([Answer(413)]) as (url, _):
        store = opened(url)
        with pytest.raises(HistoryRejected, match="413"):
            store.write_readings(steady(1), configuration(), 1)
        store.close()


def test_v1_and_v2_send_the_same_lines_each_with_its_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "s3cret")
    basic = base64.b64encode(b"writer:s3cret").decode()
    with scripted([Answer(204)]) as (url, asked):
        for opener in (v1, v2):
            store = opener(url)
            store.write_readings(steady(3), configuration(), 1)
            store.close()
    first, second = asked
    assert first.body == second.body
    assert (first.path, first.headers["Authorization"]) == ("/write", f"Basic {basic}")
    assert (second.path, second.headers["Authorization"]) == ("/api/v2/write", "Token s3cret")
    assert first.query == {"db": "yujing", "precision": "ms"}
    assert second.query == {"org": "厂", "bucket": "yujing", "precision": "ms"}


def test_a_replaced_credential_is_used_from_the_next_start_on(tmp_path: Path) -> None:
    """As the operations page replaces it: a new file in the place of the old one, whole."""
    file = tmp_path / "history_token"
    with scripted([Answer(204)]) as (url, asked):
        for token in ("old", "new"):
            (tmp_path / "history_token.new").write_text(f"{token}\n")
            (tmp_path / "history_token.new").replace(file)
            for store in (
                InfluxV1Store(InfluxV1Config(url=url, username="writer", password=Secret(file=file))),
                InfluxV2Store(InfluxV2Config(url=url, org="厂", token=Secret(file=file))),
            ):
                store.write_readings(steady(1), configuration(), 1)
                store.close()
    basic = [base64.b64encode(f"writer:{token}".encode()).decode() for token in ("old", "new")]
    assert [request.headers["Authorization"] for request in asked] == [
        f"Basic {basic[0]}", "Token old", f"Basic {basic[1]}", "Token new",
    ]  # fmt: skip


def test_v2_asks_influxql_of_the_bucket_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "s3cret")
    with scripted([Answer(200, b'{"results":[{"statement_id":0}]}')]) as (url, asked):
        store = v2(url)
        assert store.count_readings() == 0
        store.close()
    assert (asked[0].path, asked[0].query["db"], asked[0].headers["Authorization"]) == (
        "/query",
        "yujing",
        "Token s3cret",
    )


def test_a_plants_trends_are_one_request(opened: Opener) -> None:
    """However many its points: the names of 500 are more than an address may be long."""
    queries = [TrendQuery(PLANT, f"CW-{at}", NOW, NOW + SECOND, 1) for at in range(500)]
    with scripted([Answer(200, b'{"results":[{},{},{},{}]}')]) as (url, asked):
        store = opened(url)
        assert [len(trend.time) for trend in store.trends(queries)] == [0] * 500
        store.close()
    assert [(request.method, request.path, "q" in request.query) for request in asked] == [("POST", "/query", False)]


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_repeats_the_servers_own_words(opened: Opener, status: int) -> None:
    with scripted(
        [Answer(status, b'{"error":"field type conflict: value","message":"field type conflict: value"}')]
    ) as (url, _):
        store = opened(url)
        with pytest.raises(HistoryRejected, match="field type conflict: value"):
            store.write_readings(steady(3), configuration(), 1)
        store.close()


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500, 503])
def test_a_server_in_trouble_is_unavailable_and_queried_once(opened: Opener, status: int) -> None:
    """No retries of the client's own: waiting is the history writer's."""
    answer = Answer(status, b"\xff not text", {"Retry-After": "7", "Location": "http://127.0.0.1:1/"})
    with scripted([answer]) as (url, asked):
        store = opened(url)
        with pytest.raises(HistoryUnavailable):
            store.write_readings(steady(3), configuration(), 1)
        store.close()
    assert len(asked) == 1


def test_the_delay_a_server_requests_is_passed_on(opened: Opener) -> None:
    with scripted([Answer(429, b"{}", {"Retry-After": "7"})]) as (url, _):
        store = opened(url)
        with pytest.raises(HistoryUnavailable) as caught:
            store.write_readings(steady(3), configuration(), 1)
        store.close()
    assert caught.value.retry_after_s == 7


def test_a_server_that_is_not_there_is_unavailable(opened: Opener) -> None:
    store = opened(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(HistoryUnavailable):
        store.write_readings(steady(3), configuration(), 1)
    with pytest.raises(HistoryUnavailable):
        store.count_readings()
    store.close()


@pytest.mark.parametrize("body", [b"", b"<html>login</html>", b"[]", b'{"results":[{"error":"timeout"}]}'])
def test_an_answer_that_is_no_result_is_an_error_not_an_empty_trend(opened: Opener, body: bytes) -> None:
    with scripted([Answer(200, body)]) as (url, _):
        store = opened(url)
        with pytest.raises(HistoryUnavailable):
            trend_of(store, PLANT, "CW-01", 0, 10, 1)
        store.close()


def test_no_secret_is_in_any_error(opened: Opener) -> None:
    with scripted([Answer(401, b'{"error":"unauthorized"}')]) as (url, _):
        store = opened(url)
        with pytest.raises(HistoryUnavailable, match="check the user and password, or the token") as caught:
            store.write_readings(steady(3), configuration(), 1)
        store.close()
    assert "s3cret" not in str(caught.value)


def test_a_missing_database_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """Against a real server: the write is unavailable until someone creates the database."""
    with influxd(tmp_path) as url:
        store = InfluxV1Store(InfluxV1Config(url=url))
        with pytest.raises(HistoryUnavailable, match=r'database not found: "yujing" \(the database .* create it'):
            store.write_readings(steady(3), configuration(), 1)
        with pytest.raises(HistoryUnavailable, match="database not found"):
            store.count_readings()
        store.create_database()
        store.write_readings(steady(3), configuration(), 1)
        assert store.count_readings() == 3
        store.close()


def test_a_type_conflict_is_refused_by_a_real_server_in_its_own_words(tmp_path: Path) -> None:
    with influxd(tmp_path) as url:
        store = InfluxV1Store(InfluxV1Config(url=url))
        store.create_database()
        spoil(url, NOW)
        with pytest.raises(HistoryRejected, match="field type conflict"):
            store.write_readings(steady(3), configuration(), 1)
        store.close()


def test_a_retention_policy_is_written_to_and_read_from(tmp_path: Path) -> None:
    with influxd(tmp_path) as url:
        store = InfluxV1Store(InfluxV1Config(url=url, retention_policy='ten "years"'))
        store.create_database()
        query = r'CREATE RETENTION POLICY "ten \"years\"" ON yujing DURATION 520w REPLICATION 1'
        HTTP.post(f"{url}/query", params={"q": query}).raise_for_status()
        store.write_readings(steady(3), configuration(), 1)
        default = InfluxV1Store(InfluxV1Config(url=url))
        assert (store.count_readings(), default.count_readings()) == (3, 0)
        assert trend_of(store, PLANT, "CW-01", NOW, NOW + SECOND, 1).count.tolist() == [1]
        for each in (store, default):
            each.close()


def test_a_killed_server_keeps_what_it_answered_for(tmp_path: Path) -> None:
    """SIGKILL and restart: what was accepted is there, and the same connection serves again."""
    with influxd_server(tmp_path) as server:
        store = InfluxV1Store(InfluxV1Config(url=server.url))
        store.create_database()
        store.write_readings(steady(1_000), configuration(), 1)
        server.kill()
        with pytest.raises(HistoryUnavailable):
            store.write_readings(batch([0], [NOW + 5_000 * SECOND], [1.0]), configuration(), 2)
        server.start()
        store.write_readings(batch([0], [NOW + 5_000 * SECOND], [1.0]), configuration(), 2)
        assert store.count_readings() == 1_001
        store.close()


@pytest.mark.parametrize("opener", [v1, v2])
def test_a_bucket_whose_sum_overflows_lacks_its_mean_and_nothing_else_does(
    opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that sends the largest number for "no value" costs no other curve; a real server's own answers."""
    monkeypatch.setenv(SECRET, "a token")
    minute = 60 * SECOND
    start = NOW - NOW % minute
    at = [start, start + 1, start + 2, start + minute, start + minute + 1, start + 2 * minute, start, start + minute]
    values = [-1.7e308, -1.7e308, np.nan, 0.1, 0.2, 1.7e308, 0.1 + 0.2, 7.0]
    written = batch([0, 0, 0, 0, 0, 0, 1, 1], at, values, [0, 0, 4, 0, 0, 0, 0, 0])
    with influxd(tmp_path) as behind, influx_2_on(behind) as server:
        writer = InfluxV1Store(InfluxV1Config(url=behind))
        writer.create_database()
        writer.write_readings(written, configuration(), 1)
        writer.close()
        store = opener(behind if opener is v1 else server.url)
        end = start + 3 * minute
        broken, both, other = store.trends(
            [
                TrendQuery(PLANT, "CW-01", start, end, 3),
                TrendQuery(PLANT, "CW-02", start, end, 3, was="CW-01"),
                TrendQuery(PLANT, "CW-02", start, end, 3),
            ]
        )
        store.close()
    assert broken.low.tolist() == [-1.7e308, 0.1, 1.7e308]
    assert broken.high.tolist() == [-1.7e308, 0.2, 1.7e308]
    assert broken.count.tolist() == [3, 2, 1]
    np.testing.assert_array_equal(broken.mean, [np.nan, (0.1 + 0.2) / 2, 1.7e308])
    assert (both.low.tolist(), both.count.tolist()) == ([-1.7e308, 0.1, 1.7e308], [4, 3, 1])
    assert np.isnan(both.mean).tolist() == [True, False, False]
    assert (other.mean.tolist(), other.count.tolist()) == ([0.1 + 0.2, 7.0], [1, 1])


def spoil(url: str, at: int) -> None:
    """Make `value` a string in the week of `at`, so that the server refuses numbers there."""
    line = f'readings,plant=x value="text" {at}'
    HTTP.post(f"{url}/write", params={"db": "yujing"}, content=line).raise_for_status()
