"""The service's settings: one TOML file, validated whole, and what of it is in force if it has faults."""

from ingest.runtime.settings.in_force import InForce, load_in_force, load_settings
from ingest.runtime.settings.settings import LogConfig, Settings

__all__ = ["InForce", "LogConfig", "Settings", "load_in_force", "load_settings"]
