"""What the answers of robots have in common: a number that is 0 where the post was taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ingest.delivery.channels.bundling import Refusal
from ingest.domain.model.delivery_failure import Failure

_PHONE_DIGITS: Final = 11


def refused_by_code(
    reply: Mapping[str, Any], field: str, words: Mapping[int, str], blocks: Mapping[int, float]
) -> Refusal | None:
    """Return why a post was not taken, by the code in a field of the answer; 0: it was.

    The provider's own words are not quoted: they may repeat what was sent.
    """
    code = reply.get(field)
    if code == 0 and code is not False:
        return None
    if not isinstance(code, int) or isinstance(code, bool):
        return Refusal(Failure("no-number", field=field))
    return Refusal(
        f"{field} {code}: {words.get(code, 'see the codes of the provider 见服务商错误码')}", blocks.get(code, 0.0)
    )


def domestic(number: str) -> str:
    """Return a number of China's mainland without the country's prefix, others as they are."""
    rest = number.removeprefix("+86")
    return rest if is_phone(rest) else number


def is_phone(address: str) -> bool:
    """Whether a member is named by a mobile number of China's mainland."""
    return len(address) == _PHONE_DIGITS and address.isascii() and address.isdigit()
