"""One frame or master: its pixels and what its header says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calibrary.records import CalibraryError, Frame

if TYPE_CHECKING:
    from astropy.nddata import CCDData


@dataclass(frozen=True, slots=True)
class Image:
    """The pixels of a frame or master, and what its header says."""

    data: npt.NDArray[np.float32]
    """``[height, width]``, or ``[channels, height, width]`` for several; ADU, whatever the file
    has: normalised samples are multiplied by 65535."""
    frame: Frame
    """What the header says: type, camera, exposure, temperature and so on; unknown is None."""

    def to_ccd(self) -> CCDData:
        """Return the image as astropy's ``CCDData``, in ADU, with the header's figures in meta."""
        from astropy.nddata import CCDData

        meta = {
            name: value
            for name in self.frame.__slots__
            if isinstance(value := getattr(self.frame, name), str | int | float)
        }
        return CCDData(self.data, unit="adu", meta=meta)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:  # noqa: ANN401 - NumPy's protocol
        """Return the pixels, so that NumPy's functions take the image itself."""
        return np.array(self.data, dtype=dtype, copy=copy)


def read(path: str | PathLike[str]) -> Image:
    """Read a raw frame or a master, FITS or XISF, of any program.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Image
        Its pixels in ADU and its header.

    Raises
    ------
    CalibraryError
        It cannot be read; says why, and what to do.

    Examples
    --------
    >>> import calibrary
    >>> image = calibrary.read("night/darks/0001.fits")
    >>> image.data.shape, image.data.dtype
    ((64, 96), dtype('float32'))
    >>> image.frame.frame_type, image.frame.exposure_s, image.frame.gain
    (<FrameType.DARK: 'dark'>, 120.0, 56.0)
    >>> image.to_ccd().unit
    Unit("adu")
    """
    from calibrary.headers.reading import read_header
    from calibrary.pixels.reading import read_image

    frame = read_header(Path(path)).frame
    data, layout = read_image(Path(path))
    channels = frame.channels or 1
    if channels > 1:
        data = data.reshape(channels, layout.rows // channels, layout.width)
    return Image(data, frame)


def frame_files(paths: Iterable[str | PathLike[str]] | str | PathLike[str]) -> list[Path]:
    """Return files as they are, and of folders the images below them.

    Raises
    ------
    CalibraryError
        There are no such files, or a folder has no images.
    """
    from calibrary.manifest import scan

    if isinstance(paths, str | PathLike):
        paths = [paths]
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            below = [Path(file.path) for file in scan([path])]
            if not below:
                raise CalibraryError(f"{path}: no FITS or XISF files below this folder")
            found += below
        elif path.exists():
            found.append(path)
        else:
            raise CalibraryError(f"{path}: there is no such file; check its name")
    return found
