"""Decides which version of each plant file is in force: the present one if it is sound, else the last that was.

A bad file does not affect other plants, whether it went bad while the service runs or while it was down. A file from
which points or rules have vanished comes into force only once it has been unchanged for a while: it may be a copy
still under way, or a folder that is not mounted.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.domain.model.expectations import with_reason
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Catalogue, load_catalogue
from ingest.plants.compile import EvaluatedPlant
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import configuration_of, evaluate_file, none_there, plant_files
from ingest.plants.numbering import Numbering
from ingest.plants.plant_budget import PlantBudget
from ingest.plants.point_rules import Shared
from ingest.plants.saved_files import SavedFiles
from ingest.plants.written import READABLE, Place

LARGEST: Final = 64 * 2**20
"""Bytes. A plant of 20 000 points with rules of its own takes a tenth of it."""

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class PlantFileRefused(Event, level="error"):
    """A plant file has faults; `in_force` says by what its plant is watched meanwhile."""

    file: str
    in_force: str
    faults: int


@dataclass(frozen=True, slots=True)
class PlantFileFault(Event, level="error"):
    """One fault for which a plant file was refused."""

    file: str
    key: str
    value: str
    expected: str


@dataclass(frozen=True, slots=True)
class PlantFileHeld(Event, level="warning"):
    """Something that is watched has vanished from a plant file; taken over if the file stays so for `wait_s`."""

    file: str
    vanished: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class PlantFilesSound(Event):
    """Every plant file is in force again as it stands."""

    files: int


@dataclass(frozen=True, slots=True)
class BudgetShared(Event):
    """A plant's budget of false alarms is shared out otherwise than before: its rules or its budget have changed.

    What a rule has learnt stays; from now on it keeps its new share.
    """

    plant: str
    rules: int  # that learn their limit
    share: float | None  # findings on 100 points in 30 days of each without a budget of its own
    expected: float  # findings a day of all of them
    allowed: float  # findings a day


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A plant file whose present version is not in force.

    Attributes:
        name: of the file; the plant's id is the name without `.toml`.
        faults: what is wrong with it.
        vanished: the points, and rules of points, that are no longer in it.
        watched: whether the plant is monitored by its last good file.
    """

    name: str
    faults: tuple[Fault, ...] = ()
    vanished: tuple[str, ...] = ()
    watched: bool = True

    @property
    def plant(self) -> str:
        """The plant's id."""
        return self.name.removesuffix(".toml")


Changed = Callable[[str, bytes | None, bytes | None], None]


class PlantFiles:
    """The plant files of a directory and their versions in force. Loads run one after another, on any thread."""

    def __init__(
        self,
        directory: Path,
        kept: SavedFiles,
        *,
        wait_s: float,
        now: Callable[[], float] = time.monotonic,
        changed: Changed = lambda _name, _before, _after: None,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            directory: of the plant files.
            kept: where the versions in force are stored.
            wait_s: how long a file must be unchanged before what vanished from it is removed.
            now: a monotonic clock, seconds.
            changed: called for each file that comes into force, with its text before and now (None: there is none).
        """
        self._directory = directory
        self._kept = kept
        self._wait_s = wait_s
        self._now = now
        self._changed = changed
        self._since: dict[str, tuple[bytes, float]] = {}  # by file: its present content, and since when
        self._in_force: dict[str, bytes] | None = None  # digests, by file
        self._budgets: Mapping[str, PlantBudget] = {}
        self.held: tuple[HeldBack, ...] = ()
        self.due = float("inf")
        """When to load again although no file changes, by `now`."""

    @property
    def refused(self) -> list[HeldBack]:
        """The files with faults."""
        return [held for held in self.held if held.faults]

    @property
    def unwatched(self) -> list[str]:
        """The plants that have a file and are not monitored."""
        return [held.plant for held in self.held if not held.watched]

    def load(self, numbering: Numbering, version: int) -> PlantConfiguration | None:
        """Load the configuration now in force; None if it has not changed since the last call.

        Raises:
            InvalidConfig: no plant at all can be monitored; with every fault of every file.
        """
        catalogue, shared = load_catalogue(), Shared()
        present = {file.name: file for file in plant_files(self._directory)}
        names = sorted(present.keys() | self._kept.names())
        plants: list[EvaluatedPlant] = []
        taken: dict[str, bytes] = {}
        held: list[HeldBack] = []
        self.due = float("inf")
        for name in names:
            plant, content, back = self._choose(name, present, catalogue, shared)
            if back is None or not back.vanished:
                self._since.pop(name, None)
            if plant is not None and content is not None:
                plants.append(plant)
                taken[name] = content
            if back is not None:
                held.append(back)
        if not plants:
            raise InvalidConfig([fault for back in held for fault in back.faults] or [none_there(self._directory)])
        self._report(tuple(held), len(names))
        digests = {name: sha256(content).digest() for name, content in taken.items()}
        if digests == self._in_force:
            return None
        self._keep(
            taken, {back.name for back in held}
        )  # first: a crash must not separate a rename from the file that requests it
        configuration = configuration_of(plants, catalogue, numbering, version)
        self._in_force = digests
        self._report_budgets(configuration.budgets)
        return configuration

    def _choose(
        self, name: str, present: dict[str, Path], catalogue: Catalogue, shared: Shared
    ) -> tuple[EvaluatedPlant | None, bytes | None, HeldBack | None]:
        """Return the plant in force, its file's content, and why that is not the present one, if so."""
        content: bytes | None = None
        plant: EvaluatedPlant | None = None
        faults: list[Fault] = []
        if name in present:
            content, faults = _read(present[name])
        elif not present:
            faults = [none_there(self._directory)]
        if content is not None:
            plant, faults = evaluate_file(present[name], catalogue, shared, content)
        old = self._kept.read(name)
        if faults and old is None:
            return None, None, HeldBack(name, tuple(faults), watched=False)
        if old is None or old == content:
            return plant, content, None
        before, unfit = evaluate_file(self._kept.path(name), catalogue, shared, old)
        if before is None or unfit:  # a later version of the service may refuse what an earlier one took
            back = HeldBack(name, tuple(faults), watched=False) if faults else None
            return (None if faults else plant), content, back
        if faults:
            return before, old, HeldBack(name, tuple(faults))
        vanished = _vanished(before, plant, old, content)
        if vanished and not self._stayed(name, content):
            return before, old, HeldBack(name, vanished=vanished)
        return plant, content, None

    def _stayed(self, name: str, content: bytes | None) -> bool:
        """Whether the file has been unchanged for long enough; if not, `due` is when to check again."""
        digest, now = sha256(content or b"").digest(), self._now()
        known = self._since.get(name)
        if known is None or known[0] != digest:
            known = self._since[name] = (digest, now)
        until = known[1] + self._wait_s
        if now >= until:
            return True
        self.due = min(self.due, until)
        return False

    def _report(self, held: tuple[HeldBack, ...], files: int) -> None:
        for back in held:
            if back in self.held:
                continue
            if back.faults:
                emit(PlantFileRefused(back.name, "the last good file" if back.watched else "nothing", len(back.faults)))
            for fault in back.faults:
                emit(PlantFileFault(fault.file, fault.key, fault.value, fault.expected.both))
            if back.vanished:
                emit(PlantFileHeld(back.name, ", ".join(back.vanished), self._wait_s))
        if self.held and not held:
            emit(PlantFilesSound(files))
        self.held = held

    def _report_budgets(self, budgets: Mapping[str, PlantBudget]) -> None:
        for plant, budget in budgets.items():
            if self._budgets.get(plant) != budget:
                emit(BudgetShared(plant, budget.rules, budget.share, budget.expected, budget.allowed))
        self._budgets = budgets

    def _keep(self, taken: dict[str, bytes], held: set[str]) -> None:
        for name, content in taken.items():
            if name not in held and (before := self._kept.read(name)) != content:
                self._changed(name, before, content)
                self._kept.keep(name, content)
        for name in self._kept.names() - taken.keys() - held:
            self._changed(name, self._kept.read(name), None)
            self._kept.drop(name)


def _read(file: Path) -> tuple[bytes | None, list[Fault]]:
    """Read a file, or return why it cannot be read: a pipe or a device must not hold up the other plants."""
    place = Place(file).at("(file)")
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return None, [place.fault("(not a file)", Text("普通文件", "an ordinary file"))]
            content = opened.read(LARGEST + 1)
    except OSError as error:
        return None, [place.fault("(unreadable)", with_reason(READABLE, error))]
    if len(content) > LARGEST:
        most = Text(f"至多 {LARGEST} 字节", f"at most {LARGEST} bytes")
        return None, [place.fault(f"(over {LARGEST} bytes)", most)]
    return content, []


def _vanished(before: EvaluatedPlant, after: EvaluatedPlant | None, old: bytes, new: bytes | None) -> tuple[str, ...]:
    """Return the points and rules that vanished, or a note that the text is cut short."""
    known = {point.id for point in before.points}
    rules: dict[str, set[str]] = {}
    for point in after.points if after is not None else ():
        rules[point.id] = {rule.code for rule in point.rules}
        if point.was is not None and point.id not in known:  # one of two points does not become the other
            rules[point.was] = rules[point.id]
    vanished = []
    for point in before.points:
        if point.id not in rules:
            vanished.append(point.id)
        else:
            vanished += [f"{point.id}/{rule.code}" for rule in point.rules if rule.code not in rules[point.id]]
    if not vanished and new is not None and old.startswith(new):
        vanished = ["(the end of the file)"]
    return (*vanished[:_SHOWN], f"… {len(vanished)}") if len(vanished) > _SHOWN else tuple(vanished)
