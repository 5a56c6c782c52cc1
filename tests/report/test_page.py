"""The page as a file: complete, small, the same each time, and deaf to hostile text."""

import base64
import gzip
import json
import os
from html.parser import HTMLParser

import pytest

from calibrary.config.model import Frames
from calibrary.records import CalibraryError
from calibrary.report.attention import remedy
from calibrary.report.page import write_report
from calibrary.report.results import read_results

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror='alert(1)'></script><!--"


class Page(HTMLParser):
    """Elements and text of a page; what is unfolded later is read as well."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.data = [], [], []
        self._script = None
        self.feed(html.replace("<wbr>", ""))  # a place to break a line is no text

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._script = dict(attributes) if tag == "script" else None

    def handle_endtag(self, tag):
        self._script = None if tag == "script" else self._script

    def handle_data(self, data):
        if self._script is None:
            self.text.append(data)
        elif self._script.get("class") == "packed":
            packed = json.loads(gzip.decompress(base64.b64decode(data)))
            inner = Page(packed.get("html", ""))
            self.elements += inner.elements
            self.text += inner.text
            self.data.append(packed["charts"])

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def says(self, text):
        return text in " ".join(" ".join(self.text).split())


def written(fake, folder, **arguments):
    path = folder / "report.html"
    write_report(fake.results, fake.library, path, **arguments)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(fake, tmp_path_factory):
    return written(
        fake, tmp_path_factory.mktemp("page"), masters=fake.masters, generated="2026-11-23 06:50"
    )


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_every_master_is_there_with_what_was_found(page, fake):
    for plan, record in zip(fake.groups, fake.records, strict=True):
        assert page.says(plan.group)
        assert page.says(record["reason"])
        for test in record["tests"]:
            assert page.says(test["name"])
    rows = [e for e in page.all("tr") if e.get("class") == "master"]
    assert len(rows) == len(fake.groups)


def test_the_summary_counts(page):
    tally = " ".join(" ".join(page.text).split()).split("Summary ", 1)[1].split("Needs", 1)[0]
    # 20 masters: index 3, 6 and 15 warn, 9 is up to date, 12 failed, 15 has too few frames.
    for told in ("Built 18", "Up to date 1", "Warned 3", "Failed 1", "Not built 1"):
        assert told in tally


def test_set_aside_frames_are_there_with_their_reasons(page):
    for text in ("truncated: 51 of 52 MB", "zero length", "broken_1.fits", "level 14 % below"):
        assert page.says(text)
    assert not page.says("notes.txt")


def test_the_match_is_explained(page):
    assert page.says("Subtracted: MasterDarkFlat.xisf (Dark-flat).")
    assert page.says("exposure 60 s against the flat's 2.31845 s: +57.68 s, tolerance 0.06 s")
    assert page.says("take dark-flats of exactly the flat's exposure")
    assert page.says("11 more candidates: see matches.json")


def test_frame_counts_are_held_against_the_table(fake, tmp_path, page):
    assert page.says("100 recommended")
    strict = dict.fromkeys(("bias", "dark", "darkflat", "flat"), 9999)
    counts = Frames.model_validate(dict.fromkeys(("minimum", "recommended", "optimal"), strict))
    page = Page(written(fake, tmp_path, frames=counts))
    assert page.says("100 below minimum")


def test_charts_hold_the_measured_data(page, fake):
    histograms = [data["histogram"] for data in page.data if "histogram" in data]
    built = [record for record in fake.records if record["outcome"] != "too_few"]
    assert len(histograms) == len(built)
    assert all(len(h["edges_adu"]) == len(h["counts"]) + 1 for h in histograms)
    trends = [data["trend"] for data in page.data if "trend" in data]
    assert [len(setup) for setup in trends] == [4, 4]
    assert all(len(t["series"][0]["points"]) == 24 for setup in trends for t in setup)


def test_nothing_is_fetched(page):
    for tag in ("img", "script", "link", "iframe", "object", "source"):
        for attributes in page.all(tag):
            for name in ("src", "href", "srcset", "data"):
                assert attributes.get(name, "data:").startswith("data:")
    assert all(link["href"].startswith("#") for link in page.all("a"))


def test_the_same_results_give_the_same_bytes(fake, html, tmp_path):
    again = written(fake, tmp_path, masters=fake.masters, generated="2026-11-23 06:50")
    assert again == html
    assert "06:50" not in written(fake, tmp_path)


def test_hostile_text_is_only_text(make_results, tmp_path):
    clean = Page(written(make_results(8), tmp_path))
    fake = make_results(8, text=HOSTILE, reason=HOSTILE)
    html = written(fake, tmp_path)
    page = Page(html)
    for tag in ("script", "img", "iframe"):
        assert len(page.all(tag)) == len(clean.all(tag))
    assert not [e for e in page.elements if any(name.startswith("on") for name in e[1])]
    assert "<script>alert" not in html
    assert page.says("<script>alert(1)</script>")


def test_names_that_are_no_utf8_do_not_stop_the_report(make_results, tmp_path):
    fake = make_results(3)
    table = fake.results / "plan" / "frames.csv"
    table.write_bytes(table.read_bytes() + b"/data/b\xe4d.fits" + b"," * 40 + b"\n")
    record = fake.results / "candidates" / f"{fake.groups[0].group}.json"
    data = json.loads(record.read_text())
    data["frames"][0]["path"] = os.fsdecode(b"/data/b\xe4d.fits")
    record.write_text(json.dumps(data))
    assert Page(written(fake, tmp_path)).says("frames set aside") is False


def test_a_group_without_a_verdict_is_told_as_failed(make_results, tmp_path):
    fake = make_results(4)
    for folder in ("verify", "candidates"):
        (fake.results / folder / f"{fake.groups[1].group}.json").unlink()
    page = Page(written(fake, tmp_path))
    assert page.says("not built in this run")
    row = next(e for e in page.all("tr") if e.get("id") == f"m-{fake.groups[1].group}")
    assert (row["data-verdict"], row["data-outcome"]) == ("fail", "not_built")


def test_a_damaged_preview_is_left_out(make_results, tmp_path):
    fake = make_results(2)
    (fake.results / "previews" / f"{fake.groups[0].group}.jpg").write_bytes(b"")
    page = Page(written(fake, tmp_path))
    assert page.says("no preview")
    assert sum("src" in image for image in page.all("img")) == 1


def test_an_empty_plan_says_so(make_results, tmp_path):
    page = Page(written(make_results(0), tmp_path))
    assert page.says("No master was planned")


def test_what_is_missing_or_damaged_is_named(fake, tmp_path):
    with pytest.raises(CalibraryError, match=r"groups\.json: not found; run the workflow"):
        write_report(tmp_path, tmp_path, tmp_path / "report.html")
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "groups.json").write_text("[{")
    with pytest.raises(CalibraryError, match=r"groups\.json: damaged; delete it"):
        write_report(tmp_path, tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_what_needs_attention_says_what_to_do(fake, tmp_path):
    page = Page(written(fake, tmp_path))
    masters = [m for m in read_results(fake.results).masters if m.verdict != "pass"]
    wanted = [text for text in map(remedy, masters) if text]
    assert len(wanted) >= 2
    assert all(page.says(text) for text in wanted)
    shown = [a for a in page.all("span") if a.get("class") == "remedy"]
    assert len(shown) == len(wanted)
    (failed,) = [m.plan.group for m in masters if m.verdict == "fail"]
    assert page.says(f"calibrary explain {failed}")
