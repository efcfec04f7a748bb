"""Declared work: when it counts and its status, against a plain model; who may do what with it."""

from __future__ import annotations

import random
from dataclasses import replace
from uuid import uuid4

import pytest

from ingest.domain.cases.errors import Impossible, Incomplete, NotTheirs
from ingest.domain.cases.labels import label
from ingest.domain.cases.verbs import advance
from ingest.domain.cases.work import Work, WorkKind, WorkStanding, check, registered, sentence
from ingest.domain.cases.work_steps import Approve, Begin, Cancel, Finish, Refuse, WorkStep
from tests.ingest.domain.cases.made import DAY, HOUR, NOON

MINUTE = HOUR // 60


def hot_work(
    begins: int = NOON, ends: int = NOON + 2 * HOUR, equipment: str | None = "D1", made: int = NOON - HOUR
) -> Work:
    """Hot work on a dust collector, as it was declared."""
    return Work(
        uuid4(), "p", WorkKind.HOT_WORK, "除尘器旁", "气割法兰", begins, ends, "维修班", "李工", "张三", "清灰、接火盆",
        made, "李工", equipment=equipment,
    )  # fmt: skip


def approved(work: Work, at: int) -> Work:
    return advance(WorkStep, work, Approve(), by="陈安全", role="operator", time=at)


def begun(work: Work, at: int) -> Work:
    return advance(WorkStep, work, Begin(), by="李工", role="operator", time=at)


def finished(work: Work, at: int) -> Work:
    return advance(WorkStep, work, Finish("无余火"), by="李工", role="operator", time=at)


def minutes(life: list[tuple[int, str]], begins: int, ends: int, until: int) -> list[tuple[bool, str]]:
    """A plain model: minute after minute, whether the work counts, and its status."""
    state, found = "declared", []
    ever_begun = next((at for at, step in life if step == "begin"), None)
    ever_over = next((at for at, step in life if step == "finish"), None)
    gone = any(step in {"refuse", "cancel"} for _, step in life)
    for minute in range(until):
        for at, step in life:
            if at == minute:
                state = {"approve": "approved", "begin": "under-way", "finish": "finished"}.get(
                    step, {"refuse": "refused", "cancel": "cancelled"}.get(step, state)
                )
        if ever_begun is not None:  # it lasts from when it began, or was to, until somebody says that it is over
            inside = minute >= min(begins, ever_begun) and (ever_over is None or minute < ever_over)
        else:
            inside = begins <= minute < ends
        standing = {
            "declared": "not-approved" if minute >= begins else "waiting",
            "approved": "lapsed" if minute >= ends else "not-begun" if minute >= begins else "planned",
            "under-way": "overran" if minute >= ends else "under-way",
        }.get(state, state)
        found.append((inside and not gone, standing))
    return found


def test_work_is_considered_as_in_a_plain_model() -> None:
    """Two thousand lives: begun early or late, overran, refused, called off, never begun, never approved."""
    chance = random.Random(4)  # noqa: S311  no secret
    forms = {
        "approve": Approve(),
        "refuse": Refuse("x"),
        "begin": Begin(),
        "finish": Finish("x"),
        "cancel": Cancel("x"),
    }
    following = {"declared": ["approve", "refuse", "cancel"], "approved": ["begin", "cancel"], "under-way": ["finish"]}
    for _ in range(2000):
        begins = chance.randint(1, 20)
        ends = begins + chance.randint(1, 20)
        record, life, minute = hot_work(NOON + begins * MINUTE, NOON + ends * MINUTE, made=NOON), [], 0
        standings = []
        while minute < 60:
            standings.append(record.standing(NOON + minute * MINUTE))
            minute += 1
            if chance.random() < 0.08 and (choices := following.get(record.state)):
                step = chance.choice(choices)
                record = advance(
                    WorkStep, record, forms[step], by="陈安全", role="operator", time=NOON + minute * MINUTE
                )
                life.append((minute, step))
        model = minutes(life, begins, ends, 60)
        assert [record.covers(NOON + at * MINUTE) for at in range(60)] == [inside for inside, _ in model], life
        assert standings == [standing for _, standing in model], life


def test_what_an_alarm_says_of_it_follows_its_life() -> None:
    work, kind = hot_work(), label(WorkKind.HOT_WORK)
    at = NOON + HOUR
    assert sentence(work, kind, at).zh == "登记动火作业 11-24 12:00–14:00，监护人 张三（未审批）"
    work = approved(work, NOON - HOUR)
    assert sentence(work, kind, at).en == (
        "registered hot work 11-24 12:00–14:00, guardian 张三 (beginning not reported)"
    )
    work = begun(work, NOON)
    assert sentence(work, kind, at).en == "registered hot work 11-24 12:00–14:00, guardian 张三"
    assert sentence(work, kind, NOON + 3 * HOUR).zh.endswith("（已超时）")
    work = finished(work, NOON + 4 * HOUR)
    assert sentence(work, kind, NOON + 3 * HOUR).zh.endswith("（已超时）"), "finishing it does not undo that"
    assert not work.covers(NOON + 4 * HOUR)
    wide = sentence(replace(work, equipment=None), kind, at)
    assert "除尘器旁" in wide.zh, "what no equipment says is said in words"


def test_an_alarm_hears_of_work_on_its_equipment_and_in_its_plant_and_of_no_other() -> None:
    here, wide, there = hot_work(), hot_work(equipment=None), hot_work(equipment="D2")
    elsewhere = replace(hot_work(), plant="q")
    works = [wide, there, elsewhere, here]
    assert registered(works, "p", "D1", NOON) == [here, wide], "its own first"
    assert registered(works, "p", "D2", NOON) == [there, wide]
    assert registered(works, "p", None, NOON) == [wide], "a point of no equipment"
    assert registered(works, "p", "D1", NOON + 2 * HOUR) == []


def test_nobody_approves_what_they_declared_and_nothing_runs_without_approval() -> None:
    work = hot_work()
    with pytest.raises(NotTheirs, match="李工 submitted it"):
        advance(WorkStep, work, Approve(), by="李工", role="admin", time=NOON)
    with pytest.raises(Impossible, match="is declared"):
        begun(work, NOON)
    with pytest.raises(NotTheirs):
        advance(WorkStep, approved(work, NOON), Begin(), by="王检查", role="inspector", time=NOON)
    for over in (finished(begun(approved(work, NOON), NOON), NOON), advance(
        WorkStep, work, Refuse("措施不全"), by="王检查", role="inspector", time=NOON
    )):  # fmt: skip
        assert WorkStep.possible(over) == []


def test_work_is_declared_whole_and_for_a_time_that_makes_sense() -> None:
    check(hot_work())
    check(hot_work(made=NOON + HOUR))  # late, and told as such
    assert hot_work(made=NOON + HOUR).late
    with pytest.raises(Incomplete, match="ends"):
        check(hot_work(ends=NOON))
    with pytest.raises(Incomplete, match="ends"):
        check(hot_work(made=NOON + 2 * HOUR))  # all of it is past
    with pytest.raises(Incomplete, match="at most"):
        check(hot_work(ends=NOON + 400 * DAY))
    with pytest.raises(Incomplete, match="guardian"):
        check(replace(hot_work(), guardian=" "))
    assert hot_work().standing(NOON) is WorkStanding.NOT_APPROVED
