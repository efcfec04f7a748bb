"""What the people of the demonstration's dust plant enter on its first day, so that no register is empty.

One area was cleaned in time and one was not, of a third nothing is on record; one hot work goes on, another waits for
approval; the pledge of the day is given. The other plants' pledges are left to whoever looks at the demonstration.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.days import day_of
from ingest.domain.cases.pledge import SENTENCE, Pledge
from ingest.domain.cases.work import Work, WorkKind
from ingest.domain.cases.work_steps import Approve, Begin, WorkStep
from ingest.services.access import Principal
from ingest.services.cases import cleanings, pledges, steps, works
from ingest.services.ports import Ports

PLANT: Final = "demo-dust"

_SAFETY: Final = Principal("安全员 林秀英", "operator", frozenset({PLANT}))
_WORKSHOP: Final = Principal("抛光车间 黄志强", "operator", frozenset({PLANT}))
_AUTHORITY: Final = Principal("镇应急管理站", "inspector", None)

_HOUR: Final = 3600 * 10**9
_NEW: Final = UUID(int=0)


def enter_duties(ports: Ports) -> None:
    """Make the entries, each in its usual author's name; none if that plant is missing. Raises StateUnavailable."""
    if PLANT not in ports.live.configuration().plants:
        return
    _clean(ports, "CLEAN-POLISH", 30)
    _clean(ports, "CLEAN-DC", 2)
    under_way = _declare(ports, "气割更换风管法兰", "1号除尘器顶部", "DC-01", -0.5, 2)
    for who, form in ((_AUTHORITY, Approve()), (_WORKSHOP, Begin())):
        under_way = steps.take(ports, who, WorkStep, under_way.id, under_way.version, form)
    _declare(ports, "焊接灰斗支架", "2号除尘器旁", "DC-02", 20, 23)
    draft = Pledge(
        _NEW,
        PLANT,
        day_of(ports.now()),
        number=0,
        assessment="1号除尘器顶部动火，已停机、清灰、测爆，专人监护；其余装置正常。",
        text=SENTENCE,
        person="陈建安",
        running=2,
        stopped=1,
        given=0,
        by="",
        works={str(WorkKind.HOT_WORK): 1},
    )
    pledges.give(ports, _SAFETY, draft)


def _clean(ports: Ports, area: str, hours_ago: float) -> None:
    done = ports.now() - int(hours_ago * _HOUR)
    draft = Cleaning(_NEW, PLANT, area, done, "抛光班组", "已清扫，无可见积尘", 0, "", thickness_um=400)
    cleanings.record(ports, _WORKSHOP, draft)


def _declare(ports: Ports, what: str, area: str, equipment: str, begins_h: float, ends_h: float) -> Work:
    now = ports.now()
    draft = Work(
        _NEW,
        PLANT,
        WorkKind.HOT_WORK,
        area,
        what,
        begins=now + int(begins_h * _HOUR),
        ends=now + int(ends_h * _HOUR),
        contractor="维修班",
        person="黄志强",
        guardian="吴建国",
        measures="停机清灰，测爆合格；接火盆，灭火器两具，作业后看守 30 分钟",
        made=0,
        declared_by="",
        equipment=equipment,
    )
    return works.declare(ports, _WORKSHOP, draft)
