"""The tests of verification as data: what is measured, where it turns, and who says so.

The config section ``verify`` (`calibrary.config.limits`) and the verdict (`calibrary.verify.judge`)
are both made from this table. It imports next to nothing, so that jobs start fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calibrary.records import CALIBRATION_TYPES, FrameType

BIAS, DARK, DARKFLAT, FLAT = CALIBRATION_TYPES
THERMAL = (DARK, DARKFLAT)
CLOSED = (BIAS, DARK, DARKFLAT)


@dataclass(frozen=True, slots=True)
class Check:
    """A test of one figure against two limits."""

    name: str
    """Dotted; also the name of the figure."""
    types: tuple[FrameType, ...]
    """Masters it is made on."""
    side: Literal["above", "below"]
    """On which side of a limit a figure is bad."""
    warn: float | None
    fail: float | None
    unit: str
    """Empty for a ratio or a share."""
    meaning: str
    """What the figure is."""
    source: str
    """Where the limits come from."""
    message: str
    """What to tell the user; ``{figure}``, ``{limit}`` and ``{unit}`` are filled in."""

    @property
    def key(self) -> str:
        """Name of its limits in the config."""
        return self.name.replace(".", "_")


CHECKS = (
    Check(
        "frames.set_aside",
        CALIBRATION_TYPES,
        "above",
        0.2,
        None,
        "",
        "share of the group's frames that were set aside",
        "own: one bad frame in five is no accident",
        "{figure:.0%} of the frames were set aside; see their reasons",
    ),
    Check(
        "frames.divided",
        CALIBRATION_TYPES,
        "above",
        0.0,
        None,
        "",
        "largest share of frames that differ from the rest in level, noise, temperature or"
        " evenness, where they are too many to be set aside",
        "own: beyond one third nobody can tell which frames are the good ones",
        "{figure:.0%} of the frames differ from the others: two kinds of frames may be mixed",
    ),
    Check(
        "temperature.difference",
        THERMAL,
        "above",
        1.0,
        5.0,
        "°C",
        "largest difference between sensor temperature and the group's temperature",
        "warn: DESI 1 K (BANZAI 0.5 °C); fail: own, dark current then differs by two thirds",
        "the sensor was {figure:.1f} °C off the set temperature; let the cooler settle",
    ),
    Check(
        "inputs.saturated",
        CALIBRATION_TYPES,
        "above",
        0.005,
        0.05,
        "",
        "largest share of saturated samples in a frame that was used",
        "fail: BANZAI 5 %; warn: a tenth of it",
        "{figure:.1%} of a frame's samples are saturated; expose shorter",
    ),
    Check(
        "inputs.clipped",
        CLOSED,
        "above",
        0.001,
        0.2,
        "",
        "share of samples at zero",
        "own: a level cut at zero is biased upward; a Gaussian 3 sigma above zero has 0.13 %",
        "{figure:.2%} of the samples are zero; raise the camera's offset",
    ),
    Check(
        "inputs.noise_ratio",
        CALIBRATION_TYPES,
        "above",
        1.2,
        None,
        "",
        "largest ratio between the noise of one frame and the group's, shot noise allowed for",
        "LSST DMTN-101 allows 5 % above nominal; own allowance for interference",
        "one frame's noise differs from the others' {figure:.2f} times: another gain or mode?",
    ),
    Check(
        "inputs.level_outlier",
        CLOSED,
        "above",
        1.0,
        20.0,
        "σ",
        "largest difference of a frame's level from the group's, in units of a frame's noise",
        "own: frames of one setting differ by far less than their read noise; fail: mixed kinds",
        "one frame's level is {figure:.1f} times the noise away from the others'",
    ),
    Check(
        "inputs.level_drift",
        CLOSED,
        "above",
        1.0,
        10.0,
        "σ",
        "change of level from first to last frame, in units of a frame's noise",
        "own: as for a single frame; ten times as much is light or a warming sensor",
        "the level changes by {figure:.1f} times the noise over the group: light leak or warming?",
    ),
    Check(
        "inputs.leak",
        CLOSED,
        "above",
        0.25,
        10.0,
        "σ",
        "change of large-scale structure from first to last frame, in units of a frame's noise",
        "DESI warns at 0.5 e- of residual background, a quarter of a low read noise",
        "light or glow grows by {figure:.2f} times the noise over the group: cap, shutter, cooler?",
    ),
    Check(
        "inputs.lamp_drift",
        (FLAT,),
        "above",
        0.15,
        None,
        "",
        "change of the flats' level from first to last frame, as a fraction",
        "own: harmless where frames are scaled, but a lamp that drifts may change colour",
        "the flats' level changes by {figure:.0%} over the group: lamp still warming up, or dusk?",
    ),
    Check(
        "inputs.unevenness",
        (FLAT,),
        "above",
        0.02,
        0.2,
        "",
        "largest departure of a used flat's large-scale shape from the group's, as a fraction",
        "AutoWISP rejects flats at 5 %; warn at the depth that shows in a stretched light",
        "the shape of a flat departs by {figure:.1%} from the others': cloud, dew, moving light?",
    ),
    Check(
        "inputs.scale_ratio",
        (FLAT,),
        "above",
        1.0,
        None,
        "",
        "step between the samples of the flats over that of their calibrator's frames, or its"
        " inverse, whichever is above 1",
        "own: of one camera some programs write 12 bits as they are, others shifted to 16",
        "flats and calibrator differ {figure:.0f} times in scale: 12 bits against 16?",
    ),
    Check(
        "level.constant",
        CALIBRATION_TYPES,
        "above",
        None,
        0.95,
        "",
        "share of the master's pixels that equal its median",
        "BANZAI's constant-value test, with room for coarse samples",
        "{figure:.0%} of the pixels have one and the same value; the camera sent no image",
    ),
    Check(
        "level.bias_fraction",
        (BIAS,),
        "above",
        0.1,
        0.3,
        "",
        "median of a bias over full scale",
        "own: camera offsets lie at 0.1 % to 3 % of full scale",
        "a bias at {figure:.0%} of full scale is no bias; check for light and frame type",
    ),
    Check(
        "level.spread",
        (BIAS,),
        "above",
        3.0,
        None,
        "σ",
        "spread of a bias master's pixels, in units of a frame's noise",
        "guide: low standard deviation; own limit",
        "the bias is uneven: its pixels spread by {figure:.1f} times the read noise",
    ),
    Check(
        "level.above_bias",
        THERMAL,
        "below",
        -0.5,
        -5.0,
        "σ",
        "median of the dark less that of the bias, in units of a frame's noise",
        "own: a dark holds its bias; half the read noise for drift of the level",
        "the dark is {figure:.1f} times the noise above its bias: other offset, dark-subtracted?",
    ),
    Check(
        "dark.light",
        THERMAL,
        "above",
        100.0,
        1000.0,
        "ADU/s",
        "median dark signal beyond 3 times a frame's noise, for each second of exposure",
        "own: a sensor that is cooled at all gains below 10 e- a second",
        "the dark gains {figure:.0f} ADU a second above its bias: has it seen light, "
        "or is its scale another?",
    ),
    Check(
        "level.dark_fraction",
        THERMAL,
        "above",
        0.1,
        0.3,
        "",
        "median of a dark over full scale",
        "own: uncovered darks and flats tagged as darks",
        "a dark at {figure:.0%} of full scale has seen light, or is no dark",
    ),
    Check(
        "level.uniformity",
        THERMAL,
        "above",
        0.4,
        None,
        "",
        "large-scale spread of a dark, 90th less 10th percentile over the median",
        "SASpro: 0.4",
        "the dark is uneven by {figure:.0%} of its level: light leak or strong amplifier glow",
    ),
    Check(
        "hot.fraction",
        THERMAL,
        "above",
        0.02,
        None,
        "",
        "share of pixels more than 10 sigma above their surroundings",
        "count as WBPP's automatic cosmetic correction; own limit",
        "{figure:.1%} of the pixels are hot; cool deeper or expose shorter",
    ),
    Check(
        "flat.level_low",
        (FLAT,),
        "below",
        0.2,
        None,
        "",
        "level of the raw flats over full scale",
        "guide: about half of the range; warn below 0.2",
        "the flats reach {figure:.0%} of full scale; about 50 % is best",
    ),
    Check(
        "flat.level_high",
        (FLAT,),
        "above",
        0.75,
        0.9,
        "",
        "level of the raw flats over full scale, brightest colour",
        "guide: about half of the range; sensors turn non-linear near saturation",
        "the flats reach {figure:.0%} of full scale; about 50 % is best",
    ),
    Check(
        "flat.stddev",
        (FLAT,),
        "above",
        0.1,
        0.3,
        "",
        "standard deviation of the master's pixels over full scale, the largest of its colours",
        "guide: below 0.1; fail: own",
        "the flat is uneven: standard deviation {figure:.2f} of full scale",
    ),
    Check(
        "flat.gradient",
        (FLAT,),
        "above",
        0.2,
        None,
        "",
        "linear gradient across the frame, edge to edge, as a fraction of the level",
        "guide: no obvious gradients; own limit, off-centre vignetting reaches 10 %",
        "the flat slopes by {figure:.0%} from edge to edge; light it more evenly",
    ),
    Check(
        "flat.cold_fraction",
        (FLAT,),
        "above",
        0.001,
        None,
        "",
        "share of pixels below half of the flat's median",
        "prose calls them dead; own limit",
        "{figure:.2%} of the pixels get less than half of the light",
    ),
    Check(
        "flat.frame_snr",
        (FLAT,),
        "below",
        50.0,
        10.0,
        "",
        "signal to noise of a single flat, the lowest of its colours",
        "warn: BANZAI rejects flats below 50; fail: own, nothing is left to use",
        "a single flat has a signal to noise of {figure:.0f} only; expose longer",
    ),
    Check(
        "flat.snr",
        (FLAT,),
        "below",
        200.0,
        None,
        "",
        "signal to noise of the master flat, the lowest of its colours",
        "own: it then adds 0.5 % of noise; Siril's authors advise 1000",
        "the master's signal to noise is {figure:.0f}; take more flats",
    ),
    Check(
        "gain.ratio",
        (FLAT,),
        "above",
        1.3,
        None,
        "",
        "measured over stated conversion gain, or its inverse, whichever is above 1",
        "own: photon transfer from pairs is good to a few per cent; EGAIN is nominal",
        "measured and stated e-/ADU differ {figure:.2f} times: is the gain in the header right?",
    ),
    Check(
        "noise.efficiency",
        CALIBRATION_TYPES,
        "above",
        1.2,
        2.0,
        "",
        "noise of the master over that of one frame divided by the root of the frames combined",
        "DMTN-101 asks for 1/√N; own allowance for rejection and drifting patterns",
        "the master's noise is {figure:.2f} times what its frames should give",
    ),
    Check(
        "rejection.excess",
        CALIBRATION_TYPES,
        "above",
        0.1,
        0.5,
        "",
        "share of all samples that rejection removed, less what min/max takes in any case",
        "own: Gaussian noise alone loses 0.1 % to 1 %",
        "{figure:.1%} of all samples were rejected; are the frames alike?",
    ),
    Check(
        "rejection.frame_ratio",
        CALIBRATION_TYPES,
        "above",
        4.0,
        None,
        "",
        "largest share rejected from one frame over the median frame's, at least 0.2 %",
        "ESO drops frames that stand out; own limit",
        "one frame lost {figure:.1f} times as many samples as the others; see the frames",
    ),
    Check(
        "previous.fraction",
        CALIBRATION_TYPES,
        "above",
        0.05,
        None,
        "",
        "share of pixels that differ from the previous master of this setup by 6 sigma, or by 5 %"
        " for a flat, levels set equal",
        "BANZAI: 5 % of the pixels",
        "{figure:.1%} of the pixels differ from the previous master",
    ),
    Check(
        "previous.level",
        CLOSED,
        "above",
        1.0,
        None,
        "σ",
        "change of level since the previous master of this setup, in units of a frame's noise",
        "own: as for frames within a group",
        "the level moved by {figure:.1f} times the noise since the previous master",
    ),
)
"""In the order they are shown."""

QC_KEYWORDS = {
    "level.median": ("QCLEVEL", "[ADU] median of the master"),
    "level.sigma": ("QCSPREAD", "[ADU] spread of the master's pixels"),
    "noise.frame": ("QCRDNOIS", "[ADU] noise of a single frame, from pairs"),
    "noise.master": ("QCNOISE", "[ADU] noise of the master, from halves"),
    "noise.efficiency": ("QCEFFIC", "noise of the master over 1/sqrt(N)"),
    "hot.count": ("QCHOT", "pixels 10 sigma above their surroundings"),
    "dark.rate": ("QCDRATE", "[ADU/s] median dark signal above the bias"),
    "gain.measured": ("QCEGAIN", "[e-/ADU] from pairs of flats"),
    "flat.snr": ("QCSNR", "signal to noise of the master flat"),
    "rejection.fraction": ("QCREJECT", "share of samples rejected"),
    "inputs.step": ("QCSTEP", "[ADU] step between the samples of the frames"),
}
"""Figure to the keyword and comment with which it goes into the header of a master."""
