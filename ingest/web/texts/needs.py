"""Texts of what a default rule needs from its plant, with the names of signals beside their codes."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from ingest.domain.model.text import Text
from ingest.plants.catalogue import load_catalogue

_CODE: Final = re.compile(r"(?<![\w.-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w.-])", re.ASCII)


def with_signal_names(needs: Text) -> Text:
    """Return a text with the name of each signal of the catalogue beside its code.

    >>> with_signal_names(Text("测点：ALC_CAST_LEN", "a point of ALC_CAST_LEN"))
    Text(zh='测点：铸造长度（ALC_CAST_LEN）', en='a point of Cast length (ALC_CAST_LEN)')
    """
    known = _signals()

    def zh(code: re.Match[str]) -> str:
        return f"{known[code[0]].zh}（{code[0]}）" if code[0] in known else code[0]

    def en(code: re.Match[str]) -> str:
        return f"{known[code[0]].en} ({code[0]})" if code[0] in known else code[0]

    return Text(_CODE.sub(zh, needs.zh), _CODE.sub(en, needs.en))


def needs_text(needs: Text) -> str:
    """Return what a rule needs in both languages, for a terminal.

    >>> needs_text(Text("设定值", "setpoint"))
    '缺少设定值 needs setpoint'
    """
    return f"缺少{with_signal_names(needs).zh} needs {needs.en}"


@cache
def _signals() -> dict[str, Text]:
    """Return the names of the catalogue's signals by code."""
    return {code: signal.name for kind in load_catalogue().signals.values() for code, signal in kind.items()}
