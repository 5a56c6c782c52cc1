"""Every way PixInsight and others pack the pixels of an XISF file."""

import base64
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.formats import sources, xisf_unpacking
from calibrary.formats.layout import PixelError
from calibrary.pixels.reading import open_frame, read_image

FORMATS = ("u1", "u2", "u4", "f4", "f8")
CODECS = (None, "zlib", "lz4", "lz4hc", "zstd")
NAMES = {"u1": "uint8", "u2": "uint16", "u4": "uint32", "f4": "float32", "f8": "float64"}


def random_image(dtype, shape=(1, 7, 11), seed=0):
    rng = np.random.default_rng(seed)
    if dtype.startswith("f"):
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


def stored_rows(reader, first=0, last=None):
    last = reader.layout.rows if last is None else last
    out = np.empty((last - first, reader.layout.width), reader.layout.stored)
    reader.read_rows(first, last, out)
    return out


@pytest.mark.parametrize("location", ["attachment", "embedded", "inline", "hex"])
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_packing(make_xisf, save, dtype, codec, location):
    image = random_image(dtype)
    size = image.dtype.itemsize
    for item, big_endian in itertools.product((0, size) if codec else (0,), (False, True)):
        how = {"codec": codec, "item": item, "big_endian": big_endian, "location": location}
        path = save(make_xisf(image, **how), "frame.xisf")
        with open_frame(path) as reader:
            layout = reader.layout
            assert (layout.width, layout.height, layout.channels) == (11, 7, 1)
            assert layout.sample_format == NAMES[dtype]
            assert layout.stored == np.dtype(dtype).newbyteorder(">" if big_endian else "<")
            assert layout.normalised == (dtype[0] == "f")
            assert reader.direct == (codec is None)
            np.testing.assert_array_equal(stored_rows(reader), image[0], err_msg=str(how))
            np.testing.assert_array_equal(stored_rows(reader, 2, 5), image[0, 2:5])


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_geometry_parts_and_item_size(make_xisf, tmp_path, data):
    draw = data.draw
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)), "shape")
    image = random_image(draw(st.sampled_from(FORMATS), "dtype"), shape, draw(st.integers(0, 99)))
    codec = draw(st.sampled_from(CODECS), "codec")
    how = {
        "codec": codec,
        "item": draw(st.sampled_from((0, 1, 2, 3, 4, 8)), "item") if codec else 0,
        "parts": draw(st.integers(1, min(5, image.nbytes)), "parts"),
        "raw_part": draw(st.booleans(), "raw part"),
        "big_endian": draw(st.booleans(), "big endian"),
        "normal": draw(st.booleans(), "normal"),
        "checksum": draw(st.sampled_from((None, "sha-1", "sha3-512")), "checksum"),
    }
    how["raw_part"] &= how["parts"] > 1
    path = tmp_path / "frame.xisf"
    path.write_bytes(make_xisf(image, **how))
    rows = image.reshape(-1, shape[2])
    first = draw(st.integers(0, len(rows)), "first")
    last = draw(st.integers(first, len(rows)), "last")
    with open_frame(path) as reader:
        assert reader.layout.rows == len(rows)
        np.testing.assert_array_equal(stored_rows(reader, first, last), rows[first:last])


@pytest.mark.parametrize("codec", [None, "lz4"])
@pytest.mark.parametrize(
    "name", ["sha-1", "sha-256", "sha-512", "sha3-256", "sha3-512", "sha1", "sha256", "sha512"]
)
def test_checksums_are_verified(make_xisf, save, name, codec):
    image = random_image("u2", (1, 60, 50))
    good = make_xisf(image, checksum=name, codec=codec, item=2 if codec else 0)
    with open_frame(save(good, "good.xisf")) as reader:
        np.testing.assert_array_equal(stored_rows(reader), image[0])
    bad = bytearray(good)
    bad[-1] ^= 1
    path = save(bytes(bad), "bad.xisf")
    with pytest.raises(PixelError, match=r"bad\.xisf: the sha\S+ checksum of its pixels is wrong"):
        open_frame(path)


def test_conformance_vector_of_the_specification(save):
    packed = base64.b64decode("eNoLycgsVgCiRIWS1OISBV2FENfgECBlaGRsYmpmbmFpAACzWQkd")
    xml = (
        '<?xml version="1.0"?><xisf version="1.0"><Image geometry="34:1:1" sampleFormat="UInt8"'
        f' location="embedded"><Data compression="zlib:34" encoding="hex">{packed.hex()}</Data>'
        "</Image></xisf>"
    ).encode()
    path = save(b"XISF0100" + len(xml).to_bytes(4, "little") + bytes(4) + xml, "vector.xisf")
    with open_frame(path) as reader:
        assert stored_rows(reader).tobytes() == b"This is a test - TEST - 1234567890"


def test_first_of_several_images_is_the_frame(make_xisf, save):
    image = random_image("u2")
    other = '<Image geometry="1:1:1" sampleFormat="UInt8" location="inline:hex">ff</Image>'
    with open_frame(save(make_xisf(image, extra_images=other), "two.xisf")) as reader:
        np.testing.assert_array_equal(stored_rows(reader), image[0])


@pytest.mark.parametrize(
    ("bounds", "factor"), [("0:1", 65535.0), (None, 65535.0), ("0:65535", 1.0)]
)
def test_floats_become_adu_by_their_bounds(make_xisf, save, bounds, factor):
    image = random_image("f4")
    pixels, layout = read_image(save(make_xisf(image, bounds=bounds), "float.xisf"))
    assert layout.normalised == (factor != 1.0)
    assert layout.full_scale == (1.0 if layout.normalised else 65535.0)
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, (image[0].astype(float) * factor).astype(np.float32))


@pytest.mark.parametrize("codec", ["zlib", "lz4", "zstd"])
@pytest.mark.parametrize("item", [0, 2])
def test_large_images_are_unpacked_to_a_file_without_a_name(make_xisf, save, tmp_path, codec, item):
    image = random_image("u2", (1, 600, 401))
    assert image.nbytes > sources.IN_MEMORY_BYTES
    path = save(make_xisf(image, codec=codec, item=item, parts=3), "large.xisf")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with open_frame(path, scratch) as reader:
        assert not reader.direct
        assert list(scratch.iterdir()) == []
        np.testing.assert_array_equal(stored_rows(reader), image[0])


def test_unusable_scratch_folder_is_not_the_frame_s_fault(make_xisf, save, tmp_path):
    path = save(make_xisf(random_image("u2", (1, 600, 401)), codec="lz4"), "large.xisf")
    with pytest.raises(sources.CalibraryError, match="set TMPDIR") as caught:
        open_frame(path, tmp_path / "absent")
    assert not isinstance(caught.value, PixelError)


@pytest.mark.parametrize("room", [1, xisf_unpacking.UNPACKING_BYTES])
def test_frames_open_and_read_in_threads(make_xisf, save, monkeypatch, room):
    monkeypatch.setattr(xisf_unpacking, "_room", xisf_unpacking._Room(room))
    images = [random_image("u2", (1, 300, 500), seed) for seed in range(8)]
    paths = [
        save(make_xisf(image, codec="lz4", item=2), f"{n}.xisf") for n, image in enumerate(images)
    ]
    with ThreadPoolExecutor(4) as pool:
        readers = list(pool.map(open_frame, paths))
        one = [readers[3]] * 30
        bands = list(pool.map(lambda r, n: stored_rows(r, n * 10, n * 10 + 10), one, range(30)))
    for reader, image in zip(readers, images, strict=True):
        np.testing.assert_array_equal(stored_rows(reader), image[0])
        reader.close()
    np.testing.assert_array_equal(np.concatenate(bands), images[3][0])


def test_room_bounds_what_threads_hold():
    room, held, most = xisf_unpacking._Room(100), [0], [0]
    lock = threading.Lock()

    def hold(size):
        with room.held(size):
            with lock:
                held[0] += size
                most[0] = max(most[0], held[0])
            with lock:
                held[0] -= size

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, [30, 40, 60, 20] * 50))
    assert 0 < most[0] <= 100
    hold(1000)  # Larger than all the room, but alone.


def test_wrong_buffers_are_refused(make_xisf, save):
    with open_frame(save(make_xisf(random_image("u2")), "frame.xisf")) as reader:
        for out in (
            np.empty((7, 10), "<u2"),
            np.empty((7, 11), ">u2"),
            np.empty((14, 11), "<u2")[::2],
        ):
            with pytest.raises(ValueError, match="into"):
                reader.read_rows(0, 7, out)
        with pytest.raises(ValueError, match="rows"):
            reader.read_rows(1, 8, np.empty((7, 11), "<u2"))
