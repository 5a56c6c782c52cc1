"""`calibrary explain`: why a file is in its group, and what calibrates it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    target: Annotated[
        str, typer.Argument(metavar="GROUP|FILE", help="Name of a group, or a file of the run.")
    ],
    results: Annotated[Path, typer.Option(help="Results folder of the run.")] = Path("results"),
) -> None:
    """Tell why a file is in its group or was set aside, what calibrates it, and why not another."""
    from calibrary.explain.explain import explain_target

    for line in explain_target(target, results):
        typer.echo(line)
