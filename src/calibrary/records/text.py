"""Header text and numbers as parts of names."""

from __future__ import annotations

import re
from decimal import Decimal

MAX_TEXT = 48
"""Longest piece of header text in a name: four of them and the rest stay below 255 bytes."""

UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def sanitise(text: str | None) -> str:
    """Return header text as a part of a file name; empty if there is none.

    Surrounding blanks go, every character but ASCII letters, digits, ``_`` and ``-`` becomes
    ``_``; case is kept and runs are not collapsed.
    """
    return UNSAFE.sub("_", (text or "").strip())[:MAX_TEXT]


def decimal(value: float) -> str:
    """Return the shortest decimal that is right to a millionth: ``120``, ``0.5``, ``2.31845``."""
    text = f"{Decimal(repr(round(value, 6))):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
