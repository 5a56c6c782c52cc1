"""What a run left in its results folder, read back for the report and the terminal."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibrary.manifest.tables import read_reason
from calibrary.records import (
    CALIBRATION_TYPES,
    CalibraryError,
    FrameType,
    GroupPlan,
    Reason,
    ReasonCode,
    Status,
    Verdict,
)
from calibrary.results import standing

FRAME_COLUMNS = ("path", "frame_type", "group", "status", "reason")
_PLAN_FIELDS = {field.name for field in dataclasses.fields(GroupPlan)}


@dataclass(frozen=True, slots=True)
class MasterResult:
    """One group: its work order and what became of it."""

    plan: GroupPlan
    verdict: Verdict
    outcome: str
    """``published``, ``reused``, ``kept``, ``refused`` or ``not_built``."""
    reason: str
    n_frames: int
    """Frames of the group, those set aside by verification included."""
    record: dict[str, Any]
    """The verdict as ``verify/<group>.json`` has it, with frames and plots of the candidate."""
    preview: Path | None
    match: Any = None
    """What ``matches.json`` says of the group: for flats only."""

    @property
    def built(self) -> bool:
        """Whether the master was integrated, published or not."""
        return self.outcome in ("published", "refused")

    @property
    def seconds(self) -> float:
        """Wall time of the job, s."""
        return float(self.record.get("seconds") or 0.0)

    @property
    def bytes_read(self) -> int:
        """Bytes read from the frames."""
        return int(self.record.get("bytes_read") or 0)

    @property
    def figures(self) -> dict[str, Any]:
        """The measured figures by dotted name."""
        return dict(self.record.get("figures") or {})

    @property
    def frames(self) -> list[dict[str, Any]]:
        """What was found of each frame."""
        return list(self.record.get("frames") or ())


@dataclass(frozen=True, slots=True)
class SetAside:
    """A frame that went into no master, and why."""

    path: str
    frame_type: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Results:
    """All that the report shows but the library's history."""

    masters: tuple[MasterResult, ...]
    set_aside: tuple[SetAside, ...]
    n_frames: int
    """Calibration frames found, those set aside included."""
    coverage: tuple[dict[str, str], ...]

    def count(self, **wanted: object) -> int:
        """Return the number of masters whose attributes have the values `wanted`."""
        return sum(all(getattr(m, k) == v for k, v in wanted.items()) for m in self.masters)

    def reasons(self) -> list[tuple[str, int]]:
        """Return why frames were set aside and how often, the most frequent first.

        Reasons of one code are one; the first stands for them all.
        """
        return [(str(frames[0].reason), len(frames)) for frames in self.set_aside_alike()]

    def set_aside_alike(self) -> list[list[SetAside]]:
        """Return the frames that were set aside for one and the same reason, the most first."""
        alike: dict[object, list[SetAside]] = {}
        for frame in self.set_aside:
            reason = frame.reason
            # What the checks of pixels found stands in their records without a code.
            kind = reason.text if reason.code is ReasonCode.PIXELS else reason.code
            alike.setdefault(kind, []).append(frame)
        return sorted(alike.values(), key=lambda frames: -len(frames))

    @property
    def seconds(self) -> float:
        """Wall time of the jobs that built something, s."""
        return sum(m.seconds for m in self.masters if m.built)

    @property
    def bytes_read(self) -> int:
        """Bytes those jobs read."""
        return sum(m.bytes_read for m in self.masters if m.built)


def read_results(results: Path, since: float | None = None) -> Results:
    """Read a results folder; what is not there is shown as missing.

    Parameters
    ----------
    results
        The results folder of a run.
    since
        Start of the run, s since 1970: masters integrated before it are up to date instead of
        built. Without it every master that is still as it was published counts as built.

    Raises
    ------
    CalibraryError
        There is no plan, or a file is damaged.
    """
    frames = _table(results / "plan" / "frames.csv", FRAME_COLUMNS)
    matches = _json(results / "matches.json", {})
    counts = Counter(row["group"] for row in frames)
    masters = [
        _master(results, plan, counts, matches, since)
        for plan in _json(results / "plan" / "groups.json")
    ]
    return Results(
        masters=tuple(sorted(masters, key=_order)),
        set_aside=tuple(_set_aside(frames, masters)),
        n_frames=sum(row["status"] != Status.IGNORED for row in frames),
        coverage=tuple(_table(results / "coverage.csv")),
    )


def _master(
    results: Path,
    data: Mapping[str, Any],
    counts: Mapping[str, int],
    matches: Mapping[str, Any],
    since: float | None,
) -> MasterResult:
    known = {key: value for key, value in data.items() if key in _PLAN_FIELDS}
    plan = GroupPlan.from_dict({**known, "frames": ()})
    measured = results / "candidates" / f"{plan.group}.json"
    verdict = standing(results, data)
    outcome = verdict["outcome"]
    # Frames and plots stand with the candidate, what was judged with the verdict.
    found = _json(measured, {}) if "digest" in verdict else {}
    record = {**found, **verdict}
    if outcome == "published" and since is not None and measured.stat().st_mtime < since:
        outcome = "reused"
    preview = results / "previews" / f"{plan.group}.jpg"
    return MasterResult(
        plan=plan,
        verdict=Verdict(verdict["verdict"]),
        outcome=outcome,
        reason=verdict["reason"],
        n_frames=record.get("n_frames", counts.get(plan.group, 0)),
        record=record,
        preview=preview if outcome != "not_built" and preview.is_file() else None,
        match=matches.get(plan.group),
    )


def _order(master: MasterResult) -> tuple[object, ...]:
    plan = master.plan
    return (
        plan.setup,
        CALIBRATION_TYPES.index(plan.frame_type),
        plan.keys.exposure_s or 0.0 if plan.frame_type is not FrameType.FLAT else 0.0,
        plan.keys.filter or "",
        plan.first_date_obs or "",
        plan.group,
    )


def _set_aside(
    frames: Iterable[Mapping[str, str]], masters: Iterable[MasterResult]
) -> Iterable[SetAside]:
    """Collect what the plan set aside, then what verification and integration did."""
    for row in frames:
        if row["status"] == Status.SET_ASIDE:
            yield SetAside(row["path"], row["frame_type"], read_reason(row["reason"]))
    for master in masters:
        for frame in master.frames:
            if frame["status"] == Status.SET_ASIDE:
                reason = Reason(ReasonCode.PIXELS, frame["reason"])
                yield SetAside(frame["path"], master.plan.frame_type.value, reason)


def _json(path: Path, default: Any = None) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if default is not None:
            return default
        msg = f"{path}: not found; run the workflow with this results folder first"
        raise CalibraryError(msg) from None
    except ValueError:
        msg = f"{path}: damaged; delete it and run the workflow again"
        raise CalibraryError(msg) from None


def _table(path: Path, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read a CSV file; given `columns`, only those: there may be 100,000 rows of 40."""
    csv.field_size_limit(2**24)
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = csv.reader(file)
            names = next(rows, [])
            at = [(name, names.index(name)) for name in columns or names]
            return [{name: row[k] for name, k in at} for row in rows if row]
    except FileNotFoundError:
        return []
