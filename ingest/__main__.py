"""The `yujing` command, and `python -m ingest`: what is run first, and loads the rest."""

from __future__ import annotations

import sys

from ingest.base import build
from ingest.base.loading import loading


def main() -> None:
    """Run the command line; the version is printed without loading it."""
    if sys.argv[1:] in (["--version"], ["version"]):
        sys.stdout.write(f"yujing {build.version()}\n")
        return
    with loading():
        from ingest.cli import main as cli  # noqa: PLC0415  not before
    cli.main()


if __name__ == "__main__":
    main()
