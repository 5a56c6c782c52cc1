"""Why a frame is where it is, as data: decisions heed the code, people read the text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ReasonCode(StrEnum):
    """The kind of a reason. Reports group by it; what may be done about a frame follows from it."""

    # Of the file.
    UNREACHABLE = "unreachable"
    """The system could not read it just now; a later run tries again."""
    DAMAGED = "damaged"
    """Its header, or how it is packed, contradicts its format."""
    NOT_UNDERSTOOD = "not_understood"
    """An error of this program."""
    TRUNCATED = "truncated"
    COPY = "copy"
    """The same bytes as another file."""
    # Of what its header tells.
    NOT_ONE_IMAGE = "not_one_image"
    MASTER = "master"
    STACK = "stack"
    CALIBRATED = "calibrated"
    PEDESTAL = "pedestal"
    GUIDE_CAMERA = "guide_camera"
    # Of its type alone: a retype makes it a frame to use.
    TYPE_MISSING = "type_missing"
    TYPE_CONTRADICTORY = "type_contradictory"
    TYPE_OTHER = "type_other"
    """Some other kind of image, such as one for focusing."""
    LIGHT = "light"
    LIGHT_BY_HEADER = "light_by_header"
    """The header says light, the name says calibration frame."""
    PROCESSED_BY_SAMPLES = "processed_by_samples"
    """Broken numbers and no type in the header."""
    # Of the settings and the user's corrections.
    UNUSED_TYPE = "unused_type"
    RETYPED = "retyped"
    # Of its pixels.
    PIXELS = "pixels"
    """Found by the checks before integration."""
    # Of a frame that is used.
    ODD = "odd"
    """Warnings about its header."""


MENDED_BY_RETYPE = frozenset(
    {
        ReasonCode.TYPE_MISSING,
        ReasonCode.TYPE_CONTRADICTORY,
        ReasonCode.TYPE_OTHER,
        ReasonCode.LIGHT,
        ReasonCode.LIGHT_BY_HEADER,
        ReasonCode.PROCESSED_BY_SAMPLES,
    }
)
"""Frames set aside for these are complete but for their type."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a frame is set aside or ignored, or what is odd about one that is used.

    ``str()`` of it is the line that people read: the text, then the remedy.
    """

    code: ReasonCode
    text: str
    """What is so, with its figures."""
    remedy: str = ""
    """What the user can do; empty where there is nothing to do."""
    detail: str = ""
    """What a program may need of it: the other file of a copy, the entry for the overrides."""

    def __post_init__(self) -> None:
        # One line, whatever a header or a foreign error message holds.
        for name in ("text", "remedy"):
            value: str = getattr(self, name)
            if not value.isprintable():
                plain = "".join(c if c.isprintable() else " " for c in value)
                object.__setattr__(self, name, " ".join(plain.split()))

    def __str__(self) -> str:
        return f"{self.text}; {self.remedy}" if self.remedy else self.text

    def to_data(self) -> list[str]:
        """Return the reason as plain data, for `from_data`."""
        return [self.code, self.text, self.remedy, self.detail]

    @classmethod
    def from_data(cls, data: Any) -> Reason:  # noqa: ANN401 - JSON
        """Build a reason from the plain data of its JSON form.

        Raises
        ------
        ValueError
            `data` is something else.
        """
        if not isinstance(data, list) or not all(isinstance(value, str) for value in data):
            msg = f"{data!r} is no reason"
            raise ValueError(msg)
        code, *texts = data
        return cls(ReasonCode(code), *texts)
