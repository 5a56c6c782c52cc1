"""The noise of a master, from the difference of its odd and even frames.

Two halves of the frames make two masters; what the sensor always does is in both, so that their
difference is noise alone. Scaled by sqrt(k m) / (k + m) for k and m frames it has the noise of the
mean of all. The same after the first 2, 4, 8 ... frames shows how the noise goes down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SAMPLED_PIXELS = 2**18
"""Enough for a noise good to 0.3 %; whole rows, in pairs, spread over the image."""
OUTLIER_LIMIT = 4.0
MAD_TO_SIGMA = 1.4826
"""Standard deviation of normal samples over their median absolute deviation."""


@dataclass(frozen=True, slots=True)
class HalfDifferences:
    """Half differences of sampled rows.

    Attributes
    ----------
    rows
        ``[sampled rows]``, their numbers in the image.
    frames
        ``[checkpoints]``, numbers of frames: 2, 4, 8 ... and all.
    differences
        ``[checkpoints, sampled rows, width]``, ADU; NaN where a half has no sample left.
    """

    rows: npt.NDArray[np.int32]
    frames: npt.NDArray[np.int32]
    differences: npt.NDArray[np.float32]

    @classmethod
    def allocate(cls, n: int, height: int, channels: int, width: int) -> HalfDifferences:
        """Make room for `n` frames of an image."""
        rows = sampled_rows(height, channels, width)
        doubling = [2**k for k in range(1, 32) if 2**k < n]
        checkpoints = np.array([*doubling, n] if n > 1 else [], np.int32)
        shape = (len(checkpoints), len(rows), width)
        return cls(rows, checkpoints, np.full(shape, np.nan, np.float32))

    def noise(self) -> dict[int, float]:
        """Return the noise of the master after so many frames, ADU.

        See `robust_deviation`; over the sampled pixels.
        """
        return {
            int(n): robust_deviation(difference)
            for n, difference in zip(self.frames, self.differences, strict=True)
        }

    def frame_noise(self) -> float:
        """Return the noise of a single frame, ADU, from the first two; NaN for one frame."""
        return (
            float(np.sqrt(2.0) * robust_deviation(self.differences[0]))
            if len(self.frames)
            else np.nan
        )


def sampled_rows(height: int, channels: int, width: int) -> npt.NDArray[np.int32]:
    """Return the rows to sample: pairs (both rows of a mosaic's cell), spread evenly."""
    pairs = max(1, min(-(-height // 2), SAMPLED_PIXELS // (2 * width * channels)))
    starts = np.unique(np.linspace(0, max(height // 2 - 1, 0), pairs).astype(int)) * 2
    of_channel = np.unique(np.clip(np.stack([starts, starts + 1], axis=1), 0, height - 1))
    rows: npt.NDArray[np.int32] = np.arange(channels, dtype=np.int32)[:, None] * height + of_channel
    return rows.reshape(-1).astype(np.int32)


def robust_deviation(values: npt.NDArray[np.float32]) -> float:
    """Return the standard deviation of the finite values without outliers; NaN without any.

    Outliers are those further from the median than 4 times 1.4826 times the median absolute
    deviation; leaving them out costs normal values 0.1 % of their deviation. (The median absolute
    deviation itself moves in steps when the values are differences of integers.)
    """
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return float("nan")
    deviation = np.abs(finite - np.median(finite))
    limit = OUTLIER_LIMIT * MAD_TO_SIGMA * np.median(deviation)
    return float(np.std(finite[deviation <= limit]))
