"""A county's afternoon: a few alarms, a stale point, a bad one, a gateway that is offline, messages in quarantine."""

from __future__ import annotations

from dataclasses import replace

from detectors.detector import Reason
from ingest.domain.model.alarm import Alarm, AlarmEventKind, AlarmState
from ingest.domain.model.flags import Flag
from ingest.plants.view import Latest
from ingest.storage.journal.records import GatewaySequence, Quarantined
from ingest.storage.journal.sequence_state import Gap
from tests.ingest.web.made_up_plants import ALUMINIUM, NOON, SECOND, STEEL, WOOD, sample_of
from tests.ingest.web.stand_in import StandIn


def busy(now: int = NOON) -> StandIn:
    """A county's afternoon: a few alarms, a stale point, a bad one, a gateway that is away."""
    hall = StandIn(now)
    past = hall.raise_alarm(STEEL, "CO-02", "H", 26.0, ago_s=9_400)
    _acknowledged(hall, past, "赵敏", "检修吹扫，已撤人")
    hall.return_alarm(hall.book[past.id], ago_s=8_900)
    older = hall.raise_alarm(WOOD, "DP-01", "HH", 1523, ago_s=30_400)
    _acknowledged(hall, older, "陈立", None)
    hall.return_alarm(hall.book[older.id], ago_s=29_000)
    known = hall.raise_alarm(STEEL, "CO-01", "H", 27.0, ago_s=1_260)
    _acknowledged(hall, known, "赵敏", "便携仪复测 25 ppm，已通风")
    hall.return_alarm(hall.raise_alarm(WOOD, "HOPPER_T-01", "H", 61.4, ago_s=2_700), ago_s=2_100)
    hall.raise_alarm(WOOD, "GW-01", "OFFLINE", 0.0, ago_s=640)
    hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "L", 0.311, ago_s=75)
    hall.put(ALUMINIUM, "CW_IN_T-01", Latest(now - 400 * SECOND, 31.0, 0, stale=True))
    hall.put(ALUMINIUM, "CW_OUT_T-01", Latest(now - 2 * SECOND, 44.0, Flag.BAD, stale=False))
    hall.put(ALUMINIUM, "PIT_LVL-01", Latest(0, None, 0, stale=True))
    hall.put(STEEL, "GH_LVL-01", Latest(now - 2 * SECOND, 101.2, Flag.OUT_OF_RANGE, stale=False))
    hall.put(WOOD, "GW-01", Latest(now - 640 * SECOND, 0.0, 0, stale=False))
    hall.put(STEEL, "GW-01.clock", Latest(now - SECOND, -0.21, 0, stale=False))
    hall.put(ALUMINIUM, "GW-01.clock", Latest(now - SECOND, 75.0, 0, stale=False))
    hall.put(WOOD, "GW-01.clock", Latest(now - 640 * SECOND, -0.2, 0, stale=True))
    hall.silent = {
        (ALUMINIUM, "CW_IN_P-01", "L"): Reason.WARMING_UP,
        (ALUMINIUM, "CW_OUT_T-01", "HH"): Reason.NO_VALUE,
    }
    for point in hall.known.plants[WOOD].points:
        if not point.is_device:
            hall.put(WOOD, point.id, Latest(now - 640 * SECOND, sample_of(point, now), 0, stale=True))
    hall.positions = [
        GatewaySequence(ALUMINIUM, "GW-01", "01JDA4Q2", 184_220, (), (), True, now - 2 * SECOND, 402_118, 31),
        GatewaySequence(
            STEEL,
            "GW-01",
            "01JD7T9K",
            90_412,
            (Gap(90_120, 90_131), Gap(90_388, 90_388)),
            (Gap(81_002, 81_003),),
            True,
            now - SECOND,
            733_005,
            12,
        ),
        GatewaySequence(WOOD, "GW-01", "01JCZZ01", 5_204, (), (), False, now - 640 * SECOND, 99_871, 4),
    ]
    hall.quarantine = [
        Quarantined(
            17,
            now - 380 * SECOND,
            f"yujing/v1/{STEEL}/GW-01/frame",
            "time-not-increasing",
            "time[3] = 1763884799000 after 1763884800000; expected strictly increasing",
            40,
            b'{"boot": "01JD7T9K", "seq": 90131, "time": [1763884798000, 1763884799500]}',
        ),
        Quarantined(
            16,
            now - 5_000 * SECOND,
            "yujing/v1/unknown-plant/GW-09/frame",
            "unknown-gateway",
            "unknown-plant/GW-09 is in no plant file",
            0,
            b'<script>alert("x")</script>\x00\xff',
        ),
    ]
    return hall


def _acknowledged(hall: StandIn, alarm: Alarm, by: str, comment: str | None) -> None:
    time = alarm.raised + 40 * SECOND
    changed = replace(alarm, state=AlarmState.ACKNOWLEDGED, acked=time, acked_by=by, comment=comment)
    hall._commit(changed, AlarmEventKind.ACKNOWLEDGED, time)
