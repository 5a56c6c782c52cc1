"""What the frames of one group have in common."""

from __future__ import annotations

from dataclasses import dataclass

from calibrary.records.frame import Frame


def may_be_one_camera(first: Frame | GroupKeys, second: Frame | GroupKeys) -> bool:
    """Tell whether serial numbers leave it open that two are of one camera.

    Frames without one are grouped apart, but masters of earlier days, and those of programs that
    do not write it, go on serving where all else is equal.
    """
    serials = {first.camera_serial, second.camera_serial} - {None}
    return len(serials) < 2


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
