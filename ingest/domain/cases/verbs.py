"""Tables of verbs: what can be done with a record of the closed loop, and the one function that does it.

A kind of record has one table, and a row holds everything about a verb: the states it leads from and to, who may take
it, its form, its words. Lifecycle and permissions are here; the operation of the API, button and form of the console,
the lines of history and audit trail and the table in `docs/closed-loop.md` follow from the same row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final, Generic, Literal, Self, TypeVar, get_args, get_type_hints
from uuid import UUID

from ingest.domain.cases.bypass import Bypass
from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.criteria import Clause
from ingest.domain.cases.days import day_of
from ingest.domain.cases.errors import Impossible, Incomplete, NotTheirs
from ingest.domain.cases.hazard import Hazard, HazardMoment
from ingest.domain.cases.inspection import Inspection
from ingest.domain.cases.lead import Lead
from ingest.domain.cases.ledger import Ledger, LedgerEntry
from ingest.domain.cases.pledge import Pledge
from ingest.domain.cases.work import Work
from ingest.domain.model.audit import ActKind, ActRole
from ingest.domain.model.text import Text

Line = HazardMoment | LedgerEntry
"""What records keep of their own history."""

R = TypeVar("R", bound=Hazard | Inspection | Lead | Work | Cleaning | Pledge | Ledger | Bypass)


class Kind(StrEnum):
    """What a person enters into a field; each edge has a type and limits for each kind."""

    WORDS = "words"
    PROSE = "prose"  # text at length
    NAME = "name"  # of a person, an authority, a document
    DAY = "day"
    DEADLINE = "deadline"  # a day that is not past
    HOURS = "hours"  # a whole number of them
    MONEY = "money"  # fen
    CHOICE = "choice"  # a member of an enumeration
    CLAUSE = "clause"  # of the criteria for major hazards
    EVIDENCE = "evidence"  # ids of files
    RECORD = "record"  # id of another record


FREE_TEXT: Final = frozenset({Kind.WORDS, Kind.PROSE})
_TEXTS: Final = FREE_TEXT | {Kind.NAME}
_WRITTEN: Final = Text("必填", "a text")


@dataclass(frozen=True, slots=True)
class Input:
    """How a field of a form is entered, checked and kept; stands in its annotation.

    Attributes:
        zh, en: its label.
        to: the field of the record that holds it; empty: the one of the same name, if there is one.
        expected: what a blank text is refused with.
        prefill: what the console's form shows at first.
        paired: beside its neighbours that are paired, too.
        rows: height of a text.
        options: of a choice that is shown whole; empty: a list to choose from, with the labels of its enumeration.
        note: when an optional field is needed; None: it is just optional.
    """

    kind: Kind
    zh: str
    en: str
    to: str = ""
    expected: Text = _WRITTEN
    prefill: Literal["", "record", "today", "caller"] = ""
    paired: bool = False
    rows: int = 3
    options: tuple[tuple[str, Text], ...] = ()
    note: Text | None = None

    @property
    def label(self) -> Text:
        """What it is called."""
        return Text(self.zh, self.en)


FILES: Final = Input(Kind.EVIDENCE, "证据", "evidence")


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form; `choice` is its enumeration, if it has one."""

    name: str
    input: Input
    required: bool
    choice: type[StrEnum] | None

    @property
    def kind(self) -> Kind:
        """What a person enters."""
        return self.input.kind

    @property
    def parameter(self) -> str:
        """Its name without the unit."""
        return self.name.removesuffix("_fen")

    @property
    def column(self) -> str:
        """The record's field that holds it, if the record has it."""
        return self.input.to or self.name


@dataclass(frozen=True, slots=True)
class Form(Generic[R]):
    """What a person gives with a step: a frozen dataclass whose annotations hold an `Input` a field."""

    @classmethod
    def require(cls, record: R) -> None:
        """Raise Impossible if more than its state keeps the record from this step; pages do not offer it then."""

    @classmethod
    def choices(cls, field: FormField, record: R) -> list[StrEnum]:  # noqa: ARG003
        """The members of an enumeration that fit the record."""
        return list(field.choice or ())

    def check(self, record: R) -> None:
        """Raise Incomplete or Impossible for fields that do not fit together or the record."""

    def effects(self, record: R, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """What it changes besides state, fields of its own and time stamp."""
        return {}


@dataclass(frozen=True, slots=True)
class Verb:
    """One row of a table.

    Attributes:
        name: in the API, the database and the audit trail.
        words: on its button, in the imperative.
        who: roles that may take it.
        moves: situation of the record -> its state afterwards; what is not there is impossible.
        form: what has to be given.
        about: its description in the API.
        past: its line in histories and the audit trail; None: as `words`.
        body: name of its form in the API's document; empty: the form's own.
        stamp: field of the record that holds when it was taken, `…_by` by whom; empty: none.
        hint: what the console says above its form.
        aside: it leads back or away, so it comes after those that lead on, and less prominent.
        reviews: not for whoever submitted the record.
        own_operation: it changes more than its record; API and console have operations of their own for it.
        fields: of its form, in that order.
    """

    name: str
    words: Text
    who: frozenset[ActRole]
    moves: Mapping[Hashable, StrEnum]
    form: type[Form[Any]]
    about: str
    past: Text | None = None
    body: str = ""
    stamp: str = ""
    hint: Text | None = None
    secondary: bool = False
    reviews: bool = False
    own_operation: bool = False
    fields: tuple[FormField, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read the fields off the form's annotations."""
        hints = get_type_hints(self.form, include_extras=True)
        found = []
        for entry in fields(self.form):
            of, entered = get_args(hints[entry.name])
            choice = of if entered.kind is Kind.CHOICE else None
            found.append(FormField(entry.name, entered, entry.default is MISSING, choice))
        object.__setattr__(self, "fields", tuple(found))

    @property
    def takes_files(self) -> bool:
        """Whether its form has evidence."""
        return any(entry.kind is Kind.EVIDENCE for entry in self.fields)


class VerbTable(StrEnum):
    """The verbs of one kind of record: an enumeration of their names, each with its row."""

    verb: Verb

    def __new__(cls, verb: Verb) -> Self:
        """Make the name of a row."""
        step = str.__new__(cls, verb.name)
        step._value_, step.verb = verb.name, verb
        return step

    @property
    def asks(self) -> bool:
        """Whether its form has any field."""
        return bool(self.verb.fields)

    @classmethod
    def kind(cls) -> ActKind:
        """The kind of record."""
        raise NotImplementedError

    @classmethod
    def of(cls, form: Form[Any]) -> Self:
        """The step that a form is filled in for."""
        return next(step for step in cls if step.verb.form is type(form))

    @classmethod
    def situation(cls, record: Any) -> Hashable:
        """What decides which steps are possible."""
        state: StrEnum = record.state
        return state

    @classmethod
    def described(cls, record: Any) -> tuple[str, str]:  # noqa: ARG003
        """What a refusal calls the record, and what it adds to its state."""
        return cls.kind(), ""

    @classmethod
    def detail(cls, form: Form[Any], after: Any) -> dict[str, Any]:  # noqa: ARG003
        """What the audit trail holds of a step, JSON-ready."""
        return {
            entry.name: _plain(getattr(form, entry.name))
            for entry in cls.of(form).verb.fields
            if entry.kind is not Kind.EVIDENCE
        }

    @classmethod
    def history(cls, after: Any, form: Form[Any], by: str, role: ActRole, time: int) -> Sequence[Line]:  # noqa: ARG003
        """The record's own history of a step, where it has one."""
        return []

    @classmethod
    def possible(cls, record: Any, role: ActRole | None = None) -> list[Self]:
        """The steps that can follow now, as far as this role may take them; None: whoever takes them."""
        now = cls.situation(record)
        return [step for step in cls if now in step.verb.moves and (role is None or role in step.verb.who)]

    @classmethod
    def offered(cls, record: Any, by: str, role: ActRole) -> list[Self]:
        """The steps this person can take now, those that lead on first."""
        open_ = [step for step in cls.possible(record, role) if not step.refused(record, by)]
        return sorted(open_, key=lambda step: step.verb.secondary)

    def refused(self, record: Any, by: str) -> bool:
        """Whether the step is not for this person, or the record is kept from it."""
        try:
            _require(self, record, by)
        except (Impossible, NotTheirs):
            return True
        return False


def advance(table: type[VerbTable], record: R, form: Form[R], *, by: str, role: ActRole, time: int) -> R:
    """Take a step; return the record after it.

    Raises:
        NotTheirs: not for this role or this person.
        Impossible: the record, whose state is named, does not allow it.
        Incomplete: something is missing or cannot be so.
    """
    step = table.of(form)
    verb = step.verb
    if role not in verb.who:
        raise NotTheirs(f"{step} this {table.kind()}: role {role} may not; {' or '.join(sorted(verb.who))} may")
    after = verb.moves.get(table.situation(record))
    if after is None:
        what, more = table.described(record)
        raise Impossible(f"{step}: the {what} is {record.state}{more}")
    _require(step, record, by)
    form.check(record)
    changes = _kept(record, form, verb.fields, time)
    if verb.stamp:
        known = {entry.name for entry in fields(record)}
        changes |= {name: value for name, value in ((verb.stamp, time), (f"{verb.stamp}_by", by)) if name in known}
    changes |= form.effects(record, by, time)
    return replace(record, **{"state": after, "version": record.version + 1, **changes})


def given(form: Form[Any]) -> dict[str, Any]:
    """What was given with a step, JSON-ready; without what is empty."""
    values = {entry.name: getattr(form, entry.name) for entry in fields(form)}
    return {name: _plain(value) for name, value in values.items() if value not in (None, ())}


def _require(step: VerbTable, record: Any, by: str) -> None:
    if step.verb.reviews and by == record.submitted_by:
        raise NotTheirs(f"{step}: {by} submitted it; somebody else decides")
    step.verb.form.require(record)


def _kept(record: Any, form: Form[Any], entered: tuple[FormField, ...], time: int) -> dict[str, Any]:
    """The checked values of a form's fields that the record holds, too. Raises Incomplete."""
    known = {entry.name for entry in fields(record)}
    kept = {}
    for entry in entered:
        value = _checked(entry, getattr(form, entry.name), time)
        if entry.column not in known or value is None:
            continue
        kept[entry.column] = (*getattr(record, entry.column), *value) if entry.kind is Kind.EVIDENCE else value
    return kept


def _checked(entry: FormField, value: Any, time: int) -> Any:
    if value is None:
        return None
    if entry.kind in _TEXTS:
        text = value.strip()
        if entry.required and not text:
            raise Incomplete(entry.parameter, value, entry.input.expected.en)
        return text or None
    if entry.kind is Kind.HOURS and value < 1:
        raise Incomplete(entry.parameter, value, "a number of hours, 1 or more")
    if entry.kind is Kind.MONEY and value < 0:
        raise Incomplete(entry.parameter, value, "a sum of 0 or more")
    if entry.kind is Kind.DEADLINE and value < day_of(time):
        raise Incomplete(entry.parameter, value.isoformat(), f"a day not before {day_of(time).isoformat()}")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Clause):
        return value.id
    if isinstance(value, (tuple, list)):
        return [str(item) for item in value]
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, dt.date) else value
