"""The shapes of dispositions (处置) and of evidence (证据)."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from ingest.domain.cases.causes import CAUSES, FALSE_ALARMS, Form
from ingest.domain.cases.disposition import Disposition
from ingest.domain.model.audit import ActRole
from ingest.domain.model.warning import Colour
from ingest.services.cases.dispositions import ExpectedState
from ingest.services.timestamps import Instant
from ingest.web.inputs import Count
from ingest.web.rest.case_schemas import LongWords, Name, Proofs, When, values_of
from ingest.web.rest.schemas import Body, PlantId, Said, Shape

_CAUSES: Final[list[JsonValue]] = [code for causes in CAUSES.values() for code in causes]


class DispositionOut(Shape):
    """A disposition: what it was, what was done, by whom, and what shows it."""

    id: UUID
    plant: PlantId
    form: Form
    alarms: list[UUID]
    warning: UUID | None
    cause: Annotated[str, Field(examples=["process.water"])]
    cause_said: Said
    measure: str
    false_alarm: str | None = Field(description="why it was false; null: it was true")
    words: str | None
    person: str = Field(description="who did it on site")
    by: str = Field(description="who reported it here")
    role: ActRole
    handled: When
    given: When
    evidence: list[UUID]
    told: When | None = Field(description="when the engine had taken note of it; null: not yet, it is told again")


class DispositionPage(Shape):
    """Dispositions, newest first. Pass `next` as `cursor` to go on; null: no more."""

    dispositions: list[DispositionOut]
    next: str | None


class NewDisposition(Body):
    """One disposition of some alarms of one plant, or of one warning."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["alarms"], "properties": {"alarms": {"minItems": 1}}},
                {"required": ["warning"], "properties": {"warning": {"not": {"type": "null"}}}},
            ]
        }
    )

    alarms: Annotated[tuple[UUID, ...], Field(max_length=200)] = ()
    raises: Annotated[
        tuple[Annotated[Count, Field(ge=1)], ...] | None,
        Field(description="`raises` of each of `alarms` as looked at: another one is refused. null: as they stand"),
    ] = None
    warning: UUID | None = None
    peak: Annotated[
        Colour | None, Field(description="`peak` of the warning as it was looked at. null: as it stands")
    ] = None
    cause: Annotated[str, Field(max_length=64, examples=["process.water"], json_schema_extra={"enum": _CAUSES})]
    measure: LongWords
    person: Name
    handled: Instant
    false_alarm: Annotated[str, Field(max_length=64, json_schema_extra={"enum": [*FALSE_ALARMS]})] | None = None
    words: LongWords | None = None
    evidence: Proofs = ()

    @field_validator("raises")
    @classmethod
    def _as_many(cls, raises: tuple[int, ...] | None, before: ValidationInfo) -> tuple[int, ...] | None:
        if raises is not None and len(raises) != len(before.data.get("alarms", raises)):
            raise ValueError("one number for each of alarms")
        return raises

    def expected(self) -> ExpectedState:
        """The alarms and the warning as the caller saw them."""
        return ExpectedState(
            dict(zip(self.alarms, self.raises, strict=True)) if self.raises is not None else {}, self.peak
        )

    def draft(self) -> Disposition:
        """The disposition as far as the caller says; of a warning the form is its cause's."""
        form = Form.DEVICE if self.cause in CAUSES[Form.DEVICE] else Form.PROCESS
        return Disposition(
            UUID(int=0),
            "",
            form,
            self.cause,
            self.measure,
            self.person,
            "",
            "service",
            self.handled,
            0,
            self.alarms,
            self.warning,
            self.false_alarm,
            self.words,
            self.evidence,
        )


class Choice(Shape):
    """A code and what it says."""

    code: str
    text: Said


class CausesOut(Shape):
    """What may be named as a cause, by form, and as the reason of a false alarm. The codes are ours."""

    device: list[Choice]
    process: list[Choice]
    false_alarm: list[Choice]


class EvidenceOut(Shape):
    """A file that was handed in."""

    id: UUID
    plant: PlantId
    sha256: Annotated[str, Field(description="of its content")]
    media: Annotated[str, Field(examples=["image/jpeg"])]
    size: int
    name: str = Field(description="what its owner called it: text, no path")
    by: str
    given: When


def disposition_out(disposition: Disposition) -> DispositionOut:
    """As it is shown."""
    cause = CAUSES[disposition.form][disposition.cause]
    return DispositionOut(**values_of(disposition), cause_said=Said.model_validate(cause))


def causes_out() -> CausesOut:
    """Every code."""
    forms = {"device": CAUSES[Form.DEVICE], "process": CAUSES[Form.PROCESS], "false_alarm": FALSE_ALARMS}
    return CausesOut(
        **{
            name: [Choice(code=code, text=Said.model_validate(text)) for code, text in codes.items()]
            for name, codes in forms.items()
        }
    )
