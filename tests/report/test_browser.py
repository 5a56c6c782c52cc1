"""The report in a browser: it draws, sorts, filters, and can be used by everybody."""

import pytest

from calibrary.report.page import write_report

pytestmark = pytest.mark.browser

DRAWN = ".plot .main-svg"


@pytest.fixture(scope="module")
def report(fake, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(fake.results, fake.library, path, masters=fake.masters, generated="2026-11-23")
    return path


class Opened:
    """A page, and what went wrong in it."""

    def __init__(self, browser, path, **context):
        self.errors, self.requests = [], []
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.errors.append(m))
        self.page.on("pageerror", self.note_error)
        self.page.on("request", lambda r: self.requests.append(r.url))
        self._cdp = self.context.new_cdp_session(self.page)
        # Ticks of the page's own thread: a busy machine does not make them more.
        self._cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(path.as_uri())

    def busy_seconds(self):
        metrics = self._cdp.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    def note_error(self, error):
        # Playwright cannot take a list's own method.
        self.errors.append(error)


@pytest.fixture
def opened(browser, report):
    opened = Opened(browser, report, viewport={"width": 1300, "height": 900})
    yield opened
    opened.context.close()
    assert [str(error) for error in opened.errors] == []


@pytest.fixture
def page(opened):
    return opened.page


def titles(page):
    return page.locator("tr.master:visible button.open").all_inner_texts()


def test_nothing_is_asked_of_the_network(opened, report):
    opened.page.locator("tr.master button.open").first.click()
    opened.page.locator("tr.detail figure.chart").first.scroll_into_view_if_needed()
    opened.page.locator(f"tr.detail {DRAWN}").first.wait_for()
    outside = [url for url in opened.requests if not url.startswith(("data:", report.as_uri()))]
    assert outside == []


def test_every_preview_shows(page, fake):
    built = sum(record["outcome"] != "too_few" for record in fake.records)
    images = page.locator("tr.master img")
    assert images.count() == built
    images.evaluate_all("imgs => Promise.all(imgs.map(i => i.decode()))")
    assert all(images.evaluate_all("imgs => imgs.map(i => i.naturalWidth > 0)"))
    assert all(images.evaluate_all("imgs => imgs.map(i => i.alt.startsWith('Preview of'))"))


@pytest.mark.parametrize("kind", ["bias", "dark", "darkflat", "flat"])
def test_charts_draw_when_a_master_is_opened(page, kind):
    assert page.locator(DRAWN).count() == 0
    row = page.locator(f'tr.master[data-type="{kind}"][data-verdict="pass"]').first
    row.locator("button.open").click()
    figures = row.locator("xpath=following-sibling::tr[1]").locator("figure.chart")
    figures.first.wait_for()
    assert figures.count() >= 5
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        figure.locator(".main-svg").first.wait_for()
        marks = "path.point, path.js-line, path.js-fill, .heatmaplayer image"
        assert figure.locator(marks).count() > 0
    enlarged = row.locator("xpath=following-sibling::tr[1]").locator(".preview img")
    assert enlarged.evaluate("i => i.decode().then(() => i.naturalWidth)") > 0


def test_trends_of_the_sensors_draw(page):
    figures = page.locator("#health figure.chart")
    assert figures.count() == 8
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        figure.locator("path.js-line").first.wait_for()


def test_sorting_says_so_and_keeps_details_with_their_master(page):
    table = page.locator("table.masters").first
    button = table.get_by_role("button", name="Frames")
    counts = "rows => rows.map(r => Number(r.querySelector('.count b').textContent))"
    button.click()
    head = table.locator("th[aria-sort]")
    assert head.get_attribute("aria-sort") == "ascending"
    ascending = table.locator("tr.master").evaluate_all(counts)
    assert ascending == sorted(ascending)
    button.click()
    assert head.get_attribute("aria-sort") == "descending"
    assert table.locator("tr.master").evaluate_all(counts) == sorted(ascending, reverse=True)
    together = "rows => rows.every(r => r.nextElementSibling.id === "
    together += "r.querySelector('button').getAttribute('aria-controls'))"
    assert table.locator("tr.master").evaluate_all(together)


def test_exposures_sort_by_length(page):
    table = page.locator("table.masters").first
    table.get_by_role("button", name="Master", exact=True).click()
    darks = [t for t in table.locator("button.open").all_inner_texts() if t.startswith("Dark ")]
    assert darks == ["Dark 60 s", "Dark 120 s", "Dark 300 s"]


def test_other_tables_sort_too(page):
    table = page.locator("#set-aside-table")
    table.get_by_role("button", name="Reason").click()
    reasons = table.locator("tbody td:nth-child(3)").all_inner_texts()
    assert len(reasons) > 3
    assert reasons == sorted(reasons)


def test_filters_and_search_narrow_the_masters(page, fake):
    status = page.locator("#shown")
    assert page.get_by_role("status").inner_text() == "20 of 20 masters"
    page.get_by_label("Type").select_option("flat")
    flats = sum(plan.frame_type == "flat" for plan in fake.groups)
    assert status.inner_text() == f"{flats} of 20 masters"
    assert all(title.startswith("Flat") for title in titles(page))
    page.get_by_label("Search").fill("oiii edge")
    assert titles(page) == ["Flat OIII"]
    assert page.locator("#masters section.setup:visible").count() == 1
    page.get_by_label("Search").fill("no such thing")
    assert page.get_by_text("No master fits these filters.").is_visible()
    page.get_by_role("button", name="Clear").click()
    page.locator("#shown", has_text="20 of 20").wait_for()
    page.get_by_label("Verdict").select_option("fail")
    assert titles(page) == ["Dark-flat 2.31845 s"]


def test_what_needs_attention_leads_to_its_master(page):
    page.get_by_label("Type").select_option("bias")
    page.locator(".attention a").first.click()
    row = page.locator("tr.master.is-open")
    assert row.locator("button.open").inner_text() == "Dark-flat 2.31845 s"
    row.locator("xpath=following-sibling::tr[1]").get_by_text("light leak").first.wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"


def test_the_keyboard_does_it_all(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_label("Search").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "open":
            break
    page.keyboard.press("Enter")
    assert page.locator("tr.master.is-open").count() == 1
    page.keyboard.press("Space")
    assert page.locator("tr.master.is-open").count() == 0


def test_frames_of_a_master_are_there_as_a_table(page):
    page.locator('tr.master[data-type="dark"] button.open').first.click()
    detail = page.locator("tr.detail:visible")
    detail.get_by_text("Frames of this master").click()
    rows = detail.locator("details.frames tbody tr")
    rows.first.wait_for()
    assert rows.count() == 50
    assert detail.locator("details.frames").get_by_text("frame_0000.fits").is_visible()


def test_the_theme_can_be_chosen(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    page.get_by_label("Theme").select_option("dark")
    dark = page.evaluate(ground)
    page.get_by_label("Theme").select_option("light")
    assert page.evaluate(ground) != dark


@pytest.mark.parametrize(("scheme", "width"), [("light", 1300), ("dark", 390)])
def test_no_serious_violation_of_accessibility(browser, report, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    opened = Opened(browser, report, color_scheme=scheme, viewport={"width": width, "height": 900})
    page = opened.page
    for verdict in ("pass", "fail"):
        flat = page.locator(f'tr.master[data-verdict="{verdict}"]').last
        flat.locator("button.open").click()
        flat.locator("xpath=following-sibling::tr[1]").locator("article").wait_for()
    page.locator("details").evaluate_all("all => all.forEach(d => { d.open = true; })")
    for figure in page.locator("figure.chart:visible").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".main-svg").first.wait_for()
    found = axe.run(page).response["violations"]
    serious = [
        (v["id"], v["impact"], [node["html"] for node in v["nodes"][:3]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    opened.context.close()
    assert serious == []
    assert opened.errors == []


def test_a_phone_shows_no_more_than_its_width(browser, report):
    opened = Opened(browser, report, viewport={"width": 390, "height": 844})
    opened.page.locator("tr.master button.open").first.click()
    opened.page.locator("tr.detail article").wait_for()
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    opened.context.close()
    assert wide <= 390


def test_print_leaves_out_what_paper_cannot_do(page):
    page.locator('tr.master[data-type="flat"] button.open').first.click()
    page.locator("tr.detail article").wait_for()
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 794, "height": 1123})
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    assert not page.locator("nav.contents").is_visible()
    assert not page.locator(".filters").is_visible()
    assert page.locator("tr.master").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_charts_fit_the_paper_and_go_back(page):
    page.locator('tr.master[data-type="dark"] button.open').first.click()
    figure = page.locator("tr.detail figure.chart").first
    figure.scroll_into_view_if_needed()
    figure.locator(".main-svg").first.wait_for()
    widths = """() => [...document.querySelectorAll("tr.detail .plot:not(:empty)")].map(
        (plot) => [plot.clientWidth, plot.querySelector(".main-svg").clientWidth])"""
    on_screen = page.evaluate(widths)
    assert on_screen
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(f"() => ({widths})().every(([room, drawn]) => room === drawn)")
    on_paper = page.evaluate(widths)
    millimetres = 96 / 25.4
    assert max(drawn for _, drawn in on_paper) <= 182 * millimetres
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(f"() => ({widths})().every(([room, drawn]) => room === drawn)")
    assert page.evaluate(widths) == on_screen


def test_what_is_typed_before_the_script_has_loaded_is_heeded(page):
    page.add_init_script(
        """new MutationObserver((_, observer) => {
            const search = document.getElementById("f-text");
            if (search) { search.value = "oiii"; observer.disconnect(); }
        }).observe(document, { subtree: true, childList: true });"""
    )
    page.reload()
    assert page.get_by_label("Search").input_value() == "oiii"
    assert page.get_by_role("status").inner_text() == "2 of 20 masters"


def test_hostile_text_stays_text(browser, make_results, tmp_path):
    hostile = "\"'><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
    fake = make_results(8, text=hostile, reason=hostile)
    path = tmp_path / "hostile.html"
    write_report(fake.results, fake.library, path)
    opened = Opened(browser, path)
    page = opened.page
    page.locator('tr.master[data-type="flat"] button.open').first.click()
    page.locator("tr.detail:visible details.frames summary").click()
    page.locator("details.frames tbody tr").first.wait_for()
    assert page.evaluate("window.hacked") is None
    assert hostile in page.locator("#set-aside-table").inner_text()
    opened.context.close()
    assert opened.errors == []


def test_500_masters_are_small_and_usable_at_once(browser, make_results, tmp_path):
    fake = make_results(500)
    path = tmp_path / "report.html"
    write_report(fake.results, fake.library, path, masters=fake.masters)
    assert path.stat().st_size < 25e6
    opened = Opened(browser, path, viewport={"width": 1300, "height": 900})
    opened.page.get_by_label("Search").fill("ha")
    shown = opened.page.locator("#shown").inner_text()
    busy = opened.busy_seconds()
    opened.context.close()
    assert shown.endswith("of 500 masters")
    assert not shown.startswith("500")
    print(f"{path.stat().st_size / 1e6:.1f} MB, main thread busy for {busy:.2f} s")
    assert busy < 2.0
    assert opened.errors == []
