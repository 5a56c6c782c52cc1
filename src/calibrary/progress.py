"""How far a piece of work is, told to whoever listens: a command's bar, or the bar of a whole run.

A job of the workflow is a process of its own. It writes how far it is into a small file, one a
job, in the folder that `VARIABLE` names; the process that shows the run reads them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "CALIBRARY_PROGRESS"
"""Environment variable with the folder of the files; set while the run has a display of ours."""

WRITE_EVERY_S = 0.2

Listener = Callable[[float, str], None]
_listener: Listener | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    fraction: float
    """From 0 to 1."""
    doing: str
    """What it does, where that is not what all such jobs do; else empty."""


def tell(fraction: float, doing: str = "") -> None:
    """Tell how far the work is, and what it does if that is unusual; costs next to nothing."""
    if _listener is not None:
        _listener(fraction, doing)


@contextmanager
def heard_by(listener: Listener | None) -> Iterator[None]:
    """Let `listener` hear what `tell` is told."""
    global _listener  # noqa: PLW0603 - one work a process
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before


def shown() -> bool:
    """Whether this process is a job whose run has a display of ours: it need print nothing."""
    return VARIABLE in os.environ


def file_writer(name: str) -> Listener | None:
    """Return a listener that writes the file of the job `name`, or None where nobody reads it."""
    folder = os.environ.get(VARIABLE)
    if not folder or not Path(folder).is_dir():
        return None
    path = Path(folder) / name
    last = ("", -1.0)

    def write(fraction: float, doing: str) -> None:
        nonlocal last
        now = time.monotonic()
        if doing == last[0] and now - last[1] < WRITE_EVERY_S and fraction < 1:
            return
        last = (doing, now)
        # The display is not worth a failed job.
        with suppress(OSError):
            path.write_text(f"{fraction:.4f} {doing}", encoding="utf-8")

    return write


def read(folder: Path, name: str) -> Progress | None:
    """Return what the job `name` last wrote, or None; half a file is none."""
    try:
        fraction, _, doing = (folder / name).read_text(encoding="utf-8").partition(" ")
        return Progress(min(1.0, max(0.0, float(fraction))), doing)
    except (OSError, ValueError):
        return None
