"""Methods followed to the end for many pixels at once, beside the plain functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrary.integrate import (
    absolute_lines,
    lanes,
    lines,
    rejections,
    screens,
    siril,
    siril_lines,
    winsorizing,
)
from calibrary.integrate.network import sorting_network

FULL_SCALE, CUTOFF = 65535.0, 5.0


def siril_linear_fit(d, low, high, exact, network, places, active, first, end):
    active[:] = True
    room, _ = lanes.rooms(len(d))
    siril_lines.linear_fit(d, low, high, places, room, active, first, end)


def linear_fit(d, low, high, exact, network, places, active, first, end):
    work, scale = np.empty((screens.WORK_ROWS, len(active)), np.float32), np.float32(FULL_SCALE)
    rooms = lanes.rooms(len(d))
    absolute_lines.linear_fit(
        d, low, high, scale, exact, network, places, work, rooms, active, first, end
    )


def winsorized(d, low, high, exact, network, places, active, first, end):
    rooms, cutoff = lanes.rooms(len(d)), np.float32(CUTOFF)
    winsorizing.winsorized(d, low, high, cutoff, exact, network, places, rooms, active, first, end)


PLAIN = {
    siril_linear_fit: lambda x, low, high, room, marks: siril.linear_fit(
        x, low, high, len(x), room, marks
    ),
    linear_fit: lambda x, low, high, room, marks: lines.linear_fit(
        x, low, high, FULL_SCALE, room, marks
    ),
    winsorized: lambda x, low, high, room, marks: rejections.winsorized(x, low, high, CUTOFF, room),
}


def look_at(many, stack, low, high, exact):
    """Return which pixels are left to the plain function, and the ranges of the others."""
    n, pixels = stack.shape
    s = np.sort(stack, axis=0)
    d = (s - s[(n - 1) // 2]).astype(np.float32)
    active = np.empty(pixels, np.bool_)
    first, end = np.zeros(pixels, np.int32), np.full(pixels, n, np.int32)
    limits = np.float32(low), np.float32(high)
    many(d, *limits, exact, sorting_network(n), np.empty(pixels, np.int32), active, first, end)
    return active, first, end


@st.composite
def stacks(draw):
    """Stacks of whole numbers or of others: noise, ties, outliers, steps, lines, around 0."""
    n = draw(st.sampled_from([3, 4, 5, 6, 7, 8, 10, 13, 16, 25, 31, 40, 64, 90, 128]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(
        st.sampled_from(["normal", "skew", "saturated", "outliers", "step", "lines", "any", "zero"])
    )
    noise = draw(st.sampled_from([0.0, 0.3, 0.8, 3.0, 12.0, 200.0]))
    x = rng.normal(rng.integers(20, 60000), noise, (n, 150))
    if kind == "skew":
        x = rng.integers(20, 60000) + rng.gamma(1.0, noise + 0.1, x.shape)
    if kind == "saturated":
        x = rng.normal(65530, 9, x.shape)
    if kind == "outliers":
        x = np.where(rng.random(x.shape) < 0.15, rng.integers(0, 65536, x.shape), x)
    if kind == "step":
        x[: n // 3] += noise * rng.integers(1, 9)
    if kind == "lines":
        x = np.arange(n)[:, None] * rng.integers(1, 9, 150) + rng.integers(0, 3, x.shape)
    if kind == "any":
        x = rng.integers(0, 65536, x.shape)
    x = np.clip(np.round(x), 0, 65535)
    exact = draw(st.booleans())
    if not exact:
        x = x - x.mean() if kind == "zero" else x * rng.uniform(0.5, 2, (n, 1))
    return x.astype(np.float32), exact


LIMITS = [(5.0, 5.0), (5.0, 4.0), (4.0, 2.0), (3.0, 2.5), (2.1, 1.3), (1.2, 0.9), (0.5, 6.0)]


@pytest.mark.parametrize("many", PLAIN)
@settings(max_examples=100, deadline=None)
@given(drawn=stacks(), limits=st.sampled_from(LIMITS))
def test_they_keep_what_the_plain_function_keeps(many, drawn, limits):
    stack, exact = drawn
    active, first, end = look_at(many, stack, *limits, exact)
    n, room = len(stack), np.empty((rejections.ROOMS, len(stack) + 1))
    for p in np.flatnonzero(~active):
        marks, x = np.zeros(n, np.int8), np.sort(stack[:, p]).astype(float)
        i, j = PLAIN[many](x, *limits, room, marks)
        if i < 0:  # Of equal samples some may be kept.
            np.testing.assert_array_equal(x[marks == 0], x[first[p] : end[p]])
        else:
            assert (i, j) == (first[p], end[p])


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    ("many", "low", "high"), [(siril_linear_fit, 5, 5), (linear_fit, 4, 2), (winsorized, 4, 3)]
)
@pytest.mark.parametrize("n", [15, 30, 120])
def test_they_leave_few_pixels_of_noise(many, low, high, n, exact):
    noise = np.random.default_rng(n).normal(1000, 8, (n, 2000))
    noise = np.round(noise) if exact else noise.astype(np.float32)
    active, first, end = look_at(many, noise, low, high, exact)
    assert active.mean() < (0.06 if exact else 0.3)
    assert (end - first < n).any()


@pytest.mark.parametrize("many", PLAIN)
def test_constant_pixels_lose_nothing(many):
    for n in (3, 5, 30):
        active, first, end = look_at(many, np.full((n, 40), 65535.0, np.float32), 3, 3, False)
        assert not active.any() or n < 5
        assert (first == 0).all()
        assert (end == n).all()
