"""A publisher that costs little: frames of many gateways over one plain MQTT 3.1.1 connection, at most so many unread.

A client library would need more of the machine than what is measured. The frames are real ones, rendered from
templates; the connection speaks just what is needed: CONNECT, SUBSCRIBE, PUBLISH at QoS 1, and reads acknowledgements
and `committed`.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

COLUMNS: Final = 20
_A_PLANT: Final = 100
_SIGNALS: Final = (
    *(("STL_CO", 8.0), ("STL_O2", 20.9), ("STL_CW_OUT_T", 35.0), ("STL_CW_DT", 5.0), ("STL_BF_TOP_T", 180.0)),
    *(
        ("STL_LADLE_T", 200.0),
        ("STL_GH_P", 8.0),
        ("STL_PERSON_GATHER", 0.0),
        ("STL_GAS_O2", 0.3),
        ("STL_BF_TOP_P", 150.0),
    ),
)
"""Ten signals of a steel works, each with a value at which none of its rules speaks; a gateway has two of each."""

USUAL: Final = tuple(value for _, value in _SIGNALS * 2)
"""What the columns of a frame show, but for some noise."""

_VARIANTS: Final = 50
_FOREVER_S: Final = 10**6


@dataclass(frozen=True, slots=True)
class Load:
    """What is published.

    Attributes:
        messages: in all.
        gateways: they take turns.
        times: instants a frame; as many readings each as there are columns.
        rate: messages a second; 0 = as fast as they are taken.
        alarm_every: one frame in so many raises an alarm, the next of its gateway clears it; 0 = none.
        wait: for `committed`; else only for the broker's acknowledgements.
        ago_s: the first frame is of so long ago; for what is sent as fast as it is taken.
        every_ms: between instants; so little that what is sent as fast as it is taken is not of the future, which would
            be a gateway whose clock runs too fast.
        first: the number of the first gateway.
        unread: messages published and not yet told to be on disk: what a fleet of gateways would hold.
        columns: points of each gateway.
    """

    messages: int
    gateways: int = 20
    times: int = 1
    rate: float = 0.0
    alarm_every: int = 0
    wait: bool = True
    ago_s: float = 0.0
    every_ms: int = 1
    first: int = 0
    unread: int = 4_000
    columns: int = COLUMNS


def write_plants(folder: Path, gateways: int, *, prompt: bool = False, first: int = 0, columns: int = COLUMNS) -> None:
    """Plant files for these gateways of so many points, up to 100 a plant, with the default rules.

    `prompt`: the first point of each gateway raises its high alarm without delay, and nobody is ever silent: thousands
    of alarms of those that send nothing would stand before what is timed. `first`: the number of the first gateway, the
    first of a plant; a second call may add plants to a folder.
    """
    folder.mkdir(exist_ok=True)
    patience = f"\nsilence_s = {_FOREVER_S}" if prompt else ""
    for begin in range(first, first + gateways, _A_PLANT):
        lines = [
            f'[enterprise]\nid = "{_plant(begin)}"\nname = "压测"\nname_en = "Load"\nuscc = "91350583MA000L0390"',
            'region = "350583"\nkind = "steel"\nworkers = 100\ndust_workers = 0',
        ]
        for number in range(begin, min(begin + _A_PLANT, first + gateways)):
            lines.append(f'[[gateways]]\nid = "GW-{number}"\nname = "网关"\nname_en = "Gateway"{patience}')
            for column, (signal, _) in enumerate((_SIGNALS * 2)[:columns]):
                point = f'[[points]]\nid = "{_point(number, column)}"\nsignal = "{signal}"\ngateway = "GW-{number}"'
                lines.append(point + patience)
                if prompt and column == 0:
                    lines.append("[points.rules.H]\non = 24\noff = 20\non_delay_s = 0\noff_delay_s = 0")
        (folder / f"{_plant(begin)}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def point_names(first: int, gateways: int, columns: int = COLUMNS) -> list[tuple[str, str, str]]:
    """Plant, id and signal of every point of these gateways, as `write_plants` has them."""
    signals = [signal for signal, _ in _SIGNALS * 2][:columns]
    return [
        (_plant(number), _point(number, column), signal)
        for number in range(first, first + gateways)
        for column, signal in enumerate(signals)
    ]


def publish(host: str, port: int, load: Load) -> float:
    """Publish it all; returns seconds from the first publish to the last commit (or acknowledgement)."""
    with socket.create_connection((host, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _open(connection, wait=load.wait)
        began = time.perf_counter()
        _pump(connection, load)
        return time.perf_counter() - began


def load_command(broker: tuple[str, int], load: Load) -> list[str]:
    """The command line that publishes so, as a process of its own that prints the seconds it took."""
    return [sys.executable, "-m", "benchmarks.load", broker[0], str(broker[1]), json.dumps(asdict(load))]


def _plant(gateway: int) -> str:
    return f"load-{gateway // _A_PLANT}"


def _point(gateway: int, column: int) -> str:
    return f"P-{gateway:02d}-{column:02d}"


def _open(connection: socket.socket, *, wait: bool) -> None:
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + _text(f"load-{random.getrandbits(32):x}".encode())
    connection.sendall(b"\x10" + _length(len(body)) + body)
    _exactly(connection, 4)
    if wait:
        body = b"\x00\x01" + _text(b"yujing/v1/+/+/committed") + b"\x00"
        connection.sendall(b"\x82" + _length(len(body)) + body)
        _exactly(connection, 5)


def _pump(connection: socket.socket, load: Load) -> None:
    boot = f"b{time.time_ns():x}"
    packets = _packets(load, boot)
    done: dict[str, int] = {}
    sent, acked, ready = 0, 0, 0
    unread = bytearray()
    outgoing = memoryview(b"")
    began = time.perf_counter()
    connection.setblocking(False)
    while ready < load.messages:
        room, wait = min(load.messages - sent, load.unread - (sent - ready)), 0.002
        if load.rate and room > 0:
            passed = time.perf_counter() - began
            room, wait = min(room, int(passed * load.rate) - sent), max((sent + 1) / load.rate - passed, 0)
        if not outgoing and room > 0:
            chunk = [next(packets) for _ in range(min(room, 200))]
            outgoing = memoryview(b"".join(chunk))
            sent += len(chunk)
        readable, writable, _ = select.select([connection], [connection] if outgoing else [], [], wait)
        if writable:
            outgoing = outgoing[connection.send(outgoing) :]
        if readable:
            received = connection.recv(1 << 18)
            if not received:
                raise ConnectionError("the broker closed the connection")
            unread += received
            acked += _read(unread, boot, done)
        ready = sum(done.values()) if load.wait else acked


def _packets(load: Load, boot: str) -> Iterator[bytes]:
    generator = random.Random(1)  # noqa: S311  made-up readings
    variants = max(2, _VARIANTS * 20 // load.gateways)
    gateways = range(load.first, load.first + load.gateways)
    shown = [[_values(generator, g, load) for _ in range(variants)] for g in gateways]
    loud = [_values(generator, g, load, first=300.0) for g in gateways]
    topics = [f"yujing/v1/{_plant(g)}/GW-{g}/frame".encode() for g in gateways]
    start = time.time_ns() // 1_000_000 - int(load.ago_s * 1000)
    alarmed: set[int] = set()
    for number in range(load.messages):
        gateway, seq = number % load.gateways, number // load.gateways + 1
        values = shown[gateway][seq % variants]
        if load.alarm_every and number % load.alarm_every == 0 and gateway not in alarmed:
            values = loud[gateway]
            alarmed.add(gateway)
        else:
            alarmed.discard(gateway)
        first = time.time_ns() // 1_000_000 if load.rate else start + (seq - 1) * load.times * load.every_ms
        times = ",".join([str(first + load.every_ms * at) for at in range(load.times)])
        frame = f'{{"boot":"{boot}","seq":{seq},"time":[{times}],{values}}}'.encode()
        head = _text(topics[gateway]) + struct.pack("!H", number % 65_535 + 1)
        yield b"\x32" + _length(len(head) + len(frame)) + head + frame


def _values(generator: random.Random, gateway: int, load: Load, first: float | None = None) -> str:
    """The frame's `values`: its columns, the first of them at a given value."""
    usual = USUAL[: load.columns]
    numbers = [[round(value * generator.uniform(0.99, 1.01), 3) for _ in range(load.times)] for value in usual]
    columns = {_point(gateway, at): column for at, column in enumerate(numbers)}
    if first is not None:
        columns[_point(gateway, 0)] = [first] * load.times
    return f'"values":{json.dumps(columns, separators=(",", ":"))}'


def _read(unread: bytearray, boot: str, done: dict[str, int]) -> int:
    """Take whole packets out; note what is committed. Returns acknowledgements read."""
    acked, at = 0, 0
    while len(unread) - at >= 2:
        length, digits, shift = 0, 0, 0
        while at + 1 + digits < len(unread):
            byte = unread[at + 1 + digits]
            length |= (byte & 127) << shift
            digits, shift = digits + 1, shift + 7
            if byte < 128:
                break
        else:
            break
        end = at + 1 + digits + length
        if end > len(unread):
            break
        if unread[at] >> 4 == 4:
            acked += 1
        elif unread[at] >> 4 == 3:
            topic_length = int.from_bytes(unread[at + 1 + digits : at + 3 + digits])
            topic_end = at + 3 + digits + topic_length
            committed = json.loads(bytes(unread[topic_end:end]))
            if committed["boot"] == boot:
                missing = sum(last - first + 1 for first, last in committed["missing"])
                done[bytes(unread[at + 3 + digits : topic_end]).decode()] = committed["seq"] - missing
        at = end
    del unread[:at]
    return acked


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += connection.recv(count - len(data))
    return data


def _text(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text


def _length(number: int) -> bytes:
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | (128 if number else 0))
        if not number:
            return bytes(digits)


def main() -> None:
    """Publish as a process of its own; prints the seconds it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("load", type=json.loads)
    given = parser.parse_args()
    sys.stdout.write(f"{publish(given.host, given.port, Load(**given.load))}\n")


if __name__ == "__main__":
    main()
