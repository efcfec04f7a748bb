"""A toy format, as `docs/extending.md` has it: a frame as CSV, as a small logger writes it.

#csv,<boot>,<seq>,<historical: 0 or 1>
time,<ms>,<ms>,…
values,<point>,<number or nothing for each time>,…
quality,<point>,<0 to 7 for each time>,…
end,<CRC-32 of all lines before>
"""

import csv
import io
import zlib

from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.frame import Frame
from ingest.intake.wire.parse import Parsed
from ingest.intake.wire.salvage import Pairs, parsed_of


class CsvFormat:
    begins: tuple[bytes, ...] = (b"#csv,",)
    described = "CSV after #csv"

    def parse(self, payload: bytes) -> Parsed:
        text, _, tail = payload.rpartition(b"end,")
        if tail != b"%d\n" % zlib.crc32(text):
            raise Rejected(Reason.NOT_READABLE, "the last line is not end and the CRC-32; expected a whole frame")
        try:
            (_, boot, seq, historical), (_, *times), *rows = csv.reader(io.StringIO(text.decode(), newline=""))
            fields = {"values": Pairs([]), "quality": Pairs([])}
            for part, name, *cells in rows:
                fields[part].pairs.append((name, [_number(cell) for cell in cells]))
            head = {"boot": boot, "seq": int(seq), "time": [*map(int, times)], "historical": historical == "1"}
            return parsed_of(head | fields)
        except (ValueError, KeyError, csv.Error) as error:
            raise Rejected(Reason.NOT_READABLE, f"{error}; expected lines as the protocol has them") from None

    def identify_large(self, payload: bytes) -> tuple[str, int] | None:
        return None

    def encode(self, frame: Frame) -> bytes:
        file = io.StringIO(newline="")
        write = csv.writer(file, lineterminator="\n")
        write.writerow(["#csv", frame.boot, frame.seq, int(frame.historical)])
        write.writerow(["time", *frame.time])
        for name, column in frame.values.items():
            write.writerow(["values", name, *("" if cell is None else repr(cell) for cell in column)])
        for name, marks in (frame.quality or {}).items():
            write.writerow(["quality", name, *marks])
        text = file.getvalue().encode()
        return text + b"end,%d\n" % zlib.crc32(text)


def _number(cell: str) -> float | str | None:
    try:
        return int(cell) if cell.isdecimal() else float(cell) if cell else None
    except ValueError:
        return cell  # `parsed_of` says what is wrong with it
