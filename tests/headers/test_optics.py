"""The optical train: filters in several wheels or in names, the rotator, the focal length."""

import pytest
from headerfiles import fits_bytes, xisf_bytes


@pytest.mark.parametrize(
    ("cards", "expected", "source"),
    [
        ("FILTER = 'OPEN'\nFILTER2 = 'V'", "V", "FILTER2"),
        ("FILTER1 = 'R'\nFILTER2 = 'OPEN'", "R", "FILTER1"),
        ("FILTER1 = 'ND3'\nFILTER2 = 'Ha'", "ND3+Ha", "FILTER1, FILTER2"),
        ("FILTER = 'Clear'\nFILTER2 = 'Ha'", "Ha", "FILTER2"),
        ("FILTER = 'Clear'", "Clear", "FILTER"),
        ("FILTER1 = 'OPEN'\nFILTER2 = 'OPEN'", "OPEN", "FILTER1"),
        # Las Cumbres Observatory: all wheels, and what they come to.
        ("FILTER = 'V'\nFILTER1 = 'air'\nFILTER2 = 'V'\nFILTER3 = 'air'", "V", "FILTER"),
        ("FILTER = '<NO FILTER>'\nFILTER2 = 'g'", "g", "FILTER2"),
        ("FILTER = 'None'", None, None),
        ("FILT-1 = 'B'", "B", "FILT-1"),
    ],
)
def test_wheels(read, cards, expected, source):
    reading = read(fits_bytes(f"IMAGETYP = 'Flat'\n{cards}"))

    assert reading.frame.filter == expected
    assert reading.sources.get("filter") == source


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flats_filter_I0000.fits", "I"),
        ("flats_filter_V0012.fits", "V"),
        ("flat-R.001.fit", "R"),
        ("Flat_Ha_0001.fits", "Ha"),
        ("OIII-flat-3.fits", "OIII"),
        ("SkyFlatB_001.fits", "B"),
        ("flats/R/0001.fits", "R"),
        ("Flats Ha/0001.fits", "Ha"),
        ("flat_0001.fits", None),
        ("flat_bin2_c11_0001.fits", None),
        ("flats/2024-01-01/0001.fits", None),
        ("image_B_flat_1.fits", "B"),
        ("run_b_1_flat.fits", None),
    ],
)
def test_filter_of_a_flat_by_its_name(read, name, expected):
    reading = read(fits_bytes("IMAGETYP = 'Flat'\nEXPTIME = 2"), name)

    assert reading.frame.filter == expected
    told = [text for text in reading.warnings if "no filter in the header" in text]
    assert bool(told) == (expected is not None)
    assert (reading.sources.get("filter") in ("file name", "folder")) == (expected is not None)


def test_the_header_goes_before_the_name_and_darks_have_none_by_name(read):
    assert read(fits_bytes("IMAGETYP = 'Flat'\nFILTER = 'L'"), "flat_R_1.fits").frame.filter == "L"
    assert read(fits_bytes("IMAGETYP = 'Dark'"), "dark_flat_R_1.fits").frame.filter is None


@pytest.mark.parametrize(
    ("cards", "angle", "key"),
    [
        ("ROTATOR = 92.5", 92.5, "ROTATOR"),
        ("ROTATANG = -10", 350.0, "ROTATANG"),
        ("ROTATOR = 'Pegasus Falcon'\nROTATANG = 12.25", 12.25, "ROTATANG"),
        ("OBJCTROT = 360.0", 0.0, "OBJCTROT"),
        ("ROTATOR = 9999", None, None),
        ("", None, None),
    ],
)
def test_rotator(read, cards, angle, key):
    reading = read(fits_bytes(f"IMAGETYP = 'Flat'\n{cards}"))

    assert reading.frame.rotator_deg == angle
    assert reading.sources.get("rotator_deg") == key


@pytest.mark.parametrize(("value", "expected"), [("530.", 530.0), ("0", None), ("'x'", None)])
def test_focal_length(read, value, expected):
    reading = read(fits_bytes(f"IMAGETYP = 'Flat'\nFOCALLEN = {value}"))

    assert reading.frame.focal_length_mm == expected
    assert any("FOCALLEN" in text for text in reading.warnings) == (value == "'x'")


def test_focal_length_of_xisf_is_in_metres(read):
    properties = {
        "Instrument:Telescope:FocalLength": ("Float32", "0.53"),
        "Instrument:Camera:Rotation": ("Float32", "12"),
    }
    frame = read(xisf_bytes("IMAGETYP = 'FLAT'", properties=properties), "a.xisf").frame

    assert (frame.focal_length_mm, frame.rotator_deg) == (530.0, 12.0)
