"""Which rejection a group gets."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from calibrary.integrate.choice import DEFAULT_LIMITS, Rejection, resolve
from calibrary.records import CalibraryError, FrameType

BIAS, DARK, FLAT = FrameType.BIAS, FrameType.DARK, FrameType.FLAT


@pytest.mark.parametrize(
    ("profile", "frame_type", "n", "expected"),
    [
        ("calibrary", DARK, 2, ("none", 0, 0)),
        ("calibrary", DARK, 5, ("averaged_sigma", 4, 3)),
        ("calibrary", FLAT, 10, ("winsorized", 4, 3)),
        ("calibrary", BIAS, 50, ("sigma", 4, 3)),
        ("anawbpps", DARK, 20, ("linear_fit", 4, 2)),
        ("anawbpps", FLAT, 20, ("linear_fit", 5, 2.5)),
        ("wbpp", DARK, 5, ("percentile", 0.2, 0.1)),
        ("wbpp", FLAT, 15, ("winsorized", 4, 3)),
        ("wbpp", FLAT, 16, ("linear_fit", 5, 4)),
        ("wbpp", BIAS, 100, ("winsorized", 4, 3)),
        ("siril", FLAT, 20, ("winsorized", 3, 3)),
    ],
)
def test_auto(profile, frame_type, n, expected):
    chosen = resolve(frame_type, n, {"profile": profile, "rejection": "auto"})
    assert (chosen["method"], chosen["low"], chosen["high"]) == expected
    assert chosen["definition"] == ("siril" if profile == "siril" else "pixinsight")


@pytest.mark.parametrize("name", DEFAULT_LIMITS)
def test_named_methods_with_limits_of_their_own(name):
    chosen = resolve(DARK, 20, {"rejection": name, "low": 1, "high": None})
    assert (chosen["method"], chosen["low"], chosen["high"]) == (name, 1.0, DEFAULT_LIMITS[name][1])
    assert json.loads(json.dumps(chosen)) == chosen
    assert Rejection.from_dict(chosen).method == name


def test_unknown_names_are_refused_with_what_is_allowed():
    with pytest.raises(CalibraryError, match=r"kappa.*winsorized"):
        resolve(DARK, 20, {"rejection": "kappa"})
    with pytest.raises(CalibraryError, match=r"iraf.*wbpp"):
        resolve(DARK, 20, {"profile": "iraf"})


def test_planning_imports_no_compiler():
    code = (
        "import sys, calibrary.integrate.choice, calibrary.integrate.resources; "
        "print([m for m in ('numba', 'scipy', 'numpy', 'astropy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
