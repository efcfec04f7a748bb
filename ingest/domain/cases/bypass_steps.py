"""The table of verbs of bypass registrations: approved, extended, and the interlock put back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from ingest.domain.cases.bypass import HOUR, Bypass, BypassState
from ingest.domain.cases.errors import Impossible
from ingest.domain.cases.verbs import Form, Input, Kind, Verb, VerbTable
from ingest.domain.model.audit import ActKind
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.domain.model.text import Text

_B = BypassState
_STAY: Final[Mapping[Hashable, BypassState]] = {state: state for state in (_B.APPROVED, _B.IN_FORCE, _B.EXPIRED)}
_NO_EXTENSION: Final[Mapping[str, None]] = {"extension_hours": None, "extension_reason": None}


@dataclass(frozen=True, slots=True)
class Approve(Form[Bypass]):
    """批准: from now on, or from the beginning asked for if that is still to come."""

    remark: Annotated[str | None, Input(Kind.WORDS, "审批意见", "Comment")] = None

    def effects(self, record: Bypass, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Return when it begins and ends: its longest time counts from the beginning."""
        begins = max(time, record.begins)
        state = _B.IN_FORCE if begins <= time else _B.APPROVED
        return {"state": state, "begins": begins, "until": begins + record.hours * HOUR}


@dataclass(frozen=True, slots=True)
class Refuse(Form[Bypass]):
    """不批准."""

    remark: Annotated[str, Input(Kind.WORDS, "理由", "Why")]


@dataclass(frozen=True, slots=True)
class Withdraw(Form[Bypass]):
    """撤回申请."""


@dataclass(frozen=True, slots=True)
class Extend(Form[Bypass]):
    """申请延期: it lasts as approved until somebody else has decided."""

    hours: Annotated[int, Input(Kind.HOURS, "延长时间（小时，自批准起）", "Hours from approval", to="extension_hours")]
    reason: Annotated[str, Input(Kind.WORDS, "延期原因", "Why", to="extension_reason")]

    @classmethod
    def require(cls, record: Bypass) -> None:
        """Refuse a second one while one waits."""
        if record.extension_hours is not None:
            raise Impossible(f"extend: the bypass is {record.state} and an extension waits already")


class _Decision(Form[Bypass]):
    __slots__ = ()

    @classmethod
    def require(cls, record: Bypass) -> None:
        """Refuse where no extension waits."""
        if record.extension_hours is None:
            raise Impossible(f"decide: the bypass is {record.state} and no extension was asked for")


@dataclass(frozen=True, slots=True)
class Grant(_Decision):
    """批准延期: a new longest time, from now."""

    remark: Annotated[str | None, Input(Kind.WORDS, "审批意见", "Comment")] = None

    def effects(self, record: Bypass, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Return its new end; one that had expired is in force again."""
        hours = record.extension_hours or 0
        begins = max(time, record.begins)
        state = _B.APPROVED if record.state is _B.APPROVED else _B.IN_FORCE
        return {"state": state, "hours": hours, "until": begins + hours * HOUR, **_NO_EXTENSION}


@dataclass(frozen=True, slots=True)
class Decline(_Decision):
    """不批准延期."""

    remark: Annotated[str, Input(Kind.WORDS, "理由", "Why")]

    def effects(self, record: Bypass, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Take the request away."""
        return dict(_NO_EXTENSION)


@dataclass(frozen=True, slots=True)
class Restore(Form[Bypass]):
    """恢复投用: the interlock is in service again, which closes the registration."""

    remark: Annotated[str, Input(Kind.WORDS, "恢复与试验情况", "How it was put back and tested")]

    def effects(self, record: Bypass, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Take a request for an extension away with it."""
        return dict(_NO_EXTENSION)


class BypassTable(VerbTable):
    """What all verbs of bypass registrations have in common."""

    @classmethod
    def kind(cls) -> ActKind:
        """Registrations of bypasses."""
        return "bypass"


class BypassStep(BypassTable):
    """What can be done with the registration of a bypass."""

    APPROVE = Verb(
        "approve", Text("批准", "Approve"), AUTHORITY, {_B.REQUESTED: _B.IN_FORCE},
        Approve, "Allow it, from now or from the beginning asked for.", past=Text("批准旁路", "approved"),
        body="BypassApproval", stamp="decided", reviews=True,
    )  # fmt: skip
    REFUSE = Verb(
        "refuse", Text("不批准", "Refuse"), AUTHORITY, {_B.REQUESTED: _B.REFUSED},
        Refuse, "Refuse it.", past=Text("不批准旁路", "refused"), body="BypassRefusal", stamp="decided", reviews=True,
        secondary=True,
    )  # fmt: skip
    WITHDRAW = Verb(
        "withdraw", Text("撤回申请", "Withdraw"), ENTERPRISE, {_B.REQUESTED: _B.WITHDRAWN, _B.APPROVED: _B.WITHDRAWN},
        Withdraw, "Withdraw it before it is in force.", past=Text("撤回旁路申请", "withdrawn"), secondary=True,
    )  # fmt: skip
    GRANT = Verb(
        "grant", Text("批准延期", "Approve the extension"), AUTHORITY, _STAY,
        Grant, "Approve the extension that was asked for: a new longest time, from now.",
        past=Text("批准旁路延期", "extension approved"), body="BypassExtensionApproval", stamp="decided", reviews=True,
    )  # fmt: skip
    DECLINE = Verb(
        "decline", Text("不批准延期", "Decline the extension"), AUTHORITY, _STAY,
        Decline, "Decline the extension that was asked for.", past=Text("不批准旁路延期", "extension declined"),
        body="BypassExtensionRefusal", reviews=True, secondary=True,
    )  # fmt: skip
    RESTORE = Verb(
        "restore", Text("恢复投用", "Put back"), ENTERPRISE,
        {_B.IN_FORCE: _B.RESTORED, _B.EXPIRED: _B.RESTORED},
        Restore, "The interlock is in service again: closes the registration.", past=Text("联锁恢复投用", "put back"),
        body="BypassRestored", stamp="restored",
        hint=Text(
            "登记即关闭；如联锁仍在旁路，将立即按未登记旁路报警。",
            "This closes the registration: if the interlock is still bypassed, it alarms as unregistered at once.",
        ),
    )  # fmt: skip
    EXTEND = Verb(
        "extend", Text("申请延期", "Ask for an extension"), ENTERPRISE, _STAY,
        Extend, "Ask for more time, which somebody else approves; until then it ends as approved.",
        past=Text("申请旁路延期", "extension asked for"), body="BypassExtension", stamp="extended", secondary=True,
    )  # fmt: skip
