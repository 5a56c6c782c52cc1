"""The first image of a FITS file: plain, gzipped or tile-compressed."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from calibrary.formats.cards import ADDED_PEDESTAL
from calibrary.formats.fits import FitsHdu, first_image, fits_sample_format, read_fits_hdus
from calibrary.formats.layout import ADU_FULL_SCALE, Layout, PixelError
from calibrary.formats.sources import FileSource, Opened, Source, Unpacked, open_file, unreadable
from calibrary.records import CalibraryError

_STORED = {8: "u1", 16: ">i2", 32: ">i4", -32: ">f4", -64: ">f8"}
"""Type of a sample by BITPIX (FITS Standard 4.0, table 8)."""
_COPY_BYTES = 1024 * 1024
_BAND_BYTES = 8 * 1024 * 1024


def open_fits(path: Path, scratch: Path | None) -> Opened:
    """Open the first image of a FITS file; see `table.Reader`.

    Raises
    ------
    PixelError
        64-bit integers, a truncated or corrupt file.
    HeaderError
        See `read_fits_hdus`.
    """
    hdu = first_image(read_fits_hdus(path), path)
    layout = _layout(path, hdu)
    if hdu.missing_bytes:
        raise PixelError(f"{path}: truncated, {hdu.missing_bytes} bytes missing; copy it again")
    if hdu.tile_compressed:
        source: Source = _decompress_tiles(path, hdu, layout, scratch)
    elif hdu.gzipped:
        source = _gunzip(path, hdu, layout, scratch)
    else:
        source = FileSource(path, open_file(path), hdu.data_offset)
    return Opened(
        layout,
        source,
        direct=not (hdu.tile_compressed or hdu.gzipped),
        scale_unknown=hdu.bitpix < 0 and _unit(hdu) != "ADU",
    )


def _blank(hdu: FitsHdu) -> float | None:
    return None if hdu.blank is None else float(hdu.blank)


def _added_pedestal(hdu: FitsHdu) -> float:
    """Return the ADU that Calibrary added to samples in [0, 1]."""
    added = next((card.value for card in hdu.cards if card.keyword == ADDED_PEDESTAL), 0)
    return float(added) if isinstance(added, int | float) and hdu.bitpix < 0 else 0.0


def _unit(hdu: FitsHdu) -> str:
    return next((str(c.value).strip().upper() for c in hdu.cards if c.keyword == "BUNIT"), "")


def _layout(path: Path, hdu: FitsHdu) -> Layout:
    stored = _STORED.get(hdu.bitpix)
    if stored is None:
        raise PixelError(
            f"{path}: its samples are 64-bit integers, which no camera writes; remove it from the "
            "source folder"
        )
    return Layout(
        path=path,
        width=hdu.shape[-1],
        height=hdu.shape[-2],
        channels=math.prod(hdu.shape[:-2]),
        stored=np.dtype(stored),
        zero=hdu.bzero - _added_pedestal(hdu) / ADU_FULL_SCALE,
        scale=hdu.bscale,
        sample_format=fits_sample_format(hdu),
        normalised=False,
        blank=_blank(hdu),
    )


def _gunzip(path: Path, hdu: FitsHdu, layout: Layout, scratch: Path | None) -> Source:
    size = layout.rows * layout.row_bytes
    unpacked = Unpacked(path, size, scratch)
    try:
        with open_file(path) as file, gzip.GzipFile(fileobj=file) as stream:
            stream.seek(hdu.data_offset)
            while size and (data := stream.read(min(size, _COPY_BYTES))):
                unpacked.append(data)
                size -= len(data)
            while stream.read(_COPY_BYTES):
                pass  # Only at its end is the checksum of what was unpacked compared.
        return unpacked.source()
    except (OSError, EOFError, zlib.error) as error:
        unpacked.close()
        raise unreadable(path, error) from None
    except BaseException:
        unpacked.close()
        raise


def _decompress_tiles(path: Path, hdu: FitsHdu, layout: Layout, scratch: Path | None) -> Source:
    """Unpack a tile-compressed image (FITS Standard 4.0, section 10), some rows at a time."""
    # Imported here: the import costs 0.3 s and plain frames do not need it.
    from astropy.io import fits

    unpacked = Unpacked(path, layout.rows * layout.row_bytes, scratch)
    try:
        with fits.open(path, do_not_scale_image_data=True) as hdus:
            image = hdus[hdu.index]
            tile_rows = image.tile_shape[-2]
            step = max(1, _BAND_BYTES // (layout.row_bytes * tile_rows)) * tile_rows
            for plane in np.ndindex(*hdu.shape[:-2]):
                for first in range(0, layout.height, step):
                    rows = image.section[(*plane, slice(first, min(first + step, layout.height)))]
                    stored = np.ascontiguousarray(rows, layout.stored)
                    unpacked.append(stored.reshape(-1).view(np.uint8))
        return unpacked.source()
    except CalibraryError:
        unpacked.close()
        raise
    except Exception as error:
        # Broken files make astropy raise errors of any type.
        unpacked.close()
        raise unreadable(path, error) from None
