"""The tests that need nothing but the master, on any master."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

from calibrary.records import FrameType
from calibrary.verify.judge import Judgement


def verify(
    path: str | PathLike[str],
    *,
    frame_type: Literal["bias", "dark", "darkflat", "flat"] | None = None,
) -> Judgement:
    """Test a master, of whatever program.

    Parameters
    ----------
    path
        FITS or XISF.
    frame_type
        What it is a master of, where its header does not say.

    Returns
    -------
    Judgement
        ``verdict``, ``reason``, and ``tests`` with figure, limit and remedy.

    Raises
    ------
    CalibraryError
        It cannot be read, or nothing tells what it is a master of.

    Examples
    --------
    >>> import calibrary
    >>> judgement = calibrary.verify("masters/dark.xisf")
    >>> judgement.verdict
    <Verdict.WARN: 'warn'>
    >>> judgement.reason
    '5 frames; 15 is the least for a good master'
    """
    from calibrary.config.model import Frames
    from calibrary.verify.judge import judge
    from calibrary.verify.standalone import measure_file

    measured = measure_file(Path(path), FrameType(frame_type) if frame_type else None)
    minimum = getattr(Frames().minimum, measured["facts"]["frame_type"])
    return judge(measured, minimum=minimum)
