"""Snakemake's events in, a run's words out."""

from __future__ import annotations

import logging
import os
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from calibrary import progress
from calibrary.console import handler as module
from calibrary.console.failures import reason
from calibrary.console.handler import LogHandler, Shown
from calibrary.console.work import Group


def settings(**changes):
    plain = {
        "printshellcmds": False,
        "nocolor": True,
        "quiet": set(),
        "debug_dag": False,
        "verbose": False,
        "show_failed_logs": True,
        "stdout": False,
        "dryrun": False,
    }
    return SimpleNamespace(**plain | changes)


def record(event=None, message="", level=logging.INFO, **extra):
    made = logging.makeLogRecord({"msg": message, "levelno": level, "levelname": "", **extra})
    if event is not None:
        made.event = event
    return made


def job(number, rule, group=None):
    wildcards = {"group": group} if group else {}
    return record(LogEvent.JOB_INFO, jobid=number, rule_name=rule, wildcards=wildcards)


@pytest.fixture
def run(tmp_path, monkeypatch):
    groups = {name: Group(name, f"dark {name}", 10, 10**9) for name in ("one", "two")}
    shown = Shown(tmp_path / "results", tmp_path / "report.html", lambda: groups)
    monkeypatch.setattr(module, "_shown", shown)
    return shown


def play(handler, *records):
    for each in records:
        handler.handle(each)
    handler.close()


def test_a_run_in_a_pipe_is_plain_lines(run, capsys):
    play(
        LogHandler(settings(), None),
        record(LogEvent.WORKFLOW_STARTED),
        record(message="Building DAG of jobs..."),
        job(1, "index"),
        record(LogEvent.JOB_FINISHED, job_id=1),
        record(message="Select jobs to execute..."),
        job(2, "plan"),
        record(LogEvent.JOB_FINISHED, job_id=2),
        job(3, "integrate", "one"),
        job(4, "integrate", "two"),
        record(LogEvent.JOB_FINISHED, job_id=4),
        record(LogEvent.PROGRESS, "2 of 5 steps", done=2, total=5),
        record(LogEvent.JOB_FINISHED, job_id=3),
    )
    assert capsys.readouterr().err.splitlines() == [
        "reading the headers of new and changed frames",
        "planning groups, matches and names",
        "2 masters to build, 2 GB to read",
        "1 of 2: dark two, 10 frames, 1 GB",
        "2 of 2: dark one, 10 frames, 1 GB",
    ]


def test_rules_of_a_module_are_known_by_the_end_of_their_names(run, capsys):
    play(
        LogHandler(settings(), None),
        record(LogEvent.WORKFLOW_STARTED),
        job(1, "masters_integrate", "one"),
        record(LogEvent.JOB_FINISHED, job_id=1),
    )
    assert "1 of 2: dark one" in capsys.readouterr().err


def test_a_failed_job_says_what_why_and_where_its_log_is(run, capsys, tmp_path):
    log = tmp_path / "one.log"
    log.write_text("2026-11-25 20:00:00,1 ERROR /d/x.fits: no space; free some\n")
    play(
        LogHandler(settings(), None),
        record(LogEvent.WORKFLOW_STARTED),
        job(1, "integrate", "one"),
        record(LogEvent.JOB_ERROR, "Error in rule", logging.ERROR, jobid=1, log=[str(log)]),
        record(
            LogEvent.ERROR,
            "RuleException:\nCalledProcess",
            logging.ERROR,
            exception="RuleException",
        ),
        record(message="Exiting because a job execution failed. Look", level=logging.ERROR),
        record(
            LogEvent.ERROR,
            "WorkflowError:\nAt least one job did not complete successfully.",
            logging.ERROR,
            exception="WorkflowError",
        ),
    )
    assert capsys.readouterr().err.splitlines() == [
        "2 masters to build, 2 GB to read",
        "✕ dark one: /d/x.fits: no space; free some",
        f"  log {log}",
    ]


def test_other_errors_are_shown(run, capsys):
    play(
        LogHandler(settings(), None),
        record(LogEvent.ERROR, "MissingInputException: x", logging.ERROR, exception="Missing"),
    )
    assert "✕ MissingInputException: x" in capsys.readouterr().err


def test_quiet_says_nothing_of_what_goes_well(run, capsys):
    play(
        LogHandler(settings(quiet={"all"}), None),
        record(LogEvent.WORKFLOW_STARTED),
        job(1, "integrate", "one"),
        record(LogEvent.JOB_FINISHED, job_id=1),
    )
    assert capsys.readouterr().err == ""


def test_verbose_shows_what_snakemake_says(run, capsys):
    play(LogHandler(settings(verbose=True), None), record(message="Building DAG of jobs..."))
    assert "Building DAG" in capsys.readouterr().err


def test_what_is_no_run_has_snakemakes_words(run, capsys):
    play(LogHandler(settings(), None), record(message="Unlocked working directory."))
    assert capsys.readouterr().err == "Unlocked working directory.\n"


def test_nothing_new_prints_the_end_too(run, monkeypatch):
    ends = []
    monkeypatch.setattr(module, "_print_end", lambda *a, **k: ends.append(k["quiet"]))
    play(
        LogHandler(settings(), None),
        record(LogEvent.WORKFLOW_STARTED),
        record(message="Nothing to be done (all requested files are present)."),
    )
    assert ends == [False]


def test_a_dry_run_prints_no_end(run, monkeypatch):
    monkeypatch.setattr(module, "_print_end", lambda *a, **k: pytest.fail("printed"))
    play(
        LogHandler(settings(dryrun=True), None),
        record(LogEvent.WORKFLOW_STARTED),
        job(1, "index"),
        record(message="Nothing to be done (all requested files are present)."),
    )


def test_jobs_are_told_where_to_write_how_far_they_are(run):
    handler = LogHandler(settings(), None)
    handler.handle(record(LogEvent.WORKFLOW_STARTED))
    folder = os.environ[progress.VARIABLE]
    with progress.heard_by(progress.file_writer("one")):
        progress.tell(0.5, "preparing")
    assert progress.read(module.Path(folder), "one") == progress.Progress(0.5, "preparing")
    handler.close()
    assert progress.VARIABLE not in os.environ
    assert not os.path.exists(folder)  # noqa: PTH110


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-01-01 10:00:00,1 INFO a\n2026-01-01 10:00:00,1 ERROR b; do c\n", "b; do c"),
        (
            "2026-01-01 10:00:00,1 ERROR unexpected error\nTraceback\n  File x\nKeyError: 'y'\n",
            "unexpected error: KeyError: 'y'; `calibrary doctor`",
        ),
        ("2026-01-01 10:00:00,1 INFO a\n", "out of memory"),
        ("", "out of memory"),
    ],
)
def test_the_reason_of_a_failure_is_in_its_log(tmp_path, text, said):
    log = tmp_path / "job.log"
    log.write_text(text)
    assert said in reason([str(log)])
