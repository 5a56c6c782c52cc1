"""`calibrary demo`: simulated nights, their masters, and where to look at them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from calibrary.cli.run import absolute, start_snakemake
from calibrary.workflow.shipped import shipped


def demo(
    folder: Annotated[Path, typer.Argument(help="Where frames, library and results go.")] = Path(
        "calibrary-demo"
    ),
    cores: Annotated[str, typer.Option("--cores", "-c", help="Processor cores to use.")] = "all",
) -> None:
    """Simulate the last two nights of two cameras, build their masters, and show them."""
    from calibrary.simulate.night import simulate_night

    root = absolute(folder)
    if not (root / "frames").exists():
        # Two evenings, and the second is yesterday's: it is over wherever one is.
        evening = datetime.now(UTC).date() - timedelta(days=2)
        count = simulate_night(root, evening=evening)
        print(f"simulated {count} frames of two cameras in {root / 'frames'}", flush=True)
    files = shipped()
    places = {"source": "frames", "library": "library", "results": "results"}
    try:
        start_snakemake(
            [
                *("--snakefile", str(files / "Snakefile"), "--directory", str(root)),
                *("--workflow-profile", str(files / "profiles" / "default")),
                *("--configfile", str(files / "config" / "config.yaml"), "--cores", cores),
                *(
                    "--config",
                    *(f"{key}={json.dumps(str(root / name))}" for key, name in places.items()),
                ),
            ]
        )
    finally:
        _show_tree(root / "library")


def _show_tree(library: Path) -> None:
    masters = sorted(path.relative_to(library) for path in library.rglob("*") if path.is_file())
    if masters:
        print(f"\n{library}")
    before: tuple[str, ...] = ()
    for path in masters:
        for depth, part in enumerate(path.parts):
            if path.parts[: depth + 1] != before[: depth + 1]:
                print(f"{'  ' * (depth + 1)}{part}")
        before = path.parts
    sys.stdout.flush()
