"""One file, as its header describes it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum

from calibrary.records.reason import Reason


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
    reason: Reason | None = None
    """Why it is not used; for a used one what is odd about its header."""
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
    rotator_deg: float | None = None
    """Angle of the camera to the telescope, degrees from 0 to 360."""
    focal_length_mm: float | None = None
    type_said: str | None = None
    """What the header says of the type and under which keyword, as ``IMGTYPE = 'Focus'``."""
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
