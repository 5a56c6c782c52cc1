"""`calibrary report`: the report of the last run, in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from calibrary.cli.run import absolute
from calibrary.records import CalibraryError
from calibrary.workflow import settings


def report(
    library: Annotated[
        Path | None, typer.Argument(help="The library; that of the last run if none is given.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--open/--no-open", help="Open it in a browser, or only say where.")
    ] = True,
) -> None:
    """Open the report of a library in the browser, and say where it is."""
    known = settings.remembered()
    if library is None:
        if known is None:
            raise CalibraryError("no run is remembered; give the library: calibrary report LIBRARY")
        library = Path(known.library)
    path = absolute(library) / "report.html"
    if not path.is_file():
        raise CalibraryError(f"{path}: there is no report yet; calibrary run makes it")
    typer.echo(path)
    if show and not webbrowser.open(path.as_uri()):
        raise CalibraryError(f"{path}: no browser could be started here; open it by hand")
