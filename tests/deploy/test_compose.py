"""compose.yaml, checked as far as it can be without a container engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from ingest.base import build
from ingest.base.config import Secret
from ingest.storage.history.influx_rollups import MINUTES_DAYS, POLICIES, tasks
from ingest.storage.history.setup_v2 import POLICY
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from tests.deploy.written import DEPLOY, ROOT, image_command
from tests.servers import postgresql

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
every_service = pytest.mark.parametrize("name", SERVICES)


def secret_names(service: dict[str, Any]) -> dict[str, str]:
    """The secrets of a service: file name under /run/secrets -> name at the top level."""
    given = [{"source": each} if isinstance(each, str) else each for each in service.get("secrets", [])]
    return {each.get("target", each["source"]): each["source"] for each in given}


@every_service
def test_images_are_pinned_to_a_release(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:\d+(\.\d+)+", SERVICES[name]["image"])


def test_our_image_is_this_release() -> None:
    release = build.version().partition("+")[0]
    assert SERVICES["yujing"]["image"] == f"yujing:{release}"
    assert f"--tag yujing:{release} " in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


@every_service
def test_services_are_watched_restarted_and_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_the_service_writes_nowhere_but_to_its_volume() -> None:
    assert SERVICES["yujing"]["read_only"] is True
    assert SERVICES["yujing"]["tmpfs"] == ["/tmp"]  # noqa: S108  inside the container
    assert [mount for mount in SERVICES["yujing"]["volumes"] if not mount.endswith(":ro")] == [
        "yujing-data:/var/lib/yujing"
    ]


@every_service
def test_only_the_broker_is_reached_from_outside(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port == "8883:8883" if name == "mosquitto" else port.startswith("127.0.0.1:"), port


def test_the_history_is_reached_by_those_who_need_it_only() -> None:
    assert COMPOSE["networks"]["history"]["internal"] is True
    assert SERVICES["influxdb"]["networks"] == ["history"]
    assert "ports" not in SERVICES["influxdb"]
    assert "history" not in SERVICES["mosquitto"]["networks"]


@every_service
def test_every_secret_a_service_takes_is_made_by_the_script(name: str, installed: Path) -> None:
    for source in secret_names(SERVICES[name]).values():
        assert (installed / COMPOSE["secrets"][source]["file"]).is_file(), source


def test_no_secret_is_made_for_nobody() -> None:
    assert set(COMPOSE["secrets"]) == {s for service in SERVICES.values() for s in secret_names(service).values()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@every_service
def test_secrets_belong_to_the_user_of_their_container(name: str, installed: Path) -> None:
    """Compose hands a file on with its owner and mode."""
    users = {"mosquitto": 1883, "influxdb": 1000, "grafana": 472, "postgresql": 999, "yujing": 10001}
    for source in secret_names(SERVICES[name]).values():
        is_now = (installed / COMPOSE["secrets"][source]["file"]).stat()
        assert is_now.st_uid == users[name] or is_now.st_mode & 0o004, source
    if user := SERVICES[name].get("user"):
        assert user == f"{users[name]}:{users[name]}"


def test_our_user_in_the_image_is_the_one_secrets_are_given_to() -> None:
    assert "--uid 10001 " in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


@every_service
def test_files_that_are_mounted_exist(name: str) -> None:
    for mount in SERVICES[name]["volumes"]:
        source = mount.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount


def test_no_password_stands_in_the_file() -> None:
    """Whatever is called a password or a token is the path of a secret the service has."""
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", key):
                assert key.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in secret_names(service)


@pytest.mark.parametrize(
    ("service", "file"),
    [
        ("mosquitto", "mosquitto/mosquitto.conf"),
        ("influxdb", "influxdb/once.sh"),
        ("grafana", "grafana/datasource.yaml"),
        ("postgresql", "postgresql/once.sh"),
        ("yujing", "yujing.compose.toml"),
    ],
)
def test_a_service_has_every_secret_its_files_name(service: str, file: str) -> None:
    lines = (DEPLOY / file).read_text(encoding="utf-8").splitlines()
    other = ("# password =",)  # of the other place the state database can lie in
    live = "\n".join(line for line in lines if not line.startswith("#") or line.startswith(other))
    live += str(SERVICES[service].get("healthcheck"))
    named = set(re.findall(r"/run/secrets/(\w+)", live + str(SERVICES[service].get("environment"))))
    assert named == set(secret_names(SERVICES[service]))


def test_grafana_finds_the_dashboards_and_their_source() -> None:
    shipped = ROOT / "dashboards" / "grafana" / "provisioning"
    [ours] = yaml.safe_load((DEPLOY / "grafana" / "datasource.yaml").read_text(encoding="utf-8"))["datasources"]
    [reference] = yaml.safe_load((shipped / "datasources" / "yujing.yaml").read_text(encoding="utf-8"))["datasources"]
    assert {key: ours[key] for key in ("name", "uid", "type")} == {
        key: reference[key] for key in ("name", "uid", "type")
    }
    assert ours["jsonData"] == reference["jsonData"] | {"dbName": "yujing"}
    [provider] = yaml.safe_load((shipped / "dashboards" / "yujing.yaml").read_text(encoding="utf-8"))["providers"]
    for board in (ROOT / "dashboards" / "grafana").glob("*.json"):
        target = f"{provider['options']['path']}/{board.name}"
        assert f"../dashboards/grafana/{board.name}:{target}:ro" in SERVICES["grafana"]["volumes"]


def test_the_state_database_is_reached_by_the_service_only() -> None:
    assert COMPOSE["networks"]["state"]["internal"] is True
    assert SERVICES["postgresql"]["networks"] == ["state"]
    assert [name for name in SERVICES if "state" in SERVICES[name]["networks"]] == ["postgresql", "yujing"]
    assert SERVICES["postgresql"]["profiles"] == ["postgresql"], "only for who asks for it"


def test_the_services_role_is_made_as_its_settings_say_and_may_nothing_else(installed: Path) -> None:
    """The setup script on a real server, then the settings that stand ready beside `path`."""
    with postgresql() as server:
        script = (DEPLOY / "postgresql/once.sh").read_text(encoding="utf-8")
        password = installed / "secrets/postgresql/state_password"
        mine = installed / "once.sh"
        mine.write_text(script.replace("/run/secrets/state_password", str(password)), encoding="utf-8")
        server.ask(f"DROP ROLE {server.ROLE}")
        where = {"PGHOST": str(server.home), "PGPORT": str(server.port), "POSTGRES_USER": "admin"}
        subprocess.run(["sh", mine], check=True, env=os.environ | where)
        text = (DEPLOY / "yujing.compose.toml").read_text(encoding="utf-8")
        ready = re.findall(r"^# ((?:url|password|sslmode) = .*)$", text, re.MULTILINE)
        state = StateConfig.model_validate(tomllib.loads("\n".join(ready)))
        assert state.server is not None
        assert state.server.host == "postgresql", "the name of the service in compose"
        there = f"postgresql://{state.server.user}@127.0.0.1:{server.port}/{state.server.name}"
        here = Secret(file=installed / "secrets/yujing/state_password")
        Database(state.model_copy(update={"url": there, "password": here})).close()
        query = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = 'yujing'"
        assert server.ask(query) == [(False, False, False, False)]


def test_service_history_and_grafana_speak_of_the_same_bucket() -> None:
    settings = tomllib.loads((DEPLOY / "yujing.compose.toml").read_text(encoding="utf-8"))
    environment = SERVICES["influxdb"]["environment"]
    assert settings["history"]["org"] == environment["DOCKER_INFLUXDB_INIT_ORG"]
    assert settings["history"]["bucket"] == environment["DOCKER_INFLUXDB_INIT_BUCKET"] == "yujing"


FAKE_INFLUX = """#!/bin/bash
printf '%s\\t' "$@" >>"$CALLS"; echo >>"$CALLS"
case "$1 $2" in
  'bucket create') printf '%s-id\\t%s\\n' "$6" "$6" ;;
  'task create') printf 'made\\n' ;;
esac
"""
"""Notes what it is asked for, an argument a column, and answers as the client of 2.7 does."""


def test_a_fresh_influxdb_has_the_rollups_that_the_service_would_set_up(tmp_path: Path) -> None:
    """The image's own client makes the same buckets, mappings, tasks and rights to read as `yujing influx setup`."""
    [volume] = [mount for mount in SERVICES["influxdb"]["volumes"] if "/tasks:" in mount]
    here, there, _ = volume.split(":")
    environment = SERVICES["influxdb"]["environment"]
    script = (DEPLOY / "influxdb/once.sh").read_text(encoding="utf-8").replace(there, str(DEPLOY / here))
    (tmp_path / "password").write_text("secret", encoding="utf-8")
    mine, client, calls = tmp_path / "once.sh", tmp_path / "influx", tmp_path / "calls"
    mine.write_text(script.replace("/run/secrets/reader_password", str(tmp_path / "password")), encoding="utf-8")
    client.write_text(FAKE_INFLUX, encoding="utf-8")
    client.chmod(0o755)
    given = {key: value for key, value in environment.items() if key.startswith("DOCKER_INFLUXDB_INIT_")}
    where = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls), "DOCKER_INFLUXDB_INIT_BUCKET_ID": "raw"}
    subprocess.run(["bash", mine], check=True, env=os.environ | given | where)
    asked = [tuple(line.rstrip("\t").split("\t")) for line in calls.read_text(encoding="utf-8").splitlines()]
    bucket, org = environment["DOCKER_INFLUXDB_INIT_BUCKET"], ("--org", environment["DOCKER_INFLUXDB_INIT_ORG"])
    names = [f"{bucket}_{policy}" for policy in POLICIES.values()]
    kept = [f"{MINUTES_DAYS * 24}h", "0"]
    mapping = ("v1", "dbrp", "create", *org, "--bucket-id")
    assert asked[:5] == [
        (*mapping, "raw", "--db", bucket, "--rp", POLICY, "--default"),
        *(
            ("bucket", "create", *org, "--name", name, "--retention", days, "--hide-headers")
            for name, days in zip(names, kept, strict=True)
        ),
        *((*mapping, f"{bucket}_{policy}-id", "--db", bucket, "--rp", policy) for policy in POLICIES.values()),
    ]
    tasks_asked, (reader,) = asked[5:-1], asked[-1:]
    assert {task[:-1] for task in tasks_asked} == {("task", "create", *org, "--file")}
    ours = {name: flux for resolution in POLICIES for name, flux in tasks(bucket, resolution).items()}
    assert {Path(task[-1]).stem: Path(task[-1]).read_text(encoding="utf-8") for task in tasks_asked} == ours
    assert [reader[at + 1] for at, word in enumerate(reader) if word == "--read-bucket"] == [
        "raw",
        *(f"{name}-id" for name in names),
    ]
    assert reader[-4:] == ("--username", "grafana", "--password", "secret")


@pytest.mark.parametrize(
    "script", ["init-secrets.sh", "issue-certificate.sh", "influxdb/once.sh", "postgresql/once.sh"]
)
def test_scripts_can_be_run(script: str) -> None:
    """The images pass over setup scripts that are not executable."""
    assert (DEPLOY / script).stat().st_mode & 0o111
    shell = (DEPLOY / script).read_text(encoding="utf-8").splitlines()[0].removeprefix("#!")
    subprocess.run([shell, "-n", DEPLOY / script], check=True)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_a_live_service_from_a_dead_one(status: int, code: int) -> None:
    """The same command in the image and in compose; run here against a stand-in."""
    command = SERVICES["yujing"]["healthcheck"]["test"]
    assert command == ["CMD", *image_command("HEALTHCHECK")]

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.handle_request, daemon=True).start()
        words = [word.replace("127.0.0.1:8080", f"127.0.0.1:{server.server_port}") for word in command[1:]]
        assert words[0] == "python"
        assert subprocess.run([sys.executable, *words[1:]], check=False, capture_output=True).returncode == code
