"""A hazard goes only the way the law knows: all pairs of state and step, and random walks, beside another model."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from ingest.domain.cases.errors import CaseError, Impossible, Incomplete, NotTheirs
from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardState
from ingest.domain.cases.hazard_steps import (
    Action,
    Close,
    Dismiss,
    Extend,
    Grade,
    HazardStep,
    Rectify,
    SendBack,
    Submit,
    Supervise,
    advance,
)
from ingest.domain.model.audit import ActRole
from tests.ingest.domain.cases import made
from tests.ingest.domain.cases.made import DAY, MAY, NOON, TODAY, TRANSITIONS, possible

DISMISS, EXTEND = Dismiss("设计如此，不构成隐患"), Extend(TODAY + dt.timedelta(days=30), "备件未到")
ACTIONS: dict[HazardStep, list[Action]] = {
    HazardStep.REGISTER: [made.REGISTER],
    HazardStep.GRADE: [made.GENERAL, made.MAJOR],
    HazardStep.REPORT: [made.REPORT],
    HazardStep.SUPERVISE: [made.SUPERVISE],
    HazardStep.RECTIFY: [made.rectify()],
    HazardStep.EXTEND: [EXTEND],
    HazardStep.SUBMIT: [made.SUBMIT],
    HazardStep.SEND_BACK: [made.SEND_BACK],
    HazardStep.CLOSE: [made.CLOSE],
    HazardStep.DISMISS: [DISMISS],
}


class Model:
    """The same rules as a story instead of a table."""

    def __init__(self) -> None:
        self.at = "found"
        self.major: bool | None = None
        self.listed = False
        self.late_by: dt.date | None = None

    def may(self, action: Action) -> bool:
        young = self.at in {"found", "registered", "graded"}
        under_way = self.at in {"reported", "rectifying", "submitted"}
        return {
            "register": self.at == "found",
            "dismiss": young,
            "grade": young and self.at != "found",
            "report": self.at == "graded" and self.major is True,
            "supervise": self.major is True and not self.listed and under_way,
            "rectify": self.at == ("reported" if self.major else "graded"),
            "extend": self.at == "rectifying" and self.late_by != TODAY + dt.timedelta(days=30),
            "submit": self.at == "rectifying",
            "send-back": self.at == "submitted",
            "close": self.at == "submitted" and (self.listed or not self.major),
        }[action.step]

    def do(self, action: Action) -> None:
        after = {
            "register": "registered", "grade": "graded", "report": "reported", "rectify": "rectifying",
            "submit": "submitted", "send-back": "rectifying", "close": "closed", "dismiss": "dismissed",
        }  # fmt: skip
        self.at = after.get(action.step, self.at)
        if isinstance(action, Grade):
            self.major = action.level is HazardLevel.MAJOR
        if isinstance(action, Supervise):
            self.listed = True
        if isinstance(action, (Rectify, Extend)):
            self.late_by = action.deadline


def role_for(step: HazardStep) -> tuple[str, ActRole]:
    return ("李工", "operator") if "operator" in MAY[step] else ("王检查", "inspector")


def attempt(hazard: Hazard, action: Action) -> Hazard | None:
    by, role = role_for(action.step)
    try:
        after, _ = advance(hazard, action, by=by, role=role, time=NOON)
    except (Impossible, Incomplete):
        return None
    return after


def test_the_table_and_the_story_agree_over_every_pair() -> None:
    """Every state, every level, every step."""
    seen = set()
    for state in HazardState:
        for level in (None, *HazardLevel):
            for listed in (False, True):
                for step, actions in ACTIONS.items():
                    model = Model()
                    model.at, model.major = str(state), None if level is None else level is HazardLevel.MAJOR
                    model.listed = listed
                    number = "7" if listed else None
                    hazard = replace(made.hazard(), state=state, level=level, supervision=number, deadline=TODAY)
                    for action in actions:
                        # an ungraded hazard is never past registering: the story does not tell of it
                        beyond = level is None and state not in {HazardState.FOUND, HazardState.REGISTERED}
                        if beyond:
                            continue
                        assert (attempt(hazard, action) is not None) == model.may(action), (state, level, listed, step)
                        seen.add((state, step))
    assert len(seen) == len(HazardState) * len(HazardStep)


@pytest.mark.parametrize("seed", range(20))
def test_random_walks_follow_the_story(seed: int) -> None:
    """1,000 steps a walk; a hazard that has ended begins anew."""
    chance = random.Random(seed)  # noqa: S311
    everything = [action for actions in ACTIONS.values() for action in actions]
    hazard, model = made.hazard(), Model()
    ended = 0
    for _ in range(1000):
        action = chance.choice(everything)
        after = attempt(hazard, action)
        assert (after is not None) == model.may(action), (hazard.state, hazard.level, action.step)
        if after is not None:
            model.do(action)
            assert after.version == hazard.version + 1
            hazard = after
        assert str(hazard.state) == model.at
        if not hazard.open:
            ended += 1
            hazard, model = made.hazard(), Model()
    assert ended > 10


def test_what_has_ended_stays_ended() -> None:
    for state in (HazardState.CLOSED, HazardState.DISMISSED):
        assert not any(of == state for of, _, _ in TRANSITIONS)
        assert possible(replace(made.hazard(), state=state)) == []


def test_what_a_role_is_offered_is_what_it_would_not_be_refused() -> None:
    """In every state, for every role: pages and API ask the rule itself."""
    for state in HazardState:
        hazard = replace(made.hazard(), state=state)
        for role in ("operator", "inspector", "admin", "display", "service"):
            assert possible(hazard, role) == [step for step in possible(hazard) if role in MAY[step]]
    assert not possible(made.hazard(), "display")


def test_an_impossible_step_names_the_state_and_what_is_possible() -> None:
    hazard = made.stepped(made.hazard(), made.REGISTER, made.MAJOR)
    with pytest.raises(Impossible, match=r"rectify: the major hazard is graded; possible now: grade, report, dismiss"):
        made.stepped(hazard, made.rectify())


@pytest.mark.parametrize(
    ("field", "value"),
    [("responsible", " "), ("measure", ""), ("budget_fen", -1), ("deadline", TODAY - dt.timedelta(days=1)),
     ("contingency", "\n")],
)  # fmt: skip
def test_a_plan_needs_all_five(field: str, value: object) -> None:
    graded = made.stepped(made.hazard(), made.REGISTER, made.GENERAL)
    plan = replace(made.rectify(), **{field: value})  # type: ignore[arg-type]
    with pytest.raises(Incomplete) as error:
        made.stepped(graded, plan)
    assert error.value.parameter == field.removesuffix("_fen")
    assert made.stepped(graded, replace(made.rectify(), budget_fen=0, deadline=TODAY)).state == "rectifying"


def test_a_major_hazard_has_a_clause_and_a_general_one_has_none() -> None:
    hazard = made.stepped(made.hazard(), made.REGISTER)
    with pytest.raises(Incomplete, match="clause"):
        made.stepped(hazard, Grade(HazardLevel.MAJOR))
    with pytest.raises(Incomplete, match="clause"):
        made.stepped(hazard, Grade(HazardLevel.GENERAL, made.CLAUSE))
    major = made.stepped(hazard, made.MAJOR)
    assert (major.clause, major.criteria) == (made.CLAUSE.id, made.CLAUSE.edition)
    again = made.stepped(major, made.GENERAL)
    assert (again.clause, again.criteria) == (None, None)


def test_a_major_hazard_closes_only_after_it_was_listed_and_the_listing_is_lifted_then() -> None:
    hazard = made.stepped(made.hazard(), made.REGISTER, made.MAJOR, made.REPORT, made.rectify(), made.SUBMIT)
    with pytest.raises(Impossible, match="submitted and was not listed"):
        made.stepped(hazard, made.CLOSE)
    listed = made.stepped(hazard, made.SUPERVISE)
    assert listed.lifted is None
    with pytest.raises(Impossible, match="already listed under"):
        made.stepped(listed, made.SUPERVISE)
    closed = made.stepped(listed, made.CLOSE, at=NOON + DAY)
    assert closed.lifted == closed.closed == NOON + DAY


@pytest.mark.parametrize("action", [made.CLOSE, made.SEND_BACK])
def test_nobody_reviews_what_they_submitted(action: Close | SendBack) -> None:
    hazard = made.stepped(made.hazard(), made.REGISTER, made.GENERAL, made.rectify(), made.SUBMIT)
    with pytest.raises(NotTheirs, match="somebody else"):
        advance(hazard, action, by=str(hazard.submitted_by), role="admin", time=NOON)


@pytest.mark.parametrize("step", HazardStep)
def test_the_enterprise_rectifies_and_the_authority_judges(step: HazardStep) -> None:
    judged = {"grade", "supervise", "extend", "send-back", "close", "dismiss"}
    own = {"rectify", "submit"}
    assert ("operator" in MAY[step]) == (step not in judged)
    assert ("inspector" in MAY[step]) == (step not in own)
    assert "admin" in MAY[step]
    assert "service" not in MAY[step]
    wrong: ActRole = "operator" if step in judged else "service"
    with pytest.raises(NotTheirs, match=step):
        advance(made.hazard(), ACTIONS[step][0], by="x", role=wrong, time=NOON)


def test_a_deadlines_day_is_the_last_one_in_time() -> None:
    planned = made.stepped(made.hazard(), made.REGISTER, made.GENERAL, made.rectify(TODAY))
    evening, midnight = NOON + DAY // 2 - 1, NOON + DAY // 2
    assert not planned.overdue(evening)
    assert planned.overdue(midnight)
    assert made.stepped(planned, made.SUBMIT, at=evening).in_time is True
    late = made.stepped(planned, made.SUBMIT, at=midnight)
    assert late.in_time is False
    assert not late.overdue(midnight), "it waits for the authority now"
    assert planned.in_time is None


def test_what_is_sent_back_keeps_its_deadline_unless_it_gets_a_new_one() -> None:
    hazard = made.stepped(made.hazard(), made.REGISTER, made.GENERAL, made.rectify(TODAY), made.SUBMIT)
    back = made.stepped(hazard, made.SEND_BACK, at=NOON + DAY)
    assert (back.deadline, back.sent_back, back.overdue(NOON + DAY)) == (TODAY, 1, True)
    longer = made.stepped(hazard, SendBack("再校验", TODAY + dt.timedelta(days=5)), at=NOON + DAY)
    assert not longer.overdue(NOON + DAY)
    with pytest.raises(Incomplete, match="deadline"):
        made.stepped(hazard, SendBack("再校验", TODAY), at=NOON + DAY)


def test_more_time_is_more() -> None:
    hazard = made.stepped(made.hazard(), made.REGISTER, made.GENERAL, made.rectify())
    with pytest.raises(Incomplete, match="a day after"):
        made.stepped(hazard, Extend(TODAY, "x"))
    with pytest.raises(Incomplete, match="reason"):
        made.stepped(hazard, Extend(TODAY + dt.timedelta(days=11), " "))


def test_a_history_line_repeats_what_was_entered() -> None:
    proof = uuid4()
    hazard = made.stepped(made.hazard(), made.REGISTER)
    graded, line = advance(hazard, made.MAJOR, by="王检查", role="inspector", time=NOON)
    assert (line.version, line.state, line.detail) == (3, graded.state, {"level": "major", "clause": "art14"})
    planned = made.stepped(made.hazard(), made.REGISTER, made.GENERAL, made.rectify())
    _, line = advance(planned, Submit("好了", (proof,)), by="李工", role="operator", time=NOON)
    assert line.detail == {"done": "好了", "evidence": [str(proof)]}


def test_errors_are_of_one_family() -> None:
    assert all(issubclass(kind, CaseError) for kind in (Impossible, Incomplete, NotTheirs))
