"""Which bias a dark is judged above."""

from __future__ import annotations

from dataclasses import replace

from calibrary.plan.bias import with_bias
from calibrary.records import Action, FrameType, GroupKeys, GroupPlan

KEYS = GroupKeys(
    telescope="scope",
    camera="camera",
    exposure_s=0.0,
    temp_c=-10.0,
    gain=100.0,
    offset=50.0,
    readout_mode=None,
    usb_limit=None,
    x_binning=1,
    y_binning=1,
    filter=None,
    bayer_pattern=None,
    width=100,
    height=80,
    channels=1,
    sample_format="uint16",
    normalised=False,
    x_origin=None,
    y_origin=None,
    night=None,
)


def order(name, kind, date="2025-11-10T20:00:00", action=Action.BUILD, **keys):
    return GroupPlan(
        group=name,
        frame_type=kind,
        setup="scope_camera",
        action=action,
        digest="",
        keys=replace(KEYS, **keys),
        frames=(),
        first_date_obs=date,
        last_date_obs=date,
        master="",
        integration={},
    )


def bias_of_the_dark(*orders):
    (found,) = {o.bias for o in with_bias(orders) if o.frame_type is FrameType.DARK}
    return found


DARK = order("dark", FrameType.DARK, exposure_s=120.0)


def test_the_nearest_in_temperature_then_in_time():
    assert (
        bias_of_the_dark(
            order("warm", FrameType.BIAS, temp_c=0.0),
            order("late", FrameType.BIAS, "2025-11-20T20:00:00"),
            order("near", FrameType.BIAS, "2025-11-11T20:00:00"),
            DARK,
        )
        == "near"
    )


def test_none_of_another_gain_or_of_too_few_frames():
    other = order("other", FrameType.BIAS, gain=0.0)
    few = order("few", FrameType.BIAS, action=Action.TOO_FEW)
    assert bias_of_the_dark(other, few, DARK) is None


def test_only_darks_have_one():
    orders = with_bias([order("bias", FrameType.BIAS), order("flat", FrameType.FLAT), DARK])
    assert {o.group: o.bias for o in orders} == {"bias": None, "flat": None, "dark": "bias"}
