"""A results folder as a run leaves it, with any number of masters and known contents."""

import csv
import dataclasses
import itertools
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from calibrary.checks import CHECKS
from calibrary.masters.preview import render_preview
from calibrary.records import (
    FRAME_FIELDS,
    Action,
    Calibrator,
    CalibratorKind,
    Frame,
    FrameType,
    GroupKeys,
    GroupPlan,
    Reason,
    ReasonCode,
)

SETUPS = (("Esprit 120ED", "ASI2600MM", None), ("Edge HD 8", "QHY600M", "RGGB"))
SORTS = (
    (FrameType.BIAS, 0.0, None, 100),
    (FrameType.DARK, 60.0, None, 30),
    (FrameType.DARK, 120.0, None, 24),
    (FrameType.DARK, 300.0, None, 50),
    (FrameType.DARKFLAT, 2.31845, None, 30),
    (FrameType.FLAT, 2.31845, "Ha", 30),
    (FrameType.FLAT, 0.8, "L", 18),
    (FrameType.FLAT, 1.5, "OIII", 34),
)
LEVELS = {"bias": 503.2, "dark": 511.7, "darkflat": 503.9, "flat": 31250.0}
FATES = {
    3: ("warn", "published", "2 frames lose five times their share to rejection"),
    6: ("warn", "published", "calibrated with bias only: no dark-flat within 3 h of the flats"),
    9: ("pass", "reused", "same frames and settings as the master in the library"),
    12: ("fail", "refused", "light leak: the edge is 14 ADU above the centre and grows with time"),
    15: ("warn", "too_few", "2 frames, 3 required"),
}


@dataclass(frozen=True)
class Fake:
    """A results folder and what was put into it."""

    results: Path
    library: Path
    groups: list[GroupPlan]
    records: list[dict[str, Any]]
    masters: list[Frame]


def build_results(root: Path, n_masters: int, *, text: str = "", reason: str = "") -> Fake:
    """Write a results folder of `n_masters`; `text` and `reason` go where headers' text goes."""
    results, library = root / "results", root / "library"
    rng = np.random.default_rng(7)
    pictures = [preview(rng, kind, b) for kind in LEVELS for b in (None, "RGGB")]
    plans, records = [], []
    for index, (night, setup, sort) in enumerate(
        itertools.islice(itertools.product(range(10**6), SETUPS, SORTS), n_masters)
    ):
        plan = plan_of(night, setup, sort, index, text)
        record = record_of(rng, plan, index, reason)
        plans.append(plan)
        records.append(record)
        measured = {key: record.pop(key) for key in ("frames", "plots")}
        if record["outcome"] != "too_few":
            write_json(results / "candidates" / f"{plan.group}.json", measured)
            write_json(results / "verify" / f"{plan.group}.json", record)
        if record["outcome"] != "too_few":
            picture = pictures[2 * list(LEVELS).index(plan.frame_type) + bool(setup[2])]
            path = results / "previews" / f"{plan.group}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(numbered(picture, index))
    write_json(
        results / "plan" / "groups.json", [dataclasses.asdict(p) | {"n_frames": 30} for p in plans]
    )
    write_json(results / "matches.json", {p.group: match_of(p) for p in plans if p.calibrator})
    write_frames(results, plans, reason)
    write_coverage(results, plans)
    return Fake(results, library, plans, records, library_masters(rng, library))


def write_json(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")


def plan_of(night: int, setup: tuple, sort: tuple, index: int, text: str) -> GroupPlan:
    telescope, camera, bayer = setup
    frame_type, exposure, filter_name, n_frames = sort
    start = datetime(2025, 9, 1, 20, 5) + timedelta(days=night, minutes=7 * index)
    name = f"{frame_type}_{camera}_{filter_name or f'{exposure:g}s'}_{start:%Y%m%d}_{index}"
    folder = f"!!!{frame_type.value.upper()}S_LIB/{telescope.replace(' ', '_')}_{camera}"
    return GroupPlan(
        group=name,
        frame_type=frame_type,
        setup=f"{telescope.replace(' ', '_')}_{camera}",
        action=Action.TOO_FEW if index % 40 == 15 else Action.BUILD,
        reason=FATES[15][2] if index % 40 == 15 else "",
        digest=f"{index:064x}",
        keys=GroupKeys(
            telescope=telescope + text, camera=camera, exposure_s=exposure, temp_c=-10.0,
            gain=100.0, offset=50.0, readout_mode=f"High Gain{text}", usb_limit=None, x_binning=1,
            y_binning=1, filter=filter_name and filter_name + text, bayer_pattern=bayer, width=6248,
            height=4176, channels=1, sample_format="uint16", normalised=False, x_origin=None,
            y_origin=None, night=f"{start:%Y-%m-%d}",
        ),
        frames=(),
        first_date_obs=start.isoformat(),
        last_date_obs=(start + timedelta(seconds=n_frames * (exposure + 2))).isoformat(),
        master=f"{folder}/{start:%Y_%m_%d}/Master_{name}.xisf",
        integration={"method": "winsorized", "low": 4.0, "high": 3.0, "cutoff": 5.0, "alpha": 0.05,
                     "outliers": 0.3, "definition": "pixinsight", "profile": "calibrary",
                     "normalization": "none"},
        calibrator=Calibrator(CalibratorKind.DARKFLAT, "darkflat_group", "x/MasterDarkFlat.xisf")
        if frame_type is FrameType.FLAT
        else None,
    )  # fmt: skip


def record_of(rng: np.random.Generator, plan: GroupPlan, index: int, reason: str) -> dict:
    verdict, outcome, why = FATES.get(index % 40, ("pass", "published", ""))
    n = {k: n for k, *_, n in SORTS}[plan.frame_type] if outcome != "too_few" else 2
    level = LEVELS[plan.frame_type]
    made = outcome != "too_few"
    return {
        "group": plan.group, "frame_type": plan.frame_type.value, "setup": plan.setup,
        "digest": plan.digest, "verdict": verdict, "reason": why + reason, "outcome": outcome,
        "master": plan.master if made and outcome != "refused" else None,
        "n_frames": n, "n_combined": n - (index % 3 == 0) if made else 0,
        "seconds": 1.27 if made else 0, "bytes_read": n * 52_182_720 if made else 0,
        "calibrator": dataclasses.asdict(plan.calibrator) if plan.calibrator else None,
        "integration": plan.integration,
        "warnings": ["the gain is not in the header"] if index % 17 == 5 else [],
        "tests": tests_of(verdict, why) if made else [],
        "figures": {"level.median": level + rng.normal(), "noise.master": 0.71} if made else {},
        "frames": frames_of(rng, plan, n, index, reason),
        "plots": plots_of(rng, plan, n) if made else {},
    }  # fmt: skip


def tests_of(verdict: str, why: str) -> list[dict]:
    names = [check.name for check in CHECKS][:16]
    return [
        {"name": name, "figure": 0.9823 + i, "limit": 1.5 + i, "unit": "ADU" if i % 3 else "",
         "source": "DMTN-101" if i % 2 else "guide", "verdict": verdict if i == 4 else "pass",
         "message": why if i == 4 else "as expected"}
        for i, name in enumerate(names)
    ]  # fmt: skip


def frames_of(rng: np.random.Generator, plan: GroupPlan, n: int, index: int, reason: str) -> list:
    start = datetime.fromisoformat(plan.first_date_obs or "")
    step = (plan.keys.exposure_s or 0) + 2
    level = LEVELS[plan.frame_type]
    aside = {n - 1} if index % 3 == 0 else set()
    return [
        {
            "path": f"/data/night/{plan.group}/frame_{i:04d}.fits",
            "date_obs": (start + timedelta(seconds=step * i)).isoformat(),
            "level": level * (1 + rng.normal(0, 2e-3)), "scale": 1.0,
            "rejected_fraction": abs(rng.normal(4e-4, 1e-4)), "temp_c": -10 + rng.normal(0, 0.05),
            "status": "set_aside" if i in aside else "used",
            "reason": "level 14 % below its group" + reason if i in aside else "",
        }
        for i in range(n)
    ]  # fmt: skip


def plots_of(rng: np.random.Generator, plan: GroupPlan, n: int) -> dict:
    level = LEVELS[plan.frame_type]
    width = 2000.0 if plan.frame_type is FrameType.FLAT else 6.0
    edges = np.linspace(level - 5 * width, level + 5 * width, 129)
    centres = (edges[1:] + edges[:-1]) / 2
    counts = 2e6 * np.exp(-(((centres - level) / width) ** 2) / 2)
    sizes = np.unique(np.geomspace(1, n, 6).astype(int))
    plots: dict[str, Any] = {
        "histogram": {"edges_adu": edges.tolist(), "counts": counts.astype(int).tolist()},
        "noise": {
            "n": sizes.tolist(), "unit": "ADU", "predicted": (3.2 / np.sqrt(sizes)).tolist(),
            "measured": (3.2 / np.sqrt(sizes) * rng.normal(1.02, 0.02, len(sizes))).tolist(),
        },
    }  # fmt: skip
    if plan.frame_type in (FrameType.DARK, FrameType.DARKFLAT):
        plots["hot_pixels"] = {
            "x": rng.integers(0, 6248, 1000).tolist(), "y": rng.integers(0, 4176, 1000).tolist(),
            "value": np.sort(rng.exponential(900, 1000).round(1))[::-1].tolist(),
            "width": 6248, "height": 4176, "count": 4120,
        }  # fmt: skip
    y, x = np.mgrid[-1:1:24j, -1:1:32j]
    depth = 0.12 if plan.frame_type is FrameType.FLAT else 0.001
    grid = 1.05 - depth * (x**2 + y**2) + rng.normal(0, 1e-3, x.shape)
    plots["uniformity"] = {"grid": grid.tolist()}
    line = 1.05 - depth * np.linspace(-1, 1, 128) ** 2
    plots["profile"] = {
        "rows": (line + rng.normal(0, 1e-3, 128)).tolist(),
        "columns": (line - 0.01).tolist(), "unit": "",
    }  # fmt: skip
    return plots


def match_of(plan: GroupPlan) -> dict:
    """Return what the plan says of a flat: one dark-flat fits, a dozen darks do not."""
    fits = {
        "rung": "darkflat", "candidate": "darkflat_group", "type": "darkflat", "source": "run",
        "rank": 1, "chosen": True, "excluded_by": [], "text": "", "remedy": "",
        "differences": {"exposure": {"delta": 0.0, "tolerance": 0.002, "unit": "s"},
                        "temperature": {"delta": 0.1, "tolerance": 5.0, "unit": "°C"},
                        "time": {"delta": 0.4, "tolerance": 3.0, "unit": "h"}},
    }  # fmt: skip
    text = "exposure 60 s against the flat's 2.31845 s: +57.68 s, tolerance 0.06 s"
    darks = [
        {
            "rung": "dark", "candidate": f"dark_60s_{i}", "type": "dark", "source": "library",
            "rank": None, "chosen": False, "excluded_by": ["exposure"], "text": text,
            "remedy": "take dark-flats of exactly the flat's exposure",
            "differences": {"exposure": {"delta": 57.68, "tolerance": 0.06, "unit": "s"},
                            "temperature": {"delta": -0.2, "tolerance": 1.0, "unit": "°C"},
                            "time": {"delta": None, "tolerance": None, "unit": "h"}},
        }
        for i in range(12)
    ]  # fmt: skip
    return {"kind": "darkflat", "chosen": "darkflat_group", "reason": "",
            "candidates": [fits, *darks], "not_listed": {"dark": 2}}  # fmt: skip


def write_frames(results: Path, plans: list[GroupPlan], reason: str) -> None:
    with (results / "plan" / "frames.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FRAME_FIELDS)
        writer.writeheader()
        for plan in plans:
            writer.writerow({"path": f"/data/{plan.group}.fits", "group": plan.group,
                             "frame_type": plan.frame_type.value, "status": "used"})  # fmt: skip
        for i, why in enumerate(
            (
                Reason(ReasonCode.TRUNCATED, "truncated: 51 of 52 MB"),
                Reason(ReasonCode.DAMAGED, "zero length"),
                Reason(ReasonCode.LIGHT, "a light frame"),
            )
        ):
            data = json.dumps(dataclasses.replace(why, text=why.text + reason).to_data())
            writer.writerow({"path": f"/data/bad/broken_{i}{reason}.fits", "frame_type": "unknown",
                             "status": "set_aside", "reason": data})  # fmt: skip
        writer.writerow({"path": "/data/master.fits", "status": "ignored"})


def write_coverage(results: Path, plans: list[GroupPlan]) -> None:
    states = (("ok", ""), ("stale", "take 30 darks, the newest are 42 days old"),
              ("below_minimum", "take 12 more flats"), ("missing", "take 30 dark-flats of 0.8 s"),
              ("failed", "see the report"))  # fmt: skip
    with (results / "coverage.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("setup", "frame_type", "setting", "masters", "newest", "age_days",
                         "refresh_days", "stale", "n_frames", "minimum", "recommended", "verdict",
                         "status", "shoot_next"))  # fmt: skip
        for i, plan in enumerate(plans[:20]):
            status, todo = states[i % len(states)]
            writer.writerow((plan.setup, plan.frame_type.value, "120s Gain100 Offset50 1x1 -10C",
                             i % 4, "2026-09-01", 83, 30, False, 24, 15, 30, "pass", status, todo)
                            )  # fmt: skip


def library_masters(rng: np.random.Generator, library: Path) -> list[Frame]:
    """Two years of biases and darks of both setups, one pair a month, ageing slowly."""
    masters = []
    for month, (telescope, camera, _) in itertools.product(range(24), SETUPS):
        date = f"{2024 + month // 12}-{month % 12 + 1:02d}-03T20:00:00"
        common = {"telescope": telescope, "camera": camera, "gain": 100.0, "offset": 50.0,
                  "temp_c": -10.0, "x_binning": 1, "y_binning": 1, "date_obs": date,
                  "frame_type": FrameType.MASTER}  # fmt: skip
        setup = f"{telescope.replace(' ', '_')}_{camera}"
        bias = library / "!!!BIASES_LIB" / setup / date[:10] / "bias.xisf"
        dark = library / "!!!DARKS_LIB" / setup / date[:10] / "dark.xisf"
        masters += [
            Frame(str(bias), master_of=FrameType.BIAS, **common,
                  qc={"QCLEVEL": rng.normal(503, 0.4), "QCRDNOIS": rng.normal(3.2, 0.02)}),
            Frame(str(dark), master_of=FrameType.DARK, exposure_s=120.0, **common,
                  qc={"QCDRATE": rng.normal(4e-3, 1e-4), "QCHOT": 4100.0 + 30 * month}),
        ]  # fmt: skip
    return masters


def numbered(picture: bytes, number: int) -> bytes:
    """Return a JPEG file that shows the same and differs: a browser decodes equal ones once."""
    return picture + number.to_bytes(4)


def preview(rng: np.random.Generator, kind: str, bayer: str | None) -> bytes:
    """Return the preview of a small master that looks like its kind."""
    y, x = np.mgrid[-1:1:667j, -1:1:1000j]
    image = rng.normal(LEVELS[kind], 2, y.shape)
    if kind == "flat":
        image *= 1.05 - 0.15 * (x**2 + y**2)
    if kind == "dark":
        image += 12 * np.exp(-((x - 1) ** 2 + (y + 0.4) ** 2) / 0.05)
        image[rng.integers(0, 667, 300), rng.integers(0, 1000, 300)] += 3000
    return render_preview(image.astype(np.float32), bayer)
