"""Digests: what a master's pixels and header depend on, as one short text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from calibrary.records import Frame, FrameType, GroupKeys
from calibrary.records.keys import all_keys

ENGINE = 1
"""Raised whenever a new release makes other pixels from the same frames and settings."""


def group_digest(
    frame_type: FrameType,
    keys: GroupKeys,
    frames: Sequence[Frame],
    integration: Mapping[str, Any],
    calibrator: str | None,
) -> str:
    """Return the SHA-256 of everything a master depends on, in hexadecimal.

    Frames count by name, size and time of change, not by folder: moving the source changes
    nothing. The output format is left out: it changes no pixel.

    Parameters
    ----------
    calibrator : str or None
        The digest of what is subtracted from each frame.
    """
    inputs = sorted((_name(f.path), f.size_bytes, f.mtime_ns) for f in frames)
    described = {f.name: getattr(keys, f.name) for f in fields(keys) if f.name != "night"}
    for key in all_keys():
        # Masters of before a key are still valid where it is unknown.
        if key.since > 1 and described[key.name] is None:
            del described[key.name]
    order = [ENGINE, frame_type.value, described, inputs, dict(integration), calibrator]
    text = json.dumps(order, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def master_digest(path_below_library: str, master: Frame) -> str:
    """Return what stands for a master of the library in the digest of a flat."""
    if master.inputs_digest is not None:
        return master.inputs_digest
    text = json.dumps([path_below_library, master.size_bytes, master.mtime_ns])
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
