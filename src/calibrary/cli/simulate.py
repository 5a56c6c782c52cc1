"""`calibrary simulate`: a small realistic data set with known truth."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from calibrary.records import CalibraryError


def simulate(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder to write frames/ and truth/ into.")
    ],
    seed: Annotated[int, typer.Option(help="Same seed, same files.", min=0)] = 1,
    frames: Annotated[
        int | None, typer.Option(help="Frames of every series, instead of the mixed counts.", min=1)
    ] = None,
    size: Annotated[str, typer.Option(help="Width and height of the frames.")] = "512x384",
) -> None:
    """Simulate the calibration frames of two cameras, with the true masters beside them."""
    from calibrary.simulate.night import simulate_night

    tell = _tell if sys.stderr.isatty() else None
    try:
        written = simulate_night(out, seed, frames=frames, size=_parse_size(size), progress=tell)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CalibraryError(f"{out}: cannot be written ({reason}); give another folder") from None
    if tell is not None:
        print(file=sys.stderr)
    print(f"{written} frames in {out / 'frames'}, the true masters in {out / 'truth'}")


def _parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text.lower())
    if match is None:
        raise CalibraryError(f"--size is {text!r}; give width x height, such as 512x384")
    width, height = int(match[1]), int(match[2])
    if min(width, height) < 64 or width % 2 or height % 2:
        raise CalibraryError(f"--size is {text!r}; width and height are even and at least 64")
    return width, height


def _tell(done: int, total: int) -> None:
    print(f"\rsimulating: {done}/{total} series", end="", file=sys.stderr, flush=True)
