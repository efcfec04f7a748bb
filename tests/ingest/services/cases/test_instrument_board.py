"""What is kept in memory of instruments equals the records, whatever happened, in whatever order it is notified."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.ledger import LastCheck, Ledger, LedgerState
from ingest.domain.cases.ledger_due import DueState, InstrumentStatus, Stopped, opened, statuses_of
from ingest.domain.model.instrument import Check, Instrument, Period
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.case_books import open_case_books
from ingest.services.cases.instrument_board import InstrumentBoard
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateInDoubt
from tests.ingest.storage.state.dying import dying_at_commit, until_available
from tests.small_plant import small_configuration

TODAY: Final = dt.date(2026, 11, 30)
PLANTS: Final = ("a", "b", "c")
YEARLY: Final = Period(12, 0, "made up", Confidence.ENGINEERING_DEFAULT)


def instrument(plant: str, number: int, serial: str = "1") -> Instrument:
    name = Text(f"探头 {number}", f"head {number}")
    return Instrument(plant, f"H-{number}", name, (f"CO-{number}",), serial, "", "", "", {Check.CALIBRATION: YEARLY})


class Hall:
    """Ledgers on disk, a board that follows them, and the plain way: everything is read again."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.board = InstrumentBoard(CaseStore(database), CasesConfig())
        self.store = CaseStore(database, self.board.note)
        self.today, self.stopped = TODAY, dict[str, set[str]]()
        known = {plant: tuple(instrument(plant, number) for number in range(4)) for plant in PLANTS}
        self.configuration = replace(small_configuration(folder), instruments=known)

    def plainly(self, plants: Sequence[str]) -> list[InstrumentStatus]:
        known = [instrument for plant in plants for instrument in self.configuration.instruments.get(plant, ())]
        found = statuses_of(known, self.store.ledgers(None), self.stopped, self.today, CasesConfig())
        return sorted(found, key=lambda of: (of.deadline, of.ledger.id))

    def kept(self, plants: Sequence[str]) -> list[InstrumentStatus]:
        out: Stopped = {plant: points for plant, points in self.stopped.items() if plant in plants}
        return list(self.board.of_plants(self.configuration, frozenset(plants), out, self.today))

    def open(self) -> None:
        """As the automation does it."""
        missing = self.board.missing(
            instrument for known in self.configuration.instruments.values() for instrument in known
        )
        if missing:
            self.store.commit(added=[opened(instrument, self.today) for instrument in missing])

    def edit(self, configuration: PlantConfiguration) -> None:
        self.configuration = replace(configuration, version=self.configuration.version + 1)


@pytest.fixture
def hall(tmp_path: Path, database: Database) -> Hall:
    return Hall(tmp_path, database)


@pytest.mark.parametrize("seed", range(3))
def test_the_board_is_what_reading_everything_again_gives(hall: Hall, seed: int) -> None:
    """Checks entered, points taken out and put back, days, edited files, scrapped devices; asked of some or all."""
    rng = random.Random(seed)  # noqa: S311

    def enter() -> None:
        ledgers = hall.store.ledgers(None)
        if ledgers:
            of = rng.choice(ledgers)
            last = {
                Check.CALIBRATION: LastCheck(hall.today - dt.timedelta(days=rng.randrange(400)), rng.random() < 0.8)
            }
            state = LedgerState.SCRAPPED if rng.random() < 0.1 else of.state
            hall.store.commit(saved=[replace(of, version=of.version + 1, last=last, state=state)])

    def stop() -> None:
        points = hall.stopped.setdefault(rng.choice(PLANTS), set())
        points ^= {f"CO-{rng.randrange(4)}"}

    def edit() -> None:
        known = dict(hall.configuration.instruments)
        plant = rng.choice(PLANTS)
        known[plant] = tuple(instrument(plant, number, str(rng.randrange(3))) for number in range(rng.randrange(1, 5)))
        hall.edit(replace(hall.configuration, instruments=known))

    def pass_a_day() -> None:
        hall.today += dt.timedelta(days=rng.randrange(1, 40))

    for _ in range(60):
        rng.choice((enter, enter, enter, stop, edit, pass_a_day, hall.open))()
        plants = rng.choice((PLANTS, PLANTS[:1], PLANTS[1:], ()))
        assert hall.kept(plants) == hall.plainly(plants)
    by_plant = hall.board.by_plant(hall.configuration, hall.stopped, hall.today)
    assert sorted((of for known in by_plant.values() for of in known), key=lambda of: (of.deadline, of.ledger.id)) == (
        hall.plainly(PLANTS)
    )


def test_what_nothing_has_changed_of_is_neither_read_nor_worked_out_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A county's list is asked for all day: an entry in one plant costs the work of that plant."""
    hall.open()
    before = hall.board.by_plant(hall.configuration, {}, TODAY)
    monkeypatch.setattr(CaseStore, "ledgers", lambda *_: pytest.fail("the ledgers are read again"))
    of = before["b"][0].ledger
    last = {Check.CALIBRATION: LastCheck(TODAY, passed=True)}
    hall.store.commit(saved=[replace(of, version=2, last=last)])
    after = hall.board.by_plant(hall.configuration, {}, TODAY)
    assert [after[plant] is before[plant] for plant in PLANTS] == [True, False, True]
    assert after["b"][0].state is DueState.IN_ORDER


def test_commits_that_are_heard_of_in_the_wrong_order_leave_the_newer_one(hall: Hall) -> None:
    """Two threads commit one after the other and tell of it in whatever order they run."""
    hall.open()
    (first, *_) = hall.kept(PLANTS)

    def version(number: int) -> Ledger:
        return replace(first.ledger, version=number, last={Check.CALIBRATION: LastCheck(TODAY, passed=number == 3)})

    hall.board.note([version(3)])
    hall.board.note([version(2)])
    (of,) = [status for status in hall.kept(PLANTS) if status.ledger.id == first.ledger.id]
    assert (of.ledger.version, of.state) == (3, DueState.IN_ORDER)


@pytest.mark.parametrize("kept", [True, False])
def test_a_commit_in_doubt_is_looked_up_and_not_guessed(
    tmp_path: Path, migrated_at_server: StateConfig, kept: bool
) -> None:
    """The server went away while it committed: written after all, or not."""
    database = Database(migrated_at_server)
    books = open_case_books(database, CasesConfig())
    (instrument_,) = known = (instrument("a", 1),)
    configuration = replace(small_configuration(tmp_path), instruments={"a": known})

    def state() -> DueState | None:
        ((of,),) = books.instruments.by_plant(configuration, {}, TODAY).values()
        return of.state

    ledger = opened(instrument_, TODAY)
    books.store.commit(added=[ledger])
    assert state() is DueState.UNKNOWN
    changes = books.instruments.changes
    after = replace(ledger, version=2, last={Check.CALIBRATION: LastCheck(TODAY, passed=True)})
    with dying_at_commit(database, kept=kept), pytest.raises(StateInDoubt):
        books.store.commit(saved=[after])
    until_available(state)
    assert state() is (DueState.IN_ORDER if kept else DueState.UNKNOWN)
    assert books.instruments.changes > changes, "so the automation looks again, too"
    database.close()
