"""Which of the settings are in force: those of the file, as far as they have no faults.

An entry with a fault (a token, a webhook, a duty, a position) is off: it opens no door, and its neighbours go on. Any
other table with a fault is as it was when it was good last, of which a copy lies beside the journal; without one the
service does not start, since nobody knows then where its data is and what it was to do. Files and secrets that such a
table names may be broken now, too: whoever needs them tries them again.
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
from ingest.domain.model.fault import Fault, InvalidConfig, key_of, problems_of
from ingest.plants.saved_files import SavedFiles
from ingest.runtime.settings.left_out import files_of_tables, secrets_of_entries
from ingest.runtime.settings.settings import Settings, files_of
from ingest.runtime.settings.text import CREDENTIALS, Unread, read_tables, values_in, with_credentials
from ingest.storage.journal.config import JournalConfig

ENTRIES: Final[Mapping[str, tuple[str, ...]]] = {
    "alarms": ("positions",),
    "api": ("tokens",),
    "connectors": ConnectorsConfig.tables(),
    "warnings": ("duty",),
}
"""What the rest of a table can do without, by table."""

IN_FORCE: Final = "in-force"
"""The folder beside the journal where settings and warning rules in force are kept."""

_FILE: Final = "settings.json"

Tables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InForce:
    """Settings, and what of their file is not among them.

    Attributes:
        settings: in force.
        faults: of the file.
        held: tables that are as they were when they were good last.
        waiting: connectors with faults: what is for them is put into the outbox and waits there.
        tables: what the settings were made of; empty: of no file.
        file: of the settings, for people.
        unusable: faults of files and secrets that the tables in force name; whoever needs them tries them again.
    """

    settings: Settings
    faults: tuple[Fault, ...] = ()
    held: tuple[str, ...] = ()
    waiting: frozenset[str] = frozenset()
    tables: Tables = field(default_factory=dict)
    file: Path = Path("(settings)")
    unusable: tuple[Fault, ...] = ()

    def mended(self) -> set[Fault]:
        """Those of `unusable` whose file or secret can be used now."""
        still = {fault.key for _, fault in files_of(self.settings, self.file)}
        return {fault for fault in self.unusable if fault.key not in still}

    def keep(self) -> None:
        """Keep these settings for a start at which some of the file cannot be used; secrets are not among them."""
        if self.tables:
            kept = _kept(self.settings.journal.path.parent)
            text = json.dumps(self.tables, ensure_ascii=False, indent=1, default=str).encode()
            if kept.read(_FILE) != text:
                kept.keep(_FILE, text)


def load_in_force(file: Path) -> InForce:
    """What of that file is in force; paths in it, and what was kept, count from the folder we are in.

    Raises:
        InvalidConfig: it cannot be read, or a table has faults and was never good; with every fault.
    """
    content = content_of(file)
    last = _last(content)
    found = compose(file, content, last or {})
    if found.held and last is None:
        raise InvalidConfig(found.faults)
    return found


def load_settings(file: Path) -> Settings:
    """The settings of that file alone, which has no fault.

    Raises:
        InvalidConfig: with every fault in it.
    """
    found = compose(file, content_of(file), {}, look=False)
    if found.faults:
        raise InvalidConfig(found.faults)
    return found.settings


def compose(file: Path, content: bytes, last: Tables, *, look: bool = True) -> InForce:
    """What of that file is in force beside what was good last.

    Args:
        file: for people.
        content: of it.
        last: the tables that were in force before; none: the defaults.
        look: whether the files that tables name are looked at, too.

    Raises:
        InvalidConfig: what was good last cannot be used any more, either.
    """
    draft = _Draft(file, *read_tables(content), last)
    while True:
        tables = draft.tables()
        try:
            settings = Settings.model_validate(tables)
        except ValidationError as error:
            draft.learn(error)
            continue
        wrong = [(table, fault) for table, fault in files_of(settings, file)] if look else []
        if not draft.hold(wrong):
            faults = draft.faults + (draft.behind(tables) if look else [])
            waits = tuple(fault for _, fault in wrong)
            return InForce(settings, tuple(faults), tuple(sorted(draft.held)), draft.waiting(), tables, file, waits)


class _Draft:
    """The tables of the file, without what was found to be at fault so far."""

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
        for one in unread:
            self.faults.append(Fault(str(file), one.name, f"(line {one.line})", f"TOML: {one.why}"))
            self._refuse(one.keys, whole=False)
        if last and not raw and not unread:  # a disk that was full leaves such a file
            self.faults.append(Fault(str(file), "(file)", "(empty)", "the settings; those in force before are kept"))
            self._refuse(())

    def tables(self) -> dict[str, Any]:
        """What is left, with what was good last in the place of tables that are held."""
        made = {key: self._raw[key] for key in self._raw.keys() - Settings.model_fields.keys() - self._unknown}
        for table in Settings.model_fields:
            here, base = (tables.get(table) for tables in (self._raw, self._last if table in self.held else self._raw))
            if table in ENTRIES and (base is None or isinstance(base, dict)):
                own = _own_keys(table, base or {})
                base = own | self._entries(table, here if isinstance(here, dict) else {})
            if base is not None and base != {}:
                made[table] = base
        return made

    def learn(self, error: ValidationError) -> None:
        """Leave out what an error names. Raises InvalidConfig if that is what was good last."""
        before = self._state()
        for problem in problems_of(error, Settings):
            keys = self._of_file(problem.keys)
            if keys is None:
                continue
            self.faults.append(Fault(str(self._file), key_of(keys, self._raw), problem.shown, problem.expected))
            self._refuse(keys)
        if self._state() == before:
            raise InvalidConfig(self.faults)

    def hold(self, wrong: Sequence[tuple[str, Fault]]) -> bool:
        """Take what was good last for tables whose files cannot be used; False if there is nothing to take any more.

        If the files of that cannot be used either, whoever needs them waits for them.
        """
        self.faults += [fault for _, fault in wrong if fault not in self.faults]
        tables = {table for table, _ in wrong}
        more = not tables <= self.held
        self.held |= tables
        return more

    def behind(self, used: Tables) -> list[Fault]:
        """What else is at fault in what is left out of these tables."""
        return [
            *secrets_of_entries(self._raw, used, ENTRIES),
            *files_of_tables(self._raw, self.held, self.faults, self._file),
        ]

    def waiting(self) -> frozenset[str]:
        """The connectors that stand in the tables as they were good last."""
        return frozenset(self._names.get("webhooks", []) + self._names.get("platform", []))

    def _state(self) -> tuple[int, ...]:
        return (len(self.held), len(self._unknown), len(self._off), len(self._unfit))

    def _refuse(self, keys: Sequence[str | int], *, whole: bool = True) -> None:
        """Leave out the smallest part with these keys; not `whole`: other entries of that list can be read."""
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
        """Hold tables of which the file may say something that nobody can read."""
        for table in tables:
            self.held.add(table)
            self._doubt(table)

    def _misplaced(self, key: Sequence[str | int]) -> Iterator[str]:
        """Tables whose keys may stand below another header, since theirs has a typo; `key`: one that does, if known."""
        for table in self._headless():
            last = self._last.get(table)
            if isinstance(last, dict) and _own_keys(table, last) and (not key or key[0] in _keys_of(table)):
                yield table

    def _headless(self) -> Iterator[str]:
        """Tables the file lacks but for lists below them, which stand under headers of their own."""
        for table in Settings.model_fields:
            here = self._raw.get(table, {})
            if isinstance(here, dict) and not _own_keys(table, here):
                yield table

    def _doubt(self, table: str) -> None:
        """A list that the table lacks may be meant by what cannot be used."""
        self._doubtful |= {(table, name) for name in ENTRIES.get(table, ()) if self._lacks(table, name)}

    def _lacks(self, table: str, name: str) -> bool:
        here = self._raw.get(table)
        return not isinstance(here, dict) or name not in here

    def _entries(self, table: str, here: Tables) -> dict[str, Any]:
        """Its lists without what is off, and with the connectors that were good last."""
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
        """The connectors, and those that were good last and may be meant by an entry that has a fault."""
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
        present = [one.get("name") for one in value or [] if isinstance(one, dict)]
        waiting = [one for one in before if one["name"] not in present and one["name"] not in self._unfit]
        self._names[name] = [one["name"] for one in waiting]
        numbers = self._numbers.setdefault(("connectors", name), [])
        self._numbers["connectors", name] = [*numbers[: len(value or [])], *(None for _ in waiting)]
        return [*(value or []), *waiting]

    def _of_file(self, keys: Sequence[str | int]) -> tuple[str | int, ...] | None:
        """The keys as they are in the file; None for a webhook that was good last, which is left out from now on."""
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
    """What stands in a table but for its lists, which it can do without."""
    return {key: value for key, value in content.items() if key not in ENTRIES.get(table, ())}


def content_of(file: Path) -> bytes:
    """What stands in the file, its credentials where they are now. Raises InvalidConfig if it cannot be read."""
    try:
        return with_credentials(file.read_bytes(), os.environ.get(CREDENTIALS))
    except OSError as error:
        raise InvalidConfig([Fault(str(file), "(file)", error.strerror or str(error), "a readable file")]) from error


def _kept(folder: Path) -> SavedFiles:
    return SavedFiles(folder / IN_FORCE)


def _last(content: bytes) -> dict[str, Any] | None:
    """The tables that were in force when the service started last; None if none are kept where its data may lie."""
    for folder in _folders(read_tables(content)[0]):
        found = _tables_in(folder)
        if found is not None:
            return found
    for folder in dict.fromkeys(Path(value).parent for value in values_in(content)):
        found = _tables_in(folder)  # it may be the journal's, in a table that cannot be read: then it says so itself
        if found is not None and _journal_of(found) == folder:
            return found
    return None


def _tables_in(folder: Path) -> dict[str, Any] | None:
    content = _kept(folder).read(_FILE)
    try:
        tables = json.loads(content) if content is not None else None
    except ValueError:  # it was written by nobody of ours
        return None
    return tables if isinstance(tables, dict) else None


def _folders(raw: Tables) -> Iterator[Path]:
    told = _journal_of(raw)
    if told is not None:
        yield told
    for folder in filter(None, os.environ.get("STATE_DIRECTORY", "").split(":")):  # systemd: StateDirectory=
        yield Path(folder)
    yield JournalConfig().path.parent


def _journal_of(tables: Tables) -> Path | None:
    """The folder of the journal, by its path in these tables."""
    journal = tables.get("journal")
    path = journal.get("path") if isinstance(journal, dict) else None
    return Path(path).parent if isinstance(path, str) else None
