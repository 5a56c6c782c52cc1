"""One header for every capture program: what it writes is what is understood."""

import pytest
from headerfiles import extension_bytes, fits_bytes, xisf_bytes

FITS = {
    "nina-darkflat-of-the-flat-wizard": (
        "frame.fits",
        """
        BZERO = 32768
        IMAGETYP = 'DARK'
        EXPOSURE = 2.31845
        EXPTIME = 2.31845
        DATE-LOC = '2025-03-02T06:41:07.1184402'
        DATE-OBS = '2025-03-02T05:41:07.1184402'
        XBINNING = 1
        YBINNING = 1
        GAIN = 100
        OFFSET = 50
        EGAIN = 0.2471
        READOUTM = 'High Gain Mode'
        SET-TEMP = -10.0
        CCD-TEMP = -9.8
        INSTRUME = 'QHY268M'
        USBLIMIT = 10
        FILTER = 'Ha'
        OBJECT = 'FlatWizard'
        ROWORDER = 'TOP-DOWN'
        SWCREATE = 'N.I.N.A. 3.1.2.9001 (x64)'
        """,
        {
            "frame_type": "dark",
            "type_source": "header",
            "exposure_s": 2.31845,
            "set_temp_c": -10.0,
            "ccd_temp_c": -9.8,
            "temp_c": -10.0,
            "gain": 100.0,
            "egain": 0.2471,
            "offset": 50.0,
            "readout_mode": "High Gain Mode",
            "usb_limit": 10.0,
            "x_binning": 1,
            "camera": "QHY268M",
            "date_obs": "2025-03-02T05:41:07.118440",
            "night": "2025-03-01",
            "row_order": "TOP-DOWN",
            "sample_format": "uint16",
            "software": "N.I.N.A. 3.1.2.9001 (x64)",
            "status": "used",
            "reason": None,
        },
    ),
    "asiair-dark-of-a-colour-camera": (
        "Dark_300.0s_Bin1_2600MC_gain100_20241110-001455_-10.1C_0001.fit",
        """
        BZERO = 32768
        CREATOR = 'ZWO ASIAIR Plus'
        IMAGETYP = 'Dark'
        EXPOSURE = 300.0
        EXPTIME = 300.0
        OFFSET = 50
        GAIN = 100
        EGAIN = 0.25
        SET-TEMP = -10
        CCD-TEMP = -10.1
        XBINNING = 1
        CCDXBIN = 1
        XPIXSZ = 3.75999999046326
        INSTRUME = 'ZWO ASI2600MC Pro'
        TELESCOP = 'ZWO AM5'
        BAYERPAT = 'RGGB'
        DATE-OBS = '2024-11-09T23:14:55.402913'
        """,
        {
            "frame_type": "dark",
            "exposure_s": 300.0,
            "temp_c": -10.0,
            "gain": 100.0,
            "offset": 50.0,
            "filter": None,
            "bayer_pattern": "RGGB",
            "telescope": "ZWO AM5",
            "date_obs": "2024-11-09T23:14:55.402913",
            "night": "2024-11-09",
            "software": "ZWO ASIAIR Plus",
        },
    ),
    "asiair-seestar-float32-noise": (
        "frame.fit",
        """
        CREATOR = 'ZWO Seestar S50'
        IMAGETYP = 'Flat'
        EXPTIME = 0.00999999977648258
        EXPOSURE = 0.00999999977648258
        """,
        {"frame_type": "flat", "exposure_s": 0.01},
    ),
    "sharpcap-3-knows-only-its-folder": (
        "Darks/2020-01-18/Capture_00007.fits",
        """
        SWCREATE = 'SharpCap'
        EXPTIME = 29.999999
        BLKLEVEL = 40
        CCD-TEMP = -14.5
        XBINNING = 2
        YBINNING = 2
        INSTRUME = 'ZWO ASI294MC Pro'
        BAYERPAT = 'RGGB'
        DATE-OBS = '2020-01-18T20:11:09.1234567'
        """,
        {
            "frame_type": "dark",
            "type_source": "folder",
            "exposure_s": 29.999999,
            "set_temp_c": None,
            "temp_c": -14.5,
            "gain": None,
            "offset": 40.0,
            "x_binning": 2,
            "date_obs": "2020-01-18T20:11:09.123456",
            "status": "used",
        },
    ),
    "sharpcap-4-both-type-keywords-and-a-broken-temperature": (
        "frame.fits",
        """
        SWCREATE = 'SharpCap v4.1'
        IMAGETYP = 'Flat'
        FRAMETYP = 'Flat'
        EXPTIME = 1.25
        SUBEXP = 1.25
        OFFSET = 8
        BLKLEVEL = 8
        GAIN = 252
        CCD-TEMP = Infinity
        COLORTYP = 'RGGB'
        """,
        {
            "frame_type": "flat",
            "exposure_s": 1.25,
            "ccd_temp_c": None,
            "temp_c": None,
            "offset": 8.0,
            "bayer_pattern": "RGGB",
            "status": "used",
        },
    ),
    "sgp-exposure-only-and-late-local-time": (
        "frame.fit",
        """
        CREATOR = 'Sequence Generator Pro v4.2.0.1110'
        IMAGETYP = 'DARK'
        EXPOSURE = 600
        CCD-TEMP = -19.9
        SET-TEMP = -20
        XBINNING = 1
        CCDXBIN = 1
        GAIN = 139
        OFFSET = 21
        EGAIN = 1
        FILTER = 'Red'
        INSTRUME = 'ASI Camera (1)'
        DATE-LOC = '2022-05-06T13:00:00.1230000'
        DATE-OBS = '2022-05-05T23:00:00.0000000'
        """,
        {
            "frame_type": "dark",
            "exposure_s": 600.0,
            "temp_c": -20.0,
            "gain": 139.0,
            "offset": 21.0,
            "date_obs": "2022-05-05T23:00:00.000",
            "night": "2022-05-05",
        },
    ),
    "theskyx": (
        "frame.fit",
        """
        PICTTYPE = 3
        IMAGETYP = 'Dark Frame'
        EXPTIME = 120.
        CCD-TEMP = -20.02
        SET-TEMP = -20.
        XBINNING = 1
        INSTRUME = 'ASCOM Camera'
        LOCALTIM = '8/14/2023 07:40:00.470 PM DST'
        DATE-OBS = '2023-08-15T02:40:00.466'
        SWCREATE = 'TheSkyX Version 10.5.0 Build 12978'
        """,
        {
            "frame_type": "dark",
            "exposure_s": 120.0,
            "temp_c": -20.0,
            "gain": None,
            "offset": None,
            "date_obs": "2023-08-15T02:40:00.466",
        },
    ),
    "theskyx-number-alone": ("a.fit", "PICTTYPE = 4", {"frame_type": "flat"}),
    "theskyx-type-unknown": (
        "a.fit",
        "PICTTYPE = 0",
        {"frame_type": "unknown", "status": "set_aside"},
    ),
    "maxim": (
        "flat-001.fit",
        """
        BZERO = 32768.000000000000
        BSCALE = 1.000000000000
        IMAGETYP = 'Flat Field'
        EXPTIME = 3.5000000000000000
        EXPOSURE = 3.5000000000000000
        SET-TEMP = -35.0
        CCD-TEMP = -34.99380225
        READOUTM = 'Monochrome'
        XORGSUBF = 10
        YORGSUBF = 20
        XBINNING = 2
        YBINNING = 2
        SWCREATE = 'MaxIm DL Version 6.20'
        DATE-OBS = '2019-03-04T05:06:07'
        TIME-OBS = '05:06:07'
        """,
        {
            "frame_type": "flat",
            "exposure_s": 3.5,
            "temp_c": -35.0,
            "readout_mode": "Monochrome",
            "x_origin": 20,
            "y_origin": 40,
            "sample_format": "uint16",
            "date_obs": "2019-03-04T05:06:07.000",
        },
    ),
    "prism-type-in-the-name-binning-in-the-window": (
        "OFFSET_bin2_0007.fits",
        """
        BITPIX = 8
        NAXIS = 2
        NAXIS1 = 478
        NAXIS2 = 319
        SWCREATE = 'PRISM, Version 10.4.20.930'
        EXPOSURE = 0.00000
        X1 = 1
        X2 = 956
        Y1 = 1
        Y2 = 638
        CVF = 5.000
        FILTERS = 'Filter_L '
        INSTRUME = 'QHY600 '
        DATE-OBS = '2023-04-11T02:15:00.125000'
        UT = '02:15:00.125'
        """,
        {
            "frame_type": "bias",
            "type_source": "filename",
            "exposure_s": 0.0,
            "temp_c": None,
            "gain": None,
            "egain": 5.0,
            "x_binning": 2,
            "y_binning": 2,
            "x_origin": 0,
            "filter": "Filter_L",
            "camera": "QHY600",
            "date_obs": "2023-04-11T02:15:00.125",
            "night": "2023-04-10",
            "sample_format": "uint8",
        },
    ),
    "indi-frame-keyword-and-exponents": (
        "frame.fits",
        """
        FRAME = 'Dark    '
        EXPTIME = 6.000000E+01
        DARKTIME = 6.000000E+01
        GAIN = 1.20000E+02
        OFFSET = 10.
        CCD-TEMP = -10.000
        INSTRUME = 'ZWO CCD ASI2600MM Pro'
        XBINNING = 1
        DATE-OBS = '2021-01-02T03:04:05.678Z'
        COMMENT Generated by INDI
        """,
        {
            "frame_type": "dark",
            "exposure_s": 60.0,
            "set_temp_c": None,
            "temp_c": -10.0,
            "gain": 120.0,
            "offset": 10.0,
            "software": "INDI",
            "date_obs": "2021-01-02T03:04:05.678",
        },
    ),
    "indi-dslr": (
        "frame.fits",
        """
        IMAGETYP = 'Bias Frame'
        FRAME = 'Bias'
        ISOSPEED = 800
        EXPTIME = 0.000125
        CCD-TEMP = 0.0
        """,
        {"frame_type": "bias", "gain": 800.0, "exposure_s": 0.000125, "temp_c": 0.0},
    ),
    "indi-toupbase-switches": (
        "frame.fits",
        """
        FRAME = 'Bias'
        LOWNOISE = 0
        FULLWELL = 1
        """,
        {"readout_mode": "LOWNOISE 0, FULLWELL 1"},
    ),
    "indigo-leading-blanks-and-two-decimals": (
        "frame.fits",
        """
        IMAGETYP = 'DarkFlat'
        !   GAIN = 100.00
        !   OFFSET = 12.00
        EXPTIME = 0.50
        CCD-TEMP = -10.00
        DATE-OBS = '2022-10-11T12:13:14'
        """,
        {
            "frame_type": "darkflat",
            "gain": 100.0,
            "offset": 12.0,
            "exposure_s": 0.5,
            "night": "2022-10-11",
        },
    ),
    "indigo-flat-exposure-rounded-away": (
        "frame.fits",
        """
        IMAGETYP = 'Flat'
        EXPTIME = 0.00
        """,
        {"frame_type": "flat", "exposure_s": None, "status": "used"},
    ),
    "ccdciel-stack-in-the-camera": (
        "frame.fits",
        """
        IMAGETYP = 'Dark    '
        EXPTIME = 60.
        STACKCNT = 6
        STACKEXP = 10.
        GAIN = 0
        OFFSET = 10
        CCD-TEMP = 12.3
        FRAMEX = 512
        FRAMEY = 256
        XORGSUBF = 512
        YORGSUBF = 256
        INSTRUME = 'QHY600'
        CAMERA = 'QHY600M-abcd'
        DATE-OBS = '2024-02-02T20:00:00.120'
        SWCREATE = 'CCDciel 0.9.87'
        """,
        {
            "frame_type": "dark",
            "exposure_s": 10.0,
            "n_combined": 6,
            "gain": 0.0,
            "offset": 10.0,
            "temp_c": 12.3,
            "camera": "QHY600",
            "x_origin": 512,
            "y_origin": 256,
            "status": "set_aside",
        },
    ),
    "ccdciel-requested-exposure": (
        "frame.fits",
        """
        IMAGETYP = 'Flat'
        EXPTIME = 0.5
        REQTIME = 0.4
        BRIGHTNS = 5
        ISOSPEED = '400'
        """,
        {"exposure_s": 0.4, "offset": 5.0, "gain": 400.0, "status": "used"},
    ),
    "apt-set-point-alone": (
        "frame.fit",
        """
        IMAGETYP = 'Dark Frame'
        EXPTIME = 240.
        SET-TEMP = -15
        SWCREATE = 'Astro Photography Tool - APT v.4.10'
        HIERARCH CAMERA-DATE-OBS = '2023-01-01T10:00:00'
        DATE-OBS = '2023-01-01T09:00:00'
        """,
        {
            "frame_type": "dark",
            "temp_c": -15.0,
            "ccd_temp_c": None,
            "date_obs": "2023-01-01T09:00:00.000",
        },
    ),
    "voyager": (
        "frame.fit",
        """
        IMAGETYP = 'DARKFLAT'
        EXPOSURE = 3.5
        SWCREATE = 'Voyager 2.3'
        GAIN = 26.5
        """,
        {"frame_type": "darkflat", "exposure_s": 3.5, "gain": 26.5},
    ),
    "ezcap-mixed-case-and-local-time": (
        "flat/frame.fits",
        """
        !ExpTime =                 12.5
        !Gain    =                   26
        !Offset  =                   30
        CAMERA = 'QHY9'
        DATE-OBS = '2021-06-07T11:30:00'
        """,
        {
            "frame_type": "flat",
            "type_source": "folder",
            "exposure_s": 12.5,
            "gain": 26.0,
            "offset": 30.0,
            "camera": "QHY9",
            "night": "2021-06-06",
        },
    ),
    "lco": (
        "frame.fits",
        """
        OBSTYPE = 'SKYFLAT'
        EXPTIME = 4.0
        GAIN = 7.7
        CCDSUM = '2 2'
        CCDATEMP = -99.9
        CCDSTEMP = -100.0
        CONFMODE = 'default'
        FILTER = 'rp'
        DATE-OBS = '2020-02-03T10:11:12.131'
        """,
        {
            "frame_type": "flat",
            "gain": None,
            "egain": 7.7,
            "x_binning": 2,
            "y_binning": 2,
            "set_temp_c": -100.0,
            "temp_c": -100.0,
            "readout_mode": None,
        },
    ),
    "kpno": (
        "frame.fits",
        """
        IMAGETYP = 'DOME FLAT (6)'
        OTIME = 12
        DATE-OBS = '28/03/93'
        UT = '03:04:05.5'
        CCDSUM = '1 1'
        """,
        {"frame_type": "flat", "exposure_s": 12.0, "date_obs": "1993-03-28T03:04:05.500"},
    ),
    "eso-hierarch": (
        "frame.fits",
        """
        HIERARCH ESO DPR TYPE = 'FLAT,LAMP' / Observation type
        HIERARCH ESO DPR CATG = 'CALIB'
        HIERARCH ESO DET BINX = 2
        HIERARCH ESO DET BINY = 1
        HIERARCH ESO INS FILT1 NAME = 'R_SPECIAL'
        EXPTIME = 1.0012
        """,
        {
            "frame_type": "flat",
            "x_binning": 2,
            "y_binning": 1,
            "filter": "R_SPECIAL",
            "exposure_s": 1.0012,
        },
    ),
    "scorpio-dates-apart": (
        "frame.fits",
        """
        IMAGETYP = 'bias'
        BINNING = '1x2'
        GAIN = 0.90
        DATE-OBS = '2024/04/12'
        TIME-OBS = '01:02:03.25'
        """,
        {
            "frame_type": "bias",
            "x_binning": 1,
            "y_binning": 2,
            "gain": None,
            "egain": 0.9,
            "date_obs": "2024-04-12T01:02:03.250",
        },
    ),
    "pi-of-the-sky-negative-exposure": (
        "frame.fits",
        "EXPTIME = -10.0",
        {"frame_type": "dark", "type_source": "header", "exposure_s": 10.0},
    ),
    "nfo-milliseconds": (
        "frame.fits",
        """
        IMAGETYP = 'flat'
        EXPTIME = 1600 / exposure in ms
        CAMTEMP = '-51'
        """,
        {"exposure_s": 1.6, "temp_c": -51.0},
    ),
    "ccdsoft": (
        "bias.fit",
        """
        BSCALE = +1.000000000000E+000
        BZERO = +3.276800000000E+004
        BIAS = 100
        IMAGETYP = 'Bias Frame         '
        SET-TEMP = -5.000000000000E+000
        CCD-TEMP = -4.818000000000E+000
        TEMPERAT = -4.818000000000E+000
        E-GAIN = +2.060000000000E+000
        EXPTIME = +0.000000000000E+000
        """,
        {
            "frame_type": "bias",
            "exposure_s": 0.0,
            "temp_c": -5.0,
            "egain": 2.06,
            "gain": None,
            "sample_format": "uint16",
        },
    ),
}

XISF = {
    "nina": (
        """
        IMAGETYP = 'DARK'
        EXPTIME = 120.0
        GAIN = 56
        OFFSET = 10
        SET-TEMP = -10.0
        FILTER = 'L'
        """,
        {"imageType": "DARK"},
        {
            "Instrument:ExposureTime": ("Float32", "120"),
            "Instrument:Camera:Gain": ("Float32", "0.33"),
            "Instrument:Sensor:Temperature": ("Float32", "-10.1"),
            "Observation:Time:Start": ("TimePoint", "2025-01-23T19:52:31.46Z"),
        },
        {
            "frame_type": "dark",
            "type_source": "property",
            "exposure_s": 120.0,
            "gain": 56.0,
            "set_temp_c": -10.0,
            "ccd_temp_c": -10.1,
            "date_obs": "2025-01-23T19:52:31.460",
            "sample_format": "uint16",
            "normalised": False,
        },
    ),
    "indigo-padded-numbers-and-its-own-type": (
        """
        IMAGETYP = DarkFlat
        GAIN =                12.00
        OFFSET =                 5.00
        EXPTIME =                 0.00
        """,
        {"imageType": "DarkFlat"},
        {
            "Instrument:ExposureTime": ("Float32", "0.0025"),
            "Instrument:Camera:Gain": ("Float32", "12"),
        },
        {"frame_type": "darkflat", "gain": 12.0, "offset": 5.0, "exposure_s": 0.0025},
    ),
    "indi-bare-strings": (
        """
        FRAME = Flat
        FILTER = Red
        EXPTIME = 1.5
        XBINNING = '2'
        """,
        {"imageType": "Flat"},
        {},
        {"frame_type": "flat", "filter": "Red", "exposure_s": 1.5, "x_binning": 2},
    ),
    "properties-alone": (
        "",
        {"imageType": "Bias"},
        {
            "Instrument:Camera:Name": ("String", "QHY600M"),
            "Instrument:Camera:XBinning": ("Int32", "2"),
            "Instrument:Camera:YBinning": ("Int32", "2"),
            "Instrument:Sensor:TargetTemperature": ("Float32", "-5"),
            "Instrument:Telescope:Name": ("String", "Edge HD 8"),
            "Instrument:Camera:Gain": ("Float32", "0.8"),
        },
        {
            "frame_type": "bias",
            "camera": "QHY600M",
            "telescope": "Edge HD 8",
            "x_binning": 2,
            "temp_c": -5.0,
            "gain": None,
        },
    ),
    "colour-filter-array": (
        "IMAGETYP = 'Flat'",
        {},
        {},
        {"frame_type": "flat", "bayer_pattern": "GBRG"},
    ),
}


@pytest.mark.parametrize("program", FITS)
def test_fits(program, read):
    name, text, expected = FITS[program]
    frame = read(fits_bytes(text), name).frame

    assert {key: getattr(frame, key) for key in expected} == expected


@pytest.mark.parametrize("program", XISF)
def test_xisf(program, read):
    keywords, attributes, properties, expected = XISF[program]
    inside = '<ColorFilterArray pattern="GBRG" width="2" height="2"/>' if "array" in program else ""

    content = xisf_bytes(keywords, attributes=attributes, properties=properties, inside=inside)
    frame = read(content, "frame.xisf").frame

    assert {key: getattr(frame, key) for key in expected} == expected


def test_phd2_dark_library_is_the_guide_cameras(read):
    extension = """
        XTENSION= 'IMAGE   '
        BITPIX = 16
        NAXIS = 2
        NAXIS1 = 4
        NAXIS2 = 3
        PCOUNT = 0
        GCOUNT = 1
        EXPOSURE = 2.0
        """
    content = fits_bytes("CREATOR = 'PHD2 2.6'\nEXPOSURE = 1.0\nGAIN = 95\nXBINNING = 1")
    frame = read(content + extension_bytes(extension, bytes(24)), "PHD2_dark_lib.fit").frame

    assert (frame.status, frame.gain) == ("set_aside", None)
    assert "guide camera" in str(frame.reason)
