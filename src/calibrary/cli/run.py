"""`calibrary run`: the workflow from anywhere, with what it was given last time."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from calibrary.records import CalibraryError
from calibrary.workflow import settings
from calibrary.workflow.shipped import shipped

WATCH_S = 60
"""Time between two looks at the source folders, s; what has not changed in it is complete."""


def run(
    context: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SOURCE... LIBRARY]",
            help="Folders with raw frames, then that of the masters; those of the last run if none "
            "is given.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only say what would be done, and why.")
    ] = False,
    cores: Annotated[
        str | None, typer.Option("--cores", "-c", help="Processor cores to use; all by default.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(help="How it runs where: slurm, or the folder of a profile of Snakemake."),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A setting for this run; may be given again."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and run again when frames were added.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say what failed, and nothing else.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show all that Snakemake says.")
    ] = False,
) -> None:
    """Build what is new: masters of all calibration frames below SOURCE, into LIBRARY.

    Source and library are remembered: plain `calibrary run` goes on with them. What follows `--`
    is handed to Snakemake.
    """
    known = settings.remembered()
    if folders:
        if len(folders) == 1:
            raise CalibraryError(
                f"{folders[0]}: give the folder of the library too: "
                f"calibrary run {folders[0]} LIBRARY"
            )
        source, library = [absolute(folder) for folder in folders[:-1]], absolute(folders[-1])
    elif known is not None:
        source, library = (
            [absolute(Path(one)) for one in known.source],
            absolute(Path(known.library)),
        )
    else:
        raise CalibraryError(
            "nothing is remembered yet; say where the frames are and where the masters go: "
            "calibrary run SOURCE LIBRARY"
        )
    missing = [folder for folder in source if not folder.is_dir()]
    if missing and not watch:
        raise CalibraryError(
            f"{missing[0]}: no such folder; is the disk plugged in? Else say where the frames "
            "are: calibrary run SOURCE LIBRARY"
        )
    if folders and not dry_run:
        settings.remember(source, library)
    arguments = [
        *snakemake_arguments(source, library, config or ()),
        *(["--cores", cores or "all"] if cores or not profile else []),
        *(["--profile", _profile(profile)] if profile else []),
        *(["--dry-run"] if dry_run else []),
        *(["--quiet", "all"] if quiet else []),
        *(["--verbose"] if verbose else []),
        *(context.obj or ()),
    ]
    if watch and not dry_run:
        _watch(source, arguments)
    else:
        start_snakemake(arguments)


def snakemake_arguments(
    source: Sequence[Path], library: Path, config: Sequence[str] = ()
) -> list[str]:
    """Return the arguments with which Snakemake runs the shipped workflow on these folders."""
    state = settings.state_folder(library)
    files = shipped()
    own = {
        "source": json.dumps([str(folder) for folder in source], ensure_ascii=False),
        "library": json.dumps(str(library), ensure_ascii=False),
    }
    file = settings.settings_file()
    told = settings.load(file) if file.exists() else {}
    if "results" not in told:
        own["results"] = json.dumps(str(state / "results"), ensure_ascii=False)
    if "report" not in told:
        own["report"] = json.dumps(str(library / "report.html"), ensure_ascii=False)
    for setting in config:
        key, equals, value = setting.partition("=")
        if not equals:
            raise CalibraryError(f"--config {setting}: give KEY=VALUE, such as publish=all")
        own[key] = value
    if not file.exists():
        file = files / "config" / "config.yaml"
    return [
        *("--snakefile", str(files / "Snakefile"), "--directory", str(state)),
        *("--workflow-profile", str(files / "profiles" / "default")),
        *("--configfile", str(file)),
        *("--config", *(f"{key}={value}" for key, value in own.items())),
    ]


def start_snakemake(arguments: Sequence[str]) -> None:
    """Run Snakemake in this process, and end with its exit status."""
    from snakemake.cli import args_to_api, parse_args
    from snakemake.exceptions import print_exception

    # Snakemake has handlers of its own; what the root had would say everything once more.
    logging.getLogger().handlers.clear()
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):  # It names the profile, which nobody asked for.
            parser, parsed = parse_args(list(arguments))
    except BaseException:
        sys.stderr.write(said.getvalue())
        raise
    try:
        done = args_to_api(parsed, parser)
    except Exception as error:
        print_exception(error)
        done = False
    raise SystemExit(0 if done else 1)


def absolute(path: Path) -> Path:
    """Return the absolute path of what a user typed."""
    # Not `resolve`: a link that a user named stays the name by which he knows the folder.
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100


def _profile(name: str) -> str:
    own = shipped() / "profiles" / name
    if own.is_dir():
        return str(own)
    if Path(name).is_dir():
        return str(absolute(Path(name)))
    known = sorted(p.name for p in own.parent.iterdir() if p.name != "default")
    raise CalibraryError(f"--profile {name}: no such folder, and none of {', '.join(known)}")


def _watch(source: Sequence[Path], arguments: Sequence[str]) -> None:
    """Run, and run again each time when frames came and nothing more has come for a while."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    try:
        for _ in _changes(source):
            subprocess.run(command, check=False)
            print(f"watching {', '.join(map(str, source))}; Ctrl-C ends it", flush=True)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _changes(source: Sequence[Path]) -> Iterator[None]:
    """Yield once at the start, then whenever the source folders changed and came to rest."""
    from calibrary.manifest import scan, tree_digest

    done = before = None
    while True:
        # A disk that is not there is no change: it comes back.
        here = all(folder.is_dir() for folder in source)
        now = tree_digest(scan(source)) if here else None
        if now is not None and now != done and (done is None or now == before):
            done = now
            yield
        before = now
        time.sleep(WATCH_S)
