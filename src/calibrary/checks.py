"""The tests of verification: the table `checks.toml`, typed.

The config section ``verify`` (`calibrary.config.limits`), the verdict (`calibrary.verify.judge`),
the report and the tables of the docs are made from it. It imports next to nothing, so that jobs
start fast.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from calibrary.records import CALIBRATION_TYPES, FrameType

TABLE = Path(__file__).with_name("checks.toml")

_GROUPS: Mapping[str, tuple[FrameType, ...]] = {
    "all": CALIBRATION_TYPES,
    "closed": (FrameType.BIAS, FrameType.DARK, FrameType.DARKFLAT),
    "thermal": (FrameType.DARK, FrameType.DARKFLAT),
    **{kind.value: (kind,) for kind in CALIBRATION_TYPES},
}


@dataclass(frozen=True, slots=True)
class Check:
    """A test of one figure against two limits: a row of the table, whose head explains it."""

    name: str
    title: str
    types: tuple[FrameType, ...]
    side: Literal["above", "below"]
    meaning: str
    source: str
    message: str
    remedy: str
    warn: float | None = None
    fail: float | None = None
    unit: str = ""
    needs: str = ""

    @property
    def key(self) -> str:
        """Name of its limits in the config."""
        return self.name.replace(".", "_")


def read_checks(table: Path = TABLE) -> tuple[Check, ...]:
    """Return the tests of a table, in the order they are shown."""
    return tuple(_check(row) for row in _read(table)["check"])


def _check(row: Mapping[str, Any]) -> Check:
    return Check(**{**row, "types": _GROUPS[row["types"]]})


def _read(table: Path) -> dict[str, Any]:
    return tomllib.loads(table.read_text(encoding="utf-8"))


CHECKS = read_checks()

QC_KEYWORDS: Mapping[str, tuple[str, str]] = {
    name: (keyword, comment) for name, (keyword, comment) in _read(TABLE)["header"].items()
}
"""Figure to the keyword and comment with which it goes into the header of a master."""


def checks_table(checks: Iterable[Check] = CHECKS) -> str:
    """Return the tests as a Markdown table."""
    rows = "\n".join(
        f"| `{c.name}` | {c.title} | {', '.join(c.types)} | {_limits(c)} | {c.unit} "
        f"| {c.meaning} | {c.remedy} |"
        for c in checks
    )
    head = "| test | name | masters | warn / fail | unit | figure | what to do |\n"
    return f"{head}|---|---|---|---|---|---|---|\n{rows}\n"


def _limits(check: Check) -> str:
    sign = ">" if check.side == "above" else "<"
    told = ["–" if limit is None else f"{sign} {limit:g}" for limit in (check.warn, check.fail)]
    return " / ".join(told)
