"""The life of an alarm in facts instead of states: the model that the table of transitions is held against."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ingest.domain.model.alarm import AlarmEventKind, AlarmState
from ingest.domain.model.suppression import SuppressionKind

K, S = AlarmEventKind, AlarmState


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of an alarm: the model knows no states, only these."""

    over: frozenset[SuppressionKind] = frozenset()
    exists: bool = False  # there is an occurrence that asks for something
    active: bool = False
    seen: bool = False
    held: bool = False  # the condition is gone and the rule latches
    blind: bool = False  # nothing stands and nobody can tell
    gone: bool = False  # it stood when its rule was configured no more

    def shown(self) -> AlarmState:
        """The state an operator must be shown."""
        if self.gone:
            return S.REMOVED
        for kind, state in (
            (SuppressionKind.OUT_OF_SERVICE, S.OUT_OF_SERVICE),
            (SuppressionKind.SUPPRESSED, S.SUPPRESSED),
            (SuppressionKind.SHELVED, S.SHELVED),
        ):
            if kind in self.over:
                return state
        if not self.exists:
            return S.NOT_EVALUATED if self.blind else S.NORMAL
        if self.active:
            return S.ACKNOWLEDGED if self.seen else S.UNACKNOWLEDGED
        if self.held:
            return S.LATCHED_ACKNOWLEDGED if self.seen else S.LATCHED_UNACKNOWLEDGED
        return S.RETURNED


FACTS = {
    S.NORMAL: Facts(),
    S.UNACKNOWLEDGED: Facts(exists=True, active=True),
    S.ACKNOWLEDGED: Facts(exists=True, active=True, seen=True),
    S.RETURNED: Facts(exists=True),
    S.LATCHED_UNACKNOWLEDGED: Facts(exists=True, held=True),
    S.LATCHED_ACKNOWLEDGED: Facts(exists=True, held=True, seen=True),
    S.SHELVED: Facts(frozenset({SuppressionKind.SHELVED}), exists=True),
    S.SUPPRESSED: Facts(frozenset({SuppressionKind.SUPPRESSED}), exists=True),
    S.OUT_OF_SERVICE: Facts(frozenset({SuppressionKind.OUT_OF_SERVICE}), exists=True),
    S.NOT_EVALUATED: Facts(blind=True),
    S.REMOVED: Facts(gone=True),
}
BEGINS = {
    K.SHELVED: SuppressionKind.SHELVED,
    K.SUPPRESSED: SuppressionKind.SUPPRESSED,
    K.REMOVED_FROM_SERVICE: SuppressionKind.OUT_OF_SERVICE,
}
ENDS = {
    K.UNSHELVED: SuppressionKind.SHELVED,
    K.UNSUPPRESSED: SuppressionKind.SUPPRESSED,
    K.RETURNED_TO_SERVICE: SuppressionKind.OUT_OF_SERVICE,
}
STRENGTH = [kind for kind in SuppressionKind if kind.hides]


def model(  # noqa: C901, PLR0911, PLR0912  plain on purpose
    state: AlarmState, kind: AlarmEventKind, *, active: bool
) -> AlarmState | str | None:
    """What must come of an event: a state, "refused", or None for nothing new."""
    facts = FACTS[state]
    hidden = next(iter(facts.over), None)
    if hidden:
        facts = replace(facts, active=active, held=not active)
    if kind in {K.COMMENTED, K.ASSIGNED, K.DISPOSED}:
        return state
    if facts.gone:
        return {K.ACKNOWLEDGED: "refused", K.RESET: "refused", K.CLEARED: state}.get(kind)
    if kind is K.REMOVED:
        return S.REMOVED if facts.active or hidden else None
    if kind in {K.BYPASS_REGISTERED, K.BYPASS_UNREGISTERED}:
        if hidden or not facts.active:
            return state if hidden else None
        return replace(facts, seen=facts.seen and kind is K.BYPASS_REGISTERED).shown()
    if kind is K.ACKNOWLEDGED:
        if hidden or not facts.exists or facts.seen:
            return "refused"
        return replace(facts, seen=True).shown() if facts.active or facts.held else S.NORMAL
    if kind is K.RESET:
        return S.NORMAL if not hidden and facts.held and facts.seen else "refused"
    if kind is K.CLEARED:
        return S.NORMAL if state is S.NORMAL else "refused"
    if kind is K.RECORDED:
        return S.NORMAL if state is S.NORMAL else None
    if kind is K.UNEVALUATED:
        return S.NOT_EVALUATED if state is S.NORMAL else None
    if kind is K.EVALUATED:
        return S.NORMAL if facts.blind else None
    if kind in BEGINS:
        stronger = hidden is None or STRENGTH.index(BEGINS[kind]) > STRENGTH.index(hidden)
        over = hidden is None and facts.exists and not facts.active
        return replace(facts, over=frozenset({BEGINS[kind]})).shown() if stronger and not over else None
    if kind in ENDS:
        if hidden is not ENDS[kind]:
            return None
        return S.UNACKNOWLEDGED if active else S.LATCHED_UNACKNOWLEDGED
    if kind is K.RAISED:
        if hidden:
            return state
        return None if facts.active else S.UNACKNOWLEDGED
    assert kind in {K.RETURNED, K.LATCHED}
    if hidden:
        return S.NORMAL if kind is K.RETURNED else state
    if not facts.active:
        return None
    if kind is K.LATCHED:
        return S.LATCHED_ACKNOWLEDGED if facts.seen else S.LATCHED_UNACKNOWLEDGED
    return S.NORMAL if facts.seen else S.RETURNED
