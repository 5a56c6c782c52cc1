"""Marks of processed frames: one example of each program, and raw frames that come near."""

import tomllib
from pathlib import Path

import pytest
from headerfiles import extension_bytes, fits_bytes, xisf_bytes

import calibrary.headers.marks
from calibrary.headers.reading import is_set_aside_for_pedestal, is_set_aside_for_type
from calibrary.records import ReasonCode

IMAGE = """
    XTENSION= 'IMAGE   '
    BITPIX = {bits}
    NAXIS = 2
    NAXIS1 = 4
    NAXIS2 = 3
    PCOUNT = 0
    GCOUNT = 1
    EXTNAME = '{name}'
    """


@pytest.mark.parametrize(
    ("cards", "seen"),
    [
        ("CCDPROC = 'Oct  1 19:03 CCD processing done'", "CCDPROC"),
        ("OVERSCAN= 'Oct  1 19:03 Overscan section is [600:890,1:900]'", "OVERSCAN"),
        ("TRIM = 'Oct  1 19:03 Trim data section is [265:560,1:900]'", "TRIM"),
        ("ZEROCOR = 'Oct  1 19:03 Zero level correction image is Zero'", "ZEROCOR"),
        ("DARKCOR = 'Oct  1 19:03 Dark count correction image is Dark'", "DARKCOR"),
        ("FLATCOR = 'Oct  1 19:03 Flat field image is Flat'", "FLATCOR"),
        ("SUBDARK = 'subdark'", "SUBDARK"),
        ("CALSTAT = 'BD'", "CALSTAT"),
        ("HISTORY Dark Subtracted", "HISTORY"),
        ("L1IDBIAS = 'bias.fits'", "L1IDBIAS"),
        ("L1STATBI = 1", "L1STATBI"),
        ("RLEVEL = 91", "RLEVEL"),
        ("HIERARCH ESO PRO REC1 ID = 'fors_bias'", "ESO PRO REC1 ID"),
        ("HISTORY ImageCalibration.masterDark.enabled: true", "HISTORY"),
        ("HISTORY Auto-Dark Subtraction", "HISTORY"),
    ],
)
def test_calibrated(read, cards, seen):
    frame = read(fits_bytes(f"IMAGETYP = 'Flat'\n{cards}")).frame

    assert (frame.status, frame.frame_type) == ("set_aside", "flat")
    assert frame.reason.code is ReasonCode.CALIBRATED
    assert seen in str(frame.reason)
    assert not is_set_aside_for_type(frame)
    assert not is_set_aside_for_pedestal(frame)


@pytest.mark.parametrize(
    "cards",
    [
        "COMBINED = T",
        "ISMASTER = T",
        "IMCMB001 = 'x'\nNCOMBINE = 3",
        "IMCOM001 = 'dark1.fits'",
        "SNAPSHOT = 12",
        "CALSTAT = 'M'",
        "HIERARCH ESO PRO CATG = 'MASTER_BIAS'",
        "HIERARCH ESO PRO DATANCOM = 5",
        "SOFTWARE= 'DeepSkyStacker 5.1.6'",
        "HISTORY ImageIntegration.pixelCombination: Average",
        "FLAT_CNT = 20",
    ],
)
def test_masters(read, cards):
    frame = read(fits_bytes(f"IMAGETYP = 'Dark'\nEXPTIME = 3\n{cards}")).frame

    assert (frame.frame_type, frame.master_of, frame.status) == ("master", "dark", "ignored")
    assert frame.reason.code is ReasonCode.MASTER


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Stacked_20_dark_10.0s_20240101.fit", ReasonCode.STACK),
        ("dark_exp_15.000000_gain_60_bin_1_34C_stack_10.fits", ReasonCode.STACK),
        ("livestack_dark.fits", ReasonCode.STACK),
        ("pp_dark_00001.fit", ReasonCode.CALIBRATED),
        ("combined_dark_30.000.fit", ReasonCode.MASTER),
        ("dark_stacked_boxes.fits", None),
        ("appended_dark.fits", None),
    ],
)
def test_by_the_name_of_the_file(read, name, code):
    frame = read(fits_bytes("IMAGETYP = 'Dark'\nEXPTIME = 15"), name).frame

    assert (frame.reason and frame.reason.code) == code


@pytest.mark.parametrize(
    "cards",
    [
        "OVERSCAN= 32",
        "TRIM = F",
        "COMBINED = F",
        "CCDPROC = ''",
        "ISMASTER = F",
        "L1STATBI = 0",
        "RLEVEL = 0",
        "SNAPSHOT = 1",
        "HISTORY Not calibrated",
        "SOFTWARE= 'Dwarf'",
        "TRIMSEC = '[1:4,1:3]'",
    ],
)
def test_raw_frames_that_come_near(read, cards):
    frame = read(fits_bytes(f"IMAGETYP = 'Dark'\nEXPTIME = 3\n{cards}")).frame

    assert (frame.status, frame.reason) == ("used", None)


def test_uncertainties_beside_the_image_are_of_a_processed_one(read):
    content = fits_bytes("IMAGETYP = 'Dark'\nEXPTIME = 3")
    content += extension_bytes(IMAGE.format(name="MASK", bits=8), bytes(12))
    frame = read(content + extension_bytes(IMAGE.format(name="UNCERT", bits=-32), bytes(48))).frame

    assert frame.reason.code is ReasonCode.CALIBRATED
    assert "UNCERT" in str(frame.reason)


@pytest.mark.parametrize("name", ["MASK", "BPM", "DQ"])
def test_a_mask_beside_the_image_is_no_image(read, name):
    primary = fits_bytes("IMAGETYP = 'Dark'\nEXPTIME = 3\nNAXIS = 0")
    sci = extension_bytes(IMAGE.format(name="SCI", bits=16), bytes(24))
    mask = extension_bytes(IMAGE.format(name=name, bits=8), bytes(12))
    for content in (primary + sci + mask, primary + mask + sci):
        frame = read(content).frame
        assert (frame.status, frame.reason) == ("used", None)
        assert (frame.sample_format, frame.width) == ("int16", 4)


def test_properties_of_pixinsight(read):
    properties = {"PCL:CalibrationMasterDark": ("String", "dark.xisf")}
    frame = read(xisf_bytes("IMAGETYP = 'DARK'", properties=properties), "a.xisf").frame

    assert frame.reason.code is ReasonCode.CALIBRATED


def test_every_row_of_the_table_is_understood():
    table = Path(calibrary.headers.marks.__file__).with_name("marks.toml")
    rows = tomllib.loads(table.read_text("utf-8"))["mark"]

    assert len(calibrary.headers.marks._marks()) == len(rows)
    named = " ".join(row["program"] for row in rows)
    programs = "IRAF ccdproc MaxIm CCDOPS ESO banzai Siril ASTAP DeepSkyStacker PixInsight ASIAIR"
    for program in [*programs.split(), "Seestar", "Dwarf"]:
        assert program in named


@pytest.mark.parametrize(("value", "expected"), [(772.0, "used"), (772.25, "set_aside")])
def test_floats_with_the_type_in_the_name_alone_are_raw_where_they_are_whole_numbers(
    read, value, expected
):
    import struct

    data = struct.pack(">12f", *[value] * 12)
    frame = read(fits_bytes("BITPIX = -32\nEXPTIME = 5", data=data), "dark-1.fits").frame
    xisf = read(
        xisf_bytes(
            "EXPTIME = 5",
            attributes={"sampleFormat": "Float32", "bounds": "0:65535"},
            data=struct.pack("<12f", *[value] * 12),
        ),
        "dark-1.xisf",
    ).frame

    assert (frame.status, xisf.status) == (expected, expected)
