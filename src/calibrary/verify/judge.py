"""From figures and limits to a verdict: no pixels, so limits may change at no cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from calibrary.checks import CHECKS, Check
from calibrary.records import CalibratorKind, FrameType, Verdict

if TYPE_CHECKING:
    from calibrary.config.limits import VerifyLimits

_SEVERITY = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2}
_LADDER = [kind.value for kind in CalibratorKind]
_NAMED = 3
"""Reasons told in full."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of a master."""

    __test__ = False  # not one of pytest's own

    name: str
    figure: float | None
    limit: float | None
    """The limit that decided; for a pass the nearer one."""
    unit: str
    source: str
    verdict: Verdict
    message: str
    title: str = ""
    """The test's name for people."""
    remedy: str = ""
    """What to do; empty for a pass."""


@dataclass(frozen=True, slots=True)
class Untested:
    """A test that could not be made."""

    name: str
    title: str
    needs: str
    """What would have to be known."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of a master."""

    verdict: Verdict
    tests: list[TestResult]
    reason: str
    """One line; empty for a pass."""
    untested: list[Untested] = field(default_factory=list)


def judge(
    measured: Mapping[str, Any],
    limits: VerifyLimits | Mapping[str, Mapping[str, float | None]] | None = None,
    minimum: int | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Judgement:
    """Judge a master by its figures.

    Parameters
    ----------
    measured : mapping
        What `calibrary.verify.measure.measure` returned, or its JSON.
    limits : VerifyLimits or its plain form, optional
        The config section ``verify``; without it the defaults of `calibrary.checks`.
    minimum : int, optional
        The config's smallest good number of frames for this type; without it what was measured
        says, if it does.
    checks : sequence of Check
        The tests to make.

    Returns
    -------
    Judgement
        Tests whose figure is unknown are in `Judgement.untested`, with what they need.
    """
    plain = _plain(limits)
    figures = measured["figures"]
    frame_type = FrameType(measured["facts"]["frame_type"])
    tests = _facts(measured, minimum)
    who = measured.get("who", {})
    untested = []
    for check in checks:
        if frame_type not in check.types:
            continue
        figure = figures.get(check.name)
        if figure is not None and math.isfinite(figure):
            told = who.get(check.name, "")
            tests.append(_test(check, float(figure), plain.get(check.key, {}), told))
        else:
            why = measured.get("untested", {}).get(check.name) or check.needs
            untested.append(Untested(check.name, check.title, why))
    verdict = max((t.verdict for t in tests), key=_SEVERITY.__getitem__, default=Verdict.PASS)
    return Judgement(verdict, tests, _reason(tests, verdict), untested)


def _plain(
    limits: VerifyLimits | Mapping[str, Mapping[str, float | None]] | None,
) -> Mapping[str, Mapping[str, float | None]]:
    if limits is None:
        return {}
    return limits if isinstance(limits, Mapping) else limits.model_dump()


def _test(check: Check, figure: float, limits: Mapping[str, float | None], who: str) -> TestResult:
    warn = limits.get("warn", check.warn)
    fail = limits.get("fail", check.fail)

    def beyond(limit: float | None) -> bool:
        if limit is None:
            return False
        return figure > limit if check.side == "above" else figure < limit

    verdict = Verdict.FAIL if beyond(fail) else Verdict.WARN if beyond(warn) else Verdict.PASS
    limit = fail if verdict is Verdict.FAIL or warn is None else warn
    passed = verdict is Verdict.PASS
    return TestResult(
        check.name,
        figure,
        limit,
        check.unit,
        check.source,
        verdict,
        "" if passed else check.message.format(figure=figure, who=who or "one frame"),
        check.title,
        "" if passed else check.remedy,
    )


def _facts(measured: Mapping[str, Any], minimum: int | None) -> list[TestResult]:
    """Judge what is no matter of a limit: count, calibrator, gaps in the headers."""
    facts, figures = measured["facts"], measured["figures"]
    found = []
    least = figures.get("frames.minimum") if minimum is None else float(minimum)
    if least is not None and figures.get("frames.n") is not None:
        found.append(_count(figures["frames.n"], least))
    if facts.get("calibrator") is not None:
        found.append(_calibrator(facts["calibrator"]))
    if len(facts.get("exposures") or ()) > 1:
        found.append(_exposures(facts["exposures"]))
    if facts.get("missing") is not None:
        found.append(_missing(facts["missing"]))
    return found


def _count(n: float, least: float) -> TestResult:
    few = n < least
    message = f"{n:.0f} frames; {least:.0f} is the least for a good master" if few else ""
    verdict = Verdict.WARN if few else Verdict.PASS
    return TestResult("frames.n", n, least, "", "guide: minimum frame counts", verdict, message)


def _calibrator(calibrator: Mapping[str, str]) -> TestResult:
    kind = calibrator["kind"]
    step = _LADDER.index(kind)
    message = ""
    if step:
        taken = "nothing" if kind == "none" else f"a {kind} master"
        why = calibrator.get("reason") or "no matching dark-flats"
        message = f"{taken} instead of dark-flats was subtracted: {why}"
    verdict = Verdict.WARN if step else Verdict.PASS
    source = "guide: dark-flats are best practice"
    return TestResult("calibrator.step", float(step), 0.0, "", source, verdict, message)


def _exposures(exposures: Sequence[float]) -> TestResult:
    count = float(len(exposures))
    message = (
        f"{count:.0f} exposures from {min(exposures):.3g} to {max(exposures):.3g} s in one master: "
        "flats of a twilight, each scaled by its level"
    )
    source = "the flats' exposures, as twilight asks for them"
    return TestResult("flat.exposures", count, 1.0, "", source, Verdict.WARN, message)


def _missing(missing: Sequence[str]) -> TestResult:
    count = float(len(missing))
    message = f"the headers do not tell {', '.join(missing)}" if missing else ""
    verdict = Verdict.WARN if missing else Verdict.PASS
    source = "guide: keywords to check"
    return TestResult("header.missing", count, 0.0, "", source, verdict, message)


def _reason(tests: Sequence[TestResult], verdict: Verdict) -> str:
    if verdict is Verdict.PASS:
        return ""
    told = [t.message for t in tests if t.verdict is verdict]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return "; ".join(told[:_NAMED]) + more
