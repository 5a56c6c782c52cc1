"""The histogram of a master, down to one that is all but constant."""

import numpy as np
import pytest

from calibrary.verify.master import HISTOGRAM_BINS, _histogram


@pytest.mark.parametrize("spread", [0.0, 0.004, 1e4])
def test_counts_every_sample_but_the_outermost(spread: float) -> None:
    rng = np.random.default_rng(1)
    sample = (30000 + spread * rng.random((100, 100))).astype(np.float32)
    plot = _histogram(sample)
    assert len(plot["counts"]) == HISTOGRAM_BINS
    assert sum(plot["counts"]) == pytest.approx(sample.size, rel=0.002)


def test_hot_pixels_leave_room_for_the_noise_and_are_told() -> None:
    rng = np.random.default_rng(1)
    sample = rng.normal(500, 3, (200, 200)).astype(np.float32)
    sample[:2] = 40000
    plot = _histogram(sample)
    assert sum(count > 0 for count in plot["counts"]) > HISTOGRAM_BINS / 4
    assert plot["above"] == pytest.approx(0.01, rel=0.1)
