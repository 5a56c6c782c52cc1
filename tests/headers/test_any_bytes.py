"""Whatever a file holds: a reading, or the module's own error, soon and in bounded memory."""

import dataclasses
import math
import struct
import tracemalloc
from pathlib import Path

import pytest
from headerfiles import fits_bytes, header_bytes, xisf_bytes, xisf_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.headers.dialects import load_dialects
from calibrary.headers.reading import HeaderError, Reading, read_header

KEYWORDS = sorted({key for keys in load_dialects().keywords.values() for key in keys})
PROPERTIES = sorted({key for keys in load_dialects().properties.values() for key in keys})
TRAPS = ["SIMPLE", "NAXIS", "NAXIS1", "NAXIS3", "BITPIX", "BZERO", "PCOUNT", "GCOUNT", "GROUPS"]
VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.text(st.characters(codec="utf-8"), max_size=70).map(lambda text: f"'{text}'"),
    st.text(st.characters(codec="latin-1"), max_size=70),
    st.sampled_from(["Infinity", "-1", "1E999", "'2x2'", "T", "'Dark'", "99999999999999999999"]),
    st.dates().map(lambda date: f"'{date.isoformat()}T23:59:60.9999999'"),
)
fuzzed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def attempt(folder: Path, name: str, content: bytes) -> Reading | None:
    path = folder / name
    path.write_bytes(content)
    try:
        return read_header(path)
    except HeaderError as error:
        text = str(error)
    assert str(path) in text
    assert "\n" not in text
    return None


def assert_sane(reading: Reading | None) -> None:
    if reading is None:
        return
    for value in dataclasses.astuple(reading.frame)[1:]:
        assert not isinstance(value, float) or math.isfinite(value)
        assert not isinstance(value, str) or len(value) < 2000
    for text in (reading.frame.camera, reading.frame.telescope, reading.frame.filter):
        assert text is None or (text.isprintable() and text == text.strip() and text)


@fuzzed
@given(st.lists(st.tuples(st.sampled_from(KEYWORDS + TRAPS), VALUES), max_size=20))
def test_any_values_in_fits(tmp_path, pairs):
    lines = ["SIMPLE = T", "BITPIX = 16", "NAXIS = 2", "NAXIS1 = 4", "NAXIS2 = 3"]
    raw = [f"!{key:<8}= {value}".encode()[:80].decode("utf-8", "ignore") for key, value in pairs]
    header = header_bytes([*lines, *(line.replace("\n", " ") for line in raw)])

    assert_sane(attempt(tmp_path, "dark.fits", header + bytes(2880)))


@fuzzed
@given(st.lists(st.tuples(st.sampled_from([*KEYWORDS, "HISTORY"]), VALUES), max_size=20))
def test_any_keywords_in_xisf(tmp_path, pairs):
    text = "\n".join(f"{key} = {' '.join(value.split())}" for key, value in pairs)
    clean = "".join(c for c in text if c.isprintable() or c == "\n")

    assert_sane(attempt(tmp_path, "dark.xisf", xisf_bytes(clean)))


@fuzzed
@given(
    st.dictionaries(
        st.sampled_from(PROPERTIES),
        st.tuples(
            st.sampled_from(
                ["Float32", "Int32", "String", "TimePoint", "Boolean", "F64Vector", ""]
            ),
            st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30),
        ),
    )
)
def test_any_properties_in_xisf(tmp_path, properties):
    assert_sane(attempt(tmp_path, "dark.xisf", xisf_bytes(properties=properties)))


FITS = fits_bytes("IMAGETYP = 'Dark'\nEXPTIME = 3\nDATE-OBS = '2024-01-01'\nXBINNING = 1")
XISF = xisf_bytes(
    "IMAGETYP = 'DARK'\nEXPTIME = 3",
    attributes={"compression": "lz4+sh:24:2", "checksum": "sha1:00"},
    inside='<Property id="a" type="String">text</Property>',
)


@fuzzed
@given(st.sampled_from([FITS, XISF]), st.data())
def test_any_damage(tmp_path, content, data):
    damaged = bytearray(content)
    reach = min(len(content), 1200) - 1
    for _ in range(data.draw(st.integers(1, 12))):
        damaged[data.draw(st.integers(0, reach))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))

    assert_sane(attempt(tmp_path, "dark.xisf" if content is XISF else "dark.fits", damaged[:end]))


@fuzzed
@given(st.sampled_from(["a.fits", "a.fits.gz", "a.xisf"]), st.binary(max_size=400))
def test_any_bytes(tmp_path, name, content):
    heads = {"a.fits": b"SIMPLE  =", "a.fits.gz": b"\x1f\x8b\x08\x00", "a.xisf": b"XISF0100"}

    assert_sane(attempt(tmp_path, name, content))
    assert_sane(attempt(tmp_path, name, heads[name] + content))


@fuzzed
@given(st.binary(max_size=300))
def test_any_xml(tmp_path, xml):
    assert_sane(attempt(tmp_path, "a.xisf", b"XISF0100" + struct.pack("<I4x", len(xml)) + xml))


@pytest.mark.parametrize(
    "element",
    [
        '<FITSKeyword name="A" value="1" comment=""/>',
        '<Property id="p" type="String">x</Property>',
        "<Other/>",
        "text ",
        "&lt;",
        '<Data encoding="base64">AA</Data>',
    ],
)
def test_memory_is_bounded_by_the_header(tmp_path, element):
    header = "<Image>" + element * (400_000 // len(element)) + "</Image>"
    path = tmp_path / "a.xisf"
    path.write_bytes(xisf_file(header))
    tracemalloc.start()
    try:
        with pytest.raises(HeaderError):
            read_header(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 20e6
