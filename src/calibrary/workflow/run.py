"""One run of the workflow as the Snakefile sees it: paths, settings, digests, groups.

Everything here is cheap: it is evaluated each time Snakemake starts, and again in every job of a
cluster. What costs is left until it is asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from calibrary.config import Config, load_config
from calibrary.headers.dialects import load_dialects
from calibrary.manifest.scanning import IGNORE_FILE
from calibrary.records import VOID, Action, CalibraryError
from calibrary.results import standing

_NOT_OF_THE_PLAN = frozenset(
    ("source", "library", "results", "overrides", "headers", "publish", "verify")
)
"""Settings that decide how headers are read, masters are judged, or where files are."""
PLAN_SETTINGS = tuple(name for name in Config.model_fields if name not in _NOT_OF_THE_PLAN)
"""Settings that decide the plan: all others, so that a new one is never forgotten."""

SNAKEMAKE_MB = 350
"""What Snakemake itself holds inside a job of a cluster, where it is started once more."""

PACKED_MINUTES = 6
"""Longest estimate (`RunGroup.runtime_min`) of a group that shares a cluster's job with others."""


@dataclass(frozen=True, slots=True)
class RunGroup:
    """What a rule needs to know of a group."""

    name: str
    action: Action
    order: str
    """Changes when the master has to be made anew."""
    calibrator: str | None
    """The group of this run whose candidate is subtracted."""
    bias: str | None
    """The group of this run above whose level a dark is judged."""
    threads: int
    mem_mb: int
    runtime_min: int
    disk_mb: int


class Run:
    """The configuration of a run and what can be told of its state at once.

    Parameters
    ----------
    config
        Snakemake's configuration.

    Raises
    ------
    CalibraryError
        The configuration has an unknown key or a bad value.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config: Config = load_config(config)
        load_dialects(self.config.headers)
        self.results = Path(self.config.results)
        self.library = Path(self.config.library)
        self.report = str(self.config.report_path)
        self._groups: tuple[int, dict[str, RunGroup]] | None = None
        self._lock: FileLock | None = None

    def path(self, below: str) -> str:
        """Return a path below the results folder."""
        return str(self.results / below)

    def setting(self, key: str) -> str:
        """Return one setting with its defaults as text that changes only when it does."""
        value = self.config.model_dump(mode="json", include={key})[key]
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

    @cached_property
    def plan_settings(self) -> dict[str, str]:
        """The settings that decide the plan."""
        return {key: self.setting(key) for key in PLAN_SETTINGS}

    @cached_property
    def tree_digest(self) -> str:
        """A digest of path, size and mtime of every file below the source folders."""
        from calibrary.manifest import scan, tree_digest

        return tree_digest(scan(self.config.source))

    @cached_property
    def library_digest(self) -> str:
        """A digest of the library's masters, but for those that this workflow put there."""
        from calibrary.library.index import library_digest

        return library_digest(self.library, self.results)

    @cached_property
    def overrides_digest(self) -> str:
        """A digest of the file of overrides; empty where there is none."""
        if self.config.overrides is None or not Path(self.config.overrides).is_file():
            return ""
        return hashlib.sha256(Path(self.config.overrides).read_bytes()).hexdigest()

    @cached_property
    def limits_digest(self) -> str:
        """A digest of all settings that decide a verdict."""
        from calibrary.publish.publish import limits_digest

        return limits_digest(self.config)

    @property
    def groups(self) -> dict[str, RunGroup]:
        """The groups of the plan; read anew when the plan was."""
        path = self.results / "plan/groups.json"
        stamp = path.stat().st_mtime_ns
        if self._groups is None or self._groups[0] != stamp:
            plans = json.loads(path.read_text(encoding="utf-8"))
            self._groups = stamp, {plan["group"]: _run_group(plan) for plan in plans}
        return self._groups[1]

    def group(self, name: str) -> RunGroup:
        """Return one group of the plan; a job of a cluster reads no other's than its own."""
        if self._groups is None:
            sheet = self.results / f"plan/sheets/{name}.json"
            return _run_group(json.loads(sheet.read_text(encoding="utf-8")))
        return self.groups[name]

    def pack(self, name: str) -> str | None:
        """Return the kind of pack in which a cluster runs a small group; a large one runs alone.

        A flat is never packed with a group that it may wait for: all flats of one bias would
        become one job.
        """
        group = self.group(name)
        if group.runtime_min > PACKED_MINUTES:
            return None
        return "flats" if group.calibrator else "darks"

    @property
    def judged_groups(self) -> list[str]:
        """The groups that have a master to be built or looked at."""
        return [g.name for g in self.groups.values() if g.action is not Action.TOO_FEW]

    def prepare(self) -> None:
        """Check the folders, keep other runs out, and void what is no longer true.

        Raises
        ------
        CalibraryError
            A source folder is missing, a folder cannot be written, or another run is at work.
        """
        self._check_folders()
        for key, folder in (("results", self.results), ("library", self.library)):
            _make_writable(key, folder)
        self._hide_results()
        self._keep_others_out()
        for group, candidate_too in self._voided():
            if candidate_too:
                (self.results / f"candidates/{group}.json").unlink(missing_ok=True)
            verdict = self.results / f"verify/{group}.json"
            # What it says of the library stays true until the master is made anew: forgotten,
            # the plan would take the master for one that came from elsewhere, and keep it.
            verdict.replace(verdict.with_suffix(VOID))

    def report_failures(self) -> None:
        """Write the tables and the report of a run in which jobs failed, and print how it ended.

        Snakemake makes no report where a verdict is missing. Nothing is done where the report is
        there: then only `conclude` failed, or the plan, without which there is nothing to tell.
        """
        from calibrary.report.summary import conclude, write_summary

        groups = self.results / "plan/groups.json"
        plans = json.loads(groups.read_text(encoding="utf-8")) if groups.exists() else []
        judged = set(self.judged_groups) if plans else set()
        if all(
            "digest" in standing(self.results, plan) for plan in plans if plan["group"] in judged
        ):
            return
        try:
            write_summary(self.config)
            conclude(self.results / "groups.csv")
        except CalibraryError as error:
            print(f"calibrary: {error}", file=sys.stderr)

    def forecast(self) -> None:
        """Print what a run would do to each master and why; nothing is changed."""
        from calibrary.workflow.forecast import forecast

        self._check_folders()
        for key, folder in (("results", self.results), ("library", self.library)):
            # Nothing is made here: where the folder is missing, the one that it goes into counts.
            there = next(f for f in (folder, *folder.absolute().parents) if f.exists())
            _require_writable(key, folder, there)
        print("\n".join(forecast(self.config, [group for group, _ in self._voided()])))

    def _check_folders(self) -> None:
        for source in map(Path, self.config.source):
            if not source.is_dir():
                what = "is no folder" if source.exists() else "does not exist"
                msg = f"source folder '{source}' {what}; set `source` in config/config.yaml"
                raise CalibraryError(msg)
            if not os.access(source, os.R_OK | os.X_OK):
                msg = f"source folder '{source}' cannot be read; mend its permissions"
                raise CalibraryError(msg)
        for key, folders in (("source", self.config.source), ("library", [self.config.library])):
            if self.results.resolve() in {Path(folder).resolve() for folder in folders}:
                msg = f"`results` and `{key}` are one folder, '{self.results}'; give each its own"
                raise CalibraryError(msg)
        overrides, default = self.config.overrides, Config.model_fields["overrides"].default
        if overrides not in (None, default) and not Path(overrides).is_file():
            msg = f"overrides '{overrides}' is no file; set `overrides` in config/config.yaml"
            raise CalibraryError(msg)

    def _hide_results(self) -> None:
        """Keep what is not judged yet out of a library or a source that the results lie in."""
        around = [Path(folder).resolve() for folder in (*self.config.source, self.config.library)]
        if any(self.results.resolve().is_relative_to(folder) for folder in around):
            (self.results / IGNORE_FILE).write_text("*\n", encoding="utf-8")

    def _keep_others_out(self) -> None:
        # Held until the process ends, however it ends; Snakemake's own lock is per folder it is
        # started in, and two of those may share one results folder.
        lock = FileLock(self.results / ".lock", blocking=False)
        try:
            lock.acquire()
        except Timeout:
            msg = f"another run is at work in '{self.results}'; wait for it to end"
            raise CalibraryError(msg) from None
        self._lock = lock
        os.utime(self.results / ".lock")  # when this run began, for its summary

    def _voided(self) -> Iterator[tuple[str, bool]]:
        """Yield groups whose verdict is no longer true, and whether their figures are neither.

        Snakemake makes a verdict again when its file is missing. It cannot see for itself that a
        user deleted a master (the library holds no outputs of Snakemake's), or that a changed
        limit turned a flat's calibrator from refused to published.
        """
        from calibrary.publish.publish import calibrator_stands, candidates_of, read_verdict

        for path in sorted((self.results / "verify").glob("*.json")):
            verdict = read_verdict(path)
            measured = self.results / f"candidates/{path.stem}.json"
            if not measured.exists():
                # The job that should have made it anew failed or was killed.
                yield path.stem, True
            elif verdict["master"] is not None and not (self.library / verdict["master"]).exists():
                # The candidate is published once more where it is still there.
                yield path.stem, not candidates_of(measured)
            elif not calibrator_stands(verdict, self.results, self.config):
                yield path.stem, True


def _make_writable(key: str, folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    _require_writable(key, folder, folder)


def _require_writable(key: str, folder: Path, there: Path) -> None:
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        msg = f"{key} folder '{folder}' cannot be written; set `{key}` in config/config.yaml"
        raise CalibraryError(msg)


def _run_group(plan: Mapping[str, Any]) -> RunGroup:
    calibrator = plan["calibrator"] or {}
    action = Action(plan["action"])
    return RunGroup(
        name=plan["group"],
        action=action,
        order=plan["digest"] + ("" if action is not Action.FOREIGN else " foreign"),
        calibrator=calibrator.get("group"),
        bias=plan["bias"],
        threads=plan["threads"],
        mem_mb=plan["mem_mb"],
        runtime_min=plan["runtime_min"],
        disk_mb=plan["disk_mb"],
    )
