"""The end of a run on the terminal: one line a master, and what was not done and why."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from calibrary.records import Verdict
from calibrary.report import formats
from calibrary.report.results import MasterResult, Results, read_results

SHOWN_MASTERS = 40
SHOWN_REASONS = 20
"""More would scroll the summary off the screen; the report has them all."""

PIPE_WIDTH = 1000
VERDICT_AT = 17
"""Column where the verdict starts."""

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
        for row in _lines(listed[:SHOWN_MASTERS], console.width):
            console.print(row, soft_wrap=True)
    if len(listed) > SHOWN_MASTERS:
        console.print(f"and {len(listed) - SHOWN_MASTERS} more masters, none worse than these")
    for lines in (_reasons(listed), _set_aside(found), [_totals(found)]):
        for line in lines:
            console.print(line, soft_wrap=True)
    console.print(f"report: {escape(str(results / 'report.html'))}", soft_wrap=True)


def _console() -> Console:
    """Return the standard output: as wide as the terminal, or in a pipe as what is printed."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _lines(masters: Sequence[MasterResult], width: int) -> Iterator[Text]:
    """Lay the masters out; where a line cannot hold the path, it stands below the group.

    Names are never broken, so that they can be copied.
    """
    group_width = max(len(m.plan.group) for m in masters)
    paths = [_place(m) for m in masters]
    start = len(_head("Type", "N", "Verdict", "Time"))
    wide = start + group_width + 2 + max(map(len, paths)) <= width
    group = f"{'Group':<{group_width}}  Path" if wide else "Group, path"
    yield Text(_head("Type", "N", "Verdict", "Time") + group, "bold")
    for master, path in zip(masters, paths, strict=True):
        head = _head(
            formats.TYPE_NAMES[master.plan.frame_type],
            str(master.record.get("n_combined") or master.n_frames),
            f"{formats.VERDICT_MARKS[master.verdict]} {master.verdict}",
            formats.duration(master.seconds) if master.built else "",
        )
        gap = " " * (group_width - len(master.plan.group) + 2) if wide else f"\n{' ' * start}"
        line = Text(f"{head}{master.plan.group}{gap}{path}")
        line.stylize(_verdict(master), VERDICT_AT, VERDICT_AT + 6)
        yield line


def _head(frame_type: str, n: str, verdict: str, time: str) -> str:
    return f"{frame_type:<9} {n:>5}  {verdict:<7}  {time:>10}  "


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
