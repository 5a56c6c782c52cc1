"""What the name of a master tells: the guide's pattern, and ANAWBPPS's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from calibrary.records import FrameType

_TYPES = {
    "bias": FrameType.BIAS,
    "dark": FrameType.DARK,
    "darkflat": FrameType.DARKFLAT,
    "flatdark": FrameType.DARKFLAT,
    "flat": FrameType.FLAT,
}
_NUMBER = r"-?\d+(?:\.\d+)?"
_MASTER = re.compile(
    r"(?:(?P<setup>.+?)_)?Master_?(?P<type>Bias|DarkFlat|FlatDark|Dark|Flat)_(?P<rest>.+)", re.I
)
_GUIDE = re.compile(
    rf"(?P<what>.+?)_(?:Gain(?P<gain>{_NUMBER})|NO_GAIN)_(?:Offset(?P<offset>{_NUMBER})|NO_OFFSET)"
    rf"_(?P<x>\d+)x(?P<y>\d+)_(?:(?P<temp>{_NUMBER})C|NO_TEMP)(?:_.*)?",
    re.I,
)
_ANAWBPPS = re.compile(
    rf"(?P<date>\d{{4}}_\d\d_\d\d)_(?P<what>.+?)_G(?:(?P<gain>{_NUMBER})|NULL)"
    rf"_OS(?:(?P<offset>{_NUMBER})|NULL)(?:_U(?P<usb>{_NUMBER}))?_Bin(?P<x>\d+)x(?P<y>\d+)"
    rf"_(?P<exposure>{_NUMBER})s_(?P<temp>{_NUMBER})C",
    re.I,
)
_EXPOSURE = re.compile(rf"({_NUMBER})s", re.I)
_FOLDER_SETUP = re.compile(r"(?:.*/)?!!![A-Z]+_LIB/([^/]+)/.*")
_FOLDER_DATE = re.compile(r".*_(\d{4}_\d\d_\d\d)")


@dataclass(frozen=True, slots=True)
class MasterName:
    """What a name tells; ``None`` where it does not."""

    master_of: FrameType
    setup: str | None = None
    """``{TELESCOP}_{INSTRUME}``, sanitised; where one ends cannot be told."""
    date: str | None = None
    """``YYYY-MM-DD``."""
    exposure_s: float | None = None
    filter: str | None = None
    gain: float | None = None
    offset: float | None = None
    usb_limit: float | None = None
    x_binning: int | None = None
    y_binning: int | None = None
    temp_c: float | None = None


def parse_name(path: str) -> MasterName | None:
    """Return what the name of a master tells, or ``None`` if it follows neither pattern.

    Parameters
    ----------
    path : str
        With forward slashes; the folder gives the date where the name does not.

    Notes
    -----
    The guide's pattern is ``{SETUP}_MasterDark_120s_Gain56_Offset10_1x1_-10C``; ANAWBPPS itself
    writes ``{SETUP}_MasterDark_{DATE}_{READOUT}_G56_OS10_U60_Bin1x1_120s_-10C``, with the filter
    before the readout mode for flats and dark-flats. Its readout mode cannot be told exactly,
    since blanks became ``_``.
    """
    pure = PurePosixPath(path)
    master = _MASTER.fullmatch(pure.stem)
    if master is None:
        return None
    own, guide = _ANAWBPPS.fullmatch(master["rest"]), _GUIDE.fullmatch(master["rest"])
    found = own or guide
    if found is None:
        return None
    values = found.groupdict()
    frame_type = _TYPES[master["type"].lower()]
    exposure = _EXPOSURE.fullmatch(values["what"])
    seconds = values.get("exposure") or (exposure and exposure[1])
    date = values.get("date")
    return MasterName(
        master_of=frame_type,
        setup=master["setup"],
        date=date.replace("_", "-") if date else folder_date(path),
        exposure_s=_number(seconds),
        filter=_filter(values["what"], own is not None) if frame_type is FrameType.FLAT else None,
        gain=_number(values["gain"]),
        offset=_number(values["offset"]),
        usb_limit=_number(values.get("usb")),
        x_binning=int(values["x"]),
        y_binning=int(values["y"]),
        temp_c=_number(values["temp"]),
    )


def setup_of(path: str) -> str | None:
    """Return the setup that the name of a master tells, else its folder in a library."""
    name = parse_name(path)
    if name is not None and name.setup is not None:
        return name.setup
    folder = _FOLDER_SETUP.fullmatch(path)
    return folder[1] if folder else None


def folder_date(path: str) -> str | None:
    """Return the day, ``YYYY-MM-DD``, that the folder of a master tells."""
    match = _FOLDER_DATE.fullmatch(PurePosixPath(path).parent.name)
    return match[1].replace("_", "-") if match else None


def _filter(what: str, before_readout: bool) -> str | None:
    text = what.split("_")[0] if before_readout else what
    return None if text in ("CFA", "NO_FILTER") else text


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
