"""What the integration of a group asks of a machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from calibrary.plan.groups import Draft
from calibrary.records import FrameType

_SAMPLE_BYTES = {"uint8": 1, "int8": 1, "int16": 2, "uint16": 2, "float64": 8}
_SMALL_PIXELS = 1_000_000
"""Frames below this are done before a second thread has started."""

_IMAGES_MEASURED = 4
"""Float32 images that a job holds while it measures and writes the master: itself, the one before,
and what filtering and packing take; measured: 2.0 to 2.6 without the one before."""

_BYTES_PER_MINUTE = 60 * 20_000_000
"""A slow network share, 20 MB/s: the estimate is a limit for schedulers, not a forecast."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Memory (MB), threads, run time (minutes) and disk space (MB) of one integration."""

    mem_mb: int
    threads: int
    runtime_min: int
    disk_mb: int


def estimate(draft: Draft) -> Resources:
    """Return what the integration of a group needs at most."""
    from calibrary.integrate.resources import BASE_MB, memory_mb

    keys = draft.keys
    rows = keys.height * keys.channels
    threads = 2 if keys.width * rows >= _SMALL_PIXELS else 1
    sample = _SAMPLE_BYTES.get(keys.sample_format, 4)
    n_frames = len(draft.frames)
    is_flat = draft.frame_type is FrameType.FLAT
    integration_mb = memory_mb(keys.width, rows, n_frames, sample, threads, is_flat)
    measuring_mb = BASE_MB + math.ceil(_IMAGES_MEASURED * 4 * keys.width * rows / 1e6)
    mem_mb = max(integration_mb, measuring_mb)
    data = n_frames * keys.width * rows * sample
    # Frames that cannot be read by rows (compressed) are unpacked; two formats of the master.
    disk = data + 2 * 4 * keys.width * rows
    minutes = 5 + math.ceil(data / _BYTES_PER_MINUTE)
    return Resources(mem_mb, threads, minutes, 10 + math.ceil(disk / 1e6))
