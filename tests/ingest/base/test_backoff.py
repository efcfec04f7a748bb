from __future__ import annotations

from ingest.base.backoff import MAX_RETRY_AFTER_S, RetrySchedule
from ingest.delivery.platform.connector import PlatformConnector
from ingest.delivery.webhook.connector import WebhookConnector

DAY_S = 86_400.0


def test_delays_double_from_one_second_to_five_minutes() -> None:
    delays = [PlatformConnector.schedule.delay_s(failures, 0, 0.0) for failures in range(1, 12)]
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_the_platform_is_tried_every_five_minutes_for_ever() -> None:
    assert PlatformConnector.schedule.delay_s(1_000_000, 365 * DAY_S, 0.0) == 300


def test_a_webhook_that_is_down_for_a_day_is_tried_hourly_for_ever() -> None:
    assert WebhookConnector.schedule.delay_s(200, DAY_S - 1, 0.0) == 300
    assert WebhookConnector.schedule.delay_s(1_000_000, DAY_S, 0.0) == 3600


def test_jitter_takes_away_at_most_half() -> None:
    assert RetrySchedule().delay_s(5, 0, 0.0) == 16
    assert RetrySchedule().delay_s(5, 0, 0.999) > 8


def test_a_receiver_may_ask_for_more_patience_but_not_for_silence() -> None:
    assert RetrySchedule().delay_s(1, 0, 0.0, retry_after_s=90) == 90
    assert RetrySchedule().delay_s(9, 0, 0.0, retry_after_s=1) == 256
    assert RetrySchedule().delay_s(1, 0, 0.0, retry_after_s=1e12) == MAX_RETRY_AFTER_S
