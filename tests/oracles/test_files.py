"""Our master files as other programs read them: fitsverify, Siril, the xisf package, astropy."""

import shutil
import subprocess
import warnings

import numpy as np
import pytest
from astropy.io import fits
from xisf import XISF

from calibrary.pixels.reading import read_image
from calibrary.pixels.writing import write_master

SHAPE = (90, 130)
CARDS = [
    ("IMAGETYP", "Master Flat", "type of image"),
    ("TELESCOP", 'Edge HD 8"', "telescope"),
    ("INSTRUME", "QHY600M", "camera"),
    ("EXPTIME", 2.31845, "[s] exposure of one frame"),
    ("GAIN", 56, "gain setting of the camera"),
    ("SET-TEMP", -10.0, "[degC]"),
    ("CCD-TEMP", -9.8000001907, "[degC]"),
    ("XBINNING", 1, ""),
    ("FILTER", "Hα 3 nm", "filter"),
    ("BAYERPAT", "RGGB", ""),
    ("DATE-OBS", "2025-03-02T05:41:07.1184402Z", "start of the first frame"),
    ("DATE-END", "2025-03-02T06:41:07+00:00", "end of the last frame"),
    ("NCOMBINE", 20, "frames combined"),
    ("REJECT", "winsorized, low 4.0, high 3.0 " * 6, "a string that is continued"),
    ("RESTORED", True, ""),
    ("QCNOISE", 1.5e-7, ""),
    ("OBSERVER", "O'Neill", "a quote in the value"),
    ("NOTES", "", "empty"),
    ("CALSTAT", None, "unknown"),
]
HISTORY = ["flat_0001.fits rejected 0.0004", "überlang " * 30, ""]


@pytest.fixture
def adu():
    return np.random.default_rng(3).normal(30000, 170, SHAPE).astype(np.float32)


def write(path, data, channels=1, **output):
    write_master(
        path,
        data,
        height=data.shape[0] // channels,
        channels=channels,
        cards=CARDS,
        history=HISTORY,
        image_type="MasterFlat",
        cfa="RGGB" if channels == 1 else None,
        output=output,
    )
    return path


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("units", ["adu", "normalised"])
def test_fitsverify_has_nothing_to_say(tmp_path, adu, units, channels):
    fitsverify = shutil.which("fitsverify")
    if fitsverify is None:
        pytest.skip("fitsverify is not installed")
    path = write(tmp_path / "master.fits", adu, channels, fits_units=units)
    told = subprocess.run([fitsverify, path], capture_output=True, text=True, check=False)
    assert "0 warning(s) and 0 error(s)" in told.stdout, told.stdout
    assert told.returncode == 0


@pytest.mark.parametrize("kind", ["TELESCOP", "DATE-OBS", "Ha+b*c"])
def test_fitsverify_accepts_hostile_text(tmp_path, kind):
    fitsverify = shutil.which("fitsverify")
    if fitsverify is None:
        pytest.skip("fitsverify is not installed")
    data = np.ones((2, 2), np.float32)
    texts = [
        "&" * 80,
        "'" * 68,
        "'" * 34,
        "a" * 67 + "'",
        "a" * 66 + "'&",
        "../\0\n",
        "",
        " ",
        "Hα" * 99,
    ]
    paths = [tmp_path / f"{number}.fits" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        cards = [(kind[:8], text, text), ("OBSERVER", text, "")]
        write_master(path, data, height=2, channels=1, cards=cards, history=[text])
    command = [fitsverify, "-q", *paths]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert told.stdout.count("verification OK") == len(paths), told.stdout


@pytest.mark.siril
@pytest.mark.parametrize("units", ["adu", "normalised"])
def test_siril_reads_the_same_values(tmp_path, adu, units):
    siril = shutil.which("siril-cli")
    if siril is None:
        pytest.skip("siril-cli is not installed")
    write(tmp_path / "master.fits", adu, fits_units=units)
    script = tmp_path / "copy.ssf"
    script.write_text("requires 1.0.0\nset32bits\nload master.fits\nsave copy\n")
    command = [siril, "-d", str(tmp_path), "-s", str(script)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    copy = tmp_path / "copy.fit"
    assert copy.is_file(), told.stdout + told.stderr
    pixels = fits.getdata(copy)  # Siril's own unit: ADU / 65535.
    np.testing.assert_allclose(pixels * 65535.0, adu, rtol=3e-7)


@pytest.mark.parametrize("codec", ["none", "zlib", "lz4", "lz4hc", "zstd"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_xisf_package_reads_the_same_values(tmp_path, adu, codec, shuffle, channels):
    path = write(tmp_path / "master.xisf", adu, channels, codec=codec, shuffle=shuffle)
    file = XISF(str(path))
    planes = file.read_image(0, data_format="channels_first")
    assert planes.shape == (channels, SHAPE[0] // channels, SHAPE[1])
    np.testing.assert_allclose(planes.reshape(SHAPE) * 65535.0, adu, rtol=3e-7)
    image = file.get_images_metadata()[0]
    values = {name: cards[0]["value"] for name, cards in image["FITSKeywords"].items()}
    assert values["IMAGETYP"] == "Master Flat"
    assert float(values["EXPTIME"]) == 2.31845
    assert values["GAIN"] == "56"
    assert image["XISFProperties"]["Instrument:Filter:Name"]["value"] == "Hα 3 nm"
    assert image["XISFProperties"]["Instrument:ExposureTime"]["value"] == 2.31845
    assert file.get_file_metadata()["XISF:CreationTime"]["value"].startswith("2025-03-02T06:41")


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4", "f8"])
@pytest.mark.parametrize("codec", [None, "zlib", "lz4", "lz4hc", "zstd"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_we_read_what_the_xisf_package_writes(tmp_path, dtype, codec, shuffle):
    rng = np.random.default_rng(1)
    image = (rng.random((20, 30, 3)) * (200 if dtype[0] == "u" else 1)).astype(dtype)
    path = tmp_path / "frame.xisf"
    XISF.write(str(path), image, codec=codec, shuffle=shuffle)
    pixels, layout = read_image(path)
    assert (layout.height, layout.width, layout.channels) == (20, 30, 3)
    factor = 65535.0 if dtype[0] == "f" else 1.0
    expected = (np.moveaxis(image, -1, 0) * factor).astype(np.float32)
    np.testing.assert_array_equal(pixels, expected.reshape(60, 30))


def test_astropy_reads_the_same_values_and_sums(tmp_path, adu):
    path = write(tmp_path / "master.fits", adu)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True) as hdus:
            hdus.verify("exception")
            np.testing.assert_array_equal(hdus[0].data, adu)
            header = hdus[0].header
    assert header["REJECT"] == ("winsorized, low 4.0, high 3.0 " * 6).rstrip()
    assert header["FILTER"] == "Ha 3 nm"
    assert header["DATE-OBS"] == "2025-03-02T05:41:07.1184402"
