"""Keywords, units and dates as real programs write them, and what is said of unknown ones."""

import pytest
import yaml
from headerfiles import fits_bytes

from calibrary.headers.reading import is_set_aside_for_type, read_header
from calibrary.records import ReasonCode


def test_orion_camera_studio(read):
    frame = read(
        fits_bytes(
            "BITPIX = -32\nIMAGTYP = 'Bias Frame'\nDATE-OBS = '2021-09-17 T10:25:28'\n"
            "SWCREATE = 'Orion Camera Studio'\nINSTRUM = 'Orion G3'\nHBIN = 2\nVBIN = 2"
        ),
        "9_17_21_2deg0B.fit",
    ).frame

    assert (frame.status, frame.frame_type) == ("used", "bias")
    assert (frame.date_obs, frame.night) == ("2021-09-17T10:25:28.000", "2021-09-16")
    assert (frame.camera, frame.x_binning, frame.y_binning) == ("Orion G3", 2, 2)


@pytest.mark.parametrize(
    ("cards", "seconds", "key"),
    [
        ("EXPOINUS = 300000000", 300.0, "EXPOINUS"),
        ("EXPOINUS = 32", 0.000032, "EXPOINUS"),
        ("IMG_EXP = 2000", 2.0, "IMG_EXP"),
        ("EXP_TIME = 2.5", 2.5, "EXP_TIME"),
        ("EXPTIME = '1/4000'", 0.00025, "EXPTIME"),
        ("EXPTIME = '2.0 s'", 2.0, "EXPTIME"),
        ("EXPTIME = '500 ms'", 0.5, "EXPTIME"),
        ("EXPTIME = '2,5'", 2.5, "EXPTIME"),
        ("EXPTIME = '00:05:00'", 300.0, "EXPTIME"),
        ("EXPTIME = 'long'", None, None),
        ("EXPTIME = '1/0'", None, None),
        ("EXPTIME = '5 furlongs'", None, None),
    ],
)
def test_exposures(read, cards, seconds, key):
    reading = read(fits_bytes(f"IMAGETYP = 'Dark'\n{cards}"))

    assert reading.frame.exposure_s == seconds
    assert reading.sources.get("exposure_s") == key
    if seconds is None:
        text = cards.partition("= ")[2]
        assert any(f"EXPTIME is {text}" in warning for warning in reading.warnings)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("Dark_300.0s_Bin1_2600MC_gain100_20241109-231455_-10.0C_0001.fit", 300.0),
        ("Flat_810.0ms_Bin1_2600MC_gain100_20241109-231455_-10.0C_0001.fit", 0.81),
        ("Flat_32us_0001.fit", 0.000032),
        ("dark_exp_15.000000_gain_60_bin_1_34C.fits", 15.0),
        ("dark_s1_0001.fit", None),
        ("dark_gain60_0001.fit", None),
    ],
)
def test_exposure_by_the_file_name(read, name, seconds):
    reading = read(fits_bytes("IMAGETYP = 'Dark'"), name)

    assert reading.frame.exposure_s == seconds
    assert reading.sources.get("exposure_s") == (None if seconds is None else "file name")
    assert any("by the file name" in text for text in reading.warnings) == (seconds is not None)


@pytest.mark.parametrize(
    ("cards", "told"),
    [
        ("GAIN = 'High'", "GAIN is 'High'"),
        ("OFFSET = '30 ADU'", "OFFSET is '30 ADU'"),
        ("USBLIMIT = 'fast'", "USBLIMIT is 'fast'"),
        ("SET-TEMP = 'cold'", "SET-TEMP is cold"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_text(read, cards, told):
    reading = read(fits_bytes(f"IMAGETYP = 'Dark'\nEXPTIME = 1\n{cards}"))

    assert [text for text in reading.warnings if told in text]
    assert reading.frame.gain is None
    assert reading.frame.offset is None
    assert reading.frame.temp_c is None


@pytest.mark.parametrize("cards", ["GAIN = 'N/A'", "OFFSET = 'none'", "OFFSET = -1"])
def test_words_for_unknown_are_no_warning(read, cards):
    assert read(fits_bytes(f"IMAGETYP = 'Dark'\nEXPTIME = 1\n{cards}")).warnings == []


def test_values_with_units(read):
    cards = "IMAGETYP = 'Dark'\nEXPTIME = 1\nGAIN = 'ISO 800'\nSET-TEMP = '-10 C'"
    frame = read(fits_bytes(cards)).frame

    assert (frame.gain, frame.set_temp_c) == (800.0, -10.0)


@pytest.mark.parametrize(
    ("cards", "why"),
    [
        ("DATE-OBS = '1970-01-01T00:10:00'", "never set"),
        ("DATE-OBS = '2000-01-01T00:00:07'", "never set"),
        ("DATE-OBS = '1961-05-05T00:00:00'", "first digital camera"),
        ("DATE-OBS = '2099-05-05T00:00:00'", "still to come"),
        ("DATE-OBS = '2012-05-05T00:00:00'\nINSTRUME = 'ZWO ASI2600MM Pro'", "first ZWO"),
        ("DATE-OBS = '2010-05-05T00:00:00'\nSWCREATE = 'N.I.N.A. 3.1'", "first N.I.N.A."),
    ],
)
def test_impossible_dates_are_unknown(read, cards, why):
    reading = read(fits_bytes(f"IMAGETYP = 'Dark'\nEXPTIME = 1\n{cards}"))

    assert (reading.frame.date_obs, reading.frame.night) == (None, None)
    assert any(why in text and "DATE-OBS" in text for text in reading.warnings)
    assert reading.frame.status == "used"


def test_an_unknown_keyword_that_looks_like_the_type_is_named_and_its_remedy_works(read):
    content = fits_bytes("KINDOF = 'Bias Frame'\nEXPTIME = 0.001")
    reason = read(content, "x_1.fits").frame.reason

    assert reason.code is ReasonCode.TYPE_MISSING
    assert "KINDOF = 'Bias Frame' looks like the type" in str(reason)
    assert is_set_aside_for_type(read(content, "x_1.fits").frame)
    extras = yaml.safe_load(reason.detail)["headers"]
    assert read(content, "x_1.fits", extras=extras).frame.frame_type == "bias"


def test_a_light_of_a_dark_nebula_does_not_look_like_a_dark(read):
    reason = read(fits_bytes("OBJECT = 'Dark'\nEXPTIME = 60"), "x_1.fits").frame.reason

    assert "looks like" not in str(reason)


def test_unknown_keywords_that_look_like_exposure_and_filter_are_named(read):
    reading = read(fits_bytes("IMAGETYP = 'Flat'\nMYEXP = 2.5\nFILTNAME = 'Ha'"), "x_1.fits")

    assert reading.frame.exposure_s is None
    assert any("MYEXP = 2.5 looks like the exposure" in text for text in reading.warnings)
    assert any("FILTNAME = Ha looks like the filter" in text for text in reading.warnings)
    extras = {"keywords": {"exposure": ["MYEXP"], "filter": ["FILTNAME"]}}
    path = reading.frame.path
    frame = read_header(path, extras).frame
    assert (frame.exposure_s, frame.filter) == (2.5, "Ha")
