"""The network sorts whatever it is given."""

from __future__ import annotations

import numpy as np
import pytest

from calibrary.integrate.network import sorting_network


@pytest.mark.parametrize("n", [*range(1, 40), 64, 100, 129, 200])
def test_sorts_random_and_tied_samples(n):
    samples = np.random.default_rng(n).integers(0, n // 2 + 1, (n, 200))
    expected = np.sort(samples, axis=0)
    for a, b in sorting_network(n):
        samples[[a, b]] = np.minimum(samples[a], samples[b]), np.maximum(samples[a], samples[b])
    np.testing.assert_array_equal(samples, expected)


def test_sorts_everything_of_two_values():
    # By the zero-one principle a network that sorts all of these sorts anything.
    n = 12
    samples = np.array(np.meshgrid(*[[0, 1]] * n)).reshape(n, -1)
    for a, b in sorting_network(n):
        samples[[a, b]] = np.minimum(samples[a], samples[b]), np.maximum(samples[a], samples[b])
    assert (np.diff(samples, axis=0) >= 0).all()
