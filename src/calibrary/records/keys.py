"""What makes frames alike: one table, one row a key.

Whatever compares frames, groups or masters derives from `KEYS`: grouping, what calibrates a flat,
the bias that a dark is judged above, places and names in the library, coverage, sensor trends, the
explanations, the overrides, the header of a master and the columns of ``groups.csv``. To add a key:
a row here and a field of `GroupKeys`, and the reader that fills the field of that name in `Frame`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from calibrary.records.frame import CALIBRATION_TYPES, Frame, FrameType
from calibrary.records.text import decimal, sanitise


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


Keyed = Frame | GroupKeys
"""What has keys: a raw frame, a master (as its header tells), a group."""


class Rule(StrEnum):
    """When two values of a key are alike."""

    EQUAL = "equal"
    """Equal as `Key.value` has them."""
    TOLERANCE = "tolerance"
    """Within ``tolerance`` of the configuration; in grouping, clustered by gaps."""
    SESSION = "session"
    """Of one session, by ``session`` of the configuration."""


@dataclass(frozen=True, slots=True)
class Card:
    """How the header of a master tells a key."""

    keyword: str
    comment: str
    value: Callable[[GroupKeys], str | int | float | None] | None = None
    """What is written where it is not the value itself."""


@dataclass(frozen=True, slots=True)
class Token:
    """How a name tells a key, where two names would be equal without it."""

    rank: int
    """The lower is appended first."""
    word: Callable[[GroupKeys], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One row of the table."""

    name: str
    words: str
    """What it is called in sentences."""
    unit: str = ""
    fields: tuple[str, ...] = ()
    """The fields of `Frame` and `GroupKeys` that hold it; empty: the one of its name."""
    normal: Callable[[Any], Any] = lambda value: value
    """The form in which a value is kept and compared."""
    compared: Callable[[Keyed], Hashable] | None = None
    """What is compared, where that is not the field alone."""
    rule: Rule = Rule.EQUAL
    tolerance: str = ""
    """For `Rule.TOLERANCE`: the key of ``tolerance`` in the configuration."""
    types: tuple[FrameType, ...] = CALIBRATION_TYPES
    """The types of frames whose groups it parts."""
    binds: bool = True
    """A calibrator must agree with its flat."""
    level: bool = True
    """It changes the level of the sensor: a dark and its bias must agree."""
    if_known: bool = False
    """In matching and for the place of a master it excludes only where both sides know it; in
    grouping unknown always goes only with unknown."""
    lost: bool = False
    """Names of masters do not hold it, and masters of other programs often lost it: there it
    excludes only where both sides know it."""
    told_by_masters: bool = True
    """A master's header, or its image, tells what it was in the raw frames."""
    text: bool = False
    """Header text: a master's may have lost letters, and is compared as names have it."""
    since: int = 1
    """2: younger than the first masters, which are still valid where it is unknown."""
    card: Card | None = None
    token: Token | None = None
    alias: bool = False
    """``aliases`` of the configuration joins values of it."""
    settable: bool = False
    """``set`` of the overrides gives it to files whose header lacks it."""
    wanted: Callable[[Keyed], bool] = lambda _: False
    """Its absence is worth a warning, for the types it parts."""
    remedy: str = ""
    """What would let in a calibrator that only this key excludes."""

    def held_in(self) -> tuple[str, ...]:
        """Return the fields that hold it."""
        return self.fields or (self.name,)

    def value(self, of: Keyed) -> Hashable:
        """Return what is compared; ``None`` is unknown."""
        if self.compared is not None:
            return self.compared(of)
        found: Hashable = self.normal(getattr(of, self.name))
        return found

    def told(self, of: Keyed) -> str:
        """Return the value in words, as the header has it, with its unit."""
        written = None if self.fields else self.normal(getattr(of, self.name))
        return self.shown(self.value(of) if written is None else written)

    def in_master(self, of: Keyed) -> Hashable:
        """Return what is compared between a group and the header of a master."""
        if not self.told_by_masters:
            return None
        value = self.value(of)
        if self.text and isinstance(value, str):
            return sanitise(value).casefold() or None
        return value

    def shown(self, value: object) -> str:
        """Return a value in words, with its unit."""
        if value is None:
            return "unknown"
        text = decimal(value) if isinstance(value, float) else str(value)
        return f"{text} {self.unit}".rstrip()

    def parts(self, frame_type: FrameType | None) -> bool:
        """Say whether it parts groups of a type."""
        return frame_type in self.types

    def excludes(self, mine: Hashable, its: Hashable, *, lenient: bool) -> bool:
        """Say whether two values keep their owners from being used together."""
        return mine != its and not (lenient and (mine is None or its is None))


def number(value: float | None) -> float | None:
    """Return a setting as it is compared: to a millionth, ``-0.0`` as ``0.0``."""
    return None if value is None else round(value, 6) + 0.0


def whole(value: float | None) -> float | int | None:
    """Return 100.0 as 100: gain and offset are settings, and readers compare them as text."""
    return int(value) if value is not None and float(value).is_integer() else value


def _samples(of: Keyed) -> Hashable:
    """Return what must be equal for the samples of two raw frames to be combined."""
    if not of.sample_format or (isinstance(of, Frame) and of.master_of is not None):
        return None  # the format of a master is its own, not that of its frames
    return f"normalised {of.sample_format}" if of.normalised else of.sample_format


def _samples_word(keys: GroupKeys) -> str:
    return sanitise(keys.sample_format) + ("norm" if keys.normalised else "")


def _or_one(value: int | None) -> int:
    return value or 1


def _origin(field: str, binning: str) -> Callable[[Keyed], Hashable]:
    """Return the comparison of a sub-frame's origin: a master's header has it in binned pixels."""

    def compared(of: Keyed) -> Hashable:
        origin: int | None = getattr(of, field)
        step = getattr(of, binning) or 1
        return None if origin is None else origin // step * step

    return compared


def _binned(field: str, binning: str) -> Callable[[GroupKeys], int | None]:
    """Return a sub-frame's origin as its keyword has it by convention, in binned pixels."""

    def value(keys: GroupKeys) -> int | None:
        origin: int | None = getattr(keys, field)
        return None if origin is None else origin // getattr(keys, binning)

    return value


def _always(_: Keyed) -> bool:
    return True


_FLAT = (FrameType.FLAT,)
_EXPOSED = (FrameType.DARK, FrameType.DARKFLAT, FrameType.FLAT)
_SET = "if the header lacks it, set it in the overrides"
_SIZE = Token(3, lambda keys: f"{keys.width}x{keys.height}")
_ORIGIN = Token(4, lambda keys: f"at{keys.x_origin or 0}-{keys.y_origin or 0}")

KEYS: tuple[Key, ...] = (
    Key(
        name="camera",
        words="camera",
        text=True,
        card=Card("INSTRUME", "camera"),
        alias=True,
        settable=True,
        wanted=_always,
        remedy="name both alike under aliases.camera, or pin it in the overrides",
    ),
    Key(
        name="camera_serial",
        words="serial number of the camera",
        text=True,
        if_known=True,
        since=2,
        card=Card("CAMSERNO", "serial number of the camera"),
        token=Token(5, lambda keys: sanitise(keys.camera_serial) or "NO_SERIAL"),
        alias=True,
        settable=True,
        remedy="if it is one camera, name both alike under aliases.camera_serial",
    ),
    Key(
        name="telescope",
        words="telescope",
        text=True,
        card=Card("TELESCOP", "telescope"),
        alias=True,
        settable=True,
        wanted=_always,
        remedy="name both alike under aliases.telescope, or pin it in the overrides",
    ),
    Key(
        name="exposure_s",
        words="exposure",
        unit="s",
        rule=Rule.TOLERANCE,
        tolerance="exposure",
        types=_EXPOSED,
        level=False,
        settable=True,
        # A flat's is wanted for its dark-flat; of a master flat it says nothing any more.
        wanted=lambda of: not (isinstance(of, Frame) and of.master_of is FrameType.FLAT),
        remedy="take dark-flats of exactly the flat's exposure",
    ),
    Key(
        name="filter",
        words="filter",
        text=True,
        types=_FLAT,
        binds=False,
        level=False,
        # Of a flat only: on a bias or dark it is where the wheel stood.
        compared=lambda of: of.filter.casefold() if of.filter else None,
        card=Card("FILTER", "filter"),
        alias=True,
        settable=True,
        wanted=lambda keys: not keys.bayer_pattern,
    ),
    Key(name="width", words="width", unit="pixels", normal=lambda n: n or 0, token=_SIZE),
    Key(name="height", words="height", unit="pixels", normal=lambda n: n or 0, token=_SIZE),
    Key(
        name="channels",
        words="channels",
        normal=_or_one,
        lost=True,
        token=Token(10, lambda keys: f"{keys.channels}channels"),
    ),
    Key(
        name="x_binning",
        words="binning in x",
        normal=_or_one,
        card=Card("XBINNING", "binning, columns"),
        settable=True,
    ),
    Key(
        name="y_binning",
        words="binning in y",
        normal=_or_one,
        card=Card("YBINNING", "binning, rows"),
        settable=True,
    ),
    Key(
        name="gain",
        words="gain",
        normal=number,
        card=Card("GAIN", "gain setting", lambda keys: whole(keys.gain)),
        settable=True,
        wanted=_always,
        remedy=_SET,
    ),
    Key(
        name="offset",
        words="offset",
        normal=number,
        card=Card("OFFSET", "offset setting", lambda keys: whole(keys.offset)),
        settable=True,
        wanted=_always,
        remedy=_SET,
    ),
    Key(
        name="readout_mode",
        words="readout mode",
        text=True,
        lost=True,
        card=Card("READOUTM", "readout mode"),
        token=Token(1, lambda keys: sanitise(keys.readout_mode) or "NO_READOUT"),
        settable=True,
    ),
    Key(
        name="usb_limit",
        words="USB limit",
        normal=number,
        lost=True,
        card=Card("USBLIMIT", "USB limit", lambda keys: whole(keys.usb_limit)),
        token=Token(
            2, lambda keys: "NO_USB" if keys.usb_limit is None else f"USB{decimal(keys.usb_limit)}"
        ),
        settable=True,
    ),
    Key(
        name="pedestal",
        words="pedestal",
        unit="ADU",
        normal=number,
        # No PEDESTAL and one of 0 say the same.
        compared=lambda of: number(of.pedestal or 0.0),
        since=2,
        token=Token(7, lambda keys: f"Pedestal{decimal(keys.pedestal or 0.0)}"),
    ),
    Key(
        name="x_origin",
        words="first column",
        if_known=True,
        compared=_origin("x_origin", "x_binning"),
        card=Card("XORGSUBF", "first column, binned pixels", _binned("x_origin", "x_binning")),
        token=_ORIGIN,
    ),
    Key(
        name="y_origin",
        words="first row",
        if_known=True,
        compared=_origin("y_origin", "y_binning"),
        card=Card("YORGSUBF", "first row, binned pixels", _binned("y_origin", "y_binning")),
        token=_ORIGIN,
    ),
    Key(
        name="bayer_pattern",
        words="Bayer pattern",
        text=True,
        if_known=True,
        card=Card("BAYERPAT", "Bayer pattern"),
        token=Token(6, lambda keys: sanitise(keys.bayer_pattern) or "MONO"),
        settable=True,
    ),
    Key(
        name="row_order",
        words="row order",
        level=False,
        if_known=True,
        card=Card("ROWORDER", "order of the rows, as in the frames"),
        token=Token(8, lambda keys: sanitise(keys.row_order) or "NO_ROWORDER"),
    ),
    Key(
        name="samples",
        words="sample format",
        fields=("sample_format", "normalised"),
        compared=_samples,
        lost=True,
        told_by_masters=False,
        token=Token(9, _samples_word),
    ),
    Key(
        name="temp_c",
        words="temperature",
        unit="°C",
        rule=Rule.TOLERANCE,
        tolerance="temperature",
        level=False,
        wanted=_always,
        remedy="take darks at the flats' temperature, or widen tolerance.temperature",
    ),
    Key(name="night", words="night", rule=Rule.SESSION, binds=False, level=False),
)
"""All keys. Of those that exclude a calibrator the first weigh most: a candidate that differs in
the camera is further away than one that differs in the gain."""


def all_keys() -> tuple[Key, ...]:
    """Return the whole table, the weightiest keys first."""
    return KEYS


def key_named(name: str) -> Key:
    """Return the key of a name."""
    return next(key for key in KEYS if key.name == name)


def exact_keys(frame_type: FrameType | None = None) -> tuple[Key, ...]:
    """Return the keys that must be equal, those that part groups of a type or all."""
    return tuple(
        key
        for key in KEYS
        if key.rule is Rule.EQUAL and (frame_type is None or key.parts(frame_type))
    )


def binding_keys() -> tuple[Key, ...]:
    """Return the keys in which a calibrator must equal its flat, the weightiest first."""
    return tuple(key for key in exact_keys() if key.binds)


def sensor_keys() -> tuple[Key, ...]:
    """Return the keys on which the level of a bias depends."""
    return tuple(key for key in exact_keys() if key.level)


def naming_keys() -> tuple[Key, ...]:
    """Return the keys that a name tells only where two would be equal, the first appended first."""
    named = [(key.token.rank, key) for key in KEYS if key.token is not None]
    return tuple(key for _, key in sorted(named, key=lambda pair: pair[0]))


def missing_keys(of: Keyed, frame_type: FrameType, date_obs: str | None) -> list[str]:
    """Return in words what should be known of a group or master of a type and is not."""
    wanted = (key for key in all_keys() if key.parts(frame_type) and key.wanted(of))
    missing = [key.words for key in wanted if key.value(of) is None]
    return missing if date_obs is not None else [*missing, "date"]


def alike(first: Keyed, second: Keyed, keys: Iterable[Key]) -> tuple[bool, int]:
    """Say whether nothing in `keys` keeps two apart, and how many of them only one side knows.

    Keys that are often unknown (`Key.if_known`) exclude only where both sides know them.
    """
    unsure = 0
    for key in keys:
        mine, its = key.value(first), key.value(second)
        if mine == its:
            continue
        if key.excludes(mine, its, lenient=key.if_known):
            return False, unsure
        unsure += 1
    return True, unsure


def keys_of(of: Frame, **known: Any) -> GroupKeys:  # noqa: ANN401 - values of any key
    """Return the keys of a frame, or those that a master has as its header tells them.

    Parameters
    ----------
    known
        Fields of the group that are not those of one frame.
    """
    values = {name: getattr(of, name) for name in GroupKeys.__slots__}
    for key in all_keys():
        if not key.fields:
            values[key.name] = key.normal(values[key.name])
    if of.master_of is not None:
        # Those of the master itself: of its frames' nothing is known.
        values |= {"sample_format": "", "normalised": False}
    values["sample_format"] = values["sample_format"] or ""
    return GroupKeys(**(values | known))
