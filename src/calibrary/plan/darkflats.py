"""Which darks are dark-flats: the header says so, or a flat of the same exposure is near."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from calibrary.config.model import ExposureTolerance
from calibrary.plan.clusters import exposure_tolerance_s
from calibrary.plan.sessions import SECOND, split_by_gap

RUN_GAP_H = 1 / 6
"""Darks taken within 10 minutes of each other are one series: the edge of the window does not
tear a series in two."""

Shot = tuple[Hashable, float, int]
"""What has to be equal (camera, geometry, gain ...), exposure in s, time in µs."""


def darkflat_flags(
    darks: Sequence[Shot | None],
    flats: Iterable[Shot],
    window_hours: float,
    tolerance: ExposureTolerance,
) -> list[bool]:
    """Say of each dark whether it is a dark-flat.

    It is, when it or another dark of its uninterrupted series was taken within the window of a
    flat that has the same keys and an equal exposure. A dark whose exposure or time is unknown
    (``None``) is not.
    """
    window = round(window_hours * 3600 * SECOND)
    flat_times: dict[Hashable, dict[float, list[int]]] = defaultdict(lambda: defaultdict(list))
    for key, exposure, time in flats:
        flat_times[key][exposure].append(time)
    exposures = {key: sorted(found) for key, found in flat_times.items()}
    series: dict[tuple[Hashable, float], list[int]] = defaultdict(list)
    for i, dark in enumerate(darks):
        if dark is not None and dark[0] in exposures:
            series[dark[0], dark[1]].append(i)

    flags = [False] * len(darks)
    for (key, exposure), members in series.items():
        near = [
            time
            for other in _equal(exposures[key], exposure, tolerance)
            for time in flat_times[key][other]
        ]
        if near:
            times = [shot[2] for i in members if (shot := darks[i]) is not None]
            run_gap = max(RUN_GAP_H, 2 * exposure / 3600)
            runs = split_by_gap(times, run_gap)
            near.sort()
            inside = {run for run, t in zip(runs, times, strict=True) if _near(near, t, window)}
            for i, run in zip(members, runs, strict=True):
                flags[i] = run in inside
    return flags


def _equal(exposures: list[float], exposure: float, tolerance: ExposureTolerance) -> list[float]:
    slack = exposure_tolerance_s(exposure, exposure, tolerance) * 2
    begin = bisect_left(exposures, exposure - slack)
    found = []
    for other in exposures[begin:]:
        if other > exposure + slack:
            break
        if abs(other - exposure) <= exposure_tolerance_s(exposure, other, tolerance):
            found.append(other)
    return found


def _near(times: list[int], time: int, window: int) -> bool:
    at = bisect_left(times, time - window)
    return at < len(times) and times[at] <= time + window
