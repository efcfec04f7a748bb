"""Decides which settings are in force: those of the file, as far as they have no faults.

An entry with a fault (a token, a webhook, a duty, a position, somebody to be called) is left out; the others stay.
Any other faulty table uses its last good version, stored beside the journal; without one the service does not start,
since it is unknown where its data is. Files and secrets that such a table names may be broken now, too: the parts
that need them try them again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from ingest.base.config import Config
from ingest.delivery.config import ConnectorsConfig
from ingest.domain.model.expectations import with_reason
from ingest.domain.model.fault import Fault, InvalidConfig, key_of, problems_of
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text
from ingest.plants.saved_files import SavedFiles
from ingest.runtime.settings.left_out import files_of_tables, secrets_of_entries
from ingest.runtime.settings.settings import Settings, files_of
from ingest.runtime.settings.text import CREDENTIALS, Unread, read_tables, values_in, with_credentials
from ingest.storage.journal.config import JournalConfig

ENTRIES: Final[Mapping[str, tuple[str, ...]]] = {
    "alarms": ("positions",),
    "api": ("tokens",),
    "calls": ("people", "shifts", "ladders"),
    "connectors": ConnectorsConfig.tables(),
    "warnings": ("duty",),
}
"""By table, its lists whose entries can be left out one by one."""

IN_FORCE: Final = "in-force"
"""The folder beside the journal where settings and warning rules in force are stored."""

_FILE: Final = "settings.json"

Tables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings in force, and the faults for which parts of the file are not.

    Attributes:
        settings: in force.
        faults: of the file.
        held: tables whose last good version is in force.
        waiting: connectors with faults: their messages wait in the outbox.
        tables: the tables the settings were made from; empty: no file.
        file: of the settings, for people.
        unusable: faults of files and secrets that the tables in force name; the parts that need them try them again.
    """

    settings: Settings
    faults: tuple[Fault, ...] = ()
    held: tuple[str, ...] = ()
    waiting: frozenset[str] = frozenset()
    tables: Tables = field(default_factory=dict)
    file: Path = Path("(settings)")
    unusable: tuple[Fault, ...] = ()

    def usable_again(self) -> set[Fault]:
        """Return those of `unusable` whose file or secret can be used now."""
        still = {fault.key for _, fault in files_of(self.settings, self.file)}
        return {fault for fault in self.unusable if fault.key not in still}

    def keep(self) -> None:
        """Store these settings, without secrets, for a start at which some of the file cannot be used."""
        if self.tables:
            kept = _kept(self.settings.journal.path.parent)
            text = json.dumps(self.tables, ensure_ascii=False, indent=1, default=str).encode()
            if kept.read(_FILE) != text:
                kept.keep(_FILE, text)


def load_in_force(file: Path) -> InForce:
    """Load what of that file is in force; relative paths count from the working directory.

    Raises:
        InvalidConfig: it cannot be read, or a table has faults and no good version is stored; with every fault.
    """
    content = content_of(file)
    last = _last(content)
    found = compose(file, content, last or {})
    if found.held and last is None:
        raise InvalidConfig(found.faults)
    return found


def load_settings(file: Path) -> Settings:
    """Load the settings of a file that must have no faults.

    Raises:
        InvalidConfig: with every fault in it.
    """
    found = compose(file, content_of(file), {}, files=False)
    if found.faults:
        raise InvalidConfig(found.faults)
    return found.settings


def compose(file: Path, content: bytes, last: Tables, *, files: bool = True) -> InForce:
    """Compose the settings in force from a file's content and the last good tables.

    Args:
        file: for people.
        content: of it.
        last: the tables that were in force before; none: the defaults.
        files: whether to check the files that tables name, too.

    Raises:
        InvalidConfig: the last good tables cannot be used any more, either.
    """
    draft = _Draft(file, *read_tables(content), last)
    while True:
        tables = draft.tables()
        try:
            settings = Settings.model_validate(tables)
        except ValidationError as error:
            draft.exclude(error)
            continue
        wrong = [(table, fault) for table, fault in files_of(settings, file)] if files else []
        if not draft.use_last(wrong):
            faults = draft.faults + (draft.hidden_faults(tables) if files else [])
            waits = tuple(fault for _, fault in wrong)
            return InForce(settings, tuple(faults), tuple(sorted(draft.held)), draft.waiting(), tables, file, waits)


class _Draft:
    """The tables of the file without the parts found faulty so far."""

    def __init__(self, file: Path, raw: dict[str, Any], unread: Sequence[Unread], last: Tables) -> None:
        self._file = file
        self._raw = raw
        self._last = last
        self.faults: list[Fault] = []
        self.held: set[str] = set()
        self._unknown: set[str] = set()
        self._off: set[tuple[str | int, ...]] = set()  # lists, and entries of lists
        self._doubtful: set[tuple[str, str]] = set()  # lists that lack entries the file may have meant
        self._unfit: set[str] = set()  # names of webhooks that were good last and are no more
        self._numbers: dict[tuple[str, str], list[int | None]] = {}  # of the entries in `tables`, in the file
        self._names: dict[str, list[str]] = {}
        for table in unread:
            self.faults.append(Fault(str(file), table.name, f"(line {table.line})", toml_text(table.why)))
            self._refuse(table.keys, whole=False)
        if last and not raw and not unread:  # a disk that was full leaves such a file
            self.faults.append(Fault(str(file), "(file)", "(empty)", _KEPT))
            self._refuse(())

    def tables(self) -> dict[str, Any]:
        """Return the remaining tables, with the last good version of those that are held."""
        made = {key: self._raw[key] for key in self._raw.keys() - Settings.model_fields.keys() - self._unknown}
        for table in Settings.model_fields:
            here, base = (tables.get(table) for tables in (self._raw, self._last if table in self.held else self._raw))
            if table in ENTRIES and (base is None or isinstance(base, dict)):
                own = _own_keys(table, base or {})
                base = own | self._entries(table, here if isinstance(here, dict) else {})
            if base is not None and base != {}:
                made[table] = base
        return made

    def exclude(self, error: ValidationError) -> None:
        """Leave out the parts an error names. Raises InvalidConfig if they are of the last good version."""
        before = self._state()
        for problem in problems_of(error, Settings):
            keys = self._of_file(problem.keys)
            if keys is None:
                continue
            self.faults.append(Fault(str(self._file), key_of(keys, self._raw), problem.shown, problem.expected))
            self._refuse(keys)
        if self._state() == before:
            raise InvalidConfig(self.faults)

    def use_last(self, wrong: Sequence[tuple[str, Fault]]) -> bool:
        """Use the last good version of tables whose files cannot be used; False if all of them do already.

        If those files cannot be used either, the parts that need them wait for them.
        """
        self.faults += [fault for _, fault in wrong if fault not in self.faults]
        tables = {table for table, _ in wrong}
        more = not tables <= self.held
        self.held |= tables
        return more

    def hidden_faults(self, used: Tables) -> list[Fault]:
        """Return further faults in the parts left out of these tables."""
        return [
            *secrets_of_entries(self._raw, used, ENTRIES),
            *files_of_tables(self._raw, self.held, self.faults, self._file),
        ]

    def waiting(self) -> frozenset[str]:
        """Return the connectors that are in their last good version."""
        return frozenset(name for kind in ENTRIES["connectors"] for name in self._names.get(kind, []))

    def _state(self) -> tuple[int, ...]:
        return (len(self.held), len(self._unknown), len(self._off), len(self._unfit))

    def _refuse(self, keys: Sequence[str | int], *, whole: bool = True) -> None:
        """Leave out the smallest part with these keys; without `whole` other entries of that list stay."""
        match keys:
            case [str(table), str(name), *rest] if name in ENTRIES.get(table, ()):
                self._doubtful.add((table, name))
                if rest and isinstance(rest[0], int):
                    self._off.add((table, name, rest[0]))
                elif whole or name == "platform":
                    self._off.add((table, name))
            case [str(table), *rest] if table in Settings.model_fields:
                self.held.add(table)
                if not rest or rest[0] not in _keys_of(table):
                    self._doubt(table)
                self._keep_as_last(self._misplaced(rest[-1:] if whole else ()))
            case _:  # another table with a typo in its name, perhaps: what the file lacks is as it was
                self._unknown.update(str(key) for key in keys[:1])
                self._keep_as_last(self._headless())

    def _keep_as_last(self, tables: Iterable[str]) -> None:
        """Hold tables that an unreadable part of the file may belong to."""
        for table in tables:
            self.held.add(table)
            self._doubt(table)

    def _misplaced(self, key: Sequence[str | int]) -> Iterator[str]:
        """Yield tables whose keys may be under another header, theirs being mistyped; `key`: one of them, if known."""
        for table in self._headless():
            last = self._last.get(table)
            if isinstance(last, dict) and _own_keys(table, last) and (not key or key[0] in _keys_of(table)):
                yield table

    def _headless(self) -> Iterator[str]:
        """Yield tables of which the file has nothing but lists with headers of their own."""
        for table in Settings.model_fields:
            here = self._raw.get(table, {})
            if isinstance(here, dict) and not _own_keys(table, here):
                yield table

    def _doubt(self, table: str) -> None:
        """Note that the unusable part may contain lists which the table lacks."""
        self._doubtful |= {(table, name) for name in ENTRIES.get(table, ()) if self._lacks(table, name)}

    def _lacks(self, table: str, name: str) -> bool:
        here = self._raw.get(table)
        return not isinstance(here, dict) or name not in here

    def _entries(self, table: str, here: Tables) -> dict[str, Any]:
        """Return its lists without entries left out, and with connectors of the last good version."""
        made: dict[str, Any] = {}
        for name in ENTRIES[table]:
            at = (table, name)
            value = None if at in self._off else here.get(name)
            if isinstance(value, list):
                numbers: list[int | None] = [n for n in range(len(value)) if (*at, n) not in self._off]
                value = [value[n] for n in numbers if n is not None]
                self._numbers[at] = numbers
            if table == "connectors":
                value = self._with_last(name, value)
            if value is not None:
                made[name] = value
        return made

    def _with_last(self, name: str, value: Any) -> Any:
        """Add the last good connectors that a faulty entry may have replaced."""
        self._names[name] = []
        last = self._last.get("connectors")
        before = last.get(name) if isinstance(last, dict) else None
        if before is None or ("connectors", name) not in self._doubtful:
            return value
        if isinstance(before, Mapping):  # a kind of which there is one
            if value is None:
                self._names[name] = [name]
            return before if value is None else value
        if not isinstance(value, list | None):
            return value
        present = [entry.get("name") for entry in value or [] if isinstance(entry, dict)]
        waiting = [entry for entry in before if entry["name"] not in present and entry["name"] not in self._unfit]
        self._names[name] = [entry["name"] for entry in waiting]
        numbers = self._numbers.setdefault(("connectors", name), [])
        self._numbers["connectors", name] = [*numbers[: len(value or [])], *(None for _ in waiting)]
        return [*(value or []), *waiting]

    def _of_file(self, keys: Sequence[str | int]) -> tuple[str | int, ...] | None:
        """Return the keys as in the file; None for a last good webhook, which is left out from now on."""
        match keys:
            case [str(table), str(name), int(at), *rest] if (table, name) in self._numbers:
                numbers = self._numbers[table, name]
                number = numbers[at]
                if number is None:
                    self._unfit.add(self._names[name][numbers[:at].count(None)])
                    return None
                return (table, name, number, *rest)
        return tuple(keys)


def _keys_of(table: str) -> Collection[str]:
    model = Settings.model_fields[table].annotation
    return model.model_fields if isinstance(model, type) and issubclass(model, Config) else ()


def _own_keys(table: str, content: Tables) -> dict[str, Any]:
    """Return a table's content without the lists whose entries can be left out."""
    return {key: value for key, value in content.items() if key not in ENTRIES.get(table, ())}


def content_of(file: Path) -> bytes:
    """Read the file, with the present folder of its credentials. Raises InvalidConfig if it cannot be read."""
    try:
        return with_credentials(file.read_bytes(), os.environ.get(CREDENTIALS))
    except OSError as error:
        expected = with_reason(Text("可读取的文件", "a readable file"), error)
        raise InvalidConfig([Fault(str(file), "(file)", "(unreadable)", expected)]) from error


_KEPT: Final = Text("配置内容；仍用之前生效的配置", "the settings; those in force before are kept")


def _kept(folder: Path) -> SavedFiles:
    return SavedFiles(folder / IN_FORCE)


def _last(content: bytes) -> dict[str, Any] | None:
    """Return the tables in force at the last start; None if none are stored where its data may be."""
    for folder in _folders(read_tables(content)[0]):
        found = _tables_in(folder)
        if found is not None:
            return found
    for folder in dict.fromkeys(Path(value).parent for value in values_in(content)):
        found = _tables_in(folder)  # it may be the journal's, whose table is invalid: then the stored tables name it
        if found is not None and _journal_of(found) == folder:
            return found
    return None


def _tables_in(folder: Path) -> dict[str, Any] | None:
    content = _kept(folder).read(_FILE)
    try:
        tables = json.loads(content) if content is not None else None
    except ValueError:  # not written by the service
        return None
    return tables if isinstance(tables, dict) else None


def _folders(raw: Tables) -> Iterator[Path]:
    named = _journal_of(raw)
    if named is not None:
        yield named
    for folder in filter(None, os.environ.get("STATE_DIRECTORY", "").split(":")):  # systemd: StateDirectory=
        yield Path(folder)
    yield JournalConfig().path.parent


def _journal_of(tables: Tables) -> Path | None:
    """Return the journal's folder by its path in these tables."""
    journal = tables.get("journal")
    path = journal.get("path") if isinstance(journal, dict) else None
    return Path(path).parent if isinstance(path, str) else None
