"""The one line that a run shows while it is at work."""

from __future__ import annotations

import shutil

from calibrary.report import formats

BAR_CELLS = 12


def bar_line(
    done: int,
    total: int,
    *,
    finished: int,
    of: int,
    doing: str,
    seconds_left: float | None,
    width: int | None = None,
    blocks: str = "█░",
) -> str:
    """Return the line, not wider than the terminal.

    Parameters
    ----------
    done, total
        Bytes.
    finished, of
        Masters.
    doing
        What is at work; cut where there is no room for it.
    width
        Columns; those of the terminal when None.
    """
    width = width or shutil.get_terminal_size().columns
    filled = round(BAR_CELLS * done / total)
    bar = blocks[0] * filled + blocks[1] * (BAR_CELLS - filled)
    unit = formats.data_size(total)
    amount = f"{formats.data_size(done).removesuffix(unit[-3:])} of {unit}"
    parts = [f"{bar}  {finished} of {of}", doing, amount]
    if seconds_left is not None:
        parts.append(f"{left(seconds_left)} left")
    line = " · ".join(parts)
    if len(line) >= width:
        room = len(doing) - (len(line) - width) - 2
        parts[1] = doing[:room].rstrip() + "…" if room > 6 else ""
        line = " · ".join(filter(None, parts))
    return line[: width - 1]


def left(seconds: float) -> str:
    """Return a forecast in the units that it is good for."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"{round(seconds, -1):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{seconds / 3600:.1f} h"
