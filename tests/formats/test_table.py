"""One row a format: the scan, headers, pixels and the README follow."""

import inspect
from pathlib import Path, PurePath

import pytest

from calibrary.formats.table import FORMATS, SUFFIXES, Reader, format_of, with_table

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_reader_has_what_a_reader_has(row):
    reader = row.load()
    for name in ("header", "open_pixels"):
        asked = inspect.signature(getattr(Reader, name)).parameters
        assert list(inspect.signature(getattr(reader, name)).parameters) == list(asked)[1:]


def test_a_suffix_is_of_one_format():
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    assert all(suffix == suffix.lower() for suffix in SUFFIXES)
    for row in FORMATS:
        for suffix in row.suffixes:
            assert format_of(PurePath(f"x{suffix.upper()}")) is row


def test_the_readme_names_what_is_read():
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    assert with_table(readme) == readme, "run: python -m calibrary.formats README.md"
    assert all(f"`{suffix}`" in readme for suffix in SUFFIXES)
