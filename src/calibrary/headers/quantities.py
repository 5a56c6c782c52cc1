"""Exposure, temperature and the camera's settings, by the rules that real headers ask for."""

from __future__ import annotations

import re
from typing import NamedTuple

from calibrary.headers.lookup import Found, Header, clean_text, number
from calibrary.records import FrameType

_MILLISECONDS = re.compile(r"\b(ms|msecs?|milli-?sec\w*)\b", re.IGNORECASE)
_WITH_UNIT = re.compile(r"([0-9.,+-]+(?:[ED][+-]?\d+)?)\s*([a-zµμ]+)\.?", re.IGNORECASE)
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs"), 1e-3),
    **dict.fromkeys(("us", "usec", "µs", "μs"), 1e-6),
    **dict.fromkeys(("m", "min", "mins"), 60.0),
}
_FRACTION = re.compile(r"(\d{1,6})\s*/\s*(\d{1,6})\s*s?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d+)?)")
_DEGREES = re.compile(r"([+-]?[0-9.,]+)\s*(?:°|deg)?\s*C", re.IGNORECASE)
_NAME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_APART = 0.01
"""Two exposures that differ by more than this fraction are two exposures."""
_LONG_S = 100_000.0
"""No flat and no light is exposed for more than a day: such a number is in ms."""
SHORTEST_SERIAL = 3
"""Characters; what is shorter is the index of a camera."""
_ADDRESS = re.compile(r"[\\/#&?{}]|[0-9a-f]{8}(-[0-9a-f]{4}){3}-", re.IGNORECASE)
"""A device's address on the bus, or an identifier that a driver made up."""


class Exposure(NamedTuple):
    """An exposure, s, and whether the file is a stack of several."""

    seconds: float | None
    stacked: bool = False


def read_exposure(header: Header, frame_type: FrameType, file_name: str) -> Exposure:
    """Return the exposure of one frame, s."""
    told = [
        (found, s) for found in header.all("exposure") if (s := _seconds(header, found)) is not None
    ]
    single = [
        (f, s) for f in header.all("single_exposure") if (s := _seconds(header, f)) is not None
    ]
    if not told and not single:
        return Exposure(_from_name(header, file_name))
    found, seconds = (told or single)[0]
    header.sources["exposure_s"] = found.key
    stacked = False
    if single and _differ(single[0][1], seconds):
        found, one = single[0]
        # REQTIME is what was asked for where the camera reports another; the others tell of stacks.
        stacked = found.key != "REQTIME"
        header.warn(
            f"{header.sources['exposure_s']} is {seconds:g} s, {found.key} {one:g} s is taken"
        )
        header.sources["exposure_s"], seconds = found.key, one
    elif len(told) > 1 and told[1][0].key != "DARKTIME" and _differ(told[1][1], seconds):
        header.warn(f"{found.key} is {seconds:g} s, {told[1][0].key} is {told[1][1]:g} s")
    if seconds == 0 and frame_type in (FrameType.FLAT, FrameType.DARKFLAT):
        header.warn(f"a {frame_type} of 0 s: its exposure is rounded away and taken as unknown")
        return Exposure(None, stacked)
    if seconds == 0 and frame_type is FrameType.DARK:
        header.warn("a dark of 0 s: a bias?")
    if seconds >= 1 and frame_type is FrameType.BIAS:
        header.warn(f"a bias of {seconds:g} s: a dark?")
    return Exposure(round(seconds, 6), stacked)


def is_negative_exposure(header: Header) -> bool:
    """Tell whether the exposure is negative, which is how one observatory marks darks."""
    found = header.first("exposure")
    value = number(found.value) if found else None
    return value is not None and value < 0


def _seconds(header: Header, found: Found) -> float | None:
    value = number(found.value)
    if value is None:
        value = _duration(clean_text(found.value) or "")
        if value is None:
            header.not_understood(found)
        return value
    if found.key in header.dialects.units:
        return abs(value) * header.dialects.units[found.key]
    if abs(value) > 1e9:
        return None
    if value < 0:
        header.warn(f"{found.key} is negative, {value:g}: its amount is taken")
        value = -value
    if _MILLISECONDS.search(found.comment) or value > _LONG_S:
        header.warn(f"{found.key} is {value:g}, taken as ms")
        value /= 1000
    return value


def _duration(text: str) -> float | None:
    """Return the seconds of ``500 ms``, ``1/4000`` or ``00:05:00``."""
    if match := _FRACTION.fullmatch(text):
        return int(match[1]) / int(match[2]) if int(match[2]) else None
    if match := _CLOCK.fullmatch(text):
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    if match := _WITH_UNIT.fullmatch(text):
        value, unit = number(match[1]), _SECONDS.get(match[2].lower())
        return None if value is None or value < 0 or unit is None else value * unit
    return None


def _from_name(header: Header, file_name: str) -> float | None:
    for pattern in header.dialects.name_exposures:
        if match := pattern.search(file_name):
            unit, text = next((key, text) for key, text in match.groupdict().items() if text)
            seconds = float(text) * _NAME_UNITS[unit]
            header.sources["exposure_s"] = "file name"
            header.warn(f"no exposure in the header, {seconds:g} s by the file name")
            return round(seconds, 6)
    return None


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > max(0.001, _APART * max(a, b))


class Temperature(NamedTuple):
    """Set point, sensor, and the one to group by; °C."""

    set_c: float | None
    sensor_c: float | None
    group_c: float | None


def read_temperature(header: Header) -> Temperature:
    """Return the temperatures of the sensor, °C, without the numbers that mean *unknown*."""
    set_c = _celsius(header, "set_temp", "set_temp_c")
    sensor_c = _celsius(header, "ccd_temp", "ccd_temp_c")
    if header.first("ccd_temp") is None and header.first("set_temp") is None:
        sensor_c = _celsius(header, "ccd_temp_last_resort", "ccd_temp_c")
    group_c, key = (set_c, "set_temp_c") if set_c is not None else (sensor_c, "ccd_temp_c")
    if set_c is not None and sensor_c is not None:
        apart = abs(set_c - sensor_c)
        if apart > 10:
            header.warn(f"sensor at {sensor_c:g} °C, set to {set_c:g} °C: the cooler was off")
            group_c, key = sensor_c, "ccd_temp_c"
        elif apart > 2:
            header.warn(f"sensor at {sensor_c:g} °C, set to {set_c:g} °C: not settled")
    elif group_c == 0.0 and set_c is None:
        header.warn("0 °C without a set point: perhaps the camera has no thermometer")
    if group_c is not None:
        header.sources["temp_c"] = header.sources[key]
    return Temperature(set_c, sensor_c, group_c)


def _celsius(header: Header, quantity: str, field: str) -> float | None:
    for found in header.all(quantity):
        value = number(found.value)
        if value is None and (match := _DEGREES.fullmatch(clean_text(found.value) or "")):
            value = number(match[1])
        if value is None or value <= -273 or value >= 100:
            header.warn(f"{found.key} is {clean_text(found.value)}: unknown")
            continue
        header.sources[field] = found.key
        return round(value, 6) + 0.0
    return None


class Gain(NamedTuple):
    """The camera's gain setting, and the conversion gain in e-/ADU."""

    setting: float | None
    electrons: float | None


def read_gain(header: Header, software: str | None) -> Gain:
    """Return gain setting and e-/ADU; the keyword GAIN holds either."""
    electrons = header.number("egain")
    electrons = electrons if electrons is not None and electrons > 0 else None
    amateur = (software or "").lower().startswith(header.dialects.programs["gain_is_setting"])
    for found in header.all("gain"):
        value = number(found.value)
        if value is None:
            value = _iso(clean_text(found.value) or "")
        if value is None:
            header.not_understood(found)
            continue
        if value < 0:
            continue
        if found.key == "GAIN" and value > 0:
            same = electrons is not None and abs(value - electrons) <= 0.01 * electrons
            broken = value < 20 and not value.is_integer() and not amateur
            if same or broken:
                header.warn(f"GAIN is {value:g}: e-/ADU, not a setting")
                header.sources.setdefault("egain", "GAIN")
                return Gain(None, electrons or value)
        header.sources["gain"] = found.key
        return Gain(round(value, 6), electrons)
    return Gain(None, electrons)


def _iso(text: str) -> float | None:
    """Return the number of ``ISO 800``."""
    return number(text[3:]) if text[:3].upper() == "ISO" else None


def read_rotator(header: Header) -> float | None:
    """Return the angle of the camera to the telescope, degrees from 0 to 360."""
    for found in header.all("rotator"):
        value = number(found.value)
        if value is not None and -360 <= value <= 720:
            header.sources["rotator_deg"] = found.key
            return round(value % 360, 3) % 360
    return None


def read_focal_length(header: Header) -> float | None:
    """Return the focal length, mm; 0 is unknown."""
    for found in header.all("focal_length"):
        value = number(found.value)
        if value is None:
            header.not_understood(found)
        elif value > 0:
            header.sources["focal_length_mm"] = found.key
            return round(value * header.dialects.units.get(found.key, 1.0), 3)
    return None


def read_offset(header: Header) -> float | None:
    """Return the camera's offset setting; -1 means that the program does not know it."""
    value = header.number("offset")
    if value == -1:
        header.sources.pop("offset", None)
        return None
    return None if value is None else round(value, 6)


def read_mode(header: Header) -> str | None:
    """Return the readout mode: its name or number, else the switches that make it."""
    mode = header.text("readout_mode")
    if mode is not None:
        return mode
    switches = [
        f"{keyword} {clean_text(found.value)}"
        for keyword in header.dialects.keywords["readout_switches"]
        if (found := header.keyword(keyword)) is not None
    ]
    if switches:
        header.sources["readout_mode"] = ", ".join(s.partition(" ")[0] for s in switches)
    return ", ".join(switches) or None


def read_serial(header: Header, camera: str | None) -> str | None:
    """Return the camera's serial number; ``None`` unless what the header has is surely one.

    Parameters
    ----------
    header
        Its keywords.
    camera
        The camera's name, of which no part is a serial number.

    Notes
    -----
    A number that is none would part the frames of one camera. So an index of the camera is none,
    nor is a driver's name, nor the address at which the system finds a device, nor an identifier
    that a driver made up: these change with the port or the session. Of what a program calls the
    camera by, only a last word counts that is as long as a serial number and rich in digits.
    """
    serial = header.text("camera_serial")
    if serial is not None and len(serial) >= SHORTEST_SERIAL and serial.strip("0 .-"):
        return serial
    header.sources.pop("camera_serial", None)
    for found in header.all("camera_id"):
        text = clean_text(found.value) or ""
        word = re.split(r"[^0-9A-Za-z]+", text)[-1]
        digits = sum(letter.isdigit() for letter in word)
        if _ADDRESS.search(text) or len(word) < 6 or digits < 3 or not word.strip("0"):
            continue
        if word.casefold() not in (camera or "").casefold():
            header.sources["camera_serial"] = found.key
            return word
    return None


def read_usb_limit(header: Header) -> float | None:
    """Return the USB traffic limit, which changes some cameras' bias level."""
    value = header.number("usb_limit")
    return None if value is None else round(value, 6)
