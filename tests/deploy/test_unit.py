"""The systemd unit: it comes back whatever happens, and may touch next to nothing."""

from __future__ import annotations

import pytest

from ingest.runtime.settings.settings import LogConfig
from tests.deploy.written import unit

HARDENING = {
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "PrivateUsers": "true",
    "ProtectClock": "true",
    "ProtectControlGroups": "true",
    "ProtectHostname": "true",
    "ProtectKernelLogs": "true",
    "ProtectKernelModules": "true",
    "ProtectKernelTunables": "true",
    "ProtectProc": "invisible",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "true",
    "RestrictRealtime": "true",
    "RestrictSUIDSGID": "true",
    "LockPersonality": "true",
    "MemoryDenyWriteExecute": "true",
    "NoNewPrivileges": "true",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service ~@privileged",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
}


@pytest.mark.parametrize(("key", "value"), HARDENING.items())
def test_the_service_is_confined(key: str, value: str) -> None:
    assert " ".join(unit()["Service"][key]) == value


def test_the_service_comes_back_for_ever() -> None:
    assert unit()["Service"]["Restart"] == ["always"]
    assert unit()["Unit"]["StartLimitIntervalSec"] == ["0"]


def test_the_service_is_nobody_and_keeps_its_data_where_the_settings_say() -> None:
    service = unit()["Service"]
    assert [*service["Type"], *service["User"], *service["StateDirectory"]] == ["notify", "yujing", "yujing"]


def test_it_starts_after_what_it_speaks_with_and_needs_none_of_it() -> None:
    """A broker or database that is away is waited for by the service, which takes in or keeps what it can."""
    section = unit()["Unit"]
    assert section["After"] == ["network-online.target mosquitto.service postgresql.service"]
    assert not {"Requires", "BindsTo", "Requisite", "PartOf"} & section.keys()


def test_logs_go_to_journald_which_bounds_them() -> None:
    """And the settings have no file that would have to be rotated."""
    assert not {"StandardError", "StandardOutput", "LogsDirectory"} & unit()["Service"].keys()
    assert set(LogConfig.model_fields) == {"level", "json_lines", "heartbeat"}
