"""Callers with their roles and scope, found by bearer token; tokens are compared by digest in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from ingest.base.config import SecretUnreadable
from ingest.domain.model.audit import ActRole
from ingest.domain.model.expectations import readable_secret
from ingest.domain.model.fault import Fault, Refuse, refuse_all
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.domain.model.text import Text
from ingest.services.config import Role, TokenConfig
from ingest.services.errors import NotAllowed

MIN_TOKEN_LENGTH = 16
_LONG_ENOUGH: Final = Text(f"至少 {MIN_TOKEN_LENGTH} 个字符", f"at least {MIN_TOKEN_LENGTH} characters")
_ITS_OWN: Final = Text("其他令牌没有用的密钥", "a secret that no other token has")


@dataclass(frozen=True, slots=True)
class Principal:
    """A known caller with their role and scope. `plants` = None: all plants."""

    name: str
    role: Role
    plants: frozenset[str] | None

    def sees(self, plant: str) -> bool:
        """Whether this caller may know that the plant exists."""
        return self.plants is None or plant in self.plants

    @property
    def administers(self) -> bool:
        """Whether this caller runs the service: an admin of all plants."""
        return self.role == "admin" and self.plants is None

    @property
    def is_display(self) -> bool:
        """Whether this caller is a display on a wall, through which nobody may act."""
        return self.role == "display"

    @property
    def is_channel(self) -> bool:
        """Whether this caller is a channel's provider, which posts receipts of calls and nothing else."""
        return self.role == "channel"

    @property
    def acts_as(self) -> ActRole:
        """The role under which acts are recorded. Raises NotAllowed for a display, which may not act."""
        if self.role == "display":
            raise NotAllowed("a display only shows; sign in with a token of your own")
        return self.role

    @property
    def sees_phones(self) -> bool:
        """Whether this caller may see telephone numbers; a display never does, nor a channel."""
        return not self.is_display and not self.is_channel

    @property
    def may_act(self) -> bool:
        """Whether this caller works at the plant: acts on alarms, reads the quarantine, rectifies hazards."""
        return self.role in ENTERPRISE

    @property
    def may_inspect(self) -> bool:
        """Whether this caller supervises: inspects, grades and closes hazards, decides on what is out of service."""
        return self.role in AUTHORITY


class TokenStore:
    """Finds callers by token; keeps the tokens in force as SHA-256 digests only."""

    def __init__(self, tokens: Iterable[TokenConfig], refused: Refuse = refuse_all) -> None:
        """Read every token's secret.

        Args:
            tokens: as the settings have them.
            refused: is given the faults: a secret that is missing, too short, or given twice; none is ever shown.
                Such a token lets nobody in, a secret that was given twice under neither name.

        Raises:
            InvalidConfig: by `refuse_all`.
        """
        self._known: list[tuple[bytes, Principal]] = []
        twice: set[bytes] = set()
        faults: list[Fault] = []
        for token in tokens:
            key = f"api.tokens.{token.name}.token"
            place = str(PurePath(token.token.file)) if token.token.file else f"environment {token.token.env}"
            try:
                secret = token.token.read()
            except SecretUnreadable as error:
                faults.append(Fault(place, key, "(missing)", readable_secret(error)))
                continue
            digest = _digest(secret)
            if len(secret) < MIN_TOKEN_LENGTH:
                faults.append(Fault(place, key, "(hidden)", _LONG_ENOUGH))
                continue
            if any(hmac.compare_digest(digest, other) for other, _ in self._known):
                faults.append(Fault(place, key, "(hidden)", _ITS_OWN))
                twice.add(digest)
            plants = None if token.plants is None else frozenset(token.plants)
            self._known.append((digest, Principal(token.name, token.role, plants)))
        self._known = [(digest, principal) for digest, principal in self._known if digest not in twice]
        if faults:
            refused(faults)

    def find(self, token: str) -> Principal | None:
        """Return the caller of a token. Every known digest is compared, so that timing reveals nothing."""
        digest = _digest(token)
        found = None
        for known, principal in self._known:
            if hmac.compare_digest(digest, known):
                found = principal
        return found

    def named(self, name: str) -> Principal | None:
        """Return the caller of that name, as the settings have them now."""
        return next((principal for _, principal in self._known if principal.name == name), None)

    def seal(self, name: str) -> str | None:
        """Return a fingerprint that changes with the secret of that name's token and does not reveal it.

        None: there is no such token.
        """
        known = next((digest for digest, principal in self._known if principal.name == name), None)
        return hashlib.sha256(b"yujing session of " + known).hexdigest() if known else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
