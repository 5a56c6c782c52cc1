"""FITS as cameras, capture programs and compressors write it; astropy is the oracle."""

import resource
import warnings

import numpy as np
import pytest
from astropy.io import fits

from calibrary.pixels.reading import open_frame, read_image

TYPES = (
    ("u1", "uint8"),
    ("i2", "int16"),
    ("u2", "uint16"),
    ("i4", "int32"),
    ("u4", "uint32"),
    ("f4", "float32"),
    ("f8", "float64"),
)
SHAPE = (23, 17)


def random_image(dtype, shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(1000, 300, shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, endpoint=True).astype(dtype)


def stored_rows(reader, first=0, last=None):
    last = reader.layout.rows if last is None else last
    out = np.empty((last - first, reader.layout.width), reader.layout.stored)
    reader.read_rows(first, last, out)
    return out


def physical(reader):
    return stored_rows(reader) * reader.layout.scale + reader.layout.zero


@pytest.mark.parametrize("suffix", ["fits", "fits.gz"])
@pytest.mark.parametrize(("dtype", "name"), TYPES)
def test_every_sample_type(tmp_path, dtype, name, suffix):
    image = random_image(dtype)
    path = tmp_path / f"frame.{suffix}"
    fits.writeto(path, image)
    with open_frame(path) as reader:
        assert reader.layout.sample_format == name
        assert reader.direct == (suffix == "fits")
        assert not reader.layout.normalised
        np.testing.assert_array_equal(physical(reader), image.astype(float))
        np.testing.assert_array_equal(stored_rows(reader, 4, 9), stored_rows(reader)[4:9])
    pixels, _ = read_image(path)
    np.testing.assert_array_equal(pixels, image.astype(np.float32))


def test_scaled_integers(tmp_path):
    path = tmp_path / "scaled.fits"
    hdu = fits.PrimaryHDU(random_image("i2"))
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.5, 100.0
    hdu.writeto(path)
    pixels, layout = read_image(path)
    assert layout.sample_format == "float32"
    np.testing.assert_array_equal(pixels, fits.getdata(path))


def test_sixteen_bits_without_offset_are_signed(tmp_path):
    path = tmp_path / "astroart.fits"
    fits.writeto(path, np.full(SHAPE, 1000, "i2"))
    with open_frame(path) as reader:
        assert (reader.layout.sample_format, reader.layout.full_scale) == ("int16", 32767.0)


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4"])
def test_tile_compressed_integers(tmp_path, kind, dtype):
    image = random_image(dtype, (40, 30)) // 2
    path = tmp_path / "frame.fits.fz"
    fits.CompImageHDU(image, compression_type=kind).writeto(path)
    with open_frame(path) as reader:
        assert not reader.direct
        assert reader.layout.sample_format == dict(TYPES)[dtype]
        np.testing.assert_array_equal(physical(reader), image)


@pytest.mark.parametrize("quantize_level", [0.0, 16.0])
def test_tile_compressed_floats(tmp_path, quantize_level):
    image = random_image("f4", (40, 30))
    path = tmp_path / "frame.fits.fz"
    hdu = fits.CompImageHDU(image, compression_type="GZIP_2", quantize_level=quantize_level)
    hdu.writeto(path)
    pixels, layout = read_image(path)
    assert (layout.sample_format, layout.normalised) == ("float32", False)
    np.testing.assert_array_equal(pixels, fits.getdata(path, 1))
    if quantize_level == 0.0:
        np.testing.assert_array_equal(pixels, image)


def test_tall_tiles_and_large_image(tmp_path):
    image = random_image("u2", (611, 503))
    path = tmp_path / "tiles.fits.fz"
    fits.CompImageHDU(image, compression_type="RICE_1", tile_shape=(50, 100)).writeto(path)
    pixels, _ = read_image(path)
    np.testing.assert_array_equal(pixels, image)


def test_image_in_an_extension(tmp_path):
    image = random_image("u2")
    path = tmp_path / "extension.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(image)]).writeto(path)
    pixels, _ = read_image(path)
    np.testing.assert_array_equal(pixels, image)


@pytest.mark.parametrize("suffix", ["fits", "fits.fz"])
def test_colour_planes_follow_each_other(tmp_path, suffix):
    image = random_image("u2", (3, *SHAPE))
    path = tmp_path / f"colour.{suffix}"
    kind = fits.CompImageHDU if suffix.endswith("fz") else fits.PrimaryHDU
    kind(image).writeto(path)
    pixels, layout = read_image(path)
    assert (layout.channels, layout.height, layout.rows) == (3, SHAPE[0], 3 * SHAPE[0])
    np.testing.assert_array_equal(pixels, image.reshape(-1, SHAPE[1]))


def test_single_third_axis_is_no_channel(tmp_path):
    path = tmp_path / "cube.fits"
    fits.writeto(path, random_image("u2", (1, *SHAPE)))
    assert read_image(path)[1].channels == 1


@pytest.mark.parametrize(
    ("samples", "unit", "normalised"),
    [
        (np.linspace(0, 1, 391), None, True),
        (np.linspace(0, 1, 391), "ADU", False),
        (np.linspace(0, 60000, 391), None, False),
        (np.linspace(-30, 0.5, 391), None, False),
        (np.zeros(391), None, False),
        (np.full(391, np.nan), None, False),
    ],
)
def test_floats_are_normalised_where_they_look_it(tmp_path, samples, unit, normalised):
    path = tmp_path / "float.fits"
    hdu = fits.PrimaryHDU(samples.reshape(SHAPE).astype("f4"))
    if unit:
        hdu.header["BUNIT"] = unit
    hdu.writeto(path)
    pixels, layout = read_image(path)
    assert layout.normalised == normalised
    factor = np.float32(65535.0 if normalised else 1.0)
    np.testing.assert_array_equal(pixels, hdu.data * factor)


def test_real_frames_as_astropy_reads_them(shared_data):
    paths = sorted(p for p in shared_data.rglob("*") if p.suffix.lower() in (".fit", ".fits"))
    assert len(paths) > 90
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = fits.getdata(path).astype(np.float32)
        pixels, layout = read_image(path)
        np.testing.assert_array_equal(
            pixels, expected.reshape(layout.rows, layout.width), err_msg=path.name
        )


def test_more_frames_than_the_soft_limit_of_open_files(tmp_path):
    path = tmp_path / "frame.fits"
    fits.writeto(path, random_image("u2"))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    readers = []
    try:
        readers = [open_frame(path) for _ in range(150)]
        assert readers[-1].layout.width == SHAPE[1]
    finally:
        for reader in readers:
            reader.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
