"""Bad and odd input frames."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calibrary.records import FrameType, UnreachableError
from calibrary.simulate.defects import Defect
from calibrary.simulate.files import write_fits
from calibrary.simulate.sensor import Sensor
from calibrary.verify.inputs import MAX_SET_ASIDE, check_frames

from .groups import SENSOR, plan_of, write_group

BIAS, DARK, FLAT = FrameType.BIAS, FrameType.DARK, FrameType.FLAT


def write(folder: Path, images) -> list[Path]:
    paths = [folder / f"{i:03}.fits" for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        write_fits(path, np.clip(image, 0, 65535).astype(np.uint16), [])
    return paths


def floats(folder: Path, images) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{i:03}.fits" for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        fits.writeto(path, image)
    return paths


def noise(count, level=500.0, sigma=5.0, shape=(96, 128), seed=1):
    return np.random.default_rng(seed).normal(level, sigma, (count, *shape)).round()


def test_unreadable_files_are_set_aside_with_their_reason_and_the_rest_goes_on(tmp_path):
    plan = write_group(tmp_path, DARK, 8)
    Path(plan.frames[2].path).write_bytes(b"")
    cut = Path(plan.frames[5].path)
    cut.write_bytes(cut.read_bytes()[:20000])
    check = check_frames(plan)
    assert [f.path for f in check.set_aside] == [plan.frames[i].path for i in (2, 5)]
    assert all(f.reason and "\n" not in f.reason for f in check.set_aside)
    assert len(check.used) == 6
    assert check.figures["frames.set_aside"] == pytest.approx(2 / 8)


def test_files_that_are_away_are_no_bad_frames(tmp_path):
    plan = write_group(tmp_path, DARK, 8)
    for frame in plan.frames[5:]:
        Path(frame.path).unlink()
    with pytest.raises(UnreachableError, match=r"there is no such file \(and 2 more frames"):
        check_frames(plan)


def test_a_group_without_any_readable_file_has_no_frame_to_use(tmp_path):
    paths = [tmp_path / f"{i}.fits" for i in range(3)]
    for path in paths:
        path.write_bytes(b"rubbish")
    check = check_frames(plan_of(paths, BIAS, SENSOR))
    assert check.used == []
    assert len(check.set_aside) == 3


def test_a_frame_of_another_size_is_set_aside(tmp_path):
    paths = write(tmp_path, list(noise(5)))
    write_fits(paths[1], noise(1, shape=(48, 64))[0].astype(np.uint16), [])
    check = check_frames(plan_of(paths, BIAS, SENSOR))
    assert [f.path for f in check.set_aside] == [str(paths[1])]
    assert "size" in check.set_aside[0].reason


def test_a_readout_without_image_is_set_aside(tmp_path):
    images = noise(6)
    images[3] = 500
    check = check_frames(plan_of(write(tmp_path, images), BIAS, SENSOR))
    assert [f.path[-8:] for f in check.set_aside] == ["003.fits"]
    assert "no image" in check.set_aside[0].reason


def test_a_camera_of_few_bits_and_little_noise_is_no_broken_one(tmp_path):
    images = noise(20, 10.0, 0.2)
    assert (images == 10).mean() > 0.95
    check = check_frames(plan_of(write(tmp_path, images), BIAS, SENSOR))
    assert check.set_aside == []
    assert np.isfinite(list(check.figures.values())).all()


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("frame_type", [BIAS, DARK, FLAT])
def test_the_smallest_groups_are_looked_at_without_false_alarm(count, frame_type, tmp_path):
    check = check_frames(write_group(tmp_path, frame_type, count))
    assert len(check.used) == count
    assert all(np.isfinite(v) for v in check.figures.values())


@pytest.mark.parametrize("bad", [1, 2, 3, 4])
def test_never_more_than_a_third_is_set_aside(bad, tmp_path):
    images = noise(10)
    images[:bad] += 5000
    check = check_frames(plan_of(write(tmp_path, images), DARK, SENSOR))
    if bad <= MAX_SET_ASIDE * 10:
        assert len(check.set_aside) == bad
        assert check.figures["frames.divided"] == 0
    else:
        assert check.set_aside == []
        assert check.figures["frames.divided"] == pytest.approx(bad / 10)


def test_a_dark_among_flats_and_a_flat_among_darks_are_found(tmp_path):
    images = noise(8, 30000.0, 200.0)
    images[4] = noise(1)[0]
    check = check_frames(plan_of(write(tmp_path / "a", images), FLAT, SENSOR))
    assert [f.path[-8:] for f in check.set_aside] == ["004.fits"]
    images = noise(8)
    images[4] = noise(1, 30000.0, 200.0)[0]
    check = check_frames(plan_of(write(tmp_path / "b", images), DARK, SENSOR))
    assert [f.path[-8:] for f in check.set_aside] == ["004.fits"]


def test_clipped_zeros_are_counted(tmp_path):
    figures = check_frames(plan_of(write(tmp_path, noise(6, 5.0)), BIAS, SENSOR)).figures
    # A Gaussian one sigma above zero, rounded: 18 % at or below half an ADU.
    assert figures["inputs.clipped"] == pytest.approx(0.184, abs=0.01)


def test_colours_of_a_mosaic_have_levels_and_noise_of_their_own(tmp_path):
    sensor = Sensor(256, 192, gain=0.5, bayer_pattern="RGGB", prnu=0)
    check = check_frames(write_group(tmp_path, FLAT, 10, sensor=sensor))
    red, green, also_green, blue = check.plane_levels
    assert red < blue < green
    assert also_green == pytest.approx(green, rel=0.01)
    for level, sigma in zip(check.plane_levels, check.plane_noise, strict=True):
        assert sigma == pytest.approx(np.sqrt((level - 500) / 0.5 + (3.5 / 0.5) ** 2), rel=0.03)


def test_frames_at_many_levels_as_from_twilight_are_alike(tmp_path):
    from calibrary.simulate.scene import Scene

    plans = [
        write_group(tmp_path / str(i), FLAT, 1, scene=Scene(level), seed=i)
        for i, level in enumerate(np.linspace(0.25, 0.6, 12))
    ]
    plan = replace(plans[0], frames=tuple(p.frames[0] for p in plans))
    check = check_frames(plan)
    assert check.set_aside == []
    assert check.figures["inputs.noise_ratio"] < 1.1
    assert check.figures["inputs.unevenness"] < 0.01


def test_what_is_said_does_not_depend_on_threads(tmp_path):
    plan = write_group(tmp_path, DARK, 8, defects=[Defect("uncovered", 500, 2)])
    assert check_frames(plan) == check_frames(replace(plan, threads=4))


def test_unsigned_samples_that_do_not_say_so_are_set_aside(tmp_path):
    paths = write(tmp_path, list(noise(6, 40000.0, 50.0)))
    for path in paths[:2]:
        content = path.read_bytes()
        wrapped = np.frombuffer(content[2880:], ">i2")
        bare = content[:2880].replace(b"BZERO ", b"XZERO ") + (wrapped ^ -0x8000).tobytes()
        path.write_bytes(bare)
    check = check_frames(plan_of(paths, FLAT, SENSOR))
    assert [f.path for f in check.set_aside] == [str(path) for path in paths[:2]]
    assert "BZERO 32768" in check.set_aside[0].reason


@pytest.mark.parametrize(("shift", "step"), [(1, 1.0), (4, 4.0), (16, 16.0)])
def test_samples_of_few_bits_that_were_shifted_show_it(tmp_path, shift, step):
    paths = write(tmp_path, list(noise(5, 300.0, 5.0) * shift))
    assert check_frames(plan_of(paths, BIAS, SENSOR)).figures["inputs.step"] == step


@pytest.mark.parametrize("frame_type", [FrameType.DARK, FrameType.FLAT])
def test_missing_samples_raise_no_false_alarm(frame_type, tmp_path):
    level = 20000.0 if frame_type is FrameType.FLAT else 500.0
    images = noise(12, level=level, sigma=level**0.5).astype(np.float32)
    images *= np.linspace(1.0, 1.1, 12, dtype=np.float32)[:, None, None] if level > 1e4 else 1
    clean = check_frames(plan_of(floats(tmp_path / "clean", images), frame_type, SENSOR))
    images[:, :, :6] = np.nan
    images[3, 40:60, 30:50] = np.nan
    rng = np.random.default_rng(4)
    images[rng.integers(0, 12, 900), rng.integers(0, 96, 900), rng.integers(6, 128, 900)] = np.nan
    found = check_frames(plan_of(floats(tmp_path / "missing", images), frame_type, SENSOR))
    assert len(found.used) == 12
    assert found.figures["frames.divided"] == 0.0
    for name in ("noise.frame", "inputs.noise_ratio"):
        assert found.figures[name] == pytest.approx(clean.figures[name], rel=0.08)
