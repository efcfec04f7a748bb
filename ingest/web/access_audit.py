"""Records sign-ins, sign-outs and denials in the audit trail."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ingest.domain.model.audit import Act, ActRole
from ingest.services.access import Principal
from ingest.web.proxies import place_of

REPEATED_S: Final = 60.0
"""Repeated denials within this time are counted and recorded with the next one, so that nobody fills the trail."""

NOBODY: Final = "(unknown)"
_KNOWN: Final = 1000
_PATH: Final = 200


@dataclass(slots=True)
class _Repeated:
    until: float
    times: int = 0


class AccessAudit:
    """Records access in the audit trail. Never blocks; may be called from any thread."""

    def __init__(self, record: Callable[[Act], None], now: Callable[[], int], clock: Callable[[], float]) -> None:
        """`now`: ns since the epoch; `clock`: monotonic seconds."""
        self._record, self._now, self._clock = record, now, clock
        self._denied: OrderedDict[tuple[str, ...], _Repeated] = OrderedDict()
        self._changing = Lock()

    def signed_in(self, who: Principal, client: str) -> None:
        """Record that a caller began a session."""
        self._record_act(who.name, who.role, "signed-in", "/signin", {"client": client})

    def signed_out(self, who: Principal, client: str) -> None:
        """Record that a caller ended their session."""
        self._record_act(who.name, who.role, "signed-out", "/signout", {"client": client})

    def denied(self, who: Principal | None, client: str, method: str, path: str, status: int) -> None:
        """Record that a known caller was denied something, or that an unknown one (None) sent a wrong token."""
        subject = f"{method} {path}"[:_PATH]
        by = NOBODY if who is None else who.name
        role: ActRole = "nobody" if who is None else who.role
        key = (place_of(client), str(status)) if who is None else (by, subject)
        with self._changing:
            known, now = self._denied.get(key), self._clock()
            if known is not None and now < known.until:
                known.times += 1
                return
            self._denied[key] = _Repeated(now + REPEATED_S)
            self._denied.move_to_end(key)
            if len(self._denied) > _KNOWN:
                self._denied.popitem(last=False)
        again = {"repeated": known.times} if known is not None and known.times else {}
        self._record_act(by, role, "denied", subject, {"client": client, "status": status, **again})

    def _record_act(self, by: str, role: ActRole, action: str, subject: str, detail: dict[str, object]) -> None:
        self._record(Act(self._now(), by, role, action, "access", subject, "", detail))
