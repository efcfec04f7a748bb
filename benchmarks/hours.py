"""What memory the service holds over hours' worth of frames and alarms; `python -m benchmarks.steady --hours 8`.

2,000 points of 100 gateways, 200 frames of 20 readings a second and 100 alarms a minute raised and returned, sent many
times as fast, but no faster than they are told to be on disk: frames a commit and a cycle are many more than on an
ordinary day, and what depends on the time that passes, such as snapshots, happens less often. Webhooks are delivered.

- `rss_mb`: of the service with its children, by hour's worth: the median of what was seen in the hour's last third;
- `rss_ratio`: of the last hour by the first; `seconds` each hour's worth took, `cpu_s` of all;
- `frames`, `alarms`: taken in, told by webhook (raised and returned); `share` of each hour's worth that was sent.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import Any, Final

from benchmarks.cpu import cpu_s, family
from benchmarks.intake import rss_mb
from benchmarks.load import Load
from benchmarks.probe import receiver
from benchmarks.site import FIRST, SHAPES, History, Site, site

ALARMS_PER_MIN: Final = 100
SAMPLE_S: Final = 1.0
UNREAD: Final = 1_000
"""Frames on their way, at most."""


def hours_worth(hours: int, history: History, speed: float, share: float) -> dict[str, Any]:
    """Send so many hours' worth, or that share of each, so many times as fast as it comes on an ordinary day."""
    shape = SHAPES["county"]
    frames = round(shape.frames_per_s * 3600 * share)
    load = Load(
        messages=frames * hours,
        gateways=shape.gateways,
        rate=shape.frames_per_s * speed,
        alarm_every=round(shape.frames_per_s * 60 / ALARMS_PER_MIN) + 1,  # odd: so all gateways take turns
        first=FIRST,
        unread=UNREAD,
    )
    annunciated = 0

    def arrived(_: object) -> None:
        nonlocal annunciated
        annunciated += 1

    with site(shape, history, prompt=True) as measured, receiver(measured.hook, arrived):
        began = time.perf_counter()
        seen, ended = _watched(measured, load, hours)
        return {
            "hours": hours,
            "share": share,
            "frames": load.messages,
            "alarms": annunciated,
            "rss_mb": seen,
            "rss_ratio": round(seen[-1] / seen[0], 3),
            "seconds": [round(at - before) for before, at in zip([began, *ended], ended, strict=False)],
            "cpu_s": round(cpu_s(measured.service.pid), 1),
        }


def _watched(measured: Site, load: Load, parts: int) -> tuple[list[float], list[float]]:
    """MB at the end of each of so many parts of what is sent, and when they ended."""
    seen: list[float] = []
    ended: list[float] = []
    with measured.sending(load) as publisher:
        part: list[float] = []
        while len(seen) < parts:
            over = publisher.poll() is not None
            time.sleep(SAMPLE_S)
            part.append(sum(map(rss_mb, family(measured.service.pid))))
            taken = measured.counted()["yujing_frames_journaled_total"] / load.columns
            if over or taken >= load.messages / parts * (len(seen) + 1):
                seen.append(round(median(part[len(part) * 2 // 3 :]), 1))
                ended.append(time.perf_counter())
                sys.stderr.write(f"hour {len(seen)} of {parts}: {seen[-1]} MB\n")
                part = []
    return seen, ended
