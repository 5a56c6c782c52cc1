"""The plan of a large library: seconds, and modest memory."""

import random
import time
from datetime import datetime, timedelta

import pytest


@pytest.mark.slow
def test_a_hundred_thousand_frames_in_two_thousand_groups(shoot, plan):
    frames = []
    for night in range(200):
        start = datetime(2024, 1, 1, 18) + timedelta(days=night)

        def at(minutes, start=start):
            return (start + timedelta(minutes=minutes)).isoformat()

        frames += shoot("bias", 50, at(0), 2)
        for k, exposure in enumerate((60.0, 120.0, 300.0)):
            frames += shoot("dark", 50, at(60 + 60 * k), 10, exposure_s=exposure)
        for k, name in enumerate("LRG"):
            frames += shoot("flat", 50, at(500 + 10 * k), 5, filter=name, exposure_s=0.5 + k)
            frames += shoot("dark", 50, at(560 + 10 * k), 5, exposure_s=0.5 + k)
    random.Random(1).shuffle(frames)
    begin = time.process_time()
    groups = plan(frames).groups
    assert time.process_time() - begin < 10
    assert len(groups) == 2000
    flats = [g for g in groups if g.frame_type == "flat"]
    assert len(flats) == 600
    assert {g.calibrator.kind for g in flats} == {"darkflat"}
