"""The results folder read back: what was built in this run, what was set aside and why."""

import json
import os

from calibrary.records import Reason, ReasonCode, Verdict
from calibrary.report.results import Results, SetAside, read_results


def test_every_group_has_its_fate(fake):
    found = read_results(fake.results)
    assert found.count(outcome="published") == 17
    assert found.count(outcome="reused") == 1
    assert found.count(outcome="refused") == 1
    assert found.count(outcome="not_built", verdict=Verdict.WARN) == 1
    assert {m.plan.group for m in found.masters} == {p.group for p in fake.groups}


def test_masters_are_ordered_by_setup_type_and_exposure(fake):
    found = read_results(fake.results).masters
    assert [m.plan.setup for m in found] == sorted(m.plan.setup for m in found)
    first = [m.plan for m in found if m.plan.setup == found[0].plan.setup]
    names = ["bias", "dark", "dark", "dark", "darkflat", "flat", "flat", "flat"]
    assert [p.frame_type for p in first] == names
    assert [p.keys.exposure_s for p in first][1:4] == [60.0, 120.0, 300.0]


def test_masters_of_earlier_runs_are_up_to_date(make_results):
    fake = make_results(5)
    start = 2_000_000_000.0
    for i, plan in enumerate(fake.groups):
        when = start - 100 if i < 3 else start + 100
        os.utime(fake.results / "candidates" / f"{plan.group}.json", (when, when))
    found = read_results(fake.results, since=start)
    assert found.count(outcome="reused") == 3
    assert found.count(built=True) == 2
    assert found.bytes_read == sum(m.bytes_read for m in found.masters if m.built)
    assert read_results(fake.results).count(built=True) == 5


def test_set_aside_frames_come_from_plan_and_verification(fake):
    found = read_results(fake.results).set_aside
    candidates = [json.loads(p.read_text()) for p in (fake.results / "candidates").iterdir()]
    aside = sum(f["status"] == "set_aside" for c in candidates for f in c["frames"])
    assert len(found) == aside + 3


def test_reasons_are_counted_by_their_code():
    reasons = (
        Reason(ReasonCode.DAMAGED, "is empty", "copy it again"),
        Reason(ReasonCode.TRUNCATED, "4 bytes are missing", "copy it again"),
        Reason(ReasonCode.TRUNCATED, "in other words", "copy it again"),
    )
    aside = tuple(SetAside(f"/d/{i}.fits", "flat", reason) for i, reason in enumerate(reasons))
    found = Results((), aside, 3, ())
    assert found.reasons() == [
        ("4 bytes are missing; copy it again", 2),
        ("is empty; copy it again", 1),
    ]
