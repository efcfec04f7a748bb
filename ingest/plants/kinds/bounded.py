"""Fields of a rule's keys with the ranges and defaults that the library has for them."""

from __future__ import annotations

import math
from typing import Any, Final

from pydantic import Field

from detectors.parameters import PARAMETERS

_USUAL: Final = object()


def bounded(kind: str, name: str, *, default: Any = _USUAL, scale: float = 1.0) -> Any:
    """Return the field of a key: a parameter of that kind, or its `on` or `off`, times `scale` (100: in percent).

    Its default is that of the library, in a plant file written as a whole number where only those are allowed; without
    one the key is required, unless another `default` is given.
    """
    kinds = PARAMETERS[kind]
    parameter = {"on": kinds.on, "off": kinds.off, **kinds.param}[name]
    if default is _USUAL:
        usual = parameter.default
        default = ... if usual is None else int(usual) if parameter.whole else scale * usual
    low = scale * parameter.low if math.isfinite(parameter.low) else None
    high = scale * parameter.high if math.isfinite(parameter.high) else None
    return Field(
        default=default,
        gt=low if parameter.open_low else None,
        ge=None if parameter.open_low else low,
        lt=high if parameter.open_high else None,
        le=None if parameter.open_high else high,
    )
