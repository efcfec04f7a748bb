"""Errors that the API returns to its caller, each with its HTTP status, as problem+json (RFC 9457).

Problem
├── NotSignedIn      401  no token, or one we do not know
├── NotAllowed       403  known, but this is not theirs to do
│   └── NotOfThisSession  the form was made for another session
├── NotFound         404  does not exist, or not for this caller: the two look the same
├── Conflict         409  cannot be done in the present state
├── TooLarge         413  the body is larger than the limit
├── TooManyRequests  429  this token has as many of these under way, or did as much today, as it may; try again after
│                         `retry_after_s`
├── TooManyGuesses   429  too many wrong tokens came from there; try again after `wait_s`
├── BadParameter     422  one parameter is wrong: its name, its value and what was expected
└── Unavailable      503  a part of the service does not answer; try again after `retry_after_s`

CannotListen: the server could not bind its address or read its certificate (never reaches a caller)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.domain.model.text import Text


class Problem(Exception):
    """An error that is returned to the caller as a problem document."""

    status = 500
    title = "Internal error"
    localized: Text | None = None
    """What happened, in both languages, where that is more than the status says."""

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        detail = {} if self.detail is None else {"detail": self.detail}
        return {"type": "about:blank", "title": self.title, "status": self.status, **detail}


class NotSignedIn(Problem):
    """The request has no token, or an unknown one."""

    status = 401
    title = "A token is needed"

    def __init__(self) -> None:
        super().__init__("send Authorization: Bearer TOKEN", headers={"www-authenticate": 'Bearer realm="yujing"'})


class NotAllowed(Problem):
    """The caller is known but may not do this."""

    status = 403
    title = "Not allowed"


class NotOfThisSession(NotAllowed):
    """The form was made for another session: somebody signed in anew since."""

    localized = Text(
        "没有完成：打开此表单之后又重新登录过。请返回该页面，核对后再次提交。",
        "Not done: somebody signed in anew after this form was opened. Go back to it, check it and send it again.",
    )


class NotFound(Problem):
    """The record does not exist, or is out of the caller's scope."""

    status = 404
    title = "Not found"


class Conflict(Problem):
    """The request cannot be carried out in the present state.

    Attributes:
        localized: what changed since the caller read it, in both languages; None: nothing did.
        now: the present state, with `localized`.
        done: somebody did the same before: there is nothing left to do.
    """

    status = 409
    title = "Not possible in this state"

    def __init__(
        self, detail: str, *, localized: Text | None = None, now: Mapping[str, Any] | None = None, done: bool = False
    ) -> None:
        super().__init__(detail)
        self.done = done
        self.localized = localized
        self.now = now or {}

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document; with what changed, if it did."""
        if self.localized is None:
            return super().body()
        changed = {"zh": self.localized.zh, "en": self.localized.en}
        return {**super().body(), "changed": changed, "now": dict(self.now)}


class TooLarge(Problem):
    """The body is larger than the limit."""

    status = 413
    title = "Body too large"


class BadParameter(Problem):
    """A parameter is wrong: its name, its value and what was expected."""

    status = 422
    title = "A parameter is wrong"

    def __init__(self, parameter: str, value: object, expected: str) -> None:
        super().__init__(f"{parameter} = {value!r}: expected {expected}")
        self.errors = [{"parameter": parameter, "value": value, "expected": expected}]

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document, with the parameter named."""
        return {**super().body(), "errors": self.errors}


class TooManyRequests(Problem):
    """The token reached its limit of requests under way, or its allowance of the day."""

    status = 429
    title = "Too many at once"

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail, headers={"retry-after": str(max(1, round(retry_after_s)))})


class TooManyGuesses(Problem):
    """Too many wrong tokens came from the caller's address."""

    status = 429
    title = "Too many wrong tokens"

    def __init__(self, wait_s: int) -> None:
        detail = f"too many wrong tokens came from this address: try again in {wait_s} s"
        super().__init__(detail, headers={"retry-after": str(wait_s)})
        self.wait_s = wait_s


class Unavailable(Problem):
    """A part of the service does not answer."""

    status = 503
    title = "Not available at the moment"

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail, headers={"retry-after": str(max(1, round(retry_after_s or 1)))})


class CannotListen(Exception):
    """The server could not bind its address or read its certificate."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {reason}")
        self.host, self.port, self.reason = host, port, reason
