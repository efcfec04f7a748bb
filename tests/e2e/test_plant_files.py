"""One bad plant file never leaves another plant unwatched, whatever is restarted when."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.service import Service
from tests.servers import HTTP, mosquitto
from tests.small_plant import PLANT, TEXT

OTHER = "other"


def ready(service: Service) -> tuple[int, str]:
    answer = HTTP.get(f"{service.url}/health/ready", headers=service.headers)
    return answer.status_code, answer.json()["parts"].get("plants", "")


def watched(service: Service) -> set[str]:
    return {plant["id"] for plant in service.get("/api/v1/plants")} - {"service"}


def settled(service: Service) -> int:
    return sum(event["event"] == "heap_settled" for event in service.log())


@pytest.mark.timeout(600)
def test_a_restart_with_a_refused_file_watches_every_plant_as_before(tmp_path: Path) -> None:
    """The refused one runs by its last good file, and the fault is shown on pages, API and metrics."""
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker) as service:
        other = tmp_path / "plants" / f"{OTHER}.toml"
        other.write_text(TEXT.replace(f'id = "{PLANT}"', f'id = "{OTHER}"'), encoding="utf-8")
        service.until(lambda: watched(service) == {PLANT, OTHER}, "the second plant")
        service.until(lambda: settled(service) == 2, "the heap to be settled, as at the start")
        service.until(lambda: ready(service) == (200, "ok"), "the service to be ready")
        broken = tmp_path / "plants" / f"{PLANT}.toml"
        broken.write_text(f"bogus = 1\n{TEXT}", encoding="utf-8")
        service.until(lambda: ready(service)[0] == 503, "the refusal to show")
        for _ in range(2):
            assert service.stop() == 0
            service.start()
            assert watched(service) == {PLANT, OTHER}
            assert ready(service)[0] == 503
            (held,) = service.get("/api/v1/plant-files")
            assert (held["plant"], held["watched"]) == (PLANT, True)
            assert [(fault["key"], fault["value"]) for fault in held["faults"]] == [("bogus", "1")]
        service.until(
            lambda: any(
                (alarm["plant"], alarm["point"]) == ("service", "PLANT_FILES")
                for alarm in service.get("/api/v1/alarms")["alarms"]
            ),
            "the alarm of the service",
        )
        metrics = HTTP.get(f"{service.url}/metrics", headers=service.headers).text
        assert "yujing_plant_files_refused 1.0" in metrics
        page = HTTP.get(f"{service.url}/plants", headers=service.headers).text
        assert "bogus" in page
        broken.write_text(TEXT, encoding="utf-8")
        service.until(lambda: ready(service) == (200, "ok"), "the mended file to be taken")
        assert service.stop() == 0
