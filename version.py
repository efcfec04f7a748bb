"""The version of a build: the release, and after a plus which sources it was built from.

Hatchling reads it. Two builds of different sources have different versions, so that pip puts the new one in the place
of the old one, and people can tell which of them runs: `yujing version`.
"""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from pathlib import Path

RELEASE = "0.1.0"
ROOT = Path(__file__).resolve().parent
BUILT = ("pyproject.toml", "version.py", "ingest", "detectors", "gateway_sim", "dashboards")
"""Beside the sample files that pyproject.toml names one by one."""


def version(root: Path = ROOT) -> str:
    """The release and the commit; with changes that are not committed, or without git, a hash of what is built, too."""
    commit = _git(root, "rev-parse", "--short=9", "HEAD") if _git(root, "ls-files", "version.py") else ""
    if commit and not _git(root, "status", "--porcelain", "--", *_built(root)):
        return f"{RELEASE}+g{commit}"
    return f"{RELEASE}+{f'g{commit}.' if commit else ''}s{_hash(root)}"


def _built(root: Path) -> list[str]:
    wheel = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    return [*BUILT, *sorted(wheel["force-include"])]


def _git(root: Path, *words: str) -> str:
    try:
        told = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:  # there is no git
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def _hash(root: Path) -> str:
    digest = hashlib.sha256()
    for name in _built(root):
        part = root / name
        for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if file.is_file() and file.suffix != ".pyc":
                content = file.read_bytes()
                digest.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:9]


__version__ = version()
