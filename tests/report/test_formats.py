"""Quantities as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibrary.report.formats import data_size, duration, exposure, number, temperature


def parsed(text):
    return float(text.replace("\u202f", "").replace("\u2212", "-"))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_number_keeps_its_significant_digits(value):
    assert parsed(number(value, 4)) == pytest.approx(value, rel=6e-4, abs=0)


@given(st.integers(-(10**12), 10**12))
def test_whole_numbers_lose_nothing_before_the_point(value):
    assert parsed(number(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (0.98, "0.98"), (26083968, "26\u202f083\u202f968"), (-10.0, "−10"),
     (math.nan, "not finite"), ("auto", "auto"), (1.5e-7, "1.500e−07"), (True, "True")],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


@given(st.floats(0, 86400))
def test_exposures_are_right_to_a_microsecond(seconds):
    assert float(exposure(seconds).removesuffix(" s")) == pytest.approx(seconds, abs=1e-6)


def test_exposures_have_no_tail():
    assert exposure(0.009999999776) == "0.01 s"
    assert exposure(2.31845) == "2.31845 s"
    assert exposure(120.0) == "120 s"
    assert exposure(None) == "–"


def test_other_quantities():
    assert temperature(-10.04) == "−10 °C"
    assert temperature(None) == "–"
    assert duration(1.27) == "1.3 s"
    assert duration(59.7) == "60 s"
    assert duration(125) == "2 min 5 s"
    assert duration(7384) == "2 h 3 min"
    assert data_size(999) == "999 B"
    assert data_size(52_182_720) == "52.2 MB"
    assert data_size(97.9e9) == "97.9 GB"
    assert data_size(1.5e12) == "1.5 TB"
