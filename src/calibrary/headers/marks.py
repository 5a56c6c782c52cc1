"""Marks that programs leave in files which are not raw; the table is `marks.toml`."""

from __future__ import annotations

import fnmatch
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from calibrary.formats.cards import COMMENTARY
from calibrary.headers.lookup import Header, clean_text, number

_TABLE = Path(__file__).with_name("marks.toml")
_NOTHING = frozenset({"", "n/a", "f", "0", "none", "no", "false"})


class Shown(StrEnum):
    """What a mark shows."""

    MASTER = "master"
    STACK = "stack"
    CALIBRATED = "calibrated"


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of the table; see there."""

    program: str
    shows: Shown
    where: str
    """``keyword``, ``property``, ``extension`` or ``file``."""
    names: re.Pattern[str]
    test: Mapping[str, object]


def find_mark(header: Header, shows: Shown, file_name: str) -> str | None:
    """Return the first mark in a file that shows `shows`, ready to be told; ``None`` if none."""
    for mark in _marks():
        if mark.shows is shows and (found := _find(mark, header, file_name)) is not None:
            return found
    return None


def _find(mark: Mark, header: Header, file_name: str) -> str | None:
    if mark.where == "file":
        stem = re.sub(r"\.[a-z]+(\.[fg]z)?$", "", file_name.lower())
        return "its name says so" if mark.names.fullmatch(stem) else None
    if mark.where == "extension":
        found = next((name for name in header.extensions if mark.names.fullmatch(name)), None)
        return None if found is None else f"it has the extension {found}"
    for key, value in _values(mark, header):
        if _fits(mark.test, value):
            text = "T" if value is True else clean_text(value) or ""
            says = "says" if key in COMMENTARY else "is"
            return f"{key} {says} {text[:60] if value is True else repr(text[:60])}"
    return None


def _values(mark: Mark, header: Header) -> Iterator[tuple[str, object]]:
    if mark.where == "property":
        for key, value in header.properties.items():
            if mark.names.fullmatch(key):
                yield key, value
        return
    for card in header.cards:
        if mark.names.fullmatch(card.keyword):
            yield card.keyword, card.comment if card.keyword in COMMENTARY else card.value


def _fits(test: Mapping[str, object], value: object) -> bool:
    told = "T" if value is True else clean_text(value) or ""
    text, count = told.lower(), number(value)
    match test:
        case {"set": True}:
            return text not in _NOTHING
        case {"true": True}:
            return value is True or text == "t" or count == 1
        case {"above": int(limit)}:
            return count is not None and count > limit
        case {"letters": str(letters)}:
            return any(letter in told.upper() for letter in letters)
        case {"begins": [*starts]}:
            return text.startswith(tuple(map(str, starts)))
        case {"words": [*words], **rest}:
            unless = rest.get("unless")
            denied = isinstance(unless, list) and any(str(word) in text for word in unless)
            return not denied and any(str(word) in text for word in words)
    return False


_TESTS = frozenset({"set", "true", "above", "letters", "begins", "words", "unless"})
_WHERE = ("keyword", "property", "extension", "file")


@functools.cache
def _marks() -> Sequence[Mark]:
    return [_mark(row) for row in tomllib.loads(_TABLE.read_text("utf-8"))["mark"]]


def _mark(row: Mapping[str, object]) -> Mark:
    (where,) = (key for key in _WHERE if key in row)
    names, test = row[where], {key: value for key, value in row.items() if key in _TESTS}
    unknown = set(row) - _TESTS - {"program", "shows", where}
    if unknown or not isinstance(names, list) or (where in ("keyword", "property")) != bool(test):
        msg = f"{_TABLE.name}: the mark of {row.get('program')} cannot be understood"
        raise ValueError(msg)
    patterns = "|".join(f"(?:{fnmatch.translate(str(name))})" for name in names)
    return Mark(str(row["program"]), Shown(str(row["shows"])), where, re.compile(patterns), test)
