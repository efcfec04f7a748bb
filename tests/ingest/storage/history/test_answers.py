"""Answers of servers are classified: accepted, refused, or to be retried."""

from __future__ import annotations

import pytest

from ingest.base.retry_after import retry_after_s
from ingest.storage.history.answers import error_of
from ingest.storage.history.errors import HistoryRejected, HistoryTooLarge, HistoryUnavailable

NOW_S = 1_763_884_800.0


@pytest.mark.parametrize("status", [200, 204])
def test_success_is_no_error(status: int) -> None:
    assert error_of(status, "", None, NOW_S) is None


@pytest.mark.parametrize("status", [400, 422])
def test_refused_data_are_not_tried_again(status: int) -> None:
    error = error_of(status, '{"error":"partial write: field type conflict"}', None, NOW_S)
    assert isinstance(error, HistoryRejected)
    assert str(error) == f"HTTP {status}: partial write: field type conflict"


def test_a_request_too_large_says_nothing_against_its_readings() -> None:
    assert isinstance(error_of(413, '{"error":"Request Entity Too Large"}', None, NOW_S), HistoryTooLarge)


@pytest.mark.parametrize(
    ("body", "dropped"),
    [
        ('{"error":"partial write: max-values-per-tag limit exceeded (9/9): measurement=\\"m\\" dropped=20"}', 20),
        ('{"error":"partial write: field type conflict: input field \\"value\\" ... dropped=1"}', 1),
        ('{"error":"unable to parse \'readings\': missing fields"}', None),
        ('{"code":"invalid","message":"partial write of line protocol","line":2}', None),
    ],
)
def test_how_many_points_were_dropped_is_read(body: str, dropped: int | None) -> None:
    error = error_of(400, body, None, NOW_S)
    assert isinstance(error, HistoryRejected)
    assert error.dropped == dropped


@pytest.mark.parametrize("status", [0, 301, 401, 403, 404, 405, 429, 500, 502, 503, 504])
def test_everything_else_is_tried_again(status: int) -> None:
    """A wrong password, a missing database, a proxy's page: none of it costs a reading."""
    assert isinstance(error_of(status, "<html>", None, NOW_S), HistoryUnavailable)


@pytest.mark.parametrize(("status", "mend"), [(401, "password"), (403, "grant it read and write"), (404, "create it")])
def test_an_error_people_must_mend_says_how(status: int, mend: str) -> None:
    assert mend in str(error_of(status, '{"message":"unauthorized"}', None, NOW_S))


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        (None, None),
        ("17", 17.0),
        ("Sun, 23 Nov 2025 08:00:30 GMT", 30.0),
        ("Sun, 23 Nov 2025 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, NOW_S) == wait_s


def test_the_requested_delay_is_part_of_the_error() -> None:
    error = error_of(503, "", "4", NOW_S)
    assert isinstance(error, HistoryUnavailable)
    assert error.retry_after_s == 4.0
