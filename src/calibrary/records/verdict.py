"""What verification says of a master."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What verification says of a master."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


VOID = ".void"
"""Suffix of a verdict that is to be made anew; until then it tells which masters are our own."""
