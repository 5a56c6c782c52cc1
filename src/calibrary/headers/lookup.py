"""Look a quantity up in a header: which keyword or property holds it, and what it says."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from calibrary.formats.cards import Card
from calibrary.headers.dialects import Dialects

MAX_TEXT = 200
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([ED][+-]?\d{1,3})?", re.IGNORECASE)


class Found(NamedTuple):
    """A value and the key it stands under."""

    value: object
    key: str
    comment: str = ""
    raw: str = ""


def number(value: object) -> float | None:
    """Return `value` as a finite number, from text too; ``None`` where it is none.

    A comma is a decimal point where there is no point.
    """
    if isinstance(value, str):
        text = value.strip(" '\"")
        if len(text) > 60 or not _NUMBER.fullmatch(text):
            return None
        value = float(text.replace(",", ".").upper().replace("D", "E"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def clean_text(value: object) -> str | None:
    """Return `value` as one line of text without quotes and blanks around; ``None`` if empty.

    What cannot be printed becomes a blank and only the first 200 characters are kept: the text goes
    into tables and names.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = str(value)[: 4 * MAX_TEXT]
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).encode("utf-8", "replace").decode("utf-8")
    if not text.isprintable():
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1].strip()
    return text[:MAX_TEXT].rstrip() or None


class Header:
    """The keywords and properties of one image, by quantity.

    `sources` and `warnings` gather what was taken from where, and what is odd about it.
    """

    def __init__(
        self,
        cards: Sequence[Card],
        properties: Mapping[str, object],
        dialects: Dialects,
        extensions: Sequence[str] = (),
    ) -> None:
        self.cards = cards
        self.properties = properties
        self.extensions = extensions
        """Names of further HDUs, upper case."""
        self.dialects = dialects
        self.sources: dict[str, str] = {}
        self.warnings: list[str] = []
        self._first: dict[str, Card] = {}
        for card in cards:
            # A later card of the same keyword counts where the first is empty.
            known = self._first.get(card.keyword)
            if known is None or known.value is None or known.value == "":
                self._first[card.keyword] = card

    def warn(self, text: str) -> None:
        """Note something the user should know."""
        self.warnings.append(text)

    def keyword(self, keyword: str) -> Found | None:
        """Return what stands under a keyword; ``None`` if it is absent or empty."""
        card = self._first.get(keyword)
        if card is None or card.value is None or card.value == "":
            return None
        return Found(card.value, keyword, card.comment, card.raw)

    def all(self, quantity: str) -> Iterator[Found]:
        """Yield every value of a quantity, the best first."""
        properties = self.dialects.properties.get(quantity, ()) if self.properties else ()
        properties_first = quantity in self.dialects.property_first
        if properties_first:
            yield from self._of_properties(properties)
        for keyword in self.dialects.keywords.get(quantity, ()):
            if keyword in self._first:
                found = self.keyword(keyword)
                if found is not None:
                    yield found
        if not properties_first:
            yield from self._of_properties(properties)

    def _of_properties(self, identifiers: Iterable[str]) -> Iterator[Found]:
        for identifier in identifiers:
            if identifier in self.properties:
                yield Found(self.properties[identifier], identifier)

    def first(self, quantity: str) -> Found | None:
        """Return the best value of a quantity."""
        return next(self.all(quantity), None)

    def number(self, quantity: str, field: str | None = None) -> float | None:
        """Return the first value of a quantity that is a number, and note its key for `field`.

        Text that is no number is told in a warning, unless it means *unknown*.
        """
        for found in self.all(quantity):
            value = number(found.value)
            if value is not None:
                self.sources[field or quantity] = found.key
                return value
            self.not_understood(found)
        return None

    def not_understood(self, found: Found) -> None:
        """Warn of a value that is no number, unless it means *unknown*."""
        text = clean_text(found.value)
        if text is not None and text.lower() not in self.dialects.unknown["numbers"]:
            self.warn(f"{found.key} is {text[:40]!r}, which is no number: unknown")

    def text(self, quantity: str, field: str | None = None) -> str | None:
        """Return the first value of a quantity that holds text, and note its key for `field`."""
        for found in self.all(quantity):
            text = clean_text(found.value)
            if text is None or text.lower() in self.dialects.unknown.get(quantity, ()):
                continue
            if text.lower() in self.dialects.unknown.get(found.key, ()):
                continue
            self.sources[field or quantity] = found.key
            return text
        return None

    def texts_of(self, *keywords: str) -> Iterator[str]:
        """Yield the texts of commentary cards such as HISTORY, with the card's own case."""
        for card in self.cards:
            if card.keyword in keywords and card.comment:
                yield card.comment
