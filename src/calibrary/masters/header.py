"""The header of a master: all that matching needs, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from calibrary import __version__
from calibrary.integrate.engine import Integration
from calibrary.records import FrameType, GroupPlan, InputFrame
from calibrary.records.keys import all_keys, whole
from calibrary.verify.measure import qc_cards

Card = tuple[str, str | int | float | bool, str]

IMAGE_TYPES = {
    FrameType.BIAS: "Master Bias",
    FrameType.DARK: "Master Dark",
    FrameType.DARKFLAT: "Master DarkFlat",
    FrameType.FLAT: "Master Flat",
}
XISF_IMAGE_TYPES = {
    FrameType.BIAS: "MasterBias",
    FrameType.DARK: "MasterDark",
    FrameType.DARKFLAT: "MasterDark",  # XISF 1.0 knows no dark-flat
    FrameType.FLAT: "MasterFlat",
}


def master_header(
    plan: GroupPlan,
    used: Sequence[InputFrame],
    integration: Integration,
    measured: Mapping[str, Any],
    calibrator: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the header arguments of `calibrary.pixels.write_master`.

    Parameters
    ----------
    plan
        The group's work order.
    used
        The frames that went into the master.
    integration
        What integration counted.
    measured
        The figures of the master.
    calibrator
        For flats: what was subtracted, as it stands in the verdict.

    Returns
    -------
    dict
        ``cards, history, image_type, cfa``.
    """
    return {
        "cards": [
            *_identity_cards(plan),
            *_date_cards(used),
            *_integration_cards(plan, used, integration),
            *_calibrator_cards(calibrator, plan.keys.pedestal),
            *qc_cards(measured),
            ("SWCREATE", f"Calibrary {__version__}", "software that made this master"),
            ("CALDIGST", plan.digest, "digest of inputs and settings"),
        ],
        "history": list(_history(integration)),
        "image_type": XISF_IMAGE_TYPES[plan.frame_type],
        "cfa": plan.keys.bayer_pattern,
    }


def _known(cards: Sequence[tuple[str, Any, str]]) -> list[Card]:
    return [card for card in cards if card[1] is not None]


def _identity_cards(plan: GroupPlan) -> list[Card]:
    keys = plan.keys
    exposure = (
        0.0 if plan.frame_type is FrameType.BIAS and keys.exposure_s is None else keys.exposure_s
    )
    measured_temps = sorted(f.ccd_temp_c for f in plan.frames if f.ccd_temp_c is not None)
    set_temps = {f.set_temp_c for f in plan.frames if f.set_temp_c is not None}
    temps = measured_temps[len(measured_temps) // 2] if measured_temps else None
    told = [
        (card.keyword, card.value(keys) if card.value else getattr(keys, key.name), card.comment)
        for key in all_keys()
        if (card := key.card) is not None
    ]
    return _known(
        [
            ("IMAGETYP", IMAGE_TYPES[plan.frame_type], "type of image"),
            *told,
            ("EXPTIME", exposure, "[s] exposure of one frame"),
            ("EXPOSURE", exposure, "[s] exposure of one frame"),
            ("EGAIN", keys.egain, "[e-/ADU] conversion gain"),
            ("SET-TEMP", keys.temp_c if set_temps else None, "[degC] set temperature"),
            ("CCD-TEMP", temps, "[degC] median sensor temperature"),
        ]
    )


def _span(used: Sequence[InputFrame]) -> tuple[str | None, str | None]:
    """Return start of the first and end of the last exposure, ISO 8601 UTC."""
    dated = sorted((f.date_obs, f.exposure_s or 0.0) for f in used if f.date_obs is not None)
    if not dated:
        return None, None
    ends = (datetime.fromisoformat(date) + timedelta(seconds=length) for date, length in dated)
    return dated[0][0], max(ends).isoformat(timespec="milliseconds")


def _date_cards(used: Sequence[InputFrame]) -> list[Card]:
    first, last = _span(used)
    return _known(
        [
            ("DATE-OBS", first, "UTC start of the first exposure"),
            ("DATE-END", last, "UTC end of the last exposure"),
        ]
    )


def _integration_cards(
    plan: GroupPlan, used: Sequence[InputFrame], integration: Integration
) -> list[Card]:
    settings = plan.integration
    samples = integration.master.size * len(used)
    low, high = integration.rejected_low, integration.rejected_high
    return _known(
        [
            ("NCOMBINE", len(used), "frames combined"),
            ("TOTALEXP", sum(f.exposure_s or 0.0 for f in used), "[s] exposure of all frames"),
            ("COMBINE", "mean", "what is done with the samples kept"),
            ("REJECT", settings["method"], "rejection"),
            ("REJLOW", settings.get("low"), "low rejection limit"),
            ("REJHIGH", settings.get("high"), "high rejection limit"),
            ("REJPROF", settings.get("profile"), "profile of the rejection"),
            ("NORMALIZ", settings["normalization"], "normalisation"),
            ("NREJLOW", int(low), "samples rejected as too low"),
            ("NREJHIGH", int(high), "samples rejected as too high"),
            ("REJFRAC", round((low + high) / samples, 9), "fraction of the samples rejected"),
        ]
    )


def _calibrator_cards(calibrator: Mapping[str, Any] | None, pedestal: float | None) -> list[Card]:
    if calibrator is None:
        if pedestal is not None:
            return _known([("PEDESTAL", whole(pedestal), "as in the frames; it is in the pixels")])
        return [("PEDESTAL", 0, "[ADU] added to the pixels; the bias level is in them")]
    name = Path(calibrator["master"]).name if calibrator["master"] else "none"
    return [
        ("CALKIND", str(calibrator["kind"]), "what was subtracted from every frame"),
        ("CALIBRAT", name, "master that was subtracted"),
    ]


def _history(integration: Integration) -> list[str]:
    return [
        f"{Path(frame.path).name} scale {frame.scale:.6f} rejected {frame.fraction:.6f}"
        for frame in integration.frames
    ]
