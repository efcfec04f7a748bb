"""Random histories of a call against a plain model: nobody is missed, nobody is rung after an answer.

A few hundred by seed in the suite; `YUJING_CALL_HISTORIES=10000` runs as many.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from uuid import UUID, uuid5

import pytest

from ingest.domain.calls.advance import Advanced, advance, begin, due
from ingest.domain.calls.happenings import (
    Answer,
    Arrival,
    Happening,
    ReceiptArrived,
    Refusal,
    UnderWay,
    Withdrawal,
)
from ingest.domain.model.call import (
    Call,
    CallEventKind,
    Cause,
    Channel,
    LadderStep,
    OnDuty,
    Person,
    Receipt,
    call_id,
)
from ingest.domain.model.warning import Colour

HISTORIES = int(os.environ.get("YUJING_CALL_HISTORIES", "300"))
PARTS = 3
SECOND = 10**9
START_S = 1_000_000
RANKS = {
    "called": 0, "delivered": 1, "answered": 2, "not-answered": 3, "failed": 3, "refused": 4, "acknowledged": 5,
}  # fmt: skip
RECEIPTS = [word for word in RANKS if word != "called"]


@dataclass
class World:
    """A ladder, its people, and who is on duty from which second on."""

    steps: list[dict[str, int | bool | list[str] | str | None]]
    ways: dict[str, int]  # by person the number of channels
    duty: dict[str, list[tuple[int, list[str]]]]
    deadline: int

    def on(self, step: int, second: int) -> list[str]:
        """Who is to be called by that step at that second."""
        people = self.steps[step]["people"]
        if people:
            assert isinstance(people, list)
            return people
        found: list[str] = []
        for since, names in self.duty[str(self.steps[step]["position"])]:
            if since <= second:
                found = names
        return found


@dataclass
class Model:
    """What should be so, counted plainly; knows nothing of the code under test."""

    world: World
    drill: bool
    now: int = START_S
    state: str = "ringing"
    step: int = -1
    called: list[str] = field(default_factory=list)
    rung: list[dict[str, int | str]] = field(default_factory=list)
    sent: list[dict[str, int | str]] = field(default_factory=list)
    tries: list[tuple[int, str, int]] = field(default_factory=list)  # second, person, the how many-eth try
    answered_by: str | None = None
    errand: bool = False
    arrived: bool = False

    def up(self) -> None:
        """The next step that has anybody."""
        while True:
            self.step += 1
            if self.step == len(self.world.steps):
                self.step -= 1
                self.state = "unanswered"
                self.errand = not self.drill
                return
            self.called = []
            while self.pick() and self.world.steps[self.step]["parallel"]:
                pass
            if self.rung:
                return

    def pick(self) -> bool:
        """The next person of this step."""
        for name in self.world.on(self.step, self.now):
            if name not in self.called:
                self.called.append(name)
                if self.world.ways[name]:
                    self.ring(name, 1)
                    return True
        return False

    def ring(self, name: str, number: int) -> None:
        length = self.world.steps[self.step]["ring"]
        self.tries.append((self.now, name, number))
        ring = len(self.tries)
        self.rung.append({"name": name, "try": number, "ring": ring, "end": self.now + int(str(length))})
        self.sent += [{"name": name, "ring": ring, "known": "called"} for _ in range(self.world.ways[name])]

    def tick(self) -> None:
        if self.state == "ringing":
            for person in list(self.rung):
                if int(person["end"]) <= self.now:
                    self.over(person)

    def over(self, person: dict[str, int | str]) -> None:
        if int(person["try"]) < int(str(self.world.steps[self.step]["tries"])):
            self.rung.remove(person)
            self.ring(str(person["name"]), int(person["try"]) + 1)
        else:
            self.leave(person)

    def leave(self, person: dict[str, int | str]) -> None:
        self.rung.remove(person)
        if (self.world.steps[self.step]["parallel"] or not self.pick()) and not self.rung:
            self.up()

    def receipt(self, number: int, word: str) -> None:
        if number >= len(self.sent) or RANKS[word] <= RANKS[str(self.sent[number]["known"])]:
            return
        attempt = self.sent[number]
        attempt["known"] = word
        if word == "acknowledged":
            self.answer(str(attempt["name"]))
        elif word == "refused":
            self.refuse(str(attempt["name"]))
        else:
            for person in list(self.rung):
                if person["ring"] == attempt["ring"]:
                    ways = {each["known"] for each in self.sent if each["ring"] == attempt["ring"]}
                    if word == "answered":
                        length = int(str(self.world.steps[self.step]["ring"]))
                        person["end"] = max(int(person["end"]), self.now + length)
                    elif ways <= {"failed", "not-answered"}:
                        self.over(person)

    def answer(self, name: str) -> None:
        if self.state in {"ringing", "unanswered"}:
            self.state, self.answered_by, self.rung = "answered", name, []

    def refuse(self, name: str) -> None:
        for person in list(self.rung):
            if person["name"] == name:
                self.leave(person)

    def withdraw(self) -> None:
        if self.state in {"ringing", "unanswered"}:
            self.state, self.rung = "withdrawn", []


def ladder_of(world: World) -> tuple[LadderStep, ...]:
    """The world's ladder in the terms of the code under test."""
    return tuple(
        LadderStep(
            int(str(step["ring"])) * SECOND,
            int(str(step["tries"])),
            position=None if step["position"] is None else str(step["position"]),
            people=tuple(step["people"]) if isinstance(step["people"], list) else (),
            parallel=bool(step["parallel"]),
        )
        for step in world.steps
    )


def world_of(chance: random.Random) -> World:
    """A world by chance: people without channels, positions without people, steps all at once."""
    ways = {name: chance.choice([0, 1, 1, 2, 3]) for name in "abcdefg"}
    duty = {
        position: [
            (START_S + since, chance.sample("abcdefg", chance.choice([0, 1, 2, 3])))
            for since in sorted({0, *chance.sample(range(1, 30), chance.choice([0, 0, 1, 2]))})
        ]
        for position in ("x", "y", "z")
    }
    steps: list[dict[str, int | bool | list[str] | str | None]] = [
        {
            "position": None if fixed else chance.choice("xyz"),
            "people": chance.sample("abcdefg", 2) if fixed else [],
            "ring": chance.choice([2, 3, 4]),
            "tries": chance.choice([1, 2, 2]),
            "parallel": chance.random() < 0.2,
        }
        for fixed in (chance.random() < 0.2 for _ in range(chance.choice([1, 2, 3])))
    ]
    return World(steps, ways, duty, START_S + chance.choice([3, 8, 20]))


class History:
    """One history: the call as it goes, and the model beside it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  drawn by seed
        self.world = world_of(self.chance)
        self.ladder = ladder_of(self.world)
        cause = self.chance.choice([Cause.WARNING, Cause.WARNING, Cause.ROLL_CALL])
        self.model = Model(self.world, drill=cause is Cause.ROLL_CALL)
        number = call_id(cause, str(seed), Colour.RED)
        call = Call(
            number, "plant", cause, str(seed), Colour.RED, None, {}, START_S * SECOND, START_S * SECOND,
            self.world.deadline * SECOND, self.ladder,
        )  # fmt: skip
        self.rings: list[tuple[int, str, int]] = []
        self.numbers: list[UUID] = []
        self.waiting = set[UUID]()
        self.model.up()
        self.call = self.took(begin(call, self.duty))

    def duty(self, step: LadderStep, at: int) -> OnDuty:
        """As the world has it; steps of the same words are the same."""
        number = next(number for number, of in enumerate(self.ladder) if of == step)
        names = self.world.on(number, at // SECOND)
        return OnDuty(tuple(Person(name, (Channel("way", name),) * self.world.ways[name]) for name in names))

    def took(self, advanced: Advanced) -> Call:
        """Keep what was done, and compare."""
        second, call = self.model.now, advanced.call
        rings = dict.fromkeys((attempt.ring, attempt.person, attempt.attempt) for attempt in advanced.rung)
        self.rings += [(second, person, attempt) for _, person, attempt in rings]
        self.numbers += [attempt.id for attempt in advanced.rung]
        self.waiting |= {attempt.id for attempt in advanced.rung}
        self.waiting -= set(advanced.silenced)
        model = self.model
        assert (str(call.state), call.answered_by, call.step) == (model.state, model.answered_by, model.step)
        assert (call.errand is not None, call.arrived is not None) == (model.errand, model.arrived)
        assert sorted(ringing.person for ringing in call.ringing) == sorted(str(each["name"]) for each in model.rung)
        assert self.rings == model.tries
        assert [str(each.receipt) for each in call.attempts] == [each["known"] for each in model.sent]
        assert len(set(self.numbers)) == len(self.numbers) == len(call.attempts)
        # nobody's message waits but those of people who are rung now
        assert self.waiting <= {each.id for each in call.attempts if each.ring in {of.ring for of in call.ringing}}
        if call.ringing and not call.ladder[call.step].parallel:
            assert len(call.ringing) == 1
        return call

    def step(self) -> None:
        """A second passes, or several in which the service is down; then something happens, or nothing."""
        chance, model = self.chance, self.model
        model.now += 1 if chance.random() < 0.9 else chance.choice([2, 5, 40])
        if chance.random() < 0.8:
            model.tick()
            self.call = self.took(advance(self.call, model.now * SECOND, self.duty))
        if chance.random() < 0.45:
            happening = self.happening()
            before = self.call
            self.call = self.took(advance(self.call, happening, self.duty))
            if isinstance(happening, ReceiptArrived):  # the same again changes nothing
                assert advance(self.call, happening, self.duty) == Advanced(self.call)
            if before.ended is not None:
                assert self.call.ended == before.ended

    def happening(self) -> Happening:
        """Something by chance; the model takes it too."""
        chance, model, time = self.chance, self.model, self.model.now * SECOND
        kind = chance.random()
        if kind < 0.86:
            number, word = chance.randrange(len(self.numbers) + 2), chance.choice(RECEIPTS[: chance.choice([4, 4, 6])])
            model.receipt(number, word)
            known = number < len(self.numbers)
            named = self.numbers[number] if known else uuid5(self.call.id, "unknown")
            return ReceiptArrived(time, named, Receipt(word))
        if kind < 0.9:
            person = chance.choice("abcdefg")
            model.refuse(person)
            return Refusal(time, person, "console")
        if kind < 0.93:
            model.answer("p")
            return Answer(time, "p", "console")
        if kind < 0.95:
            model.answer("q")
            return UnderWay(time, "q", "console")
        if kind < 0.97:
            model.answer("r")
            model.arrived = True
            return Arrival(time, "r", "console")
        model.withdraw()
        return Withdrawal(time, "over")

    def finish(self) -> None:
        """Only time passes until nothing is due any more."""
        for _ in range(200):
            at = due(self.call)
            if at is None:
                break
            self.model.now = max(self.model.now, at // SECOND)
            self.model.tick()
            self.call = self.took(advance(self.call, self.model.now * SECOND, self.duty))
        assert due(self.call) is None
        assert str(self.call.state) != "ringing"


@pytest.mark.parametrize("part", range(PARTS))
def test_random_histories_go_as_the_plain_model_says(part: int) -> None:
    """Each ends answered, withdrawn, or with somebody sent; whom it rang, when and how often is the model's."""
    ends = dict.fromkeys(("answered", "withdrawn", "unanswered"), 0)
    for seed in range(part, HISTORIES, PARTS):
        try:
            history = History(seed)
            for _ in range(history.chance.choice([2, 10, 30])):
                history.step()
            history.finish()
        except AssertionError as error:
            raise AssertionError(f"history {seed}") from error
        ends[str(history.call.state)] += 1
    assert min(ends.values()) > 0


def test_who_is_rung_is_on_duty_when_the_first_try_begins() -> None:
    """Nobody outside duty is called unless the ladder names the person; everybody on duty in vain was called."""
    for seed in range(100):
        history = History(seed)
        history.finish()
        world, call = history.world, history.call
        for attempt in call.attempts:
            if attempt.attempt == 1:
                assert attempt.person in world.on(attempt.step, attempt.sent // SECOND)
        if all(len(changes) == 1 for changes in world.duty.values()):
            reached = {(attempt.step, attempt.person) for attempt in call.attempts}
            everybody = {
                (step, name) for step in range(len(world.steps)) for name in world.on(step, START_S) if world.ways[name]
            }
            assert reached == everybody


def test_the_deadline_is_noted_once() -> None:
    """A call past its deadline goes on, and is overdue."""
    history = History(3)
    kinds = []
    call = history.call
    for second in range(60):
        advanced = advance(call, (START_S + second) * SECOND, history.duty)
        kinds += [event.kind for event in advanced.events]
        call = advanced.call
    assert kinds.count(CallEventKind.OVERDUE) == 1
    assert call.overdue
