"""Names of masters and groups: the guide's pattern, safe for any header text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from calibrary.records import FrameType, GroupKeys

FOLDERS = {
    FrameType.BIAS: "BIASES",
    FrameType.DARK: "DARKS",
    FrameType.DARKFLAT: "DARKFLATS",
    FrameType.FLAT: "FLATS",
}
MASTER_WORDS = {
    FrameType.BIAS: "Bias",
    FrameType.DARK: "Dark",
    FrameType.DARKFLAT: "DarkFlat",
    FrameType.FLAT: "Flat",
}
NO_DATE = "NO_DATE"
_MAX_TEXT = 48
"""Longest piece of header text in a name: four of them and the rest stay below 255 bytes."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def sanitise(text: str | None) -> str:
    """Return header text as a part of a file name; empty if there is none.

    Surrounding blanks go, every character but ASCII letters, digits, ``_`` and ``-`` becomes
    ``_``; case is kept and runs are not collapsed.
    """
    return _UNSAFE.sub("_", (text or "").strip())[:_MAX_TEXT]


def decimal(value: float) -> str:
    """Return the shortest decimal that is right to a millionth: ``120``, ``0.5``, ``2.31845``."""
    text = f"{Decimal(repr(round(value, 6))):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def exposure_word(seconds: float | None) -> str:
    """Return an exposure as names have it, such as ``0.5s``."""
    return "NO_EXPOSURE" if seconds is None else f"{decimal(seconds)}s"


def temperature_word(celsius: float | None) -> str:
    """Return a temperature as names have it, in whole °C: ``-10C``."""
    return "NO_TEMP" if celsius is None else f"{round(celsius)}C"


def setup_name(keys: GroupKeys) -> str:
    """Return ``{TELESCOP}_{INSTRUME}``, sanitised."""
    telescope = sanitise(keys.telescope) or "UNKNOWN_TELESCOPE"
    camera = sanitise(keys.camera) or "UNKNOWN_CAMERA"
    return f"{telescope}_{camera}"


def filter_word(keys: GroupKeys) -> str:
    """Return the filter of a flat as names have it."""
    return sanitise(keys.filter) or ("CFA" if keys.bayer_pattern else "NO_FILTER")


def settings_words(frame_type: FrameType, keys: GroupKeys) -> list[str]:
    """Return what follows the type in a name: exposure or filter, gain, offset, binning, °C."""
    if frame_type is FrameType.FLAT:
        what = filter_word(keys)
    elif frame_type is FrameType.BIAS:
        what = "0s"
    else:
        what = exposure_word(keys.exposure_s)
    return [
        what,
        "NO_GAIN" if keys.gain is None else f"Gain{decimal(keys.gain)}",
        "NO_OFFSET" if keys.offset is None else f"Offset{decimal(keys.offset)}",
        f"{keys.x_binning}x{keys.y_binning}",
        temperature_word(keys.temp_c),
    ]


def date_word(date_obs: str | None) -> str:
    """Return the day of an ISO date as ``YYYY_MM_DD``, or ``NO_DATE``."""
    match = _DATE.match(date_obs or "")
    return "_".join(match.groups()) if match else NO_DATE


def master_stem(
    frame_type: FrameType,
    keys: GroupKeys,
    first_date_obs: str | None,
    setup: str | None = None,
) -> str:
    """Return the path of a master below the library, without its suffix.

    `setup`, if given, stands for telescope and camera.
    """
    longest = 2 * _MAX_TEXT + 1
    setup = _UNSAFE.sub("_", setup)[:longest] if setup else setup_name(keys)
    folder = FOLDERS[frame_type]
    words = [setup, f"Master{MASTER_WORDS[frame_type]}", *settings_words(frame_type, keys)]
    dated = f"{folder}_{date_word(first_date_obs)}"
    return f"!!!{folder}_LIB/{setup}/{dated}/{'_'.join(words)}"


def group_stem(frame_type: FrameType, keys: GroupKeys, first_date_obs: str | None) -> str:
    """Return the name of a group before it is told apart from others with the same name."""
    night = date_word(keys.night or first_date_obs).replace("_", "-")
    words = [frame_type.value, setup_name(keys), *settings_words(frame_type, keys), night]
    return _UNSAFE_ID.sub("_", "_".join(words))


_UNSAFE_ID = re.compile(r"[^A-Za-z0-9_.-]")


CAMERA_STATE = (
    "readout_mode",
    "usb_limit",
    "width",
    "height",
    "x_origin",
    "y_origin",
    "camera_serial",
    "bayer_pattern",
    "pedestal",
)
"""Keys that part groups and are in no name unless two would have the same one."""


def state_words(keys: GroupKeys, others: Iterable[GroupKeys]) -> list[str]:
    """Return the words of those keys of `CAMERA_STATE` in which one of `others` differs."""
    others = tuple(others)

    def differs(*names: str) -> bool:
        return any(getattr(keys, n) != getattr(other, n) for other in others for n in names)

    words = []
    if differs("readout_mode"):
        words.append(sanitise(keys.readout_mode) or "NO_READOUT")
    if differs("usb_limit"):
        words.append("NO_USB" if keys.usb_limit is None else f"USB{decimal(keys.usb_limit)}")
    if differs("width", "height"):
        words.append(f"{keys.width}x{keys.height}")
    if differs("x_origin", "y_origin"):
        words.append(f"at{keys.x_origin or 0}-{keys.y_origin or 0}")
    if differs("camera_serial"):
        words.append(sanitise(keys.camera_serial) or "NO_SERIAL")
    if differs("bayer_pattern"):
        words.append(sanitise(keys.bayer_pattern) or "MONO")
    if differs("pedestal"):
        words.append(f"Pedestal{decimal(keys.pedestal or 0.0)}")
    return words


def telling_words(
    keys: GroupKeys, other: GroupKeys, first: str | None, other_first: str | None
) -> list[str]:
    """Return the words by which a group differs from one that has its name, best first."""
    words = state_words(keys, [other])
    # Many masters do not tell these of their frames.
    if keys.row_order and other.row_order and keys.row_order != other.row_order:
        words.append(sanitise(keys.row_order))
    samples = (keys.sample_format, keys.normalised)
    if other.sample_format and samples != (other.sample_format, other.normalised):
        words.append(sanitise(keys.sample_format) + ("norm" if keys.normalised else ""))
    if keys.exposure_s != other.exposure_s:
        words.append(exposure_word(keys.exposure_s))
    if keys.temp_c != other.temp_c:
        words.append("NO_TEMP" if keys.temp_c is None else f"{decimal(keys.temp_c)}C")
    if first != other_first:
        words.append((first or "")[11:16].replace(":", "") or NO_DATE)
    return words
