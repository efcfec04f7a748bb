"""Schemas shared by the REST routes. Times are RFC 3339 in UTC; null means unknown, never zero."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from ingest.domain.model.plant import Confidence
from ingest.web.inputs import WORDS, storable

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T06:00:00.000Z"])]
PlantId = Annotated[str, Field(examples=["demo-aluminium"])]
PointId = Annotated[str, Field(examples=["CW_IN_P-01"])]


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    Field(json_schema_extra={"pattern": WORDS}),
]
"""What a person says."""


class Shape(BaseModel):
    """What every answer has in common: built from our own dataclasses."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Said(Shape):
    """A text in both languages."""

    zh: Annotated[str, Field(examples=["结晶器冷却水进水压力"])]
    en: Annotated[str, Field(examples=["Mould cooling water inlet pressure"])]


class GatewayOut(Shape):
    """A gateway: what is on disk of its current boot, and when it last sent something."""

    plant: PlantId
    gateway: Annotated[str, Field(examples=["GW-01"])]
    name: Said | None = Field(description="null: no longer registered")
    online: bool | None = Field(description="null: never heard", examples=[True])
    clock_ahead_s: float | None = Field(
        description="how far its clock is ahead of the service's; null: not known now", examples=[-0.21]
    )
    boot: str | None = Field(examples=["01JDA4Q2"])
    committed: int | None = Field(
        description="everything up to here is on disk, but `missing` and `lost`", examples=[1842]
    )
    missing: list[tuple[int, int]] = Field(description="first and last; asked for", examples=[[[1830, 1833]]])
    lost: list[tuple[int, int]] = Field(description="first and last; no longer asked for", examples=[[]])
    last_heard: Instant | None
    frames: Annotated[int, Field(examples=[1842])]
    duplicates: Annotated[int, Field(examples=[3])]


class FaultOut(Shape):
    """One thing to mend in a file."""

    key: Annotated[str, Field(examples=["points.0.signal (CO-01)"])]
    value: Annotated[str, Field(examples=["'STL_C0'"])]
    expected: Annotated[str, Field(examples=["a signal of the catalogue for this kind of plant"])]
    message: Said = Field(description="`expected` in both languages")


class HeldFile(Shape):
    """A plant file that is not in force as it stands."""

    file: Annotated[str, Field(examples=["demo-aluminium.toml"])]
    plant: PlantId
    watched: bool = Field(description="whether the plant is watched by its last good file")
    faults: list[FaultOut]
    vanished: list[str] = Field(description="taken over once the file has stayed so", examples=[["CW_IN_P-01"]])


class RationalizationOut(Shape):
    """What an alarm asks of people (ISA-18.2): why it comes, what follows, what to do, and how soon."""

    cause: Said
    consequence: Said
    action: Said
    respond_s: Annotated[float, Field(description="the action must have begun by then", examples=[60.0])]
    source: str
    confidence: Confidence


class Body(BaseModel):
    """What every body sent to us has in common: nothing unknown is taken, and no text that cannot be kept."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        """3.0 is 3: JSON does not tell them apart, and some programs know no other numbers."""
        if isinstance(value, list):
            return [cls._whole(item) for item in value]
        if isinstance(value, dict):
            return {key: cls._whole(item) for key, item in value.items()}
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @field_validator("*")
    @classmethod
    def _storable(cls, value: object) -> object:
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                storable(text)
        return value


class PhaseOut(Shape):
    """The phase of its process that an equipment is in."""

    code: Annotated[str, Field(description="`unknown`: what shows it is bad, stale or missing", examples=["steady"])]
    name: Said


class QuarantinedOut(Shape):
    """A message in quarantine, with the reason it was refused."""

    id: Annotated[int, Field(examples=[17])]
    received: Instant
    topic: Annotated[str, Field(examples=["yujing/v1/demo-aluminium/GW-01/frame"])]
    reason: Annotated[str, Field(examples=["time-goes-back"])]
    detail: str
    readings: Annotated[int, Field(examples=[40])]
    bytes: Annotated[int, Field(examples=[512])]
    payload: str = Field(description="its beginning, as far as it is text", examples=['{"boot": "01JD'])


class QuarantinePage(Shape):
    """Quarantined messages, newest first. Pass `next` as `before` to go on; null: no more."""

    messages: list[QuarantinedOut]
    next: int | None = Field(examples=[17])


class WrongParameter(Shape):
    """One parameter that cannot be used."""

    parameter: Annotated[str, Field(examples=["limit"])]
    value: object = Field(examples=["0"])
    expected: Annotated[str, Field(examples=["greater than or equal to 1"])]
    message: Said = Field(description="`expected` in both languages, for people")


class ProblemOut(Shape):
    """What went wrong (RFC 9457)."""

    type: Literal["about:blank"]
    title: Annotated[str, Field(examples=["A parameter is wrong"])]
    status: Annotated[int, Field(examples=[422])]
    detail: str | None = None
    message: Annotated[Said | None, Field(description="`detail` in both languages, where that is known")] = None
    errors: list[WrongParameter] | None = None
