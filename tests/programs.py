"""The programs of the servers that tests run, wherever their packages put them."""

from __future__ import annotations

import os
import shutil
from typing import Final

_PACKAGES: Final = {
    "influxd": "influxdb",
    "victoria-metrics": "victoria-metrics",
    "mosquitto": "mosquitto",
    "postgres": "postgresql",
}
_SBIN: Final = "/usr/local/sbin:/usr/sbin:/sbin"


def find(program: str) -> str:
    """Its path. Raises FileNotFoundError with the package that has it."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    if found is None:
        raise FileNotFoundError(f"{program} is not installed: apt-get install -y {_PACKAGES[program]}")
    return found
