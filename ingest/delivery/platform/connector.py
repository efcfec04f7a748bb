"""The platform connector: one POST per kind and enterprise, accepted or refused as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus

from ingest.base.backoff import RetrySchedule
from ingest.delivery.connector import Outcome
from ingest.delivery.credentials import header_value, reveal
from ingest.delivery.errors import Unmappable, Unreachable
from ingest.delivery.https import open_client, post
from ingest.delivery.platform.cipher import Sm4Cbc, decode_block
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.mapping import FieldMapping, load_mapping
from ingest.delivery.platform.profile import Profile, Sm4JsonProfile
from ingest.delivery.posting import Posting
from ingest.domain.model.fault import all_of
from ingest.domain.model.outbox import Message

_TEMPORARY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses that say nothing about the messages themselves."""


class PlatformConnector:
    """Delivers alarms and readings to one provincial platform; after a loss of the link the outbox resumes.

    A batch that is refused, or cannot be mapped to the province's fields, is sent message by message from then on: one
    bad message must not block the others of its batch for ever.
    """

    schedule = RetrySchedule()
    in_flight = 4  # reports under way at once: our default, no platform says how many it takes

    def __init__(
        self,
        config: PlatformConfig,
        client: Posting,
        profile: Profile,
        now: Callable[[], int],
    ) -> None:
        self.name = config.name
        self.batch = config.batch
        self._config = config
        self._client = client
        self._profile = profile
        self._now = now
        self._alone: set[int] = set()  # seq of messages that were in a refused batch

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Post every group once, all concurrently; the messages of a group share its outcome."""
        groups: dict[tuple[str, str, str | None, int | None], list[Message]] = {}
        for message in messages:
            uscc = (message.body["enterprise"] or {}).get("uscc")
            alone = message.seq if message.seq in self._alone else None
            groups.setdefault((message.kind, message.plant, uscc, alone), []).append(message)
        shared = await asyncio.gather(*(self._post(group) for group in groups.values()))
        return [outcome for outcomes in shared for outcome in outcomes]

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _post(self, group: Sequence[Message]) -> list[Outcome]:
        seqs = [message.seq for message in group]
        try:
            request = self._profile.wrap(group[0].kind, group)
        except Unmappable as error:
            self._alone.update(seqs)
            return [Outcome(seq, str(error)) for seq in seqs]
        try:
            answer = await post(
                self._client, self._config.url, request.body, request.headers, timeout_s=self._config.timeout_s
            )
        except Unreachable as error:
            return [Outcome(seq, str(error)) for seq in seqs]
        refusal = answer.refusal or self._profile.refusal(answer.body)
        if refusal is None:
            self._alone.difference_update(seqs)
        elif answer.status not in _TEMPORARY:
            self._alone.update(seqs)
        return [Outcome(seq, refusal, answer.requested_delay_s(self._now())) for seq in seqs]


def open_platform(config: PlatformConfig, now: Callable[[], int]) -> PlatformConnector:
    """Create the connector. Raises InvalidConfig if a secret, the mapping or the CA file cannot be used."""
    where = f"connectors.{config.name}"

    def key() -> bytes:
        return reveal(config.key, f"{where}.key", decode_block)

    def iv() -> bytes:
        return reveal(config.iv, f"{where}.iv", decode_block)

    def secret() -> str:
        return reveal(config.appsecret, f"{where}.appsecret", header_value)

    def mapping() -> FieldMapping:
        return load_mapping(config.mapping)

    def client() -> Posting:
        return open_client(config.ca_file, f"{where}.ca_file")

    all_of(mapping, key, iv, secret, client)
    profile = Sm4JsonProfile(mapping(), Sm4Cbc(key(), iv()), config.appid, secret())
    return PlatformConnector(config, client(), profile, now)
