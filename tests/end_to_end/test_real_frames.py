"""The plain command on real frames of an SBIG STL-1001E, against figures measured on them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from observatory import Workspace

from calibrary.pixels.reading import read_image

RETYPE = "retype:\n  - {files: 'flat-*', type: flat}\n"


@pytest.fixture(scope="module")
def stl1001(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The library of the night of 2017-09-08, built with the flats retyped by pattern."""
    space = Workspace(tmp_path_factory.mktemp("stl1001"))
    (space.root / "config").mkdir()
    (space.root / "config/overrides.yaml").write_text(RETYPE)
    (space.root / "config/config.yaml").write_text(
        json.dumps({"source": str(shared_data / "stl1001"), "library": "library"})
    )
    ended = space.run(source=str(shared_data / "stl1001"))
    assert ended.status == 0, ended.text
    return space


def test_without_the_override_the_flats_are_set_aside_with_the_reason(shared_data, tmp_path):
    space = Workspace(tmp_path)
    (space.root / "config").mkdir()
    (space.root / "config/config.yaml").write_text("{}")
    source = str(shared_data / "stl1001")
    ended = space.run("--until", "plan", source=source)
    assert ended.status == 0, ended.text
    import pandas as pd

    frames = pd.read_csv(space.results / "plan/frames.csv", keep_default_na=False)
    flats = frames[frames["path"].str.contains("flat-")]
    assert len(flats) == 10
    assert set(flats["status"]) == {"set_aside"}
    assert flats["reason"].str.contains("[Ll]ight").all()
    assert flats["reason"].str.contains("retype").all()


def test_the_groups_are_those_of_the_night(stl1001):
    groups = stl1001.table("groups")
    built = groups[groups["master"] != ""]
    assert sorted(zip(built["frame_type"], built["n_frames"], strict=True)) == [
        ("bias", 10),
        ("bias", 10),
        ("dark", 11),
        ("flat", 10),
    ]
    singles = groups[groups["master"] == ""]
    assert len(singles) == 11
    assert set(singles["n_frames"]) == {1}
    assert set(singles["verdict"]) == {"warn"}
    assert singles["reason"].str.contains("required").all()


def test_a_second_run_has_nothing_to_do(stl1001, shared_data):
    ended = stl1001.run(source=str(shared_data / "stl1001"))
    assert ended.status == 0
    assert "up to date" in ended.text


def masters(space, kind):
    groups = space.table("groups")
    found = groups[(groups["frame_type"] == kind) & (groups["master"] != "")]
    return {
        round(float(row["temp_c"])): read_image(space.library / row["master"])[0]
        for _, row in found.iterrows()
    }


def test_levels_are_those_measured_on_the_frames(stl1001):
    bias = masters(stl1001, "bias")
    # The figures are means of the median master; rejection of cosmic rays comes close to it.
    assert bias[-5].mean() == pytest.approx(993.1504, abs=0.3)
    assert bias[-10].mean() == pytest.approx(991.8851, abs=0.3)
    dark = masters(stl1001, "dark")[-5]
    assert np.median(dark) - np.median(bias[-5]) == pytest.approx(22.5, abs=1.0)
    flat = masters(stl1001, "flat")[-5]
    assert 18500 < flat.mean() < 19800


def test_cosmic_rays_are_gone_from_the_bias(stl1001, shared_data):
    """They stand in seven of the twenty frames; a mean without rejection keeps them."""
    for temp, name in ((-5, "biases-Neg5"), (-10, "bias-Neg10")):
        frames = [read_image(p)[0] for p in sorted((shared_data / "stl1001").glob(name + "*"))]
        assert len(frames) == 10
        median = np.median(frames, axis=0)
        noise = 6.29
        mean = np.mean(frames, axis=0)
        hit = mean - median > noise
        assert hit.sum() >= 5, "the frames should hold hits that a plain mean keeps"
        master = masters(stl1001, "bias")[temp]
        assert (master - median)[hit].max() < 2 * noise


def test_the_read_noise_is_that_of_the_pair_difference(stl1001):
    groups = stl1001.table("groups")
    for group in groups[(groups["frame_type"] == "bias")]["group"]:
        figures = stl1001.verdict(group)["figures"]
        # 6.29 is a median deviation of whole ADU; the spread without clipping is 6.7.
        assert figures["noise.frame"] == pytest.approx(6.29, rel=0.08)


def test_a_copy_of_a_frame_counts_once(shared_data, tmp_path):
    space = Workspace(tmp_path)
    (space.root / "config").mkdir()
    (space.root / "config/config.yaml").write_text("{}")
    source = tmp_path / "frames"
    source.mkdir()
    originals = sorted((shared_data / "stl1001").glob("biases-Neg5*"))[:4]
    for path in originals:
        shutil.copy2(path, source)
    shutil.copy2(originals[0], source / "biases (1).FIT")
    ended = space.run()
    assert ended.status == 0, ended.text
    assert list(space.table("groups")["n_frames"]) == [4]
    assert sorted(space.table("manifest")["status"]) == ["set_aside", *["used"] * 4]
