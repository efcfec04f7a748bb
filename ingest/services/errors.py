"""Errors that the API tells its caller, each with its HTTP status, as problem+json (RFC 9457).

Problem
├── NotSignedIn    401  no token, or one we do not know
├── NotAllowed     403  known, but this is not theirs to do
│   └── NotOfThisSession  the form was made for another session
├── NotThere       404  does not exist, or not for this caller: the two look the same
├── Conflict       409  cannot be done in the present state
├── TooLarge       413  the body is larger than the limit
├── Busy           429  this token has as many of these under way, or did as much today, as one may; try again after
│                       `retry_after_s`
├── TooManyGuesses 429  too many wrong tokens came from there; try again after `wait_s`
├── BadParameter   422  one parameter is wrong: its name, its value and what was expected
└── Away           503  a part of the service does not answer; try again after `retry_after_s`

CannotListen            the server could not take its address or certificate (never reaches a caller)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.domain.model.text import Text


class Problem(Exception):
    """Something the caller is told."""

    status = 500
    title = "Internal error"
    said: Text | None = None
    """What the caller is to know of it, in both languages, where that is more than its status."""

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        said = {} if self.detail is None else {"detail": self.detail}
        return {"type": "about:blank", "title": self.title, "status": self.status, **said}


class NotSignedIn(Problem):
    """No token, or one we do not know."""

    status = 401
    title = "A token is needed"

    def __init__(self) -> None:
        super().__init__("send Authorization: Bearer TOKEN", headers={"www-authenticate": 'Bearer realm="yujing"'})


class NotAllowed(Problem):
    """Known, but this is not theirs to do."""

    status = 403
    title = "Not allowed"


class NotOfThisSession(NotAllowed):
    """The form was made for another session: somebody signed in anew since."""

    said = Text(
        "没有完成：打开此表单之后又重新登录过。请返回该页面，核对后再次提交。",
        "Not done: somebody signed in anew after this form was opened. Go back to it, check it and send it again.",
    )


class NotThere(Problem):
    """Does not exist, or not for this caller."""

    status = 404
    title = "Not found"


class Conflict(Problem):
    """Cannot be done in the present state.

    Attributes:
        said: what changed since the caller looked, in both languages; None: they did not look at something older.
        now: how it stands, with `said`.
        done: somebody was faster: there is nothing left to do.
    """

    status = 409
    title = "Not possible in this state"

    def __init__(
        self, detail: str, *, said: Text | None = None, now: Mapping[str, Any] | None = None, done: bool = False
    ) -> None:
        super().__init__(detail)
        self.done = done
        self.said = said
        self.now = now or {}

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document; with what changed, if it did."""
        if self.said is None:
            return super().body()
        return {**super().body(), "changed": {"zh": self.said.zh, "en": self.said.en}, "now": dict(self.now)}


class TooLarge(Problem):
    """The body is larger than the limit."""

    status = 413
    title = "Body too large"


class BadParameter(Problem):
    """One parameter is wrong."""

    status = 422
    title = "A parameter is wrong"

    def __init__(self, parameter: str, value: object, expected: str) -> None:
        super().__init__(f"{parameter} = {value!r}: expected {expected}")
        self.errors = [{"parameter": parameter, "value": value, "expected": expected}]

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document, with the parameter named."""
        return {**super().body(), "errors": self.errors}


class Busy(Problem):
    """This token has as many of these under way, or did as much today, as one may."""

    status = 429
    title = "Too many at once"

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail, headers={"retry-after": str(max(1, round(retry_after_s)))})


class TooManyGuesses(Problem):
    """Too many wrong tokens came from there."""

    status = 429
    title = "Too many wrong tokens"

    def __init__(self, wait_s: int) -> None:
        said = f"too many wrong tokens came from this address: try again in {wait_s} s"
        super().__init__(said, headers={"retry-after": str(wait_s)})
        self.wait_s = wait_s


class Away(Problem):
    """A part of the service does not answer."""

    status = 503
    title = "Not available at the moment"

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail, headers={"retry-after": str(max(1, round(retry_after_s or 1)))})


class CannotListen(Exception):
    """The server could not take its address or read its certificate."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {reason}")
        self.host, self.port, self.reason = host, port, reason
