"""Finds what a caller may do about an alarm in its present state; its page offers exactly that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.domain.alarms.lifecycle import TRANSITIONS, UNSEEN, Outcome
from ingest.domain.alarms.suppressions import HIGHEST
from ingest.domain.cases.causes import Form
from ingest.domain.model.alarm import Alarm, AlarmEventKind
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases.dispositions import form_for
from ingest.services.ports import Ports

MINUTES: Final = (15, 30, 60, 120, 240, 480)
"""Durations of shelving and function checks that pages offer; the longest one allowed is a setting."""

_LIVE: Final = frozenset({SuppressionState.APPLIED, SuppressionState.IN_FORCE})


@dataclass(frozen=True, slots=True)
class Offer:
    """What a caller may do about an alarm.

    Attributes:
        acknowledge, reset, comment, assign: commands on the alarm itself.
        sign: whether its reset wants a signed inspection.
        hide: kinds of suppression that can begin: it has none of that kind yet.
        over: suppressions in force or applied for that cover it.
        end: whether the caller may end those.
        dispose: the form of its feedback; None: the caller may not give it, or it is given already.
        minutes: durations it can be shelved for.
    """

    acknowledge: bool
    reset: bool
    sign: bool
    comment: bool
    assign: bool
    hide: frozenset[SuppressionKind]
    over: tuple[Suppression, ...]
    end: bool
    dispose: Form | None
    minutes: tuple[int, ...]

    @property
    def shelve(self) -> bool:
        """Whether it can be shelved."""
        return SuppressionKind.SHELVED in self.hide

    @property
    def suppress(self) -> bool:
        """Whether it can be suppressed by design."""
        return SuppressionKind.SUPPRESSED in self.hide

    @property
    def out_of_service(self) -> bool:
        """Whether its point can be applied for to be taken out of service."""
        return SuppressionKind.OUT_OF_SERVICE in self.hide


def offers(ports: Ports, alarm: Alarm, caller: Principal) -> Offer:
    """Return what the caller may do about the alarm now."""
    found = caller_scope.suppressions(ports, frozenset({alarm.plant}), _LIVE, alarm.point)
    over = tuple(suppression for suppression in found if suppression.covers(alarm.plant, alarm.point, alarm.rule))
    configuration = ports.live.configuration()
    known = configuration.find(alarm.plant, alarm.point) is not None
    acts = caller.may_act and not alarm.historical
    taken = {suppression.kind for suppression in over}
    hide = (
        frozenset(kind for kind in SuppressionKind if kind.hides and kind not in taken)
        if acts and known
        else frozenset()
    )
    if alarm.level >= HIGHEST and not ports.load.config.suppress_level_2:
        hide &= {SuppressionKind.OUT_OF_SERVICE}
    return Offer(
        acknowledge=acts and alarm.state in UNSEEN,
        reset=acts and TRANSITIONS[alarm.state, AlarmEventKind.RESET] is not Outcome.REFUSED,
        sign=configuration.is_signed(alarm.plant, alarm.point, alarm.rule),
        comment=not caller.is_display,
        assign=acts,
        hide=hide if alarm.active else hide & {SuppressionKind.OUT_OF_SERVICE},
        over=over,
        end=caller.may_act,
        dispose=form_for(ports, alarm) if acts and alarm.cleared is None else None,
        minutes=tuple(minute for minute in MINUTES if minute * 60 <= ports.load.config.shelve_max_s),
    )
