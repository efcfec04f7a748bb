"""How a request gets to a platform: by HTTP, or as frames over one ordered TCP connection."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from ingest.delivery.connecting import connect, why
from ingest.delivery.destinations import Network
from ingest.delivery.errors import Unreachable
from ingest.delivery.https import MAX_ANSWER, Answer, post
from ingest.delivery.platform.frames import Frame, FrameForm
from ingest.delivery.platform.profile import Post
from ingest.delivery.posting import Posting
from ingest.domain.model.delivery_failure import Failure


class Link(Protocol):
    """The way to one platform. Belongs to one event loop."""

    async def send(self, report: Post, token: Mapping[str, str]) -> Answer:
        """Send a report once; the answer to it, and to no other. Raises ConnectorError."""

    async def close(self) -> None:
        """Close all connections."""


class HttpLink:
    """Requests over HTTP, several at once."""

    def __init__(self, client: Posting, url: str, *, timeout_s: float) -> None:
        """`url`: what the paths of reports come behind."""
        self._client = client
        self._url = url
        self._timeout_s = timeout_s

    async def send(self, report: Post, token: Mapping[str, str]) -> Answer:
        """See `Link`."""
        headers = {**report.headers, **token}
        return await post(self._client, self._url + report.path, report.body, headers, timeout_s=self._timeout_s)

    async def close(self) -> None:
        """See `Link`."""
        await self._client.close()


class FrameLink:
    """One connection, on which a frame is sent when the one before is answered.

    A frame without its answer ends the connection: what the platform still sends on it is not taken for the answer to
    the same frame, or another, on the next one. Sent again it bears the same id, by which the platform knows a repeat.
    """

    def __init__(
        self,
        url: str,
        form: FrameForm,
        trust: ssl.SSLContext,
        allowed: Sequence[Network] = (),
        *,
        accepted: Callable[[Answer], bool],
        timeout_s: float,
    ) -> None:
        """Open no connection yet.

        Args:
            url: `tcp://host:port`, or `tls://host:port`.
            form: of the frames.
            trust: the authorities that must vouch for the platform, where the URL says tls.
            allowed: networks of special use in which it may be.
            accepted: whether an answer is a yes, after which the next frame of a report is sent.
            timeout_s: of a connection, and of each answer.
        """
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._trust = trust if parts.scheme == "tls" else None
        self._form = form
        self._allowed = allowed
        self._accepted = accepted
        self._timeout_s = timeout_s
        self._exchanging = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, report: Post, token: Mapping[str, str]) -> Answer:  # noqa: ARG002  frames have no headers
        """See `Link`. The answer is that to the first frame that was not accepted, or to the last one."""
        async with self._exchanging:
            first, *others = report.frames
            answer = _answer(await self._exchange(first))
            for frame in others:
                if not self._accepted(answer):
                    break
                answer = _answer(await self._exchange(frame))
            return answer

    async def reach(self) -> None:
        """Connect, and end the connection. Raises Unreachable."""
        async with self._exchanging:
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._connection()
            except TimeoutError as error:
                raise Unreachable(Failure("timeout", seconds=f"{self._timeout_s:g}")) from error
            finally:
                self._drop()

    async def close(self) -> None:
        """See `Link`."""
        self._drop()
        await asyncio.sleep(0)  # the loop closes it in its next iteration

    async def _exchange(self, frame: Frame) -> Mapping[str, str]:
        """Send a frame and wait for its answer; without one the connection ends."""
        answered = False
        passed = _Passed()
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await self._connection()
                await _discard_arrived(reader)
                if reader.at_eof():
                    reader, writer = await self._connection()
                writer.write(frame.content)
                await writer.drain()
                reply = await self._reply_to(frame, reader, passed)
            answered = True
        except TimeoutError as error:
            raise Unreachable(passed.failure(f"{self._timeout_s:g}")) from error
        except asyncio.LimitOverrunError as error:
            raise Unreachable(Failure("broken", how=f"no end of a frame within {MAX_ANSWER} bytes")) from error
        except (OSError, EOFError) as error:
            raise Unreachable(Failure("broken", how="reset" if isinstance(error, OSError) else "ended")) from error
        finally:
            if not answered:
                self._drop()
        return reply

    async def _reply_to(self, frame: Frame, reader: asyncio.StreamReader, passed: _Passed) -> Mapping[str, str]:
        """The answer to this frame; what else comes, such as commands or answers to others, is passed over."""
        while True:
            reply = self._form.read(await reader.readuntil(self._form.ends))
            if reply is None:
                passed.damaged += 1
            elif self._form.answers(reply, frame):
                return reply
            else:
                passed.others += 1

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection, or a new one where the platform ended it meanwhile."""
        if self._streams is not None and not (self._streams[0].at_eof() or self._streams[1].is_closing()):
            return self._streams
        self._drop()
        made = await connect(self._host, self._port, self._allowed)
        try:
            self._streams = await asyncio.open_connection(
                sock=made,
                limit=MAX_ANSWER,
                ssl=self._trust,
                server_hostname=self._host if self._trust is not None else None,
            )
        except OSError as error:
            made.close()
            raise Unreachable(Failure("no-connection", why=why(error))) from error
        except BaseException:
            made.close()
            raise
        return self._streams

    def _drop(self) -> None:
        if self._streams is not None:
            with suppress(RuntimeError):  # its loop has ended
                self._streams[1].transport.abort()
            self._streams = None


@dataclass(slots=True)
class _Passed:
    """What came while an answer was waited for, and was none.

    Attributes:
        damaged: frames of a wrong form, length or check.
        others: frames that are commands, or answers to other frames.
    """

    damaged: int = 0
    others: int = 0

    def failure(self, seconds: str) -> Failure:
        """Why there is no answer after so many seconds."""
        if self.damaged:
            return Failure("timeout-damaged", seconds=seconds, count=self.damaged)
        if self.others:
            return Failure("timeout-others", seconds=seconds, count=self.others)
        return Failure("timeout", seconds=seconds)


async def _discard_arrived(reader: asyncio.StreamReader) -> None:
    """Take out what has arrived already: it cannot be the answer to a frame that is still to be sent."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            while await reader.read(MAX_ANSWER):
                pass


def _answer(reply: Mapping[str, str]) -> Answer:
    """The answer as those over HTTP are, so that one judge reads both."""
    return Answer(200, None, json.dumps(reply).encode())
