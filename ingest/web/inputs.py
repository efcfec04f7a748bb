"""Types of numbers and texts in requests: values that no database can hold are refused on reading.

The same patterns stand in the OpenAPI document, in the syntax that ECMA 262 and Python share.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field

MULTIPART: Final = 16_384
"""Bytes that a form may have around its file."""

MAX_INT: Final = 2**63 - 1
"""The greatest whole number that the state databases and the journal hold."""

EXACT: Final = 2**53 - 1
"""The greatest whole number that every reader of JSON holds exactly (RFC 8259, section 6)."""

Count = Annotated[int, Field(ge=0, le=EXACT, strict=True)]
"""A whole number in a JSON body: no text and no boolean passes for one."""

Number = Annotated[int, Field(ge=0, le=EXACT)]
"""A whole number in a URL or a form: a row's, a version's."""

_CONTROL: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_REFUSED: Final = re.compile(rf"[{_CONTROL}\ud800-\udfff]")
"""Control characters but tab and line ends, and halves of characters, which JSON can spell."""

TEXT: Final = f"^[^{_CONTROL}]*$"
"""Pattern of `storable` text."""

WORDS: Final = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
"""Pattern of storable text that is not blank."""


def storable(text: str) -> str:
    r"""Return the text if every database, file and terminal can hold it.

    Raises:
        ValueError: it has NUL or another control character, or half a character.

    >>> storable("换表\n完成")
    '换表\n完成'
    """
    refused = _REFUSED.search(text)
    if refused is not None:
        raise ValueError(f"Unicode text without control characters, not U+{ord(refused[0]):04X}")
    return text
