"""What `calibrary run` remembers."""

import pytest
import yaml

from calibrary.config import load_config
from calibrary.records import CalibraryError
from calibrary.workflow import settings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_nothing_is_remembered_at_first():
    assert settings.remembered() is None


@pytest.mark.parametrize("name", ["Astro", "a: b # c", "Größe 'x' \"y\"", "C:\\Astro", "!!!X"])
def test_what_a_run_was_given_comes_back(tmp_path, name):
    source, library = tmp_path / name, tmp_path / "lib" / name
    settings.remember([source], library)
    known = settings.remembered()
    assert known == settings.Remembered((str(source),), str(library))
    settings.remember([source, tmp_path], library)
    assert settings.remembered().source == (str(source), str(tmp_path))


def test_the_settings_file_is_a_valid_configuration_with_its_comments(tmp_path):
    settings.remember([tmp_path], tmp_path / "lib")
    text = settings.settings_file().read_text()
    assert "# Rejections are" in text
    config = load_config(yaml.safe_load(text))
    assert config.source == (str(tmp_path),)
    assert (settings.settings_file().parent / "overrides.yaml").is_file()


@pytest.mark.parametrize(
    "before",
    ["source: x\nlibrary: y\n", "source:\n  - a\n  - b\nlibrary: y\n", "library: y\n", "", "{}\n"],
)
def test_all_else_in_the_file_stays(tmp_path, before):
    path = settings.settings_file()
    path.parent.mkdir()
    path.write_text(
        f"{before}\n# mine\nuse_bias: false  # really\n" if before != "{}\n" else before
    )
    settings.remember([tmp_path], tmp_path / "lib")
    data = yaml.safe_load(path.read_text())
    assert data["source"] == str(tmp_path)
    assert data["library"] == str(tmp_path / "lib")
    if before != "{}\n":
        assert "# mine\nuse_bias: false  # really\n" in path.read_text()
        assert set(data) == {"source", "library", "use_bias"}


def test_a_damaged_file_is_named(tmp_path):
    path = settings.settings_file()
    path.parent.mkdir()
    path.write_text("source: [")
    with pytest.raises(CalibraryError, match="mend or delete it"):
        settings.remembered()


def test_each_library_has_a_folder_of_its_own_outside_of_it(tmp_path):
    one, two = tmp_path / "a/Masters", tmp_path / "b/Masters"
    assert settings.state_folder(one) != settings.state_folder(two)
    assert settings.state_folder(one) == settings.state_folder(tmp_path / "a/../a/Masters")
    assert not settings.state_folder(one).is_relative_to(one)
