"""What the tests of deployment share: a copy of deploy/ in which the shipped scripts have made every secret."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.written import DEPLOY


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """deploy/ as an administrator has it after init-secrets.sh, with two gateways' certificates and a plant file."""
    folder = tmp_path_factory.mktemp("deploy") / "deploy"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([folder / "init-secrets.sh", "DNS:broker.example.cn"], check=True, capture_output=True)
    for name in ("plant-a/GW-01", "plant-b/GW-01"):
        file = folder / "secrets" / "gateways" / name.replace("/", ".")
        subprocess.run([folder / "issue-certificate.sh", name, file], check=True, capture_output=True)
    shutil.copy(folder / "plant.sample.toml", folder / "plants" / "sample-aluminium.toml")
    return folder
