"""Page tokens of lists, newest first: the next page begins after the last record seen, whatever was added since."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query

from ingest.services.errors import BadParameter
from ingest.web.inputs import MAX_INT

Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]

R = TypeVar("R")


def write_token(time: int, key: UUID) -> str:
    """Return the token of the page after the record of this time and id.

    >>> read_token(write_token(7, UUID(int=1)))
    (7, UUID('00000000-0000-0000-0000-000000000001'))
    """
    return base64.urlsafe_b64encode(f"{time}.{key}".encode()).decode().rstrip("=")


def read_token(cursor: str | None, parameter: str = "cursor") -> tuple[int, UUID] | None:
    """Return time and id of the last record seen; `parameter`: its name in the request. Raises BadParameter."""
    if cursor is None:
        return None
    try:
        time, _, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
        return _int64(time), UUID(key)
    except (ValueError, binascii.Error) as error:
        raise BadParameter(parameter, cursor, "`next` of an earlier page, unchanged") from error


def _int64(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MAX_INT:
        raise ValueError(text)
    return number


def cut(found: Sequence[R], limit: int, place: Callable[[R], tuple[int, UUID]]) -> tuple[Sequence[R], str | None]:
    """Cut the records found, queried with one more than `limit`, to a page and the token of the next."""
    page = found[:limit]
    return page, write_token(*place(page[-1])) if len(found) > limit else None
