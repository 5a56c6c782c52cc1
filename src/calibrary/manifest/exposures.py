"""An exposure of 0 that a camera's driver writes into every frame is no exposure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from calibrary.records import Frame, FrameType, Reason, ReasonCode, Status

_TEXT = (
    "0 s, as in every frame of this camera: the driver does not tell exposures; taken as unknown."
    " If these are biases, retype them; else set exposure_s in the overrides file"
)


def doubt_zeros(frames: Sequence[Frame]) -> list[Frame]:
    """Return the frames with the exposures of darks unknown that are 0 like all of their camera.

    Where any frame of a camera and program has an exposure, a dark of 0 s is what it says: one of
    the shortest exposure, taken as a bias.
    """
    telling = {_camera(frame) for frame in frames if frame.exposure_s}
    return [
        _doubted(frame)
        if frame.exposure_s == 0
        and frame.frame_type is FrameType.DARK
        and _camera(frame) not in telling
        else frame
        for frame in frames
    ]


def _camera(frame: Frame) -> Hashable:
    return frame.camera, frame.camera_serial, frame.software


def _doubted(frame: Frame) -> Frame:
    if frame.status is not Status.USED:
        return replace(frame, exposure_s=None)
    told = "" if frame.reason is None else f"{frame.reason}; "
    return replace(frame, exposure_s=None, reason=Reason(ReasonCode.ODD, f"{told}{_TEXT}"))
