"""People whom the made-up plants call, and the desk that calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import uuid4

from ingest.domain.calls.config import CallsConfig
from ingest.domain.calls.needs import of_warning
from ingest.domain.model.call import Call
from ingest.plants.configuration import PlantConfiguration
from ingest.services.calls.desk import CallDesk
from ingest.storage.state.call_store import CallStore
from ingest.storage.state.database import Database
from tests.ingest.delivery.outbox import early_warning
from tests.ingest.web.made_up_plants import STEEL, WOOD

VOICE: Final = "voice-token-0123456789"
PEOPLE: Final = CallsConfig.model_validate(
    {
        "people": [
            {"name": name, "channels": [{"connector": "voice", "address": f"+86138000000{number:02}"}]}
            for number, name in enumerate(("张三", "李四", "王五"), 11)
        ],
        "shifts": [{"position": "值班长", "start": "00:00", "end": "00:00", "people": ["张三", "李四"]}],
        "ladders": [{"plants": [STEEL, WOOD], "steps": [{"position": "值班长"}, {"people": ["王五"]}]}],
    }
)


def desk_of(database: Database, configuration: Callable[[], PlantConfiguration]) -> CallDesk:
    """A desk whose messages nobody delivers."""
    return CallDesk(
        CallStore(database),
        PEOPLE,
        {"voice"},
        lambda plant: configuration().plants.get(plant),  # noqa: PLW0108  of the configuration then
        lambda _messages: None,
        lambda _messages: None,
    )


def begin_call(desk: CallDesk, now: int, plant: str = STEEL) -> Call:
    """A call for a red warning of a plant."""
    need = of_warning(replace(early_warning(now), id=uuid4(), plant=plant), PEOPLE)
    assert need is not None
    call = desk.begin(need, now)
    assert call is not None
    return call
