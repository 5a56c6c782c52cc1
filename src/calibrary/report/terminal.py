"""The end of a run on the terminal: one line a master, and what was not done and why."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from calibrary.model import Verdict
from calibrary.report import formats
from calibrary.report.results import MasterResult, Results, read_results

SHOWN_MASTERS = 40
SHOWN_REASONS = 20
"""More would scroll the summary off the screen; the report has them all."""

PIPE_WIDTH = 1000

_STYLES = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}
_RANK = {Verdict.FAIL: 0, Verdict.WARN: 1, Verdict.PASS: 2}


def print_summary(
    results: Path, *, since: float | None = None, console: Console | None = None
) -> None:
    """Print what became of every group; in a pipe without colours and frames.

    Masters that were up to date are counted, not listed, unless they were warned or failed.

    Parameters
    ----------
    results
        The results folder of a run.
    since
        Start of the run, s since 1970: masters integrated before it are up to date.
    console
        Where to print; the standard output when None.

    Raises
    ------
    CalibraryError
        The results folder has no plan, or a file in it is damaged.
    """
    found = read_results(results, since)
    console = console or _console()
    listed = [m for m in found.masters if m.outcome != "reused" or m.verdict != Verdict.PASS]
    listed.sort(key=lambda m: _RANK[m.verdict])
    if listed:
        console.print(_table(listed[:SHOWN_MASTERS]))
    if len(listed) > SHOWN_MASTERS:
        console.print(f"and {len(listed) - SHOWN_MASTERS} more masters, none worse than these")
    for lines in (_reasons(listed), _set_aside(found), [_totals(found)]):
        for line in lines:
            console.print(line)
    console.print(f"report: {escape(str(results / 'report.html'))}")


def _console() -> Console:
    """Return the standard output: as wide as the terminal, or in a pipe as what is printed."""
    return Console(
        highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH
    )


def _table(masters: Iterable[MasterResult]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("Type", "Group", "N", "Verdict", "Time", "Path"):
        figures = name in ("N", "Time")
        table.add_column(
            name,
            justify="right" if figures else "left",
            no_wrap=name not in ("Group", "Path"),
            overflow="fold",
        )
    for master in masters:
        table.add_row(
            formats.TYPE_NAMES[master.plan.frame_type],
            Text(master.plan.group),
            str(master.record.get("n_combined") or master.n_frames),
            Text(f"{formats.VERDICT_MARKS[master.verdict]} {master.verdict}", _verdict(master)),
            formats.duration(master.seconds) if master.built else "",
            Text(_place(master)),
        )
    return table


def _verdict(master: MasterResult) -> str:
    return _STYLES[master.verdict]


def _place(master: MasterResult) -> str:
    """Return where the master is, and what is unusual about it."""
    path = str(master.record.get("master") or "")
    if master.outcome == "published":
        return path
    what = formats.OUTCOME_NAMES[master.outcome]
    return f"{path} ({what})" if path else f"({what})"


def _reasons(masters: Iterable[MasterResult]) -> list[str]:
    """Return a line for each master that did not simply pass."""
    told = [m for m in masters if m.reason and m.verdict != Verdict.PASS]
    lines = [
        f"[{_verdict(m)}]{m.verdict}[/] {escape(m.plan.group)}: {escape(m.reason)}"
        for m in told[:SHOWN_REASONS]
    ]
    if len(told) > SHOWN_REASONS:
        lines.append(f"and {len(told) - SHOWN_REASONS} more with reasons: see the report")
    return lines


def _set_aside(results: Results) -> list[str]:
    reasons = results.reasons()
    lines = [
        f"{count} frame{'s' if count != 1 else ''} set aside: {escape(reason)}"
        for reason, count in reasons[:SHOWN_REASONS]
    ]
    if len(reasons) > SHOWN_REASONS:
        lines.append(f"and {len(reasons) - SHOWN_REASONS} more reasons: see the report")
    return lines


def _totals(results: Results) -> str:
    counts = {
        "built": sum(m.outcome == "published" for m in results.masters),
        "up to date": results.count(outcome="reused") + results.count(outcome="kept"),
        "not published": results.count(outcome="refused"),
        "not built": results.count(outcome="not_built"),
        "warned": results.count(verdict=Verdict.WARN),
        "failed": results.count(verdict=Verdict.FAIL),
    }
    told = [f"{n} {what}" for what, n in counts.items() if n or what in ("built", "up to date")]
    if results.bytes_read:
        told.append(
            f"{formats.data_size(results.bytes_read)} in {formats.duration(results.seconds)}"
        )
    return ", ".join(told)
