"""The platform connector: one request per kind and enterprise, judged by the profile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

from ingest.base.backoff import RetrySchedule
from ingest.base.telemetry import emit
from ingest.delivery.connector import Outcome
from ingest.delivery.errors import ConnectorError, Unmappable
from ingest.delivery.https import Answer
from ingest.delivery.platform.answers import Judgement, Ruling
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.events import KIND_NOT_TAKEN, NotReported, PointsUncoded
from ingest.delivery.platform.links import Link
from ingest.delivery.platform.profile import Post, Profile
from ingest.delivery.platform.sign_in import SignedIn
from ingest.domain.model.outbox import Message, MessageKind


class PlatformConnector:
    """Delivers alarms and readings to one provincial platform; after a loss of the link the outbox resumes.

    A batch that is refused, or cannot be mapped to the province's fields, is sent message by message from then on: one
    bad message must not block the others of its batch for ever.
    """

    schedule = RetrySchedule()

    def __init__(
        self,
        config: PlatformConfig,
        link: Link,
        profile: Profile,
        signed_in: SignedIn,
        now: Callable[[], int],
        *,
        ordered: bool = False,
    ) -> None:
        """`ordered`: the link takes one message at a time, so that the next one to go is always the most urgent."""
        self.name = config.name
        self.batch = 1 if ordered else config.batch
        self.in_flight = 1 if ordered else 4  # our default, no platform says how many it takes
        self._link = link
        self._profile = profile
        self._now = now
        self._signed_in = signed_in
        self._uncoded: set[str] = set()  # points without a code that were told
        self._alone: set[int] = set()  # seq of messages that were in a refused batch

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send every group once, all concurrently; the messages of a group share its outcome."""
        groups: dict[tuple[str, str, str | None, int | None], list[Message]] = {}
        for message in messages:
            uscc = (message.body["enterprise"] or {}).get("uscc")
            alone = message.seq if message.seq in self._alone else None
            groups.setdefault((message.kind, message.plant, uscc, alone), []).append(message)
        reports = [part for group in groups.values() for part in self._parts(group)]
        shared = await asyncio.gather(*(self._post(report) for report in reports))
        return [outcome for outcomes in shared for outcome in outcomes]

    async def close(self) -> None:
        """Close all connections."""
        await self._link.close()

    def _parts(self, group: Sequence[Message]) -> Iterator[Sequence[Message]]:
        """As many messages as the profile lets go together."""
        kind = group[0].kind
        most = (self._profile.together(kind) if self._profile.takes(kind) else None) or len(group)
        for first in range(0, len(group), most):
            yield group[first : first + most]

    async def _post(self, group: Sequence[Message]) -> list[Outcome]:
        kind, seqs = group[0].kind, [message.seq for message in group]
        if not self._profile.takes(kind):
            return self._passed_over(kind, seqs, {KIND_NOT_TAKEN: len(seqs)})
        try:
            wrapped = self._profile.wrap(kind, group)
        except Unmappable as error:
            self._alone.update(seqs)
            return [Outcome(seq, str(error)) for seq in seqs]
        if fresh := [place for place in dict.fromkeys(wrapped.uncoded) if place not in self._uncoded]:
            self._uncoded.update(fresh)
            emit(PointsUncoded(self.name, len(fresh), fresh[0]))
        if wrapped.post is None:
            return self._passed_over(kind, seqs, wrapped.left_out)
        try:
            answer = await self._answer(wrapped.post)
        except ConnectorError as error:
            return [Outcome(seq, str(error)) for seq in seqs]
        judgement = self._profile.judge(answer)
        if judgement.ruling is Ruling.ACCEPTED:
            self._passed_over(kind, seqs, wrapped.left_out)
            return [self._outcome(message, judgement) for message in group]
        if judgement.ruling is Ruling.REJECTED:
            self._alone.update(seqs)
        final = judgement.final and len(group) == 1  # of several it is not known which one is rejected
        return [Outcome(seq, judgement.why, answer.requested_delay_s(self._now()), rejected=final) for seq in seqs]

    async def _answer(self, report: Post) -> Answer:
        """The answer to a report; with a token that was too old it is sent again. Raises ConnectorError."""
        token = await self._signed_in.headers()
        answer = await self._link.send(report, token)
        if self._profile.wants_another_token(answer):
            self._signed_in.spent(token)
            answer = await self._link.send(report, await self._signed_in.headers())
        return answer

    def _outcome(self, message: Message, judgement: Judgement) -> Outcome:
        """What became of a message in a report that was taken; a message that was stays in no memory."""
        why = judgement.rejected.get(str(message.id))
        if why is None:
            self._alone.discard(message.seq)
        else:
            self._alone.add(message.seq)
        return Outcome(message.seq, why, rejected=why is not None)

    def _passed_over(self, kind: MessageKind, seqs: Sequence[int], left_out: Mapping[str, int]) -> list[Outcome]:
        for reason, items in left_out.items():
            emit(NotReported(self.name, kind, reason, items))
        self._alone.difference_update(seqs)
        return [Outcome(seq) for seq in seqs]
