"""The export process: reads a request, queries the state database by its own connection, writes one list.

It is started for each list and ends with it, which frees its memory. The request comes on standard input; the list
goes to standard output, a file, row by row; what is needed meanwhile is kept in TMPDIR. It ends when the process that
started it does.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
import threading
from contextlib import suppress
from typing import Final

from ingest.base.extras import ExtraMissing
from ingest.domain.cases.written import TooManyRows
from ingest.services.exports.request import ExportRequest
from ingest.services.exports.sheets import SheetBuilder
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.read_only import ReadOnly

MEMORY_BYTES: Final = 2 * 2**30
"""Limit of its address space: a list that needs more is refused, before the system has to kill a process."""

AWAY: Final = 3
TOO_LARGE: Final = 4
REFUSED: Final = 5
"""It cannot be made: an extra is not installed, or a workbook has fewer rows."""


def main() -> int:
    """Make the requested list; the exit code says what prevented it."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    with suppress(ValueError):  # macOS bounds no addresses
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    config: StateConfig
    request: ExportRequest
    config, request = pickle.load(sys.stdin.buffer)  # noqa: S301  from the service that started this process
    threading.Thread(target=_end_with_the_service, name="service", daemon=True).start()
    try:
        with ReadOnly(config) as database:
            builder = SheetBuilder(CaseStore(database), DailyStore(database), CaseFigures(database))
            builder.build(request, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except StateUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201  how it reports to the service
        return AWAY
    except MemoryError:
        return TOO_LARGE
    except (ExtraMissing, TooManyRows) as error:
        print(error, file=sys.stderr)  # noqa: T201  as above
        return REFUSED
    return 0


def _end_with_the_service() -> None:
    """End this process when its input closes: the service keeps it open as long as it waits for the list."""
    while os.read(sys.stdin.fileno(), 4096):  # not through `sys.stdin`, whose lock would be missed at the end
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
