"""Names of masters and groups: the guide's pattern, safe for any header text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from calibrary.records import FrameType, GroupKeys
from calibrary.records.keys import naming_keys
from calibrary.records.text import MAX_TEXT, UNSAFE, decimal, sanitise

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
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


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
    longest = 2 * MAX_TEXT + 1
    setup = UNSAFE.sub("_", setup)[:longest] if setup else setup_name(keys)
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


def telling_words(keys: GroupKeys, others: Iterable[GroupKeys]) -> list[str]:
    """Return the words of the keys in which one of `others` differs, the first appended first.

    What a master does not tell of its frames tells it from none.
    """
    others = tuple(others)
    words = []
    for key in naming_keys():
        value, token = key.value(keys), key.token
        differing = (key.value(other) for other in others)
        if token is not None and any(
            key.excludes(value, its, lenient=not key.told_by_masters) for its in differing
        ):
            words.append(token.word(keys))
    return list(dict.fromkeys(words))


def apart_words(
    keys: GroupKeys, other: GroupKeys, first: str | None, other_first: str | None
) -> list[str]:
    """Return the words by which a group differs from one that has its name, best first."""
    words = telling_words(keys, [other])
    if keys.exposure_s != other.exposure_s:
        words.append(exposure_word(keys.exposure_s))
    if keys.temp_c != other.temp_c:
        words.append("NO_TEMP" if keys.temp_c is None else f"{decimal(keys.temp_c)}C")
    if first != other_first:
        words.append((first or "")[11:16].replace(":", "") or NO_DATE)
    return words
