"""Snakemake's own report: previews and tables with their rules, labels and captions."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def page(space, browser):
    path = space.root / "snakemake.html"
    ended = space.run("--report", str(path))
    assert ended.status == 0, ended.text
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert errors == []


def test_previews_show_and_say_what_they_are(page, space):
    page.get_by_text("Previews", exact=True).click()
    groups = space.table("groups")["group"]
    names = page.locator("td").all_inner_texts()
    assert set(groups) <= set(names)
    page.locator("[iconname=eye]").first.click()
    picture = page.locator("img[src^='data:image/jpeg']").first
    picture.wait_for()
    assert picture.evaluate("i => i.decode().then(() => i.naturalWidth)") > 0
    page.locator("[iconname='information-circle']").first.click()
    page.get_by_text("Preview of the master of group").wait_for()
    assert page.get_by_text("integrate", exact=True).first.is_visible()


def test_tables_have_names_instead_of_paths(page):
    page.get_by_text("Tables", exact=True).click()
    names = page.locator("td").all_inner_texts()
    assert {"Coverage of the library", "Every file found", "Groups and their masters"} <= set(names)
