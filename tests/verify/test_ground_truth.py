"""Nine defects of known strength, and groups without any: what verification says of them.

Figures hold for `groups.SENSOR`: 5 ADU of read noise, 16 frames of 256 × 192 pixels.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.records import FrameType, Verdict
from calibrary.simulate.defects import Defect
from calibrary.simulate.frames import true_master
from calibrary.simulate.scene import Scene
from calibrary.simulate.sensor import Sensor
from calibrary.verify.inputs import check_frames
from calibrary.verify.judge import judge
from calibrary.verify.measure import measure
from calibrary.verify.statistics import clipped_stats

from .groups import EXPOSURE_S, SENSOR, without_temperatures, write_group

BIAS, DARK, DARKFLAT, FLAT = FrameType.BIAS, FrameType.DARK, FrameType.DARKFLAT, FrameType.FLAT
SET_ASIDE = "set aside"


def verify(plan, sensor=SENSOR):
    """Return the names of the tests that are not passed, and the verdict."""
    inputs = check_frames(plan)
    flat = plan.frame_type is FLAT
    pedestal = true_master(sensor, DARKFLAT, exposure_s=EXPOSURE_S[FLAT]) if flat else None
    settings = {"normalization": "multiplicative" if flat else "none"}
    combined = integrate(
        [f.path for f in inputs.used],
        resolve(plan.frame_type, len(inputs.used), settings),
        calibrator=None if pedestal is None else pedestal.astype(np.float32),
        bayer_pattern=sensor.bayer_pattern,
    )
    bias_level = sensor.offset_adu if plan.frame_type in (DARK, DARKFLAT) else None
    measured = measure(plan, combined.master, combined, inputs, bias_level=bias_level)
    judgement = judge(measured)
    found = {t.name for t in judgement.tests if t.verdict is not Verdict.PASS}
    found |= {SET_ASIDE} if inputs.set_aside else set()
    return found, judgement, {**measured, "master": combined.master}


@dataclass(frozen=True)
class Case:
    """A defect, a strength that is too faint to matter, and one at which it must be caught."""

    kind: str
    frame_type: FrameType
    faint: float
    caught: float
    by: str
    """The test that catches it, or that single frames are set aside."""

    def __str__(self):
        return f"{self.kind} in a {self.frame_type}: {self.by} from {self.caught:g}"


TABLE = [
    # Growing light at the edge, ADU: from the size of the read noise on.
    Case("light_leak", DARK, 1.0, 5.0, "inputs.leak"),
    Case("light_leak", BIAS, 1.0, 5.0, "inputs.leak"),
    # Light on one dark, ADU: twice the read noise warns, thrice sets it aside.
    Case("uncovered", DARK, 2.0, 10.0, "inputs.level_outlier"),
    Case("uncovered", DARK, 2.0, 20.0, SET_ASIDE),
    Case("uncovered", DARKFLAT, 2.0, 30000.0, SET_ASIDE),
    # Depth of a cloud in one flat.
    Case("cloud", FLAT, 0.02, 0.04, "inputs.unevenness"),
    Case("cloud", FLAT, 0.02, 0.12, SET_ASIDE),
    # Light lost over the group: frames are scaled, so only much of it is told.
    Case("lamp_drift", FLAT, 0.05, 0.2, "inputs.lamp_drift"),
    # Light lost in the middle of the last flat.
    Case("condensation", FLAT, 0.03, 0.08, "inputs.unevenness"),
    # Warming over the group, °C.
    Case("cooler_failure", DARK, 0.5, 1.5, "temperature.difference"),
    Case("cooler_failure", DARK, 0.5, 1.5, "inputs.leak"),
    Case("cooler_failure", DARK, 0.5, 10.0, "frames.divided"),
    # Factor on the light of one flat at half of full scale.
    Case("saturated", FLAT, 1.3, 2.0, SET_ASIDE),
    # Factor on one hit per cm² and minute; the sensor has 0.7 mm².
    Case("cosmic_ray_storm", DARK, 500.0, 10000.0, "rejection.frame_ratio"),
    # True over stated e-/ADU of one frame.
    Case("wrong_gain", BIAS, 1.1, 1.4, "inputs.noise_ratio"),
    Case("wrong_gain", BIAS, 1.1, 2.0, SET_ASIDE),
    Case("wrong_gain", DARK, 0.9, 0.5, SET_ASIDE),
    Case("wrong_gain", FLAT, 1.2, 1.8, "inputs.noise_ratio"),
]


def told(case: Case, strength: float, folder, seed: int) -> set[str]:
    """Return what is said of a group whose sixth frame, or whole course, has the defect."""
    defects = [Defect(case.kind, strength, 5)]
    return verify(write_group(folder, case.frame_type, defects=defects, seed=seed))[0]


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_a_defect_is_caught_from_its_strength_on_and_not_below(case, tmp_path):
    assert told(case, case.faint, tmp_path / "faint", 1) == set()
    assert case.by in told(case, case.caught, tmp_path / "caught", 1)


@pytest.mark.slow
@pytest.mark.parametrize("case", TABLE, ids=str)
def test_a_defect_is_caught_each_time_whatever_the_noise(case, tmp_path):
    seeds = range(2, 12)
    caught = [case.by in told(case, case.caught, tmp_path / f"c{s}", s) for s in seeds]
    quiet = [not told(case, case.faint, tmp_path / f"f{s}", s) for s in seeds]
    assert all(caught)
    assert sum(quiet) >= 8


def test_all_nine_defects_are_in_the_table():
    assert len({case.kind for case in TABLE}) == 9


def test_a_gain_that_is_wrong_in_every_header_shows_in_the_flats(tmp_path):
    plan = write_group(tmp_path, FLAT, egain=1.5 * SENSOR.gain)
    found, _, measured = verify(plan)
    assert found == {"gain.ratio"}
    assert measured["figures"]["gain.measured"] == pytest.approx(SENSOR.gain, rel=0.02)


def test_a_cooler_failure_shows_where_the_camera_tells_no_temperature(tmp_path):
    plan = write_group(tmp_path, DARK, defects=[Defect("cooler_failure", 2.0)])
    found, _, _ = verify(without_temperatures(plan))
    assert "inputs.leak" in found


@pytest.mark.parametrize(
    ("kind", "frame_type", "strength", "by"),
    [
        ("light_leak", DARK, 400.0, "inputs.leak"),
        ("cooler_failure", DARK, 10.0, "temperature.difference"),
    ],
)
def test_what_would_spoil_the_lights_is_refused(kind, frame_type, strength, by, tmp_path):
    plan = write_group(tmp_path, frame_type, defects=[Defect(kind, strength)])
    _, judgement, _ = verify(plan)
    assert judgement.verdict is Verdict.FAIL
    assert by in {t.name for t in judgement.tests if t.verdict is Verdict.FAIL}


def test_a_whole_group_of_flats_tagged_dark_is_refused(tmp_path):
    flats = write_group(tmp_path, FLAT)
    _, judgement, _ = verify(replace(flats, frame_type=DARK, calibrator=None))
    assert judgement.verdict is Verdict.FAIL
    assert "level.dark_fraction" in {t.name for t in judgement.tests if t.verdict is Verdict.FAIL}


@pytest.mark.parametrize(
    ("frame_type", "light_adu", "verdict"),
    [(DARKFLAT, 10, Verdict.PASS), (DARKFLAT, 300, Verdict.WARN), (DARKFLAT, 3000, Verdict.FAIL)],
)
def test_a_group_that_was_never_covered_is_told_by_its_bias(
    frame_type, light_adu, verdict, tmp_path
):
    lit = replace(SENSOR, offset_adu=SENSOR.offset_adu + light_adu)
    found, judgement, _ = verify(write_group(tmp_path, frame_type, sensor=lit))
    assert judgement.verdict is verdict
    assert found == (set() if verdict is Verdict.PASS else {"dark.light"})


def test_half_a_group_of_flats_tagged_dark_is_refused_and_none_set_aside(tmp_path):
    darks = write_group(tmp_path / "a", DARK, 8)
    flats = write_group(tmp_path / "b", FLAT, 8)
    found, judgement, _ = verify(replace(darks, frames=darks.frames + flats.frames))
    assert judgement.verdict is Verdict.FAIL
    assert {"frames.divided", "inputs.level_outlier"} <= found
    assert SET_ASIDE not in found


def test_flats_that_are_all_saturated_are_refused(tmp_path):
    plan = write_group(tmp_path, FLAT, scene=Scene(1.05, 0.25))
    _, judgement, _ = verify(plan)
    assert judgement.verdict is Verdict.FAIL
    failed = {t.name for t in judgement.tests if t.verdict is Verdict.FAIL}
    assert {"inputs.saturated", "flat.level_high"} <= failed


@pytest.mark.parametrize("frame_type", [BIAS, DARK, DARKFLAT, FLAT])
@pytest.mark.parametrize("count", [4, 16, 40])
def test_noise_follows_the_square_root_law(frame_type, count, tmp_path):
    _, _, measured = verify(write_group(tmp_path, frame_type, count))
    assert measured["figures"]["noise.efficiency"] == pytest.approx(1.0, abs=0.04)


def test_read_noise_in_electrons_is_that_of_the_sensor(tmp_path):
    sensor = replace(SENSOR, row_noise_e=0.0)
    _, _, measured = verify(write_group(tmp_path, BIAS, 16, sensor=sensor))
    assert measured["figures"]["noise.read_e"] == pytest.approx(sensor.read_noise_e, rel=0.02)


def test_dark_rate_is_that_of_the_sensor(tmp_path):
    sensor = replace(SENSOR, glow_e_s=0.0, dark_e_s=0.05)
    _, _, measured = verify(write_group(tmp_path, DARK, 16, sensor=sensor), sensor)
    assert measured["figures"]["dark.rate_e"] == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("bayer", [None, "RGGB"])
@pytest.mark.parametrize("frame_type", [BIAS, DARK, DARKFLAT, FLAT])
def test_a_master_is_as_close_to_the_truth_as_its_noise_tells(frame_type, bayer, tmp_path):
    sensor = replace(SENSOR, bayer_pattern=bayer, row_noise_e=0.0)
    plan = write_group(tmp_path, frame_type, 20, sensor=sensor)
    _, _, measured = verify(plan, sensor)
    truth = true_master(sensor, frame_type, exposure_s=EXPOSURE_S[frame_type])
    error = measured["master"] - truth
    if frame_type is FLAT:
        # Lamp and colours have no true level: each colour is set to its own.
        for k in range(4):
            part = (slice(k // 2, None, 2), slice(k % 2, None, 2))
            scale = np.median(truth[part]) / np.median(measured["master"][part])
            error[part] = measured["master"][part] * scale - truth[part]
    level, spread = clipped_stats(error)
    assert spread == pytest.approx(measured["figures"]["noise.master"], rel=0.05)
    assert abs(level) < 0.15 * spread


def any_sensor(rng) -> Sensor:
    """Return a sensor from the range of cooled cameras in use."""
    return Sensor(
        2 * int(rng.integers(64, 160)),
        2 * int(rng.integers(64, 120)),
        gain=float(rng.uniform(0.2, 2.0)),
        offset_adu=float(rng.uniform(150, 1500)),
        read_noise_e=float(rng.uniform(1.0, 10.0)),
        row_noise_e=float(rng.uniform(0.0, 0.3)),
        offset_jitter_adu=float(rng.uniform(0.0, 0.3)),
        dark_e_s=float(10 ** rng.uniform(-3.5, -1)),
        hot_fraction=float(10 ** rng.uniform(-5, -2.5)),
        glow_e_s=float(rng.uniform(0.0, 0.2)),
        prnu=float(rng.uniform(0.002, 0.01)),
        bayer_pattern=None if rng.random() < 0.6 else "RGGB",
        seed=int(rng.integers(1, 10**6)),
    )


def false_alarms(groups: int, folder) -> list[str]:
    """Return what is said of clean groups of any sensor, type and size that are warned of."""
    alarms = []
    for number in range(groups):
        rng = np.random.default_rng([number, 77])
        sensor = any_sensor(rng)
        frame_type = (BIAS, DARK, DARKFLAT, FLAT)[number % 4]
        scene = Scene(
            float(rng.uniform(0.35, 0.6)),
            float(rng.uniform(0.0, 0.35)),
            float(rng.uniform(0.0, 0.08)),
            int(rng.integers(0, 15)),
            seed=number,
        )
        count = int(rng.integers(3, 40))
        plan = write_group(
            folder / str(number), frame_type, count, sensor=sensor, scene=scene, seed=number
        )
        found, judgement, _ = verify(plan, sensor)
        # Signal to noise of few flats of few electrons is the sensor's, not a false alarm.
        found -= {"flat.snr"}
        if found:
            alarms.append(f"{number} {frame_type} n={count}: {sorted(found)} {judgement.reason}")
        for frame in plan.frames:
            (folder / frame.path).unlink()
    return alarms


def test_clean_groups_are_passed(tmp_path):
    assert false_alarms(40, tmp_path) == []


@pytest.mark.slow
def test_at_most_one_clean_group_in_a_hundred_is_warned_of(tmp_path):
    alarms = false_alarms(400, tmp_path)
    assert len(alarms) <= 4, "\n".join(alarms)
