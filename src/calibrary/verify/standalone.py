"""A master of any program, by its pixels and its header alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calibrary.checks import QC_KEYWORDS
from calibrary.records import CALIBRATION_TYPES, CalibraryError, Frame, FrameType
from calibrary.records.keys import missing_keys
from calibrary.verify.master import measure_master


def measure_file(path: Path, frame_type: FrameType | None = None) -> dict[str, Any]:
    """Measure a master that stands in a file.

    Parameters
    ----------
    path : Path
        FITS or XISF; in ADU or normalised.
    frame_type : FrameType, optional
        Of the frames it was made from, where the file does not say so.

    Returns
    -------
    dict
        As `calibrary.verify.measure.measure`: ``figures``, ``frames`` (empty), ``plots``,
        ``facts``. What can only be told from the inputs is taken from the figures in its header,
        if Calibrary made it.

    Raises
    ------
    CalibraryError
        The file cannot be read, or its type is unknown.
    """
    from calibrary.formats.layout import ADU_FULL_SCALE
    from calibrary.headers.reading import read_header
    from calibrary.pixels.reading import read_image, without_missing

    frame = read_header(path).frame
    kind = frame_type or frame.master_of or frame.frame_type
    if kind not in CALIBRATION_TYPES:
        raise CalibraryError(
            f"{path}: the header does not tell what it is a master of; give --type"
        )
    marked, layout = read_image(path)
    image = without_missing(marked)
    full_scale = ADU_FULL_SCALE if layout.normalised else layout.full_scale
    measured = measure_master(image, kind, bayer_pattern=frame.bayer_pattern, full_scale=full_scale)
    figures = {**_stated(frame), **measured.figures}
    figures["pixels.missing"] = float(np.count_nonzero(~np.isfinite(marked)))
    if kind is FrameType.FLAT:
        figures["flat.level_low"] = figures["level.median"] / full_scale
        figures["flat.level_high"] = max(measured.plane_levels) / full_scale
    if kind is FrameType.BIAS and figures.get("noise.frame"):
        figures["level.spread"] = figures["level.sigma"] / figures["noise.frame"]
    if frame.n_combined is not None:
        figures["frames.n"] = float(frame.n_combined)
    return {
        "figures": figures,
        "frames": [],
        "plots": measured.plots,
        "facts": {
            "frame_type": kind.value,
            "missing": missing_keys(frame, kind, frame.date_obs),
            "calibrator": None,
            "is_master": frame.frame_type is FrameType.MASTER,
        },
    }


def _stated(frame: Frame) -> dict[str, float]:
    """Return the figures in the header by their dotted names."""
    return {
        name: frame.qc[key]
        for name, (keyword, _) in QC_KEYWORDS.items()
        for key in (name, keyword)
        if key in frame.qc
    }
