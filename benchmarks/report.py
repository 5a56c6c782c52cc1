"""Time the report of many masters in a browser: ``python -m benchmarks.report [MASTERS]``.

Usable is when the first master stands in its table and the filter has answered what was typed into
it, both painted. Needs Chromium; every opening is a browser of its own, as by a double click.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from calibrary.report.page import write_report
from tests.fake_results import build_results

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Page

MASTERS = 500
OPENINGS = 5
GOAL_MB = 25
GOAL_S = 2.0
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
_FILTERED = """() => {
  const [, shown, all] = document.getElementById("shown").textContent.match(/^(\\d+) of (\\d+)/);
  return Number(shown) < Number(all);
}"""
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def seconds(page: Page, report: Path) -> dict[str, float]:
    """Open the report and return what it took from the navigation on, s."""
    session = page.context.new_cdp_session(page)
    # Ticks of the page's own thread: a busy machine does not make them more.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    begin = time.perf_counter()
    page.goto(report.as_uri(), wait_until="commit")
    page.locator("tr.master").first.wait_for()
    page.evaluate(_PAINTED)
    shown = time.perf_counter() - begin
    page.get_by_label("Search").fill("oiii")
    page.wait_for_function(_FILTERED)
    page.evaluate(_PAINTED)
    usable = time.perf_counter() - begin
    metrics = session.send("Performance.getMetrics")["metrics"]
    busy = next(m["value"] for m in metrics if m["name"] == "TaskDuration")
    begin = time.perf_counter()
    page.locator("tr.master[data-verdict=pass]:visible button.open").first.click()
    page.locator("tr.detail figure.chart").first.scroll_into_view_if_needed()
    page.locator("tr.detail .main-svg").first.wait_for()
    page.evaluate(_PAINTED)
    return {
        "first master shown": shown,
        "usable: filter answered": usable,
        "of which the page's thread was busy": busy,
        "a master opened, first chart drawn": time.perf_counter() - begin,
    }


def opened(browser: Browser, report: Path) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.goto("about:blank")
    return seconds(page, report)


def openings(chromium: BrowserType, report: Path) -> dict[str, float]:
    """Return the medians over fresh browsers."""
    runs = []
    for _ in range(OPENINGS):
        browser = chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        runs.append(opened(browser, report))
        browser.close()
    return {step: statistics.median(run[step] for run in runs) for step in runs[0]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("masters", nargs="?", type=int, default=MASTERS)
    count = parser.parse_args().masters
    with tempfile.TemporaryDirectory() as folder:
        made = build_results(Path(folder), count)
        report = Path(folder) / "report.html"
        begin = time.perf_counter()
        write_report(made.results, made.library, report, masters=made.masters)
        written = time.perf_counter() - begin
        megabytes = report.stat().st_size / 1e6
        with sync_playwright() as playwright:
            medians = openings(playwright.chromium, report)
    print(f"{count} masters: {megabytes:.1f} MB, written in {written:.1f} s")
    for step, took in medians.items():
        print(f"  {step}: {took:.2f} s")
    met = megabytes < GOAL_MB and medians["usable: filter answered"] < GOAL_S
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
