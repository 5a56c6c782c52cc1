"""Frames as the index would describe them, without files."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from calibrary.config import Config
from calibrary.plan.overrides import Overrides
from calibrary.plan.planning import Plan, make_plan
from calibrary.records import Action, Frame, FrameType, Status

Shoot = Callable[..., list[Frame]]


def night_of(moment: datetime) -> str:
    return (moment - timedelta(hours=12)).date().isoformat()


@pytest.fixture
def shoot() -> Shoot:
    """Shoot a series: ``shoot("dark", 20, "2025-11-10T20:00:00", exposure_s=120)``."""
    serial = itertools.count()

    def series(
        frame_type: str, n: int, start: str | None, step_s: float = 5.0, **changes: Any
    ) -> list[Frame]:
        frames = []
        for k in range(n):
            moment = start and datetime.fromisoformat(start) + timedelta(seconds=k * step_s)
            values: dict[str, Any] = {
                "path": f"/source/{frame_type}_{next(serial):05d}.fits",
                "size_bytes": 5000,
                "mtime_ns": 1_700_000_000_000_000_000,
                "format": "fits",
                "frame_type": FrameType(frame_type),
                "telescope": 'Edge HD 8"',
                "camera": "QHY600M",
                "exposure_s": 0.0 if frame_type == "bias" else 0.5,
                "set_temp_c": -10.0,
                "temp_c": -10.0,
                "gain": 56.0,
                "offset": 10.0,
                "readout_mode": "High Gain Mode",
                "usb_limit": 60.0,
                "x_binning": 1,
                "y_binning": 1,
                "filter": "B" if frame_type == "flat" else None,
                "width": 100,
                "height": 80,
                "channels": 1,
                "sample_format": "uint16",
                "date_obs": moment and moment.isoformat(timespec="milliseconds"),
                "night": moment and night_of(moment),
                "status": Status.USED,
            }
            frames.append(Frame(**(values | changes)))
        return frames

    return series


@pytest.fixture
def config() -> Config:
    return Config(source=("/source",), library="/library")


@pytest.fixture
def plan(config: Config) -> Callable[..., Plan]:
    """Plan with the default settings, or with ``config=...``."""

    def make(frames: list[Frame], masters: list[Frame] | None = None, **options: Any) -> Plan:
        return make_plan(
            frames,
            masters or [],
            options.get("config", config),
            options.get("overrides", Overrides()),
            options.get("built", ()),
        )

    return make


@pytest.fixture
def shelve(shoot: Shoot) -> Callable[..., Frame]:
    """Put a master into the library: ``shelve("dark", "!!!DARKS_LIB/…/x.xisf", gain=0.0)``."""

    def one(kind: str, path: str, start: str | None = None, **changes: Any) -> Frame:
        frame = shoot(kind, 1, start, **{"filter": None, "sample_format": "float32", **changes})[0]
        return dataclasses.replace(
            frame,
            path=f"/library/{path}",
            frame_type=FrameType.MASTER,
            master_of=FrameType(kind),
            status=Status.IGNORED,
            date_end=changes.get("date_end", frame.date_obs),
        )

    return one


@pytest.fixture
def published(shelve: Callable[..., Frame]) -> Callable[..., list[Frame]]:
    """Return the masters that a run of a plan would leave in the library."""

    def masters(plan: Plan) -> list[Frame]:
        return [
            dataclasses.replace(
                shelve(group.frame_type.value, group.master),
                **{
                    key: getattr(group.keys, key)
                    for key in ("telescope", "camera", "exposure_s", "temp_c", "gain", "offset")
                },
                readout_mode=group.keys.readout_mode,
                usb_limit=group.keys.usb_limit,
                filter=group.keys.filter,
                bayer_pattern=group.keys.bayer_pattern,
                width=group.keys.width,
                height=group.keys.height,
                date_obs=group.first_date_obs,
                date_end=group.last_date_obs,
                inputs_digest=group.digest,
            )
            for group in plan.groups
            if group.action is Action.BUILD
        ]

    return masters
