"""`calibrary verify`: the tests that need nothing but the master, on any master."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from calibrary.records import CalibraryError, FrameType, Verdict

if TYPE_CHECKING:
    from calibrary.verify.judge import Judgement

_STYLE = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}
_PIPE_WIDTH = 160


def verify(
    masters: Annotated[list[Path], typer.Argument(metavar="MASTER", help="FITS or XISF masters.")],
    type_: Annotated[
        Literal["bias", "dark", "darkflat", "flat"] | None,
        typer.Option("--type", help="What they are masters of, where their headers do not say."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
) -> None:
    """Test masters, those of PixInsight or Siril too; exit status 1 if one fails."""
    from calibrary.config.model import Frames
    from calibrary.verify.judge import judge
    from calibrary.verify.standalone import measure_file

    minima = Frames().minimum
    failed = False
    records = []
    for path in masters:
        try:
            measured = measure_file(path, FrameType(type_) if type_ else None)
        except CalibraryError as error:
            failed = True
            print(f"calibrary: {error}", file=sys.stderr)
            continue
        if not measured["facts"]["is_master"]:
            print(
                f"calibrary: {path}: nothing says that it is a master; a raw frame?",
                file=sys.stderr,
            )
        minimum = getattr(minima, measured["facts"]["frame_type"])
        judgement = judge(measured, minimum=minimum)
        failed |= judgement.verdict is Verdict.FAIL
        if as_json:
            records.append(_record(path, measured, judgement))
        else:
            _print_table(path, judgement)
    if as_json:
        print(json.dumps(records, indent=1))
    if failed:
        raise typer.Exit(1)


def _record(path: Path, measured: dict[str, Any], judgement: Judgement) -> dict[str, Any]:
    return {
        "master": str(path),
        **dataclasses.asdict(judgement),
        "figures": measured["figures"],
    }


def _print_table(path: Path, judgement: Judgement) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    verdict = judgement.verdict
    console.print(Text.assemble(str(path), ": ", (verdict.value, _STYLE[verdict])))
    table = Table("test", "figure", "limit", "verdict", "", box=None, header_style="dim")
    for test in judgement.tests:
        table.add_row(
            Text(test.name),
            Text(_number(test.figure, test.unit)),
            Text(_number(test.limit, test.unit)),
            Text(test.verdict.value, style=_STYLE[test.verdict]),
            Text(test.message),
        )
    console.print(table)
    console.print()


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4g} {unit}".rstrip()
