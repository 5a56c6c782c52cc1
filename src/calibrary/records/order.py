"""The work order of one master: which frames, settings, calibrator and place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from calibrary.records.frame import FrameType
from calibrary.records.keys import GroupKeys


class Action(StrEnum):
    """What a run does for a group."""

    BUILD = "build"
    REUSE = "reuse"
    """A valid master of exactly these frames and settings is in the library."""
    TOO_FEW = "too_few"
    FOREIGN = "foreign"
    """A master that Calibrary did not make has the place; it is kept."""


class CalibratorKind(StrEnum):
    """What is subtracted from a flat."""

    DARKFLAT = "darkflat"
    DARK = "dark"
    LIBRARY = "library"
    BIAS = "bias"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Calibrator:
    """What is subtracted from the flats of one group, and why that one."""

    kind: CalibratorKind
    group: str | None = None
    """The group whose master it is, for one that this run plans."""
    master: str | None = None
    """The master below the library; for a group of this run the path it will have."""
    reason: str = ""
    """Why nothing better was taken; empty for the first choice."""


@dataclass(frozen=True, slots=True)
class InputFrame:
    """A frame of a work order: what integration, verification and the master's header need."""

    path: str
    size_bytes: int
    mtime_ns: int
    date_obs: str | None = None
    exposure_s: float | None = None
    set_temp_c: float | None = None
    ccd_temp_c: float | None = None


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The work order of one master."""

    group: str
    """Readable, unique and safe as a file name: letters, digits, ``_ - .`` only."""
    frame_type: FrameType
    setup: str
    action: Action
    digest: str
    """SHA-256 over everything the master's pixels depend on: name, size and mtime of the frames,
    the settings, the calibrator's own digest."""
    keys: GroupKeys
    frames: tuple[InputFrame, ...]
    first_date_obs: str | None
    last_date_obs: str | None
    master: str
    """Path of the master below the library, with suffix."""
    integration: dict[str, Any]
    """`calibrary.integrate.Rejection` and normalisation, resolved: no ``auto``, no profile."""
    calibrator: Calibrator | None = None
    """``None`` for everything but flats."""
    reason: str = ""
    """Why it is not built, or what the user should know."""
    warnings: tuple[str, ...] = ()
    bias: str | None = None
    """For darks: the bias group whose level they are judged above."""
    exposures: tuple[float, ...] = ()
    """The different exposures of the frames, s, ascending; several in flats of a twilight."""
    required: int = 3
    """Fewer usable frames than this: no master."""
    previous: str | None = None
    """The newest earlier master of the same keys, below the library, to compare with."""
    mem_mb: int = 0
    threads: int = 1
    runtime_min: int = 1
    disk_mb: int = 0

    def to_json(self) -> str:
        """Return the work order as JSON text, the same text for the same order."""
        return json.dumps(self.to_dict(), sort_keys=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the work order as plain data, for `from_dict`."""
        # Not dataclasses.asdict, which copies every value: a plan has 100,000 frames.
        return {
            **_plain(self),
            "keys": _plain(self.keys),
            "frames": [_plain(frame) for frame in self.frames],
            "calibrator": None if self.calibrator is None else _plain(self.calibrator),
        }

    @classmethod
    def from_json(cls, text: str) -> GroupPlan:
        """Read what `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GroupPlan:
        """Build a work order from the plain data of its JSON form."""
        calibrator = data["calibrator"]
        return cls(
            **{
                **data,
                "frame_type": FrameType(data["frame_type"]),
                "action": Action(data["action"]),
                "keys": GroupKeys(**data["keys"]),
                "frames": tuple(InputFrame(**f) for f in data["frames"]),
                "calibrator": calibrator
                and Calibrator(**{**calibrator, "kind": CalibratorKind(calibrator["kind"])}),
                "warnings": tuple(data["warnings"]),
                "exposures": tuple(data.get("exposures", ())),
            }
        )


def _plain(record: GroupPlan | GroupKeys | InputFrame | Calibrator) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}
