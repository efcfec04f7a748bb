"""What a burst needed goes back to the system, whichever thread met it."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest
from structlog.testing import capture_logs

from ingest.runtime.heap import share_heap

BURSTS: Final = """
import ctypes, sys, threading
from pathlib import Path
from ingest.runtime.heap import give_back_memory, share_heap

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes, libc.memset.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

def burst(met, over):
    blocks = [0] * 200
    for at in range(200):
        blocks[at] = libc.malloc(60_000)
        libc.memset(blocks[at], 1, 60_000)
    for block in blocks:
        libc.free(block)
    met.set()
    over.wait()  # the thread goes on, as the service's do

if sys.argv[1] == "shared":
    share_heap()
libc.free(libc.malloc(16 << 20))  # a large block: glibc is more generous from now on
before, over = resident(), threading.Event()
for _ in range(8):
    met = threading.Event()
    threading.Thread(target=burst, args=(met, over)).start()
    met.wait()
give_back_memory()
print(resident() - before)
over.set()
"""


def kept_after_bursts(how: str) -> int:
    """MiB that a process still holds after a burst of 11 MiB in each of 8 threads, everything freed and given back."""
    command = [sys.executable, "-c", BURSTS, how]
    output = subprocess.run(command, env={}, check=True, capture_output=True, text=True).stdout  # arenas are not chosen
    return int(output.splitlines()[-1])


@pytest.mark.skipif("linux" not in sys.platform, reason="the allocator of other systems gives back by itself")
def test_what_bursts_in_many_threads_needed_is_given_back() -> None:
    """Eleven MiB are left behind by each thread where each has an arena of its own, next to nothing in one heap."""
    assert kept_after_bursts("shared") < 11
    if kept_after_bursts("own") < 44:
        pytest.skip("this C library gives back by itself")


@pytest.mark.parametrize(
    "environment", [{"MALLOC_ARENA_MAX": "4"}, {"GLIBC_TUNABLES": "glibc.malloc.check=1:glibc.malloc.arena_max=4"}]
)
def test_who_runs_it_may_decide_on_arenas(environment: dict[str, str]) -> None:
    with capture_logs() as logs:
        share_heap(environment)
    (event,) = logs
    assert event["event"] == "heap_arranged"
    assert event["heaps"] == "=".join(*environment.items())
