"""The user's corrections: a small YAML file of what headers say wrong, or do not say."""

from __future__ import annotations

import dataclasses
import fnmatch
import logging
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from calibrary.headers.frame_types import RETYPE
from calibrary.headers.quantities import SHORTEST_SERIAL
from calibrary.headers.reading import is_set_aside_for_pedestal, is_set_aside_for_type
from calibrary.records import (
    CALIBRATION_TYPES,
    CalibraryError,
    Frame,
    FrameType,
    Reason,
    ReasonCode,
    Status,
    TypeSource,
)
from calibrary.records.keys import all_keys

log = logging.getLogger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _globs(value: object) -> object:
    return [value] if isinstance(value, str) else value


Globs = Annotated[tuple[str, ...], BeforeValidator(_globs), Field(min_length=1)]
"""One pattern or several. With a slash it is matched with the path, else with the file name."""


class Retype(_Part):
    """Files that are of another type than their header says."""

    files: Globs
    type: Literal["bias", "dark", "darkflat", "flat", "light"]


class Raw(_Part):
    """Files that are raw although their header has a PEDESTAL."""

    files: Globs


_BOUNDS: dict[str, dict[str, Any]] = {
    "camera_serial": {"min_length": SHORTEST_SERIAL},
    "exposure_s": {"ge": 0},
    "x_binning": {"ge": 1},
    "y_binning": {"ge": 1},
    # The temperature of a frame is the set one, else the measured one.
    "set_temp_c": {"gt": -273.15, "lt": 100},
    "ccd_temp_c": {"gt": -273.15, "lt": 100},
    "egain": {"gt": 0},
}


def _values() -> type[_Part]:
    """Return the model of what can be set: the settable keys, and what is behind a key."""
    names = [key.name for key in all_keys() if key.settable]
    types = get_type_hints(Frame)
    fields: dict[str, Any] = {
        name: (types[name], Field(None, **_BOUNDS.get(name, {})))
        for name in (*names, "set_temp_c", "ccd_temp_c", "egain")
    }
    doc = "What can be set where a header lacks it; names and units are the manifest's columns."
    return create_model("Values", __base__=_Part, __doc__=doc, **fields)


if TYPE_CHECKING:
    Values = _Part
else:
    Values = _values()


class SetMissing(_Part):
    """Values for files whose header lacks them; what a header says stays."""

    files: Globs
    values: Values


class Pin(_Part):
    """The calibrator of a flat, whatever the rules would choose."""

    flat: Globs
    """Name of the flat's group, or a file of it."""
    calibrator: str
    """Name of a group, path of a master below the library, or ``none``."""


class Forbid(_Part):
    """A calibrator that a flat must not have."""

    flat: Globs = ("*",)
    calibrator: Globs


class Overrides(_Part):
    """The whole file; every part may be left out."""

    raw: tuple[Raw, ...] = ()
    retype: tuple[Retype, ...] = ()
    set: tuple[SetMissing, ...] = ()
    pin: tuple[Pin, ...] = ()
    forbid: tuple[Forbid, ...] = ()


class Pattern:
    """A glob for file names (no slash in it) or for the ends of paths and folders (slash)."""

    def __init__(self, globs: Iterable[str]) -> None:
        self.globs = tuple(globs)

    @cached_property
    def _expressions(self) -> list[tuple[bool, re.Pattern[str]]]:
        found = []
        for glob in self.globs:
            text = glob.replace("\\", "/")
            if "/" not in text:
                found.append((False, re.compile(fnmatch.translate(text))))
                continue
            below = text + "*" if text.endswith("/") else text
            anywhere = below if below.startswith("/") else "*/" + below
            found.append((True, re.compile(fnmatch.translate(anywhere))))
        return found

    def matches(self, path: str) -> bool:
        """Say whether one of the globs fits `path` (letter case counts)."""
        whole = "/" + path.replace("\\", "/").lstrip("/")
        name = whole.rsplit("/", 1)[1]
        return any(e.match(whole if of_path else name) for of_path, e in self._expressions)


def load_overrides(path: Path | None) -> Overrides:
    """Read the file of corrections; a file that does not exist corrects nothing.

    Raises
    ------
    CalibraryError
        The file is not YAML, or a key or value in it is not allowed.
    """
    import yaml

    if path is None or not path.exists():
        return Overrides()
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        text = " ".join(str(error).split())
        msg = f"{path}: cannot be read as YAML: {text}"
        raise CalibraryError(msg) from None
    try:
        return Overrides.model_validate({} if data is None else data)
    except ValidationError as error:
        problems = "; ".join(_explain(e) for e in error.errors())
        msg = f"{path}: {problems}"
        raise CalibraryError(msg) from None


def _explain(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        return f"'{key}' is unknown; see the example in config/overrides.yaml"
    if error["type"] == "missing":
        return f"'{key}' is required"
    return f"'{key}' is {error['input']!r}: {error['msg']}"


def apply_overrides(
    frames: Sequence[Frame], masters: Sequence[Frame], overrides: Overrides
) -> tuple[list[Frame], list[Frame]]:
    """Return frames and masters with types and missing values put right.

    A master is never retyped. A correction that fits no file is logged as a warning: most likely
    its pattern is misspelt.
    """
    corrected, shelved = list(frames), list(masters)
    for number, raw in enumerate(overrides.raw):
        pattern, hits = Pattern(raw.files), 0
        for i, frame in enumerate(corrected):
            if pattern.matches(frame.path):
                corrected[i] = _as_raw(frame)
                hits += 1
        _warn_unused(hits, f"raw[{number}]", raw.files)
    for number, retype in enumerate(overrides.retype):
        pattern, hits = Pattern(retype.files), 0
        for i, frame in enumerate(corrected):
            if pattern.matches(frame.path):
                corrected[i] = _retyped(frame, FrameType(retype.type))
                hits += 1
        _warn_unused(hits, f"retype[{number}]", retype.files)
    for number, part in enumerate(overrides.set):
        pattern, hits = Pattern(part.files), 0
        values = part.values.model_dump(exclude_none=True)
        for some in (corrected, shelved):
            for i, frame in enumerate(some):
                if pattern.matches(frame.path):
                    some[i] = with_missing(frame, values)
                    hits += 1
        _warn_unused(hits, f"set[{number}]", part.files)
    return corrected, shelved


def with_missing(frame: Frame, values: dict[str, Any]) -> Frame:
    """Return `frame` with those of `values` that it lacks."""
    lacking = {key: value for key, value in values.items() if getattr(frame, key) is None}
    if not lacking:
        return frame
    filled = dataclasses.replace(frame, **lacking)
    if filled.temp_c is None:
        temp = filled.ccd_temp_c if filled.set_temp_c is None else filled.set_temp_c
        filled = dataclasses.replace(filled, temp_c=temp)
    return filled


def _as_raw(frame: Frame) -> Frame:
    """Return a frame that was set aside for its pedestal alone as one to use.

    Its pedestal stays in the pixels: grouping and matching keep it from frames of another one.
    """
    if not is_set_aside_for_pedestal(frame):
        return frame
    if frame.frame_type in CALIBRATION_TYPES:
        return dataclasses.replace(frame, status=Status.USED, reason=None)
    text = f"no calibration frame ({frame.frame_type})"
    reason = Reason(ReasonCode.TYPE_OTHER, text, f"if it should be one, {RETYPE}")
    return dataclasses.replace(frame, reason=reason)


def _retyped(frame: Frame, frame_type: FrameType) -> Frame:
    if frame.frame_type is FrameType.MASTER:
        log.warning("%s: a master is never an input; the override leaves it one", frame.path)
        return frame
    changed = dataclasses.replace(frame, frame_type=frame_type, type_source=TypeSource.OVERRIDE)
    if frame_type is FrameType.LIGHT:
        reason = Reason(ReasonCode.RETYPED, "a light by the overrides")
        return dataclasses.replace(changed, status=Status.IGNORED, reason=reason)
    if frame.status is Status.USED or is_set_aside_for_type(frame):
        return dataclasses.replace(changed, status=Status.USED, reason=None)
    return changed


def _warn_unused(hits: int, entry: str, files: Sequence[str]) -> None:
    if not hits:
        log.warning("overrides: %s fits no file: %s", entry, ", ".join(files))
