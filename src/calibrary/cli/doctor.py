"""`calibrary doctor`: what a report of a problem needs, ready to be copied."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import typer

from calibrary import __version__
from calibrary.records import CalibraryError
from calibrary.workflow import settings
from calibrary.workflow.shipped import shipped

SHOWN = (
    "snakemake",
    "numpy",
    "numba",
    "llvmlite",
    "astropy",
    "xisf",
    "pandas",
    "scipy",
    "pydantic",
)
LOG_LINES = 15


def doctor() -> None:
    """Say what runs where, and what is wrong with it; ends with exit status 1 if something is."""
    wrong = []
    for name, value in _facts():
        typer.echo(f"{name:<14} {value}")
    for trouble in _troubles():
        wrong.append(trouble)
        typer.echo(f"✕ {trouble}")
    for line in _last_failure():
        typer.echo(line)
    if wrong:
        raise typer.Exit(1)
    typer.echo("nothing is wrong with the installation")


def _facts() -> Iterator[tuple[str, str]]:
    yield "calibrary", f"{__version__} in {Path(__file__).parents[1]}"
    yield "python", f"{platform.python_version()} ({sys.executable})"
    yield "system", f"{platform.platform()}, {os.cpu_count()} processors"
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in SHOWN)
    yield "settings", str(settings.settings_file())
    known = settings.remembered()
    if known is not None:
        yield "source", ", ".join(f"{one} ({_space(Path(one))})" for one in known.source)
        yield "library", f"{known.library} ({_space(Path(known.library))})"
        yield "results", str(settings.state_folder(Path(known.library)) / "results")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _space(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e9:.0f} GB free"
    except OSError as error:
        return error.strerror or str(error)


def _troubles() -> Iterator[str]:
    try:
        shipped()
    except CalibraryError as error:
        yield str(error)
    yield from (f"{name} is missing" for name in SHOWN if _version(name) == "missing")
    from calibrary.integrate.compiling import cache_folder

    folder = cache_folder()
    if not os.access(folder, os.W_OK):
        yield f"{folder}: compiled kernels cannot be kept; each run compiles them anew"
    known = settings.remembered()
    if known is not None:
        for one in (*known.source, known.library):
            if not Path(one).is_dir():
                yield f"{one}: no such folder; is the disk plugged in?"


def _last_failure() -> Iterator[str]:
    """Yield the end of the newest log that has an error."""
    known = settings.remembered()
    if known is None:
        return
    logs = settings.state_folder(Path(known.library)) / "results" / "logs"
    found = sorted(logs.rglob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found:
        text = path.read_text(encoding="utf-8", errors="replace")
        if " ERROR " in text:
            yield f"last error     {path}"
            yield from (f"  {line}" for line in text.splitlines()[-LOG_LINES:])
            return
