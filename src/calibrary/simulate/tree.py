"""Huge trees of tiny frames, for benchmarks of everything but pixels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from calibrary.records import FrameType
from calibrary.simulate.files import FITS_BLOCK, fits_header
from calibrary.simulate.headers import NINA, Facts

_SIDE = 16


def write_tiny_tree(out: Path, groups: int, frames_per_group: int) -> int:
    """Write ``groups * frames_per_group`` valid N.I.N.A. FITS frames of 16 × 16 pixels.

    The groups are nights of bias, darks, dark-flats and flats that match one another, ten groups
    a night. Only the date differs within a group, so that 100,000 frames take seconds.

    Returns
    -------
    int
        Number of frames written.
    """
    rng = np.random.default_rng(1)
    for group in range(groups):
        facts = _facts(group)
        data = rng.normal(500.0, 5.0, (_SIDE, _SIDE)).clip(0).astype(np.uint16)
        if facts.frame_type is FrameType.FLAT:
            data += np.uint16(30000)
        header = fits_header(data, NINA.keywords(facts))
        pixels = (data ^ np.uint16(0x8000)).astype(">u2").tobytes().ljust(FITS_BLOCK, b"\0")
        folder = out / f"{facts.start:%Y-%m-%d}" / f"{facts.frame_type.value}_{group:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        date = f"{facts.start:%Y-%m-%dT%H:%M:%S}.0000000".encode()
        for index in range(frames_per_group):
            time = facts.start + timedelta(seconds=index * (facts.exposure_s + 1))
            now = f"{time:%Y-%m-%dT%H:%M:%S}.0000000".encode()
            name = f"{facts.frame_type.value}_{index:05d}.fits"
            (folder / name).write_bytes(header.replace(date, now) + pixels)
    return groups * frames_per_group


def _facts(group: int) -> Facts:
    night, place = divmod(group, 10)
    evening = datetime(2020, 1, 1, 18, tzinfo=UTC) + timedelta(days=night)
    facts = Facts(
        frame_type=FrameType.BIAS,
        camera="QHY600M",
        telescope='Edge HD 8"',
        start=evening,
        exposure_s=0.0,
        set_temp_c=-10.0,
        ccd_temp_c=-10.0,
        gain=56,
        offset=10,
        egain=0.333,
        number=1,
        filter="L",
        readout_mode="High Gain Mode",
        usb_limit=10,
    )
    if place == 0:
        return facts
    start = evening + timedelta(minutes=10 * place)
    if place <= 4:
        name = "LRGB"[place - 1]
        return replace(
            facts, frame_type=FrameType.FLAT, exposure_s=0.5 * place, filter=name, start=start
        )
    if place <= 8:
        exposure = 0.5 * (place - 4)
        return replace(facts, frame_type=FrameType.DARKFLAT, exposure_s=exposure, start=start)
    return replace(facts, frame_type=FrameType.DARK, exposure_s=120.0, start=start)
