"""The records that travel from stage to stage.

A `Frame` is one file as its header describes it. A `GroupPlan` is the work order of one
master: which frames, which settings, which calibrator, which place in the library. Both are
plain data; the stages that make and use them are in the other modules.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FrameType(StrEnum):
    """What a file says it is."""

    BIAS = "bias"
    DARK = "dark"
    DARKFLAT = "darkflat"
    FLAT = "flat"
    LIGHT = "light"
    MASTER = "master"
    UNKNOWN = "unknown"


CALIBRATION_TYPES = (FrameType.BIAS, FrameType.DARK, FrameType.DARKFLAT, FrameType.FLAT)
"""The types a master can be made from, in the order they are built and shown."""


class TypeSource(StrEnum):
    """Where the frame type was read."""

    HEADER = "header"
    PROPERTY = "property"
    FILENAME = "filename"
    FOLDER = "folder"
    OVERRIDE = "override"


class Status(StrEnum):
    """What becomes of a file: it goes into a master, cannot be trusted, or is none of ours."""

    USED = "used"
    SET_ASIDE = "set_aside"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Frame:
    """One file, as its header describes it; ``None`` is unknown, never a default.

    The fields up to `reason` are the columns of ``manifest.csv``, in its order.
    """

    path: str
    size_bytes: int = 0
    mtime_ns: int = 0
    format: str | None = None
    """``fits`` or ``xisf``."""
    frame_type: FrameType = FrameType.UNKNOWN
    type_source: TypeSource | None = None
    telescope: str | None = None
    camera: str | None = None
    exposure_s: float | None = None
    set_temp_c: float | None = None
    ccd_temp_c: float | None = None
    temp_c: float | None = None
    """The temperature that grouping uses: the set point, else the sensor's own."""
    gain: float | None = None
    """The camera's gain setting, never e-/ADU."""
    offset: float | None = None
    readout_mode: str | None = None
    usb_limit: float | None = None
    x_binning: int | None = None
    y_binning: int | None = None
    filter: str | None = None
    bayer_pattern: str | None = None
    width: int | None = None
    """Columns of the image, pixels as stored (binned)."""
    height: int | None = None
    channels: int | None = None
    sample_format: str | None = None
    """``uint8 int16 uint16 int32 uint32 float32 float64``: the physical sample type; a 16-bit
    FITS image with BZERO 32768 is ``uint16``."""
    date_obs: str | None = None
    """ISO 8601, UTC, start of the exposure as far as the program tells."""
    night: str | None = None
    """``YYYY-MM-DD`` of the evening the night began, noon to noon local time."""
    software: str | None = None
    group: str | None = None
    status: Status = Status.USED
    reason: str | None = None
    # Beyond the manifest's columns: what later stages need to know.
    date_end: str | None = None
    x_origin: int | None = None
    """First column of a sub-frame in sensor pixels; ``None`` where the header says nothing."""
    y_origin: int | None = None
    normalised: bool = False
    """Samples are floats in [0, 1] instead of ADU."""
    egain: float | None = None
    """Conversion gain, e-/ADU, where the header states it."""
    row_order: str | None = None
    camera_serial: str | None = None
    """Tells two cameras of one name apart. No column of the manifest, whose columns are fixed."""
    pedestal: float | None = None
    """PEDESTAL of the header; ``None`` for 0. Programs differ in its sign: only equal is alike."""
    header_digest: str | None = None
    master_of: FrameType | None = None
    """For `frame_type` master: the type of frame it was made from."""
    n_combined: int | None = None
    """For a master or a stack: how many frames went into it."""
    inputs_digest: str | None = None
    """For a master that Calibrary made: `GroupPlan.digest` of the work order."""
    qc: dict[str, float] = field(default_factory=dict)
    """For a master that Calibrary made: the figures in its header (see `verify`)."""


FRAME_FIELDS = tuple(f.name for f in dataclasses.fields(Frame))
MANIFEST_COLUMNS = FRAME_FIELDS[: FRAME_FIELDS.index("reason") + 1]
"""Columns of ``manifest.csv``, in order."""


def may_be_one_camera(first: Frame | GroupKeys, second: Frame | GroupKeys) -> bool:
    """Tell whether serial numbers leave it open that two are of one camera.

    Frames without one are grouped apart, but masters of earlier days, and those of programs that
    do not write it, go on serving where all else is equal.
    """
    serials = {first.camera_serial, second.camera_serial} - {None}
    return len(serials) < 2


class Action(StrEnum):
    """What a run does for a group."""

    BUILD = "build"
    REUSE = "reuse"
    """A valid master of exactly these frames and settings is in the library."""
    TOO_FEW = "too_few"
    FOREIGN = "foreign"
    """A master that Calibrary did not make has the place; it is kept."""


class CalibratorKind(StrEnum):
    """What is subtracted from a flat."""

    DARKFLAT = "darkflat"
    DARK = "dark"
    LIBRARY = "library"
    BIAS = "bias"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Calibrator:
    """What is subtracted from the flats of one group, and why that one."""

    kind: CalibratorKind
    group: str | None = None
    """The group whose master it is, for one that this run plans."""
    master: str | None = None
    """The master below the library; for a group of this run the path it will have."""
    reason: str = ""
    """Why nothing better was taken; empty for the first choice."""


@dataclass(frozen=True, slots=True)
class InputFrame:
    """A frame of a work order: what integration, verification and the master's header need."""

    path: str
    size_bytes: int
    mtime_ns: int
    date_obs: str | None = None
    exposure_s: float | None = None
    set_temp_c: float | None = None
    ccd_temp_c: float | None = None


@dataclass(frozen=True, slots=True)
class GroupKeys:
    """What the frames of a group have in common; ``None`` is unknown."""

    telescope: str | None
    camera: str | None
    exposure_s: float | None
    temp_c: float | None
    gain: float | None
    offset: float | None
    readout_mode: str | None
    usb_limit: float | None
    x_binning: int
    y_binning: int
    filter: str | None
    bayer_pattern: str | None
    width: int
    height: int
    channels: int
    sample_format: str
    normalised: bool
    x_origin: int | None
    y_origin: int | None
    night: str | None
    egain: float | None = None
    row_order: str | None = None
    """``TOP-DOWN`` or ``BOTTOM-UP`` where the header says so: the two are never mixed."""
    camera_serial: str | None = None
    pedestal: float | None = None


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The work order of one master."""

    group: str
    """Readable, unique and safe as a file name: letters, digits, ``_ - .`` only."""
    frame_type: FrameType
    setup: str
    action: Action
    digest: str
    """SHA-256 over everything the master's pixels depend on: name, size and mtime of the frames,
    the settings, the calibrator's own digest."""
    keys: GroupKeys
    frames: tuple[InputFrame, ...]
    first_date_obs: str | None
    last_date_obs: str | None
    master: str
    """Path of the master below the library, with suffix."""
    integration: dict[str, Any]
    """`calibrary.integrate.Rejection` and normalisation, resolved: no ``auto``, no profile."""
    calibrator: Calibrator | None = None
    """``None`` for everything but flats."""
    reason: str = ""
    """Why it is not built, or what the user should know."""
    warnings: tuple[str, ...] = ()
    bias: str | None = None
    """For darks: the bias group whose level they are judged above."""
    required: int = 3
    """Fewer usable frames than this: no master."""
    previous: str | None = None
    """The newest earlier master of the same keys, below the library, to compare with."""
    mem_mb: int = 0
    threads: int = 1
    runtime_min: int = 1
    disk_mb: int = 0

    def to_json(self) -> str:
        """Return the work order as JSON text, the same text for the same order."""
        return json.dumps(self.to_dict(), sort_keys=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the work order as plain data, for `from_dict`."""
        # Not dataclasses.asdict, which copies every value: a plan has 100,000 frames.
        return {
            **_plain(self),
            "keys": _plain(self.keys),
            "frames": [_plain(frame) for frame in self.frames],
            "calibrator": None if self.calibrator is None else _plain(self.calibrator),
        }

    @classmethod
    def from_json(cls, text: str) -> GroupPlan:
        """Read what `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GroupPlan:
        """Build a work order from the plain data of its JSON form."""
        calibrator = data["calibrator"]
        return cls(
            **{
                **data,
                "frame_type": FrameType(data["frame_type"]),
                "action": Action(data["action"]),
                "keys": GroupKeys(**data["keys"]),
                "frames": tuple(InputFrame(**f) for f in data["frames"]),
                "calibrator": calibrator
                and Calibrator(**{**calibrator, "kind": CalibratorKind(calibrator["kind"])}),
                "warnings": tuple(data["warnings"]),
            }
        )


def _plain(record: GroupPlan | GroupKeys | InputFrame | Calibrator) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


class Verdict(StrEnum):
    """What verification says of a master."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


VOID = ".void"
"""Suffix of a verdict that is to be made anew; until then it tells which masters are our own."""


class CalibraryError(Exception):
    """A problem the user can mend; its text is one line that names the file and the remedy."""
