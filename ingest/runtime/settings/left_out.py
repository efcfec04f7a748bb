"""Finds faults of secrets and files in parts of the settings that are not in force.

A faulty part is left out before its files are checked. Without this they would be found missing only at the next start,
after the first fault was corrected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest.base.config import Secret, SecretUnreadable
from ingest.domain.model.expectations import readable_secret
from ingest.domain.model.fault import Fault, key_of
from ingest.runtime.settings.settings import Settings, files_of

Tables = Mapping[str, Any]


def secrets_of_entries(raw: Tables, used: Tables, lists: Mapping[str, tuple[str, ...]]) -> Iterator[Fault]:
    """Yield faults of secrets in entries that were left out.

    Args:
        raw: the tables of the file.
        used: those the settings were made from.
        lists: by table, its lists of entries.
    """
    for table, names in lists.items():
        for name in names:
            written, taken = (_inside(_inside(tables, table), name) for tables in (raw, used))
            entries = written if isinstance(written, list) else [written]
            in_use = taken if isinstance(taken, list) else [taken]
            for number, entry in enumerate(entries):
                at = (table, name, number) if isinstance(written, list) else (table, name)
                for key, value in entry.items() if isinstance(entry, dict) and entry not in in_use else ():
                    yield from _unreadable(value, key_of((*at, key), raw))


def files_of_tables(raw: Tables, held: Collection[str], faults: Collection[Fault], file: Path) -> Iterator[Fault]:
    """Yield faults of files and secrets in held tables, validated without the faulty keys."""
    for table in sorted(held):
        written = raw.get(table)
        wrong = {fault.key.split(".")[1] for fault in faults if fault.key.startswith(f"{table}.")}
        if not isinstance(written, dict) or not wrong:
            continue
        rest = {key: value for key, value in written.items() if key not in wrong}
        try:
            settings = Settings.model_validate({table: rest})
        except ValidationError:  # the rest depends on the faulty keys: nothing certain is known of it
            continue
        yield from (fault for of, fault in files_of(settings, file) if of == table and fault not in faults)


def _unreadable(value: object, key: str) -> Iterator[Fault]:
    try:
        secret = Secret.model_validate(value)
        secret.read()
    except ValidationError:  # no secret, or one of its own faults
        return
    except SecretUnreadable as error:
        yield Fault(str(secret.file or secret.env), key, "(missing)", readable_secret(error))


def _inside(tables: object, key: str) -> Any:
    return tables.get(key) if isinstance(tables, Mapping) else None
