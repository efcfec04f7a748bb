"""A PostgreSQL cluster, made once a process: each server of the tests begins with a copy of it."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from tests.programs import find

ROLE: Final = "yujing"
ROLE_PASSWORD: Final = "a-role's-password-of-this-test"


@cache
def cluster() -> Path:
    """The folder of its data; it has our role."""
    folder = Path(tempfile.mkdtemp(prefix="yujing-cluster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.chown(folder, *owner())
    data = folder / "data"
    password = ROLE_PASSWORD.replace("'", "''")
    _done(
        binaries() / "initdb", f"--pgdata={data}", "--username=admin", "--encoding=UTF8", "--locale=C.UTF-8",
        "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync",
    )  # fmt: skip
    role = f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'"
    _done(binaries() / "postgres", "--single", "-D", data, "-c", "exit_on_error=on", "postgres", given=role)
    return data


def _done(*command: str | Path, given: str = "") -> None:
    """Run a program of PostgreSQL as its owner; raise RuntimeError with what it wrote if it fails."""
    done = subprocess.run([*as_owner(), *command], input=given, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr}")


def owner() -> tuple[int, int]:
    """The user and group that the package makes for the server."""
    found = pwd.getpwnam("postgres")
    return found.pw_uid, found.pw_gid


def as_owner() -> list[str]:
    """What a command begins with so that it runs as that user, where we are root: the server refuses to be."""
    if os.geteuid() != 0:
        return []
    user, group = owner()
    return [find("setpriv"), f"--reuid={user}", f"--regid={group}", "--clear-groups"]


def binaries() -> Path:
    """The folder of the newest server installed: Debian keeps them out of PATH, side by side."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda at: int(at.parts[-3]))
    return (versions[-1] if versions else Path(find("postgres"))).parent
