"""`calibrary inspect`: how the header of a file was understood, and from which keys."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calibrary.headers.reading import HeaderError, Reading, read_header
from calibrary.records import ReasonCode, UnreachableError

if TYPE_CHECKING:
    from calibrary.headers.dialects import HeaderExtras

_HIDDEN = frozenset({"path", "mtime_ns", "group", "header_digest", "reason"})
"""Fields that say nothing about how a header was understood, or are shown below the table."""
_UNITS = {
    "exposure_s": "s",
    "set_temp_c": "°C",
    "ccd_temp_c": "°C",
    "temp_c": "°C",
    "size_bytes": "bytes",
    "egain": "e-/ADU",
    "pedestal": "ADU",
}
_PIPE_WIDTH = 200


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="FITS or XISF files.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration whose `headers` section adds keywords and types."),
    ] = None,
) -> None:
    """Show what was understood from the headers of files, and from which keyword."""
    extras = _read_extras(config) if config is not None else None
    readings, failed = [], False
    for file in files:
        try:
            readings.append(read_header(file, extras))
        except (HeaderError, UnreachableError) as error:
            failed = True
            print(f"calibrary: {error}", file=sys.stderr)
    if as_json:
        print(json.dumps([_as_data(reading) for reading in readings], indent=1, ensure_ascii=False))
    else:
        _print_tables(readings)
    if failed:
        raise typer.Exit(1)


def _read_extras(path: Path) -> HeaderExtras:
    import yaml

    from calibrary.config import load_config
    from calibrary.records import CalibraryError

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        msg = f"{path}: cannot be read as a configuration ({reason}); name a YAML file"
        raise CalibraryError(msg) from None
    return load_config(data if isinstance(data, dict) else {}).headers


def _as_data(reading: Reading) -> dict[str, object]:
    return {
        **dataclasses.asdict(reading.frame),
        "reason": str(reading.frame.reason) if reading.frame.reason else None,
        "reason_code": reading.frame.reason.code if reading.frame.reason else None,
        "sources": reading.sources,
        "warnings": reading.warnings,
    }


def _print_tables(readings: list[Reading]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    for reading in readings:
        # Text, not markup: a header may hold [brackets].
        console.print(Text(reading.frame.path, style="bold"))
        table = Table("field", "value", "read from", box=None, header_style="dim", pad_edge=False)
        for name, value, source in _lines(reading):
            table.add_row(Text(name), Text(value), Text(source))
        console.print(table)
        reason = reading.frame.reason
        if reason is not None and reason.code is not ReasonCode.ODD:
            console.print(Text(f"reason: {reason}"))
        for warning in reading.warnings:
            console.print(Text(f"warning: {warning}"))
        console.print()


def _lines(reading: Reading) -> list[tuple[str, str, str]]:
    lines = []
    for name, value in dataclasses.asdict(reading.frame).items():
        if name in _HIDDEN or value is None or value is False or value == {}:
            continue
        text = json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)
        unit = f" {_UNITS[name]}" if name in _UNITS else ""
        lines.append((name, text + unit, reading.sources.get(name, "")))
    return lines
