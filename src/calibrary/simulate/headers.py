"""Headers as capture programs write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from calibrary.records import FrameType
from calibrary.simulate.files import Keyword

LOCAL_TIME_H = 1.0
"""Local time minus UTC at the simulated observatory, h."""


@dataclass(frozen=True)
class Facts:
    """What a capture program knows of the frame it is about to save."""

    frame_type: FrameType
    camera: str
    telescope: str
    start: datetime
    """Start of the exposure, UTC."""
    exposure_s: float
    set_temp_c: float
    ccd_temp_c: float
    gain: int
    """The camera's gain setting."""
    offset: int
    egain: float
    """Conversion gain, e-/ADU."""
    number: int
    """Of the frame in its sequence, from 1."""
    filter: str | None = None
    readout_mode: str | None = None
    usb_limit: int | None = None
    bayer_pattern: str | None = None
    pixel_um: float = 3.76


@dataclass(frozen=True)
class Program:
    """A capture program: its keywords and its file names."""

    name: str
    keywords: Callable[[Facts], list[Keyword]]
    path: Callable[[Facts, str], PurePosixPath]
    """Where it saves a frame, below its own folder; second argument is the suffix."""
    image_type: Mapping[FrameType, str]


# N.I.N.A. 3 knows no dark-flats: its flat wizard saves them as DARK.
_NINA_TYPES = {
    FrameType.BIAS: "BIAS",
    FrameType.DARK: "DARK",
    FrameType.DARKFLAT: "DARK",
    FrameType.FLAT: "FLAT",
    FrameType.LIGHT: "LIGHT",
}
_ASIAIR_TYPES = {
    FrameType.BIAS: "Bias",
    FrameType.DARK: "Dark",
    FrameType.DARKFLAT: "Dark",
    FrameType.FLAT: "Flat",
    FrameType.LIGHT: "Light",
}


def _stamp(time: datetime, digits: int) -> str:
    fraction = f"{time.microsecond:06d}0"[:digits]
    return f"{time:%Y-%m-%dT%H:%M:%S}.{fraction}"


def night_of(time: datetime) -> str:
    """Return the date of the evening the night began, noon to noon local time."""
    return f"{time + timedelta(hours=LOCAL_TIME_H - 12):%Y-%m-%d}"


def _nina_keywords(facts: Facts) -> list[Keyword]:
    local = facts.start + timedelta(hours=LOCAL_TIME_H)
    cards: list[Keyword] = [
        ("IMAGETYP", _NINA_TYPES[facts.frame_type], "Type of exposure"),
        ("EXPOSURE", facts.exposure_s, "[s] Exposure duration"),
        ("EXPTIME", facts.exposure_s, "[s] Exposure duration"),
        ("DATE-LOC", _stamp(local, 7), "Time of observation (local)"),
        ("DATE-OBS", _stamp(facts.start, 7), "Time of observation (UTC)"),
        ("XBINNING", 1, "X axis binning factor"),
        ("YBINNING", 1, "Y axis binning factor"),
        ("GAIN", facts.gain, "Sensor gain"),
        ("OFFSET", facts.offset, "Sensor gain offset"),
        ("EGAIN", facts.egain, "[e-/ADU] Electrons per A/D unit"),
        ("XPIXSZ", facts.pixel_um, "[um] Pixel X axis size"),
        ("YPIXSZ", facts.pixel_um, "[um] Pixel Y axis size"),
        ("INSTRUME", facts.camera, "Imaging instrument name"),
        ("SET-TEMP", facts.set_temp_c, "[degC] CCD temperature setpoint"),
        ("CCD-TEMP", round(facts.ccd_temp_c, 1), "[degC] CCD temperature"),
    ]
    if facts.readout_mode is not None:
        cards.append(("READOUTM", facts.readout_mode, "Sensor readout mode"))
    if facts.usb_limit is not None:
        cards.append(("USBLIMIT", facts.usb_limit, "Camera-specific USB setting"))
    cards.append(("TELESCOP", facts.telescope, "Name of telescope"))
    # The wheel stands somewhere whatever the frame type, and the program writes it down.
    cards += [("FWHEEL", "ZWO EFW", "Filter Wheel name")]
    cards += [("FILTER", facts.filter or "L", "Active filter name")]
    if facts.frame_type in (FrameType.FLAT, FrameType.DARKFLAT):
        cards.append(("OBJECT", "FlatWizard", "Name of the object of interest"))
    cards += [
        ("ROWORDER", "TOP-DOWN", "FITS Image Orientation"),
        ("EQUINOX", 2000.0, "Equinox of celestial coordinate system"),
        ("SWCREATE", "N.I.N.A. 3.1.2.9001 (x64)", "Software that created this file"),
    ]
    return cards


def _nina_path(facts: Facts, suffix: str) -> PurePosixPath:
    kind = _NINA_TYPES[facts.frame_type]
    local = facts.start + timedelta(hours=LOCAL_TIME_H)
    parts = [f"{local:%Y-%m-%d_%H-%M-%S}"]
    if facts.frame_type is FrameType.FLAT:
        parts.append(facts.filter or "")
    parts += [f"{facts.ccd_temp_c:.2f}", f"{facts.exposure_s:.2f}s", f"{facts.number:04d}"]
    return PurePosixPath(night_of(facts.start), kind, "_".join(parts) + suffix)


def _asiair_keywords(facts: Facts) -> list[Keyword]:
    # Exposures pass through single precision and come out with its noise.
    cards: list[Keyword] = [
        ("CREATOR", "ZWO ASIAIR Plus", "Capture software"),
        ("IMAGETYP", _ASIAIR_TYPES[facts.frame_type], "Type of image"),
        ("EXPOSURE", _single(facts.exposure_s), "Exposure time in seconds"),
        ("EXPTIME", _single(facts.exposure_s), "Exposure time in seconds"),
        ("DATE-OBS", _stamp(facts.start, 6), "Image created time"),
        ("XBINNING", 1, "Camera X Bin"),
        ("YBINNING", 1, "Camera Y Bin"),
        ("CCDXBIN", 1, "Camera X Bin"),
        ("CCDYBIN", 1, "Camera Y Bin"),
        ("XPIXSZ", _single(facts.pixel_um), "pixel size in microns (with binning)"),
        ("YPIXSZ", _single(facts.pixel_um), "pixel size in microns (with binning)"),
        ("GAIN", facts.gain, "Gain Value"),
        ("OFFSET", facts.offset, "camera offset"),
        ("EGAIN", _single(facts.egain), "Electronic gain in e-/ADU"),
        ("SET-TEMP", round(facts.set_temp_c), "Target CCD Temperature (Celsius)"),
        ("CCD-TEMP", _single(round(facts.ccd_temp_c, 1)), "CCD Temperature (Celsius)"),
        ("INSTRUME", facts.camera, "Camera model"),
        ("TELESCOP", facts.telescope, "Telescope name"),
    ]
    if facts.bayer_pattern is not None:
        cards.append(("BAYERPAT", facts.bayer_pattern, "Bayer pattern"))
    return cards


def _single(value: float) -> float:
    import numpy as np

    return float(np.float32(value))


def _asiair_path(facts: Facts, suffix: str) -> PurePosixPath:
    kind = _ASIAIR_TYPES[facts.frame_type]
    local = facts.start + timedelta(hours=LOCAL_TIME_H)
    short = facts.camera.removeprefix("ZWO ASI").replace(" Pro", "").replace(" ", "")
    length = (
        f"{facts.exposure_s:.1f}s" if facts.exposure_s >= 1 else f"{facts.exposure_s * 1e3:.1f}ms"
    )
    name = (
        f"{kind}_{length}_Bin1_{short}_gain{facts.gain}_{local:%Y%m%d-%H%M%S}"
        f"_{facts.ccd_temp_c:.1f}C_{facts.number:04d}{suffix}"
    )
    return PurePosixPath("Autorun", kind, name)


NINA = Program("N.I.N.A.", _nina_keywords, _nina_path, _NINA_TYPES)
ASIAIR = Program("ASIAIR", _asiair_keywords, _asiair_path, _ASIAIR_TYPES)


def nina_properties(facts: Facts) -> dict[str, tuple[str, str]]:
    """Return the XISF properties N.I.N.A. writes beside the keywords: name to type and value."""
    return {
        "Observation:Time:Start": ("TimePoint", _stamp(facts.start, 6) + "Z"),
        "Instrument:ExposureTime": ("Float32", repr(facts.exposure_s)),
        "Instrument:Camera:Name": ("String", facts.camera),
        "Instrument:Camera:Gain": ("Float32", repr(facts.egain)),
        "Instrument:Camera:XBinning": ("Int32", "1"),
        "Instrument:Camera:YBinning": ("Int32", "1"),
        "Instrument:Sensor:Temperature": ("Float32", f"{facts.ccd_temp_c:.1f}"),
        "Instrument:Telescope:Name": ("String", facts.telescope),
        "Instrument:Filter:Name": ("String", facts.filter or "L"),
    }
