"""What is subtracted from the flats of each group: the ladder, and why not something better."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrary.config import Config
from calibrary.plan.candidates import USE, Candidate, Comparison, Table
from calibrary.plan.overrides import Overrides, Pattern
from calibrary.plan.reasons import Explainer
from calibrary.records import Calibrator, CalibratorKind, FrameType
from calibrary.records.text import decimal

log = logging.getLogger(__name__)

LISTED = 16
"""Candidates of a rung that matches.json lists, the nearest first; the others are counted."""

SHORTEST_S = 0.01
"""Darks no longer than this hold nothing but the bias: programs without a bias type take them."""

_STEPS: dict[str, tuple[tuple[bool, str], ...]] = {
    "darkflat": ((False, "darkflat"),),
    "dark": ((False, "dark"),),
    "library": ((True, "darkflat"), (True, "dark")),
    "bias": ((False, "bias"), (True, "bias")),
}
"""What stands on each rung, in order: from the library or of this run, and of which type."""

_KINDS = {
    "darkflat": CalibratorKind.DARKFLAT,
    "dark": CalibratorKind.DARK,
    "library": CalibratorKind.LIBRARY,
    "bias": CalibratorKind.BIAS,
}


@dataclass(frozen=True, slots=True)
class Match:
    """The choice for one flat group, and its record for ``matches.json``."""

    chosen: Candidate | None
    kind: CalibratorKind
    reason: str
    pinned: bool
    record: dict[str, Any]

    def calibrator(self, masters: Mapping[str, str]) -> Calibrator:
        """Return the choice as the work order has it; `masters`: group -> path of its master."""
        if self.chosen is None:
            return Calibrator(CalibratorKind.NONE, reason=self.reason)
        name = self.chosen.name
        if self.chosen.in_library:
            return Calibrator(self.kind, None, name, self.reason)
        return Calibrator(self.kind, name, masters[name], self.reason)


class Matcher:
    """Finds the calibrator of each flat group among the candidates."""

    def __init__(
        self, candidates: Sequence[Candidate], config: Config, overrides: Overrides
    ) -> None:
        ordered = sorted(candidates, key=lambda c: (c.in_library, c.name))
        self._table = Table(ordered, config)
        self._config = config
        self._in_library = np.array([c.in_library for c in ordered], dtype=bool)
        self._index = {c.name: i for i, c in enumerate(ordered)}
        self._pins = [(Pattern(pin.flat), pin) for pin in overrides.pin]
        self._forbids = [(Pattern(part.flat), part.calibrator) for part in overrides.forbid]

    def match(self, flat: Candidate, paths: Sequence[str]) -> Match:
        """Choose what is subtracted from the flats of one group, whose files are `paths`."""
        comparison = self._table.compare(flat)
        forbidden = self._forbidden(flat.name, paths)
        comparison.excluded[forbidden, comparison.columns.index(USE)] = True
        explain = Explainer(flat, comparison, self._config)
        ranks = {rung: self._ranked(rung, comparison) for rung in _STEPS}
        chosen, kind, reason = self._pinned(flat, paths)
        pinned = kind is not None
        if kind is None:
            chosen, kind, reason = self._climb(ranks, explain)
        record = {
            "kind": kind.value,
            "chosen": None if chosen is None else self._table.candidates[chosen].name,
            "reason": reason,
            **self._record(ranks, explain, chosen),
        }
        found = None if chosen is None else self._table.candidates[chosen]
        return Match(found, kind, reason, pinned, record)

    def _climb(
        self, ranks: Mapping[str, list[int]], explain: Explainer
    ) -> tuple[int | None, CalibratorKind, str]:
        missed = []
        for rung in self._config.match.ladder:
            if rung == "none":
                break
            if rung == "bias" and not self._config.use_bias:
                missed.append("bias is not used (use_bias: false)")
                continue
            if ranks[rung]:
                return ranks[rung][0], _KINDS[rung], "; ".join(missed)
            missed.append(self._miss(rung, explain))
            if rung == "bias" and (hint := self._short_darks(explain.comparison)):
                missed.append(hint)
        return None, CalibratorKind.NONE, "; ".join(missed)

    def _members(self, rung: str) -> list[NDArray[np.intp]]:
        return [
            np.flatnonzero((self._in_library == in_library) & (self._table.types == of))
            for in_library, of in _STEPS[rung]
        ]

    def _ranked(self, rung: str, comparison: Comparison) -> list[int]:
        ranked: list[int] = []
        for members in self._members(rung):
            fit = members[~comparison.excluded[members].any(axis=1)]
            ranked += fit[np.lexsort(self._rank_keys(fit, comparison))].tolist()
        return ranked

    def _rank_keys(
        self, fit: NDArray[np.intp], comparison: Comparison
    ) -> list[NDArray[np.float64]]:
        """Return sort keys, the weightiest last (as `numpy.lexsort` wants them)."""
        time = comparison.time_delta[fit]
        # What is surely of the same camera and setting comes before what only may be.
        unsure = comparison.unsure[fit] * 2.0 + comparison.rounded[fit]
        distance = np.where(np.isnan(time), np.inf, np.abs(time))
        temp = np.abs(comparison.temperature_delta[fit])
        of = str(self._table.types[fit[0]]) if fit.size else "dark"
        limit = getattr(self._config.tolerance.temperature, of)
        beyond = np.where(temp > limit, temp, 0.0)
        temp = np.where(np.isnan(temp), np.inf, temp)
        if of == "darkflat":
            prefer = self._config.match.prefer
            wrong_side = {"later": time < 0, "earlier": time > 0}.get(prefer, time != time)
            return [temp, distance, wrong_side.astype(float), beyond, unsure]
        return [temp, distance, beyond, unsure]

    def _miss(self, rung: str, explain: Explainer) -> str:
        """Return why nothing on a rung matches: its nearest candidate and by how much."""
        words = {"darkflat": "dark-flat", "library": "dark in the library"}.get(rung, rung)
        near, _ = self._nearest(rung, explain.comparison)
        if not near:
            return f"no {words} at all"
        index, of = near[0]
        candidate = self._table.candidates[index]
        if candidate.values["camera"] != explain.flat.values["camera"]:
            return f"no {words} of this camera"
        why = explain.text(index, candidate, of)
        return f"no {words} matches, nearest {candidate.name}: {why}"

    def _short_darks(self, comparison: Comparison) -> str:
        """Return which darks are so short that they are bias frames by another name."""
        exact = len(self._table.keys)
        for i in np.flatnonzero(~comparison.excluded[:, :exact].any(axis=1)).tolist():
            candidate = self._table.candidates[i]
            exposure = candidate.exposure_s
            if candidate.frame_type is FrameType.BIAS or exposure is None:
                continue
            if exposure <= SHORTEST_S and not candidate.in_library:
                return (
                    f"{candidate.n_frames} darks of {decimal(exposure)} s ({candidate.name}) would "
                    "serve as bias: list them under `retype` in the overrides, with type bias"
                )
        return ""

    def _type(self, index: int) -> FrameType:
        return self._table.candidates[index].frame_type

    def _nearest(
        self, rung: str, comparison: Comparison
    ) -> tuple[list[tuple[int, FrameType]], int]:
        """Return the nearest of what a rung rules out, as what type, and how many there are."""
        # Each key that excludes weighs more than all after it.
        columns = comparison.columns
        weights = 2.0 ** np.arange(len(columns), 0, -1)
        members = np.concatenate(self._members(rung))
        out = members[comparison.excluded[members].any(axis=1)]
        late = self._late_darks(comparison) if rung == "darkflat" else out[:0]
        both = np.concatenate([out, late])
        weight = np.concatenate(
            [comparison.excluded[out] @ weights, np.full(late.size, weights[columns.index("time")])]
        )
        exposure = np.abs(comparison.exposure_delta[both]) / comparison.exposure_tolerance[both]
        time = np.abs(comparison.time_delta[both])
        order = np.lexsort((np.nan_to_num(time), np.nan_to_num(exposure), weight))
        return [
            (i := int(both[k]), FrameType.DARKFLAT if k >= out.size else self._type(i))
            for k in order[:LISTED]
        ], both.size

    def _late_darks(self, comparison: Comparison) -> NDArray[np.intp]:
        """Return the darks that only the window keeps from being dark-flats of these flats."""
        decisive = [
            i
            for i, name in enumerate(comparison.columns)
            if name not in ("temperature", "time", USE)
        ]
        fit = ~comparison.excluded[:, decisive].any(axis=1) & comparison.outside
        return np.flatnonzero(fit & ~self._in_library & (self._table.types == "dark"))

    def _record(
        self, ranks: Mapping[str, list[int]], explain: Explainer, chosen: int | None
    ) -> dict[str, Any]:
        entries: list[dict[str, Any]] = []
        unlisted = {}
        for rung, ranked in ranks.items():
            near, n_excluded = self._nearest(rung, explain.comparison)
            fit = [(i, self._type(i)) for i in ranked[:LISTED]]
            for place, (i, of) in enumerate((fit + near)[:LISTED], start=1):
                rank = place if place <= len(fit) else None
                entry = self._entry(rung, rank, explain, i, of)
                entry["chosen"] = i == chosen and of is self._type(i)
                entries.append(entry)
            unlisted[rung] = max(0, len(ranked) + n_excluded - LISTED)
        return {"candidates": entries, "not_listed": unlisted}

    def _entry(
        self, rung: str, rank: int | None, explain: Explainer, index: int, of: FrameType
    ) -> dict[str, Any]:
        candidate = self._table.candidates[index]
        return {
            "rung": rung,
            "candidate": candidate.name,
            "type": candidate.frame_type.value,
            "source": "library" if candidate.in_library else "run",
            "rank": rank,
            **explain.record(index, candidate, of),
        }

    def _forbidden(self, flat: str, paths: Sequence[str]) -> list[int]:
        globs = [g for pattern, gs in self._forbids if _fits(pattern, flat, paths) for g in gs]
        if not globs:
            return []
        pattern = Pattern(globs)
        return [i for name, i in self._index.items() if pattern.matches(name)]

    def _pinned(
        self, flat: Candidate, paths: Sequence[str]
    ) -> tuple[int | None, CalibratorKind | None, str]:
        for pattern, pin in self._pins:
            if not _fits(pattern, flat.name, paths):
                continue
            if pin.calibrator == "none":
                return None, CalibratorKind.NONE, "pinned to none in the overrides"
            index = self._index.get(pin.calibrator)
            problem = self._pin_problem(flat, index)
            if index is None or problem:
                log.warning("overrides: %s pinned to %s: %s", flat.name, pin.calibrator, problem)
                continue
            candidate = self._table.candidates[index]
            kind = _KINDS[candidate.frame_type.value]
            if candidate.in_library and candidate.frame_type is not FrameType.BIAS:
                kind = CalibratorKind.LIBRARY
            return index, kind, "pinned in the overrides"
        return None, None, ""

    def _pin_problem(self, flat: Candidate, index: int | None) -> str:
        if index is None:
            return "no group of this run and no master of the library has this name"
        if not self._table.same_geometry(flat)[index]:
            return "it has another size than the flats"
        return self._table.candidates[index].obstacle


def _fits(pattern: Pattern, group: str, paths: Sequence[str]) -> bool:
    return pattern.matches(group) or any(pattern.matches(path) for path in paths)
