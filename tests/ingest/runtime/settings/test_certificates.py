"""The end of a certificate is reported in time by `yujing check`, in metrics and as an alarm, wherever one is named."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.domain.model.batch import Batch
from ingest.domain.model.plant import SERVICE, ServicePoint
from ingest.runtime.settings import Settings
from ingest.runtime.settings.certificates import (
    FURTHEST_D,
    SOON_D,
    CertificateMonitor,
    certificate_files,
    certificates_of,
    ended,
    ending,
)
from ingest.storage.journal.commit import Commit
from tests.authority import Authority
from tests.ingest.engine.bench import PATIENCE_S, Bench
from tests.small_plant import write_plant

DAY = 86_400 * 10**9


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.chdir(tmp_path)
    return Authority(tmp_path)


def mqtt(authority: Authority, days: float) -> str:
    pair = authority.issue("yujing", days=days)
    return f'[mqtt]\ntls_ca = "{authority.ca}"\ntls_cert = "{pair.cert}"\ntls_key = "{pair.key}"\n'


def check(text: str) -> Result:
    write_plant(Path())
    Path("yujing.toml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["check", "--config", "yujing.toml"])


def settings(authority: Authority, days: float) -> Settings:
    pair = authority.issue("yujing", days=days)
    return Settings.model_validate({"mqtt": {"tls_ca": authority.ca, "tls_cert": pair.cert, "tls_key": pair.key}})


@pytest.mark.parametrize(("days", "code", "mark"), [(200.5, 0, ""), (6.5, 0, "存疑 doubtful"), (-2.5, 2, "✗")])
def test_check_tells_the_days_left_doubts_an_end_that_is_near_and_refuses_one_that_has_come(
    authority: Authority, days: float, code: int, mark: str
) -> None:
    result = check(mqtt(authority, days))
    assert result.exit_code == code, result.output
    if code == 0:
        assert "证书 certificate mqtt.tls_cert: 到期 until " in result.output
        assert f"还有 {int(days)} 天 days left" in result.output
        assert "mqtt.tls_ca" in result.output
    if mark:
        assert f"{mark} {authority.ca.with_name('yujing.pem')}" in result.output
        assert "mqtt.tls_cert = CN=yujing, 20" in result.output
    assert ("renew it" in result.output) == bool(mark)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ('[api]\ntls_cert = "nowhere.pem"\ntls_key = "yujing.key"\n', "api.tls_cert = nowhere.pem"),
        ('[api]\ntls_cert = "yujing.pem"\ntls_key = "other.key"\n', "api.tls_key = other.key"),
        ('[api]\ntls_cert = "yujing.pem"\ntls_key = "nowhere"\n', "api.tls_key = nowhere"),
        ('[history]\nkind = "influxdb1"\nurl = "https://h.example"\ndatabase = "y"\nca_file = "yujing.key"\n',
         "history.ca_file = yujing.key"),
        ('[mqtt]\ntls_ca = "yujing.key"\n', "mqtt.tls_ca = yujing.key"),
    ],
)  # fmt: skip
def test_check_names_every_certificate_that_cannot_be_used_once(authority: Authority, given: str, key: str) -> None:
    """Also of the console and the history, without which the service starts."""
    authority.issue("yujing")
    authority.issue("other")
    result = check(given)
    assert result.exit_code == 2, result.output
    assert result.output.count(key) == 1
    assert "1 处错误 faults" in result.output
    assert "Traceback" not in result.output


def test_every_part_that_names_a_certificate_is_looked_at(authority: Authority) -> None:
    hook = {"name": "h", "url": "https://h.example/", "secret": {"env": "X"}, "ca_file": authority.ca}
    given = {
        "mqtt": {"tls_ca": authority.ca, "tls_cert": authority.ca},
        "api": {"tls_cert": authority.ca, "tls_key": authority.ca},
        "state": {"url": "postgresql://yujing@db.example/yujing", "ca_file": authority.ca},
        "history": {"kind": "influxdb1", "url": "https://db.example", "database": "y", "ca_file": authority.ca},
        "connectors": {"webhooks": [hook]},
    }
    assert sorted(key for key, _, _ in certificate_files(Settings.model_validate(given))) == [
        "api.tls_cert", "connectors.webhooks.h.ca_file", "history.ca_file",
        "mqtt.tls_ca", "mqtt.tls_cert", "state.ca_file",
    ]  # fmt: skip


def test_a_renewed_certificate_counts_at_once_and_a_broken_copy_changes_nothing(authority: Authority) -> None:
    used = settings(authority, 5.5)
    monitor = CertificateMonitor(used)
    assert monitor.days_left()["mqtt.tls_cert"] == monitor.fewest() == 5
    cert = used.mqtt.tls_cert
    assert cert is not None
    cert.write_text("a copy under way")
    with capture_logs() as logs:
        assert monitor.fewest() == monitor.fewest() == 5
    assert [entry["event"] for entry in logs] == ["certificate_unreadable"], "once"
    authority.issue("yujing", days=500.5)
    assert monitor.fewest() == 500


def test_what_ends_soon_is_in_the_log_once_a_day(authority: Authority) -> None:
    start = time.time_ns()
    times = iter(start + n * DAY // 2 for n in range(6))
    monitor = CertificateMonitor(settings(authority, SOON_D + 1.2), now=lambda: next(times))
    with capture_logs() as logs:
        left = [monitor.days_left()["mqtt.tls_cert"] for _ in range(6)]
    assert left == [31, 30, 30, 29, 29, 28]
    assert [entry["days_left"] for entry in logs] == [30, 29, 28]
    assert {entry["key"] for entry in logs} == {"mqtt.tls_cert"}


def test_days_are_counted_towards_the_end_from_both_sides_of_it(authority: Authority) -> None:
    """One that ended yesterday ended a day ago, by `check`, metrics, log and alarm alike; its end itself is logged."""
    used = settings(authority, 0.0)
    (end,) = {certificate.ends for certificate in certificates_of(used) if certificate.key == "mqtt.tls_cert"}
    hours = {-49: 2, -47: 1, -25: 1, -1: 0, 1: 0, 25: -1, 47: -1, 49: -2}
    times = iter(end + hour * DAY // 24 for hour in hours)
    monitor = CertificateMonitor(used, now=lambda: next(times))
    with capture_logs() as logs:
        left = [monitor.fewest() for _ in hours]
    assert left == list(hours.values())
    assert [(log["days_left"], log["ended"]) for log in logs] == [
        (2, False), (1, False), (0, False), (0, True), (-1, True), (-2, True),
    ]  # fmt: skip
    for hour, days in hours.items():
        now = end + hour * DAY // 24
        doubtful, refused = ([fault.expected for fault in report(used, now)] for report in (ending, ended))
        (expected,) = (*doubtful, *refused)
        assert (f"还剩 {days} 天" if hour < 0 else f"{-days} 天前到期") in expected.zh
        assert (f"has {days} days left" if hour < 0 else f"has {-days} days ago") in expected.en
        assert len(refused) == (hour > 0)


def test_the_certificate_the_broker_shows_is_watched_too(authority: Authority) -> None:
    def shown(days: float) -> bytes:
        pem = authority.issue("broker", days=days).cert.read_bytes()
        return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    shows: list[bytes | None] = [None]
    monitor = CertificateMonitor(Settings(), lambda: shows[0], "broker.example:8883")
    assert monitor.fewest() == FURTHEST_D, "none is in use"
    for days in (3.5, 90.5):
        shows[0] = shown(days)
        assert monitor.days_left() == {"broker": int(days)}


@pytest.mark.parametrize(("joined", "days"), [("tls_ca", 3649), ("tls_cert", 3)])
def test_one_authority_may_end_while_another_takes_over_and_a_chain_is_as_good_as_its_first_end(
    authority: Authority, joined: str, days: int
) -> None:
    pair = authority.issue("one", days=3.5)
    both = Path("both.pem")
    both.write_bytes(pair.cert.read_bytes() + authority.ca.read_bytes())
    used = Settings.model_validate({"mqtt": {joined: both, **({"tls_key": pair.key} if joined == "tls_cert" else {})}})
    assert CertificateMonitor(used).days_left() == {f"mqtt.{joined}": days}


def test_an_end_is_an_alarm_30_days_before_and_a_grave_one_7_days_before_until_it_is_renewed(tmp_path: Path) -> None:
    """What the service sees of itself goes the way of all readings; a restart in between raises nothing anew."""
    bench = Bench(tmp_path)
    point = bench.engine.configuration.find(SERVICE, ServicePoint.CERTIFICATES)
    assert point is not None
    levels: list[list[tuple[str, int]]] = []
    bench.engine.start()
    for n, days in enumerate((1000, 31, 30, 8, 7, -1, 730)):
        at = np.array([bench.t0 + n * DAY // 86_400])
        batch = Batch(np.array([point.index], np.int32), at, np.array([float(days)]), np.zeros(1, np.uint16), at)
        bench.journal.append(Commit(batch, 1))
        bench.settle()
        if days == 8:
            bench.restart()
        found = [alarm for alarm in bench.found() if alarm.plant == SERVICE and alarm.point == point.id]
        levels.append(sorted((alarm.rule, alarm.level) for alarm in found if alarm.returned is None))
    assert bench.engine.stop(PATIENCE_S)
    near, grave = ("L", 1), ("LL", 2)
    assert levels == [[], [], [near], [near], [near, grave], [near, grave], []]
    assert len(found) == 2, "each was raised once"
    assert "更换证书" in found[0].title.zh
