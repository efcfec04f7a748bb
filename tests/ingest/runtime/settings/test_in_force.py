"""A typo in the settings takes out what it is in: the rest, and every plant, goes on as before."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import BaseModel

from ingest.base.config import Config, Secret
from ingest.domain.model.fault import InvalidConfig
from ingest.runtime.settings import InForce, Settings, load_in_force, load_settings
from ingest.runtime.settings.in_force import ENTRIES, compose
from tests.authority import Authority

FILE = Path("yujing.toml")
TOKEN = '[[api.tokens]]\nname = "{0}"\nrole = "operator"\nplants = ["p"]\ntoken = {{ file = "{0}" }}\n'
HOOK = (
    '[[connectors.webhooks]]\nname = "{0}"\nurl = "https://127.0.0.1:9/"\nlevels = [2]\nsecret = {{ file = "{0}" }}\n'
)
DUTY = '[[warnings.duty]]\nname = "{0}"\nstep = "county"\n'
POSITION = '[[alarms.positions]]\nname = "{0}"\nplants = ["{0}"]\n'
GOOD = """removal_wait_s = 30
[mqtt]
host = "broker"
port = 2883
[journal]
retention_h = 300
path = "data/journal.db"
[intake]
gap_lost_h = 100
[history]
kind = "influxdb1"
url = "http://127.0.0.1:8086"
[api]
port = 9000
[warnings]
reopen_s = 60
[warnings.ack_s]
red = 100
[alarms]
reopen_s = 77
[connectors]
escalate_after = 5
[connectors.platform]
url = "https://127.0.0.1:9/"
appid = "a"
appsecret = { env = "A" }
key = { env = "A" }
iv = { env = "A" }
""" + "".join(entry.format(name) for entry in (TOKEN, HOOK, DUTY, POSITION) for name in ("first", "second", "third"))
LAST = tomllib.loads(GOOD)


def composed(text: str, last: dict[str, Any] = LAST) -> InForce:
    return compose(FILE, text.encode("utf-8", "surrogateescape"), last)


def places(model: type[BaseModel], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Every key of the settings, and whether it belongs to a list of tables."""
    for name, field in model.model_fields.items():
        inside = [*tables_in(field.annotation)]
        listed = get_origin(field.annotation) is tuple and bool(inside)
        yield (*at, name), listed
        if not listed:
            for inner in inside:
                yield from places(inner, (*at, name))


def tables_in(annotation: Any) -> Iterator[type[Config]]:
    if isinstance(annotation, type) and issubclass(annotation, Config):
        if annotation is not Secret:
            yield annotation
    elif get_origin(annotation) in {Union, type(int | None), tuple} or hasattr(annotation, "__metadata__"):
        for inner in get_args(annotation):
            yield from tables_in(inner)


PLACES = [*places(Settings)]
LIBRARY = re.compile(r"Input|Extra|should|permitted|valid |validation|parse", re.IGNORECASE)
"""Words of Pydantic, which nobody at a plant can make anything of."""


def toml(value: Any, *, whole: bool = True) -> str:
    """Settings as a file, each table on a line."""
    if isinstance(value, dict):
        pairs = [f"{key} = {toml(item, whole=False)}" for key, item in value.items()]
        return "\n".join(pairs) if whole else "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item, whole=False) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def test_what_others_can_do_without_is_every_list_of_tables() -> None:
    listed = {at for at, is_list in PLACES if is_list} | {("connectors", "platform")}
    assert {(table, name) for table, lists in ENTRIES.items() for name in lists} == listed


@pytest.mark.parametrize("at", [at for at, _ in PLACES], ids=".".join)
@pytest.mark.parametrize("misspelt", [False, True], ids=["value", "key"])
def test_a_typo_anywhere_costs_its_table_at_most(
    at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, *, misspelt: bool
) -> None:
    """That is as it was last, its entries as they are now; every other table is in force as it is now."""
    monkeypatch.setenv("A", "a secret that can be read")
    raw = tomllib.loads(GOOD.replace("300", "301").replace("77", "78").replace("= 30", "= 40"))
    now, before = composed(toml(raw)).settings, composed(GOOD).settings
    inner = raw
    for key in at[:-1]:
        inner = inner.setdefault(key, {})
    wrong = f"{at[-1]}-" if misspelt else at[-1]
    inner[wrong] = [[]]
    found = composed(toml(raw))
    assert not [fault for fault in found.faults if LIBRARY.search(fault.expected)]
    assert {fault.key for fault in found.faults} <= {".".join([*at[:-1], wrong, *more]) for more in ([], ["0"])}
    lists = [(table, name) for table, names in ENTRIES.items() for name in names]
    for table in Settings.model_fields:
        ours, expected = getattr(found.settings, table), getattr(before if table in found.held else now, table)
        if (
            table == at[0] and not misspelt and (at[1:] == () or at in lists)
        ):  # connectors wait, what else is gone is off
            gone = {name: () for name in ENTRIES.get(table, ()) if table != "connectors" and at[1:] in {(), (name,)}}
            expected = expected.model_copy(update=gone) if gone else expected
        assert ours == expected, table
    if at[:2] not in lists:
        assert at[0] in found.held or (misspelt and len(at) == 1 and at[0] in raw)


@pytest.mark.parametrize(
    ("wrong", "table", "names", "key"),
    [
        (TOKEN.format("x").replace('"operator"', '"wizard"'), "api", "tokens", "api.tokens.x.role"),
        (TOKEN.format("x").replace("plants", "plnats"), "api", "tokens", "api.tokens.x.plnats"),
        (TOKEN.format("x").replace("token = ", "tokn = "), "api", "tokens", "api.tokens.x.token"),
        (TOKEN.format("x").replace('["p"]', '["p"'), "api", "tokens", "api.tokens"),
        (
            HOOK.format("x").replace("https://127.0.0.1", "http://10.1.1.1"),
            "connectors",
            "webhooks",
            "connectors.webhooks.x.url",
        ),
        (HOOK.format("x").replace("[2]", "[9]"), "connectors", "webhooks", "connectors.webhooks.x.levels.0"),
        (HOOK.format("x").replace('"x"\nurl', '"x\nurl'), "connectors", "webhooks", "connectors.webhooks"),
        (DUTY.format("x").replace("county", "contry"), "warnings", "duty", "warnings.duty.x.step"),
        (DUTY.format("x").replace("step", "setp"), "warnings", "duty", "warnings.duty.x.step"),
        (POSITION.format("x").replace('["x"]', "[]"), "alarms", "positions", "alarms.positions.x.plants"),
    ],
)
def test_an_entry_with_a_fault_is_off_and_named_at_a_first_start_too(
    wrong: str, table: str, names: str, key: str
) -> None:
    for last in (LAST, {}):
        found = composed(f"{GOOD}{wrong}", last)
        entries = getattr(getattr(found.settings, table), names)
        assert [entry.name for entry in entries] == ["first", "second", "third"]
        assert key in {fault.key for fault in found.faults}
        assert (found.held, found.waiting) == ((), frozenset())
        assert all("{" not in fault.value for fault in found.faults), "no table is printed"


@pytest.mark.parametrize(
    ("entry", "table", "names"),
    [(TOKEN, "api", "tokens"), (HOOK, "connectors", "webhooks"), (POSITION, "alarms", "positions")],
)
def test_of_two_entries_of_one_name_neither_is_meant_more(entry: str, table: str, names: str) -> None:
    found = composed(GOOD + entry.format("second"), {})
    assert [entry.name for entry in getattr(getattr(found.settings, table), names)] == ["first", "third"]
    assert [fault.key for fault in found.faults][:2] == [f"{table}.{names}.{n}.name" for n in (1, 3)]
    assert {fault.value for fault in found.faults[:2]} == {"'second'"}


def test_what_is_for_a_connector_with_a_fault_waits_as_it_was_asked_for_last_and_over_restarts() -> None:
    text = GOOD.replace(
        HOOK.format("second"), HOOK.format("second").replace("[2]", "[1, 2]").replace("secret", "secrt")
    )
    text = text.replace('appid = "a"', "appid = 7")
    last = LAST
    for _ in range(3):
        found = composed(text, last)
        assert found.waiting == {"second", "platform"}
        assert found.settings.connectors.names() == ("first", "third", "second", "platform")
        assert found.settings.connectors.recipients("alarm", "p", 1) == ("platform",), "not yet by its new levels"
        last = json.loads(json.dumps(found.tables))
    assert not composed(GOOD, last).waiting


def test_a_token_is_never_taken_from_what_was_good_last() -> None:
    """It may have been withdrawn, or narrowed."""
    for typo in ("[mqtt]\nprt = 1", "[mqtt", "[[api.tokns]]", "[api]\nport = 9000000", "[[api.tokens]\nname = 'x'"):
        text = GOOD.replace(TOKEN.format("second"), "").replace("[mqtt]", typo, 1)
        assert [token.name for token in composed(text).settings.api.tokens if token.name == "second"] == []


def test_an_entry_never_gets_what_was_written_for_another_that_cannot_be_read() -> None:
    half = '[[api.tokens]]\nname = "a"\nrole = "admin"\n'
    found = composed(f'{half}[[api.tokens]]\nname = "b\n[api.tokens.token]\nfile = "b"\n')
    assert found.settings.api.tokens == ()


@pytest.mark.parametrize(
    "bad",
    [
        "[mqtt\n",
        '[mqtt]\nhost = "x\n',
        "[mqtt]\nhost = x\n",
        '[mqtt]\nhost = "\udcff"\n',
        "[mqtt]\nhost = 'a'\nhost = 'b'\n",
    ],
)
def test_a_table_that_cannot_be_read_takes_no_other_with_it(bad: str) -> None:
    text = GOOD.replace("[mqtt]\n", bad, 1).replace("= 301", "= 300").replace("reopen_s = 77", "reopen_s = 78")
    found = composed(text)
    assert found.settings.mqtt == composed(GOOD).settings.mqtt
    assert found.settings.alarms.reopen_s == 78
    assert len(found.settings.api.tokens) == 3
    assert found.faults[0].expected.startswith("TOML: ")


@pytest.mark.parametrize("header", ["[{0}\n", "#[{0}]\n", "{0}]\n"])
@pytest.mark.parametrize(("table", "key"), [("api", "port"), ("alarms", "reopen_s"), ("connectors", "escalate_after")])
def test_a_table_whose_first_line_is_broken_is_as_it_was_though_its_lists_can_be_read(
    table: str, key: str, header: str
) -> None:
    """Its keys are then among those of the table above, which does not know them."""
    found = composed(GOOD.replace(f"[{table}]\n", header.format(table), 1))
    assert getattr(getattr(found.settings, table), key) == LAST[table][key]
    assert found.faults
    assert len(found.settings.api.tokens) == len(found.settings.alarms.positions) == 3


def test_a_file_that_a_full_disk_has_emptied_lets_nobody_in_and_the_plants_are_watched() -> None:
    found = composed("")
    assert found.settings.mqtt == composed(GOOD).settings.mqtt
    assert found.settings.api.tokens == ()
    assert found.waiting == {"first", "second", "third", "platform"}
    assert [fault.value for fault in found.faults] == ["(empty)"]


def test_a_mark_of_an_editor_before_the_first_letter_is_no_fault() -> None:
    assert composed("\ufeff" + GOOD).faults == ()


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


def test_settings_without_a_fault_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "yujing.toml").write_text(GOOD, encoding="utf-8")
    assert load_settings(tmp_path / "yujing.toml") == Settings.model_validate(LAST) == composed(GOOD).settings


def test_a_secret_of_the_history_that_is_gone_stops_no_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history waits until it is there; nothing is judged by it."""
    monkeypatch.chdir(tmp_path)
    influx = {"kind": "influxdb2", "url": "http://127.0.0.1:9", "org": "o", "token": {"file": "gone"}}
    found = composed(toml(LAST | {"history": influx}), LAST | {"history": influx})
    assert found.settings.history.kind == "influxdb2"
    assert [fault.key for fault in found.faults] == ["history.token"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            GOOD + HOOK.format("x").replace("[2]", "[9]"),
            {"connectors.webhooks.x.levels.0", "connectors.webhooks.x.secret"},
        ),
        (GOOD + TOKEN.format("x").replace("operator", "oprator"), {"api.tokens.x.role", "api.tokens.x.token"}),
        (
            GOOD.replace('appid = "a"', "appid = 7"),
            {f"connectors.platform.{key}" for key in ("appid", "appsecret", "key", "iv")},
        ),
        (
            GOOD.replace("port = 2883", 'port = "x"\ntls_ca = "no.pem"\nusername = "u"\npassword = { file = "no" }'),
            {"mqtt.port", "mqtt.tls_ca", "mqtt.password"},
        ),
        (
            GOOD.replace("[history]", '[history]\nprecision = 7\nusername = "u"\npassword = { file = "no" }'),
            {"history.precision", "history.password"},
        ),
        (GOOD + "[state]\nurl = 'postgresql://u@h/d'\nca_file = 'no.pem'\npth = 'x'\n", {"state.ca_file", "state.pth"}),
    ],
)
def test_two_faults_in_one_place_are_told_at_once(
    text: str, wanted: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the second is a file or a secret that is not there; and only those that are faults."""
    monkeypatch.chdir(tmp_path)
    for last in (LAST, {}):
        assert {fault.key for fault in composed(text, last).faults} == wanted


@pytest.mark.parametrize("value", ["x", "", -1, 10**9, 0.5, True, {"x": 1}, ["x"], [5], [{"x": 1}]], ids=str)
def test_whatever_stands_anywhere_the_fault_is_said_in_words_of_the_file(value: object) -> None:
    """The key, what stands there, what belongs there; each once."""
    for at, _ in PLACES:
        raw = tomllib.loads(GOOD)
        inner = raw
        for key in at[:-1]:
            inner = inner.setdefault(key, {})
        inner[at[-1]] = value
        try:
            found = compose(FILE, toml(raw).encode(), LAST, files=False).faults
        except InvalidConfig as error:
            found = error.faults
        assert not [(at, fault) for fault in found if LIBRARY.search(fault.expected)]
        assert len(found) == len({*found})


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (TOKEN.format("x").replace("operator", "oprator"), "near: operator"),
        (DUTY.format("x").replace("county", "contry"), "near: county, city"),
        ('[log]\nlevel = "warn"\n', "near: warning"),
        ('[history]\nkind = "influx"\n', "near: influxdb2, influxdb1"),
        ("[mqtt]\nprt = 1\n", "near: port"),
        ("[journl]\nx = 1\n", "near: journal"),
    ],
)
def test_a_mistyped_key_or_word_is_told_with_its_likes(text: str, hint: str) -> None:
    assert [fault.expected.partition("; ")[2] for fault in composed(text, {}).faults if "near" in fault.expected] == [
        hint
    ]
