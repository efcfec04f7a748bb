"""The `yujing` command, and `python -m ingest`: what is run first, and loads the rest."""

from __future__ import annotations

import gc
import sys

from ingest.base import build


def main() -> None:
    """Run the command line; which version this is is said without loading it."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"yujing {build.version()}\n")
        return
    # Nothing that is loaded is garbage: not to look again and again saves a sixth of what it takes to start.
    gc.disable()
    from ingest.cli import main as cli  # noqa: PLC0415  not before

    gc.freeze()
    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
