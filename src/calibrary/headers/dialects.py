"""The tables of `dialects.toml`, with what a user adds to them."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from calibrary.records import CalibraryError, FrameType

_TABLES = Path(__file__).with_name("dialects.toml")


class HeaderExtras(Protocol):
    """What a user adds: `calibrary.config`'s section ``headers``, or anything of its shape."""

    @property
    def keywords(self) -> Mapping[str, list[str]]:
        """Quantity to further keywords."""

    @property
    def frame_types(self) -> Mapping[str, str]:
        """Spelling to frame type."""


@dataclass(frozen=True)
class Dialects:
    """The tables by which headers are read."""

    keywords: Mapping[str, tuple[str, ...]]
    """Quantity to the keywords that hold it, the best first."""
    properties: Mapping[str, tuple[str, ...]]
    property_first: frozenset[str]
    frame_types: tuple[tuple[re.Pattern[str], FrameType], ...]
    """Patterns of normalised values, in the order they are tried."""
    frame_type_numbers: Mapping[int, FrameType]
    names: Mapping[str, FrameType]
    """Words of file and folder names."""
    not_after: frozenset[str]
    units: Mapping[str, float]
    """Keyword or property to what one of its numbers is in the unit of the field."""
    name_exposures: tuple[re.Pattern[str], ...]
    name_filters: tuple[re.Pattern[str], ...]
    filter_words: frozenset[str]
    unknown: Mapping[str, frozenset[str]]
    dead_clocks: frozenset[str]
    """Days, ``YYYY-MM-DD``, that a clock shows which was never set."""
    first_year: int
    first_years: Mapping[str, int]
    """Part of the name of a camera or program to the first year there were any."""
    programs: Mapping[str, tuple[str, ...]]
    digest: str
    """Of all the above: headers read by other tables have another."""


def load_dialects(extras: HeaderExtras | Mapping[str, object] | None = None) -> Dialects:
    """Return the tables, with a user's additions.

    Parameters
    ----------
    extras
        ``keywords``: quantity to further keywords, tried after the known ones; ``frame_types``:
        spelling to type, tried before the known ones.

    Raises
    ------
    CalibraryError
        An addition names a quantity that there is not.
    """
    return _load(json.dumps(plain_extras(extras), sort_keys=True))


def plain_extras(extras: HeaderExtras | Mapping[str, object] | None) -> dict[str, object]:
    """Return a user's additions as plain data, which can go to another process."""
    if extras is None:
        return {}
    if isinstance(extras, Mapping):
        return {key: extras[key] for key in ("keywords", "frame_types") if extras.get(key)}
    return plain_extras({"keywords": extras.keywords, "frame_types": extras.frame_types})


def _all_tables() -> bytes:
    return b"".join(path.read_bytes() for path in sorted(_TABLES.parent.glob("*.toml")))


@functools.lru_cache(maxsize=4)
def _load(extras_json: str) -> Dialects:
    tables, extras = tomllib.loads(_TABLES.read_text("utf-8")), json.loads(extras_json)
    keywords = {quantity: tuple(names) for quantity, names in tables["keywords"].items()}
    for quantity, names in extras.get("keywords", {}).items():
        if quantity not in keywords:
            allowed = ", ".join(sorted(keywords))
            msg = f"config key 'headers.keywords.{quantity}' is unknown; allowed here: {allowed}"
            raise CalibraryError(msg)
        keywords[quantity] += tuple(_keyword(name) for name in names)
    types = [(spelling, type_) for spelling, type_ in extras.get("frame_types", {}).items()]
    types += [(text, type_) for type_, texts in tables["frame_types"].items() for text in texts]
    names, told = tables["names"], tables["file_names"]
    return Dialects(
        keywords=keywords,
        properties={quantity: tuple(ids) for quantity, ids in tables["properties"].items()},
        property_first=frozenset(tables["precedence"]["property_first"]),
        frame_types=tuple((_pattern(text), FrameType(type_)) for text, type_ in types),
        frame_type_numbers={
            int(number): FrameType(type_) for number, type_ in tables["frame_type_numbers"].items()
        },
        names={
            word: FrameType(type_)
            for type_, words in names.items()
            if type_ != "not_after"
            for word in words
        },
        not_after=frozenset(names["not_after"]),
        units=tables["units"],
        name_exposures=tuple(re.compile(text, re.IGNORECASE) for text in told["exposure"]),
        name_filters=tuple(re.compile(text, re.IGNORECASE) for text in told["filter"]),
        filter_words=frozenset(told["filters"]),
        dead_clocks=frozenset(tables["clocks"]["dead"]),
        first_year=tables["clocks"]["first_year"],
        first_years=tables["first_years"],
        unknown={key: frozenset(values) for key, values in tables["unknown"].items()},
        programs={key: tuple(values) for key, values in tables["programs"].items()},
        digest=hashlib.sha256(_all_tables() + extras_json.encode()).hexdigest(),
    )


_DECORATION = re.compile(r"\(\d+\)\s*$")
_DROPPED = re.compile(r"FRAME|FIELD|IMAGE|MASTER")


def normalise_type(text: str) -> str:
    """Return a type's spelling without what programs vary: ``Dark Frame (1)`` gives ``DARK``."""
    compact = re.sub(r"[\s'\"_\-]", "", _DECORATION.sub("", text.upper()))
    return _DROPPED.sub("", compact)


def _pattern(spelling: str) -> re.Pattern[str]:
    parts = (re.escape(normalise_type(part)) for part in spelling.split("*"))
    return re.compile(".*".join(parts), re.DOTALL)


def _keyword(name: str) -> str:
    return " ".join(name.upper().split()).removeprefix("HIERARCH ")
