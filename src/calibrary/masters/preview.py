"""A small picture of a master: the usual midtones auto-stretch, small enough for the report.

Called once in every integration job, so it imports NumPy and Pillow and nothing else.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float64]

LONGEST_SIDE = 480
MAX_BYTES = 20_000
"""500 previews, as base64, leave the report well below 25 MB."""

EMPTY_TILE = (48, 32)

SHADOWS_CLIP = 2.8
TARGET_BACKGROUND = 0.25
MAD_TO_SIGMA = 1.4826
FULL_SCALE_ADU = 65535.0

_QUALITIES = (90, 80, 70, 55, 40, 25)
_BAYER_CELLS = ("RGGB", "BGGR", "GRBG", "GBRG")


def render_preview(
    rows: NDArray[np.float32] | None, bayer_pattern: str | None = None, channels: int = 1
) -> bytes:
    """Render a master as a small auto-stretched picture, the first row on top.

    A mosaic becomes colour by super-pixels: each 2 × 2 cell is one pixel, its two greens
    averaged. Every colour is stretched by itself, so the balance of the lamp or the sky does
    not hide what the single planes show.

    Parameters
    ----------
    rows
        The master, float32 ADU, shape ``(height * channels, width)``, one plane after the other;
        None, for a group that gave no master, is a small empty tile.
    bayer_pattern
        ``RGGB``, ``BGGR``, ``GRBG`` or ``GBRG``; anything else is shown as monochrome.
    channels
        Planes in `rows`; three are shown as red, green and blue.

    Returns
    -------
    bytes
        A JPEG file of at most `LONGEST_SIDE` pixels a side and about `MAX_BYTES`.
    """
    if rows is None:
        return _encode(Image.new("L", EMPTY_TILE, 128))
    planes = [stretch(plane) for plane in _colour_planes(rows, bayer_pattern, channels)]
    pixels = np.round(np.stack(planes, axis=-1) * 255).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if len(planes) == 1 else pixels)
    return _encode(image)


def stretch(plane: Array) -> Array:
    """Map one plane, ADU, to display values in [0, 1] by the usual midtones auto-stretch.

    Of the samples over full scale: shadows are cut at median - 2.8 sigma, sigma being the
    normalised MAD, and the midtones balance puts the median at 0.25.
    """
    scale = max(FULL_SCALE_ADU, float(plane.max(initial=0.0)))
    values = np.clip(plane / scale, 0.0, 1.0)
    median = float(np.median(values))
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(values - median)))
    # A plane without spread keeps its level: cut at the median it would be black.
    shadows = max(0.0, median - SHADOWS_CLIP * sigma) if sigma else 0.0
    values = np.clip((values - shadows) / (1.0 - shadows), 0.0, 1.0)
    middle = np.array((median - shadows) / (1.0 - shadows))
    return _midtones(float(_midtones(TARGET_BACKGROUND, middle)), values)


def _midtones(balance: float, values: Array) -> Array:
    """Apply the midtones transfer function: 0 to 0, `balance` to 1/2, 1 to 1."""
    divisor = (2 * balance - 1) * values - balance
    return np.divide((balance - 1) * values, divisor, out=np.zeros_like(values), where=divisor != 0)


def _colour_planes(
    rows: NDArray[np.float32], bayer_pattern: str | None, channels: int
) -> list[Array]:
    height = rows.shape[0] // channels
    pattern = (bayer_pattern or "").strip().upper()
    if channels == 1 and pattern in _BAYER_CELLS and min(rows.shape) >= 2:
        cells = _shrink(rows, cell=2)
        return [_mean_of_colour(cells, pattern, colour) for colour in "RGB"]
    shown = 3 if channels >= 3 else 1
    return [_shrink(rows[c * height : (c + 1) * height])[..., 0, 0] for c in range(shown)]


def _mean_of_colour(cells: Array, pattern: str, colour: str) -> Array:
    places = [cells[..., i // 2, i % 2] for i in range(4) if pattern[i] == colour]
    mean: Array = np.mean(places, axis=0)
    return mean


def _shrink(plane: NDArray[np.float32], cell: int = 1) -> Array:
    """Average blocks so that the longest side fits; shape ``(y, x, cell, cell)``.

    The positions within the CFA cell are kept apart. Rows are summed first: that runs along
    memory. Blocks with a non-finite sample take the median of the others.
    """
    wanted = -(-max(plane.shape) // (cell * LONGEST_SIDE))
    down, across = (max(1, min(wanted, side // cell)) for side in plane.shape)
    height, width = plane.shape[0] // (cell * down), plane.shape[1] // (cell * across)
    area = plane[: height * down * cell, : width * across * cell]
    by_rows = area.reshape(height, down, cell, -1).mean(axis=1, dtype=np.float64)
    by_cells = by_rows.reshape(height, cell, width, across, cell).mean(axis=3)
    small = by_cells.transpose(0, 2, 1, 3)
    good = np.isfinite(small)
    if not good.all():
        small = np.where(good, small, np.median(small[good]) if good.any() else 0.0)
    return np.asarray(small)


def _encode(image: Image.Image) -> bytes:
    """Encode as JPEG; noise does not compress, so quality and then size give way.

    WebP would be a little smaller, but Snakemake's own report does not show it.
    """
    while True:
        for quality in _QUALITIES:
            buffer = BytesIO()
            image.save(buffer, "JPEG", quality=quality, optimize=True)
            if buffer.tell() <= MAX_BYTES:
                return buffer.getvalue()
        image = image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.BOX)
