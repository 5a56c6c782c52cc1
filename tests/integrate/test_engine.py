"""Integration of files: same bits however it is cut up, bad frames left out, flats scaled."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from calibrary.formats.layout import PixelError
from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.integrate.frames import MixedFramesError
from calibrary.integrate.resources import BASE_MB
from calibrary.pixels.reading import FrameReader
from calibrary.records import CalibraryError, FrameType


def settings(frame_type=FrameType.DARK, n=12, **more):
    return resolve(frame_type, n, more)


def noisy(n=12, shape=(61, 83), level=1000, sigma=6, seed=0):
    rng = np.random.default_rng(seed)
    stack = np.round(rng.normal(level, sigma, (n, *shape)))
    stack[rng.random(stack.shape) < 1e-3] = 50000
    return stack.astype(np.uint16)


def test_master_is_the_mean_of_what_is_kept(write_frames):
    stack = noisy(20)
    made = integrate(write_frames(stack), settings(n=20, rejection="sigma"), threads=2)
    assert made.rejected_high >= (stack == 50000).sum()
    assert made.master.shape == (61, 83)
    assert made.master.dtype == np.float32
    assert abs(made.master - 1000).max() < 10
    total = sum(f.rejected_low + f.rejected_high for f in made.frames)
    assert total == made.rejected_low + made.rejected_high
    assert sum(k * pixels for k, pixels in enumerate(made.kept_counts)) == stack.size - total
    hits = (stack == 50000).sum(axis=(1, 2))
    assert all(f.rejected_high >= h for f, h in zip(made.frames, hits, strict=True))


@pytest.mark.parametrize("rejection", ["sigma", "averaged_sigma", "winsorized"])
@pytest.mark.parametrize("flat", [False, True])
def test_same_bits_for_any_threads_and_memory(write_frames, rejection, flat):
    paths = write_frames(noisy(level=20000 if flat else 1000))
    given = settings(rejection=rejection, normalization="multiplicative" if flat else "none")
    more = (
        {"bayer_pattern": "RGGB", "calibrator": np.full((61, 83), 300.3, np.float32)}
        if flat
        else {}
    )
    first = integrate(paths, given, threads=1, **more)
    for threads, mem_mb in ((2, 2000), (16, 2000), (3, BASE_MB), (1, BASE_MB + 1)):
        again = integrate(paths, given, threads=threads, mem_mb=mem_mb, **more)
        assert again.master.tobytes() == first.master.tobytes()
        assert again.halves.differences.tobytes() == first.halves.differences.tobytes()
        assert again.frames == first.frames
        assert again.kept_counts == first.kept_counts


def test_noise_from_halves(write_frames):
    rng = np.random.default_rng(2)
    pattern = rng.normal(1000, 40, (200, 300))
    stack = np.round(pattern + rng.normal(0, 8, (15, 200, 300))).astype(np.uint16)
    made = integrate(write_frames(stack), settings(n=15, rejection="none"))
    noise = made.halves.noise()
    assert list(noise) == [2, 4, 8, 15]
    for n, measured in noise.items():
        assert measured == pytest.approx(8 / np.sqrt(n), rel=0.03)
    assert made.halves.frame_noise() == pytest.approx(8, rel=0.03)
    truth = np.std(made.master - pattern)
    assert noise[15] == pytest.approx(truth, rel=0.03)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [("u1", 0.1), ("i2", 1), ("u2", 1), ("i4", 1), ("u4", 1), ("f4", 1), ("f8", 1)],
)
def test_every_sample_type(write_frames, dtype, scale):
    stack = (np.minimum(noisy(9, level=900), 2000) * scale).astype(dtype)
    made = integrate(write_frames(stack), settings(n=9, rejection="median"))
    np.testing.assert_array_equal(made.master, np.median(stack, axis=0).astype(np.float32))


def test_not_finite_samples(write_frames):
    stack = noisy(8).astype(np.float32)
    stack[2, 4:9, :] = np.nan
    stack[:, 30, 30] = np.inf
    made = integrate(write_frames(stack), settings(n=8, rejection="sigma"))
    assert made.nonfinite == 5 * 83 + 8
    assert made.frames[2].nonfinite == 5 * 83 + 1
    assert np.isfinite(made.master).all()
    assert np.argwhere(~np.isfinite(made.marked)).tolist() == [[30, 30]]
    assert np.argwhere(made.missing).tolist() == [[30, 30]]


def test_blank_samples_are_missing(tmp_path):
    rng = np.random.default_rng(3)
    stack = rng.normal(500, 6, (8, 40, 60)).round().astype(np.int16)
    stack[2, 4:9] = stack[:, 30, 30] = -999
    paths = []
    for number, image in enumerate(stack):
        hdu = fits.PrimaryHDU(image)
        hdu.header["BLANK"] = -999
        paths.append(tmp_path / f"{number}.fits")
        hdu.writeto(paths[-1])
    made = integrate(paths, settings(n=8, rejection="none"))
    good = np.ma.masked_equal(stack, -999).astype(np.float64)
    expected = good.mean(axis=0).filled(np.nan).astype(np.float32)
    np.testing.assert_allclose(made.marked, expected, rtol=1e-7)
    assert made.nonfinite == 5 * 60 + 8


class TestFlats:
    def scene(self, n=10, seed=4):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[-1:1:120j, -1:1:160j]
        shape = 1 - 0.3 * (x**2 + y**2)
        light = rng.uniform(15000, 30000, n)
        signal = light[:, None, None] * shape
        return light, signal, rng

    def test_level_is_kept_and_frames_are_scaled_above_the_calibrator(self, write_frames):
        light, signal, rng = self.scene()
        dark = np.full((120, 160), 1500.0, np.float32)
        stack = np.round(signal + dark + rng.normal(0, 30, signal.shape)).astype(np.uint16)
        given = settings(FrameType.FLAT, 10, normalization="multiplicative")
        made = integrate(write_frames(stack), given, calibrator=dark)
        expected = signal.mean(axis=0)
        assert made.master.mean() == pytest.approx(expected.mean(), rel=1e-3)
        np.testing.assert_allclose(made.master, expected, rtol=0.01)
        scales = np.array([f.scale for f in made.frames])
        np.testing.assert_allclose(scales, light.mean() / light, rtol=2e-3)
        assert made.rejected_high + made.rejected_low < 0.03 * stack.size

    def test_every_colour_of_a_mosaic_has_its_own_scale(self, write_frames):
        _, signal, _ = self.scene(6)
        colour = np.ones((6, 120, 160))
        colour[::2, ::2, 1::2] = 0.5
        stack = np.round(signal * colour).astype(np.uint16)
        given = settings(FrameType.FLAT, 6, normalization="multiplicative", rejection="none")
        made = integrate(write_frames(stack), given, bayer_pattern="RGGB")
        planes = [
            made.master[i::2, j::2] / signal.mean(axis=0)[i::2, j::2]
            for i in (0, 1)
            for j in (0, 1)
        ]
        assert all(np.std(p) / p.mean() < 1e-3 for p in planes)

    def test_dust_hot_pixels_and_saturation_do_not_move_the_level(self, write_frames):
        light, signal, rng = self.scene()
        stack = np.round(signal).astype(np.uint16)
        stack[0, 40:60, 40:60] = 65535
        stack[1, rng.random((120, 160)) < 0.02] = 65535
        stack[2, 70:90, 70:95] //= 2
        given = settings(FrameType.FLAT, 10, normalization="multiplicative")
        made = integrate(write_frames(stack), given)
        scales = np.array([f.scale for f in made.frames])
        np.testing.assert_allclose(scales / scales[5], light[5] / light, rtol=0.02)

    def test_a_flat_without_light_is_dropped(self, write_frames):
        _, signal, _ = self.scene(5)
        stack = np.round(signal).astype(np.uint16)
        stack[3] = 100
        dark = np.full((120, 160), 200.0, np.float32)
        made = integrate(
            write_frames(stack),
            settings(FrameType.FLAT, 5, normalization="multiplicative"),
            calibrator=dark,
        )
        assert len(made.frames) == 4
        assert "no light" in made.dropped[0][1]


class TestBadInput:
    def test_other_size(self, write_frames):
        paths = write_frames(noisy(3)) + write_frames(noisy(1, (60, 83)), "other")
        with pytest.raises(
            CalibraryError, match=r"83 x 61 x 1 \(frame000.*83 x 60 x 1 \(other000\.fits\)"
        ):
            integrate(paths, settings())

    def test_other_sample_format(self, write_frames):
        paths = write_frames(noisy(3)) + write_frames(noisy(1).astype(np.uint8), "other")
        with pytest.raises(CalibraryError, match=r"uint16 \(frame000.*frame002\.fits\).*uint8 \(o"):
            integrate(paths, settings())

    def test_12_bit_beside_shifted_samples(self, write_frames):
        paths = write_frames(noisy(3) // 20) + write_frames(noisy(2) // 20 * 16, "other")
        with pytest.raises(MixedFramesError) as caught:
            integrate(paths, settings())
        plain, shifted = "samples not shifted to 16 bits", "samples of 12 bits shifted up to 16"
        assert caught.value.kinds == {
            plain: [str(path) for path in paths[:3]],
            shifted: [str(path) for path in paths[3:]],
        }
        assert list(caught.value.kinds) == [plain, shifted], "the commonest first"

    def test_normalised_beside_adu(self, write_frames):
        stack = noisy(3).astype(np.float32)
        paths = write_frames(stack) + write_frames(stack[:1] / 65535, "other")
        with pytest.raises(CalibraryError, match=r"ADU \(frame000.*\[0, 1\] \(other000\.fits\)"):
            integrate(paths, settings())

    def test_a_calibrator_of_another_size(self, write_frames):
        with pytest.raises(CalibraryError, match="cannot be subtracted"):
            integrate(write_frames(noisy(3)), settings(), calibrator=np.zeros((5, 5), np.float32))

    def test_truncated_frames_are_dropped(self, write_frames):
        paths = write_frames(noisy(6))
        paths[2].write_bytes(paths[2].read_bytes()[:6000])
        made = integrate(paths, settings(n=6))
        assert len(made.frames) == 5
        assert made.dropped[0][0] == str(paths[2])

    def test_a_frame_lost_half_way_is_dropped_and_the_others_begin_again(
        self, write_frames, monkeypatch
    ):
        paths = write_frames(noisy(6))
        alone = integrate(paths[:4] + paths[5:], settings(n=5), mem_mb=BASE_MB)
        read_rows = FrameReader.read_rows

        def fail(self, first, last, out):
            if self.layout.path == paths[4] and first > 40 and last - first == 1 and first != 60:
                raise PixelError(f"{paths[4]}: gone")
            read_rows(self, first, last, out)

        monkeypatch.setattr(FrameReader, "read_rows", fail)
        made = integrate(paths, settings(n=5), mem_mb=BASE_MB)
        assert made.dropped == [(str(paths[4]), f"{paths[4]}: gone")]
        assert made.master.tobytes() == alone.master.tobytes()

    def test_no_frame_at_all(self, write_frames, tmp_path):
        bad = tmp_path / "bad.fits"
        bad.write_bytes(b"nothing")
        with pytest.raises(CalibraryError, match=r"bad\.fits"):
            integrate([bad], settings())
