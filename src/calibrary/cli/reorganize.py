"""`calibrary reorganize`: existing masters into the structure of the library."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from calibrary.publish.reorganize import Step


def reorganize(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="Folder with masters.")],
    library: Annotated[Path, typer.Argument(metavar="LIBRARY", help="Root of the library.")],
    move: Annotated[bool, typer.Option("--move", help="Move instead of copy.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
) -> None:
    """Put existing masters into the folders and names of the library; overwrite nothing.

    Ends with exit status 1 if a name was taken; everything else is done all the same.
    """
    from calibrary.publish.reorganize import Deed, plan_steps, summary

    steps = plan_steps(source, library, move=move)
    if dry_run:
        _print_table(steps, library)
    else:
        _run(steps)
    if not steps:
        print(f"{source}: no FITS or XISF files", file=sys.stderr)
    counts = ", ".join(f"{deed} {n}" for deed, n in summary(steps).items())
    print(f"{'dry run: ' if dry_run else ''}{counts or 'nothing to do'}")
    if any(step.deed is Deed.COLLISION for step in steps):
        raise typer.Exit(1)


def _run(steps: Sequence[Step]) -> None:
    from rich.progress import Progress

    from calibrary.publish.reorganize import Deed, carry_out

    deeds = [step for step in steps if step.deed in (Deed.COPY, Deed.MOVE)]
    with Progress(disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("reorganize", total=len(deeds))
        carry_out(deeds, lambda _: progress.advance(task))
    for step in steps:
        if step.reason:
            print(f"{step.source}: {step.deed}: {step.reason}", file=sys.stderr)


def _print_table(steps: Sequence[Step], library: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("file", "what", "to", "why", box=None)
    for step in steps:
        target = step.target.relative_to(library) if step.target else ""
        table.add_row(str(step.source), step.deed.value, str(target), step.reason)
    width = None if sys.stdout.isatty() else 100_000
    Console(width=width, markup=False, highlight=False).print(table)
