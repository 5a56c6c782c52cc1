"""One attempt at an integration with a fixed set of frames: bands of rows, in threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from calibrary.formats.layout import ADU_FULL_SCALE
from calibrary.integrate import kernels, methods
from calibrary.integrate.choice import Rejection, esd_critical_values
from calibrary.integrate.frames import Frames
from calibrary.integrate.levels import Levels, row_planes
from calibrary.integrate.network import sorting_network
from calibrary.integrate.noise import HalfDifferences
from calibrary.integrate.pooled import row_noise_ratios, sampled_columns
from calibrary.integrate.resources import BAND_BYTES, MB, band_rows, held_bytes, tile_pixels

_NO_PIXELS = np.zeros(0, np.float32)
_SIGN_BIT = 0x8000


class Job:
    """The master, its counts and everything the kernels need.

    Attributes
    ----------
    master
        ``[rows, width]``, ADU.
    halves
        Odd against even frames.
    counted
        ``[3, frames]``: samples rejected low, rejected high, not finite.
    kept_counts
        ``[frames + 1]``: pixels by the number of samples kept.
    """

    def __init__(
        self,
        frames: Frames,
        integration: Mapping[str, Any],
        calibrator: npt.NDArray[np.float32] | None,
        levels: Levels | None,
        threads: int,
    ) -> None:
        layout, n = frames.layout, len(frames)
        rejection = Rejection.from_dict(integration)
        self._frames, self._threads, self._lock = frames, threads, threading.Lock()
        self._computing = threading.Semaphore(threads)
        self._calibrator = _NO_PIXELS if calibrator is None else calibrator.reshape(-1)
        self._as_stored = levels is None and calibrator is None and frames.plain_integers
        self._whole = (
            rejection.definition == "siril" and calibrator is None and frames.plain_integers
        )
        self._factors = np.ones((n, layout.channels)) if levels is None else levels.factor
        if self._as_stored:
            self._factors = np.zeros((0, 1))
        self._planes = (
            row_planes(layout.height, layout.channels, False)
            if levels is None
            else levels.row_planes
        )
        self._pooled = rejection.method == "averaged_sigma"
        self._rule = _rule(rejection, n, self._as_stored or self._whole)
        self.master = np.empty((layout.rows, layout.width), np.float32)
        self.halves = HalfDifferences.allocate(n, layout.height, layout.channels, layout.width)
        self._sample_of_row = np.full(layout.rows, -1, np.int32)
        self._sample_of_row[self.halves.rows] = np.arange(len(self.halves.rows), dtype=np.int32)
        self._network = sorting_network(n)
        self.counted = np.zeros((3, n), np.int64)
        self.kept_counts = np.zeros(n + 1, np.int64)

    def run(self, mem_mb: int, progress: Callable[[float], None] | None) -> None:
        """Integrate all bands.

        A band more than there are threads is in work, so that reading goes on while others are
        computed.

        Raises
        ------
        FrameLostError
            A frame cannot be read to its end.
        """
        self._kernel = kernels.compiled_kernel(self._as_stored, methods.family_of(self._rule[0]))
        rows, step = self._frames.layout.rows, self._band_rows(mem_mb)
        bands = [(first, min(first + step, rows)) for first in range(0, rows, step)]
        workers = min(self._threads + 1, len(bands))
        buffers: SimpleQueue[_Buffers] = SimpleQueue()
        for _ in range(workers):
            buffers.put(_Buffers(self._frames, step, self._as_stored))
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(self._integrate_band, *band, buffers) for band in bands]
            _await(futures, progress)

    def _band_rows(self, mem_mb: int) -> int:
        layout, n = self._frames.layout, len(self._frames)
        # The master takes memory only as it is written.
        free = (mem_mb * MB - held_bytes() - self.master.nbytes) // (self._threads + 1)
        budget = min(max(free, 0), BAND_BYTES)
        return band_rows(layout.width, layout.rows, n, layout.stored.itemsize, budget)

    def _integrate_band(self, first: int, last: int, buffers: SimpleQueue[_Buffers]) -> None:
        buffer = buffers.get()
        try:
            stored, floats = buffer.fill(self._frames, first, last)
            source = self._source(stored, floats, first, last)
            sampling = (
                self._sample_of_row[first:last],
                self.halves.frames,
                self.halves.differences,
            )
            counted, kept_counts = np.zeros_like(self.counted), np.zeros_like(self.kept_counts)
            out = (self.master[first:last].reshape(-1), counted, kept_counts)
            with self._computing:
                ratios = self._ratios(source, last - first)
                width = self._frames.layout.width
                self._kernel(
                    self._rule, self._network, ratios, buffer.working, source, width, sampling, out
                )
        finally:
            buffers.put(buffer)
        with self._lock:
            self.counted += counted
            self.kept_counts += kept_counts

    def _ratios(self, source: tuple[Any, ...], rows: int) -> npt.NDArray[np.float64]:
        """Return the noise ratio of each row of a band where the method wants it, else 0."""
        if not self._pooled:
            return np.zeros(rows)
        stored, floats, swapped, flip, dark, factors, planes, _ = source
        n, width = len(self._frames), self._frames.layout.width
        columns = sampled_columns(width)
        raw = floats if floats.size else stored
        picked = raw.reshape(n, rows, width)[:, :, columns]
        if not floats.size:
            picked = (picked.byteswap() if swapped else picked) ^ flip
        samples = picked.astype(np.float64)
        if dark.size:
            samples -= dark.reshape(rows, width)[:, columns]
        if factors.size:
            samples *= factors[:, planes[:, columns % 2]]
        return row_noise_ratios(samples)

    def _source(
        self, stored: npt.NDArray[np.uint16], floats: npt.NDArray[np.float32], first: int, last: int
    ) -> tuple[Any, ...]:
        layout = self._frames.layout
        width = layout.width
        swapped = layout.stored.byteorder == (">" if sys.byteorder == "little" else "<")
        flip = np.uint16(_SIGN_BIT if layout.stored.kind == "i" else 0)
        dark = (
            self._calibrator[first * width : last * width] if self._calibrator.size else _NO_PIXELS
        )
        planes = self._planes[first:last]
        return stored, floats, swapped, flip, dark, self._factors, planes, self._whole


class _Buffers:
    """Room for the samples of one band: as stored, and in float32 where they are no 16-bit ones."""

    def __init__(self, frames: Frames, rows: int, as_stored: bool) -> None:
        layout, n = frames.layout, len(frames)
        self._plain = frames.plain_integers
        size = n * rows * layout.width
        self._stored = np.empty(size if self._plain else rows * layout.width, layout.stored)
        self._floats = np.empty(0 if self._plain else size, np.float32)
        self.working = kernels.working_arrays(as_stored, n, layout.width, tile_pixels(n))

    def fill(
        self, frames: Frames, first: int, last: int
    ) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32]]:
        """Read the rows of all frames; return stored 16-bit samples and floats in ADU.

        One of the two is empty. Both are ``[frames, pixels of the band]``.
        """
        n, shape = len(frames), (last - first, frames.layout.width)
        pixels = shape[0] * shape[1]
        if self._plain:
            stored = self._stored[: n * pixels].reshape(n, *shape)
            for k in range(n):
                frames.read(k, first, last, stored[k])
            return stored.reshape(n, pixels).view(np.uint16), np.empty((n, 0), np.float32)
        floats = self._floats[: n * pixels].reshape(n, *shape)
        for k in range(n):
            frames.read_adu(k, first, last, floats[k])
        return np.empty((n, 0), np.uint16), floats.reshape(n, pixels)


def _rule(rejection: Rejection, n: int, whole: bool) -> tuple[Any, ...]:
    """Return what the kernels need of the rejection; `whole`: samples are whole ADU."""
    siril = rejection.definition == "siril"
    par = np.zeros(methods.PARAMETERS)
    par[methods.LOW], par[methods.HIGH] = rejection.low, rejection.high
    par[methods.CUTOFF] = rejection.cutoff
    par[methods.FULL_SCALE] = ADU_FULL_SCALE
    par[methods.INTEGERS] = whole
    par[methods.ZERO_IS_MISSING] = siril
    critical = []
    if rejection.method == "esd":
        critical = esd_critical_values(n, rejection.outliers, rejection.alpha)
    return methods.number_of(rejection.method, siril), par, np.array(critical, np.float64)


def _await(futures: list[Future[None]], progress: Callable[[float], None] | None) -> None:
    """Wait for all; after a failure let those not begun be, and raise it."""
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            if progress is not None:
                progress(done / len(futures))
    except BaseException:
        for future in futures:
            future.cancel()
        raise
