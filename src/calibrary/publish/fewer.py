"""Frames of a published master that the one in its stead would lack, though nobody removed them.

A file that went bad, or that a check sets aside today, makes the new master poorer than the old
one, which may be all that is left of these frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from calibrary.formats.table import reader_of
from calibrary.headers.reading import read_header
from calibrary.manifest import read_frames
from calibrary.pixels.ascii_text import to_ascii
from calibrary.records import Status

_HISTORY = re.compile(r"(?P<name>.*) scale -?[\d.]+ rejected [\d.]+")
"""A line of a master's history, as `calibrary.masters.header` writes one for each frame."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Loss:
    """What a rebuild would lose."""

    before: int
    """Frames of the master in the library."""
    now: int
    """Frames of the candidate."""
    lost: tuple[str, ...]
    """Names of the frames that are still there and in no master any more, each with the reason."""

    def __str__(self) -> str:
        text = f"made of {self.now} frames, the master in the library of {self.before}"
        if self.lost:
            text += f", and nobody removed {'; '.join(self.lost[:_NAMED])}"
        if len(self.lost) > _NAMED:
            text += f"; and {len(self.lost) - _NAMED} more"
        return text


def frames_lost(published: Path, digest: str, used: Mapping[str, str], frames: Path) -> Loss | None:
    """Compare a candidate with the master whose place it would take.

    Frames that are gone from the source, and those that now go into another group, are the user's
    own doing and do not count.

    Parameters
    ----------
    published
        The master in the library; it need not exist.
    digest
        That of the candidate's work order.
    used
        The frames of the work order by path; the value is empty for one that is in the candidate,
        else the reason why not.
    frames
        ``plan/frames.csv``, read only where the candidate has fewer frames.

    Returns
    -------
    Loss or None
        ``None`` where nothing is lost, or the master is not one that Calibrary made.
    """
    if not published.exists():
        return None
    master = read_header(published).frame
    now = sum(not reason for reason in used.values())
    before = master.n_combined
    if master.inputs_digest in (None, digest) or before is None or now >= before:
        return None
    why = {
        _folded(path): reason.removeprefix(f"{path}: ").removeprefix(path)
        for path, reason in used.items()
    }
    for frame in read_frames(frames):
        if frame.status is Status.SET_ASIDE:
            why.setdefault(_folded(frame.path), str(frame.reason or "set aside"))
    names = input_names(published)
    still_there = [name for name in names if _folded(name) in why]
    removed = len(names) - len(still_there)
    if now >= before - removed:
        return None
    lost = [f"{name}: {reason}" for name in still_there if (reason := why[_folded(name)])]
    return Loss(before, now, tuple(lost))


def input_names(master: Path) -> list[str]:
    """Return the names of the frames that a master of ours was made from."""
    cards = reader_of(master).header(master).cards
    return list(_names(card.comment for card in cards if card.keyword == "HISTORY"))


def _names(lines: Iterable[str]) -> Iterable[str]:
    text = ""
    for line in lines:
        # A line that is too long for one card goes on in the next.
        text += line
        match = _HISTORY.fullmatch(text)
        if match is not None:
            yield match["name"]
            text = ""


def _folded(path: str) -> str:
    """Return a file's name as it can be compared with one from a header."""
    return to_ascii(path.replace("\\", "/").rsplit("/", 1)[-1]).replace(" ", "")
