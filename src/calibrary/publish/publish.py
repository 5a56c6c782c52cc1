"""Judge a candidate and, unless a test failed, put it into the library.

The library never holds half a file and never loses one: a master arrives complete beside its
place and takes it by a rename. What is refused stays with the candidates.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from calibrary.checks import QC_KEYWORDS
from calibrary.config import Config
from calibrary.files import appearing, write_text_atomic
from calibrary.publish.fewer import Loss, frames_lost
from calibrary.records import VOID, Action, CalibraryError, GroupPlan, Verdict
from calibrary.verify.dark import dark_figures
from calibrary.verify.judge import Judgement, TestResult, judge

Measured = dict[str, Any]
"""What `calibrary.masters.build` found of a candidate: figures, frames, plots, origin."""

_STEP = "inputs.step"


def publish_group(sheet: Path, measured: Path, verdict: Path, config: Config) -> None:
    """Write the verdict of one group and publish its candidate unless it failed.

    Parameters
    ----------
    sheet
        The group's work order.
    measured
        What `calibrary.masters.build.build_group` wrote; the candidate lies beside it.
    verdict
        Where the verdict goes: ``results/verify/<group>.json``.
    config
        Limits, and where the library is.

    Raises
    ------
    CalibraryError
        The library cannot be written; it is unchanged then.
    """
    plan = GroupPlan.from_json(sheet.read_text(encoding="utf-8"))
    found: Measured = json.loads(measured.read_text(encoding="utf-8"))
    found["figures"] |= _above_bias(plan, found, measured.parent)
    found["figures"] |= _beside_calibrator(found, measured.parent, config)
    record = _judged(plan, found, config) | _calibrator_refused(found, measured.parents[1], config)
    loss = _loss(plan, found, measured.parents[1], config)
    if loss is not None:
        record = _with_loss(record, loss, config)
    candidates = candidates_of(measured)
    if plan.action is Action.BUILD and candidates:
        record.update(_publish(plan, found, candidates, record, config))
    master = record["master"]
    if master is not None:
        stat = (Path(config.library) / master).stat()
        record.update(master_size=stat.st_size, master_mtime_ns=stat.st_mtime_ns)
    write_text_atomic(verdict, json.dumps(record, indent=1))
    verdict.with_suffix(VOID).unlink(missing_ok=True)


def read_verdict(path: Path) -> dict[str, Any]:
    """Return a verdict that `publish_group` wrote."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def candidates_of(measured: Path) -> list[Path]:
    """Return the candidate masters that lie beside their figures."""
    suffixes = (".xisf", ".fits")
    return [path for path in map(measured.with_suffix, suffixes) if path.exists()]


def calibrator_stands(verdict: Mapping[str, Any], results: Path, config: Config) -> bool:
    """Tell whether a flat's master was made with the calibrator that today's limits choose."""
    calibrator = verdict["calibrator"] or {}
    used = calibrator.get("used")
    if used is None or calibrator.get("group") is None:
        return True
    measured = results / f"candidates/{calibrator['group']}.json"
    if not measured.exists() or _is_published(calibrator, measured, config):
        return True
    standing = results / f"verify/{calibrator['group']}.json"
    if standing.exists():
        record = read_verdict(standing)
        if record["limits_digest"] == limits_digest(config):
            return bool((used == "candidate") == usable(record, config))
    return bool((used == "candidate") == candidate_is_usable(measured, config))


def _is_published(calibrator: Mapping[str, Any], measured: Path, config: Config) -> bool:
    """Tell whether a calibrator's candidate is the very master that the library has.

    By size and time rather than by inode, so that it holds in a copied folder too.
    """
    master = Path(config.library) / (calibrator["master"] or "")
    return master.is_file() and any(
        _stamp(path) == _stamp(master) for path in candidates_of(measured)
    )


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def candidate_is_usable(measured: Path, config: Config) -> bool:
    """Tell whether a measured candidate passes today's limits, to serve as a calibrator."""
    found: Measured = json.loads(measured.read_text(encoding="utf-8"))
    if found["failure"]:
        return False
    results = measured.parents[1]
    sheet = results / f"plan/sheets/{measured.stem}.json"
    plan = GroupPlan.from_json(sheet.read_text(encoding="utf-8"))
    if config.publish.fewer == "refuse" and _loss(plan, found, results, config) is not None:
        return False
    return _passes(_judge(found, config).verdict, config)


def usable(verdict: Mapping[str, Any], config: Config) -> bool:
    """Tell whether a master of this verdict is in the library and calibrates flats."""
    return verdict["outcome"] not in ("refused", "not_built") and _passes(
        verdict["verdict"], config
    )


def _passes(verdict: str, config: Config) -> bool:
    return verdict != Verdict.FAIL or config.publish.masters == "all"


def _loss(plan: GroupPlan, found: Measured, results: Path, config: Config) -> Loss | None:
    """Return what the library would lose if the candidate took the place of the master there."""
    if plan.action is not Action.BUILD or found["failure"]:
        return None
    published = Path(config.library) / plan.master
    used = {frame["path"]: frame["reason"] for frame in found["frames"]}
    return frames_lost(published, plan.digest, used, results / "plan/frames.csv")


def _with_loss(record: dict[str, Any], loss: Loss, config: Config) -> dict[str, Any]:
    """Return the verdict of a candidate that has fewer frames than the master in the library."""
    refused = config.publish.fewer == "refuse"
    remedy = (
        "mend these files, or take them out of the source; or publish it with "
        "--config 'publish={fewer: warn}'"
    )
    message = f"{loss}; {remedy}" if refused else str(loss)
    verdict = Verdict.FAIL if refused else Verdict.WARN
    source = "own: a master is often all that is left of its frames"
    test = TestResult("frames.fewer", loss.now, loss.before, "", source, verdict, message)
    told = [message, record["reason"]] if record["reason"] else [message]
    return record | {
        "outcome": "refused" if refused else record["outcome"],
        "verdict": max(verdict, Verdict(record["verdict"]), key=list(Verdict).index),
        "reason": "; ".join(told),
        "tests": [*record["tests"], dataclasses.asdict(test)],
    }


def limits_digest(config: Config) -> str:
    """Return a digest of everything that a verdict depends on besides the figures."""
    text = config.model_dump_json(include={"verify", "frames", "publish"})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _judge(found: Measured, config: Config) -> Judgement:
    minimum = getattr(config.frames.minimum, found["facts"]["frame_type"])
    return judge(found, config.verify, minimum)


def _above_bias(plan: GroupPlan, found: Measured, folder: Path) -> dict[str, float]:
    """Return what a dark adds to its bias, where that was built."""
    bias = folder / f"{plan.bias}.json"
    if plan.bias is None or found["failure"] or not bias.exists():
        return {}
    level = json.loads(bias.read_text(encoding="utf-8"))["figures"].get("level.median")
    if level is None:
        return {}
    return dark_figures(found["figures"], level, plan.keys.exposure_s, plan.keys.egain)


def _beside_calibrator(found: Measured, folder: Path, config: Config) -> dict[str, float]:
    """Return how the scale of flats and of their calibrator's frames differ, where both are known.

    Equal headers do not tell: of one camera some programs write 12 bits as they are, others
    shifted to 16.
    """
    its = _calibrator_step(found["calibrator"] or {}, folder, config)
    mine = found["figures"].get(_STEP)
    return {"inputs.scale_ratio": max(mine / its, its / mine)} if mine and its else {}


def _calibrator_step(calibrator: Mapping[str, Any], folder: Path, config: Config) -> float | None:
    """Return the step, ADU, of the frames of the master that was subtracted.

    A master of the library tells it in its header, if Calibrary made it: an average of frames
    shows no steps any more.
    """
    from calibrary.headers.reading import read_header

    used = calibrator.get("used")
    measured = folder / f"{calibrator.get('group')}.json"
    if used == "candidate" and measured.exists():
        step: float | None = json.loads(measured.read_text(encoding="utf-8"))["figures"].get(_STEP)
        return step
    if used in ("library", "published"):
        header = read_header(Path(config.library) / calibrator["master"])
        return header.frame.qc.get(QC_KEYWORDS[_STEP][0])
    return None


def _calibrator_refused(found: Measured, results: Path, config: Config) -> dict[str, Any]:
    """Fail a flat whose calibrator was refused after the flat had been made with it.

    The job that makes a flat judges the calibrator, but a dark's bias may be built later.
    """
    calibrator = found["calibrator"] or {}
    if calibrator.get("used") != "candidate":
        return {}
    standing = read_verdict(results / f"verify/{calibrator['group']}.json")
    measured = results / f"candidates/{calibrator['group']}.json"
    if usable(standing, config) or _is_published(calibrator, measured, config):
        return {}
    reason = f"its calibrator {calibrator['group']} failed verification: {standing['reason']}"
    return {"verdict": Verdict.FAIL, "reason": reason}


def _judged(plan: GroupPlan, found: Measured, config: Config) -> dict[str, Any]:
    """Return the verdict's record as it is before anything is published."""
    record: dict[str, Any] = {
        "group": plan.group,
        "frame_type": plan.frame_type,
        "setup": plan.setup,
        "digest": plan.digest,
        "limits_digest": limits_digest(config),
        "outcome": {Action.REUSE: "reused", Action.FOREIGN: "kept"}.get(plan.action, "not_built"),
        "master": plan.master if plan.action is not Action.BUILD else None,
        "n_frames": len(plan.frames),
        "n_combined": found["n_combined"],
        "seconds": found["seconds"],
        "bytes_read": found["bytes_read"],
        "calibrator": found["calibrator"],
        "integration": plan.integration,
        "warnings": list(plan.warnings),
        "figures": found["figures"],
        "tests": [],
        "untested": [],
    }
    if found["failure"]:
        return record | {"verdict": Verdict.FAIL, "reason": found["failure"]}
    judgement = _judge(found, config)
    record["tests"] = [dataclasses.asdict(test) for test in judgement.tests]
    record["untested"] = [dataclasses.asdict(test) for test in judgement.untested]
    if plan.action is Action.FOREIGN and judgement.verdict is Verdict.FAIL:
        # Not ours to refuse; the user is told, and the run goes on.
        return record | {"verdict": Verdict.WARN, "reason": f"{plan.reason}; {judgement.reason}"}
    reason = plan.reason if plan.action is Action.FOREIGN else judgement.reason
    return record | {"verdict": judgement.verdict, "reason": reason}


def _publish(
    plan: GroupPlan,
    found: Measured,
    candidates: Sequence[Path],
    record: Mapping[str, Any],
    config: Config,
) -> dict[str, Any]:
    """Put the candidate into the library, or leave it, and return what became of it."""
    library = Path(config.library)
    failed = record["verdict"] == Verdict.FAIL
    if record["outcome"] == "refused" or (failed and config.publish.masters != "all"):
        had = (library / plan.master).exists()
        return {"outcome": "refused", "master": plan.master if had else None}
    for candidate in candidates:
        target = (library / plan.master).with_suffix(candidate.suffix)
        _require_ours(target, overwrite_foreign=config.overwrite_foreign)
        if failed:
            _place_marked(candidate, target, plan, found, record["reason"], config)
        else:
            place(candidate, target)
    return {"outcome": "published", "master": plan.master}


def _place_marked(
    candidate: Path,
    target: Path,
    plan: GroupPlan,
    found: Measured,
    reason: str,
    config: Config,
) -> None:
    """Write the candidate as a master whose header says that it failed verification."""
    from calibrary.pixels.reading import read_image
    from calibrary.pixels.writing import write_master

    header = found["header"]
    target.parent.mkdir(parents=True, exist_ok=True)
    write_master(
        target,
        read_image(candidate)[0],
        height=plan.keys.height,
        channels=plan.keys.channels,
        output=config.output.model_dump(),
        cards=[*header["cards"], ("QCVERDCT", "fail", "verification; published on request")],
        history=[*header["history"], f"failed verification: {reason}"],
        image_type=header["image_type"],
        cfa=header["cfa"],
    )


def _require_ours(target: Path, *, overwrite_foreign: bool) -> None:
    """Refuse to replace a master that came into the library after the plan was made."""
    from calibrary.headers.reading import read_header

    if overwrite_foreign or not target.exists():
        return
    if read_header(target).frame.inputs_digest is None:
        msg = (
            f"{target} was not made by Calibrary and is kept; "
            "run again with --config overwrite_foreign=true to replace it"
        )
        raise CalibraryError(msg)


def place(candidate: Path, target: Path) -> None:
    """Make `target` the complete `candidate`, or leave it untouched.

    On one file system both are one file afterwards and no byte is copied; across two the candidate
    becomes a symbolic link to the target, so that no master is stored twice.

    Raises
    ------
    CalibraryError
        The target cannot be written: no space, no permission, file system gone.
    """
    try:
        with appearing(target) as beside:
            try:
                beside.hardlink_to(candidate.resolve())
                copied = False
            except OSError:  # another file system, or one without hard links
                shutil.copyfile(candidate, beside)
                copied = True
    except OSError as error:
        msg = f"cannot write {target}: {error.strerror}; the library is unchanged"
        raise CalibraryError(msg) from None
    if copied and not candidate.is_symlink():
        link = candidate.with_name(f".{candidate.name}.link")
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(target.resolve())
            link.replace(candidate)
        except OSError:  # a file system without links keeps the copy
            link.unlink(missing_ok=True)
