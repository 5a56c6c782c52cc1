"""The container XISF: blocks, and headers that lie."""

import base64
import struct

import pytest
from headerfiles import xisf_bytes, xisf_file

from calibrary.formats.xisf import MAX_HEADER_BYTES, read_xisf_header
from calibrary.headers.reading import HeaderError

DATA = bytes(range(24))


def image(tmp_path, content):
    path = tmp_path / "a.xisf"
    path.write_bytes(content)
    return read_xisf_header(path).images[0]


def test_attached_block(tmp_path):
    found = image(tmp_path, xisf_bytes(data=DATA))

    assert (found.width, found.height, found.channels) == (4, 3, 1)
    assert (found.block.kind, found.block.offset, found.block.size) == ("attachment", 4096, 24)
    assert (found.block.compression, found.block.uncompressed_size) == (None, 24)


def test_packing(tmp_path):
    attributes = {
        "location": "attachment:4096:20",
        "compression": "LZ4HC+sh:24:2",
        "checksum": "SHA-256:ABCD",
        "subblocks": "12,14:8,10",
        "byteOrder": "big",
        "pixelStorage": "Normal",
    }
    found = image(tmp_path, xisf_bytes(attributes=attributes))

    assert (found.block.compression, found.block.shuffle_item) == ("lz4hc", 2)
    assert found.block.subblocks == ((12, 14), (8, 10))
    assert found.block.checksum == ("sha256", "abcd")
    assert (found.block.byte_order, found.pixel_storage) == ("big", "normal")


def test_embedded_block_with_packing_on_its_data(tmp_path):
    text = base64.b64encode(b"0123456789").decode()
    inside = f'<Data encoding="base64" compression="zlib:24" checksum="sha1:00">\n {text}\n</Data>'
    content = xisf_bytes(attributes={"location": "embedded"}, inside=inside)
    found = image(tmp_path, content)

    assert (found.block.kind, found.block.data) == ("embedded", b"0123456789")
    assert (found.block.compression, found.block.checksum) == ("zlib", ("sha1", "00"))


@pytest.mark.parametrize(
    ("encoding", "text"), [("base64", base64.b64encode(DATA).decode()), ("hex", DATA.hex())]
)
def test_inline_block(tmp_path, encoding, text):
    content = xisf_bytes(
        "GAIN = 1", attributes={"location": f"inline:{encoding}"}, inside=f"\n {text}\n"
    )

    assert image(tmp_path, content).block.data == DATA


def test_keywords_in_file_order_with_texts_of_history(tmp_path):
    keywords = "IMAGETYP = 'Master Dark'\nHISTORY one\nIMAGETYP = 'DARK'\nHISTORY two"
    found = image(tmp_path, xisf_bytes(keywords))

    assert [(c.keyword, c.value, c.comment) for c in found.keywords] == [
        ("IMAGETYP", "Master Dark", ""),
        ("HISTORY", None, "one"),
        ("IMAGETYP", "DARK", ""),
        ("HISTORY", None, "two"),
    ]


def test_properties(tmp_path):
    properties = {
        "a": ("Float32", "-10.5"),
        "b": ("Int32", "2"),
        "c": ("Boolean", "true"),
        "d": ("TimePoint", "2015-01-23T19:52:31.46Z"),
    }
    inside = (
        '<Property id="e" type="String">child text</Property>'
        f'<Property id="f" type="String" location="inline:base64">'
        f"{base64.b64encode(b'packed').decode()}</Property>"
        '<Property id="g" type="String" location="attachment:1:999999999999"/>'
        '<Property id="h" type="F64Vector" length="3" location="attachment:1:24"/>'
        '<Property id="i" type="String" value=""/>'
        '<Thumbnail geometry="2:2:1" sampleFormat="UInt8" location="attachment:1:4">'
        '<FITSKeyword name="IMAGETYP" value="\'LIGHT\'"/></Thumbnail>'
    )
    found = image(tmp_path, xisf_bytes(properties=properties, inside=inside))

    assert found.properties == {
        "a": -10.5,
        "b": 2,
        "c": True,
        "d": "2015-01-23T19:52:31.46Z",
        "e": "child text",
        "f": "packed",
        "i": "",
    }
    assert found.keywords == []


def test_the_first_image_is_the_frame(read):
    images = (
        '<Image geometry="4:3:1" sampleFormat="UInt16" imageType="Dark"'
        ' location="attachment:4096:24"/>'
        '<Image geometry="9:9:1" sampleFormat="UInt8" imageType="WeightMap"'
        ' location="attachment:4120:81"/>'
    )
    frame = read(xisf_file(images, bytes(105)), "a.xisf").frame

    assert (frame.frame_type, frame.width, frame.status) == ("dark", 4, "used")


def test_file_without_metadata_and_keyword_without_comment(read):
    xml = (
        b'<xisf version="1.0"><Image geometry="4:3:1" sampleFormat="UInt16"'
        b' location="attachment:512:24"><FITSKeyword name="IMAGETYP" value="BIAS"/></Image></xisf>'
    )
    content = (b"XISF0100" + struct.pack("<I4x", len(xml)) + xml).ljust(512, b"\0") + bytes(24)

    assert read(content, "a.xisf").frame.frame_type == "bias"


def test_program_of_the_metadata(read):
    metadata = '<Property id="XISF:CreatorApplication" type="String">PixInsight 1.9.4</Property>'
    pixels = '<Image geometry="4:3:1" sampleFormat="UInt16" location="attachment:4096:24"/>'
    frame = read(xisf_file(pixels, bytes(24), metadata=metadata), "flat.xisf").frame

    assert frame.software == "PixInsight 1.9.4"


def test_truncated_block_keeps_its_fields_and_is_set_aside(read):
    content = xisf_bytes("IMAGETYP = 'DARK'\nEXPTIME = 5")
    frame = read(content[:-5], "a.xisf").frame

    assert (frame.frame_type, frame.exposure_s, frame.status) == ("dark", 5.0, "set_aside")
    assert "truncated: 5 bytes" in str(frame.reason)


def test_offset_beyond_the_file_is_set_aside(read):
    content = xisf_bytes("IMAGETYP = 'DARK'", attributes={"location": "attachment:99999999999:24"})

    assert read(content, "a.xisf").frame.status == "set_aside"


LIES = {
    "entities": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xisf>&b;</xisf>',
    "external entity": b'<!DOCTYPE xisf [<!ENTITY a SYSTEM "file:///etc/passwd">]><xisf>&a;</xisf>',
    "no XML": b"hello",
    "not closed": b"<xisf><Image>",
    "deep": b"<a>" * 100_000,
    "no image": b"<xisf/>",
    "encoding": b'<?xml version="1.0" encoding="latin-9x"?><xisf/>',
}


@pytest.mark.parametrize("lie", LIES)
def test_hostile_xml_is_refused(read, lie):
    xml = LIES[lie]
    with pytest.raises(HeaderError, match=r"a\.xisf"):
        read(b"XISF0100" + struct.pack("<I4x", len(xml)) + xml, "a.xisf")


@pytest.mark.parametrize(
    "attributes",
    [
        {"geometry": "4:3"},
        {"geometry": "4:3:1:1"},
        {"geometry": "0:3:1"},
        {"geometry": "-4:3:1"},
        {"geometry": "4:3:9"},
        {"geometry": "99999999:99999999:1"},
        {"geometry": "9" * 5000 + ":3:1"},
        {"geometry": "٤:3:1"},
        {"sampleFormat": "Int16"},
        {"sampleFormat": ""},
        {"bounds": "a:b"},
        {"bounds": "0:nan"},
        {"location": "attachment:20:24"},
        {"location": "attachment:4096:23"},
        {"location": "attachment:4096"},
        {"location": "attachment:-1:24"},
        {"location": "url(http://example.org/x)"},
        {"location": "path(/etc/passwd)"},
        {"location": "inline:base64"},
        {"location": "inline:rot13"},
        {"location": "embedded"},
        {"compression": "zlib"},
        {"compression": "brotli:24"},
        {"compression": "lz4+sh:24"},
        {"compression": "lz4+sh:24:1000000"},
        {"compression": "lz4:99999999999999999999"},
        {"compression": "lz4:23"},
        {"compression": "lz4:24", "subblocks": "24,12"},
        {"compression": "lz4:24", "subblocks": "x"},
        {"checksum": "crc32:00"},
    ],
)
def test_headers_that_contradict_themselves_are_refused(read, attributes):
    with pytest.raises(HeaderError, match=r"a\.xisf"):
        read(xisf_bytes("IMAGETYP = 'DARK'", attributes=attributes), "a.xisf")


@pytest.mark.parametrize("length", [0, 10**6, MAX_HEADER_BYTES + 1, 2**32 - 1])
def test_header_length_that_is_not(read, length):
    content = bytearray(xisf_bytes())
    content[8:12] = struct.pack("<I", length)

    with pytest.raises(HeaderError, match=r"a\.xisf"):
        read(bytes(content), "a.xisf")


def test_too_many_entries_are_refused(read):
    keywords = b'<FITSKeyword name="A" value="1"/>' * 100_001
    xml = b"<xisf><Image>" + keywords + b"</Image></xisf>"

    with pytest.raises(HeaderError, match="more than 100000"):
        read(b"XISF0100" + struct.pack("<I4x", len(xml)) + xml, "a.xisf")
