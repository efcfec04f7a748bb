"""Finds what a file of issued codes may hold and hardly means: names of nothing, and points that were forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ingest.delivery.platform.codes import IssuedCodes, load_codes
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.model import ProfileFile
from ingest.delivery.platform.opening import profile_of
from ingest.domain.model.expectations import with_near
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text

_SHOWN: Final = 5
"""Points named of those without a code."""


def uncoded_points(
    config: PlatformConfig, form: ProfileFile, codes: IssuedCodes, plants: Sequence[Plant]
) -> list[tuple[str, str]]:
    """Plant and id of each point that is reported and has neither a code nor a `false`."""
    if "point" not in form.codes:
        return []
    return [
        (plant.id, point.id)
        for plant in plants
        for point in plant.points
        if config.wants("readings", plant.id, None)
        and not point.is_device
        and "point" not in codes.of(plant.id, point.id)
    ]


def names_of(points: Sequence[str]) -> str:
    """The first of them, and a sign that there are more."""
    return "、".join(points[:_SHOWN]) + ("…" if len(points) > _SHOWN else "")


def doubts_of_codes(config: PlatformConfig, plants: Sequence[Plant]) -> Iterator[Fault]:
    """Yield a doubt for each name that is no plant's or point's, and for each plant whose points lack codes.

    What cannot be read at all is a fault, and no doubt.
    """
    try:
        form = profile_of(config)
        codes = load_codes(config.codes, form.codes, "connectors.platform.codes")
    except InvalidConfig:
        return
    file = str(config.codes)
    known = {plant.id: [point.id for point in plant.points] for plant in plants}
    yield from _unknown(file, "", codes.plants(), known, Text("有企业文件的企业", "a plant that has a file"))
    for plant, points in known.items():
        here = Text(f"{plant} 的测点", f"a point of {plant}")
        yield from _unknown(file, f"{plant}.points.", codes.points(plant), points, here)
    lacking: dict[str, list[str]] = {}
    for plant, point in uncoded_points(config, form, codes, plants):
        lacking.setdefault(plant, []).append(point)
    for plant, points in lacking.items():
        wanted = Text(
            f"每个测点的编码，或 false：没有编码的测点 {len(points)} 个（{names_of(points)}），"
            "实时数据上报略去它们，与它们有关的报警留在发件箱",
            f"the code of each point, or false: {len(points)} have none ({names_of(points)}): reports of readings"
            " leave them out, and alarms of them wait in the outbox",
        )
        yield Fault(file, f"{plant}.points", "(missing)", wanted)


def _unknown(file: str, at: str, given: Iterable[str], known: Iterable[str], wanted: Text) -> Iterator[Fault]:
    for name in sorted({*given} - {*known}):
        yield Fault(file, f"{at}{name}", name, with_near(wanted, name, known))
