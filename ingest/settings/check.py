"""Everything the service would read at a start, checked without touching the network: for `yujing check`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ingest.api.access import Keyring
from ingest.connectors.config import open_connectors
from ingest.model.config import Secret
from ingest.model.fault import Fault, InvalidConfig, key_of
from ingest.plants.load import load_roster
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.roster import Roster
from ingest.settings.in_force import ENTRIES, InForce, compose, content_of
from ingest.settings.settings import Settings
from ingest.settings.text import read_tables


def check_all(file: Path) -> tuple[Settings, Roster]:
    """Check the settings, the secrets and files they name, and every plant file.

    Raises:
        InvalidConfig: with every fault of every file.
    """
    found = compose(file, content_of(file), {})
    settings, faults = found.settings, [*found.faults, *_secrets_left_out(file, found)]
    for check in (
        lambda: open_connectors(settings.connectors),
        lambda: Keyring(settings.api.tokens),
        settings.warnings.terms,
    ):
        try:
            check()
        except InvalidConfig as error:
            faults += error.faults
    try:
        roster = load_roster(settings.plants, MemoryNumbering(), version=1)
    except InvalidConfig as error:
        raise InvalidConfig([*faults, *error.faults]) from error
    if faults:
        raise InvalidConfig(faults)
    return settings, roster


def _secrets_left_out(file: Path, found: InForce) -> Iterator[Fault]:
    """Faults of secrets that entries name which are off for another fault: else they show only once that is mended."""
    raw, _ = read_tables(content_of(file))
    for table, lists in ENTRIES.items():
        for name in lists:
            written, taken = (tables.get(table, {}) for tables in (raw, found.tables))
            entries = written.get(name) if isinstance(written, dict) else None
            used = taken.get(name, []) if isinstance(taken, dict) else []
            for number, entry in enumerate(entries if isinstance(entries, list) else []):
                for key, value in entry.items() if isinstance(entry, dict) and entry not in used else ():
                    where = key_of((table, name, number, key), raw)
                    yield from _unreadable(value, where)


def _unreadable(value: object, key: str) -> Iterator[Fault]:
    try:
        secret = Secret.model_validate(value)
        secret.read()
    except ValidationError:  # no secret, or one of its own faults
        return
    except LookupError as error:
        yield Fault(str(secret.file or secret.env), key, "(missing)", f"a secret that can be read: {error.args[0]}")
