"""What a frame is: header, then name, then folder; and what is never an input."""

import dataclasses

import pytest
from headerfiles import extension_bytes, fits_bytes, xisf_bytes

from calibrary.headers.reading import is_set_aside_for_pedestal, is_set_aside_for_type
from calibrary.plan.overrides import Pattern, load_overrides
from calibrary.records import CalibraryError, FrameType


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("BIAS", "bias"),
        ("Bias Frame", "bias"),
        ("Bias Field", "bias"),
        ("ZERO", "bias"),
        ("Offset", "bias"),
        ("BIAS (5)", "bias"),
        ("Dark Frame", "dark"),
        ("dark", "dark"),
        ("DARK (1)", "dark"),
        ("Dark_Frame", "dark"),
        ("DARKFLAT", "darkflat"),
        ("Dark Flat", "darkflat"),
        ("Flat-Dark", "darkflat"),
        ("Dark for Flat", "darkflat"),
        ("Flat Frame", "flat"),
        ("FLAT Field", "flat"),
        ("PROJECTOR FLAT", "flat"),
        ("SKYFLAT", "flat"),
        ("FLAT,SKY", "flat"),
        ("Flatlamp", "flat"),
        ("FLAT_R", "flat"),
        ("LIGHT", "light"),
        ("Light Frame", "light"),
        ("OBJECT (0)", "light"),
        ("EXPOSE", "light"),
        ("SNAPSHOT", "light"),
        ("Focus", "unknown"),
        ("Tricolor Image", "unknown"),
        ("BPM", "unknown"),
        ("Video", "unknown"),
        ("Defect Map", "unknown"),
    ],
)
def test_spellings(read, spelling, expected):
    frame = read(fits_bytes(f"IMAGETYP = '{spelling}'")).frame

    assert frame.frame_type == expected
    assert frame.status == ("used" if expected not in ("light", "unknown") else "set_aside")


@pytest.mark.parametrize(
    ("name", "expected", "source"),
    [
        ("bias_0001.fits", "bias", "filename"),
        ("OFFSET_bin2_0007.fits", "bias", "filename"),
        ("Flat01.fits", "flat", "filename"),
        ("darkFlat-003.fits", "darkflat", "filename"),
        ("dark_flat_003.fits", "darkflat", "filename"),
        ("flat-darks 3.fits", "darkflat", "filename"),
        ("Bias_5.0s_Bin1_Dark_gain100.fits", "bias", "filename"),
        ("Light_M31_Dark.fits", "light", "filename"),
        ("darks/x_1.fits", "dark", "folder"),
        ("DARKS/flat_1.fits", "flat", "filename"),
        ("Flats/DarkFlats/1.fits", "darkflat", "folder"),
        ("DarkFlats/Flats/1.fits", "flat", "folder"),
        ("flats/2024-01-01/Ha/1.fits", "flat", "folder"),
        ("LDN1622_Dark_Nebula_1.fits", "unknown", None),
        ("darkness_1.fits", "unknown", None),
        ("inflated_1.fits", "unknown", None),
        ("bias and flats/1.fits", "unknown", None),
    ],
)
def test_names_where_the_header_is_silent(read, name, expected, source):
    frame = read(fits_bytes("EXPTIME = 5"), name).frame

    assert (frame.frame_type, frame.type_source) == (expected, source)


def test_folders_above_the_source_say_nothing(tmp_path):
    from calibrary.headers.reading import read_header

    path = tmp_path / "darks" / "mine" / "x.fits"
    path.parent.mkdir(parents=True)
    path.write_bytes(fits_bytes(""))

    assert read_header(path, root=path.parent).frame.frame_type == "unknown"
    assert read_header(path, root=tmp_path / "darks").frame.frame_type == "dark"


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ("IMAGETYP = 'Dark'\nFRAME = 'Light'", "unknown"),
        ("IMAGETYP = 'Dark'\nIMAGETYP = 'Flat'", "unknown"),
        ("IMAGETYP = 'Dark'\nFRAME = 'Dark Frame'", "dark"),
        ("IMAGETYP = 'Dark'\nFRAME = 'FK5'", "dark"),
        ("IMAGETYP = ''\nFRAME = 'Flat'", "flat"),
        ("IMAGETYP = 'Dark'\nPICTTYPE = 2", "unknown"),
    ],
)
def test_several_keywords(read, cards, expected):
    frame = read(fits_bytes(cards)).frame

    assert frame.frame_type == expected
    if expected == "unknown":
        assert frame.status == "set_aside"
        assert "contradictory" in str(frame.reason)
        assert is_set_aside_for_type(frame)


def test_image_type_of_xisf_has_no_darkflat(read):
    content = xisf_bytes("IMAGETYP = 'DARKFLAT'", attributes={"imageType": "Dark"})

    assert read(content, "a.xisf").frame.frame_type == "darkflat"


def test_light_whose_name_says_flat_names_the_remedy(read):
    frame = read(fits_bytes("IMAGETYP = 'Light Frame'\nEXPTIME = 2"), "flat-R.001.fit").frame

    assert (frame.frame_type, frame.status, frame.exposure_s) == ("light", "set_aside", 2.0)
    assert "retype: [{files: 'flat-*', type: flat}]" in str(frame.reason)
    assert is_set_aside_for_type(frame)


def test_the_remedy_is_an_overrides_file_that_works(read, tmp_path):
    for name in ("flat-R.001.fit", "Bias frames/x[1].fit", "My Flats/x.fit"):
        reason = read(fits_bytes("IMAGETYP = 'Light Frame'"), name).frame.reason
        file = tmp_path / "overrides.yaml"
        file.write_text(reason.detail)

        retype = load_overrides(file).retype[0]

        assert reason.detail in str(reason)
        assert Pattern(retype.files).matches(f"/somewhere/{name}")


def test_plain_light(read):
    frame = read(fits_bytes("IMAGETYP = 'LIGHT'"), "M31_001.fits").frame

    assert (frame.frame_type, frame.status) == ("light", "set_aside")
    assert "a light" in str(frame.reason)


def test_broken_for_more_than_its_type_is_not_a_matter_of_type(read):
    content = fits_bytes("IMAGETYP = 'Light Frame'", width=4000)
    frame = read(content[:-2880], "flat-1.fit").frame

    assert "truncated" in str(frame.reason)
    assert not is_set_aside_for_type(frame)
    assert not is_set_aside_for_type(dataclasses.replace(frame, reason=None))


MASTERS = {
    "type": "IMAGETYP = 'Master Dark'",
    "joined": "IMAGETYP = 'MASTERDARK'",
    "twice": "IMAGETYP = 'Master Dark'\nHISTORY a.numberOfImages: 40\nIMAGETYP = 'DARK'",
    "count-of-inputs": "IMAGETYP = 'DARK'\nNCOMBINE = 40",
    "siril": "IMAGETYP = 'Dark'\nSTACKCNT = 40\nPROGRAM = 'Siril 1.4'",
    "app": "CALFRAME = 'MASTERDARK'\nFRAME = 'Other/Processed'\nNUMFRAME = 40",
    "astap": "IMAGETYP = 'DARK'\nDARK_CNT = 40",
    "lco": "OBSTYPE = 'DARK'\nISMASTER = T",
    "iraf": "IMAGETYP = 'DARK'\nIMCOM001 = 'dark1.fits'",
    "sharpcap": "IMAGETYP = 'Dark'\nFRAMETYP = 'Master'",
    "maxim": "IMAGETYP = 'Dark Frame'\nCALSTAT = 'M'\nSNAPSHOT = 40",
    "counted-to-one-before": "IMAGETYP = 'DARK'\nSTACKCNT = 1\nHISTORY a.numberOfImages: 40",
    "history-alone": "IMAGETYP = 'DARK'\nHISTORY ImageIntegration.numberOfImages: 40",
}


@pytest.mark.parametrize("program", MASTERS)
def test_masters_are_never_inputs(read, program):
    frame = read(fits_bytes(MASTERS[program] + "\nEXPTIME = 300.00")).frame

    assert (frame.frame_type, frame.master_of) == ("master", "dark")
    assert frame.status == "ignored"
    assert frame.exposure_s == 300.0
    if "40" in MASTERS[program]:
        assert frame.n_combined == 40


@pytest.mark.parametrize(
    ("name", "master_of"),
    [
        ("master_bias.fits", "bias"),
        ("MasterDark_300s.fits", "dark"),
        ("masterDarkFlat.fits", "darkflat"),
        ("Edge_HD_8__QHY600M_MasterFlat_B_Gain56_Offset10_1x1_-10C.fits", "flat"),
        ("Edge_HD_8__QHY600M_MasterDarkFlat_0.5s_Gain56_Offset10_1x1_-10C.fits", "darkflat"),
    ],
)
def test_masters_by_name(read, name, master_of):
    frame = read(fits_bytes(""), name).frame

    assert (frame.frame_type, frame.master_of, frame.status) == ("master", master_of, "ignored")


def test_pixinsight_master(read):
    content = xisf_bytes(
        """
        IMAGETYP = 'Master Dark'
        XBINNING = 1
        EXPTIME = 300.00
        HISTORY ImageIntegration.numberOfImages: 40
        IMAGETYP = 'DARK'
        CCD-TEMP = -10.0
        GAIN = 100
        """,
        attributes={"sampleFormat": "Float32", "bounds": "0:1"},
        data=bytes(48),
    )
    frame = read(content, "integration.xisf").frame

    assert (frame.frame_type, frame.master_of, frame.n_combined) == ("master", "dark", 40)
    assert (frame.exposure_s, frame.temp_c, frame.gain) == (300.0, -10.0, 100.0)
    assert frame.normalised


def test_masters_that_calibrary_made_are_known_again(read):
    frame = read(
        fits_bytes(
            f"""
            BITPIX = -32
            BUNIT = 'ADU'
            IMAGETYP = 'Master DarkFlat'
            NCOMBINE = 19
            CALDIGST = '{"0123456789abcdef" * 4}'
            QCMEAN = 500.25
            QCRDNOIS = 1.5
            QCNAME = 'text'
            HISTORY calibrated nothing
            """
        )
    ).frame

    assert (frame.master_of, frame.n_combined) == (FrameType.DARKFLAT, 19)
    assert frame.inputs_digest == "0123456789abcdef" * 4
    assert frame.qc == {"QCMEAN": 500.25, "QCRDNOIS": 1.5}
    assert not frame.normalised


@pytest.mark.parametrize(
    "cards", ["PEDESTAL = -100\nHISTORY Dark subtracted", "PEDESTAL = -100\nCALSTAT = 'D'"]
)
def test_a_calibrated_frame_with_a_pedestal_is_no_matter_of_the_pedestal(read, cards):
    frame = read(fits_bytes(f"IMAGETYP = 'Flat'\n{cards}")).frame

    assert frame.status == "set_aside"
    assert not is_set_aside_for_pedestal(frame)


def test_a_frame_with_nothing_but_a_pedestal_may_be_raw_and_the_reason_says_what_to_do(read):
    reading = read(fits_bytes("IMAGETYP = 'Flat'\nPEDESTAL = -100"))

    assert (reading.frame.status, reading.frame.pedestal) == ("set_aside", -100.0)
    assert reading.sources["pedestal"] == "PEDESTAL"
    assert "raw in the overrides file" in str(reading.frame.reason)
    assert is_set_aside_for_pedestal(reading.frame)
    assert not is_set_aside_for_type(reading.frame)


@pytest.mark.parametrize(
    "cards",
    ["CALSTAT = ''", "PEDESTAL = 0", "L1IDBIAS = 'N/A'", "HISTORY Not calibrated", "HISTORY x"],
)
def test_raw_frames_with_words_of_calibration_are_used(read, cards):
    assert read(fits_bytes(f"IMAGETYP = 'Flat'\n{cards}")).frame.status == "used"


def test_live_stacks_are_set_aside(read):
    told = read(fits_bytes("IMAGETYP = 'Dark'\nEXPTIME = 300.\nSUBEXP = 10."), "a.fits").frame
    shown = read(
        fits_bytes("BITPIX = 32\nNAXIS = 3\nNAXIS1 = 4\nNAXIS2 = 3\nNAXIS3 = 3\nIMAGETYP = 'Flat'"),
        "b.fits",
    ).frame

    assert (told.status, told.exposure_s) == ("set_aside", 10.0)
    assert "stack" in str(told.reason)
    assert (shown.status, shown.channels) == ("set_aside", 3)


def test_several_images_of_one_size_are_set_aside(read):
    extension = """
        XTENSION= 'IMAGE   '
        BITPIX = 16
        NAXIS = 2
        NAXIS1 = {width}
        NAXIS2 = 3
        PCOUNT = 0
        GCOUNT = 1
        """
    first = fits_bytes("IMAGETYP = 'Dark'")
    alike = read(first + extension_bytes(extension.format(width=4), bytes(24)), "a.fits").frame
    thumbnail = read(first + extension_bytes(extension.format(width=2), bytes(12)), "b.fits")

    assert alike.status == "set_aside"
    assert thumbnail.frame.status == "used"
    assert thumbnail.warnings


def test_floats_with_a_type_in_the_name_alone_are_not_taken_for_raw(read):
    guessed = read(fits_bytes("BITPIX = -64"), "d-dark-1.fits").frame
    told = read(fits_bytes("BITPIX = -32\nIMAGETYP = 'Dark'"), "a.fits")

    assert guessed.status == "set_aside"
    assert is_set_aside_for_type(guessed)
    assert told.frame.status == "used"
    assert told.warnings


def test_spellings_and_keywords_of_the_user(read):
    extras = {"frame_types": {"Schwarzbild": "dark"}, "keywords": {"exposure": ["expo_s"]}}
    content = fits_bytes("IMAGETYP = 'SCHWARZ-BILD (2)'\nEXPO_S = 12.5")

    assert read(content).frame.frame_type == "unknown"
    frame = read(content, extras=extras).frame
    assert (frame.frame_type, frame.exposure_s) == ("dark", 12.5)


def test_unknown_quantity_of_the_user_is_an_error(read):
    with pytest.raises(CalibraryError, match=r"headers\.keywords\.expsoure.*exposure"):
        read(fits_bytes(""), extras={"keywords": {"expsoure": ["X"]}})
