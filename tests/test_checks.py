"""The table of tests: complete, readable, and the one place where a test is added."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from calibrary.checks import CHECKS, checks_table
from calibrary.config.limits import limits_model

REPO = Path(__file__).resolve().parents[1]

NEW_ROW = """
[[check]]
name = "level.prime"
title = "Prime level"
types = "bias"
side = "above"
warn = 7.0
unit = "ADU"
meaning = "distance of the level from the next prime number"
source = "own"
message = "the level is {figure:.0f} ADU from a prime number"
remedy = "none"
"""


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.name)
def test_each_row_can_be_read_by_people(check):
    assert check.title[0].isupper()
    for text in (check.meaning, check.message, check.source, check.remedy):
        assert text
        assert "\n" not in text
        assert "|" not in text
    assert (check.warn, check.fail) != (None, None)
    assert check.message.format(figure=0.5, who="x.fits")


def test_names_are_distinct_also_as_keys_of_the_config():
    assert len({c.key for c in CHECKS}) == len(CHECKS) == len({c.title for c in CHECKS})
    assert set(limits_model(CHECKS).model_fields) == {c.key for c in CHECKS}


def test_the_docs_have_the_table():
    assert checks_table() in (REPO / "docs/verification.md").read_text(encoding="utf-8")


def test_a_test_is_added_as_the_architecture_page_says(tmp_path):
    """A row of the table and a figure; then `python -m calibrary.config`: nothing else."""
    page = (REPO / "docs/architecture.md").read_text(encoding="utf-8")
    (words,) = [line for line in page.splitlines() if line.startswith("| add a test of masters")]
    assert "checks.toml" in words
    assert "python -m calibrary.config" in words
    shutil.copytree(
        REPO / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.nb?")
    )
    shutil.copytree(REPO / "docs", tmp_path / "docs")
    table = tmp_path / "src/calibrary/checks.toml"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("[header]", NEW_ROW + "\n[header]"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}

    def python(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    python("-m", "calibrary.config")
    schema = json.loads((tmp_path / "config/config.schema.json").read_text(encoding="utf-8"))
    assert "level_prime" in schema["$defs"]["VerifyLimits"]["properties"]
    for name, said in (("configuration.md", "verify.level_prime"), ("verification.md", "Prime")):
        assert said in (tmp_path / "docs" / name).read_text(encoding="utf-8")
    code = """
from calibrary.config import load_config
from calibrary.verify.judge import judge
config = load_config({"source": "a", "library": "b", "verify": {"level_prime": {"fail": 9}}})
measured = {"figures": {"level.prime": 8.0}, "facts": {"frame_type": "bias"}}
print(judge(measured, config.verify).reason)
measured["figures"]["level.prime"] = 10.0
print(judge(measured, config.verify).verdict.value)
"""
    assert python("-c", code).splitlines() == ["the level is 8 ADU from a prime number", "fail"]
