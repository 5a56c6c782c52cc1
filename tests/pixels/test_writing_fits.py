"""Masters as FITS, as astropy reads them."""

import re

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.pixels.ascii_text import to_ascii
from calibrary.pixels.reading import read_image
from calibrary.pixels.writing import write_master


def adu(shape=(30, 41)):
    return np.random.default_rng(0).normal(1000, 12, shape).astype(np.float32)


def write(path, data=None, cards=(), **changes):
    data = adu() if data is None else data
    return write_master(
        path, data, **{"height": data.shape[0], "channels": 1, **changes}, cards=cards
    )


def test_pixels_in_adu_untouched(tmp_path):
    path, data = tmp_path / "master.fits", adu()
    data[0, :3] = [-3.0, np.nan, 70000.0]
    assert write(path, data) == 0
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus[0].header["BITPIX"] == -32
        assert hdus[0].header["BUNIT"] == "adu"
        np.testing.assert_array_equal(hdus[0].data, data)
    pixels, layout = read_image(path)
    assert not layout.normalised
    np.testing.assert_array_equal(pixels, data)


def test_pixels_normalised_on_request(tmp_path):
    path, data = tmp_path / "master.fits", adu()
    data[0, :2] = [-3.0, np.nan]
    assert write(path, data, output={"fits_units": "normalised"}) == 0
    header = fits.getheader(path)
    assert "BUNIT" not in header
    assert np.nanmax(fits.getdata(path)) <= 1.0
    pixels, layout = read_image(path)
    assert layout.normalised
    # A pedestal of 4 ADU keeps the one negative sample; what is missing stays so.
    assert (header["PEDESTAL"], header["ADDEDPED"], header["MISSPIX"]) == (4, 4, 1)
    np.testing.assert_allclose(pixels, data, rtol=1.2e-7, atol=1e-5)


def test_colour_planes(tmp_path):
    path, data = tmp_path / "colour.fits", adu((90, 41))
    write(path, data, height=30, channels=3)
    assert fits.getdata(path).shape == (3, 30, 41)
    np.testing.assert_array_equal(read_image(path)[0], data)


def test_checksums_hold(tmp_path):
    path = tmp_path / "master.fits"
    write(path, cards=[("GAIN", 56, "gain setting")])
    with fits.open(path, checksum=True) as hdus:
        assert hdus[0].verify_checksum() == 1
        assert hdus[0].verify_datasum() == 1


def test_same_inputs_same_bytes(tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}.fits", cards=[("GAIN", 56, "")], history=["one"])
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()


def test_cards_keep_type_order_and_comment(tmp_path):
    path = tmp_path / "master.fits"
    long = "x'" * 60
    cards = [
        ("IMAGETYP", "Master Dark", "type of image"),
        ("EXPTIME", 2.31845, "[s] exposure"),
        ("GAIN", np.int64(56), ""),
        ("ISMASTER", True, ""),
        ("FILTER", "Hα", ""),
        ("LONG", long, "left out"),
        ("OBJECT", None, "nothing"),
        ("QC", np.float32(0.25), "y" * 100),
    ]
    write(path, cards=cards, history=["first", "z" * 150])
    header = fits.getheader(path)
    assert [header[name] for name in ("IMAGETYP", "EXPTIME", "GAIN", "ISMASTER", "QC")] == [
        "Master Dark", 2.31845, 56, True, 0.25,
    ]  # fmt: skip
    assert header["FILTER"] == "Ha"
    assert header["LONG"] == long
    assert "LONGSTRN" in header
    assert "OBJECT" not in header
    assert header.comments["EXPTIME"] == "[s] exposure"
    assert set(header.comments["QC"]) == {"y"}
    assert "".join(header["HISTORY"]) == "first" + "z" * 150
    names = [name for name, value, _ in cards if value is not None]
    assert [name for name in header if name in names] == names


def test_structure_and_bad_numbers_are_left_out(tmp_path):
    path = tmp_path / "master.fits"
    cards = [
        ("BITPIX", 16, ""),
        ("NAXIS1", 7, ""),
        ("BZERO", 32768, ""),
        ("END", "x", ""),
        ("ZIMAGE", True, ""),
        ("BUNIT", "K", ""),
        ("CCD-TEMP", float("nan"), ""),
        ("SET-TEMP", float("inf"), ""),
        ("GAIN", 1, ""),
        ("GAIN", 2, "last one"),
        ("long keyword", "kept, shortened", ""),
    ]
    write(path, cards=cards)
    header = fits.getheader(path)
    assert (header["BITPIX"], header["NAXIS1"], header["BUNIT"]) == (-32, 41, "adu")
    assert not {"BZERO", "ZIMAGE", "CCD-TEMP", "SET-TEMP"} & set(header)
    assert header["GAIN"] == 2
    assert header["LONG_KEY"] == "kept, shortened"
    np.testing.assert_array_equal(fits.getdata(path), adu())


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text("'&a b", max_size=300))
def test_quotes_and_ampersands_in_strings_of_any_length(tmp_path, text):
    path = tmp_path / "master.fits"
    write(path, np.ones((2, 2), np.float32), cards=[("FILTER", text, "a comment")])
    read = fits.getheader(path)["FILTER"]
    # An ampersand means that a string is continued: where it could be taken so, it is a plus.
    assert read.replace("&", "+") == text.rstrip().replace("&", "+")
    assert not read.endswith("&")


def test_dates_are_utc_or_left_out(tmp_path):
    path = tmp_path / "master.fits"
    cards = [
        ("DATE-OBS", "2025-03-02T05:41:07.1184402Z", ""),
        ("DATE-END", "2025-03-02T06:41:07+00:00", ""),
        ("DATE-AVG", "2025-13-02T06:41:07", ""),
        ("DATE-LOC", "02/03/25", ""),
        ("DATE", "2025-03-02T06:41:07+02:00", ""),
    ]
    write(path, cards=cards)
    header = fits.getheader(path)
    assert header["DATE-OBS"] == "2025-03-02T05:41:07.1184402"
    assert header["DATE-END"] == "2025-03-02T06:41:07"
    assert not {"DATE-AVG", "DATE-LOC", "DATE"} & set(header)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Hα", "Ha"), ("Hβ 3 nm", "Hb 3 nm"), ("5 µm", "5 um"), ("5 μm", "5 um"),
        ("−10 °C", "-10 degC"), ("Müller", "Muller"), ("Straße", "Strasse"), ("O[III]", "O[III]"),
        ("a\0b\nc", "a b c"), ("日", "?"), ("ﬁlter №2", "filter No2"), ("cm²", "cm2"),
    ],
)  # fmt: skip
def test_ascii_spelling(text, spelled):
    assert to_ascii(text) == spelled


@settings(deadline=None)
@given(st.text())
def test_ascii_spelling_of_anything_is_printable(text):
    assert re.fullmatch("[ -~]*", to_ascii(text))


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=12),
            st.one_of(st.text(max_size=200), st.integers(), st.floats(), st.booleans(), st.none()),
            st.text(max_size=100),
        ),
        max_size=5,
    ),
    st.text(max_size=200),
)
def test_any_cards_make_a_sound_file(tmp_path, cards, line):
    path = tmp_path / "master.fits"
    write(path, np.ones((2, 2), np.float32), cards=cards, history=[line])
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        assert hdus[0].verify_checksum() == 1
        for value in hdus[0].header.values():
            assert not isinstance(value, str) or value.isascii()
    assert read_image(path)[0].tolist() == [[1.0, 1.0], [1.0, 1.0]]
