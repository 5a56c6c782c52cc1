"""What [0, 1] cannot hold: negative levels get a pedestal, missing pixels a mark."""

import numpy as np
import pytest
from astropy.io import fits

from calibrary.headers.reading import read_header
from calibrary.integrate.engine import integrate
from calibrary.pixels.reading import read_image, without_missing
from calibrary.pixels.writing import write_master
from calibrary.records import CalibraryError

CARDS = [("IMAGETYP", "Master Dark", ""), ("CALDIGST", "0123456789abcdef", "")]


def write(path, data, image_type="MasterDark", cards=CARDS, **given):
    given = {"height": data.shape[0], "channels": 1} | given
    return write_master(path, data, cards=cards, image_type=image_type, **given)


def levels(centre, shape=(120, 200), noise=4.0):
    return np.random.default_rng(5).normal(centre, noise, shape).astype(np.float32)


@pytest.mark.parametrize("centre", [-900.0, -3.0, 0.0])
def test_a_negative_level_gets_a_pedestal_that_readers_take_away(tmp_path, centre):
    data = levels(centre)
    path = tmp_path / "master.xisf"
    assert write(path, data) <= 1e-4 * data.size
    got, _ = read_image(path)
    np.testing.assert_allclose(np.sort(got.ravel())[3:], np.sort(data.ravel())[3:], atol=2e-4)
    # The header's total is what PixInsight subtracts; ours alone is none of the frames.
    assert read_header(path).frame.pedestal is None


@pytest.mark.parametrize(("told", "written"), [(100, 113), (-100, -113)])
def test_the_pedestal_of_the_frames_stays_known(tmp_path, told, written):
    from calibrary.formats.xisf import read_xisf_header

    data = levels(0.0, noise=2.0)
    data.flat[:5000] = -12.0
    path = tmp_path / "master.xisf"
    write(path, data, cards=[*CARDS, ("PEDESTAL", told, "")])
    values = {c.keyword: c.value for c in read_xisf_header(path).images[0].keywords}
    assert (values["PEDESTAL"], values["ADDEDPED"]) == (written, 13)
    assert read_header(path).frame.pedestal == told


def test_a_positive_level_is_left_alone(tmp_path):
    data = levels(500.0)
    data[0, 0] = -2.0  # one dead pixel of 24,000
    path = tmp_path / "master.xisf"
    assert write(path, data) == 1
    assert "ADDEDPED" not in path.read_bytes()[:8000].decode("latin-1")


def test_a_flat_gets_no_pedestal(tmp_path):
    data = levels(20000.0)
    data[:, :6] = levels(0.0, (120, 6))
    path = tmp_path / "master.xisf"
    assert 0 < write(path, data, image_type="MasterFlat") < 720
    assert b"ADDEDPED" not in path.read_bytes()[:8000]


@pytest.mark.parametrize("ends", [(-20000.0, 60000.0), (100.0, 80000.0)])
def test_what_does_not_fit_is_refused_and_nothing_replaced(tmp_path, ends):
    data = levels(ends[0])
    data[:, 100:] += ends[1] - ends[0]
    path = tmp_path / "master.xisf"
    path.write_bytes(b"old")
    with pytest.raises(
        CalibraryError, match=r"do not fit into \[0, 1\]; set output.format to fits"
    ):
        write(path, data)
    assert path.read_bytes() == b"old"
    assert write(tmp_path / "master.fits", data) == 0


@pytest.mark.parametrize("name", ["master.xisf", "adu.fits", "unit.fits"])
@pytest.mark.parametrize("centre", [500.0, 2.0, 20000.0])
def test_missing_pixels_are_marked_and_read_as_missing(tmp_path, name, centre):
    data = levels(centre)
    data[:, :3], data[50, 60] = np.nan, 0.0
    path = tmp_path / name
    write(path, data, output={"fits_units": "normalised"} if name == "unit.fits" else {})
    got, layout = read_image(path)
    np.testing.assert_allclose(got, data, atol=3e-3)
    assert layout.normalised == (name != "adu.fits")
    filled = without_missing(got)
    assert np.isfinite(filled).all()
    assert filled[0, 0] == pytest.approx(centre, abs=0.5)


def test_a_marked_calibrator_marks_the_flats(tmp_path):
    """No flat gets a plausible level where its dark-flat knows nothing."""
    dark = levels(500.0)
    dark[20, 30] = np.nan
    write(tmp_path / "dark.xisf", dark)
    paths = []
    for number in range(4):
        paths.append(tmp_path / f"{number}.fits")
        fits.writeto(paths[-1], levels(20000.0 + number).round().astype(np.uint16))
    settings = {"method": "none", "low": 0.0, "high": 0.0, "normalization": "multiplicative"}
    made = integrate(paths, settings, calibrator=tmp_path / "dark.xisf")
    assert np.argwhere(made.missing).tolist() == [[20, 30]]
