"""The generalised ESD test against the published example of NIST/SEMATECH (Rosner 1983)."""

from __future__ import annotations

import json

import numpy as np
import pytest

from calibrary.integrate.choice import esd_critical_values
from calibrary.integrate.rejections import esd


@pytest.fixture
def example(shared_data):
    return json.loads((shared_data / "nist_rosner.json").read_text())


def test_critical_values(example):
    n, most = len(example["x"]), len(example["lam"])
    values = esd_critical_values(n, most / n, 0.05)
    # Three decimals, cut, not rounded.
    np.testing.assert_allclose(values, np.array(example["lam"]) + 0.0005, atol=0.0006)


def test_three_outliers_although_the_first_two_are_masked(example):
    x = np.sort(np.array(example["x"]))
    most = len(example["lam"])
    critical = np.array(esd_critical_values(len(x), most / len(x), 0.05))
    first, end = esd(x, critical)
    rejected = [*x[:first], *x[end:]]
    assert sorted(rejected) == sorted(example["outliers"])
