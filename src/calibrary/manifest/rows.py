"""A frame as one line of JSON and back: for the cache, and between processes."""

from __future__ import annotations

import json
import sys

from calibrary.records import FRAME_FIELDS, Frame, FrameType, Reason, Status, TypeSource

_TYPE = FRAME_FIELDS.index("frame_type")
_SOURCE = FRAME_FIELDS.index("type_source")
_STATUS = FRAME_FIELDS.index("status")
_MASTER_OF = FRAME_FIELDS.index("master_of")
_REASON = FRAME_FIELDS.index("reason")
_REPEATED = tuple(
    FRAME_FIELDS.index(name)
    for name in (
        *("format", "telescope", "camera", "readout_mode", "filter", "bayer_pattern"),
        *("sample_format", "night", "software", "row_order", "camera_serial", "type_said"),
    )
)
"""Texts that most frames share: kept once in memory."""


def encode_frame(frame: Frame) -> str:
    """Return the values of a frame, in the order of its fields, as JSON."""
    values = [getattr(frame, name) for name in FRAME_FIELDS]
    if frame.reason is not None:
        values[_REASON] = frame.reason.to_data()
    return json.dumps(values, separators=(",", ":"))


def decode_frame(text: str) -> Frame:
    """Return the frame that `encode_frame` wrote.

    Raises
    ------
    ValueError
        `text` is something else.
    """
    values = json.loads(text)
    if not isinstance(values, list) or len(values) != len(FRAME_FIELDS):
        msg = "not a frame"
        raise ValueError(msg)
    values[_TYPE] = FrameType(values[_TYPE])
    values[_STATUS] = Status(values[_STATUS])
    if values[_SOURCE] is not None:
        values[_SOURCE] = TypeSource(values[_SOURCE])
    if values[_MASTER_OF] is not None:
        values[_MASTER_OF] = FrameType(values[_MASTER_OF])
    if values[_REASON] is not None:
        values[_REASON] = Reason.from_data(values[_REASON])
    for at in _REPEATED:
        if values[at] is not None:
            values[at] = sys.intern(values[at])
    return Frame(*values)
