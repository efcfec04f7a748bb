"""The ordering oracle: from a trace of system calls, whether anything was acknowledged before it was on disk.

The logic. A gateway publishes frames of one boot with seq 1, 2, 3 ... Four things are read from the trace, all in the
one order in which the kernel saw them:

1. bytes received from the broker: PUBLISH packets, so which packet id carries which seq;
2. pages written to `journal.db-wal`: the row of table `position` holds the boot's `committed` seq in clear. What a
   transaction wrote counts from its commit frame on (a WAL frame header with a non-zero database size);
3. fdatasync of that file: when it *returns*, all that was counted when it was *entered* is on disk: `synced`;
4. bytes sent to the broker: a PUBACK for seq s, or a `committed` message up to s, is a violation if s > `synced` at
   the moment the sending call is *entered*.

Frames must have arrived in order without a gap, so that `committed` = s means that 1..s are in it; that is checked.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.intake.wire.decode import decode
from ingest.intake.wire.frame import decode_committed
from ingest.intake.wire.topics import committed_topic, frame_topic
from tests.reliability.strace import Call, calls

WAL: Final = "journal.db-wal"
_FRAME_HEADER: Final = 24  # sqlite.org/fileformat2.html#wal_file_format
_WAL_HEADER: Final = 32
_INTEGER: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}  # serial type -> bytes; 8 and 9 are 0 and 1
_PUBLISH, _PUBACK = 3, 4


@dataclass(slots=True)
class Verdict:
    """What the trace shows."""

    acks: int = 0
    committed: int = 0  # `committed` messages
    syncs: int = 0  # of the journal's WAL
    received: int = 0
    violations: list[str] = field(default_factory=list)


class Stream:
    """Bytes of one direction of one connection, cut into MQTT packets."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Each packet that is complete: its first byte, and what follows its length."""
        self._rest += data
        while (cut := _varint(self._rest, 1)) is not None and len(self._rest) >= cut[1] + cut[0]:
            length, at = cut
            packet = self._rest[0], bytes(self._rest[at : at + length])
            del self._rest[: at + length]
            yield packet


class Disk:
    """How far a boot has come by the journal's file: what is written, and what is synced."""

    def __init__(self, plant: str, gateway: str, boot: str) -> None:
        names = [name.encode() for name in (plant, gateway, boot)]
        types = bytes(13 + 2 * len(name) for name in names)
        # the cell: serial types of plant, gateway, boot; of committed; the rest of the header; then the values
        self._row = re.compile(re.escape(types) + b"(.)(?:.{0,24})" + re.escape(b"".join(names)) + b"(.{8})", re.DOTALL)
        self._open = 0  # in pages of a transaction that is not complete
        self._ends = False  # the page that follows is the transaction's last
        self._written = 0
        self._syncing = 0
        self.synced = 0
        self.syncs = 0

    def see(self, call: Call) -> None:
        """Take a call on the journal's WAL into account."""
        if call.name == "pwrite64" and call.result is not None:
            if call.result != len(call.data):
                raise ValueError(f"a short write of {call.result} bytes; expected {len(call.data)}")
            self._write(call.data)
        elif call.name in {"fdatasync", "fsync"}:
            if call.result is None:
                self._syncing = self._written
            elif call.result == 0:
                self.synced = max(self.synced, self._syncing)
                self.syncs += 1

    def _write(self, data: bytes) -> None:
        if len(data) == _WAL_HEADER:
            return
        if len(data) == _FRAME_HEADER:
            self._ends = struct.unpack(">I", data[4:8])[0] != 0
            return
        for types, value in self._row.findall(data):
            self._open = max(self._open, _integer(types[0], value))
        if self._ends:
            self._written = self._open


def judge(trace: Iterable[str], broker_port: int, who: tuple[str, str, str]) -> Verdict:
    """Walk through the lines that strace wrote of a service that `who` (plant, gateway, boot) published to.

    Raises:
        ValueError: the trace does not hold what the logic needs.
    """
    judge = _Judge(*who)
    broker = f":{broker_port}]"
    for call in calls(trace, lambda file: file.endswith(WAL) or broker in file):
        if call.file.endswith(WAL):
            judge.disk.see(call)
        elif call.name.startswith("send"):
            judge.send(call)
        elif call.result is not None and call.result > 0:
            judge.receive(call)
    judge.verdict.syncs, judge.verdict.received = judge.disk.syncs, judge.newest
    return judge.verdict


class _Judge:
    """Follows both directions of every connection to the broker, and the disk."""

    def __init__(self, plant: str, gateway: str, boot: str) -> None:
        self.disk = Disk(plant, gateway, boot)
        self.verdict = Verdict()
        self.newest = 0
        self._frames, self._commits, self._boot = frame_topic(plant, gateway), committed_topic(plant, gateway), boot
        self._seqs: dict[tuple[str, int], int] = {}  # (connection, packet id) -> seq; 0 for a status, which has none
        self._incoming: dict[str, Stream] = {}
        self._outgoing: dict[str, Stream] = {}
        self._entered: dict[int, int] = {}  # a sending call -> what was synced when it was entered

    def receive(self, call: Call) -> None:
        """Bytes from the broker: which packet id carries which seq."""
        for head, packet in self._incoming.setdefault(call.file, Stream()).feed(call.data[: call.result]):
            if head >> 4 != _PUBLISH:
                continue
            topic, number, payload = _publish(head, packet)
            self._seqs[call.file, number] = self._next(payload) if topic == self._frames else 0

    def send(self, call: Call) -> None:
        """Bytes to the broker: nothing in them may speak of more than was synced when they were given to the system."""
        if call.result is None:
            self._entered[id(call)] = self.disk.synced
            return
        synced = self._entered.pop(id(call))
        for head, packet in self._outgoing.setdefault(call.file, Stream()).feed(call.data[: max(call.result, 0)]):
            if head >> 4 == _PUBACK:
                # A packet id that nobody sent is acknowledged too early at any time.
                seq = self._seqs.pop((call.file, int.from_bytes(packet[:2], "big")), 1 << 62)
                self.verdict.acks += seq > 0
                self._hold("PUBACK of seq", seq, synced)
            elif head >> 4 == _PUBLISH and (committed := self._committed_of(head, packet)):
                self.verdict.committed += 1
                self._hold("committed", committed, synced)

    def _hold(self, what: str, seq: int, synced: int) -> None:
        if seq > synced:
            self.verdict.violations.append(f"{what} {seq} while {synced} was synced")

    def _next(self, payload: bytes) -> int:
        frame = decode(payload, {})
        identity = frame.boot, frame.seq
        if identity != (self._boot, self.newest + 1):
            raise ValueError(f"{identity} arrived; expected {(self._boot, self.newest + 1)}")
        self.newest += 1
        return self.newest

    def _committed_of(self, head: int, packet: bytes) -> int:
        """The seq of a `committed` message of our boot; 0 if it is none."""
        topic, _, payload = _publish(head, packet)
        if topic != self._commits:
            return 0
        committed = decode_committed(payload)
        if committed.missing:
            raise ValueError(f"missing {committed.missing}; expected frames without a gap")
        return committed.seq if committed.boot == self._boot else 0


def _publish(head: int, packet: bytes) -> tuple[str, int, bytes]:
    """Topic, packet id (0 at QoS 0) and payload of an MQTT 5 PUBLISH."""
    end = 2 + int.from_bytes(packet[:2], "big")
    identified = 2 if head & 0x06 else 0
    properties = _varint(packet, end + identified)
    if properties is None:
        raise ValueError("a PUBLISH without properties; expected MQTT 5")
    size, at = properties
    number = int.from_bytes(packet[end : end + identified], "big")
    return packet[2:end].decode(), number, packet[at + size :]


def _varint(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """MQTT's variable byte integer and where it ends, or None if it is not all there."""
    value = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        value |= (data[at + place] & 0x7F) << 7 * place
        if not data[at + place] & 0x80:
            return value, at + place + 1
    raise msgspec.DecodeError("a length of more than 4 bytes")


def _integer(kind: int, value: bytes) -> int:
    if kind not in _INTEGER:
        return 0  # chance bytes that look like a cell's head
    return int.from_bytes(value[: _INTEGER[kind]], "big") if kind not in {8, 9} else kind - 8
