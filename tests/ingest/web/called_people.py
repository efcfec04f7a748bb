"""People whom the made-up plants call, and the desk that calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ingest.domain.calls.config import CallsConfig
from ingest.plants.configuration import PlantConfiguration
from ingest.services.calls.desk import CallDesk
from ingest.storage.state.call_store import CallStore
from ingest.storage.state.database import Database
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
