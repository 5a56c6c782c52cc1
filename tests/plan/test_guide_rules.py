"""The user's guide, rule by rule: each test names the section it takes its rule from.

What the guide asks of pixels (levels, noise, even illumination) is tested with verification.
"""

import dataclasses
import random
from datetime import date
from pathlib import Path, PurePosixPath

import pytest

from calibrary.config import load_config
from calibrary.headers.reading import read_header
from calibrary.library.names import decimal, sanitise
from calibrary.manifest import index_frames
from calibrary.plan.coverage import REFRESH_DAYS, coverage
from calibrary.plan.write import nothing_found
from calibrary.records import Action, CalibratorKind, FrameType, Reason, ReasonCode, Status

NIGHT = "2025-11-10T20:00:00"
SETUP = "Edge_HD_8__QHY600M"


def fits(path: Path, **cards: object) -> Path:
    """Write the smallest FITS image with these cards."""
    values = {"SIMPLE": True, "BITPIX": 16, "NAXIS": 2, "NAXIS1": 4, "NAXIS2": 2, **cards}
    text = ""
    for key, value in values.items():
        shown = "T" if value is True else f"'{value}'" if isinstance(value, str) else str(value)
        text += f"{key.replace('_', '-'):8}= {shown:>20}".ljust(80)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((text + "END").ljust(2880).encode() + bytes(2880))
    return path


def changed(config, **sections):
    return load_config({**config.model_dump(), **sections})


def one(plan):
    (group,) = plan.groups
    return group


def of(plan, kind):
    (group,) = [g for g in plan.groups if g.frame_type == kind]
    return group


class TestOverview:
    """Overview."""

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("telescope", "other"),
            ("camera", "other"),
            ("gain", 1.0),
            ("offset", 1.0),
            ("x_binning", 2),
            ("temp_c", 0.0),
            ("exposure_s", 7.0),
        ],
    )
    def test_frames_are_grouped_by_setup(self, shoot, plan, key, value):
        darks = shoot("dark", 5, NIGHT) + shoot("dark", 5, NIGHT, **{key: value})
        assert len(plan(darks).groups) == 2

    def test_four_types_of_masters_are_made(self, shoot, plan):
        frames = [f for kind in ("bias", "dark", "darkflat", "flat") for f in shoot(kind, 5, NIGHT)]
        # Darks of the flats' exposure, so near them, are dark-flats too: shoot others.
        frames += shoot("dark", 5, NIGHT, exposure_s=120.0)
        made = {g.frame_type for g in plan(frames).groups}
        assert made == {"bias", "dark", "darkflat", "flat"}


class TestPreparation:
    """Preparation."""

    def test_one_source_folder_with_subfolders(self, tmp_path):
        for name in ("bias/a.fits", "darks/deep/er/b.fits"):
            fits(tmp_path / name, IMAGETYP="DARK")
        assert len(index_frames([tmp_path], None)) == 2

    def test_the_example_folders_are_understood_even_without_a_type_in_the_header(self, tmp_path):
        for name in (
            "bias/bias_001.fits",
            "darks/dark_120s_001.fits",
            "darkflats/darkflat_0.5s_001.fits",
            "flats/flat_B_001.fits",
        ):
            fits(tmp_path / name, GAIN=1)
        found = [frame.frame_type for frame in index_frames([tmp_path], None)]
        assert found == ["bias", "darkflat", "dark", "flat"]

    def test_required_and_recommended_keywords_are_read(self, tmp_path):
        frame = read_header(
            fits(
                tmp_path / "x.fits",
                TELESCOP="T",
                INSTRUME="C",
                EXPTIME=1.5,
                SET_TEMP=-10.0,
                IMAGETYP="FLAT",
                GAIN=56,
                OFFSET=10,
                XBINNING=2,
                YBINNING=2,
                FILTER="B",
                DATE_OBS=NIGHT,
            )
        ).frame
        assert (frame.telescope, frame.camera, frame.exposure_s) == ("T", "C", 1.5)
        assert (frame.temp_c, frame.gain, frame.offset) == (-10.0, 56.0, 10.0)
        assert (frame.x_binning, frame.y_binning, frame.filter) == (2, 2, "B")
        assert frame.date_obs.startswith(NIGHT)

    def test_either_temperature_keyword_will_do(self, tmp_path):
        frame = read_header(fits(tmp_path / "x.fits", IMAGETYP="DARK", CCD_TEMP=-9.8)).frame
        assert frame.temp_c == -9.8


class TestMasterTypes:
    """Master Types."""

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("BIAS", "bias"),
            ("Bias Frame", "bias"),
            ("DARK", "dark"),
            ("Dark Frame", "dark"),
            ("FLAT", "flat"),
            ("Flat Frame", "flat"),
        ],
    )
    def test_created_from_imagetyp(self, tmp_path, text, kind):
        frame = read_header(fits(tmp_path / "x.fits", IMAGETYP=text)).frame
        assert (frame.frame_type, frame.status) == (kind, Status.USED)

    def test_bias_temperature_does_not_matter_for_use(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT) + shoot("bias", 20, NIGHT, temp_c=15.0)
        assert of(plan(frames), "flat").calibrator.kind is CalibratorKind.BIAS

    def test_some_prefer_a_bias_of_matching_temperature(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT) + shoot("bias", 20, NIGHT, temp_c=15.0)
        frames += shoot("bias", 20, "2025-11-01T20:00:00", temp_c=-11.0)
        assert "-11C" in of(plan(frames), "flat").calibrator.group

    def test_bias_can_be_skipped_with_a_dark_library(self, shoot, plan, config):
        config = changed(config, use_bias=False)
        frames = shoot("bias", 50, NIGHT) + shoot("flat", 20, NIGHT)
        frames += shoot("dark", 20, "2025-11-01T20:00:00")
        groups = plan(frames, config=config).groups
        assert [g.frame_type for g in groups] == ["dark", "flat"]
        assert groups[1].calibrator.kind is CalibratorKind.DARK

    @pytest.mark.parametrize(("temp_c", "kind"), [(-10.9, "dark"), (-11.1, "none")])
    def test_dark_temperature_matches_within_one_degree(self, shoot, plan, temp_c, kind):
        frames = shoot("flat", 20, NIGHT)
        frames += shoot("dark", 20, "2025-11-01T20:00:00", temp_c=temp_c)
        assert of(plan(frames), "flat").calibrator.kind == kind

    def test_separate_dark_masters_for_temperature_ranges(self, shoot, plan):
        darks = shoot("dark", 20, NIGHT, temp_c=-5.0) + shoot("dark", 20, NIGHT, temp_c=-15.0)
        assert len({g.master for g in plan(darks).groups}) == 2

    def test_darkflat_exposure_matches_the_flats_exactly(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT) + shoot("darkflat", 20, NIGHT, exposure_s=0.51)
        assert of(plan(frames), "flat").calibrator.kind is CalibratorKind.NONE

    @pytest.mark.parametrize(
        ("start", "kind"),
        [
            ("2025-11-10T22:59:00", "darkflat"),
            ("2025-11-10T17:01:00", "darkflat"),
            ("2025-11-10T23:05:00", "none"),
            ("2025-11-10T16:50:00", "none"),
        ],
    )
    def test_darkflats_are_matched_within_three_hours(self, shoot, plan, start, kind):
        frames = shoot("flat", 20, NIGHT) + shoot("darkflat", 20, start)
        assert of(plan(frames), "flat").calibrator.kind == kind

    def test_temperature_of_darkflats_is_matched_by_time(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT) + shoot("darkflat", 20, NIGHT, temp_c=-6.0)
        assert of(plan(frames), "flat").calibrator.kind is CalibratorKind.DARKFLAT

    def test_without_darkflats_a_dark_of_the_same_exposure_is_used(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT) + shoot("dark", 20, "2025-11-01T20:00:00")
        flat = of(plan(frames), "flat")
        assert flat.calibrator.kind is CalibratorKind.DARK
        assert any("no dark-flat" in warning for warning in flat.warnings)

    def test_a_dark_of_a_flats_exposure_is_a_darkflat(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT) + shoot("dark", 20, NIGHT)
        assert of(plan(frames), "darkflat").frames

    @pytest.mark.parametrize("change", [{"gain": 0.0}, {"offset": 0.0}, {"x_binning": 2}])
    @pytest.mark.parametrize(
        ("kind", "start"),
        [("darkflat", NIGHT), ("dark", "2025-11-01T20:00:00"), ("bias", NIGHT)],
    )
    def test_gain_offset_and_binning_are_the_same(self, shoot, plan, kind, start, change):
        flats = shoot("flat", 20, NIGHT)
        assert of(plan(flats + shoot(kind, 20, start)), "flat").calibrator.kind == kind
        other = of(plan(flats + shoot(kind, 20, start, **change)), "flat").calibrator
        assert other.kind is CalibratorKind.NONE

    def test_each_exposure_is_its_own_dark(self, shoot, plan):
        darks = [f for s in (60.0, 120.0, 300.0) for f in shoot("dark", 20, NIGHT, exposure_s=s)]
        assert {g.keys.exposure_s for g in plan(darks).groups} == {60.0, 120.0, 300.0}

    def test_flats_are_calibrated_with_the_darkflat_master(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT) + shoot("dark", 20, NIGHT)
        result = plan(frames)
        assert of(result, "flat").calibrator.master == of(result, "darkflat").master

    def test_flats_of_each_filter_are_their_own_master(self, shoot, plan):
        flats = [f for name in "LRGB" for f in shoot("flat", 20, NIGHT, filter=name)]
        assert len(plan(flats).groups) == 4


class TestFileNaming:
    """File Naming Convention."""

    @pytest.mark.parametrize(
        ("kind", "changes", "name"),
        [
            ("bias", {}, "MasterBias_0s_Gain56_Offset10_1x1_-10C"),
            ("bias", {"exposure_s": 0.00003}, "MasterBias_0s_Gain56_Offset10_1x1_-10C"),
            ("dark", {"exposure_s": 120.0}, "MasterDark_120s_Gain56_Offset10_1x1_-10C"),
            ("darkflat", {"exposure_s": 0.5}, "MasterDarkFlat_0.5s_Gain56_Offset10_1x1_-10C"),
            ("flat", {"filter": "B"}, "MasterFlat_B_Gain56_Offset10_1x1_-10C"),
            (
                "dark",
                {"x_binning": 2, "y_binning": 2, "temp_c": -15.0},
                "MasterDark_0.5s_Gain56_Offset10_2x2_-15C",
            ),
        ],
    )
    def test_the_pattern(self, shoot, plan, kind, changes, name):
        master = PurePosixPath(one(plan(shoot(kind, 5, NIGHT, **changes))).master)
        assert master.name == f"{SETUP}_{name}.xisf"

    @pytest.mark.parametrize(
        ("text", "safe"),
        [
            ('Edge HD 8"', "Edge_HD_8_"),
            ("  Edge HD 8  ", "Edge_HD_8"),
            ("S-II/6", "S-II_6"),
            ("Bin 1x1", "Bin_1x1"),
            ("O[III] 3nm", "O_III__3nm"),
            ("ASI2600", "ASI2600"),
        ],
    )
    def test_character_substitution(self, text, safe):
        assert sanitise(text) == safe

    def test_exposures_are_written_short(self):
        assert [decimal(s) for s in (120.0, 0.5, 0.0)] == ["120", "0.5", "0"]

    def test_unknown_values_have_their_words(self, shoot, plan):
        lost = dict.fromkeys(
            ("telescope", "camera", "gain", "offset", "temp_c", "filter", "date_obs", "night")
        )
        assert one(plan(shoot("flat", 5, None, **lost))).master == (
            "!!!FLATS_LIB/UNKNOWN_TELESCOPE_UNKNOWN_CAMERA/FLATS_NO_DATE/"
            "UNKNOWN_TELESCOPE_UNKNOWN_CAMERA_MasterFlat_NO_FILTER_NO_GAIN_NO_OFFSET_1x1_NO_TEMP"
            ".xisf"
        )

    def test_a_colour_camera_without_filter_is_cfa(self, shoot, plan):
        flats = shoot("flat", 5, NIGHT, filter=None, bayer_pattern="RGGB")
        assert "_MasterFlat_CFA_" in one(plan(flats)).master


class TestOutputStructure:
    """Output Structure."""

    @pytest.mark.parametrize(
        ("kind", "folder"),
        [("bias", "BIASES"), ("dark", "DARKS"), ("darkflat", "DARKFLATS"), ("flat", "FLATS")],
    )
    def test_the_folders(self, shoot, plan, kind, folder):
        parts = PurePosixPath(one(plan(shoot(kind, 5, NIGHT))).master).parts
        assert parts[:3] == (f"!!!{folder}_LIB", SETUP, f"{folder}_2025_11_10")

    def test_the_date_is_that_of_the_groups_first_frame(self, shoot, plan):
        flats = shoot("flat", 5, "2025-11-10T23:59:50")
        assert flats[-1].date_obs.startswith("2025-11-11")
        random.Random(2).shuffle(flats)
        assert "/FLATS_2025_11_10/" in one(plan(flats)).master

    def test_several_nights_have_several_folders(self, shoot, plan):
        darks = [f for day in (10, 11, 12) for f in shoot("dark", 5, f"2025-11-{day}T20:00:00")]
        folders = {PurePosixPath(g.master).parent.name for g in plan(darks).groups}
        assert folders == {"DARKS_2025_11_10", "DARKS_2025_11_11", "DARKS_2025_11_12"}


class TestBestPractices:
    """Best Practices."""

    @pytest.mark.parametrize(
        ("kind", "minimum", "recommended", "optimal"),
        [
            ("bias", 50, 100, 200),
            ("dark", 15, 30, 50),
            ("darkflat", 15, 30, 50),
            ("flat", 20, 30, 50),
        ],
    )
    def test_frame_counts(self, shoot, plan, config, kind, minimum, recommended, optimal):
        counts = config.frames
        assert getattr(counts.minimum, kind) == minimum
        assert getattr(counts.recommended, kind) == recommended
        assert getattr(counts.optimal, kind) == optimal
        few, enough = (one(plan(shoot(kind, n, NIGHT))) for n in (minimum - 1, minimum))
        assert few.action is Action.BUILD, "built, with a warning"
        assert any("fewer than the minimum" in warning for warning in few.warnings)
        assert not any("fewer than the minimum" in warning for warning in enough.warnings)

    def test_flats_can_be_used_from_a_range_of_five_degrees(self, shoot, plan):
        near = shoot("flat", 10, NIGHT, temp_c=-10.0) + shoot("flat", 10, NIGHT, temp_c=-5.0)
        far = shoot("flat", 10, NIGHT, temp_c=-10.0) + shoot("flat", 10, NIGHT, temp_c=-4.0)
        assert (len(plan(near).groups), len(plan(far).groups)) == (1, 2)

    def test_the_refresh_schedule(self, shoot, plan, config):
        assert REFRESH_DAYS == {"bias": 60, "dark": 30, "darkflat": 1, "flat": 1}
        result = plan(shoot("dark", 30, NIGHT))
        groups = [{**g.to_dict(), "n_frames": len(g.frames)} for g in result.groups]
        verdicts = {g["group"]: {"verdict": "pass", "master": g["master"]} for g in groups}
        for day, stale in ((date(2025, 12, 9), False), (date(2025, 12, 20), True)):
            table = coverage(groups, [], config, verdicts, day)
            assert bool(table[table["frame_type"] == "dark"]["stale"].item()) is stale

    def test_flats_of_two_sessions_are_not_mixed(self, shoot, plan):
        flats = shoot("flat", 20, NIGHT) + shoot("flat", 20, "2025-11-11T20:00:00")
        assert len(plan(flats).groups) == 2

    def test_xisf_is_the_format_and_fits_is_supported(self, config):
        assert config.output.format == "xisf"
        assert changed(config, output={"format": "fits"}).output.format == "fits"


class TestTroubleshooting:
    """Troubleshooting."""

    def test_no_calibration_files_found_names_the_types_seen(self, tmp_path, config):
        fits(tmp_path / "a.fits", IMAGETYP="Light Frame")
        text = nothing_found(index_frames([tmp_path], None), config)
        assert "no calibration files found" in text
        assert "Light Frame" in text

    def test_darks_a_tenth_of_a_degree_apart_are_one_group(self, shoot, plan):
        darks = [f for t in (-10.0, -10.1, -10.2) for f in shoot("dark", 5, NIGHT, temp_c=t)]
        random.Random(3).shuffle(darks)
        assert len(plan(darks).groups) == 1

    def test_darks_two_degrees_apart_are_two_groups(self, shoot, plan):
        darks = shoot("dark", 5, NIGHT, temp_c=-10.0) + shoot("dark", 5, NIGHT, temp_c=-12.0)
        assert len(plan(darks).groups) == 2

    def test_bias_is_grouped_by_bins_of_three_degrees(self, shoot, plan):
        near = shoot("bias", 5, NIGHT, temp_c=-10.0) + shoot("bias", 5, NIGHT, temp_c=-7.5)
        far = shoot("bias", 5, NIGHT, temp_c=-10.0) + shoot("bias", 5, NIGHT, temp_c=-6.0)
        assert (len(plan(near).groups), len(plan(far).groups)) == (1, 2)

    def test_spelling_of_telescope_and_camera_is_case_sensitive(self, shoot, plan):
        darks = shoot("dark", 5, NIGHT, camera="QHY600M")
        darks += shoot("dark", 5, NIGHT, camera="qhy600m")
        assert len(plan(darks).groups) == 2

    def test_light_frames_are_not_mixed_with_darks(self, shoot, plan):
        lights = shoot(
            "light", 5, NIGHT, status=Status.SET_ASIDE, reason=Reason(ReasonCode.LIGHT, "a light")
        )
        assert len(one(plan([*shoot("dark", 5, NIGHT), *lights])).frames) == 5

    @pytest.mark.parametrize(("n", "megapixels"), [(50, (5496, 3672)), (100, (9576, 6388))])
    def test_memory_does_not_grow_as_the_guide_fears(self, shoot, plan, n, megapixels):
        width, height = megapixels
        group = one(plan(shoot("dark", n, NIGHT, width=width, height=height)))
        assert group.mem_mb < 4000, "the guide asks for 16 and 48 GB"

    def test_darkflats_after_the_flats_are_preferred(self, shoot, plan):
        frames = shoot("flat", 20, NIGHT)
        frames += shoot("darkflat", 16, "2025-11-10T19:00:00")
        frames += shoot("darkflat", 17, "2025-11-10T22:30:00")
        result = plan(frames)
        chosen = of(result, "flat").calibrator.group
        assert [len(g.frames) for g in result.groups if g.group == chosen] == [17]

    def test_without_temperature_all_are_one_group_called_no_temp(self, shoot, plan):
        darks = shoot("dark", 20, NIGHT, temp_c=None, set_temp_c=None)
        group = one(plan(darks))
        assert group.master.endswith("_NO_TEMP.xisf")
        assert any("temperature unknown" in warning for warning in group.warnings)

    def test_a_corrupted_file_does_not_stop_the_others(self, tmp_path, plan):
        for k in range(4):
            fits(tmp_path / f"{k}.fits", IMAGETYP="DARK", EXPTIME=1.0, DATE_OBS=f"{NIGHT[:-1]}{k}")
        (tmp_path / "3.fits").write_bytes(b"not FITS")
        result = plan(index_frames([tmp_path], None))
        assert len(one(result).frames) == 3
        assert [f.status for f in result.frames].count(Status.SET_ASIDE) == 1


class TestAdvancedTopics:
    """Advanced Topics."""

    PLACE = (
        f"!!!DARKS_LIB/{SETUP}/DARKS_2025_11_01/"
        f"{SETUP}_MasterDark_0.5s_Gain56_Offset10_1x1_-10C.xisf"
    )

    def test_existing_masters_are_found_and_used(self, shoot, plan, shelve):
        master = shelve("dark", self.PLACE, "2025-11-01T20:00:00")
        flat = one(plan(shoot("flat", 20, NIGHT), [master]))
        assert flat.calibrator.master == self.PLACE

    @pytest.mark.parametrize(
        "change",
        [{"gain": 0.0}, {"offset": 0.0}, {"x_binning": 2}, {"temp_c": 0.0}, {"exposure_s": 9.0}],
    )
    def test_existing_masters_are_used_only_if_parameters_match(self, shoot, plan, shelve, change):
        master = shelve("dark", self.PLACE, "2025-11-01T20:00:00", **change)
        flat = one(plan(shoot("flat", 20, NIGHT), [master]))
        assert flat.calibrator.kind is CalibratorKind.NONE

    def test_valid_masters_are_not_made_again(self, shoot, plan, published):
        darks = shoot("dark", 20, NIGHT)
        assert one(plan(darks, published(plan(darks)))).action is Action.REUSE

    def test_a_master_is_never_an_input(self, shoot, plan):
        master = shoot("master", 1, NIGHT, master_of=FrameType.DARK, status=Status.IGNORED)
        used = [dataclasses.replace(m, status=Status.USED) for m in master]
        assert len(one(plan([*shoot("dark", 5, NIGHT), *master, *used])).frames) == 5
