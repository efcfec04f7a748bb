"""The shipped unit, Dockerfile and operations page, taken apart as systemd, Docker and an administrator read them."""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED: dict[str, str] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
"""Sample files that travel in the wheel, and under which path there."""


def unit() -> dict[str, dict[str, list[str]]]:
    """Section -> key -> its values: a key may stand several times."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in (DEPLOY / "yujing.service").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections[line.strip("[]")] = defaultdict(list)
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section[key].append(value)
    return sections


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions by stage, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    found: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        if word and not word.startswith("#"):
            found[-1].append((word, rest))
    return found


def image_command(instruction: str) -> list[str]:
    """The argument vector of the final stage's ENTRYPOINT, CMD or HEALTHCHECK."""
    instruction_text = dict(stages()[-1])[instruction]
    vector: list[str] = json.loads(instruction_text[instruction_text.index("[") :])
    return vector


def blocks(heading: str) -> list[str]:
    """The commands under a heading of the operations page."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    part = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
