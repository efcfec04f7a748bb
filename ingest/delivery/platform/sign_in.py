"""Signs in to a platform that gives out tokens: one for all reports, renewed when it is old or no longer taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.delivery.errors import ConnectorError
from ingest.delivery.https import post
from ingest.delivery.platform.profile import Profile, SignInPost
from ingest.delivery.posting import Posting
from ingest.domain.model.delivery_failure import Failure


class SignInRefused(ConnectorError):
    """The platform gives no token; the text has its own words."""


@dataclass(frozen=True, slots=True)
class _Token:
    header: Mapping[str, str]
    until: int  # ns since the epoch


class SignedIn:
    """Keeps the token of one platform. Belongs to one event loop."""

    def __init__(
        self, client: Posting, profile: Profile, url: str, *, timeout_s: float, now: Callable[[], int]
    ) -> None:
        """`url`: what the profile's paths come behind; `now`: ns since the epoch."""
        self._client = client
        self._profile = profile
        self._url = url
        self._timeout_s = timeout_s
        self._now = now
        self._token: _Token | None = None
        self._asking = asyncio.Lock()
        self._failures, self._why = 0, ""

    async def headers(self) -> Mapping[str, str]:
        """The headers that prove who sends; none where the platform gives out no tokens.

        Raises:
            Unreachable: no answer.
            SignInRefused: an answer without a token.
        """
        request = self._profile.sign_in()
        if request is None:
            return {}
        failures = self._failures
        async with self._asking:  # reports under way at once share one, or the reason why there is none
            if self._token is None or self._now() >= self._token.until:
                if self._failures != failures:
                    raise SignInRefused(self._why)
                try:
                    self._token = await self._ask(request)
                except ConnectorError as error:
                    self._failures, self._why = self._failures + 1, str(error)
                    raise
            return self._token.header

    def spent(self, headers: Mapping[str, str]) -> None:
        """Forget a token that was not taken; one that was got meanwhile is kept."""
        if self._token is not None and self._token.header == headers:
            self._token = None

    async def _ask(self, request: SignInPost) -> _Token:
        answer = await post(
            self._client,
            self._url + request.post.path,
            request.post.body,
            request.post.headers,
            timeout_s=self._timeout_s,
        )
        header, why = self._profile.token_in(answer)
        if header is None:
            raise SignInRefused(Failure("no-token", why=why or ""))
        return _Token(header, self._now() + int(request.valid_s * 1e9))
