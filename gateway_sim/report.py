"""JSON files that another process reads while they are being rewritten."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_report(file: Path, content: Mapping[str, object]) -> None:
    """Replace the file at once: a reader sees the old report or the new one, never half of it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(file)
