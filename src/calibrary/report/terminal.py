"""The end of a run on the terminal: what was built, what needs attention, what to do about it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from calibrary.records import Verdict
from calibrary.report import formats
from calibrary.report.attention import Item, attention
from calibrary.report.results import Results, read_results

SHOWN = 20
"""Lines of what needs attention; more would scroll the rest off the screen."""

LONGEST_REASON = 2
"""Lines of a reason on a terminal."""

PIPE_WIDTH = 1000

_MARKS = {Verdict.PASS: "✓", Verdict.WARN: "!", Verdict.FAIL: "✕"}
_STYLES = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def print_summary(
    results: Path,
    *,
    report: Path | None = None,
    since: float | None = None,
    quiet: bool = False,
    console: Console | None = None,
) -> None:
    """Print what a run made, what needs attention with what to do, and where the report is.

    In a pipe there are no colours, and each item is one line.

    Parameters
    ----------
    results
        The results folder of a run.
    report
        The report; that in the results folder when None.
    since
        Start of the run, s since 1970: masters integrated before it are up to date.
    quiet
        Print what failed, and nothing else.
    console
        Where to print; the standard output when None.

    Raises
    ------
    CalibraryError
        The results folder has no plan, or a file in it is damaged.
    """
    found = read_results(results, since)
    console = console or standard_output()
    items = attention(found)
    if quiet:
        print_items(console, [item for item in items if item.verdict is Verdict.FAIL])
        return
    console.print(Text(_totals(found), "bold"), soft_wrap=not console.is_terminal)
    print_items(console, items)
    console.print(Text(f"report {report or results / 'report.html'}"), soft_wrap=True)


def standard_output() -> Console:
    """Return the standard output: as wide as the terminal, or in a pipe as what is printed."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def print_items(console: Console, items: Sequence[Item], *, more: str = "see the report") -> None:
    """Print what needs attention, the first of it; on a terminal no wider than that."""
    lines = _terminal_lines if console.is_terminal else _pipe_lines
    for text in lines(items[:SHOWN], console.width):
        console.print(text, soft_wrap=True)
    if len(items) > SHOWN:
        console.print(f"and {len(items) - SHOWN} more, none worse than these: {more}")


def _pipe_lines(items: Sequence[Item], _: int) -> Iterator[Text]:
    """Yield one line an item, whole."""
    for item in items:
        remedy = f" -> {item.remedy}" if item.remedy else ""
        yield Text(f"{_MARKS[item.verdict]} {item.what}: {item.reason}{remedy}")


def _terminal_lines(items: Sequence[Item], width: int) -> Iterator[Text]:
    """Yield the items in columns, what to do in the last one or below."""
    first = min(max((len(item.what) for item in items), default=0), width * 2 // 5)
    second = max((len(item.reason) for item in items), default=0)
    last = max((len(item.remedy) for item in items), default=0)
    one_line = 2 + first + 3 + second + 3 + last < width
    for item in items:
        start = 2 + first + 3 if len(item.what) <= first else 5
        reason = _cut(item.reason, max(20, width - start - 1))
        if one_line:
            reason = [f"{item.reason:<{second}}   {item.remedy}".rstrip()]
        elif item.remedy:
            short = f"{reason[-1]} · {item.remedy}"
            if len(reason) == 1 and start + len(short) < width:
                reason = [short]
            else:
                reason += _cut(f"→ {item.remedy}", max(20, width - start - 1))
        head = f"{item.what:<{first}}   {reason.pop(0)}" if start > 5 else item.what
        lines = [head, *(" " * (start - 2) + line for line in reason)]
        text = Text(f"{_MARKS[item.verdict]} " + "\n  ".join(lines))
        text.stylize(_STYLES[item.verdict], 0, 1)
        yield text


def _cut(text: str, width: int) -> list[str]:
    """Return a text in lines; `calibrary explain` and the report have the whole."""
    return textwrap.wrap(text, width, max_lines=LONGEST_REASON, placeholder=" …") or [""]


def _totals(results: Results) -> str:
    masters = results.masters
    built = sum(m.outcome == "published" for m in masters)
    counts = {
        "built": built,
        "up to date": sum(m.outcome in ("reused", "kept") for m in masters),
        "not published": results.count(outcome="refused"),
        "not built": results.count(outcome="not_built"),
    }
    made = [f"{n} {what}" for what, n in counts.items() if n] or ["no masters"]
    if built == 0 and len(made) == 1 and counts["up to date"]:
        made = [f"{formats.count(counts['up to date'], 'master')} up to date"]
    text = f"{', '.join(made)}: {', '.join(_verdicts(results))}"
    if results.bytes_read:
        text += f" · {formats.data_size(results.bytes_read)} in {formats.duration(results.seconds)}"
    return text


def _verdicts(results: Results) -> Iterator[str]:
    passed = results.count(verdict=Verdict.PASS)
    warned, failed = (results.count(verdict=v) for v in (Verdict.WARN, Verdict.FAIL))
    if passed:
        yield f"{passed} pass"
    if warned:
        yield f"{warned} need{'s' if warned == 1 else ''} attention"
    if failed:
        yield f"{failed} failed"
