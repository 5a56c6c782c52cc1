"""The end of a run: its tables, its report, its exit status."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from calibrary import progress
from calibrary.config import Config
from calibrary.manifest import write_manifest
from calibrary.records import CalibraryError, Status, Verdict
from calibrary.records.keys import all_keys
from calibrary.results import standing

_AGREED = (
    "group",
    "frame_type",
    "setup",
    "telescope",
    "camera",
    "exposure_s",
    "temp_c",
    "gain",
    "offset",
    "readout_mode",
    "usb_limit",
    "binning",
    "filter",
    "width",
    "height",
    "night",
    "first_date_obs",
    "last_date_obs",
    "n_frames",
    "calibrator_kind",
    "calibrator",
    "master",
    "verdict",
    "reason",
)


def group_columns() -> tuple[str, ...]:
    """Return the columns of ``groups.csv``, in order."""
    fields = (field for key in all_keys() for field in key.held_in())
    # Last, so that what reads columns by their place goes on reading the right ones.
    return (*_AGREED, *(f for f in fields if f not in (*_AGREED, "x_binning", "y_binning")))


SHOWN_FAILED = 20
"""Groups that the error at the end names."""


def write_summary(config: Config) -> None:
    """Write manifest.csv, groups.csv and coverage.csv into the results folder, and the report."""
    from calibrary.library.index import read_library
    from calibrary.plan.coverage import coverage
    from calibrary.report.page import write_report

    results, library = Path(config.results), Path(config.library)
    plans = json.loads((results / "plan/groups.json").read_text(encoding="utf-8"))
    verdicts = {plan["group"]: standing(results, plan) for plan in plans}
    set_aside = _set_aside_later(verdicts, results)
    write_manifest(results / "plan/frames.csv", results / "manifest.csv", set_aside)
    write_groups(plans, verdicts, results / "groups.csv")
    masters = read_library(library, results / "cache/headers.sqlite")
    today = datetime.now(UTC).date()
    coverage(plans, masters, config, verdicts, today).to_csv(results / "coverage.csv", index=False)
    write_report(
        results,
        library,
        config.report_path,
        masters=masters,
        frames=config.frames,
        generated=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        since=started(results),
    )


def started(results: Path) -> float | None:
    """Return when the run began, s since 1970: it took its lock then."""
    lock = results / ".lock"
    return lock.stat().st_mtime if lock.exists() else None


def _set_aside_later(groups: Iterable[str], results: Path) -> dict[str, str]:
    """Return the frames that integration and its checks set aside, by path, and why."""
    reasons: dict[str, str] = {}
    for group in groups:
        measured = results / f"candidates/{group}.json"
        if measured.exists():
            for frame in json.loads(measured.read_text(encoding="utf-8"))["frames"]:
                if frame["status"] == Status.SET_ASIDE:
                    reasons[frame["path"]] = frame["reason"]
    return reasons


def write_groups(
    plans: Sequence[Mapping[str, Any]], verdicts: Mapping[str, Mapping[str, Any]], path: Path
) -> None:
    """Write ``groups.csv``: one row a group, whatever became of it."""
    rows = []
    for plan in plans:
        verdict = verdicts[plan["group"]]
        keys = plan["keys"]
        calibrator = verdict["calibrator"] or plan["calibrator"] or {}
        rows.append(
            {
                **keys,
                **{column: plan[column] for column in group_columns() if column in plan},
                "binning": f"{keys['x_binning']}x{keys['y_binning']}",
                "n_frames": plan["n_frames"],
                "calibrator_kind": calibrator.get("kind"),
                "calibrator": calibrator.get("group") or calibrator.get("master"),
                "master": verdict["master"],
                "verdict": verdict["verdict"],
                "reason": verdict["reason"],
            }
        )
    pd.DataFrame(rows, columns=list(group_columns())).to_csv(path, index=False)


def conclude(groups: Path) -> None:
    """Print the run's table.

    Parameters
    ----------
    groups
        ``results/groups.csv``.

    Raises
    ------
    CalibraryError
        The verdict of a group is fail; names the first of them, each with its reason.
    """
    from calibrary.report.terminal import print_summary

    if not progress.shown():
        print_summary(groups.parent, since=started(groups.parent))
    table = pd.read_csv(groups, keep_default_na=False)
    failed = table[table["verdict"] == Verdict.FAIL]
    if len(failed):
        told = [f"{row.group}: {row.reason}" for row in failed[:SHOWN_FAILED].itertuples()]
        if len(failed) > SHOWN_FAILED:
            told.append(f"and {len(failed) - SHOWN_FAILED} more, see groups.csv")
        msg = f"{len(failed)} of {len(table)} groups failed: {'; '.join(told)}"
        raise CalibraryError(msg)
