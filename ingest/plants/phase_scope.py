"""Resolves what a point's rules say of the phases of its equipment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.text import Text
from ingest.plants.formula import BoundFormula, parse_formula
from ingest.plants.gates import ALWAYS, Missing
from ingest.plants.phases import PHASES, PhaseModel
from ingest.plants.point_scope import PlantPoint, PlantPoints, PointScope


class PhaseScope(PointScope):
    """Resolves names in the rules of one point, and the phases of its equipment."""

    def __init__(self, here: PlantPoint, plant_points: PlantPoints, model: PhaseModel | None) -> None:
        """`model` has the phases of its equipment; None: it has none."""
        super().__init__(here, plant_points)
        self._model = model

    def phases(self, codes: Sequence[str] | None, *, apart: bool) -> tuple[tuple[Text, ...], str, str | None]:
        """Return the names of phases that rules give, and the `when` and `unless` they stand for.

        Args:
            codes: of the phases; None: the rule names none.
            apart: whether the plant must distinguish them from the next one, since both conditions are the rule's.

        Raises:
            Missing: its equipment has no such phases, or the plant cannot distinguish them from the next one.
        """
        if codes is None:
            return (), ALWAYS, None
        model = self._known(codes)
        names = tuple(phase.text for phase in model.named(codes))
        when, unless = model.condition(codes, self.bindable)
        if apart and unless is not None and self.bindable(unless) and self.bindable(when):
            following = next(phase.text for phase in model.phases if phase.when == unless)
            if when != ALWAYS and self._bound(when).text == self._bound(unless).text:
                raise _indistinguishable(names, following)
        return names, when, unless

    def phase_names(self) -> tuple[PhaseName, ...]:
        """Return all its phases, in the model's order."""
        return tuple(PhaseName(phase.code, phase.text) for phase in self._model.phases) if self._model else ()

    def phase_number(self, codes: Sequence[str]) -> BoundFormula:
        """Return the number of the phase it is in, by the model's order; unknown where `PlantView.phase` is.

        It is the sum, over all phases, of whether that one or a later one is reached. Phases that the plant cannot tell
        never occur; `codes` must be told, and apart from the first of them.

        Raises:
            Missing: one of `codes` is not.
        """
        model = self._known(codes)
        begins = {
            at: self._bound(phase.when)
            for at, phase in enumerate(model.phases)
            if phase.when != ALWAYS and (phase.code in codes or self.bindable(phase.when))
        }
        begin_of = {model.phases[at].code: bound.text for at, bound in begins.items()}
        if begin_of.get(codes[0]) in [begin_of.get(code) for code in codes[1:]]:
            first, *others = (phase.text for code in codes for phase in model.named([code]))
            raise _indistinguishable(others, first)
        return self._joined(
            _number({at: bound.text for at, bound in begins.items()}),
            _number({at: bound.shown for at, bound in begins.items()}),
            [*begins.values()],
        )

    def _known(self, codes: Sequence[str]) -> PhaseModel:
        if self._model is None:
            raise Missing(
                PHASES, Text(f"设备的阶段：{'、'.join(codes)}", f"phases of its equipment: {', '.join(codes)}")
            )
        for code in codes:
            self._model.named([code])
        return self._model

    def _bound(self, text: str) -> BoundFormula:
        _, bound, _ = self.condition(text, None, explicit=())
        if bound is None:
            raise Missing(PHASES, Text(f"条件（{text} 不是条件）", f"a condition, which {text} is not"))
        return bound

    def _joined(self, text: str, shown: str, parts: Sequence[BoundFormula]) -> BoundFormula:
        ids = {
            name: point
            for part in parts
            for name, point in zip(parse_formula(part.text).points, part.points, strict=True)
        }
        try:
            names = parse_formula(text).points
        except InvalidValue as error:  # very long names
            of = error.expected
            raise Missing(
                PHASES, Text(f"短一些的阶段条件：{of.zh}", f"shorter conditions of phases: {of.en}")
            ) from None
        return BoundFormula(text, tuple(ids[name] for name in names), shown)


def _indistinguishable(phases: Sequence[Text], other: Text) -> Missing:
    return Missing(
        PHASES,
        Text(
            f"能区分阶段“{'、'.join(phase.zh for phase in phases)}”与“{other.zh}”的测点",
            f"signals that tell {', '.join(phase.en for phase in phases)} from {other.en}",
        ),
    )


def _number(begins: Mapping[int, str]) -> str:
    """Return an expression of the highest of these places whose condition holds, 0 if none does."""
    return " + ".join(
        f"{at - before} * ({' or '.join(f'({later})' for place, later in begins.items() if place >= at)})"
        for before, at in pairwise((0, *begins))
    )
