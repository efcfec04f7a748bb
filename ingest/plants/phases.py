"""Phases of an equipment: its process in order, each phase with the condition from which on it is reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from ingest.domain.model.expectations import with_near
from ingest.domain.model.fault import Fault
from ingest.domain.model.text import Text
from ingest.plants.formula import condition
from ingest.plants.gates import ALWAYS, Missing, known_name
from ingest.plants.written import Place, Sourced, Written, checked, like

PHASES: Final = "phases"
"""The table of a catalogue file with its models, and the list of an equipment with its own phases."""

NONE: Final = "none"
"""Instead of a model: the equipment has only the phases that its plant file gives."""


_CODE: Final = Text("小写字母、数字和 _，至多 32 个字符", "small letters, digits and _, at most 32")


def tables_headed(key: str) -> Text:
    """Return that a list of tables is expected."""
    return Text(f"以 [[{key}]] 开头的各表", f"tables headed [[{key}]]")


def _condition(text: str) -> str:
    condition(text)
    return text


class AtMost(Sourced):
    """The longest a phase may last."""

    seconds: float = Field(gt=0)
    level: Literal[1, 2] = 1


class After(Sourced):
    """The phases that lead to a phase; it was seen in one of them up to `within_s` before.

    The phase must last for `on_delay_s`: one wild value of a signal is no step.
    """

    phases: list[str] = Field(min_length=1)
    level: Literal[1, 2] = 1
    within_s: float = Field(default=60.0, gt=0)
    on_delay_s: float = Field(default=10.0, ge=0)


class Critical(Sourced):
    """Most goes wrong in a phase, as its source says."""


class PhaseTable(Written):
    """A phase as written.

    `when` is a milestone: it holds from the beginning of the phase on, through all later ones. The first phase of an
    equipment has none.
    """

    code: Annotated[str, like(r"[a-z][a-z0-9_]{0,31}", _CODE)]
    name: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    when: Annotated[str, AfterValidator(_condition)] = ALWAYS
    at_most: AtMost | None = None
    after: After | None = None
    critical: Critical | None = None

    @property
    def text(self) -> Text:
        """Its name in both languages."""
        return Text(self.name, self.name_en)


class _ModelTable(Written):
    """A model as written."""

    signal: str
    phases: list[dict[str, Any]] = Field(min_length=2)


@dataclass(frozen=True, slots=True)
class PhaseModel:
    """The phases of one kind of equipment, in their order.

    Attributes:
        signal: equipment with a point of it has these phases by default; that point judges how long they last. None:
            the model is a plant's own.
    """

    signal: str | None
    phases: tuple[PhaseTable, ...]

    def named(self, codes: Sequence[str]) -> tuple[PhaseTable, ...]:
        """Return these phases, in the model's order.

        Raises:
            Missing: there is no such phase, or another one lies between them.
        """
        known = [phase.code for phase in self.phases]
        for code in codes:
            if code not in known:
                of_equipment = Text(f"设备的阶段 {code}", f"phase {code} of its equipment")
                raise Missing(PHASES, with_near(of_equipment, code, known))
        first, last = min(map(known.index, codes)), max(map(known.index, codes))
        skipped = [code for code in known[first : last + 1] if code not in codes]
        if skipped:
            raise Missing(
                PHASES,
                Text(
                    f"前后相接的阶段：其间还有 {'、'.join(skipped)}",
                    f"phases that follow each other: {', '.join(skipped)} lies between them",
                ),
            )
        return self.phases[first : last + 1]

    def condition(self, codes: Sequence[str], bindable: Callable[[str], bool]) -> tuple[str, str | None]:
        """Return `when` and `unless` of a rule that is evaluated in these phases: begun, and no later one is.

        A later phase whose condition is not `bindable` is not known in the plant, and does not end the ones before; if
        none is, `unless` is the first one's, so that what it lacks can be told.

        Raises:
            Missing: as `named`.
        """
        named = self.named(codes)
        later = self.phases[self.phases.index(named[-1]) + 1 :]
        unknown = later[0].when if later else None
        return named[0].when, next((phase.when for phase in later if bindable(phase.when)), unknown)


def read_model(raw: object, place: Place) -> tuple[PhaseModel | None, list[Fault]]:
    """Return a model of a catalogue file, or None and every fault in it."""
    table, faults = checked(_ModelTable, raw, place)
    if table is None:
        return None, faults
    phases, found = _read(table.phases, place.at(PHASES))
    return (PhaseModel(table.signal, phases), []) if not found else (None, found)


def own_model(
    base: PhaseModel | None, raw: object, place: Place, names: AbstractSet[str]
) -> tuple[PhaseModel | None, list[Fault]]:
    """Return the model of an equipment: the phases of its plant file laid over those of `base`, new ones at the end.

    `names` are the signals and points that conditions may name.
    """
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        return base, [place.fault(raw, tables_headed("equipment.phases"))]
    own = {str(item.get("code")): item for item in raw}
    known = base.phases if base is not None else ()
    laid = [phase.model_dump(exclude_unset=True) | own.pop(phase.code, {}) for phase in known]
    phases, faults = _read([*laid, *own.values()], place)
    for phase in phases:
        found = condition(phase.when)
        faults += [
            place.at(phase.code, "when").fault(phase.when, known_name(name))
            for name in (found.names if found is not None else ())
            if name not in names
        ]
    return (PhaseModel(base.signal if base is not None else None, phases), []) if not faults else (base, faults)


_ANOTHER: Final = Text("另一阶段的代码", "the code of another phase")


def _read(raw: Sequence[object], place: Place) -> tuple[tuple[PhaseTable, ...], list[Fault]]:
    phases: list[PhaseTable] = []
    faults: list[Fault] = []
    for at, item in enumerate(raw):
        phase, found = checked(PhaseTable, item, place.at(at))
        faults += found
        if phase is None:
            continue
        if any(other.code == phase.code for other in phases):
            faults.append(place.at(at, "code").fault(phase.code, Text("不重复的代码", "a code of its own")))
        if (phase.when == ALWAYS) != (at == 0):
            expected = Text("条件；只有第一个阶段不写", "a condition, but for the first phase, which has none")
            faults.append(place.at(at, "when").fault(phase.when, expected))
        phases.append(phase)
    known = {phase.code for phase in phases}
    faults += [
        place.at(phase.code, "after").fault(code, with_near(_ANOTHER, code, known))
        for phase in phases
        for code in (phase.after.phases if phase.after is not None else ())
        if code not in known - {phase.code}
    ]
    return tuple(phases), faults
