"""Exposure, temperatures, gain, dates and geometry, each with the traps of real headers."""

import pytest
from headerfiles import fits_bytes, xisf_bytes


def understood(read, cards: str, *fields: str, name: str = "a.fits") -> tuple[object, ...]:
    frame = read(fits_bytes(cards), name).frame
    values = tuple(getattr(frame, field) for field in fields)
    return values if len(values) > 1 else values[0]


@pytest.mark.parametrize(
    ("cards", "seconds"),
    [
        ("EXPTIME = 300.0", 300.0),
        ("EXPTIME = '10,5'", 10.5),
        ("EXPTIME = 10,5", 10.5),
        ("EXPTIME = 6.0D+01", 60.0),
        ("EXPTIME = '60.'", 60.0),
        ("EXPOSURE = .5", 0.5),
        ("EXPTIME = -10", 10.0),
        ("EXPTIME = 250 / [ms] exposure", 0.25),
        ("EXPTIME = 160000", 160.0),
        ("EXPTIME = NaN\nEXPOSURE = 2.0", 2.0),
        ("EXPTIME =\nEXPOSURE = 2.0", 2.0),
        ("EXPTIME = 0.0999999940395355", 0.1),
        ("EXPTIME = 'unknown'", None),
        ("EXPTIME = 1E400", None),
        ("", None),
    ],
)
def test_exposure(read, cards, seconds):
    assert understood(read, cards, "exposure_s") == seconds


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("Flat_810.0ms_Bin1_0001.fit", 0.81),
        ("Dark_300.0s_Bin1.fit", 300.0),
        ("dark-expos23s-1.fit", None),
        ("dark 2s.fit", 2.0),
    ],
)
def test_exposure_of_the_file_name_where_the_header_has_none(read, name, seconds):
    assert understood(read, "GAIN = 1", "exposure_s", name=name) == seconds


def test_exposure_of_property_goes_before_keyword(read):
    content = xisf_bytes(
        "EXPTIME = 0.00\nGAIN = 7\nSET-TEMP = -10",
        properties={
            "Instrument:ExposureTime": ("Float32", "0.0031"),
            "Instrument:Sensor:TargetTemperature": ("Float32", "-12"),
        },
    )
    reading = read(content, "flat_1.xisf")

    assert reading.frame.exposure_s == 0.0031
    assert reading.frame.set_temp_c == -10.0
    assert reading.sources["exposure_s"] == "Instrument:ExposureTime"
    assert reading.sources["set_temp_c"] == "SET-TEMP"


@pytest.mark.parametrize(
    "cards",
    [
        "IMAGETYP = 'Bias'\nEXPTIME = 5",
        "IMAGETYP = 'Dark'\nEXPTIME = 0",
        "IMAGETYP = 'Flat'\nEXPTIME = 0",
        "IMAGETYP = 'Dark'\nEXPTIME = 10\nEXPOSURE = 12",
        "IMAGETYP = 'Dark'\nSET-TEMP = -10\nCCD-TEMP = -5",
    ],
)
def test_odd_values_keep_the_type_and_are_told(read, cards):
    reading = read(fits_bytes(cards))

    assert reading.frame.status == "used"
    assert reading.frame.frame_type in ("bias", "dark", "flat")
    assert str(reading.frame.reason) == "; ".join(reading.warnings) != ""


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ("SET-TEMP = -10\nCCD-TEMP = -9.6", (-10.0, -9.6, -10.0)),
        ("CCD-TEMP = -9.6", (None, -9.6, -9.6)),
        ("CCD-TEMP = Infinity", (None, None, None)),
        ("CCD-TEMP = NaN\nSET-TEMP = -5", (-5.0, None, -5.0)),
        ("CCD-TEMP = 999", (None, None, None)),
        ("CCD-TEMP = -999.0", (None, None, None)),
        ("CCD-TEMP = -273.15", (None, None, None)),
        ("CCD-TEMP = 180.2", (None, None, None)),
        ("SET-TEMP = 0\nCCD-TEMP = 23", (0.0, 23.0, 23.0)),
        ("CCD-TEMP = '-12,5'", (None, -12.5, -12.5)),
        ("CCD-TEMP = -0.0", (None, 0.0, 0.0)),
        ("TEMPERAT = 12.5", (None, 12.5, 12.5)),
        ("TEMPERAT = 12.5\nSET-TEMP = -10", (-10.0, None, -10.0)),
        ("TEMPERAT = 12.5\nCCD-TEMP = 999", (None, None, None)),
        ("AMBTEMP = 12.5\nFOCTEMP = 3\nAOCAMBT = 4", (None, None, None)),
    ],
)
def test_temperature(read, cards, expected):
    assert understood(read, cards, "set_temp_c", "ccd_temp_c", "temp_c") == expected


@pytest.mark.parametrize(
    ("cards", "gain", "egain"),
    [
        ("GAIN = 100\nEGAIN = 0.25", 100.0, 0.25),
        ("GAIN = '120.000'", 120.0, None),
        ("GAIN = 5.600E+01", 56.0, None),
        ("GAIN = -1", None, None),
        ("GAIN = 0", 0.0, None),
        ("GAIN = 0.90", None, 0.9),
        ("GAIN = 1.5\nSWCREATE = 'SharpCap'", 1.5, None),
        ("GAIN = 2.06\nEGAIN = 2.06\nSWCREATE = 'MaxIm DL Version 6'", None, 2.06),
        ("GAIN = 139\nEGAIN = 1", 139.0, 1.0),
        ("EGAIN = 0.5", None, 0.5),
        ("CVF = 5.0", None, 5.0),
        ("ISOSPEED = '1600'", 1600.0, None),
        ("LOG-GAIN = 3", None, None),
        ("", None, None),
    ],
)
def test_gain_is_the_setting_and_never_electrons(read, cards, gain, egain):
    assert understood(read, cards, "gain", "egain") == (gain, egain)


@pytest.mark.parametrize(
    ("cards", "offset"),
    [
        ("OFFSET = 50", 50.0),
        ("BLKLEVEL = 40", 40.0),
        ("OFFSET = 8\nBLKLEVEL = 8", 8.0),
        ("OFFSET = -1", None),
        ("OFFSET = 0", 0.0),
        ("PEDESTAL = 100", None),
        ("BIAS = 100", None),
    ],
)
def test_offset(read, cards, offset):
    assert understood(read, cards, "offset") == offset


@pytest.mark.parametrize(
    ("cards", "mode"),
    [
        ("READOUTM = 'Fast'", "Fast"),
        ("READMODE = 1", "1"),
        ("READMODE = 1.0", "1"),
        ("READOUTM = ''", None),
        ("READOUTM = 'n/a'", None),
        ("READOUTM = 'Normal'", "Normal"),
        ("CONFMODE = 'normal'", None),
        ("CONFMODE = 'central_2k_2x2'", "central_2k_2x2"),
    ],
)
def test_readout_mode(read, cards, mode):
    assert understood(read, cards, "readout_mode") == mode


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ("", (1, 1)),
        ("XBINNING = 2\nYBINNING = 2", (2, 2)),
        ("XBINNING = 2", (2, 2)),
        ("XBINNING = 1\nYBINNING = 2", (1, 2)),
        ("XBINNING = 4.\nYBINNING = 4.", (4, 4)),
        ("XBINNING = '1'", (1, 1)),
        ("XBINNING = 0\nYBINNING = 0", (1, 1)),
        ("CCDSUM = '2 2'", (2, 2)),
        ("BINNING = '2x2'", (2, 2)),
        ("BINNING = '2*2'", (2, 2)),
        ("BINNING = 'BIN2'", (2, 2)),
        ("BINNING = 3", (3, 3)),
        ("HBIN = 2\nVBIN = 4", (2, 4)),
    ],
)
def test_binning(read, cards, expected):
    assert understood(read, cards, "x_binning", "y_binning") == expected


@pytest.mark.parametrize(
    ("cards", "pattern"),
    [
        ("BAYERPAT = 'RGGB'", "RGGB"),
        ("BAYERPAT = 'rggb '", "RGGB"),
        ("BAYERPAT = 'NONE'", None),
        ("BAYERPAT = 'INVALID'", None),
        ("BAYERPAT = 'RGGB'\nXBAYROFF = 1", "GRBG"),
        ("BAYERPAT = 'RGGB'\nYBAYROFF = 1", "GBRG"),
        ("BAYERPAT = 'RGGB'\nXBAYROFF = 1\nYBAYROFF = 1", "BGGR"),
        ("BAYERPAT = 'RGGB'\nXBAYROFF = 2\nYBAYROFF = 0", "RGGB"),
        ("COLORTYP = 'GBRG'", "GBRG"),
        ("COLORTYP = 'RGB'", None),
        ("COLORTYP = 0", None),
    ],
)
def test_bayer_pattern_of_the_first_pixel(read, cards, pattern):
    assert understood(read, cards, "bayer_pattern") == pattern


@pytest.mark.parametrize(
    ("cards", "name"),
    [
        ("FILTER = 'Ha 3nm '", "Ha 3nm"),
        ("FILTER = 'O[III]'", "O[III]"),
        ("FILTER = 'Hα'", "Hα"),
        ("FILTER = 'None'", None),
        ("FILTER = 'N/A'", None),
        ("FILTER = 'NoFilter'", None),
        ("FILTER = ''", None),
        ("FILTER = 'Clear'", "Clear"),
        ("FILTER = 'O''Brien'", "O'Brien"),
        ("FILTER = S", "S"),
        ("FILTER = 'None'\nINSFLNAM = 'Red'", "Red"),
    ],
)
def test_filter(read, cards, name):
    assert understood(read, cards, "filter") == name


def test_one_filter_in_two_encodings_is_one_filter(read):
    latin = fits_bytes("FILTER = 'xxx'").replace(b"'xxx'", b"'n\xe1z'")
    utf8 = fits_bytes("FILTER = 'náz'")

    assert read(latin, "a.fits").frame.filter == read(utf8, "b.fits").frame.filter == "náz"


def test_hostile_text_becomes_one_short_printable_line(read):
    xisf = read(xisf_bytes(f"TELESCOP = '{'../' * 600}'\nFILTER = 'a\nb'"), "dark_1.xisf").frame
    fits = read(fits_bytes("INSTRUME = 'a##b'").replace(b"a##b", b"a\0\nb")).frame

    assert xisf.telescope == "../" * 66 + ".."
    assert fits.camera == "a b"


@pytest.mark.parametrize(
    ("text", "clock", "expected"),
    [
        ("2024-11-09T23:14:55.402913", "", "2024-11-09T23:14:55.402913"),
        ("2024-11-09T23:14:55.1234567", "", "2024-11-09T23:14:55.123456"),
        ("2024-11-09T23:14:55.5", "", "2024-11-09T23:14:55.500"),
        ("2024-11-09T23:14:55Z", "", "2024-11-09T23:14:55.000"),
        ("2024-11-09T23:14:55+00:00", "", "2024-11-09T23:14:55.000"),
        ("2024-11-10T00:14:55+01:00", "", "2024-11-09T23:14:55.000"),
        ("2024-11-09 23:14:55", "", "2024-11-09T23:14:55.000"),
        ("2024-11-09", "23:14:55.25", "2024-11-09T23:14:55.250"),
        ("2024/11/09", "23:14:55", "2024-11-09T23:14:55.000"),
        ("15/04/88", "", "1988-04-15T00:00:00.000"),
        ("12/11/03", "", "2003-11-12T00:00:00.000"),
        ("2024-11-09T23:14", "", "2024-11-09T23:14:00.000"),
        ("2024-11-09T23:59:60", "", "2024-11-10T00:00:00.000"),
        ("N/A", "", None),
        ("2024-13-09T00:00:00", "", None),
        ("0001-01-01T00:00:00", "", None),
        ("2024-11-09T99:00:00", "", None),
    ],
)
def test_date(read, text, clock, expected):
    cards = f"DATE-OBS = '{text}'" + (f"\nTIME-OBS = '{clock}'" if clock else "")

    assert understood(read, cards, "date_obs") == expected


def test_date_by_julian_day_and_as_a_last_resort_by_the_files_own(read):
    assert understood(read, "JD = 2459581.25", "date_obs") == "2022-01-01T18:00:00.000"
    assert understood(read, "MJD-OBS = 59580.75", "date_obs") == "2022-01-01T18:00:00.000"
    assert understood(read, "DATE = '2022-01-02'", "date_obs") == "2022-01-02T00:00:00.000"
    assert understood(read, "", "date_obs", "night") == (None, None)


@pytest.mark.parametrize(
    ("cards", "night", "source"),
    [
        ("", "2024-05-09", "DATE-OBS (UTC)"),
        ("DATE-LOC = '2024-05-09T11:00:00'", "2024-05-08", "DATE-LOC"),
        ("DATE-LOC = '2024-05-09T13:00:00'", "2024-05-09", "DATE-LOC"),
        # Written ten minutes after the exposure: no time zone.
        ("DATE-LOC = '2024-05-09T11:10:07'", "2024-05-09", "DATE-OBS (UTC)"),
        ("SITELONG = '-110 30 00'", "2024-05-08", "SITELONG"),
        ("SITELONG = -110.5", "2024-05-08", "SITELONG"),
        ("LONG-OBS = 249.5", "2024-05-08", "LONG-OBS"),
        ("LONG-OBS = '15:00:00'", "2024-05-09", "LONG-OBS"),
        ("SITELONG = 'home'", "2024-05-09", "DATE-OBS (UTC)"),
    ],
)
def test_night(read, cards, night, source):
    reading = read(fits_bytes(f"DATE-OBS = '2024-05-09T13:00:00'\n{cards}"))

    assert (reading.frame.night, reading.sources["night"]) == (night, source)


def test_night_of_a_date_without_time_is_that_date(read):
    reading = read(fits_bytes("DATE-OBS = '2024-05-09'\nUT = 3.5"))

    assert (reading.frame.night, reading.sources["night"]) == ("2024-05-09", "DATE-OBS (no time)")


def test_universal_time_goes_before_a_local_one(read):
    cards = "DATE-OBS = '2024/04/12'\nTIME-OBS = '06:02:03'\nUT = '01:02:03'"

    assert understood(read, cards, "date_obs") == "2024-04-12T01:02:03.000"


def test_late_local_time_is_not_trusted(read):
    cards = "DATE-OBS = '2024-05-09T13:00:00'\nDATE-LOC = '2024-05-09T11:00:00'"
    sgp = f"{cards}\nCREATOR = 'Sequence Generator Pro v4'"

    assert understood(read, cards, "night") == "2024-05-08"
    assert understood(read, sgp, "night") == "2024-05-09"


@pytest.mark.parametrize(
    ("cards", "sample_format", "normalised"),
    [
        ("BITPIX = 16\nBZERO = 32768", "uint16", False),
        ("BITPIX = 16\nBZERO = '32768.000000000000'", "uint16", False),
        ("BITPIX = 16", "int16", False),
        ("BITPIX = 8", "uint8", False),
        ("BITPIX = 32\nBZERO = 2147483648", "uint32", False),
        ("BITPIX = 16\nBSCALE = 0.5", "float32", False),
        ("BITPIX = -32", "float32", False),
        ("BITPIX = -32\nPROGRAM = 'Siril 1.2.0'", "float32", True),
        ("BITPIX = -32\nHISTORY ImageIntegration.x: 1", "float32", True),
        ("BITPIX = -32\nDATAMAX = 1.0", "float32", True),
        ("BITPIX = -32\nDATAMAX = 65535.0", "float32", False),
        ("BITPIX = -64\nPROGRAM = 'Siril'\nBUNIT = 'adu'", "float64", False),
    ],
)
def test_sample_format(read, cards, sample_format, normalised):
    assert understood(read, cards, "sample_format", "normalised") == (sample_format, normalised)


def test_window_in_sensor_pixels(read):
    binned = "XORGSUBF = 100\nYORGSUBF = 50\nXBINNING = 2\nYBINNING = 2\nFRAMEX = 7"

    assert understood(read, binned, "x_origin", "y_origin") == (200, 100)
    assert understood(read, "FRAMEX = 512\nFRAMEY = 256", "x_origin", "y_origin") == (512, 256)
    assert understood(read, "", "x_origin", "y_origin") == (None, None)


@pytest.mark.parametrize(
    ("cards", "serial", "source"),
    [
        ("SERNO = 18123", "18123", "SERNO"),
        ("SERIALNO = 'C3-0042'", "C3-0042", "SERIALNO"),
        ("CAMERAID = 'QHY183C-c915484fa76ea7552'", "c915484fa76ea7552", "CAMERAID"),
        ("CAMID = '071f2a0d'", "071f2a0d", "CAMID"),
        ("SERNO = 0\nCAMERAID = 'QHY600M-00112233aabb'", "00112233aabb", "CAMERAID"),
    ],
)
def test_serial_number_of_the_camera(read, cards, serial, source):
    reading = read(fits_bytes(cards))

    assert reading.frame.camera_serial == serial
    assert reading.sources["camera_serial"] == source


@pytest.mark.parametrize(
    "cards",
    [
        "CAMERAID = 0",
        "CAMERAID = 1",
        "SERNO = 1",
        "SERNO = 'n/a'",
        "SERIALNO = '00000000'",
        "CAMERAID = '0000000000000000'",
        # Drivers, and cameras that were given no name of their own.
        "CAMERAID = 'ASCOM.ASICamera2.Camera'",
        "CAMERAID = 'ZWOptical_ZWO ASI2600MM Pro_'",
        "INSTRUME = 'ZWO ASI2600MM Pro'\nCAMERAID = 'ASI2600MM'",
        "INSTRUME = 'Uranus-C (IMX585)'\nCAMID = 'Uranus-C (IMX585)'",
        # Where the system finds a device changes with the port.
        "CAMERAID = '\\\\?\\usb#vid_0547&pid_1134#6&2a1f3c&0&4'",
        "CAMERAID = 'usb/003/012345'",
        # Made up by a driver.
        "CAMERAID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301'",
        "CAMERAID = ''",
    ],
)
def test_what_is_no_serial_number(read, cards):
    reading = read(fits_bytes(cards))

    assert reading.frame.camera_serial is None
    assert "camera_serial" not in reading.sources
