"""What the audit trail tells of access: who signed in and out, who was denied what, and from where."""

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
"""Within that, the same denial again is counted and told with the next one: nobody fills the trail by being denied."""

NOBODY: Final = "(unknown)"
_KNOWN: Final = 1000
_PATH: Final = 200


@dataclass(slots=True)
class _Repeated:
    until: float
    times: int = 0


class AccessAudit:
    """Tells the audit trail of access. Takes no time and may be called from any thread."""

    def __init__(self, record: Callable[[Act], None], now: Callable[[], int], clock: Callable[[], float]) -> None:
        """`now`: ns since the epoch; `clock`: monotonic seconds."""
        self._record, self._now, self._clock = record, now, clock
        self._denied: OrderedDict[tuple[str, ...], _Repeated] = OrderedDict()
        self._changing = Lock()

    def signed_in(self, who: Principal, client: str) -> None:
        """Somebody began a session."""
        self._tell(who.name, who.role, "signed-in", "/signin", {"client": client})

    def signed_out(self, who: Principal, client: str) -> None:
        """Somebody ended their session."""
        self._tell(who.name, who.role, "signed-out", "/signout", {"client": client})

    def denied(self, who: Principal | None, client: str, method: str, path: str, status: int) -> None:
        """A known caller was denied something, or an unknown one (None) came with a wrong token."""
        asked = f"{method} {path}"[:_PATH]
        by = NOBODY if who is None else who.name
        role: ActRole = "nobody" if who is None else who.role
        key = (place_of(client), str(status)) if who is None else (by, asked)
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
        self._tell(by, role, "denied", asked, {"client": client, "status": status, **again})

    def _tell(self, by: str, role: ActRole, action: str, subject: str, detail: dict[str, object]) -> None:
        self._record(Act(self._now(), by, role, action, "access", subject, "", detail))
