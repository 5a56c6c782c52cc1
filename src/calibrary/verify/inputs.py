"""Look at the input frames before they are combined, and set single bad ones aside.

A frame is set aside where it stands out from its group by far, and only while at most a third of
the group does: beyond that nobody can tell which frames are the good ones, so all are kept and
the group is reported as divided.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calibrary.records import FrameType, GroupPlan, UnreachableError
from calibrary.verify.group import GroupSample, examine_group
from calibrary.verify.sampling import Sample, sample_of
from calibrary.verify.statistics import mad_sigma

if TYPE_CHECKING:
    from calibrary.pixels.reading import FrameReader

MAX_SET_ASIDE = 1 / 3
"""Share of a group that may be set aside for differing from the rest."""
SATURATED_SHARE = 0.01
"""A frame with a larger share of saturated samples is set aside; AutoWISP takes 1e-4, BANZAI 5 %,
both for large sensors; hot pixels of a long dark stay below."""
NEGATIVE_ADU = -8192.0
NEGATIVE_SHARE = 0.01
"""A frame with a larger share of samples below that is one of unsigned samples that does not say
so: the brighter half of its scale is read as negative."""
CONSTANT_SHARE = 0.95
"""A frame with a larger share of equal samples holds no image (BANZAI: 20 %, at 16 bits)."""
LEVEL_NOISE = 2.0
"""Level of a dark or bias, in units of a frame's noise, beyond which it is set aside ..."""
LEVEL_SCATTER = 8.0
"""... if it is also so many times the scatter of the group's levels away."""
FLAT_LEVEL_FACTOR = 3.0
"""A flat brighter or darker than the group by this factor is another kind of frame."""
NOISE_FACTOR = 1.5
"""A frame noisier or quieter by this factor was read with another gain or mode."""
TEMPERATURE_C = 2.0
"""A dark further than this from the group's temperature is set aside, °C."""
UNEVENNESS = 0.05
"""Large-scale departure of a flat from the group's shape; AutoWISP: 5 %."""


@dataclass(frozen=True, slots=True)
class FrameCheck:
    """What the sample of one frame tells."""

    path: str
    date_obs: str | None
    temp_c: float | None
    level: float | None = None
    """ADU."""
    noise: float | None = None
    """Fine-scale spread about the group's median frame, ADU."""
    saturated: float = 0.0
    """Share of samples at the end of the scale."""
    zeros: float = 0.0
    """Share of samples at zero."""
    constant: float = 0.0
    """Share of samples that equal the level."""
    reason: str | None = None
    """Why it is set aside; ``None`` for a frame to use."""


@dataclass(frozen=True, slots=True)
class InputCheck:
    """What is known of a group before it is combined."""

    frames: list[FrameCheck]
    figures: dict[str, float] = field(default_factory=dict)
    """Of the frames to use; names as in `calibrary.checks`."""
    plane_levels: list[float] = field(default_factory=list)
    """Median level of the four places of a Bayer pattern, row by row, ADU; for flats."""
    plane_noise: list[float] = field(default_factory=list)
    """Noise of a single frame in these places, ADU."""
    full_scale: float = 65535.0

    @property
    def used(self) -> list[FrameCheck]:
        """The frames to combine."""
        return [f for f in self.frames if f.reason is None]

    @property
    def set_aside(self) -> list[FrameCheck]:
        """The frames that are left out, with their reasons."""
        return [f for f in self.frames if f.reason is not None]


def check_frames(
    plan: GroupPlan,
    *,
    scratch: Path | None = None,
    opened: dict[str, FrameReader] | None = None,
) -> InputCheck:
    """Read a thin sample of every frame of a group and judge the frames by it.

    Parameters
    ----------
    plan : GroupPlan
        The work order; its frames are read.
    scratch : Path, optional
        Folder for unpacked frames.
    opened : dict, optional
        Receives the frames to combine, open, by path, so that integration need not unpack them
        again; whoever gives it closes them.

    Returns
    -------
    InputCheck
        Figures of each frame and of the group; `InputCheck.used` are the frames to combine.

    Raises
    ------
    UnreachableError
        Frames cannot be reached just now.
    CalibraryError
        There is no room to unpack frames.
    """
    readers: dict[str, FrameReader] = {}
    try:
        checks, samples = _read(plan, scratch, readers)
        result = _judged(plan, checks, samples)
    except BaseException:
        for reader in readers.values():
            reader.close()
        raise
    used = {check.path for check in result.used}
    for path, reader in readers.items():
        if opened is not None and path in used:
            opened[path] = reader
        else:
            reader.close()
    return result


def _judged(plan: GroupPlan, checks: list[FrameCheck], samples: dict[int, Sample]) -> InputCheck:
    if not samples:
        return InputCheck(checks)
    shapes = [s.data.shape for s in samples.values()]
    common = max(set(shapes), key=shapes.count)
    for index in [i for i, s in samples.items() if s.data.shape != common]:
        checks[index] = replace(checks[index], reason="its size differs from that of the group")
        del samples[index]
    return _judge_group(plan, checks, samples)


def _read(
    plan: GroupPlan, scratch: Path | None, readers: dict[str, FrameReader]
) -> tuple[list[FrameCheck], dict[int, Sample]]:
    from calibrary.formats.layout import PixelError
    from calibrary.pixels.reading import open_frame

    unreachable: list[tuple[str, UnreachableError]] = []

    def read(path: str) -> Sample | str:
        try:
            readers[path] = open_frame(Path(path), scratch)
            return sample_of(readers[path])
        except PixelError as error:
            return str(error)
        except UnreachableError as error:
            unreachable.append((path, error))
            return ""

    with ThreadPoolExecutor(max(1, plan.threads)) as pool:
        results = list(pool.map(read, [f.path for f in plan.frames]))
    if unreachable:
        # A master without them would be made of fewer frames than the user has.
        path, error = min(unreachable, key=lambda pair: pair[0])
        others = f" (and {n} more frames of its group)" if (n := len(unreachable) - 1) else ""
        raise UnreachableError(path, error.reason.text + others, error.reason.remedy)
    checks: list[FrameCheck] = []
    samples: dict[int, Sample] = {}
    for index, (frame, result) in enumerate(zip(plan.frames, results, strict=True)):
        check = FrameCheck(frame.path, frame.date_obs, _temperature(frame.ccd_temp_c))
        if isinstance(result, str):
            checks.append(replace(check, reason=result))
            continue
        check = _examine(check, result)
        checks.append(check)
        if check.reason is None:
            samples[index] = result
    return checks, samples


def _temperature(ccd_temp_c: float | None) -> float | None:
    return ccd_temp_c if ccd_temp_c is not None and np.isfinite(ccd_temp_c) else None


def _examine(check: FrameCheck, sample: Sample) -> FrameCheck:
    """Take the figures of a frame by itself."""
    data = sample.data
    finite = np.isfinite(data)
    if not finite.any():
        return replace(check, reason="it holds no finite sample")
    if (wrapped := float((data[finite] < NEGATIVE_ADU).mean())) > NEGATIVE_SHARE:
        reason = (
            f"{wrapped:.0%} of its samples are far below zero: the program wrote unsigned samples "
            "without BZERO; write the frame anew with BZERO 32768"
        )
        return replace(check, reason=reason)
    level = float(np.median(data[finite]))
    return replace(
        check,
        level=level,
        saturated=float((data >= 0.999 * sample.full_scale).mean()),
        zeros=float((data <= 0).mean()),
        constant=float((data == level).mean()),
    )


def _judge_group(
    plan: GroupPlan, checks: list[FrameCheck], samples: dict[int, Sample]
) -> InputCheck:
    flat = plan.frame_type is FrameType.FLAT
    divided = 0.0
    samples = _completed(samples, flat=flat)
    group = examine_group(samples, flat=flat)
    tests: list[Callable[[list[FrameCheck], GroupSample], dict[int, str]]] = [
        _too_saturated,
        _no_image,
        _other_flat_level if flat else _other_level,
        _other_noise,
    ]
    if flat:
        tests.append(_uneven)
    if plan.frame_type in (FrameType.DARK, FrameType.DARKFLAT):
        tests.append(_warm(plan.keys.temp_c))
    for test in tests:
        found = test(checks, group)
        if not found:
            continue
        if len(found) > MAX_SET_ASIDE * len(group.index):
            divided = max(divided, len(found) / len(group.index))
            continue
        for index, reason in found.items():
            checks[index] = replace(checks[index], reason=reason)
        group = examine_group({i: samples[i] for i in group.index if i not in found}, flat=flat)
    checks = [_with_noise(c, i, group) for i, c in enumerate(checks)]
    summary = _summary(plan, checks, group, divided, next(iter(samples.values())).full_scale)
    step = _step([samples[i] for i in group.index])
    return (
        summary
        if step is None
        else replace(summary, figures=summary.figures | {"inputs.step": step})
    )


def _completed(samples: dict[int, Sample], *, flat: bool) -> dict[int, Sample]:
    """Return the samples with what is missing (NaN) made up, so that it says nothing.

    It becomes what the group shows there, at the frame's own level; where the group shows nothing,
    the frame's level.
    """
    known = {i: np.isfinite(sample.data) for i, sample in samples.items()}
    if all(found.all() for found in known.values()):
        return samples
    levels = {i: np.float32(np.median(s.data[known[i]])) for i, s in samples.items()}
    scales = {i: level if flat and level > 0 else np.float32(1.0) for i, level in levels.items()}
    shapes = [
        np.where(known[i], (s.data - levels[i]) / scales[i], np.float32(np.nan))
        for i, s in samples.items()
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no frame has a sample there
        usual = np.nan_to_num(np.nanmedian(shapes, axis=0))
    return {
        i: replace(s, data=np.where(known[i], s.data, levels[i] + scales[i] * usual))
        for i, s in samples.items()
    }


def _step(samples: Sequence[Sample]) -> float | None:
    """Return the power of two, ADU, of which all samples are multiples: 16 for shifted 12 bits.

    ``None`` where they are no whole numbers, or all zero.
    """
    bits = 0
    for sample in samples:
        finite = sample.data[np.isfinite(sample.data)]
        whole = finite.astype(np.int64)
        if not np.array_equal(whole, finite):
            return None
        bits |= int(np.bitwise_or.reduce(whole, initial=0))
    return float(bits & -bits) or None


def _with_noise(check: FrameCheck, index: int, group: GroupSample) -> FrameCheck:
    if index not in group.index:
        return check
    place = group.index.index(index)
    return replace(check, level=float(group.levels[place]), noise=float(group.noise[place]))


def _too_saturated(checks: list[FrameCheck], group: GroupSample) -> dict[int, str]:
    return {
        i: f"{checks[i].saturated:.0%} of its samples are saturated"
        for i in group.index
        if checks[i].saturated > SATURATED_SHARE
    }


def _no_image(checks: list[FrameCheck], group: GroupSample) -> dict[int, str]:
    return {
        i: f"{checks[i].constant:.0%} of its samples have one and the same value: no image"
        for i in group.index
        if checks[i].constant > CONSTANT_SHARE
    }


def _other_level(_checks: list[FrameCheck], group: GroupSample) -> dict[int, str]:
    usual = float(np.median(group.levels))
    least = max(LEVEL_NOISE * group.frame_noise, LEVEL_SCATTER * mad_sigma(group.levels))
    return {
        i: f"its level is {level:.0f} ADU, the group's {usual:.0f}: light, or another kind of frame"
        for i, level in zip(group.index, group.levels, strict=True)
        if abs(level - usual) > least > 0
    }


def _other_flat_level(_checks: list[FrameCheck], group: GroupSample) -> dict[int, str]:
    usual = float(np.median(group.levels))
    low, high = usual / FLAT_LEVEL_FACTOR, usual * FLAT_LEVEL_FACTOR
    return {
        i: f"its level is {level:.0f} ADU, the group's {usual:.0f}: another kind of frame?"
        for i, level in zip(group.index, group.levels, strict=True)
        if not low <= level <= high
    }


def _other_noise(_checks: list[FrameCheck], group: GroupSample) -> dict[int, str]:
    return {
        i: f"its noise is {ratio:.2f} times that of the group: another gain or readout mode?"
        for i, ratio in zip(group.index, group.noise_ratios, strict=True)
        if ratio > NOISE_FACTOR or ratio < 1 / NOISE_FACTOR
    }


def _uneven(_checks: list[FrameCheck], group: GroupSample) -> dict[int, str]:
    return {
        i: f"its shape departs by {depth:.0%} from the group's: cloud, dew or moving light"
        for i, depth in zip(group.index, group.departures, strict=True)
        if depth > UNEVENNESS
    }


def _warm(
    temp_c: float | None,
) -> Callable[[list[FrameCheck], GroupSample], dict[int, str]]:
    def warm(checks: list[FrameCheck], group: GroupSample) -> dict[int, str]:
        found = {}
        for i in group.index:
            measured = checks[i].temp_c
            if temp_c is None or measured is None or abs(measured - temp_c) <= TEMPERATURE_C:
                continue
            found[i] = f"the sensor was at {measured:.1f} °C, the group is at {temp_c:.1f} °C"
        return found

    return warm


def _summary(
    plan: GroupPlan,
    checks: list[FrameCheck],
    group: GroupSample,
    divided: float,
    full_scale: float,
) -> InputCheck:
    used = [checks[i] for i in group.index]
    figures = {
        "frames.n": float(len(used)),
        "frames.set_aside": 1.0 - len(used) / len(checks),
        "frames.divided": divided,
        "inputs.saturated": max(c.saturated for c in used),
        "inputs.clipped": float(np.mean([c.zeros for c in used])),
        **group.figures,
    }
    differences = _differences(plan.keys.temp_c, used)
    if differences:
        figures["temperature.difference"] = max(differences)
    return InputCheck(checks, figures, group.plane_levels, group.plane_noise, full_scale)


def _differences(temp_c: float | None, used: Sequence[FrameCheck]) -> list[float]:
    if temp_c is None:
        return []
    return [abs(c.temp_c - temp_c) for c in used if c.temp_c is not None]
