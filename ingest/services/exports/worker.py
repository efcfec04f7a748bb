"""The process that makes one list: takes a wish, reads the state database by its own connection, writes the list.

It is started for each list and ends with it, so its memory goes back. The wish comes on standard input; the list goes
to standard output, a file. It ends when whoever started it does.
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
from ingest.services.exports.request import ExportRequest
from ingest.services.exports.sheets import Maker
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.read_only import ReadOnly

MEMORY_BYTES: Final = 2 * 2**30
"""Address space it may have: a list that needs more is refused, before the machine has to choose whom to end."""

AWAY: Final = 3
TOO_LARGE: Final = 4
LACKING: Final = 5


def main() -> int:
    """Make what is wished; the exit code says what stood in the way."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    with suppress(ValueError):  # macOS bounds no addresses
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    config: StateConfig
    wish: ExportRequest
    config, wish = pickle.load(sys.stdin.buffer)  # noqa: S301  from the service that started this process
    threading.Thread(target=_end_with_the_service, name="service", daemon=True).start()
    try:
        with ReadOnly(config) as database:
            made = Maker(CaseStore(database), CaseFigures(database)).made(wish)
    except StateUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201  that is how it says so
        return AWAY
    except MemoryError:
        return TOO_LARGE
    except ExtraMissing as error:
        print(error, file=sys.stderr)  # noqa: T201  as above
        return LACKING
    sys.stdout.buffer.write(made)
    return 0


def _end_with_the_service() -> None:
    """Whoever started this process keeps its input open; when that ends, nobody waits for the list any more."""
    while os.read(sys.stdin.fileno(), 4096):  # not through `sys.stdin`, whose lock would be missed at the end
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
