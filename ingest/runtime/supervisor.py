"""What we tell systemd: that we are ready, alive, or stopping. Says nothing where nobody listens.

The protocol is sd_notify(3): datagrams of `KEY=VALUE` lines to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Systemd, or nobody. Never fails and never blocks: a supervisor that does not listen must not stop the service.

    Attributes:
        interval_s: how often it wants to hear that we are alive (half of what it waits for); None = it does not.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.interval_s: float | None = None
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        with suppress(ValueError):
            self.interval_s = (
                int(environment["WATCHDOG_USEC"]) / 2e6 if ours and "WATCHDOG_USEC" in environment else None
            )

    def ready(self, status: str) -> None:
        """Every part runs; `status` is shown by `systemctl status`."""
        self._tell(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """The service makes progress."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The service was asked to end."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address  # @ = an abstract socket
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as to:
            to.sendto(state.encode(), address)
