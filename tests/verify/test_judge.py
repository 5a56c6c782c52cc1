"""Verdicts from figures and limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibrary.checks import CHECKS, QC_KEYWORDS
from calibrary.config import load_config
from calibrary.config.limits import Limit, VerifyLimits
from calibrary.records import CALIBRATION_TYPES, CalibraryError, Verdict
from calibrary.verify.judge import judge

CONFIG = {"source": "a", "library": "b"}


def measured(frame_type="dark", calibrator=None, missing=(), **figures):
    return {
        "figures": {name.replace("__", "."): value for name, value in figures.items()},
        "facts": {"frame_type": frame_type, "missing": list(missing), "calibrator": calibrator},
    }


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.name)
def test_each_test_turns_exactly_at_its_limits(check):
    step = 1e-6 if check.side == "above" else -1e-6
    order = [(check.warn, Verdict.WARN), (check.fail, Verdict.FAIL)]
    for limit, verdict in order:
        if limit is None:
            continue
        for figure, expected in ((limit + step, verdict), (limit, None)):
            record = measured(check.types[0].value, **{check.name.replace(".", "__"): figure})
            (test,) = [t for t in judge(record).tests if t.name == check.name]
            assert test.figure == figure
            assert test.unit == check.unit
            assert test.source == check.source
            if expected is None:
                assert test.verdict is not verdict
            else:
                assert (test.verdict, test.limit) == (expected, limit)
                assert test.message
                assert "\n" not in test.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.name)
def test_fail_lies_beyond_warn_and_the_config_knows_the_test(check):
    if None not in (check.warn, check.fail):
        assert (check.fail > check.warn) == (check.side == "above")
    assert getattr(VerifyLimits(), check.key) == Limit(warn=check.warn, fail=check.fail)
    description = VerifyLimits.model_fields[check.key].description
    assert check.source in description
    assert check.unit in description


def test_every_limit_of_the_config_belongs_to_a_test():
    assert set(VerifyLimits.model_fields) == {c.key for c in CHECKS}


def test_a_side_that_the_user_leaves_out_keeps_its_default_and_null_switches_off():
    limits = load_config(
        {**CONFIG, "verify": {"noise_efficiency": {"warn": 3}, "hot_fraction": {"warn": None}}}
    ).verify
    assert limits.noise_efficiency == Limit(warn=3, fail=2.0)
    assert limits.hot_fraction == Limit()
    record = measured(noise__efficiency=1.9, hot__fraction=0.9)
    assert judge(record).verdict is Verdict.WARN
    assert judge(record, limits).verdict is Verdict.PASS
    assert judge(record, limits.model_dump()).verdict is Verdict.PASS


def test_a_misspelt_limit_is_refused_by_name():
    with pytest.raises(CalibraryError, match="noise_eficiency"):
        load_config({**CONFIG, "verify": {"noise_eficiency": {"warn": 3}}})


def test_few_frames_are_a_warning_with_both_numbers():
    judgement = judge(measured(frames__n=9, frames__minimum=15))
    assert judgement.verdict is Verdict.WARN
    assert "9 frames" in judgement.reason
    assert "15" in judgement.reason
    assert judge(measured(frames__n=9, frames__minimum=15), minimum=9).verdict is Verdict.PASS


@pytest.mark.parametrize("kind", ["dark", "library", "bias", "none"])
def test_each_step_down_from_the_dark_flat_is_a_warning_with_its_reason(kind):
    calibrator = {"kind": kind, "reason": "no dark-flat of 2 s within 3 h"}
    judgement = judge(measured("flat", calibrator))
    assert judgement.verdict is Verdict.WARN
    assert "no dark-flat of 2 s within 3 h" in judgement.reason
    best = {"kind": "darkflat", "reason": ""}
    assert judge(measured("flat", best)).verdict is Verdict.PASS


def test_unknown_settings_are_a_warning_that_names_them():
    assert "gain, date" in judge(measured(missing=["gain", "date"])).reason


def test_figures_of_other_types_and_unknown_ones_are_not_judged():
    record = measured("bias", hot__fraction=1.0, noise__efficiency=float("nan"), level__x=1e9)
    assert judge(record).verdict is Verdict.PASS


def test_the_reason_tells_the_worst_in_one_line():
    judgement = judge(
        measured(
            "flat",
            noise__efficiency=5.0,
            flat__level_high=0.99,
            inputs__saturated=0.9,
            flat__stddev=0.4,
            flat__gradient=0.5,
        )
    )
    assert judgement.verdict is Verdict.FAIL
    assert "and 1 more" in judgement.reason
    assert "\n" not in judgement.reason
    assert "slopes" not in judgement.reason


@given(
    st.sampled_from([t.value for t in CALIBRATION_TYPES]),
    st.dictionaries(
        st.sampled_from([c.name for c in CHECKS]),
        st.floats(allow_nan=True, allow_infinity=True) | st.none(),
    ),
)
def test_the_verdict_is_that_of_the_worst_test(frame_type, figures):
    record = measured(frame_type)
    record["figures"] = figures
    judgement = judge(record)
    rank = [Verdict.PASS, Verdict.WARN, Verdict.FAIL]
    worst = max((rank.index(t.verdict) for t in judgement.tests), default=0)
    assert rank.index(judgement.verdict) == worst
    assert bool(judgement.reason) == (worst > 0)


def test_header_keywords_are_short_and_distinct():
    keywords = [keyword for keyword, _ in QC_KEYWORDS.values()]
    assert len(set(keywords)) == len(keywords)
    assert all(len(k) <= 8 and k.startswith("QC") for k in keywords)
    assert all(len(c) <= 46 for _, c in QC_KEYWORDS.values())
