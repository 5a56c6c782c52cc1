"""The network sorts whatever it is given, and so do the exchanges that kernels make of it."""

from __future__ import annotations

import numpy as np
import pytest

from calibrary.integrate import tiles
from calibrary.integrate.network import PATTERNS, sorting_network


def sorted_by_network(samples):
    """Make the comparisons of a network one after the other."""
    n = len(samples)
    x = np.vstack([samples, np.full(samples.shape[1:], np.iinfo(samples.dtype).max)])
    for step in sorting_network(n):
        for i, j in PATTERNS[step[0]]:
            a, b = step[1 + i], step[1 + j]
            assert a < b or b == n
            x[a], x[b] = np.minimum(x[a], x[b]), np.maximum(x[a], x[b])
    return x[:n]


@pytest.mark.parametrize("n", [*range(1, 40), 63, 64, 65, 100, 129, 200, 300])
def test_sorts_random_and_tied_samples(n):
    samples = np.random.default_rng(n).integers(0, n // 2 + 1, (n, 200))
    np.testing.assert_array_equal(sorted_by_network(samples), np.sort(samples, axis=0))


def test_sorts_everything_of_two_values():
    # By the zero-one principle a network that sorts all of these sorts anything.
    for n in (8, 12, 16):
        samples = np.array(np.meshgrid(*[[0, 1]] * n)).reshape(n, -1)
        assert (np.diff(sorted_by_network(samples), axis=0) >= 0).all()


@pytest.mark.parametrize("n", [33, 47, 64, 97, 128, 150])
def test_merges_all_sorted_runs_of_two_values(n):
    # Blocks are sorted by the test above; what merging them meets are runs of zeros and ones.
    rng = np.random.default_rng(n)
    blocks = [min(32, n - start) for start in range(0, n, 32)]
    ones = [rng.integers(0, size + 1, 3000) for size in blocks]
    samples = np.vstack(
        [np.arange(size)[:, None] >= size - k for size, k in zip(blocks, ones, strict=True)]
    ).astype(np.int8)
    assert (np.diff(sorted_by_network(samples), axis=0) >= 0).all()


@pytest.mark.parametrize("sample", [np.uint16, np.float32])
@pytest.mark.parametrize("n", [1, 2, 7, 16, 30, 45, 130])
@pytest.mark.parametrize("pixels", [1, 15, 64, 200])
def test_kernels_sort(sample, n, pixels):
    rng = np.random.default_rng(n + pixels)
    samples = rng.integers(0, 65536, (n, pixels)).astype(sample)
    if sample is np.float32:
        samples -= 30000
    highest = sample(65535) if sample is np.uint16 else sample(np.inf)
    s = np.vstack([samples, samples[:1]])
    tiles.sort(s, sorting_network(n), highest)
    np.testing.assert_array_equal(s[:n], np.sort(samples, axis=0))


def test_a_pixel_with_no_number_does_not_disturb_the_others():
    samples = np.random.default_rng(1).normal(0, 1, (40, 90)).astype(np.float32)
    samples[11, 5] = np.nan
    s = np.vstack([samples, samples[:1]])
    for _ in range(2):
        s[:40] = samples
        tiles.sort(s, sorting_network(40), np.float32(np.inf))
    others = np.arange(90) != 5
    np.testing.assert_array_equal(s[:40, others], np.sort(samples[:, others], axis=0))
