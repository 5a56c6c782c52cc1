"""Cards: ``KEYWORD = value / comment``, as FITS headers and XISF keywords hold them.

Written for headers as they are found, not as the standard wants them: decimal commas, missing
quotes, lower-case and over-long keywords, bytes that are not ASCII. Nothing here raises for bad
bytes; what cannot be understood stays text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from calibrary.records import CalibraryError, Reason, ReasonCode, UnreachableError, is_unreachable

CARD_BYTES = 80
COMMENTARY = frozenset({"", "HISTORY", "COMMENT", "END"})
"""Keywords without a value: their text is the card's comment."""

ADDED_PEDESTAL = "ADDEDPED"
"""ADU that Calibrary added to the samples of a master, so that [0, 1] holds them; it is in PEDESTAL
too, with what the frames had."""
MISSING_PIXELS = "MISSPIX"
"""How many pixels of a master have no sample in any frame: 0 in XISF, NaN in FITS."""

Value = str | int | float | bool | None


class HeaderError(CalibraryError):
    """A file that cannot be understood; its text names the file, `reason` says the rest."""

    def __init__(
        self, path: object, text: str, remedy: str, code: ReasonCode = ReasonCode.DAMAGED
    ) -> None:
        self.reason = Reason(code, text, remedy)
        super().__init__(f"{path}: {self.reason}")


def unreadable(path: object, error: Exception) -> HeaderError | UnreachableError:
    """Return the error for a file that the system, or unpacking, cannot read."""
    if isinstance(error, PermissionError):
        what = "no permission to read it", "change its permissions"
    elif isinstance(error, FileNotFoundError):
        what = "there is no such file", "check its name"
    elif isinstance(error, IsADirectoryError):
        return HeaderError(path, "is a folder", "name the files in it")
    else:
        told = getattr(error, "strerror", None) or str(error) or type(error).__name__
        what = f"cannot be read ({told})", "copy it again"
    return UnreachableError(path, *what) if is_unreachable(error) else HeaderError(path, *what)


class Card(NamedTuple):
    """One card.

    `keyword` is upper case, without the word HIERARCH. `value` is ``None`` where the card has
    none; text comes without quotes and without trailing blanks. The text of HISTORY and COMMENT
    is in `comment`.
    """

    keyword: str
    value: Value
    comment: str
    raw: str


_FREE_FORM = re.compile(r"\s*(?:HIERARCH\s+)?([^=']{1,60}?)\s*=\s*(.*)", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"'((?:[^']|'')*)(?:'|$)")
_NUMBER_STARTS = frozenset("+-.0123456789")


def parse_cards(header: bytes) -> list[Card]:
    """Return the cards of a FITS header up to END, with CONTINUE lines joined.

    Parameters
    ----------
    header
        A multiple of 80 bytes; END and what follows it are left out.
    """
    cards: list[Card] = []
    for text in _lines(header):
        if text[:8] == "CONTINUE" and _continues(cards):
            last = cards[-1]
            value, comment = split_value(text[8:])
            joined = str(last.value)[:-1] + (value if isinstance(value, str) else "")
            cards[-1] = Card(last.keyword, joined, last.comment + comment, last.raw + text)
        else:
            cards.append(parse_card(text))
    return cards


def parse_card(text: str) -> Card:
    """Return the card that `text` (80 characters, or fewer) holds."""
    keyword = text[:8].rstrip()
    plain = keyword.isupper() and " " not in keyword and keyword not in COMMENTARY
    if plain and text[8:10] == "= ":
        value, comment = split_value(text[10:])
        return Card(keyword, value, comment, text)
    upper = keyword.strip().upper()
    free = None if upper in COMMENTARY else _FREE_FORM.match(text)
    if free is None:
        return Card(upper, None, text[8:].strip(), text)
    value, comment = split_value(free[2])
    return Card(" ".join(free[1].upper().split()), value, comment, text)


def split_value(text: str) -> tuple[Value, str]:
    """Return value and comment of what stands after the equals sign."""
    text = text.lstrip()
    if text[:1] == "'":
        quoted = _QUOTED.match(text)
        if quoted is not None:
            comment = text[quoted.end() :].partition("/")[2].strip()
            return quoted[1].replace("''", "'").rstrip(), comment
    token, _, comment = text.partition("/")
    return parse_token(token.strip()), comment.strip()


def parse_token(token: str) -> Value:
    """Return an unquoted value: a truth value, a number, else the text itself."""
    if token[:1] in _NUMBER_STARTS and token:
        return _number(token)
    if token == "T":
        return True
    if token == "F":
        return False
    return token or None


def _number(token: str) -> Value:
    if "_" in token or len(token) > CARD_BYTES:
        return token
    if "." not in token:
        try:
            return int(token)
        except ValueError:
            pass
    try:
        return float(token)
    except ValueError:
        pass
    try:
        return float(token.upper().replace("D", "E", 1))
    except ValueError:
        return token


def _lines(header: bytes) -> list[str]:
    try:
        text = header.decode("ascii")
    except UnicodeDecodeError:
        pieces = (header[at : at + CARD_BYTES] for at in range(0, len(header), CARD_BYTES))
        lines = [decode(piece) for piece in pieces]
    else:
        lines = [text[at : at + CARD_BYTES] for at in range(0, len(text), CARD_BYTES)]
    for number, line in enumerate(lines):
        if line[:3] == "END" and not line[3:8].strip("\0 "):
            return lines[:number]
    return lines


def decode(raw: bytes) -> str:
    """Return the text of header bytes: UTF-8 where it is that, else Latin-1, which always is."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _continues(cards: list[Card]) -> bool:
    value = cards[-1].value if cards else None
    return isinstance(value, str) and value.endswith("&")
