"""10,000 random histories of one plant, against a plain model that counts seconds."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ingest.domain.model.warning import Colour, Step, Trait, WarningEvent
from ingest.domain.warnings.episodes import WarningEpisodes
from ingest.domain.warnings.policy import Actor
from tests.ingest.domain.warnings.small import (
    ACK_S,
    EVERYBODY,
    FALL_S,
    FEEDBACK_S,
    OLD_S,
    REOPEN_S,
    SECOND,
    episodes_of_plant,
    fact,
)

HISTORIES = 10_000
LENGTH_S = 44
START_S = 1_000_000
PERSON = "inspector"

Expected = tuple[int, str, int, str | None, str, str, str | None]
"""time, kind, which episode, colour, peak, step, what is asked."""

COLOURS = [str(colour) for colour in Colour]
STEPS = [str(step) for step in Step]
ACK = {str(colour): seconds for colour, seconds in ACK_S.items()}
FEEDBACK = {str(colour): seconds for colour, seconds in FEEDBACK_S.items()}


@dataclass
class Episode:
    """What the model knows of one episode."""

    number: int
    colour: str | None
    peak: str
    step: str
    asks: str | None = "acknowledgement"
    waited: int = 0
    over: int | None = None  # seconds since its end
    answered: bool = False


@dataclass
class Model:
    """Counts seconds; knows no due times, and nothing of the code under test."""

    assigned: list[str]
    alarms: dict[str, list[object]] = field(default_factory=dict)  # name -> [colour, age]
    called: list[int] = field(default_factory=list)  # rank of what was called for, a second each; -1 = nothing
    episodes: list[Episode] = field(default_factory=list)
    begun: int = 0
    offset: int = 0
    away: int = 0  # seconds for which the service still reaches nobody
    now: int = START_S
    expected: list[Expected] = field(default_factory=list)

    def second(self) -> None:
        """One second passes."""
        self.now += 1
        for alarm in self.alarms.values():
            alarm[1] = int(str(alarm[1])) + 1
        for episode in self.episodes:
            episode.waited += not self.away  # a time in which nobody was reached is nobody's fault
            episode.over = None if episode.over is None else episode.over + 1
        self.called.append(self._call())
        self._colour()
        for episode in list(self.episodes):
            self._ladder(episode)
        if self.away:
            self.away -= 1
            if not self.away:
                self._resume()

    def _resume(self) -> None:
        for episode in self.episodes:
            if episode.asks is not None:
                self._say("resumed", episode)

    def act(self, action: tuple[str, str]) -> None:
        """Something is learnt or done."""
        what, which = action
        if what == "raise":
            self.alarms.setdefault(which.split("/")[0], [which.split("/")[1], 0])
        elif what == "return":
            self.alarms.pop(which, None)
        elif what == "clock":
            self.offset += int(which)
        elif what == "away":
            self.away = int(which)
        elif self.episodes:
            episode = self.episodes[0 if which == "first" else -1]
            if episode.asks == "acknowledgement":
                episode.asks, episode.waited = "feedback", 0
                self._say("acknowledged", episode)
            if what == "answer" and not episode.answered:
                episode.asks, episode.answered = None, True
                self._say("feedback", episode)
                self._close(episode)
        if what in {"raise", "return"}:
            self.called[-1] = self._call()
            self._colour()

    def _call(self) -> int:
        ranks = [-1]
        for colour, age in self.alarms.values():
            ranks.append(1 if colour == "blue" and int(str(age)) >= OLD_S else COLOURS.index(str(colour)))
        return max(ranks)

    def _colour(self) -> None:
        rank = max(self.called[-FALL_S - 1 :])
        current = next((episode for episode in self.episodes if episode.over is None), None)
        shows = COLOURS[rank] if rank >= 0 else None
        if current is None:
            if shows is not None:
                self._begin(shows)
        elif shows is None:
            current.colour, current.over = None, 0
            self._say("ended", current)
            self._close(current)
        elif shows != current.colour:
            current.colour = shows
            self._rise(current)
            self._say("colour-changed", current)

    def _begin(self, shows: str) -> None:
        again = [episode for episode in self.episodes if episode.over is not None and episode.over <= REOPEN_S]
        if again:
            episode = again[-1]
            episode.colour, episode.over = shows, None
            self._rise(episode)
            self._say("reopened", episode)
            return
        self.begun += 1
        episode = Episode(self.begun, shows, shows, self.assigned[0] if self.assigned else "province")
        self.episodes.append(episode)
        self._say("raised", episode)

    def _rise(self, episode: Episode) -> None:
        if COLOURS.index(str(episode.colour)) > COLOURS.index(episode.peak):
            episode.peak, episode.asks, episode.waited, episode.answered = (
                str(episode.colour),
                "acknowledgement",
                0,
                False,
            )

    def _ladder(self, episode: Episode) -> None:
        if episode.asks is None or self.away:
            return
        allowed = (ACK if episode.asks == "acknowledgement" else FEEDBACK)[episode.peak]
        if episode.waited * 2 == allowed:
            self._say("reminded", episode)
        if episode.waited == allowed:
            higher = [step for step in self.assigned if STEPS.index(step) > STEPS.index(episode.step)]
            episode.waited = 0
            episode.step = higher[0] if higher else episode.step
            self._say("escalated" if higher else "reminded", episode)

    def _close(self, episode: Episode) -> None:
        if episode.over is not None and episode.answered:
            self._say("closed", episode)
            self.episodes.remove(episode)

    def _say(self, kind: str, episode: Episode) -> None:
        self.expected.append(
            (self.now + self.offset, kind, episode.number, episode.colour, episode.peak, episode.step, episode.asks)
        )


Action = tuple[str, str]


def history(chance: random.Random) -> dict[int, Action]:
    """What happens in which second: on even ones, so that nothing coincides with an alarm's growing old."""
    happens: dict[int, Action] = {}
    back = 0
    for at in range(2, LENGTH_S, 2):
        if at > back and chance.random() < 0.45:
            what = chance.choices(("raise", "return", "see", "answer", "clock", "away"), (5, 6, 3, 3, 2, 1))[0]
            name = chance.choice("ABC")
            which = {
                "raise": f"{name}/{chance.choice(('blue', 'blue', 'orange', 'red'))}",
                "return": name,
                "see": chance.choice(("first", "last")),
                "answer": chance.choice(("first", "last")),
                "clock": str(chance.choice((-3600, -7, -1, 1, 9, 86_400))),
                "away": str(min(chance.choice((1, 3, 7, 25)), LENGTH_S - at)),
            }[what]
            back = at + int(which) if what == "away" else back
            happens[at] = (what, which)
    return happens


def by_model(happens: dict[int, Action], assigned: list[str]) -> list[Expected]:
    """What a person with a stopwatch would note."""
    model = Model(assigned)
    for at in range(1, LENGTH_S + 1):
        model.second()
        if at in happens:
            model.act(happens[at])
    return model.expected


def by_watch(happens: dict[int, Action], assigned: list[str], chance: random.Random) -> list[Expected]:
    """The same by the code under test, read at random moments."""
    under_test = episodes_of_plant(START_S, {Step(step): EVERYBODY[Step(step)] for step in assigned})
    often, offset, back = chance.random() ** 2, 0, 0
    events: list[WarningEvent] = []
    for at in range(1, LENGTH_S + 1):
        now = (START_S + at + offset) * SECOND
        if at in happens:
            what, which = happens[at]
            if what == "clock":
                events += under_test.pass_time(now)
                offset += int(which)
                under_test.shift(int(which) * SECOND)
            elif what == "away":
                back = at + int(which)
                events += under_test.extend_deadlines(now, now + int(which) * SECOND)
            else:
                events += _act(under_test, what, which, now)
        elif at > back and chance.random() < often:
            events += under_test.pass_time(now)
    events += under_test.pass_time((START_S + LENGTH_S + offset) * SECOND)
    assert len({event.id for event in events}) == len(events), "every event has its own id"
    numbers: dict[object, int] = {}
    found = []
    for event in events:
        warning = event.warning
        number = numbers.setdefault(warning.id, len(numbers) + 1)
        colour = str(warning.colour) if warning.colour else None
        asks = str(warning.asking) if warning.asking else None
        assert event.time % SECOND == 0
        if event.kind != "inputs-changed":
            found.append(
                (event.time // SECOND, str(event.kind), number, colour, str(warning.peak), str(warning.step), asks)
            )
    return found


def _act(under_test: WarningEpisodes, what: str, which: str, now: int) -> list[WarningEvent]:
    if what == "raise":
        name, colour = which.split("/")
        traits = Trait.RED if colour == "red" else Trait(0)
        known = fact(name, now // SECOND, 1 if colour == "blue" else 2, traits)
        outstanding = under_test.facts.get(known.key)
        if outstanding is not None and outstanding.gone is None:
            return under_test.pass_time(now)
        return under_test.learn(now, known=[known])
    if what == "return":
        return under_test.learn(now, over=[fact(which, 0).key])
    return _answer(under_test, what, which, now)


def _answer(under_test: WarningEpisodes, what: str, which: str, now: int) -> list[WarningEvent]:
    events = under_test.pass_time(now)
    live = list(under_test.live)
    if not live:
        return events
    target = live[0 if which == "first" else -1]
    hand = Actor(PERSON, "inspector", now)
    try:
        if what == "see":
            return events + under_test.acknowledge(target, hand)
        return events + under_test.give_feedback(target, hand, "cause", "measure")
    except ValueError:
        return events


def test_no_step_is_missed_or_doubled_in_ten_thousand_histories() -> None:
    """Every event comes at its moment, once, whoever is assigned, however time is cut and the clock is set.

    While the service is away nobody's time runs; colours follow all the same.
    """
    chance = random.Random(20261124)  # noqa: S311  made-up histories, not a secret
    steps, excused = 0, 0
    for number in range(HISTORIES):
        assigned = [step for step in STEPS if chance.random() < 0.6]
        happens = history(chance)
        wanted = by_model(happens, assigned)
        assert by_watch(happens, assigned, chance) == wanted, (number, assigned, happens)
        steps += sum(row[1] == "escalated" for row in wanted)
        excused += sum(row[1] == "resumed" for row in wanted)
    assert steps > HISTORIES, "the histories are worth the name"
    assert excused > HISTORIES // 10
