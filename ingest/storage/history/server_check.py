"""Checks, with the service's own rights and without changing anything, what an InfluxDB lacks for the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import httpx

from ingest.domain.model.text import Text
from ingest.storage.history.config import InfluxConfig, InfluxV1Config
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.influx import http_client
from ingest.storage.history.influx_rollups import oldest
from ingest.storage.history.influxql import measurement
from ingest.storage.history.rollups import Resolution

SETUP: Final = "yujing influx setup"
"""The command that sets it up."""

LONGEST_S: Final = 5.0
"""The longest a check waits for a server."""

_MOST_TEXT: Final = 200  # characters of a server's answer that are quoted
_WRITE: Final = {
    401: Text("用户名口令或令牌无效", "the user and password, or the token, are not valid there"),
    403: Text("用户或令牌无权写入", "the user or token may not write"),
    404: Text("库、桶或组织不存在", "the database, bucket or organisation is missing"),
}
_NO_POLICY: Final = Text("保存策略不存在", "the retention policy is missing")
_NO_READ: Final = Text("用户或令牌无权查询", "the user or token may not query")
_NO_MAPPING: Final = Text(
    "桶没有对应的库(DBRP 映射),无法用 InfluxQL 查询,趋势图缺失",
    "no database stands for the bucket (DBRP mapping), so it answers no InfluxQL and trends are missing",
)

_NO_ROLLUPS: Final = Text(
    "没有按分钟和小时的汇总,长期趋势需逐条读取读数",
    "there are no rollups by minute and hour, so long trends read every reading",
)


def lacking(config: InfluxConfig, *, rollups: bool = True) -> list[Text]:
    """What a person has to create or grant on that server, each with the server's message; empty if nothing.

    Args:
        config: how the service connects to it.
        rollups: whether rollups are required.

    Raises:
        HistoryUnavailable: it cannot be reached or does not work, so that nothing is known.
        LookupError: a secret is not where the settings say.
    """
    brief = config.model_copy(update={"timeout_s": min(config.timeout_s, LONGEST_S)})
    with _client(brief) as http:
        try:
            return list(_lacking(http, config, rollups=rollups))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HistoryUnavailable(f"{config.url}: {error or type(error).__name__}") from error


def _lacking(http: httpx.Client, config: InfluxConfig, *, rollups: bool) -> Iterator[Text]:
    """Check by an empty write and by queries of one reading and one rollup."""
    path, place = config.write_path
    written = http.post(path, params=place)
    text = _error_text(written)
    if "retention policy not found" in text:
        yield _with(_NO_POLICY, text)
        return
    if not written.is_success:
        if written.status_code not in _WRITE:
            raise HistoryUnavailable(f"{config.url}: HTTP {written.status_code}: {text}")
        yield _with(_WRITE[written.status_code], text)
        return
    policy = config.retention_policy if isinstance(config, InfluxV1Config) else None
    query = f"SELECT value FROM {measurement('readings', policy)} LIMIT 1"  # noqa: S608  quoted
    answer = http.post("/query", params={"db": config.database_name}, data={"q": query})
    text = _error_text(answer)
    if answer.status_code in {401, 403} or "not authorized" in text:
        yield _with(_NO_READ, text)
    elif not answer.is_success or text:
        yield _with(_NO_MAPPING, text)
    elif rollups:
        query = oldest(Resolution.HOUR)
        text = _error_text(http.post("/query", params={"db": config.database_name}, data={"q": query}))
        if text:
            yield _with(_NO_ROLLUPS, text)


def _client(config: InfluxConfig) -> httpx.Client:
    return http_client(config, **config.credentials())


def _error_text(answer: httpx.Response) -> str:
    """The error in an answer; empty if there is none."""
    try:
        content: Any = answer.json()
    except ValueError:
        return answer.text.strip()[:_MOST_TEXT]
    if isinstance(content, dict):
        results = content.get("results") or [{}]
        content = content.get("error") or content.get("message") or results[0].get("error") or ""
    return str(content)[:_MOST_TEXT]


def _with(what: Text, text: str) -> Text:
    return Text(f"{what.zh}:{text}", f"{what.en}: {text}") if text else what
