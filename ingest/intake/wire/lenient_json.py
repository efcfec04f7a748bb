"""Repairs JSON as C's `printf` writes it, so that a word that is not a number costs its column and not the frame.

Linear in the characters, whatever they are: valid text is matched by a pattern at the end of the expression, which
therefore never backtracks. (Possessive quantifiers match too little in Python before 3.11.5.)
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from math import isfinite
from typing import Final

from ingest.intake.wire.frame import MAX_READINGS

_LONGEST: Final = 40  # characters of a word that is read as a number
_BEFORE: Final = frozenset("[,:")  # characters that precede a value

# A string (the last one may have no end), what gives JSON its shape, and the words that Python's `json` reads. Commas
# are told apart: nothing may stand before one in an array, or come after it.
_FIT: Final = r"""(?:
    "(?:[^"\\]+|\\.)*(?:"|\\?\Z)
  | [ \t\n\r{}\]:]+
  | \[(?![ \t\n\r]*,)
  | ,(?![ \t\n\r]*[,\]}])
  | (?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|NaN|-?Infinity)
    (?=[ \t\n\r]*(?:[,\[\]{}"]|\Z))
)"""
_UNFIT: Final = r"""(?:
    (?P<trailing>,(?=[ \t\n\r]*[\]}]))
  | (?P<gap>[\[,](?=[ \t\n\r]*,))
  | (?P<word>[^\s,:\[\]{}"][^,\[\]{}"]*)(?=[,\]}])
  | (?P<end>\Z)
)"""
_fit: Final = re.compile(f"{_FIT}*", re.VERBOSE | re.DOTALL)
_unfit: Final = re.compile(_UNFIT, re.VERBOSE)
_number: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_no_number: Final = re.compile(r"([+-]?)(nan|inf)(?:inity)?(?:\(.*)?", re.IGNORECASE)


def mend_json(text: str) -> str:
    """Rewrite numbers and missing values as JSON does, and every other bare word as a string.

    `1.`, `.5`, `+5` and `007` become numbers; `nan`, `-nan`, `inf` become NaN and Infinity. A gap between two commas of
    an array becomes an empty string, and a trailing comma is dropped. A text with any other fault is returned as it is.

    >>> mend_json('{"A": [nan, +5, 1.], "B": [, 1.#QNAN, 2], }')
    '{"A": [NaN, 5, 1.0], "B": ["", "1.#QNAN", 2] }'
    """
    parts: list[str] = []
    at = 0
    while len(parts) < 2 * MAX_READINGS:
        run = _fit.match(text, at)
        fit = run[0] if run is not None else ""
        parts.append(fit)
        found = _unfit.match(text, at + len(fit))
        if found is None:
            break
        if (gap := found["gap"]) is not None:
            parts.append(f'{gap}""')
        elif (word := found["word"]) is not None:
            if fit.rstrip(" \t\n\r")[-1:] not in _BEFORE:
                break
            value = word.rstrip(" \t\n\r")
            mended = _as_json(value) if len(value) <= _LONGEST else json.dumps(value, ensure_ascii=False)
            parts.append(mended + word[len(value) :])
        elif found["end"] is not None:
            return "".join(parts)
        at = found.end()
    return text


@lru_cache(maxsize=1024)
def _as_json(word: str) -> str:
    if _number.fullmatch(word):
        number = float(word)
        if word.lstrip("+-").isdigit():
            return str(int(word))
        return repr(number) if isfinite(number) else "Infinity"
    if none := _no_number.fullmatch(word):
        return "NaN" if none[2].lower() == "nan" else f"{'-' if none[1] == '-' else ''}Infinity"
    return json.dumps(word, ensure_ascii=False)
