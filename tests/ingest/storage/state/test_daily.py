"""Registers of daily duty on both databases, against a plain model, over restarts: queries and what is in memory."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar
from uuid import UUID

from ingest.domain.cases.cleaning import Cleaning, CleaningFilter, CleaningState
from ingest.domain.cases.days import day_of
from ingest.domain.cases.pledge import Pledge, PledgeFilter, PledgeState
from ingest.domain.cases.work import EXPECTED_WORK, OPEN_WORK, Work, WorkFilter, WorkKind, WorkState
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.cleaning_board import CleaningBoard
from ingest.storage.state.config import StateConfig
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from ingest.storage.state.work_board import WorkBoard
from tests.ingest.domain.cases.made import HOUR, NOON

PLANTS, AREAS = ("a", "b", "c"), ("A1", "A2")
DAY = 24 * HOUR
R = TypeVar("R")


@dataclass
class Plain:
    """What is on record, by id."""

    works: dict[UUID, Work] = field(default_factory=dict)
    cleanings: dict[UUID, Cleaning] = field(default_factory=dict)
    pledges: dict[UUID, Pledge] = field(default_factory=dict)

    def last(self, plant: str, area: str) -> Cleaning | None:
        """The newest cleaning that counts; of two at one moment the one entered later."""
        found = [
            record
            for record in self.cleanings.values()
            if (record.plant, record.area, record.state) == (plant, area, CleaningState.VALID)
        ]
        return max(found, key=lambda record: (record.done, record.given, record.id), default=None)


class Started:
    """The stores and boards of one run of the service."""

    def __init__(self, database: Database) -> None:
        self.daily = DailyStore(database)
        self.works, self.cleaned = WorkBoard(self.daily, lambda: NOON), CleaningBoard(self.daily)
        self.store = CaseStore(database, self._written)

    def _written(self, records: Sequence[object]) -> None:
        self.works.note(records)
        self.cleaned.note(records)


@contextmanager
def started(state: StateConfig) -> Iterator[Started]:
    database = Database(state)
    try:
        yield Started(database)
    finally:
        database.close()


def test_registers_are_what_a_plain_model_says_whatever_was_done_and_however_often_it_was_restarted(
    state: StateConfig,
) -> None:
    chance, plain = random.Random(7), Plain()  # noqa: S311  no secret
    for _ in range(4):
        with started(state) as run:
            compare(run, plain, chance)
            for _ in range(40):
                chance.choice((declare, step, clean, void, give, withdraw))(run.store, plain, chance)
            compare(run, plain, chance)
    assert min(len(plain.works), len(plain.cleanings), len(plain.pledges)) > 5
    assert {work.state for work in plain.works.values()} >= {WorkState.DECLARED, WorkState.FINISHED}


def compare(run: Started, plain: Plain, chance: random.Random) -> None:
    """Ask for everything, by several filters, in pages."""
    for _ in range(6):
        plants = chance.choice((None, frozenset({"a"}), frozenset({"a", "c"})))
        since, until = sorted(NOON + chance.randrange(-5 * DAY, 5 * DAY) for _ in range(2))
        states = chance.choice((None, frozenset({WorkState.DECLARED, WorkState.FINISHED})))
        kind = chance.choice((None, WorkKind.HOT_WORK))
        works = WorkFilter(plants, states, kind, since, until)
        expected = [
            work
            for work in among(plain.works.values(), plants)
            if (states is None or work.state in states) and kind in {None, work.kind}
            if work.ends > since and work.begins < until
        ]
        expected.sort(key=lambda work: (work.begins, work.id), reverse=True)
        assert paged(run.daily.works, works, lambda work: (work.begins, work.id)) == expected
        during = {work.id for work in run.daily.works_during(plants, since, until)}
        moments = [since + (until - since) * n // 40 for n in range(41)]
        covering = [work for work in among(plain.works.values(), plants) if any(map(work.covers, moments))]
        assert {work.id for work in covering} <= during
        open_ = {work.id for work in among(plain.works.values(), plants) if work.state in OPEN_WORK}
        assert {work.id for work in run.daily.open_works(plants)} == open_

        which = CleaningFilter(plants, chance.choice((None, "A1")), chance.choice((None, *CleaningState)), since, until)
        cleanings = [
            record
            for record in among(plain.cleanings.values(), plants)
            if which.area in {None, record.area} and which.state in {None, record.state}
            if since <= record.done < until
        ]
        cleanings.sort(key=lambda record: (record.done, record.id), reverse=True)
        assert paged(run.daily.cleanings, which, lambda record: (record.done, record.id)) == cleanings

        first, end = day_of(since), day_of(until)
        held = [
            pledge
            for pledge in among(plain.pledges.values(), plants)
            if pledge.state is PledgeState.GIVEN and first <= pledge.day < end
        ]
        assert {pledge.id for pledge in run.daily.pledges_held(plants, first, end)} == {pledge.id for pledge in held}
        given = PledgeFilter(plants, None, first, end)
        pledges = [pledge for pledge in among(plain.pledges.values(), plants) if first <= pledge.day < end]
        pledges.sort(key=lambda pledge: (pledge.given, pledge.id), reverse=True)
        assert paged(run.daily.pledges, given, lambda pledge: (pledge.given, pledge.id)) == pledges
    for plant in PLANTS:
        for area in AREAS:
            assert run.cleaned.last(plant, area) == plain.last(plant, area)
        expecting = {work.id for work in plain.works.values() if work.plant == plant and work.state in EXPECTED_WORK}
        kept = {work.id: work for work in run.works._of.get(plant, ()) if work.state in EXPECTED_WORK}
        assert kept == {key: plain.works[key] for key in expecting}, "all of it is of this week"


class OfPlant(Protocol):
    """A record of a plant."""

    @property
    def plant(self) -> str: ...


P = TypeVar("P", bound=OfPlant)


def among(records: Iterable[P], plants: frozenset[str] | None) -> list[P]:
    return [record for record in records if plants is None or record.plant in plants]


def paged(query: Callable[..., list[R]], which: object, place: Callable[[R], tuple[int, UUID]]) -> list[R]:
    """Everything, three records at a time."""
    found: list[R] = []
    before = None
    while page := query(which, limit=3, before=before):
        found += page
        before = place(page[-1])
    return found


def key(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128))


def declare(store: CaseStore, plain: Plain, chance: random.Random) -> None:
    begins = NOON + chance.randrange(-3 * DAY, 3 * DAY, HOUR)
    work = Work(
        key(chance), chance.choice(PLANTS), chance.choice(list(WorkKind)), "一车间", "检修", begins,
        begins + chance.randrange(1, 30) * HOUR, "维修班", "李工", "张三", "接火盆", begins - HOUR, "李工",
        equipment=chance.choice((None, "E-1")),
    )  # fmt: skip
    store.commit(added=[work])
    plain.works[work.id] = work


def step(store: CaseStore, plain: Plain, chance: random.Random) -> None:
    """Somebody approves, begins, finishes or calls off a piece of work."""
    follows = {
        WorkState.DECLARED: (WorkState.APPROVED, WorkState.REFUSED),
        WorkState.APPROVED: (WorkState.UNDER_WAY, WorkState.CANCELLED),
        WorkState.UNDER_WAY: (WorkState.FINISHED,),
    }
    work = chance.choice([*(known for known in plain.works.values() if known.state in follows), None])
    if work is None:
        return
    state = chance.choice(follows[work.state])
    after = replace(work, state=state, version=work.version + 1)
    if state is WorkState.UNDER_WAY:
        after = replace(after, begun=work.begins + HOUR // 2)
    elif state is WorkState.FINISHED:
        after = replace(after, finished=work.ends + HOUR)
    store.commit(saved=[after])
    plain.works[work.id] = after


def clean(store: CaseStore, plain: Plain, chance: random.Random) -> None:
    done = NOON - chance.randrange(0, 4 * DAY, 6 * HOUR)  # often two at one moment
    given = NOON + len(plain.cleanings)
    record = Cleaning(key(chance), chance.choice(PLANTS), chance.choice(AREAS), done, "李工", "无积尘", given, "李工")
    store.commit(added=[record])
    plain.cleanings[record.id] = record


def void(store: CaseStore, plain: Plain, chance: random.Random) -> None:
    record = chance.choice(
        [*(cleaning for cleaning in plain.cleanings.values() if cleaning.state is CleaningState.VALID), None]
    )
    if record is not None:
        after = replace(record, state=CleaningState.VOIDED, version=2, voided=NOON, voided_by="李工", remark="填错")
        store.commit(saved=[after])
        plain.cleanings[record.id] = after


def give(store: CaseStore, plain: Plain, chance: random.Random) -> None:
    """One a day that holds; a number of its own for each."""
    plant, day = chance.choice(PLANTS), day_of(NOON) - dt.timedelta(days=chance.randrange(4))
    same = [earlier for earlier in plain.pledges.values() if (earlier.plant, earlier.day) == (plant, day)]
    if any(earlier.state is PledgeState.GIVEN for earlier in same):
        return
    pledge = Pledge(
        key(chance), plant, day, len(same) + 1, "研判", "承诺", "陈总", 2, 1, NOON - chance.randrange(DAY), "李工",
        works={"hot-work": chance.randrange(3)},
    )  # fmt: skip
    store.commit(added=[pledge])
    plain.pledges[pledge.id] = pledge


def withdraw(store: CaseStore, plain: Plain, chance: random.Random) -> None:
    pledge = chance.choice([*(given for given in plain.pledges.values() if given.state is PledgeState.GIVEN), None])
    if pledge is not None:
        after = replace(
            pledge, state=PledgeState.WITHDRAWN, version=2, withdrawn=NOON, withdrawn_by="李工", remark="错"
        )
        store.commit(saved=[after])
        plain.pledges[pledge.id] = after
