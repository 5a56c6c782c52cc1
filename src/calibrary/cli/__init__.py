"""The commands, one module each, thin."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer


def _show_version(wanted: bool) -> None:
    if wanted:
        from calibrary import __version__

        print(f"calibrary {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """Masters of calibration frames: made, checked, explained."""


def main() -> None:
    """Run ``calibrary``; exit status 0 only on success, one line for what the user can mend."""
    from calibrary.workflow.job import collect_rarely

    collect_rarely()
    from calibrary.cli.check import check
    from calibrary.cli.demo import demo
    from calibrary.cli.doctor import doctor
    from calibrary.cli.explain import explain
    from calibrary.cli.inspect import inspect
    from calibrary.cli.reorganize import reorganize
    from calibrary.cli.report import report
    from calibrary.cli.run import run
    from calibrary.cli.simulate import simulate
    from calibrary.cli.stack import stack
    from calibrary.cli.verify import verify
    from calibrary.records import CalibraryError

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    everyday = (run, check, report, demo, doctor)
    for command in (*everyday, inspect, explain, stack, verify, reorganize, simulate):
        app.command()(command)
    arguments, rest = sys.argv[1:], []
    if arguments[:1] == ["run"] and "--" in arguments:
        at = arguments.index("--")
        arguments, rest = arguments[:at], arguments[at + 1 :]
    try:
        app(arguments, obj=rest)
    except CalibraryError as error:
        print(f"calibrary: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
