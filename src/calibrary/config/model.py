"""The configuration, typed once.

Every key of ``config/config.yaml`` is a field here with its default, its limits and its meaning;
``config/config.schema.json`` and ``docs/configuration.md`` are generated from it
(`python -m calibrary.config`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    create_model,
    model_validator,
)

from calibrary.config.limits import VerifyLimits
from calibrary.records import CalibraryError
from calibrary.records.keys import all_keys

RejectionName = Literal[
    "auto",
    "none",
    "minmax",
    "percentile",
    "sigma",
    "winsorized",
    "averaged_sigma",
    "linear_fit",
    "esd",
    "median",
]

_GAP = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(min|h|d)\s*$")
_GAP_HOURS = {"min": 1 / 60, "h": 1.0, "d": 24.0}


def gap_hours(text: str) -> float:
    """Return the hours of a gap such as ``30min``, ``3h`` or ``7d``.

    Raises
    ------
    ValueError
        `text` is not a number followed by ``min``, ``h`` or ``d``.
    """
    match = _GAP.match(text)
    if match is None:
        msg = "a number followed by min, h or d, such as 3h or 7d"
        raise ValueError(msg)
    return float(match[1]) * _GAP_HOURS[match[2]]


def _gap(text: str) -> str:
    gap_hours(text)
    return text.replace(" ", "")


def _session(text: str) -> str:
    if text in ("night", "none"):
        return text
    try:
        return _gap(text)
    except ValueError:
        msg = "night, none, or a gap such as 3h or 7d"
        raise ValueError(msg) from None


Gap = Annotated[str, AfterValidator(_gap)]
Session = Annotated[str, AfterValidator(_session)]


class Section(BaseModel):
    """A part of the configuration; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, data: Any) -> Any:  # noqa: ANN401 - whatever the file has
        """Take a section whose keys are all commented out as one with its defaults."""
        if not isinstance(data, dict):
            return data
        sections = {n for n, f in cls.model_fields.items() if isinstance(f.default, BaseModel)}
        return {k: v for k, v in data.items() if not (v is None and k in sections)}


def _aliases() -> type[Section]:
    """Return the section with a map for each key whose values can be joined."""
    notes = {"camera_serial": "For a camera whose programs tell different serial numbers of it."}
    fields: dict[str, Any] = {
        key.name: (dict[str, str], Field({}, description=notes.get(key.name)))
        for key in all_keys()
        if key.alias
    }
    doc = "Names to treat as one: ``written in the header: name to use``."
    return create_model("Aliases", __base__=Section, __doc__=doc, **fields)


if TYPE_CHECKING:
    Aliases = Section
else:
    Aliases = _aliases()


class HeaderExtras(Section):
    """Additions to the tables by which headers are read."""

    keywords: dict[str, list[str]] = {}
    """Quantity to further keywords that hold it, e.g. ``exposure: [EXPO_S]``."""
    frame_types: dict[str, Literal["bias", "dark", "darkflat", "flat", "light"]] = {}
    """Further spellings of a frame type, e.g. ``Schwarzbild: dark``."""


class ExposureTolerance(Section):
    """Exposures are equal within the larger of the two."""

    seconds: float = Field(0.001, ge=0)
    fraction: float = Field(0.001, ge=0, lt=1)


class TemperatureTolerance(Section):
    """Temperatures are equal within these, °C."""

    bias: float = Field(3.0, gt=0)
    dark: float = Field(1.0, gt=0)
    darkflat: float = Field(1.0, gt=0)
    flat: float = Field(5.0, gt=0)


class Tolerance(Section):
    """How far two frames may part and still be alike; grouping and matching use the same."""

    exposure: ExposureTolerance = ExposureTolerance()
    temperature: TemperatureTolerance = TemperatureTolerance()


class Sessions(Section):
    """How frames are split in time: ``night`` (noon to noon), a gap such as ``3h``, or ``none``."""

    bias: Session = "night"
    dark: Session = "night"
    darkflat: Session = "3h"
    flat: Session = "3h"


class Grouping(Section):
    """What is let into one group although it differs."""

    flat_exposure: Literal["auto", "equal", "any"] = "auto"
    """Flats of one session and filter with different exposures, as twilight asks for: `any` joins
    them, `equal` parts them; `auto` joins them where there are three exposures or more and none of
    them has `frames.minimum` frames, or where none has `frames.required`. By which exposure a
    dark-flat matches is another matter: `tolerance.exposure`."""


class FrameCounts(Section):
    """A number of frames for each type."""

    bias: int = Field(50, ge=1)
    dark: int = Field(15, ge=1)
    darkflat: int = Field(15, ge=1)
    flat: int = Field(20, ge=1)


class RecommendedCounts(FrameCounts):
    """Frames that are worth their time."""

    bias: int = Field(100, ge=1)
    dark: int = Field(30, ge=1)
    darkflat: int = Field(30, ge=1)
    flat: int = Field(30, ge=1)


class OptimalCounts(FrameCounts):
    """Frames beyond which more change little."""

    bias: int = Field(200, ge=1)
    dark: int = Field(50, ge=1)
    darkflat: int = Field(50, ge=1)
    flat: int = Field(50, ge=1)


class Frames(Section):
    """How many frames make a master."""

    required: int = Field(3, ge=1)
    """Fewer: not built, and said so."""
    minimum: FrameCounts = FrameCounts()
    """Fewer: built, with a warning verdict."""
    recommended: RecommendedCounts = RecommendedCounts()
    """Frames that are worth their time."""
    optimal: OptimalCounts = OptimalCounts()
    """Frames beyond which more change little."""


class TypeIntegration(Section):
    """How one frame type is combined; `low` and `high` have the rejection's own units."""

    rejection: RejectionName = "auto"
    low: float | None = Field(None, ge=0)
    """``null``: the default of the rejection for this type."""
    high: float | None = Field(None, ge=0)
    normalization: Literal["none", "multiplicative"] = "none"


class FlatIntegration(TypeIntegration):
    """How flats are combined: each scaled to the group's mean level before rejection."""

    normalization: Literal["none", "multiplicative"] = "multiplicative"


class Integration(Section):
    """How frames are combined."""

    profile: Literal["calibrary", "anawbpps", "wbpp", "siril"] = "calibrary"
    """Rejections and limits of a named program; a type's own settings below go before it."""
    bias: TypeIntegration = TypeIntegration()
    dark: TypeIntegration = TypeIntegration()
    darkflat: TypeIntegration = TypeIntegration()
    flat: FlatIntegration = FlatIntegration()


Rung = Literal["darkflat", "dark", "library", "bias", "none"]


class Match(Section):
    """What calibrates a flat."""

    window: Gap = "3h"
    """A dark-flat belongs to a flat when taken within this time of it."""
    prefer: Literal["later", "earlier", "nearest"] = "later"
    ladder: tuple[Rung, ...] = ("darkflat", "dark", "library", "bias", "none")
    """Calibrators in the order they are looked for."""


class Output(Section):
    """How masters are written."""

    format: Literal["xisf", "fits", "both"] = "xisf"
    codec: Literal["lz4", "lz4hc", "zlib", "zstd", "none"] = "lz4"
    shuffle: bool = True
    checksum: Literal["sha-1", "sha-256", "sha-512", "none"] = "sha-1"
    fits_units: Literal["adu", "normalised"] = "adu"


class Publish(Section):
    """Which masters go into the library."""

    masters: Literal["passed", "all"] = "passed"
    """``all``: publish masters that failed verification too; their header says so."""
    fewer: Literal["refuse", "warn"] = "refuse"
    """What becomes of a master that lost frames of the one it would replace, though they are still
    in the source and in no other group: bad, or set aside. ``refuse``: the old one stays."""


def _publish(value: object) -> object:
    return {"masters": value} if isinstance(value, str) else value


Folder = Annotated[str, StringConstraints(min_length=1), AfterValidator(os.path.expanduser)]


def _folders(value: object) -> object:
    return [value] if isinstance(value, str | Path) else value


class Config(Section):
    """The whole configuration."""

    source: Annotated[tuple[Folder, ...], BeforeValidator(_folders), Field(min_length=1)]
    """A folder or a list of folders, scanned recursively."""
    library: Folder
    """Root of the masters library."""
    results: Folder = "results"
    """Manifest, plan, verdicts, previews, report, logs, benchmarks."""
    report: Folder | None = None
    """Where the report is written; ``null``: ``report.html`` in the folder of the results."""
    overrides: Folder | None = "config/overrides.yaml"
    """A file of corrections: raw, retype, set, pin, forbid. The default one need not exist."""
    aliases: Aliases = Aliases()
    """Names to treat as one."""
    headers: HeaderExtras = HeaderExtras()
    """Additions to the tables by which headers are read."""
    tolerance: Tolerance = Tolerance()
    """How far two frames may part and still be alike; grouping and matching use the same."""
    session: Sessions = Sessions()
    """How frames are split in time: `night` (noon to noon), a gap such as `3h`, or `none`."""
    grouping: Grouping = Grouping()
    """What is let into one group although it differs."""
    frames: Frames = Frames()
    """How many frames make a master."""
    integration: Integration = Integration()
    """How frames are combined."""
    match: Match = Match()
    """What calibrates a flat."""
    use_bias: bool = True
    """``false``: the dark-library workflow; no bias masters are built or used."""
    output: Output = Output()
    """How masters are written."""
    reuse_existing: bool = True
    """A group whose master is in the library, of the same frames and settings, is not built."""
    overwrite_foreign: bool = False
    """Replace masters that Calibrary did not make where it needs their place."""
    publish: Annotated[
        Publish,
        BeforeValidator(_publish, json_schema_input_type=Publish | Literal["passed", "all"]),
    ] = Publish()
    """Which masters go into the library; ``publish: all`` is short for ``publish.masters: all``."""
    verify: VerifyLimits = VerifyLimits()
    """Where the figures of a master turn from pass to warn, and from warn to fail."""

    @property
    def report_path(self) -> Path:
        """Where the report is written."""
        return Path(self.report or Path(self.results, "report.html"))


def load_config(data: Mapping[str, Any]) -> Config:
    """Validate a configuration.

    Raises
    ------
    CalibraryError
        Names every bad key, its value and what is allowed.
    """
    try:
        return Config.model_validate(dict(data))
    except ValidationError as error:
        raise CalibraryError("; ".join(_explain(e) for e in error.errors())) from None


def _explain(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"config key '{key}' is unknown; allowed here: {', '.join(_siblings(error['loc']))}"
    if error["type"] == "missing":
        return f"config key '{key}' is required"
    return f"config key '{key}' is {error['input']!r}; allowed: {_allowed(error)}"


_ALLOWED = {
    "string_type": "text; put a number that is meant as text into quotes",
    "string_too_short": "a text that is not empty",
    "tuple_type": "a list, such as [a, b]",
    "list_type": "a list, such as [a, b]",
    "dict_type": "pairs, such as {a: b}",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
"""What is allowed where pydantic's own words are those of a programmer."""


def _allowed(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    if error["loc"] == ("source",):
        return "a folder, or a list of folders"
    if error["type"] in ("model_type", "model_attributes_type"):
        return f"keys of its own, {', '.join(_siblings((*error['loc'], '')))}"
    plain: str = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return _ALLOWED.get(error["type"], plain)


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Config
    for part in location[:-1]:
        model = model.model_fields[part].annotation
    return sorted(model.model_fields)
