"""Forms of frames: how a report is written for a platform that takes frames over TCP, and how its answers are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ingest.delivery.platform import hj212
from ingest.delivery.platform.parts import FrameFormName


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a report.

    Attributes:
        content: its bytes, from the first mark to the last.
        id: what the answer to it repeats.
        part: its number among the frames of one report; None where there is one only.
    """

    content: bytes
    id: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class FrameForm:
    """A form of frames.

    Attributes:
        ends: the bytes each frame ends with.
        id: the field of envelope and answer that says which frame is answered.
        part: the field with the number of a part.
        content: the field of the envelope that holds the report.
        code: the field of an item with the code of what it is about.
        parts: the bodies and numbers of the parts that envelope and report are written as, each at most so many bytes.
        wrapped: a body with the marks around it.
        read: the fields of the frame that ends some bytes of the platform; None: none does.
        is_interim: whether a frame says only that the answer proper is still to come.
        is_writable: whether a value can stand in a frame.
    """

    ends: bytes
    id: str
    part: str
    content: str
    code: str
    parts: Callable[[Mapping[str, Any], Mapping[str, Any], str, int], Sequence[tuple[str, str | None]]]
    wrapped: Callable[[str], bytes]
    read: Callable[[bytes], Mapping[str, str] | None]
    is_interim: Callable[[Mapping[str, str]], bool]
    is_writable: Callable[[str], bool]

    def frames(self, envelope: Mapping[str, Any], report: Mapping[str, Any], items: str, most: int) -> list[Frame]:
        """The frames of a report.

        Args:
            envelope: its fields, `content` with any value.
            report: the head's fields, and under `items` the list of items.
            items: the name of the list.
            most: bytes of a body.

        Raises:
            Unmappable: a value cannot be written in this form, or one item is longer than a body may be.
        """
        bodies = self.parts(envelope, report, items, most)
        return [Frame(self.wrapped(body), str(envelope[self.id]), part) for body, part in bodies]

    def answers(self, answer: Mapping[str, str], frame: Frame) -> bool:
        """Whether an answer is that to this frame; one without the number of a part is to the one that was sent."""
        same_part = frame.part is None or answer.get(self.part, frame.part) == frame.part
        return answer.get(self.id) == frame.id and same_part and not self.is_interim(answer)


FORMS: Final[Mapping[FrameFormName, FrameForm]] = {
    "hj212": FrameForm(
        ends=hj212.ENDS,
        id=hj212.ID,
        part=hj212.PART,
        content=hj212.CONTENT,
        code=hj212.CODE,
        parts=hj212.bodies,
        wrapped=hj212.wrapped,
        read=hj212.fields_in,
        is_interim=hj212.is_interim,
        is_writable=hj212.is_writable,
    ),
}
"""The forms by the name a profile calls them."""
