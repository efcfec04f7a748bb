"""One idempotent command sets up an InfluxDB, and a check names what is missing."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.base.config import Secret
from ingest.storage.history.config import InfluxV1Config, InfluxV2Config
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.registry import open_store
from ingest.storage.history.server_check import lacking
from ingest.storage.history.setup import SetupOptions, SetupRefused
from ingest.storage.history.setup_v1 import set_up_v1
from ingest.storage.history.setup_v2 import set_up_v2
from tests.ingest.storage.history.influx_2 import Influx2, Token, fresh_influx_2_on
from tests.ingest.storage.history.made_up import SECOND, configuration, steady
from tests.servers import HTTP, free_port, influxd

OPERATOR = "an operator's token"
ADMIN = "admin:an administrator's password"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Influx2]:
    """An InfluxDB 2 as it is after its installation."""
    with influxd(tmp_path) as behind, fresh_influx_2_on(behind) as server:
        yield server


@pytest.fixture
def influxdb_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real InfluxDB 1.x that asks for passwords and has no user yet."""
    monkeypatch.setenv("INFLUXDB_HTTP_AUTH_ENABLED", "true")
    with influxd(tmp_path) as url:
        yield url


def v2(server: Influx2, tmp_path: Path) -> InfluxV2Config:
    return InfluxV2Config(url=server.url, org="plant", token=Secret(file=tmp_path / "secrets" / "token"))


def v1(url: str, tmp_path: Path) -> InfluxV1Config:
    secret = Secret(file=tmp_path / "secrets" / "password")
    return InfluxV1Config(url=url, username="yujing", password=secret)


def made(config: InfluxV1Config | InfluxV2Config, options: SetupOptions = SetupOptions()) -> list[str]:  # noqa: B008  frozen
    """What one run of the setup says it made."""
    if isinstance(config, InfluxV1Config):
        return [text.en for text in set_up_v1(config, ADMIN, options)]
    return [text.en for text in set_up_v2(config, OPERATOR, options)]


def keeps_and_answers(config: InfluxV1Config | InfluxV2Config) -> bool:
    store = open_store(config)
    store.write_readings(steady(3, start=time.time_ns()), configuration(), 1)
    kept = store.count_readings()
    store.close()
    return kept == 3


def private(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_a_fresh_influxdb_2_is_ready_for_service_and_reader(server: Influx2, tmp_path: Path) -> None:
    """The service may write and read its bucket, the reader only read it; secrets are for their owner alone."""
    config = v2(server, tmp_path)
    made(config)
    assert keeps_and_answers(config)
    assert lacking(config) == []
    secrets = tmp_path / "secrets"
    assert private(secrets) == dict.fromkeys(
        ["token", "influxdb_admin_password", "influxdb_reader_password", "influxdb_reader_token"], 0o600
    )
    service, reader = ((secrets / name).read_text().strip() for name in ("token", "influxdb_reader_token"))
    reads = {("read", bucket) for bucket in ("yujing", "yujing_minutes", "yujing_hours")}
    assert server.tokens[service].rights == frozenset(reads | {("write", "yujing")})
    assert server.tokens[reader].rights == frozenset(reads)
    assert server.readers == {"grafana": (secrets / "influxdb_reader_password").read_text().strip()}
    assert server.buckets == {"yujing": 0, "yujing_minutes": 1_827 * 86_400, "yujing_hours": 0}
    assert [record["name"] for record in server.kept.values() if "flux" in record] == [
        "yujing_minutes", "yujing_minutes_late", "yujing_hours", "yujing_hours_late",
    ]  # fmt: skip


def test_rollups_may_be_done_without_and_come_later(server: Influx2, tmp_path: Path) -> None:
    """The service's token is then replaced by one that may read them; a task of an older version is replaced, too."""
    config = v2(server, tmp_path)
    made(config, SetupOptions(rollups=False))
    assert list(server.buckets) == ["yujing"]
    assert made(config, SetupOptions(rollups=False)) == []
    assert "no rollups" in " ".join(need.en for need in lacking(config))
    before = (tmp_path / "secrets" / "token").read_text()
    assert made(config)[-1].startswith("the service's token")
    assert (tmp_path / "secrets" / "token").read_text() != before
    assert lacking(config) == []
    assert made(config) == []
    task = next(record for record in server.kept.values() if "flux" in record)
    task["flux"] = "older"
    assert made(config) == ["task yujing_minutes"]
    assert 'option task = {name: "yujing_minutes", every: 10m}' in task["flux"]


def test_set_up_again_nothing_changes(server: Influx2, tmp_path: Path) -> None:
    config = v2(server, tmp_path)
    assert made(config, SetupOptions(keep_days=400))
    before, tokens = server.changes, dict(server.tokens)
    for options in (SetupOptions(), SetupOptions(keep_days=400)):
        assert made(config, options) == []
    assert (server.changes, server.tokens) == (before, tokens)
    assert server.buckets["yujing"] == 400 * 86_400


def test_what_went_missing_is_made_again(server: Influx2, tmp_path: Path) -> None:
    """A token revoked or lost is replaced, and the one before is no good any more; a mapping comes back."""
    config = v2(server, tmp_path)
    made(config)
    file = tmp_path / "secrets" / "token"
    first = file.read_text().strip()
    server.tokens[first] = Token(server.tokens[first].rights, active=False)
    assert ["token" in line for line in made(config)] == [True]
    assert first not in server.tokens
    file.unlink()
    assert made(config)
    server.mapped.clear()
    server.kept = {at: record for at, record in server.kept.items() if record.get("retention_policy") != "autogen"}
    assert made(config) == ["database mapping yujing/autogen"]
    assert keeps_and_answers(config)


def test_keeping_less_has_to_be_meant(server: Influx2, tmp_path: Path) -> None:
    """It deletes what is older. Keeping longer is done at once."""
    config = v2(server, tmp_path)
    made(config)
    with pytest.raises(SetupRefused, match="--shorten"):
        made(config, SetupOptions(keep_days=400))
    assert server.buckets["yujing"] == 0
    made(config, SetupOptions(keep_days=400, shorten=True))
    with pytest.raises(SetupRefused, match=r"keeps 400 d; 30 days .* --shorten"):
        made(config, SetupOptions(keep_days=30))
    made(config, SetupOptions(keep_days=800))
    assert server.buckets["yujing"] == 800 * 86_400


def test_what_the_setup_cannot_do_is_reported(server: Influx2, tmp_path: Path) -> None:
    config = v2(server, tmp_path)
    with pytest.raises(SetupRefused, match="--operator"):
        list(set_up_v2(config, None, SetupOptions()))
    with pytest.raises(SetupRefused, match=r"history.token: expected \{ file"):
        list(set_up_v2(config.model_copy(update={"token": Secret(env="X")}), OPERATOR, SetupOptions()))
    made(config)
    with pytest.raises(SetupRefused, match="HTTP 401: unauthorized access"):
        list(set_up_v2(config, "another", SetupOptions()))
    with pytest.raises(SetupRefused, match="there is no organisation other"):
        made(config.model_copy(update={"org": "other"}))
    with pytest.raises(HistoryUnavailable):
        made(config.model_copy(update={"url": f"http://127.0.0.1:{free_port()}"}))


def test_a_fresh_influxdb_1_is_ready_for_service_and_reader(influxdb_1: str, tmp_path: Path) -> None:
    """A real one, with passwords: its first administrator too. Again: nothing; keeping less has to be meant."""
    config = v1(influxdb_1, tmp_path)
    assert len(made(config, SetupOptions(keep_days=400))) == 9
    assert keeps_and_answers(config)
    assert lacking(config) == []
    assert private(tmp_path / "secrets") == {"password": 0o600, "influxdb_reader_password": 0o600}
    assert made(config) == made(config, SetupOptions(keep_days=400)) == []
    with pytest.raises(SetupRefused, match="--shorten"):
        made(config, SetupOptions(keep_days=30))
    (policies,) = HTTP.get(
        f"{influxdb_1}/query",
        params={"q": "SHOW RETENTION POLICIES ON yujing"},
        auth=tuple(ADMIN.split(":")),  # type: ignore[arg-type]
    ).json()["results"][0]["series"]
    assert [row[:2] for row in policies["values"]] == [
        ["autogen", "9600h0m0s"],
        ["minutes", "43848h0m0s"],
        ["hours", "0s"],
    ]
    assert made(config, SetupOptions(keep_days=500)) == ["retention policy autogen: 500 d"]

    reader = ("grafana", (tmp_path / "secrets" / "influxdb_reader_password").read_text().strip())
    asked: dict[str, Any] = {"params": {"db": "yujing", "q": "SELECT count(value) FROM readings"}}
    assert HTTP.get(f"{influxdb_1}/query", auth=reader, **asked).json()["results"][0]["series"]
    write = HTTP.post(f"{influxdb_1}/write", auth=reader, params={"db": "yujing"}, content="m v=1")
    assert write.status_code == 403
    service = ("yujing", (tmp_path / "secrets" / "password").read_text().strip())
    other = HTTP.post(f"{influxdb_1}/query", auth=service, params={"q": "CREATE DATABASE x"})
    assert other.status_code == 403


def test_an_influxdb_1_that_needs_credentials_yields_advice_how_to_give_them(influxdb_1: str, tmp_path: Path) -> None:
    """Before it has any user, and later; in both languages, and nothing is made without."""
    config = v1(influxdb_1, tmp_path)

    def refused(operator: str | None) -> SetupRefused:
        with pytest.raises(SetupRefused) as error:
            list(set_up_v1(config, operator, SetupOptions()))
        return error.value

    for _ in ("without a user", "with one"):
        text = refused(None).text
        assert "管理员凭据(用户名:口令):--operator 文件" in text.zh
        assert "an administrator's credentials (user:password) are needed: --operator FILE" in text.en
        made(config)
    wrong = refused("admin:wrong").text
    assert wrong.zh == "服务器拒绝了操作员凭据:authorization failed"
    assert wrong.en == "the server refuses the operator's credentials: authorization failed"


def test_a_policy_of_the_settings_is_made(influxdb_1: str, tmp_path: Path) -> None:
    config = v1(influxdb_1, tmp_path).model_copy(update={"retention_policy": 'ten "years"'})
    assert 'retention policy ten "years": 3650 d' in made(config, SetupOptions(keep_days=3_650))
    assert keeps_and_answers(config)
    assert lacking(config) == []
    assert made(config) == []


def test_what_a_server_lacks_is_named(server: Influx2, influxdb_1: str, tmp_path: Path) -> None:
    """With the service's own rights, in both languages, with the server's words; an absent server is no verdict."""
    config = v2(server, tmp_path)
    server.fresh, server.org = False, "plant"
    server.tokens = {"t": Token(), "reads": Token(frozenset({("read", "yujing")}))}
    file = tmp_path / "secrets" / "token"
    file.parent.mkdir()

    def report() -> str:
        return " ".join(f"{text.zh} {text.en}" for text in lacking(config))

    file.write_text("wrong")
    assert "令牌无效" in report()
    file.write_text("t")
    assert 'missing: bucket "yujing" not found' in report()
    server.make_unmapped("yujing")
    assert "DBRP" in report()
    server.mapped.add("yujing")
    assert "没有按分钟和小时的汇总" in report()
    file.write_text("reads")
    assert "may not write" in report()
    file.write_text("t")
    with pytest.raises(HistoryUnavailable):
        lacking(config.model_copy(update={"url": f"http://127.0.0.1:{free_port()}"}))

    first = v1(influxdb_1, tmp_path)
    (tmp_path / "secrets" / "password").write_text("p")
    assert "database, bucket or organisation is missing" in " ".join(text.en for text in lacking(first))
    made(first)
    (tmp_path / "secrets" / "password").write_text("q")
    assert "not valid there" in " ".join(text.en for text in lacking(first))
    (tmp_path / "secrets" / "password").write_text("p")
    missing = first.model_copy(update={"retention_policy": "nix"})
    assert [text.en for text in lacking(missing)] == [
        "the retention policy is missing: retention policy not found: nix"
    ]


def test_a_reading_of_now_is_not_older_than_a_day_kept(server: Influx2, tmp_path: Path) -> None:
    """What the setup makes is what the server goes by: of two days ago nothing is kept."""
    config = v2(server, tmp_path)
    made(config, SetupOptions(keep_days=1))
    store = open_store(config)
    old = steady(4, start=time.time_ns() - 2 * 86_400 * SECOND)
    assert store.write_readings(old, configuration(), 1) == 4
    assert store.write_readings(steady(4, start=time.time_ns()), configuration(), 2) == 0
    store.close()
