"""Binning, window and colour pattern of a frame."""

from __future__ import annotations

import re

from calibrary.headers.lookup import Header, clean_text, number

_PAIR = re.compile(r"(?:BIN)?\s*(\d{1,2})(?:\s*[xX*, ]\s*(\d{1,2}))?", re.IGNORECASE)
_CFA = re.compile(r"[RGBCMYWE]{4}")
_LARGEST_BINNING = 64


def read_binning(header: Header, width: int | None, height: int | None) -> tuple[int, int]:
    """Return the binning in x and y; 1 where the header says nothing."""
    pair = _binning_pair(header)
    x = _binning(header, "x_binning") or pair[0] or _by_window(header, "x", width)
    y = _binning(header, "y_binning") or pair[1] or _by_window(header, "y", height)
    return x or 1, y or x or 1


def _binning(header: Header, quantity: str) -> int | None:
    for found in header.all(quantity):
        value = number(found.value)
        if value is None:
            match = _PAIR.fullmatch(clean_text(found.value) or "")
            value = float(match[1]) if match else None
        if value is None:
            continue
        if not 1 <= value <= _LARGEST_BINNING or not value.is_integer():
            header.warn(f"{found.key} is {value:g}: taken as 1")
            value = 1.0
        header.sources[quantity] = found.key
        return int(value)
    return None


def _binning_pair(header: Header) -> tuple[int | None, int | None]:
    found = header.first("binning")
    match = _PAIR.fullmatch(clean_text(found.value) or "") if found else None
    if found is None or match is None:
        return None, None
    x, y = int(match[1]), int(match[2] or match[1])
    for axis in ("x_binning", "y_binning"):
        header.sources.setdefault(axis, found.key)
    return (x, y) if 0 < x <= _LARGEST_BINNING and 0 < y <= _LARGEST_BINNING else (None, None)


def _by_window(header: Header, axis: str, length: int | None) -> int | None:
    """Return the binning that a window in sensor pixels and the image's size tell of (PRISM)."""
    first, last = header.number(f"{axis}_first"), header.number(f"{axis}_last")
    if first is None or last is None or not length or last <= first:
        return None
    binning = round((last - first + 1) / length)
    if not 1 <= binning <= _LARGEST_BINNING:
        return None
    header.sources[f"{axis}_binning"] = " and ".join(
        header.sources[f"{axis}_{end}"] for end in ("first", "last")
    )
    return binning


def read_origin(header: Header, axis: str, binning: int) -> int | None:
    """Return the first column (`axis` x) or row (y) of the window, pixels of the sensor from 0."""
    field = f"{axis}_origin"
    binned = header.number(field)
    if binned is not None:
        return _pixel(binned * binning)
    sensor = header.number(f"{field}_sensor", field)
    if sensor is not None:
        return _pixel(sensor)
    first = header.number(f"{axis}_first", field)
    return None if first is None else _pixel(first - 1)


def _pixel(value: float) -> int | None:
    return int(value) if 0 <= value < 1e6 else None


def read_bayer_pattern(header: Header, cfa: str | None) -> str | None:
    """Return the four colours of the first two rows, or ``None`` for a frame without them.

    Where the header tells that the pattern begins elsewhere (XBAYROFF, YBAYROFF), it is moved to
    the first pixel.
    """
    texts = [(found.key, clean_text(found.value)) for found in header.all("bayer_pattern")]
    texts.append(("ColorFilterArray", cfa))
    for key, text in texts:
        pattern = (text or "").upper()
        if _CFA.fullmatch(pattern):
            header.sources["bayer_pattern"] = key
            return _moved(header, pattern)
    return None


def _moved(header: Header, pattern: str) -> str:
    if (header.number("x_bayer_offset") or 0) % 2 == 1:
        pattern = pattern[1] + pattern[0] + pattern[3] + pattern[2]
    if (header.number("y_bayer_offset") or 0) % 2 == 1:
        pattern = pattern[2:] + pattern[:2]
    return pattern
