"""The handler that turns Snakemake's events into the words of a run."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from calibrary import progress
from calibrary.console.failures import reason
from calibrary.console.screen import Screen
from calibrary.console.work import Group, Work
from calibrary.records import CalibraryError

NOTHING_TO_DO = "Nothing to be done"
"""How Snakemake's message begins."""

STOPPING = "Terminating processes on user request"

SAID_BETTER = ("RuleException", "CalledProcessError", "SpawnedJobError")
"""Exceptions of a job that failed: its own log says why."""

ENDINGS = (
    "At least one job did not complete successfully",
    "Exiting because a job execution failed",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the display has to know of the run; the Snakefile tells it."""

    results: Path
    report: Path
    to_integrate: Callable[[], Mapping[str, Group]]
    """What this run integrates; known when the plan is."""


_shown: Shown | None = None


def show(run: Shown) -> None:
    """Tell the display which run it shows."""
    global _shown  # noqa: PLW0603 - Snakemake makes the handler itself, and hands it nothing
    _shown = run


class LogHandler(LogHandlerBase):
    """Shows a run in Calibrary's own words; ``--verbose`` shows Snakemake's."""

    def __post_init__(self) -> None:
        """Take Snakemake's output settings."""
        quiet = {str(getattr(q, "name", q)).lower() for q in self.common_settings.quiet or ()}
        self._quiet = "all" in quiet
        self._dry_run = bool(self.common_settings.dryrun)
        self._everything = _snakemakes_own(self.common_settings)
        self._screen = Screen(silent=self._quiet or self.common_settings.verbose)
        self._work = Work()
        self._jobs: dict[int, tuple[str, str | None]] = {}
        self._folder: Path | None = None
        self._started = time.time()
        self._at_end = False
        self._failed = False
        self._begun = False
        self._before: list[logging.LogRecord] = []

    @property
    def writes_to_stream(self) -> bool:
        """It is the one handler that writes to the terminal."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's own log file stays."""
        return False

    @property
    def has_filter(self) -> bool:
        """It chooses by itself what to say."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It has its own words."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It shows none."""
        return False

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a record means for the user."""
        try:
            if self.common_settings.verbose:
                self._everything.handle(record)
            self._take(record, getattr(record, "event", None))
            said = self.common_settings.verbose or record.levelno >= logging.ERROR
            if not (self._begun or said):
                self._before.append(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """End the display, and print the end of the run."""
        self._screen.stop()
        for record in self._before:
            # No run, but --lint, --unlock or the like.
            self._everything.handle(record)
        self._before.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.environ.pop(progress.VARIABLE, None)
            self._folder = None
        if self._at_end and _shown is not None and not self._dry_run:
            self._at_end = False
            _print_end(_shown, since=self._started, quiet=self._quiet)
        super().close()

    def _take(self, record: logging.LogRecord, event: LogEvent | None) -> None:
        match event:
            case LogEvent.WORKFLOW_STARTED:
                self._begin()
            case LogEvent.JOB_INFO:
                self._job_starts(record)
            case LogEvent.JOB_FINISHED:
                self._job_ends(record.job_id)  # type: ignore[attr-defined]
            case LogEvent.JOB_ERROR | LogEvent.GROUP_ERROR:
                self._job_fails(record)
            case _:
                self._other(record)

    def _begin(self) -> None:
        self._started = time.time()
        self._begun = True
        self._before.clear()
        if self._dry_run:
            return
        self._folder = Path(tempfile.mkdtemp(prefix="calibrary-"))
        os.environ[progress.VARIABLE] = str(self._folder)
        self._screen.start(self._work, self._folder)

    def _job_starts(self, record: Any) -> None:  # noqa: ANN401 - Snakemake's extra attributes
        rule = record.rule_name
        group = dict(record.wildcards or {}).get("group")
        # The rules of a module may have a prefix of the user's.
        rule = next((r for r in _RULES if rule == r or rule.endswith(f"_{r}")), rule)
        self._jobs[record.jobid] = (rule, group)
        if rule == "integrate" and group not in self._work.groups and _shown is not None:
            self._work.plan(_shown.to_integrate())
            self._screen.planned(self._work)
        self._at_end |= not self._dry_run
        self._work.start(rule, group)
        self._screen.started(self._work, rule)

    def _job_ends(self, job: int) -> None:
        rule, group = self._jobs.get(job, ("", None))
        self._work.end(rule, group)
        if rule == "integrate" and group is not None:
            self._screen.built(self._work, group)

    def _job_fails(self, record: Any) -> None:  # noqa: ANN401 - Snakemake's extra attributes
        jobs = [getattr(record, "jobid", None)]
        logs = list(getattr(record, "log", None) or ())
        rule, group = self._jobs.get(jobs[0], ("", None)) if jobs[0] is not None else ("", None)
        self._work.end(rule, group)
        self._failed = True
        if rule == "conclude":
            return  # what failed is said at the end, with the rest
        known = self._work.groups.get(group or "")
        self._screen.failed(known.title if known else group or "", reason(logs), logs)

    def _other(self, record: logging.LogRecord) -> None:
        text = record.getMessage() if record.msg else ""
        if text.startswith(NOTHING_TO_DO):
            self._at_end = True
        elif text.startswith(STOPPING):
            self._screen.line("stopping; what is built stays")
        elif record.levelno >= logging.ERROR:
            if getattr(record, "exception", None) in SAID_BETTER or text.startswith(ENDINGS):
                return
            if self._failed and "WorkflowError" in text and "did not complete" in text:
                return
            self._screen.error(text)


_RULES = ("index", "plan", "integrate", "publish", "report", "conclude")


def _snakemakes_own(settings: Any) -> logging.Handler:  # noqa: ANN401 - OutputSettings
    from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

    handler: logging.Handler = ColorizingTextHandler(nocolor=settings.nocolor, stream=sys.stderr)
    handler.setFormatter(DefaultFormatter(settings.quiet, settings.show_failed_logs))
    handler.addFilter(
        DefaultFilter(
            settings.quiet,
            settings.debug_dag,
            settings.verbose,
            settings.dryrun,
            settings.printshellcmds,
        )
    )
    return handler


def _print_end(run: Shown, *, since: float, quiet: bool) -> None:
    from calibrary.report.terminal import print_summary

    try:
        print_summary(run.results, report=run.report, since=since, quiet=quiet)
    except CalibraryError:
        # Nothing was planned: why was said.
        return
    sys.stdout.flush()
