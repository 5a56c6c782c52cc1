"""`calibrary check`: what is in a folder, what would be built of it, and what is amiss."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calibrary.cli.run import absolute
from calibrary.records import CalibraryError
from calibrary.workflow import settings


def check(
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SOURCE]...", help="Folders with raw frames; those of the last run if none."
        ),
    ] = None,
    library: Annotated[
        Path | None, typer.Option(help="The library that it would go into; that of the last run.")
    ] = None,
) -> None:
    """Say in a few lines what is there, what would be built, and what is amiss; build nothing."""
    from calibrary.config import load_config
    from calibrary.manifest import index_frames
    from calibrary.plan.write import nothing_found, plan_run
    from calibrary.report.terminal import print_items, standard_output
    from calibrary.workflow.survey import survey

    known = settings.remembered()
    if not source and known is None:
        raise CalibraryError("say where the frames are: calibrary check SOURCE")
    folders = source or [Path(one) for one in (known.source if known else ())]
    file = settings.settings_file()
    data = settings.load(file) if file.exists() else {}
    masters = library or (Path(known.library) if known else settings.check_folder() / "library")
    results = settings.state_folder(masters) if library or known else settings.check_folder()
    data |= {"source": [str(absolute(f)) for f in folders], "library": str(absolute(masters))}
    data.setdefault("results", str(results / "results"))
    config = load_config(data)
    cache = Path(config.results) / "cache/headers.sqlite"
    cache.parent.mkdir(parents=True, exist_ok=True)
    plan = plan_run(index_frames(config.source, cache, extras=config.headers), config)
    if not plan.groups:
        raise CalibraryError(nothing_found(plan.frames, config))
    found = survey(plan, config)
    for line in (found.found, found.cameras, found.would):
        typer.echo(line)
    print_items(
        standard_output(), found.amiss, more="calibrary run -n, or the report of a run, has all"
    )
