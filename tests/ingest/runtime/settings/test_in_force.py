"""A typo in the settings takes out what it is in: the rest, and every plant, goes on as before."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from ingest.base.config import Config, Secret
from ingest.domain.model.fault import InvalidConfig
from ingest.runtime.settings import Settings, load_settings
from ingest.runtime.settings.in_force import ENTRIES, compose
from tests.ingest.runtime.settings.given import DUTY, FILE, GOOD, HOOK, LAST, POSITION, TOKEN, composed, toml


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
    assert not [fault for fault in found.faults if LIBRARY.search(fault.expected.en)]
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
    assert found.faults[0].expected.en.startswith("TOML: ")


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


def test_settings_without_a_fault_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "yujing.toml").write_text(GOOD, encoding="utf-8")
    assert load_settings(tmp_path / "yujing.toml") == Settings.model_validate(LAST) == composed(GOOD).settings


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
def test_two_faults_in_one_place_are_reported_at_once(
    text: str, wanted: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the second is a file or a secret that is not there; and only those that are faults."""
    monkeypatch.chdir(tmp_path)
    for last in (LAST, {}):
        assert {fault.key for fault in composed(text, last).faults} == wanted


@pytest.mark.parametrize("value", ["x", "", -1, 10**9, 0.5, True, {"x": 1}, ["x"], [5], [{"x": 1}]], ids=str)
def test_a_fault_anywhere_is_described_in_words_of_the_file(value: object) -> None:
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
        assert not [(at, fault) for fault in found if LIBRARY.search(fault.expected.en)]
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
def test_a_mistyped_key_or_word_is_reported_with_similar_ones(text: str, hint: str) -> None:
    expected = [fault.expected.en for fault in composed(text, {}).faults]
    assert [english.partition("; ")[2] for english in expected if "near" in english] == [hint]
