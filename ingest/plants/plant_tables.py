"""The tables of a plant file, with their validation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from ingest.domain.model.daily import PledgeDuty
from ingest.domain.model.expectations import InvalidValue, with_near
from ingest.domain.model.plant import SERVICE, Gate, PlantKind, Sentinels
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Signal
from ingest.plants.enrolment import Dust
from ingest.plants.gates import parse_when
from ingest.plants.uscc import uscc_fault
from ingest.plants.written import Written, because, like

_NOT_THE_SERVICE: Final = Text("自己的编号；service 是监测服务本身", "an id of its own; service is the service itself")

PlantId = Annotated[
    str,
    like(
        r"[a-z0-9][a-z0-9-]{0,62}",
        Text("小写字母、数字和 -，至多 63 个字符", "small letters, digits and -, at most 63"),
    ),
    because(lambda id_: _NOT_THE_SERVICE if id_ == SERVICE else None),
]
ItemId = Annotated[
    str,
    like(
        r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
        Text("字母、数字和 _ . -，至多 64 个字符", "letters, digits and _ . -, at most 64"),
    ),
]
Name = Annotated[str, like(r"\S.*", Text("名称", "a name"))]
Region = Annotated[str, like(r"[0-9]{6}", Text("GB/T 2260 行政区划代码，6 位数字", "a GB/T 2260 code of 6 digits"))]
Uscc = Annotated[str, because(uscc_fault)]
Numbers = Annotated[tuple[float, ...], Field(max_length=16)]


TimeOfDay = Annotated[
    str,
    like(
        r"([01][0-9]|2[0-3]):[0-5][0-9]",
        Text("企业当地的时刻，如 08:30", "a time of the plant's day, such as 08:30"),
    ),
]


def time_of_day(text: str) -> dt.time:
    """Return a `TimeOfDay`."""
    return dt.time.fromisoformat(text)


NAME_TOO: Final = Text("name 与 name_en 同填", "name beside name_en")


def named(name: str, name_en: str | None) -> Text:
    """Return a name in both languages; without an English one, the same name in both."""
    return Text(name, name_en or name)


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables of a file may name; `signals` None: unknown, so that no name is refused."""

    signals: Mapping[str, Signal] | None
    gateways: frozenset[str]
    equipment: frozenset[str]
    points: frozenset[str]


_A_SIGNAL: Final = Text("目录中该类企业的信号", "a signal of the catalogue for this kind of plant")


def _signal(code: str, info: ValidationInfo) -> str:
    known = cast("Known", info.context).signals
    if known is not None and code not in known:
        raise InvalidValue(with_near(_A_SIGNAL, code, known))
    return code


def _signal_of(info: ValidationInfo) -> Signal | None:
    known = cast("Known", info.context).signals
    return known.get(info.data.get("signal", "")) if known is not None else None


def _gateway(name: str, info: ValidationInfo) -> str:
    return require_member(
        name, cast("Known", info.context).gateways, Text("本文件中网关的编号", "the id of a gateway of this file")
    )


def _equipment(name: str, info: ValidationInfo) -> str:
    return require_member(
        name, cast("Known", info.context).equipment, Text("本文件中设备的编号", "the id of an equipment of this file")
    )


_COMPARISON: Final = Text(
    '本文件的测点、比较符 == != < <= > >= 之一和一个数，如 "FAN_RUN-01 == 1"',
    'a point of this file, one of == != < <= > >=, and a number: "FAN_RUN-01 == 1"',
)
_OF_A_POINT: Final = Text("以本文件测点编号写的比较", "a comparison with the id of a point of this file")


def _running(text: str, info: ValidationInfo) -> str:
    try:
        when = parse_when(text)
    except ValueError:
        when = None
    if when is None or when.percent:
        raise InvalidValue(_COMPARISON)
    require_member(when.name, cast("Known", info.context).points, _OF_A_POINT)
    return text


def require_member(name: str, known: frozenset[str], expected: Text) -> str:
    """Return the name if it is among those known. Raises InvalidValue."""
    if name not in known:
        raise InvalidValue(with_near(expected, name, known))
    return name


class SentinelsTable(Written):
    """`sentinels` of the enterprise, a gateway or a point: readings that report the state of a channel."""

    not_connected: Numbers = Field(default=(), strict=False)
    failure: Numbers = Field(default=(), strict=False)

    @field_validator("failure")
    @classmethod
    def _either(cls, failure: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        both = [number for number in failure if number in info.data.get("not_connected", ())]
        if both:
            raise InvalidValue(
                Text(
                    f"不在 not_connected 中的数；{both[0]:g} 在其中",
                    f"numbers that are not in not_connected, as {both[0]:g} is",
                )
            )
        return failure

    @property
    def sentinels(self) -> Sentinels | None:
        """As the points have them; None: empty lists."""
        found = Sentinels(self.not_connected, self.failure)
        return found if found.values() else None


EquipmentId = Annotated[str, AfterValidator(_equipment)]
"""Of the file."""


class EnterpriseTable(Written):
    """`[enterprise]`."""

    id: PlantId
    name: Name
    name_en: Name | None = None
    uscc: Uscc
    region: Region
    kind: PlantKind
    workers: int = Field(ge=0)
    dust_workers: int = Field(ge=0)
    dust: Dust | None = Field(default=None, validate_default=True)
    deep_well: bool | None = Field(default=None, validate_default=True)
    pilot: bool = False
    pledge_by: TimeOfDay | None = None  # of each day, by which the daily safety pledge is given
    pledge_since: dt.date | None = Field(default=None, validate_default=True)
    sentinels: SentinelsTable | None = None
    budget: float | None = Field(default=None, gt=0)  # findings a day of all rules that learn, shared out over them

    @field_validator("dust_workers")
    @classmethod
    def _among_workers(cls, dust_workers: int, info: ValidationInfo) -> int:
        workers = info.data.get("workers", dust_workers)
        if dust_workers > workers:
            raise InvalidValue(Text(f"不大于 workers，即 {workers}", f"at most workers, which is {workers}"))
        return dust_workers

    @field_validator("dust")
    @classmethod
    def _dust_of_dust_plants(cls, dust: Dust | None, info: ValidationInfo) -> Dust | None:
        kind = info.data.get("kind")
        if kind is not None and (dust is not None) != (kind == "dust"):
            raise InvalidValue(Text("粉尘种类，kind 为 dust 时必填，其他不填", "a dust for kind dust, and only there"))
        return dust

    @field_validator("pledge_since")
    @classmethod
    def _pledges_since(cls, since: dt.date | None, info: ValidationInfo) -> dt.date | None:
        if "pledge_by" in info.data and (since is None) != (info.data["pledge_by"] is None):
            raise InvalidValue(
                Text(
                    "开始承诺的日期，与 pledge_by 同填或同不填",
                    "the day from which pledges are owed, beside pledge_by, and only there",
                )
            )
        return since

    @property
    def pledge(self) -> PledgeDuty | None:
        """By when it pledges each day; None: it is not asked to."""
        if self.pledge_by is None or self.pledge_since is None:
            return None
        return PledgeDuty(time_of_day(self.pledge_by), self.pledge_since)

    @field_validator("deep_well")
    @classmethod
    def _well_of_aluminium_plants(cls, deep_well: bool | None, info: ValidationInfo) -> bool:  # noqa: FBT001
        kind = info.data.get("kind")
        if deep_well is not None and kind not in {None, "aluminium"}:
            raise InvalidValue(Text("仅 kind 为 aluminium 时填写", "only for kind aluminium"))
        return kind == "aluminium" if deep_well is None else deep_well


class EquipmentTable(Written):
    """`[[equipment]]`; it is in production while `running` holds, and always where that is not given."""

    id: ItemId
    name: Name
    name_en: Name | None = None
    running: Annotated[str, AfterValidator(_running)] | None = None
    phase_model: str | None = None  # of the catalogue, or "none"; None: that of its signals
    phases: list[dict[str, Any]] = Field(default_factory=list)  # laid over the model's, see `phases.own_model`

    @property
    def gate(self) -> Gate | None:
        """`running` as a gate."""
        when = parse_when(self.running) if self.running is not None else None
        return Gate(when.name, when.op, when.number) if when is not None else None


class GatewayTable(Written):
    """`[[gateways]]`."""

    id: ItemId
    name: Name
    name_en: Name | None = None
    silence_s: float | None = Field(default=None, gt=0)
    sentinels: SentinelsTable | None = None


class PointTable(Written):
    """`[[points]]`; its rules are single keys laid over the catalogue's, or whole rules of its own."""

    id: ItemId
    was: ItemId | None = None  # its id before it was renamed
    signal: Annotated[str, AfterValidator(_signal)]
    equipment: EquipmentId | None = None
    gateway: Annotated[str, AfterValidator(_gateway)]
    setpoint: float | None = None
    name: Name | None = None
    name_en: Name | None = None
    range: tuple[float, float] | None = Field(default=None, strict=False, validate_default=True)
    silence_s: float | None = Field(default=None, gt=0)
    sentinels: SentinelsTable | None = None
    disabled_rules: tuple[str, ...] = Field(default=(), strict=False)
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("range")
    @classmethod
    def _wide(cls, span: tuple[float, float] | None, info: ValidationInfo) -> tuple[float, float] | None:
        if span is not None and span[0] >= span[1]:
            raise InvalidValue(Text("[下限, 上限]，下限小于上限", "[low, high] with low below high"))
        signal = _signal_of(info)
        if span is None and signal is not None and signal.table.range is None:
            raise InvalidValue(
                Text(
                    f"[下限, 上限]：{signal.code} 没有通用量程，以设计为准",
                    f"[low, high]: {signal.code} has no range of its own, it is per design",
                )
            )
        return span

    @field_validator("disabled_rules")
    @classmethod
    def _known_rules(cls, codes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        signal = _signal_of(info)
        unknown = [code for code in codes if code not in signal.rules] if signal else []
        if signal and unknown:
            raise InvalidValue(
                Text(
                    f"{signal.code} 的规则 {' '.join(signal.rules)}；没有 {' '.join(unknown)}",
                    f"rules of {signal.code}, {' '.join(signal.rules)}; not {' '.join(unknown)}",
                )
            )
        return codes

    @model_validator(mode="after")
    def _chinese_first(self) -> PointTable:
        if self.name is None and self.name_en is not None:
            raise InvalidValue(NAME_TOO)
        return self
