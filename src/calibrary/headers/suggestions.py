"""Keywords that nobody has taught us: which of a header's own looks like what is missing."""

from __future__ import annotations

import re

from calibrary.headers.dialects import Dialects, normalise_type
from calibrary.headers.lookup import Header, clean_text, number

_LIKE_EXPOSURE = re.compile(r"EXP(?!O?NO|NUM|ID|START|END|MODE)|SHUTTER|INTTIME|ITIME")
_LIKE_FILTER = re.compile(r"FIL?T")
_NO_TYPE_KEYWORDS = frozenset({"OBJECT", "TITLE", "FILENAME", "EXTNAME", "XTENSION"})
"""They name what is seen, or the file: a light of a dark nebula is no dark."""


def looks_like_type(header: Header) -> tuple[str, str] | None:
    """Return keyword and text of a card that looks like the frame's type."""
    known = header.dialects.keywords["frame_type"]
    for card in header.cards:
        if card.keyword in known or card.keyword in _NO_TYPE_KEYWORDS:
            continue
        text = clean_text(card.value)
        if text is not None and isinstance(card.value, str) and _is_type(header.dialects, text):
            return card.keyword, text
    return None


def _is_type(dialects: Dialects, text: str) -> bool:
    plain = normalise_type(text)
    return len(plain) > 2 and any(pattern.fullmatch(plain) for pattern, _ in dialects.frame_types)


def suggest(header: Header, quantity: str) -> None:
    """Warn of an unknown keyword that looks like `quantity`: ``exposure`` or ``filter``."""
    like = {"exposure": _LIKE_EXPOSURE, "filter": _LIKE_FILTER}[quantity]
    known = {
        keyword
        for name, keywords in header.dialects.keywords.items()
        if quantity in name
        for keyword in keywords
    }
    for card in header.cards:
        if card.keyword in known or not like.search(card.keyword):
            continue
        value = number(card.value) if quantity == "exposure" else clean_text(card.value)
        if value is not None and not isinstance(card.value, bool):
            header.warn(
                f"{card.keyword} = {clean_text(card.value)} looks like the {quantity}: if it is,"
                f" add it under headers.keywords.{quantity}"
            )
            return
