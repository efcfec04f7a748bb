"""The scripts that make secrets: nothing readable by others, nothing changed by a second run, nobody misnamed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.authority import Authority

USERS = {"mosquitto": 1883, "influxdb": 1000, "grafana": 472, "postgresql": 999, "yujing": 10001}


def made(folder: Path) -> dict[str, Path]:
    return {str(f.relative_to(folder)): f for f in sorted((folder / "secrets").rglob("*")) if f.is_file()}


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def test_only_certificates_can_be_read_by_others(installed: Path) -> None:
    for name, file in made(installed).items():
        assert file.stat().st_mode & 0o777 == (0o644 if name.endswith(".pem") else 0o600), name
    for folder in (installed / "secrets").rglob("*/"):
        assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_each_container_can_read_its_own_secrets_and_no_others(installed: Path) -> None:
    for name, file in made(installed).items():
        folder = name.split("/")[1]
        assert file.stat().st_uid == USERS.get(folder, 0), name


def test_a_second_run_changes_nothing(installed: Path) -> None:
    before = {name: file.read_bytes() for name, file in made(installed).items()}
    subprocess.run([installed / "init-secrets.sh"], check=True, capture_output=True)
    assert {name: file.read_bytes() for name, file in made(installed).items()} == before


def test_secrets_are_random_and_shared_only_where_two_containers_must_agree(installed: Path) -> None:
    words = {name: file.read_text() for name, file in made(installed).items() if "." not in file.name}
    assert all(len(word.strip()) == 64 for word in words.values())
    same = [
        {"secrets/influxdb/token", "secrets/yujing/influxdb_token"},
        {"secrets/influxdb/reader_password", "secrets/grafana/reader_password"},
        {"secrets/postgresql/state_password", "secrets/yujing/state_password"},
    ]
    groups = [{name for name in words if words[name] == word} for word in set(words.values())]
    assert sorted(map(sorted, (g for g in groups if len(g) > 1))) == sorted(map(sorted, same))


def test_certificates_say_who_and_what_for(installed: Path) -> None:
    """A gateway's certificate signs nobody else in, the broker's signs in nobody at all."""
    expected = {
        "mosquitto/broker": ("broker", ExtendedKeyUsageOID.SERVER_AUTH),
        "mosquitto/health": ("yujing-health", ExtendedKeyUsageOID.CLIENT_AUTH),
        "yujing/mqtt": ("yujing-ingest", ExtendedKeyUsageOID.CLIENT_AUTH),
        "gateways/plant-a.GW-01": ("plant-a/GW-01", ExtendedKeyUsageOID.CLIENT_AUTH),
    }
    authority = certificate(installed / "secrets/authority/ca.pem")
    for name, (common_name, purpose) in expected.items():
        issued = certificate(installed / "secrets" / f"{name}.pem")
        issued.verify_directly_issued_by(authority)
        assert [a.value for a in issued.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [common_name]
        assert list(issued.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [purpose]


def test_gateways_find_the_broker_by_every_name_it_was_given(installed: Path) -> None:
    broker = certificate(installed / "secrets/mosquitto/broker.pem")
    names = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mosquitto", "localhost", "broker.example.cn"]


@pytest.mark.parametrize("name", ["plant-a/+", "#", "plant-a/GW-01/x", "a b", "plant-a/" + "g" * 57, "", "a\nCN=b"])
def test_no_certificate_is_issued_for_a_name_that_is_no_gateway(installed: Path, tmp_path: Path, name: str) -> None:
    """Wildcards, a third level, more than X.509's 64 characters."""
    refused = subprocess.run(
        [installed / "issue-certificate.sh", name, tmp_path / "x"], check=False, capture_output=True
    )
    assert refused.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wanted", ["plant-a/GW-0", "plant-a", "*", "a stranger's"])
def test_what_is_no_certificate_of_ours_is_not_revoked(installed: Path, tmp_path: Path, wanted: str) -> None:
    """A part of a name names nobody; the list stays as it is."""
    before = (installed / "secrets/mosquitto/crl.pem").read_bytes()
    if wanted == "a stranger's":
        wanted = str(Authority(tmp_path).issue("plant-a/GW-01".replace("/", ".")).cert)
    done = subprocess.run([installed / "revoke-certificate.sh", wanted], check=False, capture_output=True, text=True)
    assert (done.returncode, wanted in done.stderr) == (2, True)
    assert (installed / "secrets/mosquitto/crl.pem").read_bytes() == before


def test_the_list_of_revoked_certificates_lasts_as_long_as_the_authority(installed: Path) -> None:
    """One that has ended would lock everybody out."""
    revoked = x509.load_pem_x509_crl((installed / "secrets/mosquitto/crl.pem").read_bytes())
    authority = certificate(installed / "secrets/authority/ca.pem")
    assert revoked.next_update_utc is not None
    assert revoked.next_update_utc >= authority.not_valid_after_utc


def test_an_issued_certificate_is_never_overwritten(installed: Path) -> None:
    file = installed / "secrets/gateways/plant-a.GW-01"
    again = subprocess.run(
        [installed / "issue-certificate.sh", "plant-a/GW-01", file], check=False, capture_output=True
    )
    assert again.returncode == 1
