"""Which bias group shows the level that a dark is judged above."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import datetime

from calibrary.records import Action, FrameType, GroupPlan
from calibrary.records.keys import alike, sensor_keys


def with_bias(orders: Sequence[GroupPlan]) -> list[GroupPlan]:
    """Return the work orders, darks and dark-flats with the nearest bias group of their sensor.

    Nearest in temperature, then in time. The dark's pixels do not depend on it: it is judged
    against the bias, not calibrated with it.
    """
    biases: dict[tuple[Hashable, ...], list[GroupPlan]] = defaultdict(list)
    for order in orders:
        if order.frame_type is FrameType.BIAS and order.action is not Action.TOO_FEW:
            biases[_always_told(order)].append(order)
    return [
        dataclasses.replace(order, bias=_nearest(order, biases[_always_told(order)]))
        if order.frame_type in (FrameType.DARK, FrameType.DARKFLAT)
        else order
        for order in orders
    ]


def _always_told(order: GroupPlan) -> tuple[Hashable, ...]:
    return tuple(key.value(order.keys) for key in sensor_keys() if not key.if_known)


def _nearest(order: GroupPlan, biases: Sequence[GroupPlan]) -> str | None:
    found = [
        (unsure, *_distance(order, bias), bias.group)
        for bias in biases
        for fits, unsure in [alike(order.keys, bias.keys, sensor_keys())]
        if fits
    ]
    return min(found)[-1] if found else None


def _distance(order: GroupPlan, bias: GroupPlan) -> tuple[float, float]:
    """Return the difference in temperature, °C, and in time, s; unknown is far away."""
    degrees = seconds = math.inf
    if order.keys.temp_c is not None and bias.keys.temp_c is not None:
        degrees = abs(order.keys.temp_c - bias.keys.temp_c)
    if order.first_date_obs is not None and bias.first_date_obs is not None:
        start = datetime.fromisoformat(order.first_date_obs)
        seconds = abs((start - datetime.fromisoformat(bias.first_date_obs)).total_seconds())
    return degrees, seconds
