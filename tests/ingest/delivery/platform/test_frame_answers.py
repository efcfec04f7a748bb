"""A frame is answered by its own answer, and by nothing else a platform sends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest.delivery.platform import hj212
from tests.ingest.delivery.outbox import (
    readings_message,
)
from tests.ingest.delivery.platform.frames import (
    POINTS,
    answer,
    row,
    serving,
    variant,
    with_rows,
)


async def test_only_the_answer_to_a_frame_counts_for_it(tmp_path: Path) -> None:
    """Commands, noise, damaged and other frames' answers before it are passed over; one connection serves all."""
    connections = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while frame := await reader.readline():
            fields = hj212.fields_in(frame)
            assert fields is not None
            other = f"{int(fields['QN']) + 1}"
            right = answer(fields["QN"])
            writer.write(
                b"##0100 half a frame"
                + answer(fields["QN"], "9011", "QnRtn=1")
                + b"noise\r\n"
                + answer(other)
                + answer(other, "9011", "QnRtn=3")
                + answer("1" * 17, "1012")
            )
            writer.write(
                right.replace(b"9014", b"9015") + b"##0009 and noise" + right + answer(fields["QN"], "9011", "QnRtn=2")
            )

    async with serving(serve, tmp_path) as connector:
        for at in (1, 2, 3):
            (outcome,) = await connector.deliver([with_rows(readings_message(at), row("P-1", 1.0))])
            assert outcome.error is None
    assert len(connections) == 1


async def test_an_answer_that_comes_late_has_nowhere_to_arrive(tmp_path: Path) -> None:
    """Without its answer a frame ends the connection; sent again on another one it bears the same QN."""
    frames: list[tuple[int, bytes]] = []
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        this = connections
        while frame := await reader.readline():
            frames.append((this, frame))
            if this > 1:
                writer.write(answer(frame[9:26].decode()))

    async with serving(serve, tmp_path) as connector:
        message = with_rows(readings_message(1), row("P-1", 1.0))
        errors = [(await connector.deliver([message]))[0].error for _ in range(3)]
    assert errors == ["no complete answer within 1 s", None, None]
    assert [this for this, _ in frames] == [1, 2, 2]
    assert len({frame for _, frame in frames}) == 1


async def test_an_answer_that_came_before_a_part_was_sent_is_not_the_answer_to_it(tmp_path: Path) -> None:
    """The platform answers the first part twice, without PNO, and never the second one."""
    short = variant(tmp_path, ("most_bytes = 1024", "most_bytes = 256"))
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while frame := await reader.readline():
            asked += 1
            if asked == 1:
                right = answer(frame[9:26].decode())
                writer.write(right + right + right[:30])

    async with serving(serve, tmp_path, profile=short) as connector:
        rows = [row(point, 1.5) for point in POINTS]
        (outcome,) = await connector.deliver([with_rows(readings_message(1), *rows)])
    assert (asked, outcome.error) == (2, "no complete answer within 1 s")


@pytest.mark.parametrize(
    ("qn", "spoilt", "what"),
    [("1" * 17, False, "2 frames that are commands or answers to other frames"),
     ("", True, "2 frames of wrong form, length or check")],
)  # fmt: skip
async def test_what_came_in_place_of_an_answer_is_said(qn: str, spoilt: bool, what: str, tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while frame := await reader.readline():
            reply = answer(qn or frame[9:26].decode())
            writer.write(2 * (reply.replace(b"9014", b"9015") if spoilt else reply))

    async with serving(serve, tmp_path) as connector:
        (outcome,) = await connector.deliver([with_rows(readings_message(1), row("P-1", 1.0))])
    assert outcome.error == f"no complete answer within 1 s, but {what}"


async def test_a_platform_that_never_ends_a_frame_is_read_so_far_and_no_farther(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        while True:
            writer.write(b"#" * 65_536)
            await writer.drain()

    async with serving(serve, tmp_path) as connector:
        (outcome,) = await connector.deliver([with_rows(readings_message(1), row("P-1", 1.0))])
    assert outcome.error == ("connection broken before the answer was complete (no end of a frame within 65536 bytes)")


async def test_a_platform_that_speaks_no_tls_is_not_told_as_one_that_does_not_answer(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(6)  # no frame begins like this: it hangs up

    async with serving(serve, tmp_path, scheme="tls") as connector:
        (outcome,) = await connector.deliver([with_rows(readings_message(1), row("P-1", 1.0))])
    assert outcome.error in {
        "no connection: the other side ended it at once; perhaps it speaks no TLS",
        "no connection: Connection reset by peer",
    }
