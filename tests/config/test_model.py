"""The configuration: its defaults, its errors, and what is generated from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from calibrary.config import __main__ as generated
from calibrary.config import load_config
from calibrary.config.model import Config, gap_hours
from calibrary.records import CalibraryError

REPO = Path(__file__).resolve().parents[2]
LEAST = {"source": "frames", "library": "masters"}


def test_source_and_library_are_enough():
    config = load_config(LEAST)
    assert config.source == ("frames",)
    assert config.results == "results"
    assert config.session.flat == "3h"
    assert config.frames.minimum.bias == 50
    assert config.tolerance.temperature.flat == 5


def test_a_list_of_sources():
    assert load_config({**LEAST, "source": ["a", "b"]}).source == ("a", "b")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"library": "m"}, "config key 'source' is required"),
        ({**LEAST, "sauce": 1}, "config key 'sauce' is unknown; allowed here: aliases,"),
        ({**LEAST, "frames": {"minimum": {"bais": 3}}}, "'frames.minimum.bais' is unknown"),
        ({**LEAST, "session": {"dark": "soon"}}, "'soon'; allowed: night, none, or a gap such as"),
        ({**LEAST, "frames": {"required": 0}}, "'frames.required' is 0; allowed: greater than"),
        ({**LEAST, "output": {"codec": "rar"}}, "'lz4', 'lz4hc', 'zlib', 'zstd' or 'none'"),
        ({**LEAST, "source": []}, "config key 'source' is []; allowed: a folder, or a list of"),
        ({**LEAST, "source": None}, "'source' is None; allowed: a folder, or a list of folders"),
        ({**LEAST, "source": ""}, "is ''; allowed: a text that is not empty"),
        ({**LEAST, "library": ["a"]}, "'library' is ['a']; allowed: text"),
        ({**LEAST, "session": "night"}, "allowed: keys of its own, bias, dark, darkflat, flat"),
        ({**LEAST, "match": {"ladder": "none"}}, "'none'; allowed: a list, such as [a, b]"),
        ({**LEAST, "use_bias": "maybe"}, "'maybe'; allowed: true or false"),
        ({**LEAST, "aliases": {"camera": "x"}}, "'x'; allowed: pairs, such as {a: b}"),
        ({**LEAST, "frames": {"required": 2.5}}, "2.5; allowed: a whole number"),
    ],
)
def test_an_error_names_key_value_and_what_is_allowed(data, said):
    with pytest.raises(CalibraryError) as caught:
        load_config(data)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_section_given_in_part_keeps_the_defaults_of_the_rest():
    config = load_config({**LEAST, "frames": {"minimum": {"bias": 6}}})
    assert config.frames.minimum.bias == 6
    assert config.frames.minimum.dark == 15


def test_a_section_whose_keys_are_all_comments_has_its_defaults():
    data = yaml.safe_load("{source: a, library: b, session: , frames: {minimum: }}")
    assert load_config(data) == load_config({"source": "a", "library": "b"})


def test_a_home_folder_may_be_written_short(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    config = load_config({"source": "~/frames", "library": "~/masters", "overrides": "~/o.yaml"})
    assert (config.source, config.library) == (("/home/me/frames",), "/home/me/masters")
    assert config.overrides == "/home/me/o.yaml"


def test_all_errors_are_told_at_once():
    with pytest.raises(CalibraryError) as caught:
        load_config({**LEAST, "one": 1, "two": 2})
    assert "'one'" in str(caught.value)
    assert "'two'" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hours"), [("3h", 3), ("7d", 168), ("30min", 0.5), ("1.5 h", 1.5)]
)
def test_gaps(text, hours):
    assert gap_hours(text) == hours


@given(st.text())
def test_any_text_is_a_gap_or_a_value_error(text):
    try:
        hours = gap_hours(text)
    except ValueError:
        return
    assert hours >= 0


def test_the_shipped_file_is_valid_and_says_the_defaults():
    text = (REPO / "config/config.yaml").read_text()
    config = load_config(yaml.safe_load(text))
    assert config == Config(source=config.source, library=config.library)


def test_the_shipped_file_shows_every_key():
    text = (REPO / "config/config.yaml").read_text()
    shown = set(re.findall(r"^(?:# )?([a-z_]+):", text, flags=re.MULTILINE))
    assert set(Config.model_fields) <= shown


def test_what_it_shows_as_comments_is_valid_too():
    lines = (REPO / "config/config.yaml").read_text().splitlines()
    shown = [re.sub(r"^# (?=[a-z_]+:|  )", "", line) for line in lines]
    load_config(yaml.safe_load("\n".join(shown)))


def test_schema_and_reference_are_up_to_date():
    assert (REPO / "config/config.schema.json").read_text() == generated.schema()
    assert (REPO / "docs/configuration.md").read_text() == generated.reference()


def test_the_reference_explains_every_top_level_key():
    text = generated.reference()
    for name in Config.model_fields:
        row = re.search(rf"^\| \**`{name}`\** \|.*\| (\S.+) \|$", text, flags=re.MULTILINE)
        assert row, name
