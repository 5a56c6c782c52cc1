"""The container FITS: cards as they are found, HDUs, gzip, and files that are broken."""

import gzip

import pytest
from headerfiles import extension_bytes, fits_bytes, header_bytes
from hypothesis import given
from hypothesis import strategies as st

from calibrary.formats.cards import parse_card, parse_cards
from calibrary.formats.fits import first_image, read_fits_hdus
from calibrary.headers.reading import HeaderError
from calibrary.records import UnreachableError

TILES = """
    XTENSION= 'BINTABLE'
    BITPIX = 8
    NAXIS = 2
    NAXIS1 = 8
    NAXIS2 = 3
    PCOUNT = 100
    GCOUNT = 1
    TFIELDS = 1
    ZIMAGE = T
    ZBITPIX = 16
    ZNAXIS = 2
    ZNAXIS1 = 40
    ZNAXIS2 = 30
    ZCMPTYPE= 'RICE_1'
    BZERO = 32768
    IMAGETYP= 'Dark'
    """


@pytest.mark.parametrize(
    ("text", "keyword", "value"),
    [
        ("GAIN    =                  100 / setting", "GAIN", 100),
        ("GAIN    =100", "GAIN", 100),
        ("   GAIN = 100", "GAIN", 100),
        ("ExpTime =                 12.5", "EXPTIME", 12.5),
        ("HIERARCH ExpTime = 12.5", "EXPTIME", 12.5),
        ("HIERARCH ESO DPR TYPE = 'FLAT,LAMP' / type", "ESO DPR TYPE", "FLAT,LAMP"),
        ("CAMERATMP= 12", "CAMERATMP", 12),
        ("SIMPLE  =                    T/CCDSOFT", "SIMPLE", True),
        ("EXPTIME = 6.0D+01", "EXPTIME", 60.0),
        ("EXPTIME = 10,5", "EXPTIME", "10,5"),
        ("OBJECT  = 'no end", "OBJECT", "no end"),
        ("OBJECT  = 'it''s'", "OBJECT", "it's"),
        ("OBJECT  = ''", "OBJECT", ""),
        ("OBJECT  = 'Dark    '", "OBJECT", "Dark"),
        ("OBJECT  = 'a / b' / c", "OBJECT", "a / b"),
        ("OBJECT  = M31 / c", "OBJECT", "M31"),
        ("FILTER  =", "FILTER", None),
        ("CCD-TEMP= Infinity", "CCD-TEMP", "Infinity"),
        ("NUMBER  = 1_000", "NUMBER", "1_000"),
        ("HISTORY a = b", "HISTORY", None),
        ("COMMENT  = T", "COMMENT", None),
        ("        just = words in a blank card", "", None),
    ],
)
def test_cards_as_found(text, keyword, value):
    card = parse_card(text.ljust(80))

    assert (card.keyword, card.value) == (keyword, value)
    assert type(card.value) is type(value)


def test_continue_is_joined():
    lines = [
        "OBJECT = 'a long &'",
        "CONTINUE  'name &'",
        "CONTINUE  'indeed' / at last",
        "GAIN = 1",
    ]
    cards = parse_cards(header_bytes(lines))

    assert [(c.keyword, c.value) for c in cards] == [("OBJECT", "a long name indeed"), ("GAIN", 1)]


@given(st.binary(max_size=400))
def test_any_bytes_are_cards(header):
    for card in parse_cards(header):
        assert card.keyword == card.keyword.upper()
        assert isinstance(card.value, str | int | float | bool | None)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=50))
def test_texts_survive(text):
    quoted = "'" + text.replace("'", "''") + "'"
    card = parse_card(f"OBJECT  = {quoted}")

    assert card.value == text.rstrip()


def test_geometry_and_offsets(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(fits_bytes("BZERO = 32768\nBSCALE = 1.0", width=40, height=30))
    (hdu,) = read_fits_hdus(path)

    assert (hdu.shape, hdu.bitpix, hdu.bzero, hdu.bscale) == ((30, 40), 16, 32768.0, 1.0)
    assert (hdu.header_offset, hdu.data_offset, hdu.data_bytes) == (0, 2880, 2400)
    assert (hdu.missing_bytes, hdu.gzipped, hdu.is_image) == (0, False, True)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_image_in_a_tile_compressed_extension(read, compress):
    primary = fits_bytes("NAXIS = 0\nEXTEND = T\nEXPTIME = 7")
    content = compress(primary + extension_bytes(TILES, bytes(124)))
    frame = read(content, "a.fits.fz" if compress is bytes else "a.fits.gz").frame

    assert (frame.frame_type, frame.width, frame.height) == ("dark", 40, 30)
    assert (frame.sample_format, frame.exposure_s, frame.status) == ("uint16", 7.0, "used")


def test_gzip_gives_the_same_frame_as_the_plain_file(read):
    content = fits_bytes("IMAGETYP = 'Flat'\nEXPTIME = 3", width=500, height=400)
    plain, packed = read(content, "a.fits").frame, read(gzip.compress(content), "a.fits.gz").frame

    assert packed.header_digest == plain.header_digest
    assert (packed.status, packed.exposure_s) == ("used", 3.0)


def test_gzip_of_several_members(read):
    content = fits_bytes("IMAGETYP = 'Flat'", width=500, height=400)
    packed = gzip.compress(content[:10000]) + gzip.compress(content[10000:])

    assert read(packed, "a.fits.gz").frame.status == "used"


def test_plane_of_three_axes_is_an_image(read):
    text = "NAXIS = 3\nNAXIS1 = 4\nNAXIS2 = 3\nNAXIS3 = 1\nIMAGETYP = 'Dark'"
    frame = read(fits_bytes(text)).frame

    assert (frame.channels, frame.status) == (1, "used")


def test_cube_is_set_aside(read):
    text = "NAXIS = 3\nNAXIS1 = 4\nNAXIS2 = 3\nNAXIS3 = 50\nIMAGETYP = 'Dark'"

    assert "cube" in str(read(fits_bytes(text)).frame.reason)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("cut", [1, 3000])
def test_truncated_file_keeps_its_fields_and_is_set_aside(read, compress, cut):
    content = fits_bytes("IMAGETYP = 'Dark'\nEXPTIME = 9", width=1200, height=6)
    end = 2880 + 14400 - cut
    frame = read(compress(content[:end]), "a.fits.gz" if compress is not bytes else "a.fits").frame

    assert (frame.frame_type, frame.exposure_s, frame.status) == ("dark", 9.0, "set_aside")
    assert f"truncated: {cut} bytes" in str(frame.reason)


def test_gzip_cut_in_the_middle_is_set_aside(read):
    import random

    noise = random.Random(1).randbytes(400_000)
    packed = gzip.compress(fits_bytes("IMAGETYP = 'Dark'", width=500, height=400, data=noise))

    assert "truncated" in str(read(packed[:200_000], "a.fits.gz").frame.reason)


def test_missing_padding_is_not_truncation(read):
    content = fits_bytes("IMAGETYP = 'Dark'")

    assert read(content[: 2880 + 24]).frame.status == "used"


def test_odd_bytes_after_the_image_are_ignored(read):
    content = fits_bytes("IMAGETYP = 'Dark'")

    assert read(content + b"XTENSION= garbage" * 500, "a.fits").frame.status == "used"
    assert read(content + b"\0" * 5760, "b.fits").frame.status == "used"


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"S", "not a FITS file", id="one byte"),
        pytest.param(b"II*\0 a TIFF", "not a FITS file", id="TIFF"),
        pytest.param(fits_bytes("")[:300], "truncated", id="cut header"),
        pytest.param(b"SIMPLE  =" + b" " * 6000, "truncated", id="no second block"),
        pytest.param(b"\x1f\x8b", "cannot be read", id="cut gzip magic"),
        pytest.param(gzip.compress(b"hello"), "not a FITS file", id="gzip of text"),
        pytest.param(gzip.compress(fits_bytes(""))[:30], "cannot be read", id="cut gzip"),
        pytest.param(fits_bytes("NAXIS = 0"), "no image", id="NAXIS 0"),
        pytest.param(fits_bytes("NAXIS = 1\nNAXIS1 = 5"), "no image", id="NAXIS 1"),
        pytest.param(fits_bytes("BITPIX = 12"), "BITPIX", id="BITPIX 12"),
        pytest.param(fits_bytes("BSCALE = 1,000E+00"), "BSCALE", id="BSCALE with a comma"),
        pytest.param(fits_bytes("BZERO = NaN"), "BZERO", id="BZERO NaN"),
        pytest.param(
            fits_bytes("").replace(b"NAXIS1  = 4   ", b"NAXIS1  = 4E99"),
            "NAXIS1|impossible",
            id="huge NAXIS1",
        ),
        pytest.param(
            fits_bytes("").replace(b"NAXIS1  = 4 ", b"NAXIS1  = -4"),
            "impossible",
            id="negative NAXIS1",
        ),
        pytest.param(
            fits_bytes("").replace(b"NAXIS   = 2  ", b"NAXIS   = 999"), "NAXIS", id="NAXIS 999"
        ),
    ],
)
def test_broken_files_are_errors_that_name_the_file(read, content, seen):
    with pytest.raises(HeaderError, match=seen) as raised:
        read(content, "broken_dark.fits")
    assert "broken_dark.fits" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_file(tmp_path):
    with pytest.raises(UnreachableError, match="gone"):
        read_fits_hdus(tmp_path / "gone.fits")


def test_header_without_end_is_given_up_soon(tmp_path):
    path = tmp_path / "endless.fits"
    with path.open("wb") as file:
        file.write(b"SIMPLE  =".ljust(80))
        file.truncate(2**33)

    with pytest.raises(HeaderError, match="END"):
        read_fits_hdus(path)


@pytest.mark.parametrize("filler", [b" ", b"\0"])
def test_end_is_a_card_of_its_own(read, filler):
    content = fits_bytes("OBJECT = 'THE END     OF'\nHISTORY END     x\nEXPTIME = 4", data=b"")
    content = content.replace(b"END".ljust(80), b"END".ljust(80, filler)) + bytes(2880)

    assert read(content, "dark.fits").frame.exposure_s == 4.0


def test_very_long_header(read):
    text = "\n".join(["IMAGETYP = 'Dark'", *(f"HISTORY {n}" for n in range(3251)), "EXPTIME = 4"])

    assert read(fits_bytes(text)).frame.exposure_s == 4.0


def test_first_image_needs_one():
    with pytest.raises(HeaderError, match="no image"):
        first_image([], "x.fits")
