"""What could calibrate a flat: each candidate compared with each flat, key by key."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibrary.config import Config
from calibrary.config.model import gap_hours
from calibrary.plan.groups import Draft
from calibrary.plan.sessions import SECOND, to_time
from calibrary.records import Frame, FrameType
from calibrary.records.keys import Keyed, binding_keys

HOUR = 3600 * SECOND

ROUNDED_BELOW_S = 1.0
ROUNDING_S = 0.005
"""PixInsight's scripts write the exposure of a master to 10 ms: the flat's own lies within 5."""

MEASURED = ("exposure", "temperature", "time")
"""What is compared within a tolerance or a window."""
USE = "use"
"""The column of a comparison that says whether a candidate may be used at all."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A group of this run or a master of the library that may be subtracted from flats."""

    name: str
    """The group, or the path of the master below the library."""
    frame_type: FrameType
    in_library: bool
    values: dict[str, Hashable]
    exposure_s: float | None
    temp_c: float | None
    span: tuple[int, int] | None
    exposures: tuple[float, ...] = ()
    """Different exposures of one group: of more than one no dark is the dark of them all."""
    n_frames: int = 0
    """How many frames it is made of; 0 is unknown."""
    obstacle: str = ""
    """Why it cannot be used whatever its keys are."""
    foreign: bool = False
    """Another program made it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One flat group against all candidates; every array has one entry a candidate."""

    excluded: NDArray[np.bool_]
    """``[candidate, column]``: the key of that column rules the candidate out."""
    columns: tuple[str, ...]
    """Names of the keys of `excluded`: those that must be equal, the weightiest first; then
    `MEASURED`; then `USE`."""
    exposure_delta: NDArray[np.float64]
    """Candidate minus flat, s; NaN where one is unknown."""
    exposure_tolerance: NDArray[np.float64]
    temperature_delta: NDArray[np.float64]
    """Candidate minus flat, °C; NaN where one is unknown."""
    time_delta: NDArray[np.float64]
    """Hours from the flats to the candidate: after is positive, overlap 0, NaN unknown."""
    outside: NDArray[np.bool_]
    """The candidate was taken outside the window of dark-flats, whatever its type."""
    unsure: NDArray[np.int64]
    """How many keys only one of the two knows, where that does not exclude."""
    rounded: NDArray[np.bool_]
    """The exposures are equal only because the master's may have been rounded."""


def run_candidate(name: str, draft: Draft, obstacle: str) -> Candidate:
    """Describe a group of this run."""
    return Candidate(
        name=name,
        frame_type=draft.frame_type,
        in_library=False,
        values=_values(draft.keys),
        exposure_s=draft.keys.exposure_s,
        temp_c=draft.keys.temp_c,
        span=draft.span,
        exposures=draft.exposures,
        n_frames=len(draft.frames),
        obstacle=obstacle,
    )


def library_candidate(path: str, master: Frame) -> Candidate:
    """Describe a master of the library; one whose name only tells the day has that whole day."""
    start, end = to_time(master.date_obs), to_time(master.date_end)
    if start is not None and len(master.date_obs or "") == len("YYYY-MM-DD"):
        end = start + 24 * HOUR
    return Candidate(
        name=path,
        frame_type=master.master_of or FrameType.UNKNOWN,
        in_library=True,
        values=_values(master),
        exposure_s=master.exposure_s,
        temp_c=master.temp_c,
        span=None if start is None else (start, max(start, end or start)),
        n_frames=master.n_combined or 0,
        foreign=master.inputs_digest is None,
    )


def _values(of: Keyed) -> dict[str, Hashable]:
    return {key.name: key.value(of) for key in binding_keys()}


_SHAPE = ("width", "height", "channels")
"""What must be equal for one image to be subtracted from another."""

_HAIR = 1 + 1e-9
"""A hair more than a limit is within it: 0.5 and 0.501 differ by 0.001 only in decimal."""


class Table:
    """All candidates as columns of numbers, so that a flat meets thousands at once."""

    def __init__(self, candidates: Sequence[Candidate], config: Config) -> None:
        self.candidates = candidates
        self._config = config
        self.keys = binding_keys()
        self.columns = (*(key.name for key in self.keys), *MEASURED, USE)
        self._codes: list[dict[Hashable, int]] = [{None: 0} for _ in self.keys]
        self._exact = np.array(
            [self._encode(c.values) for c in candidates], dtype=np.int64
        ).reshape(len(candidates), len(self.keys))
        in_library = np.array([c.in_library for c in candidates], dtype=bool)[:, None]
        lenient = np.array([key.if_known for key in self.keys])
        lost = np.array([key.if_known or key.lost for key in self.keys])
        self._lenient = np.where(in_library, lost, lenient)
        self.types = np.array([c.frame_type.value for c in candidates], dtype="U8")
        self._exposure = _floats([c.exposure_s for c in candidates])
        foreign = np.array([c.foreign for c in candidates], dtype=bool)
        self._slack = np.where(foreign & (self._exposure < ROUNDED_BELOW_S), ROUNDING_S, 0.0)
        self._temp = _floats([c.temp_c for c in candidates])
        self._first = _floats([c.span and c.span[0] for c in candidates])
        self._last = _floats([c.span and c.span[1] for c in candidates])
        self._blocked = np.array([bool(c.obstacle) for c in candidates], dtype=bool)

    def _encode(self, values: dict[str, Hashable]) -> list[int]:
        return [
            codes.setdefault(values[key.name], len(codes))
            for key, codes in zip(self.keys, self._codes, strict=True)
        ]

    def same_geometry(self, flat: Candidate) -> NDArray[np.bool_]:
        """Say of each candidate whether it can be subtracted at all."""
        shape = [i for i, key in enumerate(self.keys) if key.name in _SHAPE]
        mine = np.array(self._encode(flat.values))[shape]
        return np.asarray((self._exact[:, shape] == mine).all(axis=1))

    def compare(self, flat: Candidate) -> Comparison:
        """Compare one flat group with all candidates.

        Exposure counts for all but bias; temperature for darks within the darks' tolerance and
        for dark-flats within the flats' (the guide matches those by time); time, the window of
        ``match.window``, for dark-flats.
        """
        tolerance = self._config.tolerance
        mine = np.array(self._encode(flat.values))
        differs = self._exact != mine
        passed = differs & self._lenient & ((self._exact == 0) | (mine == 0))
        differs &= ~passed
        bias, darkflat = self.types == "bias", self.types == "darkflat"

        exposure = np.nan if flat.exposure_s is None else flat.exposure_s
        if len(flat.exposures) > 1:
            exposure = np.nan
        exposure_delta = self._exposure - exposure
        limit = np.maximum(
            tolerance.exposure.seconds,
            tolerance.exposure.fraction * np.fmax(np.abs(self._exposure), abs(exposure)),
        )
        rounded = ~bias & (np.abs(exposure_delta) > limit * _HAIR)
        limit = np.maximum(limit, self._slack)
        temp = np.nan if flat.temp_c is None else flat.temp_c
        temp_delta = self._temp - temp
        temperature = np.where(
            darkflat,
            np.abs(temp_delta) > tolerance.temperature.flat,
            _beyond(temp_delta, self._temp, temp, tolerance.temperature.dark),
        )
        time_delta = self._part(flat.span)
        start = np.nan if flat.span is None else flat.span[0]
        window = gap_hours(self._config.match.window)
        outside = _beyond(time_delta, self._first, start, window)
        excluded = np.column_stack(
            [
                differs,
                # Unknown is not equal to unknown: a dark of no known exposure is no dark.
                ~(np.abs(exposure_delta) <= limit * _HAIR) & ~bias,
                temperature & ~bias,
                outside & darkflat,
                self._blocked,
            ]
        )
        unsure = np.count_nonzero(passed, axis=1)
        return Comparison(
            excluded,
            self.columns,
            exposure_delta,
            limit,
            temp_delta,
            time_delta,
            outside,
            unsure,
            rounded,
        )

    def _part(self, span: tuple[int, int] | None) -> NDArray[np.float64]:
        if span is None:
            return np.full(len(self.candidates), np.nan)
        after, before = self._first - span[1], self._last - span[0]
        return np.where(after > 0, after, np.where(before < 0, before, before * 0.0)) / HOUR


def _floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def _beyond(
    delta: NDArray[np.float64],
    theirs: NDArray[np.float64],
    mine: float,
    limit: float | NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Say where two values part by more than the limit, or only one of them is known."""
    one_known = np.isnan(theirs) != np.isnan(mine)
    return np.asarray((np.abs(delta) > limit * _HAIR) | one_known)
