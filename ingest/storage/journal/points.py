"""Table `point`: the permanent index of every point that has ever been in a plant file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.base.telemetry import Event, emit
from ingest.plants.numbering import Numbered, PointKey, taken_over, unknown_former_ids, valid_renames
from ingest.storage.journal.file import JournalFile


@dataclass(frozen=True, slots=True)
class PointRenamed(Event):
    """A point goes by another id from now on; what is known of it goes with it."""

    plant: str
    was: str
    point: str


def number_points(file: JournalFile, points: Sequence[PointKey], was: Mapping[PointKey, str]) -> Numbered:
    """The permanent index of each (plant, point id); renamed points keep theirs, new ones get the next."""
    with file.transaction() as cursor:
        known = {(plant, name): number for number, plant, name in cursor.execute("SELECT * FROM point")}
        renamed, slips = taken_over(known, was), unknown_former_ids(known, was)
        for former, new in renamed:
            known[new] = known.pop(former)
            cursor.execute("UPDATE point SET name = ? WHERE id = ?", (new[1], known[new]))
        for key in points:
            if key not in known:
                known[key] = len(known)
                cursor.execute("INSERT INTO point VALUES (?, ?, ?)", (known[key], *key))
    for (plant, was_called), new in renamed:
        emit(PointRenamed(plant, was_called, new[1]))
    return Numbered([known[key] for key in points], valid_renames(known, was, slips))
