"""The compiled methods against their plain references, on all sorts of stacks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrary.integrate import kernels, rejections, siril
from calibrary.integrate.choice import DEFAULT_LIMITS, Rejection
from calibrary.integrate.job import _rule
from calibrary.integrate.lines import TURNS, absolute_line, first_pivot
from calibrary.integrate.methods import family_of
from calibrary.integrate.network import sorting_network
from calibrary.integrate.pooled import row_noise_ratios
from tests.integrate import references

REFERENCES = {
    ("none", "pixinsight"): lambda x, low, high: np.asarray(x, float),
    ("minmax", "pixinsight"): references.minmax,
    ("percentile", "pixinsight"): references.percentile,
    ("sigma", "pixinsight"): references.sigma,
    ("winsorized", "pixinsight"): references.winsorized,
    ("esd", "pixinsight"): lambda x, low, high: references.esd(x),
    ("sigma", "siril"): references.siril_sigma,
    ("winsorized", "siril"): references.siril_winsorized,
    ("linear_fit", "siril"): references.siril_linear_fit,
}


def combine(stack, rejection, floats=False, ratio=0.0, tile=64):
    """Run a kernel on ``[frames, pixels]``; return master, counts by frame, by samples kept."""
    n, pixels = stack.shape
    integers = not floats
    stored = stack.astype(np.uint16) if integers else np.empty((n, 0), np.uint16)
    raw = np.empty((n, 0), np.float32) if integers else stack.astype(np.float32)
    master = np.empty(pixels, np.float32)
    counted, kept = np.zeros((3, n), np.int64), np.zeros(n + 1, np.int64)
    factors = np.zeros((0, 1)) if integers else np.ones((n, 1))
    source = (
        stored, raw, False, np.uint16(0), np.zeros(0, np.float32), factors,
        np.zeros((1, 2), np.int32), False,
    )  # fmt: skip
    sampling = (
        np.full(1, -1, np.int32),
        np.zeros(0, np.int32),
        np.zeros((0, 1, pixels), np.float32),
    )
    rule = _rule(rejection, n, integers)
    kernels.compiled_kernel(integers, family_of(rule[0]))(
        rule, sorting_network(n), np.array([ratio]),
        kernels.working_arrays(integers, n, pixels, tile), source, pixels, sampling,
        (master, counted, kept),
    )  # fmt: skip
    return master, counted, kept


@st.composite
def stacks(draw):
    """Random, tied, constant, saturated and outlier-ridden stacks of a few pixels."""
    n = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 9, 10, 15, 30, 33]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["normal", "tied", "constant", "saturated", "outliers", "any"]))
    level = rng.integers(20, 60000)
    noise = {"normal": 12.0, "tied": 0.8, "constant": 0.0, "saturated": 9.0, "outliers": 7.0}
    x = rng.normal(level, noise.get(kind, 1.0), (n, 70))
    if kind == "any":
        x = rng.integers(0, 65536, (n, 70))
    if kind == "saturated":
        x = rng.normal(65530, 9.0, (n, 70))
    if kind == "outliers":
        hit = rng.random(x.shape) < 0.15
        x[hit] = rng.integers(0, 65536, hit.sum())
    return np.clip(np.round(x), 0, 65535)


@pytest.mark.parametrize("floats", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize(("name", "definition"), REFERENCES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_kernel_agrees_with_reference(name, definition, floats, data):
    stack = data.draw(stacks())
    if definition == "siril":
        stack = np.maximum(stack, 1)
        if floats:
            return  # Siril's integers are drawn in to whole ADU; floats are tested against Siril.
    low, high = data.draw(st.sampled_from([DEFAULT_LIMITS[name], (2.0, 1.5), (1.0, 2.0)]))
    if name == "percentile":
        low, high = low / 50, high / 50
    if name != "minmax":
        # Small stacks of integers often lie on a round limit exactly, to the last bit.
        low, high = low * 1.00037, high * 1.00071
    master, counted, kept = combine(stack, Rejection(name, low, high, definition), floats)
    left = [REFERENCES[name, definition](pixel, low, high) for pixel in stack.T]
    left = [k if len(k) else pixel for k, pixel in zip(left, stack.T, strict=True)]
    numbers = np.array([len(k) for k in left])
    np.testing.assert_array_equal(kept, np.bincount(numbers, minlength=len(stack) + 1))
    np.testing.assert_allclose(master, [k.mean() for k in left], rtol=2e-7)
    assert counted[:2].sum() == stack.size - numbers.sum()
    assert counted[2].sum() == 0


@pytest.mark.parametrize("floats", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize(
    "rejection",
    [
        *(Rejection(name, *limits) for name, limits in DEFAULT_LIMITS.items()),
        *(Rejection(name, 2.5, 2.5, "siril") for name in ("sigma", "winsorized", "linear_fit")),
    ],
    ids=lambda rejection: f"{rejection.method}-{rejection.definition}",
)
def test_a_pixel_does_not_depend_on_its_neighbours_in_a_tile(rejection, floats):
    rng = np.random.default_rng(9)
    stack = np.round(rng.normal(1000, rng.choice([0.0, 0.7, 9, 300], 700), (21, 700)))
    stack[rng.random(stack.shape) < 0.03] = 40000
    results = [combine(stack, rejection, floats, 0.05, tile) for tile in (700, 333, 64, 1)]
    for master, counted, kept in results[1:]:
        assert master.tobytes() == results[0][0].tobytes()
        np.testing.assert_array_equal(counted, results[0][1])
        np.testing.assert_array_equal(kept, results[0][2])


SCREENED = {
    ("sigma", "pixinsight"): lambda x, a, b, room, marks: rejections.sigma(x, a, b),
    ("winsorized", "pixinsight"): lambda x, a, b, room, marks: rejections.winsorized(
        x, a, b, 5.0, room
    ),
    ("sigma", "siril"): lambda x, a, b, room, marks: siril.sigma(x, a, b, marks),
    ("winsorized", "siril"): lambda x, a, b, room, marks: siril.winsorized(x, a, b, True, marks),
    ("linear_fit", "siril"): lambda x, a, b, room, marks: siril.linear_fit(
        x, a, b, len(x), room, marks
    ),
}


@pytest.mark.parametrize("n", [4, 8, 30, 61])
@pytest.mark.parametrize(("name", "definition"), SCREENED)
def test_screens_clear_only_pixels_that_lose_nothing(name, definition, n):
    rng = np.random.default_rng(n)
    stack = np.round(rng.normal(1000, rng.choice([0.7, 3, 40], 3000), (n, 3000)))
    stack[rng.random(stack.shape) < 2e-3] = 30000
    low, high = (3.0, 2.5) if name == "linear_fit" else (2.7, 3.0)
    _, counted, kept = combine(stack, Rejection(name, low, high, definition))
    numbers, room = [], np.empty((rejections.ROOMS, n + 1))
    for pixel in np.sort(stack, axis=0).T:
        marks = np.zeros(n, np.int8)
        x = np.ascontiguousarray(pixel)
        first, end = SCREENED[name, definition](x, low, high, room, marks)
        numbers.append(end - first if first >= 0 else n - np.count_nonzero(marks))
    np.testing.assert_array_equal(kept, np.bincount(np.where(numbers, numbers, n), minlength=n + 1))
    assert counted.sum() > 0 or n < 8


@settings(max_examples=25, deadline=None)
@given(stack=stacks())
def test_averaged_sigma(stack):
    ratio = float(row_noise_ratios(stack[:, None, :])[0])
    master, _, _ = combine(stack, Rejection("averaged_sigma", 4.0, 3.0), ratio=ratio)
    left = [references.averaged_sigma(pixel, 4.0, 3.0, ratio) for pixel in stack.T]
    np.testing.assert_allclose(
        master, [(k if len(k) else p).mean() for k, p in zip(left, stack.T, strict=True)], rtol=2e-7
    )


@settings(max_examples=25, deadline=None)
@given(stack=stacks())
def test_median(stack):
    for floats in (False, True):
        master, _, _ = combine(stack, Rejection("median"), floats)
        np.testing.assert_array_equal(master, np.median(stack, axis=0).astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(stack=stacks(), factor=st.sampled_from([1.0, 1.0183]))
def test_linear_fit_is_that_of_least_absolute_deviations(stack, factor):
    for pixel in np.sort(stack * factor, axis=0).T[:8]:
        n = len(pixel)
        if n < 3:
            continue
        room = np.empty((rejections.ROOMS, n + 1))
        room[2, :n] = pixel
        _, slope, deviation = absolute_line(n, first_pivot(n), TURNS, room)
        best = references.least_absolute_deviation(pixel)
        assert deviation == pytest.approx(best, rel=1e-9, abs=1e-9)
        assert slope >= 0.0


@pytest.mark.parametrize("floats", [False, True], ids=["integers", "floats"])
@settings(max_examples=25, deadline=None)
@given(stack=stacks(), limits=st.sampled_from([(5.0, 4.0), (4.0, 2.0), (2.0, 1.5)]))
def test_linear_fit_agrees_with_reference_where_one_line_is_the_best(floats, stack, limits):
    low, high = limits[0] * 1.00037, limits[1] * 1.00071
    left = [references.linear_fit(pixel, low, high) for pixel in stack.T]
    only = [p for p, kept in enumerate(left) if kept is not None]
    if not only:
        return
    left = [left[p] if len(left[p]) else stack[:, p] for p in only]
    numbers = np.array([len(kept) for kept in left])
    rejection = Rejection("linear_fit", low, high)
    master, _, kept = combine(np.ascontiguousarray(stack[:, only]), rejection, floats)
    np.testing.assert_array_equal(kept, np.bincount(numbers, minlength=len(stack) + 1))
    np.testing.assert_allclose(master, [k.mean() for k in left], rtol=2e-7)


def test_linear_fit_rejects_an_outlier_and_a_step():
    rng = np.random.default_rng(3)
    stack = np.round(rng.normal(1000, 6, (30, 50)))
    stack[7, ::2] = 20000
    master, counted, _ = combine(stack, Rejection("linear_fit", 5.0, 4.0))
    assert counted[1, 7] == 25
    assert counted.sum() < 25 + 0.02 * stack.size
    np.testing.assert_allclose(master, 1000, atol=5)


def test_linear_fit_leaves_fewer_than_five_alone():
    stack = np.array([[10.0], [11.0], [12.0], [60000.0]])
    assert combine(stack, Rejection("linear_fit", 5.0, 4.0))[1].sum() == 0


@pytest.mark.parametrize("floats", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize("name", DEFAULT_LIMITS)
def test_constant_stacks_lose_nothing(name, floats):
    stack = np.full((12, 80), 1234.0)
    master, counted, kept = combine(stack, Rejection(name, *DEFAULT_LIMITS[name]), floats, 0.01)
    expected = 24 if name == "minmax" else 0
    assert (master == 1234).all()
    assert counted.sum() == expected * 80 / 12
    assert kept.sum() == 80


def test_not_finite_samples_are_rejected_and_counted():
    rng = np.random.default_rng(5)
    stack = rng.normal(500, 5, (9, 200)).astype(np.float32)
    stack[3, :7] = np.nan
    stack[4, 5:9] = np.inf
    stack[5, 8] = -np.inf
    stack[:, 100] = np.nan
    master, counted, kept = combine(stack, Rejection("sigma", 4.0, 3.0), floats=True)
    expected = np.zeros(9)
    expected[[3, 4, 5]] = 7, 4, 1
    np.testing.assert_array_equal(counted[2], expected + 1)
    assert kept[0] == 1
    assert np.isnan(master[100])
    for p in (0, 5, 8, 50):
        pixel = stack[:, p][np.isfinite(stack[:, p])]
        assert master[p] == pytest.approx(references.sigma(pixel, 4.0, 3.0).mean(), rel=1e-6)


def test_saturated_samples_are_samples_like_any_other():
    stack = np.full((10, 3), 65535.0)
    stack[:, 1] = 0
    stack[:5, 2] = 0
    master, counted, _ = combine(stack, Rejection("sigma", 4.0, 3.0))
    np.testing.assert_array_equal(master, [65535, 0, np.float32(32767.5)])
    assert counted.sum() == 0


def test_zeros_are_no_samples_to_siril():
    stack = np.round(np.random.default_rng(1).normal(40, 3, (11, 60)))
    stack[2] = 0
    stack[:, 7] = 0
    master, _, _ = combine(stack, Rejection("sigma", 3.0, 3.0, "siril"))
    assert master[7] == 0
    pixel = stack[:, 0]
    assert master[0] == pytest.approx(references.siril_sigma(pixel[pixel > 0], 3.0, 3.0).mean())


def test_counts_by_frame_add_up_where_samples_are_tied():
    stack = np.array([[1, 1, 1, 5, 9, 9, 9]], float).T.repeat(64, axis=1)
    master, counted, _ = combine(stack, Rejection("minmax", 2.0, 1.0))
    np.testing.assert_allclose(master, (1 + 5 + 9 + 9) / 4)
    np.testing.assert_array_equal(counted[:2].sum(axis=1), [128, 64])
    assert (counted[0, :3] > 0).sum() == 2
