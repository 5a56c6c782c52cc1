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
from calibrary.plan.sessions import split_by_gap, split_by_night, to_time
from calibrary.records import CALIBRATION_TYPES, Frame, FrameType, GroupKeys, Key, keys_of
from calibrary.records.keys import binding_keys, exact_keys, key_named


@dataclass(slots=True)
class Draft:
    """A group before it has a name: its frames in the order they were taken."""

    frame_type: FrameType
    frames: list[Frame]
    times: list[int | None]
    keys: GroupKeys

    exposures: tuple[float, ...] = ()
    """The different exposures, s, ascending; more than one in flats of a twilight."""

    @property
    def span(self) -> tuple[int, int] | None:
        """Start of the first and of the last exposure, µs since 1970; ``None`` if unknown."""
        known = [time for time in self.times if time is not None]
        return (known[0], known[-1]) if known else None


class _Settings:
    """Numbers what must be equal for raw frames to be of one group: the keys of some types."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self._read = attrgetter(*dict.fromkeys(f for key in keys for f in key.held_in()))
        self._of_fields: dict[Any, int] = {}
        self._of_values: dict[tuple[Hashable, ...], int] = {}

    def number(self, frame: Frame) -> int:
        """Return the same number for frames with equal keys."""
        # Most frames repeat the settings of another to the letter: those are not looked at anew.
        fields = self._read(frame)
        found = self._of_fields.get(fields)
        if found is None:
            values = tuple(key.value(frame) for key in self._keys)
            found = self._of_values.setdefault(values, len(self._of_values))
            self._of_fields[fields] = found
        return found


def group_frames(frames: Sequence[Frame], config: Config) -> list[Draft]:
    """Part calibration frames into groups; any order of `frames` gives the same groups.

    Sessions come first, so that the frames of a new night never move those of an older one;
    then exposures, then temperatures are clustered inside a session. A gap session is looked at
    once more inside each cluster: two sets that only a third, different one connects stay two.
    """
    settings = {of: _Settings(exact_keys(of)) for of in CALIBRATION_TYPES}
    cameras = _Settings(binding_keys())
    shots = [_Shot(frame, cameras) for frame in _ordered(frames)]
    _mark_darkflats(shots, config)
    buckets: dict[Hashable, list[_Shot]] = defaultdict(list)
    for shot in shots:
        number = settings[shot.frame_type].number(shot.frame)
        buckets[shot.frame_type, number].append(shot)
    drafts = []
    for members in buckets.values():
        of = members[0].frame_type
        drafts += [_draft(of, group, config) for group in _split(members, of, config)]
    return sorted(drafts, key=_order)


class _Shot:
    """A frame with what grouping asks of it, worked out once."""

    __slots__ = ("camera", "exposure", "frame", "frame_type", "temp", "time")

    def __init__(self, frame: Frame, cameras: _Settings) -> None:
        self.frame = frame
        self.frame_type: FrameType = frame.frame_type
        self.camera = cameras.number(frame)
        exposed = key_named("exposure_s").parts(frame.frame_type)
        self.exposure = _micro(frame.exposure_s) if exposed else None
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
            return split_by_night(
                [shot.time for shot in shots],
                [shot.frame.night for shot in shots],
                [shot.frame.exposure_s or 0.0 for shot in shots],
            )
        return split_by_gap([shot.time for shot in shots], gap_hours(session))

    def by_exposure(shots: list[_Shot]) -> Sequence[Hashable]:
        labels = _by_exposure(shots, config)
        if frame_type is FrameType.FLAT and _is_twilight(labels, config):
            return [None if exposure is None else "any" for exposure in labels]
        return labels

    def by_temperature(shots: list[_Shot]) -> Sequence[Hashable]:
        return label([shot.temp for shot in shots], temperature_limit(temp_tolerance))

    groups = [members]
    for labels in (by_session, by_exposure, by_temperature, by_session):
        groups = [part for group in groups for part in _parts(group, labels)]
    return groups


def _by_exposure(shots: Sequence[_Shot], config: Config) -> list[int | None]:
    return label([shot.exposure for shot in shots], exposure_limit(config.tolerance.exposure))


MANY_EXPOSURES = 3
"""Two exposures are two series; of three and more, none of them complete, the sky is the cause."""


def _is_twilight(exposures: Sequence[int | None], config: Config) -> bool:
    """Say whether flats of one session and filter belong together although exposures differ.

    In twilight the exposure follows the sky: each frame has its own, or a few frames share one.
    """
    counts = Counter(exposure for exposure in exposures if exposure is not None)
    how = config.grouping.flat_exposure
    if how != "auto" or len(counts) < 2:
        return how == "any" and len(counts) > 1
    most = max(counts.values())
    if most < config.frames.required:
        return True
    return len(counts) >= MANY_EXPOSURES and most < config.frames.minimum.flat


def _parts(
    shots: list[_Shot], labels: Callable[[list[_Shot]], Sequence[Hashable]]
) -> Iterable[list[_Shot]]:
    parts: dict[Hashable, list[_Shot]] = defaultdict(list)
    for shot, key in zip(shots, labels(shots), strict=True):
        parts[key].append(shot)
    return parts.values()


def _draft(frame_type: FrameType, shots: list[_Shot], config: Config) -> Draft:
    frames = [shot.frame for shot in shots]
    first = frames[0]
    temps = [frame.temp_c for frame in frames if frame.temp_c is not None]
    known: dict[str, Any] = {
        "exposure_s": _commonest_exposure(frames),
        "temp_c": round(median(temps), 2) + 0.0 if temps else None,
    }
    if not key_named("filter").parts(frame_type):
        known["filter"] = None
    lowest = {exposure for exposure in _by_exposure(shots, config) if exposure is not None}
    return Draft(
        frame_type,
        frames,
        [shot.time for shot in shots],
        keys_of(first, **known),
        tuple(sorted(exposure / MICRO for exposure in lowest)),
    )


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
