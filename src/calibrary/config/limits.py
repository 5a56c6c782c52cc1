"""Limits of the verification tests: the config section ``verify``.

Meaning, unit, source and default limits of each test stand in `calibrary.checks`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from calibrary.checks import CHECKS

_BY_KEY = {check.key: check for check in CHECKS}


class Limit(BaseModel):
    """Where a figure turns from pass to warn, and from warn to fail; ``null``: it never does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warn: float | None = None
    fail: float | None = None


def _limit(key: str) -> Any:  # noqa: ANN401 - pydantic's FieldInfo passes for any type
    check = _BY_KEY[key]
    masters = ", ".join(check.types)
    unit = f" Unit: {check.unit}." if check.unit else ""
    return Field(
        default=Limit(warn=check.warn, fail=check.fail),
        description=f"{check.meaning[0].upper()}{check.meaning[1:]}; bad {check.side} the limits."
        f"{unit} Masters: {masters}. Source: {check.source}.",
    )


class VerifyLimits(BaseModel):
    """Limits of the verification tests; a side that is not given keeps its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames_set_aside: Limit = _limit("frames_set_aside")
    frames_divided: Limit = _limit("frames_divided")
    temperature_difference: Limit = _limit("temperature_difference")
    inputs_saturated: Limit = _limit("inputs_saturated")
    inputs_clipped: Limit = _limit("inputs_clipped")
    inputs_noise_ratio: Limit = _limit("inputs_noise_ratio")
    inputs_level_outlier: Limit = _limit("inputs_level_outlier")
    inputs_level_drift: Limit = _limit("inputs_level_drift")
    inputs_leak: Limit = _limit("inputs_leak")
    inputs_lamp_drift: Limit = _limit("inputs_lamp_drift")
    inputs_unevenness: Limit = _limit("inputs_unevenness")
    inputs_scale_ratio: Limit = _limit("inputs_scale_ratio")
    level_constant: Limit = _limit("level_constant")
    level_bias_fraction: Limit = _limit("level_bias_fraction")
    level_spread: Limit = _limit("level_spread")
    level_above_bias: Limit = _limit("level_above_bias")
    dark_light: Limit = _limit("dark_light")
    level_dark_fraction: Limit = _limit("level_dark_fraction")
    level_uniformity: Limit = _limit("level_uniformity")
    hot_fraction: Limit = _limit("hot_fraction")
    flat_level_low: Limit = _limit("flat_level_low")
    flat_level_high: Limit = _limit("flat_level_high")
    flat_stddev: Limit = _limit("flat_stddev")
    flat_gradient: Limit = _limit("flat_gradient")
    flat_cold_fraction: Limit = _limit("flat_cold_fraction")
    flat_frame_snr: Limit = _limit("flat_frame_snr")
    flat_snr: Limit = _limit("flat_snr")
    gain_ratio: Limit = _limit("gain_ratio")
    noise_efficiency: Limit = _limit("noise_efficiency")
    rejection_excess: Limit = _limit("rejection_excess")
    rejection_frame_ratio: Limit = _limit("rejection_frame_ratio")
    previous_fraction: Limit = _limit("previous_fraction")
    previous_level: Limit = _limit("previous_level")

    @model_validator(mode="before")
    @classmethod
    def _keep_other_side(cls, data: Any) -> Any:  # noqa: ANN401 - what YAML holds
        """Fill the side of a limit that the user left out with its default."""
        if not isinstance(data, dict):
            return data
        return {
            key: {"warn": check.warn, "fail": check.fail, **value}
            if isinstance(value, dict) and (check := _BY_KEY.get(key)) is not None
            else value
            for key, value in data.items()
        }
