"""Sets up a bucket of an InfluxDB 2.x through influxdb-client: retention, database mapping, tokens, a reader."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.authorization import Authorization
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.dbrp_create import DBRPCreate
from influxdb_client.domain.legacy_authorization_post_request import LegacyAuthorizationPostRequest
from influxdb_client.domain.onboarding_request import OnboardingRequest
from influxdb_client.domain.password_reset_body import PasswordResetBody
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource
from influxdb_client.domain.task_create_request import TaskCreateRequest
from influxdb_client.domain.task_update_request import TaskUpdateRequest
from influxdb_client.rest import ApiException
from influxdb_client.service.dbr_ps_service import DBRPsService
from influxdb_client.service.legacy_authorizations_service import LegacyAuthorizationsService
from influxdb_client.service.setup_service import SetupService
from urllib3.exceptions import HTTPError

from ingest.domain.model.text import Text
from ingest.storage.history.answers import message_of
from ingest.storage.history.config import InfluxV2Config
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.influx import trust
from ingest.storage.history.influx_rollups import MINUTES_DAYS, POLICIES, tasks
from ingest.storage.history.rollups import Resolution
from ingest.storage.history.server_check import lacking
from ingest.storage.history.setup import (
    ADMIN_PASSWORD,
    DAY_S,
    READER,
    READER_PASSWORD,
    READER_TOKEN,
    SetupOptions,
    SetupRefused,
    file_of,
    operator_needed,
    read_or_create,
    write_secret,
)

ADMIN: Final = "admin"
"""The administrator created on a server that was never set up."""

POLICY: Final = "autogen"
"""The retention policy that the bucket is mapped to."""


def set_up_v2(config: InfluxV2Config, operator: str | None, options: SetupOptions) -> Iterator[Text]:
    """Create what is missing, and yield each thing created. Idempotent.

    Args:
        config: the settings of the history.
        operator: a token with all rights; for a server that was never set up, the one it is to get.
        options: what a person wants of it.

    Raises:
        SetupRefused: the server or the settings do not allow it.
        HistoryUnavailable: the server cannot be reached.
    """
    if operator is None:
        raise operator_needed("操作员令牌", "the operator's token is")
    token_file = file_of(config.token, "history.token")
    client = InfluxDBClient(
        config.url,
        token=operator,
        org=config.org,
        timeout=int(config.timeout_s * 1_000),
        retries=False,
        ssl_context=trust(config),
    )
    with closing(client):
        try:
            yield from _set_up(_Server(client, config, token_file), operator, options)
        except ApiException as error:
            text = message_of(str(error.body or error.reason))
            raise SetupRefused(f"HTTP {error.status}:{text}", f"HTTP {error.status}: {text}") from error
        except HTTPError as error:
            raise HistoryUnavailable(f"{config.url}: {error}") from error


class _Server:
    """The client, its services and the settings."""

    def __init__(self, client: InfluxDBClient, config: InfluxV2Config, token_file: Path) -> None:
        self.client = client
        self.config = config
        self.token_file = token_file
        self.setup = SetupService(client.api_client)
        self.mappings = DBRPsService(client.api_client)
        self.users = LegacyAuthorizationsService(client.api_client)


def _set_up(server: _Server, operator: str, options: SetupOptions) -> Iterator[Text]:
    config = server.config
    if server.setup.get_setup().allowed:
        yield from _first(server, operator, options)
    org = _organisation(server)
    bucket = server.client.buckets_api().find_bucket_by_name(config.bucket)
    present = None if bucket is None else _retention_s(bucket)
    wanted = options.retention_s(present)
    if bucket is None:
        bucket = server.client.buckets_api().create_bucket(
            bucket_name=config.bucket, org=config.org, retention_rules=_rules(wanted)
        )
        yield _bucket(config.bucket, wanted)
    elif wanted is not None and wanted != present:
        bucket.retention_rules = _rules(wanted)
        server.client.buckets_api().update_bucket(bucket)
        yield _bucket(config.bucket, wanted)
    yield from _mapping(server, org, bucket.id, POLICY)
    rolled = []
    for resolution in POLICIES if options.rollups else ():
        rolled.append((yield from _rolled(server, org, resolution)))  # noqa: PERF401  a comprehension cannot yield
    yield from _service(server, org, bucket.id, rolled)
    yield from _reader(server, org, [bucket.id, *rolled])


def _first(server: _Server, operator: str, options: SetupOptions) -> Iterator[Text]:
    """Set up a fresh server: its organisation, bucket and operator, with this token."""
    config, file = server.config, server.token_file.parent / ADMIN_PASSWORD
    server.setup.post_setup(
        OnboardingRequest(
            username=ADMIN,
            password=read_or_create(file),
            org=config.org,
            bucket=config.bucket,
            retention_period_seconds=options.retention_s(None),
            token=operator,
        )
    )
    yield Text(
        f"组织 {config.org}、桶 {config.bucket}、管理员 {ADMIN}(口令在 {file})",
        f"organisation {config.org}, bucket {config.bucket}, administrator {ADMIN} (password in {file})",
    )


def _organisation(server: _Server) -> str:
    """The id of the organisation. It is never created: a server with others belongs to somebody."""
    found = [org.id for org in _all(server.client.organizations_api().find_organizations()) if org.name == _org(server)]
    if not found:
        raise SetupRefused(
            f"组织 {_org(server)} 不存在,请先建立或改正 history.org",
            f"there is no organisation {_org(server)}: make it, or mend history.org",
        )
    return str(found[0])


def _org(server: _Server) -> str:
    return server.config.org


def _mapping(server: _Server, org: str, bucket: str, policy: str) -> Iterator[Text]:
    """Map the database of the service's bucket and one of its policies to a bucket, so that it answers InfluxQL."""
    name = server.config.bucket
    # The server also lists virtual mappings of its own, which a created one replaces: the first of a database becomes
    # its default, whatever was requested.
    mapped = [each for each in _all(server.mappings.get_dbr_ps(org_id=org, db=name).content) if not each.virtual]
    default = policy == POLICY
    if any(
        each.bucket_id == bucket and (each.default if default else each.retention_policy == policy) for each in mapped
    ):
        return
    server.mappings.post_dbrp(
        DBRPCreate(org_id=org, bucket_id=bucket, database=name, retention_policy=policy, default=default)
    )
    yield Text(f"库映射 {name}/{policy}", f"database mapping {name}/{policy}")


def _rolled(server: _Server, org: str, resolution: Resolution) -> Generator[Text, None, str]:
    """Create the bucket of rollups, unchanged if it exists, its mapping and its tasks; returns its id."""
    policy = POLICIES[resolution]
    name = f"{server.config.bucket}_{policy}"
    bucket = server.client.buckets_api().find_bucket_by_name(name)
    if bucket is None:
        seconds = MINUTES_DAYS * DAY_S if resolution is Resolution.MINUTE else 0
        bucket = server.client.buckets_api().create_bucket(
            bucket_name=name, org=server.config.org, retention_rules=_rules(seconds)
        )
        yield _bucket(name, seconds)
    yield from _mapping(server, org, bucket.id, policy)
    for task, flux in tasks(server.config.bucket, resolution).items():
        yield from _task(server, org, task, flux)
    return str(bucket.id)


def _task(server: _Server, org: str, name: str, flux: str) -> Iterator[Text]:
    """Create the task, or update it to this version's."""
    known = next(iter(server.client.tasks_api().find_tasks(name=name, org_id=org)), None)
    if known is None:
        server.client.tasks_api().create_task(task_create_request=TaskCreateRequest(org_id=org, flux=flux))
    elif known.flux != flux:
        server.client.tasks_api().update_task_request(known.id, TaskUpdateRequest(flux=flux))
    else:
        return
    yield Text(f"任务 {name}", f"task {name}")


def _service(server: _Server, org: str, bucket: str, rolled: Sequence[str]) -> Iterator[Text]:
    """Create the service's token unless the one in its file suffices; older ones created for it are deleted."""
    file = server.token_file
    try:
        if not lacking(server.config, rollups=bool(rolled)):
            return
    except LookupError:  # no token yet
        pass
    name = f"yujing service {server.config.bucket}"
    before = _all(server.client.authorizations_api().find_authorizations(org_id=org))
    made = _authorization(server, org, name, [("write", bucket), *(("read", each) for each in (bucket, *rolled))])
    _write(file, made)
    for former in before:
        if former.description == name:
            server.client.authorizations_api().delete_authorization(former)
    yield Text(f"服务令牌在 {file}", f"the service's token in {file}")


def _reader(server: _Server, org: str, buckets: Sequence[str]) -> Iterator[Text]:
    """Create a token and a 1.x user that may only read these buckets."""
    config, folder = server.config, server.token_file.parent
    rights = [("read", bucket) for bucket in buckets]
    file = folder / READER_TOKEN
    if not file.exists():
        _write(file, _authorization(server, org, f"yujing reader {config.bucket}", rights))
        yield Text(f"只读令牌在 {file}", f"the reader's token in {file}")
    file = folder / READER_PASSWORD
    known = _all(server.users.get_legacy_authorizations(org_id=org).authorizations)
    user = next((reader for reader in known if reader.token == READER), None)
    if user is not None and file.exists():
        return
    if user is None:
        user = server.users.post_legacy_authorizations(
            LegacyAuthorizationPostRequest(org_id=org, token=READER, permissions=_rights(org, rights))
        )
    server.users.post_legacy_authorizations_id_password(user.id, PasswordResetBody(read_or_create(file)))
    yield Text(f"只读用户 {READER}(Grafana),口令在 {file}", f"reader {READER} (for Grafana), password in {file}")


def _authorization(server: _Server, org: str, name: str, rights: Sequence[tuple[str, str]]) -> str:
    """Create an authorization and return its token."""
    wanted = Authorization(org_id=org, permissions=_rights(org, rights), description=name)
    return str(server.client.authorizations_api().create_authorization(authorization=wanted).token)


def _rights(org: str, rights: Sequence[tuple[str, str]]) -> list[Permission]:
    return [Permission(action, PermissionResource("buckets", id=bucket, org_id=org)) for action, bucket in rights]


def _write(file: Path, secret: str) -> None:
    try:
        write_secret(file, secret)
    except OSError as error:
        raise SetupRefused(f"{file}:无法写入", f"{file}: {error}") from error


def _bucket(name: str, seconds: int | None) -> Text:
    kept = f"{seconds // DAY_S} d" if seconds else "∞"
    return Text(f"桶 {name}:保存 {kept}", f"bucket {name}: keeps {kept}")


def _retention_s(bucket: Any) -> int:
    return next((int(rule.every_seconds) for rule in bucket.retention_rules or () if rule.type == "expire"), 0)


def _rules(seconds: int | None) -> list[BucketRetentionRules]:
    return [BucketRetentionRules(every_seconds=seconds or 0)]


def _all(found: Sequence[Any] | None) -> Sequence[Any]:
    return found or ()
