"""The `siril` profile against Siril itself."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import fits

from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.records import FrameType

SIRIL_NAMES = {"sigma": "sigma", "winsorized": "winsorized", "linear_fit": "linear"}

pytestmark = [
    pytest.mark.siril,
    pytest.mark.skipif(shutil.which("siril-cli") is None, reason="siril-cli is not installed"),
]


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """18 frames of varying light with vignetting, hot pixels and cosmic rays, 16 bit."""
    folder = tmp_path_factory.mktemp("siril")
    rng = np.random.default_rng(11)
    y, x = np.mgrid[-1:1:300j, -1:1:400j]
    paths = []
    for k in range(18):
        light = 12000 * (1 + 0.03 * rng.standard_normal()) * (1 - 0.2 * (x**2 + y**2))
        image = rng.normal(light, np.sqrt(light))
        hit = rng.random(image.shape) < 2e-3
        image[hit] += rng.uniform(200, 40000, hit.sum())
        path = folder / f"frame_{k + 1:05d}.fit"
        fits.writeto(path, np.clip(np.round(image), 1, 65535).astype(np.uint16))
        paths.append(path)
    return paths


def run_siril(folder, name, rejection, low, high, normalization):
    # Siril keeps the levels of frames there, with fewer digits than it first used itself.
    (folder / "frame_.seq").unlink(missing_ok=True)
    script = folder / f"{name}.ssf"
    norm = "-norm=mul" if normalization == "multiplicative" else "-nonorm"
    script.write_text(
        "requires 1.0.0\nsetcompress 0\nset32bits\n"
        f"stack frame_ rej {SIRIL_NAMES[rejection]} {low:g} {high:g} {norm} -out={name}\nclose\n"
    )
    command = ["siril-cli", "-d", str(folder), "-s", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return fits.getdata(folder / f"{name}.fit")


@pytest.mark.parametrize("normalization", ["none", "multiplicative"])
@pytest.mark.parametrize("rejection", SIRIL_NAMES)
@pytest.mark.parametrize("limits", [(3.0, 3.0), (5.0, 4.0)])
def test_pixels_agree(frames, rejection, normalization, limits):
    low, high = limits
    name = f"{rejection}_{normalization}_{low:g}"
    image = run_siril(frames[0].parent, name, rejection, low, high, normalization)
    settings = {"profile": "siril", "rejection": rejection, "low": low, "high": high}
    given = resolve(FrameType.FLAT, 18, {**settings, "normalization": normalization})
    made = integrate(frames, given, threads=2)
    agree = np.abs(made.master / 65535.0 - image) <= 1e-6
    assert made.rejected_low + made.rejected_high > 1000
    assert agree.mean() >= 0.999
