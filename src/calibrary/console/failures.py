"""Why a job failed, from its log: the file, the reason, the remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_ERROR = re.compile(r"^\d{4}-\d\d-\d\d \S+ ERROR (.*)$")
UNEXPECTED = "unexpected error"
"""How a job's log begins an error that nobody foresaw; the traceback follows."""


def reason(logs: Sequence[str]) -> str:
    """Return in one line why a job failed.

    Parameters
    ----------
    logs
        The job's log files.
    """
    for name in logs:
        try:
            lines = Path(name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        found = [(at, match[1]) for at, line in enumerate(lines) if (match := _ERROR.match(line))]
        if not found:
            continue
        at, text = found[-1]
        if text == UNEXPECTED:
            last = next((line for line in reversed(lines[at:]) if line.strip()), text)
            return f"{UNEXPECTED}: {last}; `calibrary doctor` collects what a report of it needs"
        return text
    return (
        "the job ended without a word: stopped from outside, or out of memory; run again, with "
        "fewer --cores if it happens again"
    )
