"""Descriptors and memory are shared out at the start, by what the system says the process may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.runtime.resources import KEPT, cgroup_limit, share


@pytest.mark.parametrize("limit", [*range(40, 1025, 7)])
def test_connections_leave_what_the_rest_needs_or_two_thirds_of_little(limit: int) -> None:
    used = 34
    left = limit - used - share(limit, used)
    assert left >= min(KEPT, 2 * (limit - used) // 3 - 1)
    assert share(limit, used) >= 1


def test_who_has_more_gives_more() -> None:
    places = [share(limit, 34) for limit in range(1025)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/a/b", {"a/b/memory.max": "max", "a/memory.max": "400"}, 400),
        ("0::/a/b", {"a/b/memory.max": "300", "a/memory.max": "400"}, 300),
        ("0::/", {"memory.max": "500"}, 500),
        ("0::/elsewhere", {"memory.max": "500"}, 500),
        ("0::/a", {}, None),
        ("8:pids:/a\n4:memory,x:/a", {"memory/a/memory.limit_in_bytes": "700"}, 700),
        ("4:memory:/a", {"memory/a/memory.limit_in_bytes": "9223372036854771712"}, None),
    ],
)
def test_the_least_of_all_groups_around_counts(
    tmp_path: Path, groups: str, files: dict[str, str], limit: int | None
) -> None:
    own = tmp_path / "own"
    own.write_text(groups + "\n")
    for name, text in files.items():
        file = tmp_path / "mounted" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    assert cgroup_limit(tmp_path / "mounted", own) == limit


def test_where_there_are_no_groups_nothing_is_bound(tmp_path: Path) -> None:
    assert cgroup_limit(tmp_path, tmp_path / "none") is None
