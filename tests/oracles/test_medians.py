"""Medians of real frames against the masters their owners made, bit for bit."""

from __future__ import annotations

import numpy as np
from astropy.io import fits

from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.records import FrameType


def _settings(rejection):
    return resolve(FrameType.FLAT, 5, {"rejection": rejection, "normalization": "none"})


def test_median_of_flats(shared_data):
    frames = sorted((shared_data / "st402").glob("L2-flat-red-180*"))
    master = integrate(frames, _settings("median"), threads=2).master
    owner = fits.getdata(shared_data / "st402-products" / "master_flatneon.fits")
    np.testing.assert_array_equal(master, owner.astype(np.float32))


def test_median_of_flats_less_the_mean_of_darks(shared_data):
    darks = sorted((shared_data / "st402").glob("L2-dark-flat-360*"))
    flats = sorted((shared_data / "st402").glob("L2-flat-hg-360*"))
    dark = integrate(darks, _settings("none"), threads=1).master
    master = integrate(flats, _settings("median"), calibrator=dark, threads=2).master
    owner = fits.getdata(shared_data / "st402-products" / "master_flathg.fits")
    # The owner's file is float64. Our dark is float32: the last digit of 40000 ADU is 0.004.
    np.testing.assert_allclose(master, owner, rtol=0, atol=0.004)
