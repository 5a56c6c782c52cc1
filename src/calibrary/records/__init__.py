"""The records that travel from stage to stage: plain data, read and written in one place."""

from calibrary.records.errors import CalibraryError, UnreachableError, is_unreachable
from calibrary.records.frame import (
    CALIBRATION_TYPES,
    FRAME_FIELDS,
    MANIFEST_COLUMNS,
    Frame,
    FrameType,
    Status,
    TypeSource,
)
from calibrary.records.keys import GroupKeys, Key, keys_of
from calibrary.records.order import Action, Calibrator, CalibratorKind, GroupPlan, InputFrame
from calibrary.records.reason import MENDED_BY_RETYPE, Reason, ReasonCode
from calibrary.records.verdict import VOID, Verdict

__all__ = [
    "CALIBRATION_TYPES",
    "FRAME_FIELDS",
    "MANIFEST_COLUMNS",
    "MENDED_BY_RETYPE",
    "VOID",
    "Action",
    "CalibraryError",
    "Calibrator",
    "CalibratorKind",
    "Frame",
    "FrameType",
    "GroupKeys",
    "GroupPlan",
    "InputFrame",
    "Key",
    "Reason",
    "ReasonCode",
    "Status",
    "TypeSource",
    "UnreachableError",
    "Verdict",
    "is_unreachable",
    "keys_of",
]
