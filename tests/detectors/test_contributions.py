"""A finding of a group names the members that contribute most, with their shares, however the stream was cut."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from detectors import Bank, Findings
from detectors.contributions import MOST, Contributor, ranked
from tests.detectors.rule_tables import table
from tests.detectors.scored import Row
from tests.detectors.test_multivariate import PARAM, TRAIN, feed, group, leaking, stream
from tests.reference.plain import PlainRule, World
from tests.reference.scores import SCORES

Named = dict[tuple[int, int], list[Contributor]]
"""By rule and time of a trip: members and shares, the largest first."""


def named(rules: list[PlainRule], rows: list[Row], cuts: list[int]) -> Named:
    bank, found = Bank({rules[0].kind: table(rules)}), Named()
    for begin, end in pairwise([0, *cuts, len(rows)]):
        found |= of_trips(feed(bank, rows[begin:end]))
    return found


def of_trips(findings: Findings) -> Named:
    found = Named()
    for at, trips in enumerate(findings.raised.tolist()):
        assert findings.contributions is not None
        stated = findings.contributions.of(at)
        assert (stated[0].point if stated else -1) == findings.cause[at]
        if trips:
            found[int(findings.rule[at]), int(findings.time[at])] = stated
    return found


def plainly(rule: PlainRule, rows: list[Row], time: int) -> list[Contributor]:
    """The members to blame at that moment by the plain loop, with their shares of all that is to blame."""
    world = World()
    for point, at, value in rows:
        if at > time or not world.takes(point, at, value) or point != rule.point:
            continue
        SCORES[rule.kind](rule, at, value, True, world)
    blame = {
        point: max(part, 0.0) for point, part in zip((rule.point, *rule.inputs), rule.memory["blame"], strict=True)
    }
    shares = {point: part / sum(blame.values()) for point, part in blame.items()}
    order = sorted(shares, key=lambda point: -shares[point])
    return [Contributor(point, shares[point]) for point in order if shares[point] >= 0.01]


ON: dict[str, dict[str, Any]] = {
    "mahalanobis": {"on": 1.25, "off": 1.0},
    "spe": {"on": 1.25, "off": 1.0},
    "t2": {"on": 1.1},
}


@pytest.mark.parametrize("kind", list(PARAM))
def test_members_and_shares_are_those_of_plain_loops_to_the_last_bit_for_any_cut(kind: str) -> None:
    rows = leaking()
    rows[TRAIN + 60 :, 2] += np.linspace(0, 2.0, len(rows) - TRAIN - 60)
    rows[TRAIN + 100 : TRAIN + 160] = rows[:60]  # back to normal, so that it trips a second time
    readings = stream(rows)
    rules = [group(kind, **ON[kind]), group(kind, number=1, **{**ON[kind], "inputs": (2, 1)})]
    whole = named(rules, readings, [])
    assert len(whole) >= 3
    assert {rule for rule, _ in whole} == {0, 1}, "two groups of different size in one table"
    for cuts in (range(4, len(readings), 4), range(388, len(readings), 388)):
        assert named(rules, readings, [*cuts]) == whole
    for (rule, time), stated in whole.items():
        fresh = [group(kind, **ON[kind]), group(kind, number=1, **{**ON[kind], "inputs": (2, 1)})][rule]
        expected = plainly(fresh, readings, time)
        assert [each.point for each in stated] == [each.point for each in expected]
        assert [each.share for each in stated] == pytest.approx([each.share for each in expected], rel=1e-6)


def test_the_two_flows_that_no_longer_agree_have_nearly_all_of_it() -> None:
    stated = next(iter(named([group("spe", on=1.25, off=1.0)], stream(leaking()), []).values()))
    shares = {each.point: each.share for each in stated}
    assert shares[0] + shares[1] > 0.8
    assert 0.9 < sum(shares.values()) <= 1 + 1e-9


def test_a_return_and_kinds_that_judge_one_point_name_nobody() -> None:
    rows = leaking(TRAIN + 300)
    rows[TRAIN + 200 :] = rows[:100]
    findings = feed(Bank({"spe": table([group("spe", on=1.25, off=1.0)])}), stream(rows))
    back = np.flatnonzero(~findings.raised)
    assert len(back)
    assert findings.contributions is not None
    assert all(not findings.contributions.of(int(at)) for at in back)


def test_of_many_members_five_are_named_and_those_that_contribute_next_to_nothing_never() -> None:
    member = np.arange(8, dtype=np.int32)[np.newaxis]
    stated = ranked(member, np.array([[1.0, 6.0, 5.0, 4.0, 3.0, 2.0, -9.0, -np.inf]])).of(0)
    assert [each.point for each in stated] == [1, 2, 3, 4, 5]
    assert len(stated) == MOST
    assert stated[0].share == pytest.approx(6 / 21)
    assert ranked(member[:, :2], np.array([[1.0, 999.0]])).of(0) == [Contributor(1, 0.999)]
    assert ranked(member[:, :2], np.zeros((1, 2))).of(0) == []
