"""Settings that were good are kept for the next start, which a fault in the file or beside it does not end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ingest.domain.model.fault import InvalidConfig
from ingest.runtime.settings import InForce, load_in_force
from tests.authority import Authority
from tests.ingest.runtime.settings.given import FILE, GOOD, LAST, composed, toml


def test_settings_are_kept_for_the_next_start_without_those_that_have_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over any number of restarts and mistakes; found by the path of the journal, or by systemd's word."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A", "x" * 32)

    def start(text: str) -> InForce:
        FILE.write_text(text, encoding="utf-8")
        found = load_in_force(FILE)
        found.keep()
        return found

    with pytest.raises(InvalidConfig, match=r"mqtt\.port"):
        start(GOOD.replace("2883", '"x"'))
    start(GOOD)
    bad = GOOD.replace("2883", '"x"').replace("300", "301")
    for _ in range(2):
        found = start(bad)
        assert (found.settings.mqtt.port, found.settings.journal.retention_h) == (2883, 301)
        assert found.held == ("mqtt",)
    other = start(GOOD.replace("retention_h = 300", "retention_h = []").replace("2883", "2884"))
    assert (other.settings.mqtt.port, other.settings.journal.retention_h) == (2884, 301)
    start(GOOD)
    assert start(GOOD.replace('path = "data/journal.db"', "path = 7")).settings == composed(GOOD).settings
    kept = tmp_path / "data" / "in-force" / "settings.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    (tmp_path / "data").rename(tmp_path / "state")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert load_in_force(FILE).settings == composed(GOOD).settings
    kept = tmp_path / "state" / "in-force" / "settings.json"
    for lost in ("{", "[]"):
        kept.write_text(lost)
        with pytest.raises(InvalidConfig):
            load_in_force(FILE)


@pytest.mark.parametrize(
    ("right", "typo"),
    [
        ("[state]", "[state"),
        ("[state]", "state]"),
        ("[state]", "#[state]"),
        ("[journal]", "[journal"),
        ("[journal]", "[jurnal]"),
        ('path = "kept/journal.db"', "path = kept/journal.db"),
        ('path = "kept/journal.db"', 'path = "kept/journal.db'),
        ('path = "kept/journal.db"', 'pth = "kept/journal.db"'),
    ],
)
def test_the_copy_is_found_where_the_file_says_though_its_table_cannot_be_read(
    right: str, typo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over restarts; and never the copy of another installation, whose folder the file happens to name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A", "x" * 32)
    text = GOOD.replace('"data/journal.db"', '"kept/journal.db"\n[state]\npath = "kept/state.db"')
    bad = text.replace(right, typo, 1)
    other = tmp_path / "other" / "in-force" / "settings.json"
    other.parent.mkdir(parents=True)
    other.write_text(json.dumps(LAST))
    FILE.write_text('heartbeat = "other/x"\n' + bad, encoding="utf-8")
    with pytest.raises(InvalidConfig):
        load_in_force(FILE)
    FILE.write_text(text, encoding="utf-8")
    load_in_force(FILE).keep()
    FILE.write_text(bad, encoding="utf-8")
    for _ in range(2):
        found = load_in_force(FILE)
        found.keep()
        assert found.settings == composed(text).settings
        assert found.faults


def test_a_certificate_that_is_not_there_is_a_fault_of_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = composed(GOOD.replace("[mqtt]", '[mqtt]\ntls_ca = "nowhere.pem"', 1))
    assert found.settings.mqtt == composed(GOOD).settings.mqtt
    assert [fault.key for fault in found.faults] == ["mqtt.tls_ca"]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def binary(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")


def locked(file: Path) -> None:
    """With a passphrase, for which nobody is to be asked."""
    key = load_pem_private_key(file.read_bytes(), None)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))


def swapped(file: Path) -> None:
    file.write_bytes(Authority(file.parent / "other").issue("yujing").key.read_bytes())


@pytest.mark.parametrize(
    ("name", "harm", "key"),
    [
        ("yujing.pem", cut, "mqtt.tls_cert"),
        ("yujing.pem", Path.unlink, "mqtt.tls_cert"),
        ("yujing.key", swapped, "mqtt.tls_cert"),
        ("yujing.key", folder, "mqtt.tls_cert"),
        ("yujing.key", locked, "mqtt.tls_cert"),
        ("ca.pem", Path.unlink, "mqtt.tls_ca"),
        ("ca.pem", binary, "mqtt.tls_ca"),
        ("word", Path.unlink, "mqtt.password"),
        ("word", emptied, "mqtt.password"),
        ("word", folder, "mqtt.password"),
        ("word", binary, "mqtt.password"),
        ("state-word", Path.unlink, "state.password"),
        ("state-word", binary, "state.password"),
        ("state-ca.pem", Path.unlink, "state.ca_file"),
    ],
)
def test_a_file_that_was_good_and_is_broken_ends_no_start_and_is_good_again_once_mended(
    name: str, harm: Callable[[Path], None], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over two starts: whoever needs the file tries it again, with the table as it stands."""
    monkeypatch.chdir(tmp_path)
    ours = Authority(tmp_path / "tls")
    ours.issue("yujing").cert.rename("yujing.pem")
    (tmp_path / "tls" / "yujing.key").rename("yujing.key")
    for copy in ("ca.pem", "state-ca.pem"):
        Path(copy).write_bytes(ours.ca.read_bytes())
    for word in ("word", "state-word"):
        Path(word).write_text("wordword")
    mqtt = {"tls_ca": "ca.pem", "tls_cert": "yujing.pem", "tls_key": "yujing.key", "username": "u"}
    state = {"url": "postgresql://u@h/d", "ca_file": "state-ca.pem", "password": {"file": "state-word"}}
    FILE.write_text(toml({"mqtt": mqtt | {"password": {"file": "word"}}, "state": state}))
    good = load_in_force(FILE)
    assert good.faults == ()
    good.keep()
    whole = Path(name).read_bytes()
    harm(Path(name))
    for _ in range(2):
        found = load_in_force(FILE)
        found.keep()
        assert found.settings == good.settings
        assert [fault.key for fault in found.faults] == [key]
        assert found.usable_again() == set()
    if Path(name).is_dir():
        Path(name).rmdir()
    Path(name).write_bytes(whole)
    assert found.usable_again() == {*found.faults}
    assert load_in_force(FILE).faults == ()


def test_a_secret_of_the_history_that_is_gone_stops_no_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history waits until it is there; nothing is judged by it."""
    monkeypatch.chdir(tmp_path)
    influx = {"kind": "influxdb2", "url": "http://127.0.0.1:9", "org": "o", "token": {"file": "gone"}}
    found = composed(toml(LAST | {"history": influx}), LAST | {"history": influx})
    assert found.settings.history.kind == "influxdb2"
    assert [fault.key for fault in found.faults] == ["history.token"]
