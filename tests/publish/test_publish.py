"""Publishing: a master is there whole or not at all, and never instead of one not ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from calibrary.publish.publish import place
from calibrary.records import CalibraryError


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    path = tmp_path / "results/candidate.xisf"
    path.parent.mkdir()
    path.write_bytes(b"new master" * 1000)
    return path


def test_on_one_file_system_nothing_is_copied(candidate, tmp_path):
    target = tmp_path / "library/deep/master.xisf"
    place(candidate, target)
    assert target.samefile(candidate)
    assert [p.name for p in target.parent.iterdir()] == ["master.xisf"]


def test_publishing_again_leaves_no_second_name(candidate, tmp_path):
    target = tmp_path / "library/master.xisf"
    place(candidate, target)
    place(candidate, target)
    assert [p.name for p in target.parent.iterdir()] == ["master.xisf"]
    assert target.read_bytes() == candidate.read_bytes()


def test_the_old_master_is_replaced_and_open_readers_keep_it(candidate, tmp_path):
    target = tmp_path / "library/master.xisf"
    target.parent.mkdir()
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        place(candidate, target)
        assert reader.read() == b"old"
    assert target.read_bytes() == b"new master" * 1000


def test_across_file_systems_the_candidate_becomes_a_link(candidate, tmp_path, monkeypatch):
    def refuse(self, other):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    target = tmp_path / "library/master.xisf"
    place(candidate, target)
    assert target.read_bytes() == b"new master" * 1000
    assert not target.is_symlink()
    assert candidate.is_symlink()
    assert candidate.samefile(target)
    assert sorted(p.name for p in candidate.parent.iterdir()) == ["candidate.xisf"]


def test_a_full_disk_leaves_the_old_master_and_says_so(candidate, tmp_path, monkeypatch):
    target = tmp_path / "library/master.xisf"
    target.parent.mkdir()
    target.write_bytes(b"old")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CalibraryError, match="No space left on device; the library is unchanged"):
        place(candidate, target)
    assert target.read_bytes() == b"old"
    assert [p.name for p in target.parent.iterdir()] == ["master.xisf"]
