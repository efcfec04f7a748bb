"""Recorded data, replayed through MQTT as its gateway would have sent it, end up judged and stored."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import os
import time
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.e2e.service import Service
from tests.servers import HTTP, influxd, mosquitto

PLANT = Path(__file__).parents[1] / "data" / "water-loop.toml"
SKAB = Path(os.environ.get("YUJING_DATA", PLANT.parents[3] / "shared" / "data")) / "skab" / "valve1" / "0.csv"
COLUMNS = {"Temperature": "TEMP-01", "Volume Flow RateRMS": "FLOW-01", "Thermocouple": "THERMO-01"}
ZONE = ZoneInfo("Asia/Shanghai")


def recording(folder: Path) -> Path:
    """The labelled file of the public benchmark where it is at hand, else one of our own in the same shape."""
    if SKAB.exists():
        return SKAB
    own = folder / "recorded.csv"
    began = dt.datetime(2020, 3, 9, 10, 14, 33)  # noqa: DTZ001  the format has no zone
    with own.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["datetime", *COLUMNS, "anomaly"])
        for s in range(900):
            wrong = 500 <= s < 700
            temperature = 79 + math.sin(s) / 2 - (3 if wrong else 0)
            at = began + dt.timedelta(seconds=s)
            rows.writerow([at.isoformat(" "), temperature, 32 + math.sin(s / 3), 26 + math.sin(s) / 9, float(wrong)])
    return own


def labelled(file: Path) -> tuple[int, list[tuple[int, int]], int]:
    """Rows, the intervals marked as anomalous, and the end (ns since the epoch)."""
    with file.open(encoding="utf-8") as text:
        rows = list(csv.DictReader(text, delimiter=";"))
    times = [int(dt.datetime.fromisoformat(r["datetime"]).replace(tzinfo=ZONE).timestamp()) * 10**9 for r in rows]
    marks = [False, *(float(r["anomaly"]) > 0 for r in rows), False]
    edges = [at for at, (before, after) in enumerate(pairwise(marks)) if before != after]
    return len(rows), [(times[a], times[b - 1]) for a, b in zip(edges[::2], edges[1::2], strict=True)], times[-1]


def test_a_labelled_recording_is_stored_whole_and_alarmed_where_it_is_labelled(tmp_path: Path) -> None:
    file = recording(tmp_path)
    rows, anomalies, last = labelled(file)
    (tmp_path / "plants").mkdir()
    (tmp_path / "plants" / PLANT.name).write_text(PLANT.read_text(encoding="utf-8"), encoding="utf-8")
    with mosquitto(tmp_path) as broker, influxd(tmp_path) as influx:
        HTTP.post(f"{influx}/query", params={"q": "CREATE DATABASE yujing"}).raise_for_status()
        history = f'[history]\nkind = "influxdb1"\nurl = "{influx}"\ndatabase = "yujing"\n'
        with Service(tmp_path, broker, history, plant="water-loop") as service:
            maps = [part for column, point in COLUMNS.items() for part in ("--map", f"{column}={point}")]
            began = time.time_ns()
            done = service.run(
                "replay", str(file), "--plant", "water-loop", "--gateway", "RIG-01", "--host", broker[0],
                "--port", str(broker[1]), "--speed", "0", "--shift-to-now", *maps,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["rows"] == rows
            earliest, latest = began - last, time.time_ns() - last  # by how much it was moved, so that it ended then

            def stored(point: str) -> int:
                query = {"db": "yujing", "q": f'SELECT count("value") FROM "readings" WHERE point = \'{point}\''}  # noqa: S608
                result = HTTP.get(f"{influx}/query", params=query).json()["results"][0]
                return int(result["series"][0]["values"][0][1]) if "series" in result else 0

            for point in COLUMNS.values():
                service.until(lambda point=point: stored(point) == rows, f"all rows of {point}")  # type: ignore[misc]

            def alarmed() -> bool:
                alarms = service.get("/api/v1/alarms", point="TEMP-01")["alarms"]
                raised = [dt.datetime.fromisoformat(alarm["raised"]) for alarm in alarms if alarm["rule"] == "L"]
                low = [int(at.timestamp()) * 10**9 for at in raised]
                return any(begin + earliest <= at <= end + latest for at in low for begin, end in anomalies)

            # What comes late on a slow machine is judged aside: its alarm may follow one of the recording's last rows.
            service.until(alarmed, "an alarm where one is labelled")
            assert service.stop() == 0


def test_what_the_service_did_not_take_of_a_recording_is_an_exit_code_and_a_sentence(tmp_path: Path) -> None:
    """A point of no plant file beside a known one; then a gateway of none. All of it is committed: it is on disk."""
    file = tmp_path / "recorded.csv"
    file.write_text("datetime,T,X\n" + "".join(f"2020-03-09 10:00:{s:02},79,1\n" for s in range(60)), encoding="utf-8")
    (tmp_path / "plants").mkdir()
    (tmp_path / "plants" / PLANT.name).write_text(PLANT.read_text(encoding="utf-8"), encoding="utf-8")
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker, plant="water-loop") as service:

        def replayed(gateway: str, *maps: str) -> tuple[int, list[tuple[str, int, int]], str]:
            done = service.run(
                "replay", str(file), "--plant", "water-loop", "--gateway", gateway, "--host", broker[0], "--port",
                str(broker[1]), "--speed", "0", *(part for mapping in maps for part in ("--map", mapping)),
            )  # fmt: skip
            refused = [
                (load["reason"], load["frames"], load["readings"]) for load in json.loads(done.stdout)["refused"]
            ]
            return done.returncode, refused, done.stderr

        code, refused, output = replayed("RIG-01", "T=TEMP-01", "X=TEMP-09")
        assert (code, refused) == (1, [("unknown-point", 1, 60)])
        assert "water-loop/RIG-01: not taken, in quarantine: 1 frames, 60 readings" in output
        assert "TEMP-09" in output
        code, refused, output = replayed("RIG-99", "T=TEMP-01")
        assert (code, [reason for reason, *_ in refused]) == (1, ["unknown-gateway"])
        assert "water-loop/RIG-99 is in no plant file" in output
        assert replayed("RIG-01", "T=TEMP-01")[:2] == (0, [])
        assert service.stop() == 0


def test_a_file_that_cannot_be_replayed_is_refused_by_line_and_column(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("datetime;T\n2020-03-09 10:14:33;79\n2020-03-09 10:14:34;warm\n", encoding="utf-8")
    done = Service(tmp_path, ("127.0.0.1", 1), plant="none").run(
        "replay", str(wrong), "--plant", "p", "--gateway", "g", "--map", "T=TEMP-01"
    )
    assert done.returncode == 2
    assert all(word in done.stderr for word in ("wrong.csv", "line 3", "T", "warm"))
