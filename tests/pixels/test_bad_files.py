"""Broken files: one line that names the file, never another kind of error."""

import gzip
import zlib

import lz4.block
import numpy as np
import pytest
import zstandard
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.formats.layout import PixelError
from calibrary.pixels.reading import open_frame, read_image
from calibrary.records import UnreachableError

IMAGE = np.random.default_rng(5).normal(1000, 12, (1, 40, 50)).astype("u2")

BLOCK = 4096
"""Where the maker of XISF files puts its data block."""


def refused(path):
    """Open and read; return the error, checked for its form."""
    with pytest.raises(PixelError) as caught:
        read_image(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def error_of(path):
    try:
        read_image(path)
    except PixelError as error:
        return str(error)
    return ""


def fits_bytes(tmp_path, suffix):
    path = tmp_path / f"good.{suffix}"
    kind = fits.CompImageHDU if suffix.endswith("fz") else fits.PrimaryHDU
    kind(IMAGE[0]).writeto(path)
    return path.read_bytes()


def test_truncated_fits_at_every_tenth(tmp_path, save):
    data = fits_bytes(tmp_path, "fits")
    used = 2880 + IMAGE.nbytes
    for end in range(0, used, used // 10):
        assert "copy it again" in refused(save(data[:end], "cut.fits"))


@pytest.mark.parametrize("suffix", ["fits.gz", "fits.fz"])
def test_truncated_packed_fits_at_every_tenth(tmp_path, save, suffix):
    data = fits_bytes(tmp_path, suffix)
    used = len(data) - (2880 if suffix.endswith("fz") else 0)
    for end in range(0, used, used // 10):
        refused(save(data[:end], f"cut.{suffix}"))


def test_gzip_with_a_wrong_checksum(tmp_path, save):
    data = bytearray(fits_bytes(tmp_path, "fits.gz"))
    data[-6] ^= 255
    refused(save(bytes(data), "crc.fits.gz"))


def test_fits_of_64_bit_integers(tmp_path):
    path = tmp_path / "long.fits"
    fits.writeto(path, np.zeros((3, 3), "i8"))
    assert "64-bit" in refused(path)


def test_fits_without_an_image(tmp_path):
    path = tmp_path / "headers.fits"
    fits.PrimaryHDU().writeto(path)
    assert "no image" in refused(path)


@pytest.mark.parametrize("codec", [None, "zlib", "lz4", "zstd"])
@pytest.mark.parametrize("location", ["attachment", "embedded"])
def test_truncated_xisf_at_every_tenth(make_xisf, save, codec, location):
    data = make_xisf(IMAGE, codec=codec, item=2 if codec else 0, location=location)
    for end in range(0, len(data), len(data) // 10):
        refused(save(data[:end], "cut.xisf"))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), codec=st.sampled_from(["zlib", "lz4", "lz4hc", "zstd"]))
def test_flipped_bytes_end_in_one_error_or_none(make_xisf, tmp_path, data, codec):
    good = make_xisf(IMAGE, codec=codec, item=2, parts=2)
    bad = bytearray(good)
    for at in data.draw(st.lists(st.integers(BLOCK, len(good) - 1), min_size=1, max_size=4)):
        bad[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.xisf"
    path.write_bytes(bad)
    text = error_of(path)
    assert "\n" not in text
    assert not text or str(path) in text


def _told(data, block, compression):
    """Put `block` in place of an attached block, with `compression` in the header."""
    header = data[16 : data.index(b"</xisf>") + 7].decode()
    start = header.index('location="attachment')
    end = header.index(">", start)
    header = (
        f'{header[:start]}location="attachment:4096:{len(block)}" compression="{compression}"'
        f"{header[end:]}"
    )
    head = b"XISF0100" + len(header).to_bytes(4, "little") + bytes(4) + header.encode()
    return head.ljust(4096, b"\0") + block


@pytest.mark.parametrize("size", [IMAGE.nbytes - 2, IMAGE.nbytes + 1, 200_000_000])
@pytest.mark.parametrize(
    ("codec", "compress"),
    [
        ("zlib", zlib.compress),
        ("lz4", lambda data: lz4.block.compress(data, store_size=False)),
        ("zstd", zstandard.compress),
    ],
)
def test_block_of_another_size_than_told(make_xisf, save, codec, compress, size):
    block = compress(bytes(size))
    path = save(_told(make_xisf(IMAGE), block, f"{codec}:{IMAGE.nbytes}"), "bomb.xisf")
    assert "cannot be decompressed" in refused(path)


@pytest.mark.parametrize("codec", ["zlib", "lz4", "zstd"])
def test_block_that_is_not_compressed_at_all(make_xisf, save, codec):
    data = _told(make_xisf(IMAGE), IMAGE.tobytes()[:3000], f"{codec}:{IMAGE.nbytes}")
    assert "cannot be decompressed" in refused(save(data, "noise.xisf"))


def test_complex_samples(make_xisf, save):
    data = make_xisf(IMAGE).replace(b'"UInt16"', b'"UInt64"').replace(b"50:40:1", b"10:50:1")
    assert "uint64" in refused(save(data, "complex.xisf"))


@pytest.mark.parametrize("name", ["empty.fits", "empty.xisf"])
def test_empty_file(save, name):
    assert "empty" in refused(save(b"", name))


def test_neither_fits_nor_xisf(save):
    assert "not a FITS file" in refused(save(b"\x89PNG\r\n" * 1000, "picture.fits"))


def test_absent_file_and_folder(tmp_path):
    with pytest.raises(UnreachableError, match=r"absent\.fits: there is no such file"):
        read_image(tmp_path / "absent.fits")
    refused(tmp_path)


@pytest.mark.parametrize("suffix", ["fits", "xisf"])
def test_file_that_shrinks_while_it_is_open(tmp_path, make_xisf, suffix):
    path = tmp_path / f"frame.{suffix}"
    data = fits_bytes(tmp_path, "fits") if suffix == "fits" else make_xisf(IMAGE)
    path.write_bytes(data)
    with open_frame(path) as reader:
        path.open("r+b").truncate(4500)
        out = np.empty((40, 50), reader.layout.stored)
        with pytest.raises(PixelError, match=f"frame.{suffix}: ends within its pixels"):
            reader.read_rows(0, 40, out)


def test_gzipped_garbage(save):
    refused(save(gzip.compress(b"garbage" * 1000), "garbage.fits.gz"))
