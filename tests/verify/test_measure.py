"""What goes into the JSON of a group, and the comparison with the predecessor."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from calibrary.checks import QC_KEYWORDS
from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.records import Calibrator, CalibratorKind, FrameType, Verdict
from calibrary.simulate.defects import Defect
from calibrary.verify.inputs import check_frames
from calibrary.verify.judge import judge
from calibrary.verify.measure import facts, measure, qc_cards
from calibrary.verify.previous import compare_previous

from .groups import SENSOR, plan_of, write_group

BIAS, DARK, FLAT = FrameType.BIAS, FrameType.DARK, FrameType.FLAT


def noise(level, sigma, seed=1):
    return np.random.default_rng(seed).normal(level, sigma, (384, 512)).astype(np.float32)


@pytest.fixture(scope="module")
def dark(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dark")
    plan = write_group(folder, DARK, 12, defects=[Defect("uncovered", 500, 3)])
    inputs = check_frames(plan)
    used = [f.path for f in inputs.used]
    combined = integrate(used, resolve(DARK, len(used), {}))
    return plan, inputs, combined


def test_the_record_is_plain_small_and_complete(dark):
    plan, inputs, combined = dark
    measured = measure(plan, combined.master, combined, inputs, minimum=15, bias_level=500.0)
    text = json.dumps(measured, allow_nan=False)
    assert len(text) < 60_000
    assert json.loads(text) == measured
    assert set(measured) == {"figures", "frames", "plots", "facts"}
    assert measured["figures"]["frames.n"] == 11
    assert measured["figures"]["frames.minimum"] == 15
    assert [f["path"] for f in measured["frames"]] == [f.path for f in plan.frames]
    aside = [f for f in measured["frames"] if f["status"] == "set_aside"]
    assert [f["path"] for f in aside] == [plan.frames[3].path]
    assert aside[0]["reason"]
    assert aside[0]["rejected_fraction"] is None
    assert judge(json.loads(text)) == judge(measured)


def test_frames_that_integration_dropped_have_their_reason(dark):
    plan, inputs, combined = dark
    path = combined.frames[0].path
    lost = replace(combined, frames=combined.frames[1:], dropped=[(path, "gone in between")])
    measured = measure(plan, combined.master, lost, inputs)
    (record,) = [f for f in measured["frames"] if f["path"] == path]
    assert (record["status"], record["reason"]) == ("set_aside", "gone in between")


def test_the_noise_curve_goes_down_as_the_square_root_tells(dark):
    plan, inputs, combined = dark
    curve = measure(plan, combined.master, combined, inputs)["plots"]["noise"]
    assert curve["n"][0] == 1
    assert curve["n"][-1] == 11
    assert curve["measured"] == pytest.approx(curve["predicted"], rel=0.05)
    assert curve["unit"] == "ADU"


def test_header_cards_have_the_figures_that_are_known(dark):
    plan, inputs, combined = dark
    measured = measure(plan, combined.master, combined, inputs, bias_level=500.0)
    cards = {keyword: value for keyword, value, _ in qc_cards(measured)}
    names = {keyword: name for name, (keyword, _) in QC_KEYWORDS.items()}
    assert {"QCLEVEL", "QCRDNOIS", "QCNOISE", "QCHOT", "QCDRATE"} <= set(cards)
    assert all(value == measured["figures"][names[keyword]] for keyword, value in cards.items())


def test_facts_tell_what_the_headers_lack_and_how_the_flat_was_calibrated(tmp_path):
    plan = plan_of([], FLAT, SENSOR)
    plan = replace(
        plan,
        keys=replace(plan.keys, gain=None, temp_c=None),
        calibrator=Calibrator(CalibratorKind.BIAS, reason="no dark-flat"),
    )
    told = facts(plan)
    assert told["missing"] == ["gain", "temperature"]
    assert told["calibrator"] == {"kind": "bias", "reason": "no dark-flat"}
    assert json.loads(json.dumps(told)) == told


def test_equal_darks_do_not_differ_and_a_shift_of_level_is_told_apart():
    figures = {"noise.frame": 5.0}
    same = compare_previous(noise(500, 1), noise(500, 1, 2), DARK, figures)
    assert same["previous.fraction"] == 0.0
    assert same["previous.level"] < 0.1
    moved = compare_previous(noise(510, 1), noise(500, 1, 2), DARK, figures)
    assert moved["previous.fraction"] == 0.0
    assert moved["previous.level"] == pytest.approx(2.0, abs=0.05)
    assert moved["previous.shift"] == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_the_share_of_changed_pixels_is_measured(share):
    new = noise(500, 1)
    rng = np.random.default_rng(5)
    new[rng.random(new.shape) < share] += 50
    found = compare_previous(new, noise(500, 1, 2), DARK, {})
    assert found["previous.fraction"] == pytest.approx(share, rel=0.1)


def test_flats_are_compared_by_shape_not_by_level():
    old = noise(30000, 100)
    new = (1.4 * noise(30000, 100, 2)).astype(np.float32)
    new[100:200, 100:200] *= 0.9
    found = compare_previous(new, old, FLAT, {})
    assert found == {"previous.fraction": pytest.approx(100 * 100 / new.size, rel=0.02)}


def test_a_predecessor_of_another_size_is_not_compared(dark):
    plan, inputs, combined = dark
    measured = measure(plan, combined.master, combined, inputs, previous=noise(500, 1))
    assert not any(name.startswith("previous") for name in measured["figures"])


@pytest.mark.parametrize("count", [4, 9, 30])
@pytest.mark.parametrize("rejection", ["none", "minmax", "percentile", "median", "linear_fit"])
def test_no_method_is_blamed_for_what_it_does_by_design(rejection, count, tmp_path):
    plan = write_group(tmp_path, BIAS, count)
    resolved = resolve(BIAS, count, {"rejection": rejection})
    combined = integrate([f.path for f in plan.frames], resolved)
    inputs = check_frames(plan)
    measured = measure(replace(plan, integration=resolved), combined.master, combined, inputs)
    assert judge(measured).verdict is Verdict.PASS
    assert measured["figures"]["noise.efficiency"] < 1.05


def test_a_median_has_the_noise_of_a_median(tmp_path):
    n = 15
    plan = write_group(tmp_path, BIAS, n)
    resolved = resolve(BIAS, n, {"rejection": "median"})
    combined = integrate([f.path for f in plan.frames], resolved)
    inputs = check_frames(plan)
    measured = measure(replace(plan, integration=resolved), combined.master, combined, inputs)
    true = (combined.master - SENSOR.bias_map).std()
    assert measured["figures"]["noise.master"] == pytest.approx(true, rel=0.03)


def test_a_job_does_not_pay_for_what_it_does_not_need():
    code = (
        "import sys, calibrary.verify.measure, calibrary.verify.judge; "
        "print([m for m in ('pydantic', 'pandas', 'scipy', 'astropy', 'plotly', 'numba') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
