"""A head under calibration gas raises no alarm of the process, and a check that nobody ends does not blind it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.batch import Batch, empty_batch
from ingest.domain.model.changed import DoneBefore
from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.flags import Flag
from ingest.domain.model.suppression import Suppression, SuppressionKind
from ingest.engine.commands import End, Person, Suppress
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Cycle, Policy, advance
from tests.small_plant import PLANT, TEXT, small_configuration

SECOND: Final = 10**9
START: Final = 1_763_884_800 * SECOND
MINUTE: Final = 60
PLAIN = TEXT.replace('disabled_rules = ["STUCK"]', 'disabled_rules = ["STUCK", "FORECAST", "NEIGHBOUR", "PINNED"]')
"""CO-01 trips H at 24 and returns at 20, at once; BAD trips after 5 s and returns after 10."""
GAS: Final = 120.0
RAISED, RETURNED = AlarmEventKind.RAISED, AlarmEventKind.RETURNED


def _before(at: float) -> int:
    """Return when a command is given that is to count for the reading of a second: half a second earlier, ns."""
    return START + round((at - 0.5) * SECOND)


class Head:
    """The stages over the small plant; times in s from the start."""

    def __init__(self, folder: Path, text: str = PLAIN, longest_s: int = 3600) -> None:
        self.configuration = small_configuration(folder, text=text)
        self.engine_state = EngineState(self.configuration)
        self.policy = Policy(function_check_max=longest_s * SECOND)
        self.now = 0.0
        self.events: list[AlarmEvent] = []

    def take(self, rows: Sequence[tuple[float, float]], flags: int = 0, point: str = "CO-01") -> set[tuple[str, str]]:
        """Take (time, value) that arrive at once; return (event, rule) of the alarms of the point."""
        known = self.configuration.find(PLANT, point)
        assert known is not None
        time = np.array([START + round(at * SECOND) for at, _ in rows], np.int64)
        value, n = np.array([value for _, value in rows], float), len(rows)
        return self.run(
            Batch(np.full(n, known.index, np.int32), time, value, np.full(n, flags, np.uint16), time), point
        )

    def run(self, batch: Batch, point: str = "CO-01") -> set[tuple[str, str]]:
        self.now = max(self.now, (int(batch.received.max()) - START) / SECOND)
        events = advance(self._cycle(batch), self.engine_state).events
        self.events += [event for event in events if event.alarm.rule not in {"SILENT", "OFFLINE"}]
        return {(str(event.kind), event.alarm.rule) for event in events if event.alarm.point == point}

    def seconds(self, begin: int, end: int, value: float, flags: int = 0, point: str = "CO-01") -> set[tuple[str, str]]:
        """Take that value each second, one by one."""
        return {found for at in range(begin, end) for found in self.take([(at, value)], flags, point)}

    def check(self, at: float, until: float | None = None, point: str = "CO-01") -> Suppression:
        self.now = max(self.now, at)
        ends = None if until is None else START + int(until * SECOND)
        command = Suppress(
            SuppressionKind.FUNCTION_CHECK, PLANT, point, None, "标气标定", ends, Person("王建国", "operator")
        )
        return command(self._cycle(empty_batch()), self.engine_state, _before(at))

    def end(self, check: UUID, at: float) -> Suppression:
        return End(check, Person("王建国", "operator"))(self._cycle(empty_batch()), self.engine_state, _before(at))

    def status(self, point: str = "CO-01") -> DeviceStatus | None:
        known = self.configuration.find(PLANT, point)
        assert known is not None
        return self.engine_state.latest(known.index, START + int(self.now * SECOND)).status

    def restart(self) -> None:
        """Go on from a snapshot; what the state database holds is handed over as it is."""
        before, self.engine_state = self.engine_state, EngineState(self.configuration)
        self.engine_state.load(before.dump())
        self.engine_state.alarms, self.engine_state.recent = before.alarms, before.recent
        for record in before.suppressions.records():
            self.engine_state.keep_suppression(record)

    def _cycle(self, batch: Batch) -> Cycle:
        now = START + int(self.now * SECOND)
        return Cycle(now, batch, self.configuration, self.policy)


@pytest.fixture
def head(tmp_path: Path) -> Head:
    made = Head(tmp_path)
    made.seconds(0, 5, 5.0)
    return made


def test_calibration_gas_raises_nothing_and_the_point_says_function_check(head: Head) -> None:
    check = head.check(5)
    assert head.seconds(5, 60, GAS) == set()
    assert head.status() is DeviceStatus.FUNCTION_CHECK
    head.end(check.id, 60)
    assert head.seconds(60, 90, 5.0) == set()
    assert head.status() is DeviceStatus.GOOD


def test_a_second_and_a_third_calibration_are_as_the_first_and_between_them_gas_is_gas(head: Head) -> None:
    for begin in (10, 100, 200):
        check = head.check(begin)
        assert head.seconds(begin, begin + 20, GAS) == set()
        head.end(check.id, begin + 20)
        assert ("raised", "H") in head.seconds(begin + 21, begin + 40, GAS)
        assert ("returned", "H") in head.seconds(begin + 40, begin + 60, 5.0)


def test_an_alarm_of_the_process_stays_as_it_is_during_a_check(head: Head) -> None:
    assert ("raised", "H") in head.seconds(5, 10, GAS)
    check = head.check(10)
    assert head.seconds(10, 30, 0.0) == set()  # zero gas says nothing of the furnace
    head.end(check.id, 30)
    assert ("returned", "H") in head.seconds(30, 60, 5.0)


@pytest.mark.parametrize("value", [176.0, -40.0, float("nan")], ids=["beyond the range", "open loop", "no value"])
def test_rules_on_the_instrument_say_nothing_of_a_test(head: Head, value: float) -> None:
    head.check(5)
    assert head.seconds(5, 60, value, int(Flag.NO_VALUE) if value != value else 0) == set()  # noqa: PLR0124  NaN


def test_a_bad_signal_from_before_is_still_bad_during_a_check(head: Head) -> None:
    assert head.seconds(5, 20, 5.0, int(Flag.BAD)) == {("raised", "BAD")}
    check = head.check(20)
    assert head.seconds(20, 50, GAS) == set()
    head.end(check.id, 50)
    assert ("returned", "BAD") in head.seconds(50, 80, 5.0)


def test_a_check_that_nobody_ends_is_a_bad_signal_and_gas_counts_again(tmp_path: Path) -> None:
    head = Head(tmp_path, longest_s=60)
    head.seconds(0, 5, 5.0)
    check = head.check(5)
    assert head.seconds(5, 65, GAS) == set()
    assert {("raised", "BAD"), ("raised", "H")} <= head.seconds(65, 80, GAS)
    assert head.engine_state.alarms[PLANT, "CO-01", "H"].value == GAS
    assert ("returned", "H") in head.seconds(80, 100, 5.0)
    assert (PLANT, "CO-01", "BAD") in head.engine_state.alarms  # until somebody says that the test is over
    head.end(check.id, 100)
    assert head.seconds(100, 130, 5.0) == {("returned", "BAD")}


def test_a_gateway_that_flags_a_check_for_too_long_is_heard_again(tmp_path: Path) -> None:
    head, flag = Head(tmp_path, longest_s=60), int(Flag.FUNCTION_CHECK)
    head.seconds(0, 5, 5.0)
    assert head.seconds(5, 65, GAS, flag) == set()
    assert {("raised", "BAD"), ("raised", "H")} <= head.seconds(65, 80, GAS, flag)
    assert {("returned", "BAD"), ("returned", "H")} <= head.seconds(80, 110, 5.0)
    assert head.seconds(110, 160, GAS, flag) == set()  # the next one has its own time


def test_what_arrives_late_of_a_check_is_no_excursion_and_what_lies_outside_is(head: Head) -> None:
    check = head.check(10)
    head.end(check.id, 40)
    head.seconds(40, 60, 5.0)
    assert head.take([(20, GAS), (21, GAS), (22, GAS)]) == set()
    assert head.take([(6, GAS), (7, GAS), (8, GAS)]) == set()
    head.seconds(100, 140, 5.0)
    recorded = [event.alarm for event in head.events if event.kind is AlarmEventKind.RECORDED]
    assert {(alarm.rule, (alarm.onset - START) // SECOND) for alarm in recorded} == {("H", 6)}


def test_the_head_beside_it_is_judged_as_ever(head: Head) -> None:
    head.seconds(0, 5, 5.0, point="CO-02")
    head.check(5)
    assert head.seconds(5, 30, GAS) == set()
    assert ("raised", "H") in head.seconds(5, 120, GAS, point="CO-02")


VOTES = PLAIN.replace(
    "[points.rules.HH]",
    '[points.rules.VOTE]\nkind = "votes"\nlevel = 2\non = 2\nat = 50\npeers = ["CO-02"]\nfresh_s = 1000\nsource = "x"\n'
    'confidence = "engineering default"\nlabel = "表决"\nlabel_en = "vote"\n[points.rules.HH]',
    1,
)
"""2oo2 of both heads."""


def test_of_two_that_vote_one_under_check_counts_as_bad_and_both_trip(tmp_path: Path) -> None:
    """2oo2 becomes 1oo1 with one of them under check, and trips once both are: nothing watches then."""
    head = Head(tmp_path, VOTES)
    for point in ("CO-01", "CO-02"):
        head.seconds(0, 5, 5.0, point=point)
    second = head.check(5, point="CO-02")
    head.seconds(5, 10, 5.0, point="CO-02")
    assert head.seconds(5, 20, 5.0) == set()
    assert ("raised", "VOTE") in head.seconds(20, 25, GAS)
    head.seconds(25, 40, 5.0)
    first = head.check(40)
    assert ("raised", "VOTE") in head.seconds(40, 45, 5.0)
    for check in (first, second):
        head.end(check.id, 45)
    head.seconds(45, 50, 5.0, point="CO-02")
    assert ("returned", "VOTE") in head.seconds(46, 80, 5.0)


@pytest.mark.parametrize(
    ("until", "point", "expected"),
    [(4000.0, "CO-01", "at most 1 h"), (5.0, "CO-01", "still to come"), (None, "GW-01", "instrument")],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    head: Head, until: float | None, point: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        head.check(6, until, point)
    assert ("raised", "H") in head.seconds(6, 10, GAS)


def test_beginning_a_check_twice_is_refused_and_names_who_began_it(head: Head) -> None:
    head.check(5)
    with pytest.raises(DoneBefore, match="王建国"):
        head.check(6)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["CO-01", "CO-02"]),
        st.sampled_from([5.0, 22.0, 30.0, 170.0]),
        st.sampled_from([0, 0, 0, int(Flag.FUNCTION_CHECK), int(Flag.BAD), int(Flag.MAINTENANCE)]),
        st.sampled_from(["", "", "", "check", "end", "restart"]),
    ),
    min_size=1,
    max_size=40,
)


def plain(acts: list[tuple[str, float, int, str]], longest: int) -> list[tuple[str, int]]:
    """The alarms H of CO-01 by a plain calculation: (event, second)."""
    found, active, checked, flagged = list[tuple[str, int]](), False, None, None
    for at, (point, value, flags, act) in enumerate(acts):
        if act == "check" and checked is None:
            checked = at
        elif act == "end":
            checked = None
        if point != "CO-01":
            continue
        flagged = (at if flagged is None else flagged) if flags & Flag.FUNCTION_CHECK else None
        checking = checked is not None and at - checked < longest
        flagged_only = flagged is not None and checked is None and at - flagged < longest
        if checking or flagged_only or flags & Flag.BAD:
            continue
        if not active and value >= 24:
            found.append(("raised", at))
            active = True
        elif active and value <= 20:
            found.append(("returned", at))
            active = False
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ACTS, st.lists(st.integers(1, 40), max_size=6))
def test_alarms_are_those_of_a_plain_reckoning_however_readings_are_cut(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, float, int, str]], cuts: list[int]
) -> None:
    longest = 6
    head = Head(_folder(tmp_path_factory), longest_s=longest)
    index = {name: point.index for name in ("CO-01", "CO-02") if (point := head.configuration.find(PLANT, name))}
    stops = {at for at, (*_, act) in enumerate(acts) if act}
    current: Suppression | None = None
    for begin, end in pairwise(sorted({0, len(acts), *stops, *(min(cut, len(acts)) for cut in cuts)})):
        act = acts[begin][3]
        if act == "check" and current is None:
            current = head.check(begin)
        elif act == "end" and current is not None:
            head.end(current.id, begin)
            current = None
        elif act == "restart":
            head.restart()
        time = np.array([START + at * SECOND for at in range(begin, end)], np.int64)
        rows = acts[begin:end]
        head.run(
            Batch(
                np.array([index[point] for point, *_ in rows], np.int32), time, np.array([row[1] for row in rows]),
                np.array([row[2] for row in rows], np.uint16), time,
            )
        )  # fmt: skip
    checking = [
        (str(event.kind), (event.time - START) // SECOND)
        for event in head.events
        if (event.alarm.point, event.alarm.rule) == ("CO-01", "H") and event.kind in {RAISED, RETURNED}
    ]
    assert checking == plain(acts, longest)


_made: list[Path] = []


def _folder(factory: pytest.TempPathFactory) -> Path:
    if not _made:
        _made.append(factory.mktemp("heads"))
    return _made[0]
