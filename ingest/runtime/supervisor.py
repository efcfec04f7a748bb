"""Notifies systemd that the service is ready, alive or stopping; does nothing without systemd.

The protocol is sd_notify(3): datagrams of `KEY=VALUE` lines to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Notifies systemd if it supervises the service. Never fails and never blocks.

    Attributes:
        interval_s: how often to notify that the service is alive (half of systemd's timeout); None = not at all.
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
        """Notify that every part runs; `status` is shown by `systemctl status`."""
        self._notify(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """Notify that the service makes progress."""
        self._notify("WATCHDOG=1")

    def stopping(self) -> None:
        """Notify that the service is stopping."""
        self._notify("STOPPING=1")

    def _notify(self, state: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address  # @ = an abstract socket
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as to:
            to.sendto(state.encode(), address)
