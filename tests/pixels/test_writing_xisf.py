"""Masters as XISF: their bytes, as an independent look at them shows."""

import hashlib
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.formats.xisf import read_xisf_header
from calibrary.pixels import xisf_writer
from calibrary.pixels.reading import read_image
from calibrary.pixels.writing import write_master

NAMESPACE = "{http://www.pixinsight.com/xisf}"
SHAPE = (30, 41)
CARDS = [
    ("IMAGETYP", "Master Dark", "type of image"),
    ("INSTRUME", "QHY600M", ""),
    ("TELESCOP", 'Edge HD 8" <f/7>', ""),
    ("EXPTIME", 120.0, "[s]"),
    ("GAIN", 56, ""),
    ("SET-TEMP", -10.0, "[degC]"),
    ("CCD-TEMP", np.float32(-9.5), "[degC]"),
    ("XBINNING", 2, ""),
    ("FILTER", "Hα 3nm", ""),
    ("EGAIN", 0.25, ""),
    ("DATE-OBS", "2025-03-02T05:41:07.118Z", ""),
    ("DATE-END", "2025-03-02T06:41:07.118+00:00", ""),
    ("OBSERVER", "O'Neill", ""),
    ("ISMASTER", True, ""),
    ("FLIPPED", False, ""),
    ("TINY", 1.5e-7, ""),
    ("NOTHING", None, ""),
]
PROPERTIES = {
    "Instrument:Camera:Name": "QHY600M — Nº 1",
    "Calibrary:Frames": 20,
    "Calibrary:Noise": 0.5,
    "Calibrary:Passed": True,
    "Calibrary:Digest": "ab\0c",
}


def adu(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(1000, 12, shape).astype(np.float32)


def write(path, data=None, **changes):
    data = adu() if data is None else data
    given = {
        "height": data.shape[0],
        "channels": 1,
        "cards": CARDS,
        "history": ["a <b> & µ", "second"],
        "image_type": "MasterDark",
        "properties": PROPERTIES,
    }
    return write_master(path, data, **{**given, **changes})


def image_element(path):
    data = path.read_bytes()
    length = int.from_bytes(data[8:12], "little")
    root = ET.fromstring(data[16 : 16 + length])
    return root, root.find(f"{NAMESPACE}Image")


@pytest.mark.parametrize("checksum", ["sha-1", "sha-256", "sha-512", "none"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("codec", ["lz4", "lz4hc", "zlib", "zstd", "none"])
def test_written_pixels_are_read_again(tmp_path, codec, shuffle, checksum):
    path, data = tmp_path / "master.xisf", np.round(adu((300, 400)))
    output = {"codec": codec, "shuffle": shuffle, "checksum": checksum}
    assert write(path, data, output=output) == 0
    block = read_xisf_header(path).images[0].block
    assert block.compression == (None if codec == "none" else codec)
    assert block.shuffle_item == (4 if shuffle and codec != "none" else 0)
    assert block.offset % 4096 == 0
    stored = path.read_bytes()[block.offset :]
    assert len(stored) == block.size
    if checksum == "none":
        assert block.checksum is None
    else:
        name = checksum.replace("-", "")
        assert block.checksum == (name, hashlib.new(name, stored).hexdigest())
    pixels, layout = read_image(path)
    assert layout.normalised
    np.testing.assert_allclose(pixels, data, rtol=1.2e-7)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(1, 3),
    codec=st.sampled_from(["lz4", "lz4hc", "zlib", "zstd", "none"]),
    shuffle=st.booleans(),
    part=st.integers(100, 5000),
)
def test_any_geometry_in_any_number_of_parts(
    tmp_path, height, width, channels, codec, shuffle, part
):
    path = tmp_path / "master.xisf"
    data = np.tile(np.float32(range(width)), (height * channels, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xisf_writer, "_MAX_PART", part)
        output = {"codec": codec, "shuffle": shuffle}
        write(path, data, height=height, channels=channels, output=output)
    pixels, layout = read_image(path)
    assert (layout.width, layout.height, layout.channels) == (width, height, channels)
    np.testing.assert_allclose(pixels, data, rtol=1.2e-7)


def test_what_does_not_shrink_is_stored_as_it_is(tmp_path):
    path = tmp_path / "noise.xisf"
    bits = np.random.default_rng(1).integers(0x3A000000, 0x3B000000, (50, 60), dtype=np.uint32)
    data = bits.view(np.float32) * np.float32(65535)
    write(path, data, output={"codec": "lz4", "shuffle": False})
    assert read_xisf_header(path).images[0].block.compression is None
    np.testing.assert_allclose(read_image(path)[0], data, rtol=1.2e-7)


def test_image_element(tmp_path):
    path = tmp_path / "master.xisf"
    write(path, cfa="RGGB")
    _, image = image_element(path)
    assert image.attrib["geometry"] == "41:30:1"
    assert image.attrib["sampleFormat"] == "Float32"
    assert image.attrib["bounds"] == "0:1"
    assert image.attrib["colorSpace"] == "Gray"
    assert image.attrib["imageType"] == "MasterDark"
    assert image.attrib["compression"] == "lz4+sh:4920:4"
    cfa = image.find(f"{NAMESPACE}ColorFilterArray").attrib
    assert cfa == {"pattern": "RGGB", "width": "2", "height": "2"}


def test_keywords_keep_their_type(tmp_path):
    path = tmp_path / "master.xisf"
    write(path)
    _, image = image_element(path)
    found = image.findall(f"{NAMESPACE}FITSKeyword")
    values = {k.attrib["name"]: k.attrib["value"] for k in found}
    assert values["IMAGETYP"] == "'Master Dark'"
    assert values["EXPTIME"] == "120.0"
    assert values["GAIN"] == "56"
    assert values["CCD-TEMP"] == "-9.5"
    assert values["FILTER"] == "'Ha 3nm'"
    assert values["OBSERVER"] == "'O''Neill'"
    assert (values["ISMASTER"], values["FLIPPED"]) == ("T", "F")
    assert values["TINY"] == "1.5E-07"
    assert "NOTHING" not in values
    assert values["DATE-OBS"] == "'2025-03-02T05:41:07.118'"
    history = [k.attrib for k in found if k.attrib["name"] == "HISTORY"]
    assert [h["value"] for h in history] == ["", ""]
    assert [h["comment"] for h in history] == ["a <b> & u", "second"]


def test_standard_properties(tmp_path):
    path = tmp_path / "master.xisf"
    write(path)
    root, image = image_element(path)
    found = {
        p.attrib["id"]: (p.attrib["type"], p.attrib.get("value", p.text))
        for p in image.findall(f"{NAMESPACE}Property")
    }
    assert found == {
        "Instrument:Camera:Name": ("String", "QHY600M — Nº 1"),
        "Instrument:Camera:XBinning": ("Int32", "2"),
        "Instrument:Camera:Gain": ("Float32", "0.25"),
        "Instrument:ExposureTime": ("Float32", "120.0"),
        "Instrument:Filter:Name": ("String", "Hα 3nm"),
        "Instrument:Sensor:Temperature": ("Float32", "-9.5"),
        "Instrument:Sensor:TargetTemperature": ("Float32", "-10.0"),
        "Instrument:Telescope:Name": ("String", 'Edge HD 8" <f/7>'),
        "Observation:Time:Start": ("TimePoint", "2025-03-02T05:41:07.118Z"),
        "Observation:Time:End": ("TimePoint", "2025-03-02T06:41:07.118Z"),
        "Calibrary:Frames": ("Int32", "20"),
        "Calibrary:Noise": ("Float64", "0.5"),
        "Calibrary:Passed": ("Boolean", "true"),
        "Calibrary:Digest": ("String", "abc"),
    }
    metadata = root.find(f"{NAMESPACE}Metadata")
    times = [p.attrib["value"] for p in metadata if p.attrib["id"] == "XISF:CreationTime"]
    assert times == ["2025-03-02T06:41:07.118Z"]


def test_header_reader_understands_the_keywords(tmp_path):
    path = tmp_path / "master.xisf"
    write(path)
    cards = {c.keyword: c.value for c in read_xisf_header(path).images[0].keywords}
    assert cards["TELESCOP"] == 'Edge HD 8" <f/7>'
    assert cards["OBSERVER"] == "O'Neill"
    assert (cards["GAIN"], cards["EXPTIME"], cards["ISMASTER"]) == (56, 120.0, True)
    assert cards["TINY"] == 1.5e-7


def test_same_inputs_same_bytes(tmp_path):
    write(tmp_path / "a.xisf")
    write(tmp_path / "b.xisf")
    assert (tmp_path / "a.xisf").read_bytes() == (tmp_path / "b.xisf").read_bytes()


@pytest.mark.parametrize("shuffle", [True, False])
def test_any_number_of_threads_gives_the_same_bytes(tmp_path, monkeypatch, shuffle):
    monkeypatch.setattr(xisf_writer, "_CHUNK", 50)
    data = adu()
    data[7, ::3] = np.nan
    made = set()
    for threads in (1, 2, 16):
        path = tmp_path / f"{threads}.xisf"
        output = {"shuffle": shuffle}
        assert write(path, data, threads=threads, output=output) == 0
        made.add(path.read_bytes())
    assert len(made) == 1


def test_samples_out_of_bounds_are_changed_and_counted(tmp_path):
    path, data = tmp_path / "master.xisf", adu()
    data = np.tile(data, (30, 30))
    data[0, :5] = [-3.0, -30.0, 70000.0, 0.0, 65535.0]
    assert write(path, data) == 3
    pixels, _ = read_image(path)
    assert pixels[0, :5].tolist() == [0.0, 0.0, 65535.0, 0.0, 65535.0]
    np.testing.assert_allclose(pixels[1:], data[1:], rtol=1.2e-7)


def test_header_of_any_length(tmp_path):
    path, data = tmp_path / "master.xisf", adu()
    for lines in (0, 30, 31, 200, 3000):
        write(path, data, history=[f"frame {n}.fits, rejected 0.001" for n in range(lines)])
        header = read_xisf_header(path)
        offset = header.images[0].block.offset
        assert offset % 4096 == 0
        assert offset - 4096 < 16 + header.header_bytes <= offset
        np.testing.assert_allclose(read_image(path)[0], data, rtol=1.2e-7)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(), st.text(), st.text())
def test_hostile_text_never_breaks_the_file(tmp_path, keyword, value, line):
    path = tmp_path / "master.xisf"
    data = np.zeros((2, 2), np.float32)
    cards = [(keyword, value, line), ("FILTER", value, line), ("DATE-END", value, "")]
    write(path, data, cards=cards, history=[line], properties={"Calibrary:Text": value})
    _, image = image_element(path)
    texts = [v for k in image.findall(f"{NAMESPACE}FITSKeyword") for v in k.attrib.values()]
    assert all(re.fullmatch("[ -~]*", text) for text in texts)
    assert read_image(path)[0].shape == (2, 2)
