"""Knows which administrative codes (GB/T 2260) exist: provinces, and the prefectures in each.

Confidence: recalled, verify: GB/T 2260 with the changes up to 2020. Counties are not listed: of the last two digits
nothing is known. What is missing here gets a doubt, never a refusal.
"""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text

_WRITTEN: Final = (
    "11:01-02 12:01-02 13:01-11 14:01-11 15:01-09,22,25,29 21:01-14 22:01-08,24 23:01-12,27 31:01-02 32:01-13 33:01-11"
    " 34:01-18 35:01-09 36:01-11 37:01-17 41:01-17,90 42:01-13,28,90 43:01-13,31 44:01-20,51-53 45:01-14 46:01-04,90"
    " 50:01-02 51:01-20,32-34 52:01-06,22-27 53:01-09,23-34 54:01-06,21-26 61:01-10 62:01-12,29-30 63:01-02,21-28"
    " 64:01-05 65:01-05,21-32,40-43,90 71: 81: 82:"
)
"""Of each province its prefectures' digits; codes in between that were given up count as existing."""


def _prefectures(written: str) -> frozenset[str]:
    found = set[str]()
    for part in filter(None, written.split(",")):
        first, _, last = part.partition("-")
        found |= {f"{number:02}" for number in range(int(first), int(last or first) + 1)}
    return frozenset(found)


PREFECTURES: Final = {
    province: _prefectures(written) for province, _, written in (part.partition(":") for part in _WRITTEN.split())
}
"""By the first two digits the next two that exist; none are known of Taiwan, Hong Kong and Macao."""


def region_doubt(region: str) -> Text | None:
    """Return what is expected instead of a code that does not exist, or None.

    >>> region_doubt("350583") is None, region_doubt("350000") is None
    (True, True)
    >>> region_doubt("990101").en
    'a code of GB/T 2260; no province begins so'
    >>> region_doubt("356083").en
    'a code of GB/T 2260; province 35 has no prefecture 60'
    """
    province, prefecture = region[:2], region[2:4]
    known = PREFECTURES.get(province)
    if known is None:
        return Text("GB/T 2260 行政区划代码；没有以此开头的省份", "a code of GB/T 2260; no province begins so")
    if not known or prefecture in known or region[2:] == "0000":
        return None
    return Text(
        f"GB/T 2260 行政区划代码；{province} 省没有地市 {prefecture}",
        f"a code of GB/T 2260; province {province} has no prefecture {prefecture}",
    )
