"""`calibrary stack`: one integration without the workflow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calibrary.api.reading import frame_files
from calibrary.api.stacking import ProfileName, RejectionName, Scaling, TypeName, check_output

if TYPE_CHECKING:
    from calibrary.api.stacking import Stack


def stack(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="FITS or XISF frames, or folders of them.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The master: .xisf, .fits, .fit or .fts.")
    ],
    rejection: Annotated[RejectionName, typer.Option(help="Rejection method.")] = "auto",
    low: Annotated[float | None, typer.Option(min=0.0, help="Low rejection limit.")] = None,
    high: Annotated[float | None, typer.Option(min=0.0, help="High rejection limit.")] = None,
    profile: Annotated[
        ProfileName, typer.Option(help="Whose definitions and defaults.")
    ] = "calibrary",
    type_: Annotated[
        TypeName | None,
        typer.Option("--type", help="What the frames are, where their headers do not say."),
    ] = None,
    calibrator: Annotated[
        Path | None, typer.Option(help="Master that is subtracted from every frame.")
    ] = None,
    normalize: Annotated[
        Scaling | None,
        typer.Option(help="Scaling of the frames; flats are scaled if nothing is said."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor cores to use.")] = 2,
    memory: Annotated[int, typer.Option(min=300, help="Memory to use, MB.")] = 1000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Combine frames into one master."""
    import numpy as np

    from calibrary.api.stacking import stack as combine

    check_output(output, files, overwrite=overwrite)
    frames = frame_files(files)
    with _progress(f"{len(frames)} frames") as report:
        made = combine(
            frames,
            rejection=rejection,
            low=low,
            high=high,
            profile=profile,
            frame_type=type_,
            calibrator=calibrator,
            normalize=normalize,
            threads=threads,
            memory_mb=memory,
            progress=report,
        )
    for difference in made.mixture:
        # Stacking them is the user's own choice.
        print(f"calibrary: the frames differ in {difference}", file=sys.stderr)
    changed = made.write(output, overwrite=overwrite, threads=threads)
    missing = int(np.isnan(made.data).sum())
    for count, what in (
        (missing, "have no sample in any frame"),
        (changed, "are outside 0 to 65535 ADU, and were set to the nearer of the two"),
    ):
        if count:
            print(f"calibrary: {output}: {count} pixels {what}", file=sys.stderr)
    _summarise(output, made)


@contextmanager
def _progress(description: str) -> Iterator[Callable[[float], None] | None]:
    """Show a progress bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=1.0)
        yield lambda done: bar.update(task, completed=done)


def _summarise(output: Path, made: Stack) -> None:
    for path, reason in made.dropped:
        told = reason if path in reason else f"{path}: {reason}"
        print(f"calibrary: left out: {told}", file=sys.stderr)
    how = made.order.integration
    limits = f" {how['low']:g} / {how['high']:g}" if how["low"] or how["high"] else ""
    print(
        f"{output}: {made.n_frames} frames, {how['method']}{limits}, rejected "
        f"{made.rejected_low:.4%} low, {made.rejected_high:.4%} high, {made.made.seconds:.2f} s"
    )
