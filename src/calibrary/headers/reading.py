"""A file becomes a `Frame`: everything that its header tells, and whether it can be an input."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from calibrary.formats.cards import HeaderError, unreadable
from calibrary.formats.image import ImageHeader
from calibrary.formats.table import reader_of
from calibrary.headers.dates import read_dates
from calibrary.headers.dialects import Dialects, HeaderExtras, load_dialects
from calibrary.headers.filters import read_filter
from calibrary.headers.frame_types import RETYPE, TypeFinding, find_type, type_from_names
from calibrary.headers.geometry import read_bayer_pattern, read_binning, read_origin
from calibrary.headers.lookup import Header
from calibrary.headers.marks import Shown, find_mark
from calibrary.headers.provenance import (
    RAW,
    Combination,
    is_guide_camera,
    read_combination,
    read_own_marks,
    read_pedestal,
    read_software,
)
from calibrary.headers.quantities import (
    Exposure,
    is_negative_exposure,
    read_exposure,
    read_focal_length,
    read_gain,
    read_mode,
    read_offset,
    read_rotator,
    read_serial,
    read_temperature,
    read_usb_limit,
)
from calibrary.headers.suggestions import looks_like_type, suggest
from calibrary.records import (
    MENDED_BY_RETYPE,
    Frame,
    FrameType,
    Reason,
    ReasonCode,
    Status,
    TypeSource,
)

__all__ = [
    "HeaderError",
    "Reading",
    "is_set_aside_for_pedestal",
    "is_set_aside_for_type",
    "read_header",
]


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
        A file of one of the formats of `calibrary.formats.table`.
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
        image = reader_of(path).header(path)
    except OSError as error:
        raise unreadable(path, error) from None
    named = path if root is None else _below(path, root)
    return _interpret(path, named, stat, image, dialects)


def is_set_aside_for_type(frame: Frame) -> bool:
    """Tell whether a frame is set aside for its type and for nothing else.

    Such a frame is complete but for its type: it can be used once the type is put right.
    """
    reason = frame.reason
    return (
        frame.status is Status.SET_ASIDE and reason is not None and reason.code in MENDED_BY_RETYPE
    )


def is_set_aside_for_pedestal(frame: Frame) -> bool:
    """Tell whether a frame is set aside for its pedestal: the user may declare it raw."""
    reason = frame.reason
    return (
        frame.status is Status.SET_ASIDE
        and reason is not None
        and reason.code is ReasonCode.PEDESTAL
    )


def _below(path: Path, root: Path) -> Path:
    """Return `path` from the source folder's own name on."""
    return path.relative_to(root.parent) if path.is_relative_to(root.parent) else path


@dataclass(frozen=True, slots=True)
class _Understood:
    """What decides on a frame's use, read from its header once."""

    header: Header
    image: ImageHeader
    software: str | None
    found: TypeFinding
    combination: Combination
    exposure: Exposure
    named: Path
    """The path from the source folder's own name on."""

    @property
    def is_master(self) -> bool:
        return self.combination.evidence is not None and not self.exposure.stacked

    @property
    def master_of(self) -> FrameType | None:
        if not self.is_master or self.found.frame_type is not FrameType.UNKNOWN:
            return self.found.frame_type if self.is_master else None
        return type_from_names(self.header.dialects, self.named)[0]


def _interpret(
    path: Path, named: Path, stat: os.stat_result, image: ImageHeader, dialects: Dialects
) -> Reading:
    header = Header(image.cards, image.properties, dialects, image.extensions)
    header.warnings += image.warnings
    found = _with_negative_exposure(header, find_type(header, named, image.image_type))
    if found.key is not None:
        header.sources["frame_type"] = found.key
    found = _with_suggestion(header, found)
    understood = _Understood(
        header=header,
        image=image,
        software=read_software(header),
        found=found,
        combination=read_combination(header, path.name, master_type=found.master),
        exposure=read_exposure(header, found.frame_type, path.name),
        named=named,
    )
    frame = _describe(path, stat, understood)
    return Reading(frame, header.sources, header.warnings)


def _with_suggestion(header: Header, found: TypeFinding) -> TypeFinding:
    """Name the keyword that looks like the type, where no known one has it."""
    if found.said is not None or (looks := looks_like_type(header)) is None:
        return found
    keyword, text = looks
    told = f"{keyword} = {text!r} looks like the type"
    entry = f"headers: {{keywords: {{frame_type: [{keyword}]}}}}"
    if found.reason is None or found.reason.code is not ReasonCode.TYPE_MISSING:
        header.warn(f"{told}: if it is, add it under headers.keywords.frame_type")
        return found
    reason = Reason(
        ReasonCode.TYPE_MISSING,
        f"{found.reason.text}; {told}",
        f"add it to the configuration ({entry}), or {RETYPE}",
        entry,
    )
    return replace(found, reason=reason)


def _with_negative_exposure(header: Header, found: TypeFinding) -> TypeFinding:
    if found.source is TypeSource.HEADER or not is_negative_exposure(header):
        return found
    return TypeFinding(FrameType.DARK, TypeSource.HEADER, "negative exposure")


def _describe(path: Path, stat: os.stat_result, understood: _Understood) -> Frame:
    header, image, software = understood.header, understood.image, understood.software
    temperature = read_temperature(header)
    gain = read_gain(header, software)
    x_binning, y_binning = read_binning(header, image.width, image.height)
    camera = header.text("camera")
    dates = read_dates(header, software, camera)
    master_of = understood.master_of
    inputs_digest, figures = read_own_marks(header) if understood.is_master else (None, {})
    pedestal = read_pedestal(header)
    filter_name = read_filter(header, understood.found.frame_type, understood.named)
    if not understood.is_master:
        if understood.exposure.seconds is None:
            suggest(header, "exposure")
        if filter_name is None and understood.found.frame_type is FrameType.FLAT:
            suggest(header, "filter")
    status, reason = _judge(understood, master_of, pedestal)
    if reason is None and header.warnings:
        reason = Reason(ReasonCode.ODD, "; ".join(header.warnings))
    return Frame(
        path=str(path),
        size_bytes=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        format=image.format,
        frame_type=FrameType.MASTER if understood.is_master else understood.found.frame_type,
        type_source=understood.found.source,
        telescope=header.text("telescope"),
        camera=camera,
        exposure_s=understood.exposure.seconds,
        set_temp_c=temperature.set_c,
        ccd_temp_c=temperature.sensor_c,
        temp_c=temperature.group_c,
        # A guiding program writes its own scale of 0 to 100.
        gain=None if is_guide_camera(header, software) else gain.setting,
        offset=read_offset(header),
        readout_mode=read_mode(header),
        usb_limit=read_usb_limit(header),
        x_binning=x_binning,
        y_binning=y_binning,
        filter=filter_name,
        bayer_pattern=read_bayer_pattern(header, image.cfa),
        width=image.width,
        height=image.height,
        channels=image.channels,
        sample_format=image.sample_format,
        date_obs=dates.start,
        night=dates.night,
        software=software,
        status=status,
        reason=reason,
        date_end=dates.end,
        x_origin=read_origin(header, "x", x_binning),
        y_origin=read_origin(header, "y", y_binning),
        normalised=image.normalised,
        egain=gain.electrons,
        row_order=header.text("row_order"),
        camera_serial=read_serial(header, camera),
        rotator_deg=read_rotator(header),
        focal_length_mm=read_focal_length(header),
        type_said=understood.found.said,
        pedestal=pedestal,
        header_digest=image.header_digest,
        master_of=master_of,
        n_combined=understood.combination.n_combined,
        inputs_digest=inputs_digest,
        qc=figures,
    )


def _judge(
    understood: _Understood, master_of: FrameType | None, pedestal: float | None
) -> tuple[Status, Reason | None]:
    """Return what becomes of the frame; what cannot be mended by a retype comes first."""
    header, image = understood.header, understood.image
    found, combination = understood.found, understood.combination
    if image.missing_bytes:
        text = f"truncated: {image.missing_bytes} bytes of the image are missing"
        return _aside(ReasonCode.TRUNCATED, text, "copy the file again")
    many = f" of {combination.n_combined} frames" if combination.n_combined else ""
    if understood.is_master:
        text = f"a master {master_of or 'frame'}{many} ({combination.evidence})"
        reason = Reason(ReasonCode.MASTER, f"{text}: masters are never inputs")
        return Status.IGNORED, reason
    if is_guide_camera(header, understood.software):
        return _aside(ReasonCode.GUIDE_CAMERA, "a guide camera's file, not the imaging camera's")
    if image.defect is not None:
        return _aside(ReasonCode.NOT_ONE_IMAGE, image.defect)
    if understood.exposure.stacked:
        single = f"{header.sources['exposure_s']} is {understood.exposure.seconds:g} s"
        return _aside(ReasonCode.STACK, f"a stack{many} ({single}), not a raw frame")
    if stack := find_mark(header, Shown.STACK, understood.named.name):
        return _aside(ReasonCode.STACK, f"a stack{many} ({stack}), not a raw frame")
    if calibrated := find_mark(header, Shown.CALIBRATED, understood.named.name):
        text = f"calibrated already ({calibrated})"
        return _aside(ReasonCode.CALIBRATED, text, "masters need raw frames", calibrated)
    if pedestal is not None:
        text = f"PEDESTAL is {pedestal:g}: calibrated already?"
        return _aside(ReasonCode.PEDESTAL, text, f"if it is raw, {RAW}")
    if found.reason is not None:
        return Status.SET_ASIDE, found.reason
    if image.sample_format.startswith("float"):
        if image.whole_numbers:
            header.warn("float samples that are whole numbers: taken as raw")
        elif found.source in (TypeSource.FILENAME, TypeSource.FOLDER):
            text = "float samples and no type in the header: processed, not raw?"
            return _aside(ReasonCode.PROCESSED_BY_SAMPLES, text, f"if raw, {RETYPE}")
        else:
            header.warn("float samples, though cameras deliver integers")
    return Status.USED, None


def _aside(
    code: ReasonCode, text: str, remedy: str = "", detail: str = ""
) -> tuple[Status, Reason]:
    return Status.SET_ASIDE, Reason(code, text, remedy, detail)
