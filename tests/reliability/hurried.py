"""The service, with everything it does from time to time done all the time: `-m tests.reliability.hurried run …`."""

from __future__ import annotations

from ingest.cli.main import main
from ingest.runtime import maintenance, self_monitoring

OFTEN_S = 0.1

if __name__ == "__main__":
    maintenance._TRIM_EVERY_S = maintenance._CHECK_EVERY_S = OFTEN_S  # type: ignore[misc]
    maintenance._PACK = 10  # type: ignore[misc]  # annunciations
    self_monitoring.EVERY_S = OFTEN_S  # type: ignore[misc]
    main()
