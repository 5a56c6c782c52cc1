"""What a run left in its results folder, read back for the report and the terminal."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibrary.model import (
    CALIBRATION_TYPES,
    CalibraryError,
    FrameType,
    GroupPlan,
    Status,
    Verdict,
)

NO_VERDICT = "the job ended without a verdict; its log says why"


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
    """``verify/<group>.json`` as it stands; empty when the job left none."""
    preview: Path | None
    match: Any = None
    """What ``matches.json`` says of the group: for flats only."""

    @property
    def seconds(self) -> float:
        """Wall time of the integration, s."""
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
    def built(self) -> bool:
        """Whether the master was integrated, whatever became of it."""
        return self.outcome in ("published", "kept", "refused")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A frame that went into no master, and why."""

    path: str
    frame_type: str
    reason: str
    group: str


@dataclass(frozen=True, slots=True)
class Results:
    """All that the report shows but the library's history."""

    masters: tuple[MasterResult, ...]
    set_aside: tuple[SetAside, ...]
    n_used: int
    n_ignored: int
    coverage: tuple[dict[str, str], ...]

    def count(self, **wanted: object) -> int:
        """Return the number of masters whose attributes have the values `wanted`."""
        return sum(all(getattr(m, k) == v for k, v in wanted.items()) for m in self.masters)


def read_results(results: Path) -> Results:
    """Read a results folder; what is not there is shown as missing.

    Raises
    ------
    CalibraryError
        There is no plan, or a file is damaged.
    """
    frames = _table(results / "plan" / "frames.csv") or _table(results / "manifest.csv")
    used = Counter(row["group"] for row in frames if row["status"] == Status.USED)
    matches = _json(results / "matches.json", {})
    masters = tuple(
        _master(results, GroupPlan.from_dict({**plan, "frames": ()}), used, matches)
        for plan in _json(results / "plan" / "groups.json")
    )
    return Results(
        masters=tuple(sorted(masters, key=_order)),
        set_aside=tuple(_set_aside(frames, masters)),
        n_used=used.total(),
        n_ignored=sum(row["status"] == Status.IGNORED for row in frames),
        coverage=tuple(_table(results / "coverage.csv")),
    )


def _master(results: Path, plan: GroupPlan, used: Counter[str], matches: Any) -> MasterResult:  # noqa: ANN401
    record = _json(results / "verify" / f"{plan.group}.json", {})
    preview = results / "previews" / f"{plan.group}.webp"
    return MasterResult(
        plan=plan,
        verdict=Verdict(record.get("verdict", Verdict.FAIL)),
        outcome=record.get("outcome", "not_built"),
        reason=record.get("reason", plan.reason or NO_VERDICT) or "",
        n_frames=record.get("n_frames", used[plan.group]),
        record=record,
        preview=preview if preview.is_file() else None,
        match=matches.get(plan.group) if plan.frame_type is FrameType.FLAT else None,
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
    frames: Iterable[dict[str, str]], masters: Iterable[MasterResult]
) -> Iterable[SetAside]:
    """Collect what the plan set aside, then what verification did."""
    for row in frames:
        if row["status"] == Status.SET_ASIDE:
            yield SetAside(row["path"], row["frame_type"], row["reason"], row["group"])
    for master in masters:
        for frame in master.record.get("frames", ()):
            if frame.get("status") == Status.SET_ASIDE:
                kind = master.plan.frame_type.value
                yield SetAside(frame["path"], kind, frame.get("reason", ""), master.plan.group)


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


def _table(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(2**24)
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []
