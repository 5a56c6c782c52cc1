"""A file becomes a `Frame`: everything that its header tells, and whether it can be an input."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from calibrary.headers.cards import HeaderError
from calibrary.headers.dates import read_dates
from calibrary.headers.dialects import Dialects, HeaderExtras, load_dialects
from calibrary.headers.frame_types import RETYPE, TypeFinding, find_type, type_from_names
from calibrary.headers.geometry import read_bayer_pattern, read_binning, read_origin
from calibrary.headers.image import ImageHeader, read_image_header
from calibrary.headers.lookup import Header
from calibrary.headers.provenance import (
    Combination,
    calibrated_by,
    is_guide_camera,
    read_combination,
    read_own_marks,
    read_software,
)
from calibrary.headers.quantities import (
    is_negative_exposure,
    read_exposure,
    read_gain,
    read_mode,
    read_offset,
    read_temperature,
    read_usb_limit,
)
from calibrary.model import Frame, FrameType, Status, TypeSource

__all__ = ["HeaderError", "Reading", "is_set_aside_for_type", "read_header"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A frame, where each of its fields was read, and what is odd about it."""

    frame: Frame
    sources: dict[str, str]
    """Field of the frame to the keyword, property or name that it was read from."""
    warnings: list[str]


def read_header(
    path: Path,
    extras: HeaderExtras | Mapping[str, object] | None = None,
    root: Path | None = None,
) -> Reading:
    """Read one frame or master.

    Parameters
    ----------
    path
        A FITS file (plain, gzipped or tile-compressed) or a monolithic XISF file.
    extras
        The user's additions to the tables, see `load_dialects`.
    root
        The source folder; the names of folders above it say nothing about the type.

    Returns
    -------
    Reading
        Its frame has status ``used`` if it can go into a master, ``ignored`` if it is one, else
        ``set_aside`` with the reason. The reason of a used frame holds the warnings.

    Raises
    ------
    HeaderError
        The file cannot be read or understood.
    """
    path = Path(path)
    dialects = load_dialects(extras)
    try:
        stat = path.stat()
        image = read_image_header(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise HeaderError(f"{path}: cannot be read ({reason}); copy it again") from None
    named = path if root is None else _below(path, root)
    return _interpret(path, named, stat, image, dialects)


def is_set_aside_for_type(frame: Frame) -> bool:
    """Tell whether a frame is set aside for its type and for nothing else.

    Such a frame is complete but for its type: it can be used once the type is put right. Every
    reason of that kind ends in the same remedy, and no other does.
    """
    return frame.status is Status.SET_ASIDE and RETYPE in (frame.reason or "")


def _below(path: Path, root: Path) -> Path:
    """Return `path` from the source folder's own name on."""
    return path.relative_to(root.parent) if path.is_relative_to(root.parent) else path


def _interpret(
    path: Path, named: Path, stat: os.stat_result, image: ImageHeader, dialects: Dialects
) -> Reading:
    header = Header(image.cards, image.properties, dialects)
    header.warnings += image.warnings
    software = read_software(header)
    found = _with_negative_exposure(header, find_type(header, named, image.image_type))
    combination = read_combination(header, path.name, master_type=found.master)
    frame = _describe(path, stat, image, header, software, found)
    stacked = header.sources.pop("stacked", None)
    if combination.evidence is not None and stacked is None:
        frame = _as_master(header, frame, named, found, combination)
    else:
        frame = replace(frame, n_combined=combination.n_combined)
    status, reason = _judge(header, image, frame, found, stacked, combination)
    if reason is None and header.warnings:
        reason = "; ".join(header.warnings)
    return Reading(replace(frame, status=status, reason=reason), header.sources, header.warnings)


def _with_negative_exposure(header: Header, found: TypeFinding) -> TypeFinding:
    if found.source is TypeSource.HEADER or not is_negative_exposure(header):
        return found
    key = header.sources.get("exposure_s", "EXPTIME")
    return TypeFinding(FrameType.DARK, TypeSource.HEADER, f"negative {key}")


def _describe(
    path: Path,
    stat: os.stat_result,
    image: ImageHeader,
    header: Header,
    software: str | None,
    found: TypeFinding,
) -> Frame:
    exposure = read_exposure(header, found.frame_type, path.name)
    if exposure.stacked:
        header.sources["stacked"] = header.sources["exposure_s"]
    temperature = read_temperature(header)
    guide = is_guide_camera(header, software)
    gain = read_gain(header, software)
    x_binning, y_binning = read_binning(header, image.width, image.height)
    dates = read_dates(header, software)
    if found.key is not None:
        header.sources["frame_type"] = found.key
    return Frame(
        path=str(path),
        size_bytes=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        format=image.format,
        frame_type=found.frame_type,
        type_source=found.source,
        telescope=header.text("telescope"),
        camera=header.text("camera"),
        exposure_s=exposure.seconds,
        set_temp_c=temperature.set_c,
        ccd_temp_c=temperature.sensor_c,
        temp_c=temperature.group_c,
        # PHD2 writes its own scale of 0 to 100.
        gain=None if guide else gain.setting,
        offset=read_offset(header),
        readout_mode=read_mode(header),
        usb_limit=read_usb_limit(header),
        x_binning=x_binning,
        y_binning=y_binning,
        filter=header.text("filter"),
        bayer_pattern=read_bayer_pattern(header, image.cfa),
        width=image.width,
        height=image.height,
        channels=image.channels,
        sample_format=image.sample_format,
        date_obs=dates.start,
        night=dates.night,
        software=software,
        date_end=dates.end,
        x_origin=read_origin(header, "x", x_binning),
        y_origin=read_origin(header, "y", y_binning),
        normalised=image.normalised,
        egain=gain.electrons,
        row_order=header.text("row_order"),
        header_digest=image.header_digest,
    )


def _as_master(
    header: Header, frame: Frame, path: Path, found: TypeFinding, combination: Combination
) -> Frame:
    master_of: FrameType | None = found.frame_type
    if master_of is FrameType.UNKNOWN:
        master_of = type_from_names(header.dialects, path)[0]
    inputs_digest, figures = read_own_marks(header)
    return replace(
        frame,
        frame_type=FrameType.MASTER,
        master_of=master_of,
        n_combined=combination.n_combined,
        inputs_digest=inputs_digest,
        qc=figures,
    )


def _judge(
    header: Header,
    image: ImageHeader,
    frame: Frame,
    found: TypeFinding,
    stacked: str | None,
    combination: Combination,
) -> tuple[Status, str | None]:
    """Return what becomes of the frame; what cannot be mended by a retype comes first."""
    if image.missing_bytes:
        missing = f"{image.missing_bytes} bytes of the image are missing"
        return Status.SET_ASIDE, f"truncated: {missing}; copy the file again"
    if frame.frame_type is FrameType.MASTER:
        kind = frame.master_of or "frame"
        many = f" of {combination.n_combined} frames" if combination.n_combined else ""
        text = f"a master {kind}{many} ({combination.evidence}): masters are never inputs"
        return Status.IGNORED, text
    if is_guide_camera(header, frame.software):
        return Status.SET_ASIDE, "a guide camera's file (PHD2), not the imaging camera's"
    if image.defect is not None:
        return Status.SET_ASIDE, image.defect
    if stacked is not None:
        many = f" of {combination.n_combined} exposures" if combination.n_combined else ""
        text = f"a stack{many} ({stacked} is {frame.exposure_s:g} s), not a raw frame"
        return Status.SET_ASIDE, text
    calibrated = calibrated_by(header)
    if calibrated is not None:
        what = "a light, calibrated" if frame.frame_type is FrameType.LIGHT else "calibrated"
        return Status.SET_ASIDE, f"{what} already ({calibrated}); masters need raw frames"
    if found.reason is not None:
        return Status.SET_ASIDE, found.reason
    if image.sample_format.startswith("float"):
        if found.source in (TypeSource.FILENAME, TypeSource.FOLDER):
            text = f"float samples and no type in the header: processed, not raw? If raw, {RETYPE}"
            return Status.SET_ASIDE, text
        header.warn("float samples, though cameras deliver integers")
    return Status.USED, None
