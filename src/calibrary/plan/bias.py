"""Which bias group shows the level that a dark is judged above."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from calibrary.records import Action, FrameType, GroupPlan, may_be_one_camera

_SENSOR_KEYS = (
    "telescope",
    "camera",
    "gain",
    "offset",
    "readout_mode",
    "usb_limit",
    "pedestal",
    "x_binning",
    "y_binning",
    "bayer_pattern",
    "width",
    "height",
    "channels",
    "sample_format",
    "normalised",
    "x_origin",
    "y_origin",
)
"""What the level of a bias depends on; temperature and night only choose among several."""


def with_bias(orders: Sequence[GroupPlan]) -> list[GroupPlan]:
    """Return the work orders, darks and dark-flats with the nearest bias group of their sensor.

    Nearest in temperature, then in time. The dark's pixels do not depend on it: it is judged
    against the bias, not calibrated with it.
    """
    biases: dict[tuple[object, ...], list[GroupPlan]] = defaultdict(list)
    for order in orders:
        if order.frame_type is FrameType.BIAS and order.action is not Action.TOO_FEW:
            biases[_sensor(order)].append(order)
    return [
        dataclasses.replace(order, bias=_nearest(order, biases[_sensor(order)]))
        if order.frame_type in (FrameType.DARK, FrameType.DARKFLAT)
        else order
        for order in orders
    ]


def _sensor(order: GroupPlan) -> tuple[object, ...]:
    return tuple(getattr(order.keys, key) for key in _SENSOR_KEYS)


def _nearest(order: GroupPlan, biases: Sequence[GroupPlan]) -> str | None:
    biases = [bias for bias in biases if may_be_one_camera(order.keys, bias.keys)]
    if not biases:
        return None
    return min(biases, key=lambda bias: (*_distance(order, bias), bias.group)).group


def _distance(order: GroupPlan, bias: GroupPlan) -> tuple[float, float]:
    """Return the difference in temperature, °C, and in time, s; unknown is far away."""
    degrees = seconds = math.inf
    if order.keys.temp_c is not None and bias.keys.temp_c is not None:
        degrees = abs(order.keys.temp_c - bias.keys.temp_c)
    if order.first_date_obs is not None and bias.first_date_obs is not None:
        start = datetime.fromisoformat(order.first_date_obs)
        seconds = abs((start - datetime.fromisoformat(bias.first_date_obs)).total_seconds())
    return degrees, seconds
