"""What every frame format promises. A new one subclasses the suite and gives its fixture `fmt`.

Everything goes by `decode`, as intake has it: what is wrong in a frame is found there or in `parse`, whichever knows.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest

from ingest.domain.model.batch import Batch
from ingest.intake.wire.assemble import Arrival, assemble
from ingest.intake.wire.decode import Decoded, decode, identify
from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.format import FrameFormat
from ingest.intake.wire.frame import MAX_BYTES, MAX_COLUMNS, QUALITIES, Frame
from ingest.intake.wire.registry import BY_FIRST_BYTE, by_first_byte

T0 = 1_763_884_800_000
COLUMNS = {"A": 7, "B": 3, "测点 1": 5, 'say "no", [1]:\\': 9}
EXTREMES = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308, -0.0, 0.0, 1e16, 4503599627370497.5]


@dataclass
class Dice:
    """Frames of any shape, the same in each run."""

    random: random.Random

    def frame(self) -> Frame:
        dice = self.random
        times = sorted(dice.sample(range(T0, T0 + 10**9), dice.randint(1, 4)))
        names = dice.sample([*COLUMNS], dice.randint(1, len(COLUMNS)))
        values = {name: [self.number() for _ in times] for name in names}
        marked = dice.sample(names, dice.randint(0, len(names)))
        quality = {name: [dice.choice([*QUALITIES]) for _ in times] for name in marked}
        boot = dice.choice(["b1", "GW[1]-2026", "锅炉{1},[2]:3", "\t"])
        return Frame(boot, dice.randint(1, (1 << 62) - 1), times, values, quality or None, dice.random() < 0.5)

    def number(self) -> float | None:
        return self.random.choice([None, self.random.gauss(0.3, 100), *EXTREMES])


class FrameFormatPromises:
    """A frame is read exactly, or refused with the place, what stands there and what was expected."""

    @pytest.fixture(autouse=True)
    def _registered(self, fmt: FrameFormat, monkeypatch: pytest.MonkeyPatch) -> None:
        """As its line in the registry would have it."""
        others = [frame_format for frame_format in BY_FIRST_BYTE.values() if type(frame_format) is not type(fmt)]
        for first, frame_format in by_first_byte([*others, fmt]).items():
            monkeypatch.setitem(BY_FIRST_BYTE, first, frame_format)

    def test_what_is_written_is_read_to_the_last_bit(self, fmt: FrameFormat) -> None:
        dice = Dice(random.Random(7))  # noqa: S311
        for _ in range(200):
            frame = dice.frame()
            payload = fmt.encode(frame)
            got = decode(payload, COLUMNS)
            assert (got.boot, got.seq, got.times, got.historical) == (
                frame.boot, frame.seq, frame.time, frame.historical
            )  # fmt: skip
            assert identify(payload) == (frame.boot, frame.seq)
            assert got.refused == ()
            assert got.points == [COLUMNS[name] for name in frame.values]
            marks = {[*frame.values].index(name): marks for name, marks in (frame.quality or {}).items()}
            assert got.quality == marks
            written = np.array([frame.values[name] for name in frame.values], np.float64)
            read = batch(got).value.reshape(len(frame.time), -1).T
            assert written.tobytes() == np.where(np.isnan(read), np.nan, read).tobytes(), "signs of zero too"

    @pytest.mark.parametrize("time", [-(1 << 63), -5, 0, T0, (1 << 63) - 1])
    def test_any_time_of_64_bits_is_read(self, fmt: FrameFormat, time: int) -> None:
        """What to do with one that cannot be is decided by the gateway's line of time."""
        assert decode(fmt.encode(Frame("b", 1, [time], {"A": [1.0]})), COLUMNS).times == [time]

    def test_a_number_that_is_none_is_never_read_as_one(self, fmt: FrameFormat) -> None:
        """It is no value, or costs its column; the other column is taken."""
        for wrong in (float("inf"), float("-inf"), float("nan")):
            got = decode(fmt.encode(Frame("b", 1, [T0], {"A": [wrong], "B": [4.8]})), COLUMNS)
            read = batch(got)
            assert read.value[read.point == COLUMNS["B"]].tolist() == [4.8]
            assert np.isnan(read.value[read.point == COLUMNS["A"]]).all()
            assert [(refused.reason, refused.columns) for refused in got.refused] in ([], [(Reason.NOT_FINITE, 1)])

    def test_damaged_bytes_are_read_or_refused_but_never_break_the_reader(self, fmt: FrameFormat) -> None:
        dice = Dice(random.Random(11))  # noqa: S311
        for _ in range(300):
            payload = bytearray(fmt.encode(dice.frame()))
            for _ in range(dice.random.randint(1, 4)):
                payload[dice.random.randrange(len(payload))] = dice.random.randrange(256)
            try:
                got = decode(bytes(payload), COLUMNS)
            except Rejected:
                continue
            assert not any(np.isinf(column).any() for column in columns_of(got))

    def test_a_frame_that_was_cut_off_is_refused_whole(self, fmt: FrameFormat) -> None:
        """Half of it is not taken for all of it, and half a number not for a number."""
        payload = fmt.encode(Frame("b1", 1842, [T0, T0 + 1000], {"A": [1.5, 2.25], "B": [None, 3.0]}))
        for end in range(len(payload)):
            with pytest.raises(Rejected):
                decode(payload[:end], COLUMNS)
            assert identify(payload[:end]) in {None, ("b1", 1842)}

    def test_what_is_too_large_is_refused_unread(self, fmt: FrameFormat) -> None:
        assert reason_of(fmt.begins[0] + b" " * MAX_BYTES) is Reason.TOO_LARGE
        wide = Frame("b", 1, [T0], {f"P-{at}": [1.0] for at in range(MAX_COLUMNS + 1)})
        assert reason_of(fmt.encode(wide)) is Reason.TOO_LARGE

    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            (Frame("", 1, [T0], {"A": [1.0]}), Reason.SCHEMA),
            (Frame("b", 0, [T0], {"A": [1.0]}), Reason.SCHEMA),
            (Frame("b", 1, [], {"A": []}), Reason.SCHEMA),
            (Frame("b", 1, [T0, T0], {"A": [1.0, 2.0]}), Reason.TIME_NOT_INCREASING),
        ],
        ids=["boot", "seq", "no time", "time twice"],
    )
    def test_a_fault_of_the_whole_frame_is_reported(
        self,
        fmt: FrameFormat,
        frame: Frame,
        reason: Reason,
    ) -> None:
        with pytest.raises(Rejected, match=r"[Ee]xpected") as caught:
            decode(fmt.encode(frame), COLUMNS)
        assert caught.value.reason is reason

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"A": [1.0, 2.0]}, Reason.COLUMN_LENGTH),
            ({"A": []}, Reason.COLUMN_LENGTH),
            ({"nobody": [1.0]}, Reason.UNKNOWN_POINT),
        ],
        ids=["too long", "empty", "unknown"],
    )
    def test_a_wrong_column_is_named_and_does_not_cost_the_others(
        self,
        fmt: FrameFormat,
        wrong: dict[str, list[float | None]],
        reason: Reason,
    ) -> None:
        """What is known of the others' instruments is taken, too."""
        got = decode(fmt.encode(Frame("b", 1, [T0], {**wrong, "B": [4.8]}, {"B": [6]})), COLUMNS)
        (refused,) = got.refused
        assert (refused.reason, refused.columns) == (reason, 1)
        assert next(iter(wrong)) in refused.detail
        assert "expected" in refused.detail
        assert batch(got).value.tolist() == [4.8]
        assert batch(got).flags.tolist() == [QUALITIES[6]]

    def test_a_point_that_stands_twice_is_read_as_neither(self, fmt: FrameFormat) -> None:
        """Nobody can tell which of the two is meant; a checksum, or a stricter format, may refuse the whole frame."""
        payload = fmt.encode(Frame("b", 1, [T0], {"TWICE-1": [1.0], "TWICE-2": [2.0], "B": [4.8]}))
        try:
            got = decode(payload.replace(b"TWICE-2", b"TWICE-1"), {"TWICE-1": 1, "B": 3})
        except Rejected:
            return
        assert got.points == [3]
        assert [(refused.reason, refused.columns) for refused in got.refused] == [(Reason.DUPLICATE_KEY, 1)]


def batch(got: Decoded) -> Batch:
    """The frame's readings."""
    return assemble([Arrival(got, 0)])


def columns_of(got: Decoded) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Its values; its times may be wild."""
    return [np.frombuffer(c, "<f8") if isinstance(c, bytes) else np.array(c, np.float64) for c in got.values]


def reason_of(payload: bytes) -> Reason:
    """Why nothing of it is taken."""
    with pytest.raises(Rejected) as caught:
        decode(payload, COLUMNS)
    return caught.value.reason
