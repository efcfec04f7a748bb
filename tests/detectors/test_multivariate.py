"""A group of points is judged as one: what no single limit sees, which member it is, and what must not disturb it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import Bank, Findings, Readings
from detectors.detector import Reason, ScoringDetector
from detectors.group import ordered_sum, pulled
from tests.detectors.rule_tables import SECOND, rule, table
from tests.detectors.scored import START, Row, plain_rows, scored_rows
from tests.reference.plain import PlainRule

NAN = math.nan
TRAIN = 300
DISTANCE: dict[str, Any] = {
    "train": float(TRAIN),
    "smoothing": 0.2,
    "ridge": 0.0,
    "adaptation": 0.0,
    "clip": math.inf,
    "limit": 0.0,
    "quantile": 0.99,
    "release": 0.85,
    "culprit": 0.2,
    "shrink": 0.005,
    "fresh_s": 10.0,
    "gap_s": 60.0,
}
COMPONENTS: dict[str, Any] = {
    "train": float(TRAIN),
    "share": 0.8,
    "quantile": 0.99,
    "smoothing": 0.3,
    "fresh_s": 10.0,
}
PARAM = {"mahalanobis": DISTANCE, "t2": COMPONENTS, "spe": COMPONENTS}
Floats = NDArray[np.float64]


def circuit(seconds: int, seed: int = 3) -> Floats:
    """A cooling circuit: two flows, a pressure and a temperature that follow one load, noise on each."""
    random = np.random.default_rng(seed)
    load = np.convolve(random.normal(size=seconds + 9), np.full(10, 0.5), "valid")[:, np.newaxis]
    noise = random.normal(size=(seconds, 4))
    return np.asarray([100.0, 99.0, 4.0, 30.0] + load * [5.0, 5.0, 0.2, -1.0] + noise * [0.4, 0.4, 0.02, 0.1])


def leaking(seconds: int = TRAIN + 200, begin: int = TRAIN + 60) -> Floats:
    """From `begin` on, two of a hundred litres leave between inlet (sensor 0) and outlet (sensor 1)."""
    rows = circuit(seconds)
    rows[begin:, 1] -= 2.0
    return rows


def stream(rows: Floats, since: int = 0) -> list[Row]:
    """The rows once a second, sensor 0 last in each."""
    return [
        (sensor, START + (since + second) * SECOND, float(row[sensor]))
        for second, row in enumerate(rows)
        for sensor in (*range(1, len(row)), 0)
    ]


def group(kind: str, number: int = 0, point: int = 0, on: float = 1.0, off: float = 0.85, **param: Any) -> PlainRule:
    """A rule on all sensors of the circuit."""
    return rule(kind, number, point, on, off, **{"inputs": (1, 2, 3), **PARAM[kind], **param})


def feed(bank: Bank, rows: list[Row]) -> Findings:
    point, time, value = (np.array(column) for column in zip(*rows, strict=True))
    carrier = point.astype(np.int32)
    return bank.update(Readings(carrier, time, value, time, carrier), int(time[-1]))


def found(rules: list[PlainRule], rows: Floats) -> list[tuple[bool, int, int]]:
    """Findings: tripped, second, the sensor blamed."""
    findings = feed(Bank({rules[0].kind: table(rules)}), stream(rows))
    seconds = ((findings.time - START) // SECOND).tolist()
    return list(zip(findings.raised.tolist(), seconds, findings.cause.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["mahalanobis", "spe"])
def test_a_leak_that_no_single_limit_sees_is_found_by_the_group_and_the_guilty_sensor_is_named(kind: str) -> None:
    rows, begin = leaking(), TRAIN + 60
    away = np.abs(rows - rows[:TRAIN].mean(axis=0)) / rows[:TRAIN].std(axis=0)
    assert away[begin:].max() < 3.5, "each is where it often was"
    raised, second, cause = found([group(kind, on=1.25, off=1.0)], rows)[0]
    assert raised
    assert begin <= second < begin + 30
    assert cause in {0, 1}, "of the two flows that no longer agree, either may be the one that is wrong"
    rows[begin:, 2] += 0.4
    rows[begin:, 1] += 2.0
    assert found([group(kind, on=1.25, off=1.0)], rows)[0][2] == 2


@pytest.mark.parametrize("kind", list(PARAM))
def test_normal_running_is_quiet(kind: str) -> None:
    assert found([group(kind, on=3.0, off=1.0)], circuit(TRAIN + 2000)) == []


def test_t2_sees_that_all_do_too_much_and_spe_that_they_do_not_do_it_together() -> None:
    rows = circuit(TRAIN + 100)
    rows[TRAIN + 50 :] += np.array([5.0, 5.0, 0.2, -1.0]) * 12
    assert found([group("t2", on=2.0)], rows)[0][:2] == (True, TRAIN + 50)
    assert found([group("spe", on=2.0)], rows) == []


@pytest.mark.parametrize("kind", list(PARAM))
def test_missing_sensors_are_tolerated(kind: str) -> None:
    """Bad, silent or the judged one itself: what is left goes on being judged, and no gap is an alarm."""
    rows = leaking(TRAIN + 400, TRAIN + 200)
    rows[TRAIN + 20 :, 3] = NAN
    rows[TRAIN + 40 : TRAIN + 200 : 3, 0] = NAN
    rows[TRAIN + 50 : TRAIN + 60, 0:3] = NAN
    if kind == "t2":
        rows[TRAIN + 200 :, :3] += [60.0, 60.0, 2.4]
    alarms = found([group(kind, on=1.1, off=0.7) if kind == "mahalanobis" else group(kind, on=2.0)], rows)
    assert [raised for raised, _, _ in alarms] == [True]
    assert TRAIN + 200 <= alarms[0][1] < TRAIN + 240
    assert alarms[0][2] in {0, 1, 2}


@pytest.mark.parametrize("kind", list(PARAM))
def test_nothing_is_found_before_training_is_complete(kind: str) -> None:
    rows, rules = leaking(TRAIN, 10), table([group(kind)])
    bank = Bank({kind: rules})
    assert not len(feed(bank, stream(rows[:-1])))
    assert [Reason(reason) for reason in bank.not_evaluated(START).reason] == [Reason.WARMING_UP]
    assert not len(feed(bank, stream(rows[-1:], since=TRAIN - 1)))
    assert not len(bank.not_evaluated(START).reason)


@pytest.mark.parametrize("kind", list(PARAM))
@pytest.mark.parametrize("stood", [0.0, 4.0])
def test_a_member_that_stood_still_while_the_group_was_learnt_is_judged_for_moving(kind: str, stood: float) -> None:
    rows = circuit(TRAIN + 200)
    rows[:, 2] = stood
    rows[TRAIN + 100 :, 2] = 1000.0
    assert found([group(kind, on=2.0, off=1.0)], rows) == [(True, TRAIN + 100, 2)]


@pytest.mark.parametrize("kind", list(PARAM))
def test_a_member_that_moves_in_a_part_of_the_lesson_only_does_not_blind_the_group(kind: str) -> None:
    """What stood still in the other parts must not make a limit that nothing ever reaches."""
    rows = leaking(TRAIN + 200, TRAIN + 100)
    rows[TRAIN + 100 :] += [0.0, -20.0, 0.0, 5.0]
    rows[:, 2] = 0.0
    rows[TRAIN - 40 : TRAIN - 20, 2] = 1.0
    raised, second, _ = found([group(kind, on=1.25, off=1.0)], rows)[0]
    assert raised
    assert TRAIN + 100 <= second < TRAIN + 130


@pytest.mark.parametrize("kind", list(PARAM))
def test_a_member_missing_in_most_of_the_training_is_reported_as_not_evaluated(kind: str) -> None:
    rows = circuit(TRAIN + 100)
    rows[: TRAIN - 100, 3] = NAN
    rows[TRAIN:, 3] = 1000.0
    bank = Bank({kind: table([group(kind, on=2.0, off=1.0)])})
    assert not len(feed(bank, stream(rows)))
    assert [Reason(reason) for reason in bank.not_evaluated(START).reason] == [Reason.MEMBER_UNKNOWN]


@pytest.mark.parametrize("kind", list(PARAM))
def test_a_lesson_in_which_nothing_moves_is_refused_and_the_next_one_is_learnt_from(kind: str) -> None:
    still, rule = np.tile(circuit(1), (TRAIN, 1)), group(kind)
    bank = Bank({kind: table([rule])})
    assert not len(feed(bank, stream(still)))
    assert [Reason(reason) for reason in bank.not_evaluated(START).reason] == [Reason.LESSON_REFUSED]
    bank = bank.successor({kind: table([rule])})
    assert [Reason(reason) for reason in bank.not_evaluated(START).reason] == [Reason.LESSON_REFUSED]
    feed(bank, stream(circuit(TRAIN), since=TRAIN))
    assert not len(bank.not_evaluated(START).reason)
    for nothing in (still, np.full((TRAIN, 4), NAN), np.where(np.arange(4) == 0, still, NAN)):
        with pytest.raises(ValueError, match="no member moves"):
            Bank({kind: table([rule])}).teach(kind, "p0/r0", nothing)


@pytest.mark.parametrize("kind", list(PARAM))
def test_members_that_say_the_same_are_no_trouble(kind: str) -> None:
    rows = leaking(TRAIN + 200, TRAIN + 100)
    rows[:, 2], rows[:, 3] = rows[:, 0], 2 * rows[:, 0]
    rows[TRAIN + 100 :] += [80.0, 80.0, 80.0, 160.0] if kind == "t2" else [0.0, -20.0, 0.0, 0.0]
    more: dict[str, Any] = {"shrink": 0.0} if kind == "mahalanobis" else {}
    raised, second, _ = found([group(kind, on=3.0, off=1.0, **more)], rows)[0]
    assert raised
    assert TRAIN + 100 <= second < TRAIN + 130


def test_a_rule_remembers_the_same_to_the_last_bit_whatever_is_missing_from_another() -> None:
    """Also of what they know in common: without that, a restart in another batch would not give the same state."""
    rows = np.column_stack((circuit(TRAIN + 200), np.ones(TRAIN + 200)))
    rows[TRAIN + 5 :, 4] = NAN
    follows: dict[str, Any] = {"ridge": 0.01, "adaptation": 0.002}
    whole, lacking = group("mahalanobis", **follows), group("mahalanobis", 1, inputs=(1, 2, 3, 4), **follows)
    alone, beside = Bank({"mahalanobis": table([whole])}), Bank({"mahalanobis": table([whole, lacking])})
    for begin, end in ((0, TRAIN), *((second, second + 1) for second in range(TRAIN, len(rows)))):
        for bank in (alone, beside):
            feed(bank, stream(rows[begin:end], since=begin))
        ours, theirs = (bank.detectors()[0].state().arrays["previous"][0] for bank in (alone, beside))
        assert ours.tolist() == theirs[:4].tolist(), begin


@pytest.mark.parametrize("ridge", [0.0, 0.01])
def test_a_pause_restarts_the_memory(ridge: float) -> None:
    """What a fault had raised the average to is not held against the plant after a stop."""
    before, after = stream(leaking(TRAIN + 100, TRAIN + 60)), circuit(30, seed=9)
    rule = group("mahalanobis", smoothing=0.1, ridge=ridge)
    scores = {
        pause: [each.score for each in scored_rows(rule, before + stream(after, since=TRAIN + 99 + pause))]
        for pause in (60, 61)
    }
    assert scores[60][TRAIN + 99] > 1.0
    assert scores[60][TRAIN + 100] > 1.0
    assert max(scores[61][TRAIN + 100 :]) < 1.0
    assert (scores[61][TRAIN + 100] == 0.0) == (ridge > 0), "where the last vector is not known, nothing was foretold"


def test_training_from_a_file_equals_training_online() -> None:
    rows = circuit(TRAIN)
    rows[::7, 2] = NAN
    for kind in PARAM:
        rules = table([group(kind)])
        online, taught = Bank({kind: rules}), Bank({kind: rules})
        feed(online, stream(rows))
        taught.teach(kind, rules.key[0], rows)
        theirs, ours = (bank.detectors()[0].state().arrays for bank in (online, taught))
        assert all(np.array_equal(theirs[name], ours[name]) for name in theirs.keys() - {"last"})
        assert not len(taught.not_evaluated(START).reason) or taught.not_evaluated(START).reason.tolist() == [
            Reason.NEVER_HEARD
        ]
        later = stream(leaking(200, 60), since=TRAIN + 1000)
        assert feed(online, later).time.tolist() == feed(taught, later).time.tolist()


def test_only_a_rule_that_learns_a_model_can_be_taught() -> None:
    bank = Bank({"spe": table([group("spe")]), "limit": table([rule("limit", 1, 0, 1.0, side=1.0)])})
    for kind, key in (("limit", "p0/r1"), ("spe", "p0/r9"), ("t2", "p0/r0")):
        with pytest.raises(KeyError):
            bank.teach(kind, key, circuit(TRAIN))
    with pytest.raises(ValueError, match=r"\(300, 3\)"):
        bank.teach("spe", "p0/r0", circuit(TRAIN)[:, :3])


def test_a_slow_drift_is_followed_for_a_while_but_not_one_that_has_raised_the_alarm() -> None:
    """The baseline stands still for the guilty member, so that a fault does not become the normal state."""
    adaptive: dict[str, Any] = {"adaptation": 0.01, "limit": 8.0, "clip": 5.0, "gap_s": math.inf}
    usual, far = circuit(TRAIN + 4000), float(circuit(TRAIN + 4000)[:TRAIN, 3].std())

    def drifting(by: float) -> Floats:
        return usual + np.linspace(0.0, 1.0, len(usual))[:, np.newaxis] * [0.0, 0.0, 0.0, by * far]

    assert found([group("mahalanobis", **adaptive)], drifting(2.0)) == []
    assert found([group("mahalanobis", **{**adaptive, "adaptation": 0.0})], drifting(2.0)) != []
    slow = found([group("mahalanobis", **adaptive)], drifting(4.0))
    assert [(raised, cause) for raised, _, cause in slow][:1] == [(True, 3)], "nobody accepted that much, however slow"
    fault = circuit(TRAIN + 2000)
    fault[TRAIN + 500 :, 3] += 5.0
    (raised, _, cause), (_, returned, _) = found([group("mahalanobis", **adaptive)], fault)
    assert (raised, cause) == (True, 3)
    assert returned > TRAIN + 500 + 0.75 * TRAIN, "it ends when the process has kept still at another level for long"


def test_a_wild_value_is_forgotten_like_any_other() -> None:
    rows = circuit(TRAIN + 900)
    rows[TRAIN + 50, 1] = 1e300
    rows[TRAIN + 60, 1] = math.inf
    for kind in PARAM:
        raised = [raised for raised, _, _ in found([group(kind, on=2.0, off=1.0)], rows)]
        assert raised == [True, False]


def test_nothing_is_learnt_or_found_behind_a_closed_gate() -> None:
    """A machine that stands still for a while in the middle of the lesson and after it."""
    rows = np.insert(leaking(TRAIN + 200, TRAIN + 100), [100, TRAIN + 50], 0.0, axis=0)
    running = np.ones(len(rows))
    running[[100, TRAIN + 51]] = 0.0
    both = np.column_stack((rows, running))
    for kind in ("mahalanobis", "spe"):
        alarms = found([group(kind, gate=(4, ">", 0.5), on=1.25, off=1.0)], both)
        assert [raised for raised, _, _ in alarms] == [True]
        assert TRAIN + 102 <= alarms[0][1] < TRAIN + 132


@pytest.mark.parametrize("kind", list(PARAM))
def test_groups_of_different_sizes_do_not_feel_each_other(kind: str) -> None:
    """Nor does one that has learnt forget when a larger one joins it, or leaves."""
    rows = leaking()
    small, large = group(kind, 0, inputs=(1,)), group(kind, 1, train=40.0)
    whole, cut = stream(rows), 4 * (TRAIN + 30)
    alone = feed(Bank({kind: table([small])}), whole)
    both = feed(Bank({kind: table([small, large])}), whole)
    assert both.time[both.rule == 0].tolist() == alone.time.tolist() != []
    bank = Bank({kind: table([small])})
    feed(bank, whole[:cut])
    bank = bank.successor({kind: table([small, large])})
    bank = bank.successor({kind: table([small])})
    assert feed(bank, whole[cut:]).time.tolist() == alone.time[alone.time >= whole[cut][1]].tolist()


@pytest.mark.parametrize("changed", [{"inputs": (1, 3)}, {"inputs": (1, 2)}, {"train": 200.0}])
def test_a_rule_whose_members_or_model_change_learns_anew(changed: dict[str, Any]) -> None:
    for kind in PARAM:
        bank = Bank({kind: table([group(kind)])})
        feed(bank, stream(circuit(TRAIN)))
        same = bank.successor({kind: table([group(kind, on=3.0, off=2.0)])})
        other = bank.successor({kind: table([group(kind, **changed)])})
        for successor, trained in ((same, True), (other, False)):
            feed(successor, stream(circuit(1), since=TRAIN))
            (detector,) = successor.detectors()
            assert isinstance(detector, ScoringDetector)
            assert detector.scorer.blind(0).tolist() == [not trained]


def troubled(seed: int) -> list[Row]:
    """A circuit with everything that goes wrong: bad values, silence, pauses, a gate (point 4) that closes at times."""
    random = np.random.default_rng(seed)
    rows = leaking(260, 200)
    rows[random.random(rows.shape) < 0.05] = NAN
    rows[40:70, 2] = NAN
    readings, now = [], START
    for second, row in enumerate(rows):
        now += SECOND * int(random.choice([1, 1, 1, 1, 1, 1, 1, 100]))
        readings.append((4, now, float(second % 60 > 4)))
        readings += [(sensor, now, float(row[sensor])) for sensor in (1, 2, 3) if random.random() < 0.9]
        readings.append((0, now, float(row[0])))
    return readings


VARIANTS: list[dict[str, Any]] = [
    {},
    {"ridge": 0.01},
    {"ridge": 0.1, "adaptation": 0.02, "clip": 3.0, "limit": 3.0},
    {"share": 0.99, "smoothing": 1.0},
]


@pytest.mark.parametrize("kind", list(PARAM))
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("train", [7, 120])
def test_scores_and_causes_are_those_of_plain_loops_however_the_stream_is_cut(
    kind: str, variant: dict[str, Any], train: int
) -> None:
    mine = {name: value for name, value in variant.items() if name in PARAM[kind]}
    rule = group(kind, gate=(4, ">", 0.5), **{**mine, "train": float(train)})
    rows = troubled(train)
    plain = plain_rows(rule, rows)
    for cuts in ([], list(range(0, len(rows), 97))):
        fast = scored_rows(rule, rows, cuts)
        assert [f.time for f in fast] == [p.time for p in plain]
        assert [f.score for f in fast] == pytest.approx([p.score for p in plain], rel=1e-6, nan_ok=True)
        assert [f.cause for f in fast] == [p.cause for p in plain]
    assert sum(not math.isnan(p.score) for p in plain) > 50


def test_a_product_is_the_same_to_the_last_bit_however_wide_the_table_is() -> None:
    random = np.random.default_rng(9)
    for width in range(1, 60):
        matrix, vector = random.normal(size=(3, width, width)), random.normal(size=(3, width))
        wider, longer = np.zeros((3, 2, width + 11, width + 11)), np.zeros((3, 2, width + 11))
        wider[:, 0, :width, :width], longer[:, 0, :width] = matrix, vector
        plain = np.zeros((3, width))
        for row in range(width):
            plain += matrix[:, row] * vector[:, [row]]
        assert pulled(matrix, vector).tolist() == pulled(wider, longer)[:, 0, :width].tolist() == plain.tolist()


def test_a_sum_is_the_same_to_the_last_bit_however_wide_the_table_is() -> None:
    """A rule's arrays are as wide as the largest group's; what is beyond its own members is zero."""
    random = np.random.default_rng(8)
    for width in range(1, 60):
        terms = random.normal(size=(7, width)) * 10.0 ** random.integers(-6, 6, (7, width))
        wider = np.hstack((terms, np.zeros((7, 67))))
        assert ordered_sum(wider).tolist() == ordered_sum(terms).tolist() == [ordered_sum(row) for row in terms]
