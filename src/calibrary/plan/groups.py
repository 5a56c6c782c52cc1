"""Frames that make one master: equal keys, one session, one exposure, one temperature."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median
from typing import Any

from calibrary.config import Config
from calibrary.config.model import gap_hours
from calibrary.plan.clusters import MICRO, exposure_limit, label, temperature_limit, to_micro
from calibrary.plan.darkflats import Shot, darkflat_flags
from calibrary.plan.sessions import split_by_gap, to_time
from calibrary.records import CALIBRATION_TYPES, Frame, FrameType, GroupKeys

_SAMPLE_CLASS = {
    "uint8": "8-bit",
    "int8": "8-bit",
    "int16": "16-bit",
    "uint16": "16-bit",
    "int32": "32-bit",
    "uint32": "32-bit",
    "float32": "float",
    "float64": "float",
}
"""Formats in one class hold the same ADU and may be mixed; others may not."""


@dataclass(slots=True)
class Draft:
    """A group before it has a name: its frames in the order they were taken."""

    frame_type: FrameType
    frames: list[Frame]
    times: list[int | None]
    keys: GroupKeys

    @property
    def span(self) -> tuple[int, int] | None:
        """Start of the first and of the last exposure, µs since 1970; ``None`` if unknown."""
        known = [time for time in self.times if time is not None]
        return (known[0], known[-1]) if known else None


def number(value: float | None) -> float | None:
    """Return a setting as it is compared: to a millionth, ``-0.0`` as ``0.0``."""
    return None if value is None else round(value, 6) + 0.0


def sample_class(frame: Frame) -> tuple[str | None, bool]:
    """Return what must be equal for the samples of two raw frames to be mixed."""
    return _SAMPLE_CLASS.get(frame.sample_format or "", frame.sample_format), frame.normalised


_CAMERA_FIELDS = (
    "telescope",
    "camera",
    "camera_serial",
    "width",
    "height",
    "channels",
    "x_origin",
    "y_origin",
    "x_binning",
    "y_binning",
    "gain",
    "offset",
    "readout_mode",
    "usb_limit",
    "pedestal",
    "bayer_pattern",
    "row_order",
    "sample_format",
    "normalised",
)
_camera_values = attrgetter(*_CAMERA_FIELDS)


class _Cameras:
    """Numbers what must be equal for raw frames to come from one camera in one setting."""

    def __init__(self) -> None:
        self._of_values: dict[tuple[Any, ...], int] = {}
        self._of_keys: dict[tuple[Hashable, ...], int] = {}

    def number(self, frame: Frame) -> int:
        """Return the same number for frames with equal keys."""
        values = _camera_values(frame)
        found = self._of_values.get(values)
        if found is None:
            found = self._of_keys.setdefault(self._keys(frame), len(self._of_keys))
            self._of_values[values] = found
        return found

    def _keys(self, frame: Frame) -> tuple[Hashable, ...]:
        values = {name: getattr(frame, name) for name in _CAMERA_FIELDS}
        for name in ("gain", "offset", "usb_limit", "pedestal"):
            values[name] = number(values[name])
        for name in ("channels", "x_binning", "y_binning"):
            values[name] = values[name] or 1
        values["sample_format"] = sample_class(frame)
        return tuple(values.values())


def group_frames(frames: Sequence[Frame], config: Config) -> list[Draft]:
    """Part calibration frames into groups; any order of `frames` gives the same groups.

    Sessions come first, so that the frames of a new night never move those of an older one;
    then exposures, then temperatures are clustered inside a session. A gap session is looked at
    once more inside each cluster: two sets that only a third, different one connects stay two.
    """
    cameras = _Cameras()
    shots = [_Shot(frame, cameras) for frame in _ordered(frames)]
    _mark_darkflats(shots, config)
    buckets: dict[Hashable, list[_Shot]] = defaultdict(list)
    for shot in shots:
        buckets[shot.frame_type, shot.camera, shot.filter].append(shot)
    drafts = []
    for members in buckets.values():
        frame_type = members[0].frame_type
        drafts += [_draft(frame_type, group) for group in _split(members, frame_type, config)]
    return sorted(drafts, key=_order)


class _Shot:
    """A frame with what grouping asks of it, worked out once."""

    __slots__ = ("camera", "exposure", "filter", "frame", "frame_type", "temp", "time")

    def __init__(self, frame: Frame, cameras: _Cameras) -> None:
        self.frame = frame
        self.frame_type: FrameType = frame.frame_type
        self.camera = cameras.number(frame)
        is_flat = frame.frame_type is FrameType.FLAT
        # A filter on a bias or dark is only where the wheel stood.
        self.filter = frame.filter.casefold() if is_flat and frame.filter else None
        is_bias = frame.frame_type is FrameType.BIAS
        self.exposure = None if is_bias else _micro(frame.exposure_s)
        self.temp = _micro(frame.temp_c)
        self.time = to_time(frame.date_obs)


def _micro(value: float | None) -> int | None:
    return None if value is None else to_micro(value)


def _ordered(frames: Iterable[Frame]) -> list[Frame]:
    def key(frame: Frame) -> str:
        # One text sorts in half the time of a tuple; no date comes last.
        return f"{frame.date_obs or '~'}\0{frame.path.rsplit('/', 1)[-1]}\0{frame.path}"

    return sorted(frames, key=key)


def _mark_darkflats(shots: Sequence[_Shot], config: Config) -> None:
    def known(shot: _Shot) -> Shot | None:
        if shot.exposure is None or shot.time is None:
            return None
        return shot.camera, shot.exposure / MICRO, shot.time

    darks = [shot for shot in shots if shot.frame_type is FrameType.DARK]
    flats = [s for shot in shots if shot.frame_type is FrameType.FLAT and (s := known(shot))]
    flags = darkflat_flags(
        [known(dark) for dark in darks],
        flats,
        gap_hours(config.match.window),
        config.tolerance.exposure,
    )
    for dark, flag in zip(darks, flags, strict=True):
        if flag:
            dark.frame_type = FrameType.DARKFLAT


def _split(members: list[_Shot], frame_type: FrameType, config: Config) -> Iterable[list[_Shot]]:
    session = getattr(config.session, frame_type.value)
    temp_tolerance = getattr(config.tolerance.temperature, frame_type.value)

    def by_session(shots: list[_Shot]) -> Sequence[Hashable]:
        if session == "none":
            return [None] * len(shots)
        if session == "night":
            return [shot.frame.night for shot in shots]
        return split_by_gap([shot.time for shot in shots], gap_hours(session))

    def by_exposure(shots: list[_Shot]) -> Sequence[Hashable]:
        return label([shot.exposure for shot in shots], exposure_limit(config.tolerance.exposure))

    def by_temperature(shots: list[_Shot]) -> Sequence[Hashable]:
        return label([shot.temp for shot in shots], temperature_limit(temp_tolerance))

    groups = [members]
    for labels in (by_session, by_exposure, by_temperature, by_session):
        groups = [part for group in groups for part in _parts(group, labels)]
    return groups


def _parts(
    shots: list[_Shot], labels: Callable[[list[_Shot]], Sequence[Hashable]]
) -> Iterable[list[_Shot]]:
    parts: dict[Hashable, list[_Shot]] = defaultdict(list)
    for shot, key in zip(shots, labels(shots), strict=True):
        parts[key].append(shot)
    return parts.values()


def _draft(frame_type: FrameType, shots: list[_Shot]) -> Draft:
    frames = [shot.frame for shot in shots]
    first = frames[0]
    temps = [frame.temp_c for frame in frames if frame.temp_c is not None]
    keys = GroupKeys(
        telescope=first.telescope,
        camera=first.camera,
        exposure_s=_commonest_exposure(frames),
        temp_c=round(median(temps), 2) + 0.0 if temps else None,
        gain=number(first.gain),
        offset=number(first.offset),
        readout_mode=first.readout_mode,
        usb_limit=number(first.usb_limit),
        x_binning=first.x_binning or 1,
        y_binning=first.y_binning or 1,
        filter=first.filter if frame_type is FrameType.FLAT else None,
        bayer_pattern=first.bayer_pattern,
        width=first.width or 0,
        height=first.height or 0,
        channels=first.channels or 1,
        sample_format=first.sample_format or "",
        normalised=first.normalised,
        x_origin=first.x_origin,
        y_origin=first.y_origin,
        row_order=first.row_order,
        camera_serial=first.camera_serial,
        pedestal=number(first.pedestal),
        night=first.night,
        egain=first.egain,
    )
    return Draft(frame_type, frames, [shot.time for shot in shots], keys)


def _commonest_exposure(frames: Sequence[Frame]) -> float | None:
    """Return the exposure most frames have, to 1 µs; of equals the shortest to write."""
    exposures = Counter(round(f.exposure_s, 6) for f in frames if f.exposure_s is not None)
    if not exposures:
        return None
    return min(exposures, key=lambda s: (-exposures[s], len(repr(s)), s)) + 0.0


def _order(draft: Draft) -> tuple[int, str, str, str]:
    first = draft.frames[0]
    return (
        CALIBRATION_TYPES.index(draft.frame_type),
        first.date_obs or "~",
        first.path.rsplit("/", 1)[-1],
        first.path,
    )
