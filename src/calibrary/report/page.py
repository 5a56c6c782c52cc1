"""The report: one HTML file that holds everything it shows and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from calibrary.checks import CHECKS
from calibrary.config.model import Frames
from calibrary.files import write_text_atomic
from calibrary.records import CALIBRATION_TYPES, Frame, Verdict
from calibrary.report import formats
from calibrary.report.charts import pack, pack_text
from calibrary.report.health import Trend, trends
from calibrary.report.results import Results, read_results
from calibrary.report.tables import (
    COVERAGE_COLUMNS,
    SET_ASIDE_COLUMNS,
    coverage_row,
    set_aside_row,
)
from calibrary.report.view import counts_of, master_view

SHOWN_ATTENTION = 12
SHOWN_REASONS = 12
SHOWN_SET_ASIDE = 2000
"""Rows that a browser still sorts at once; manifest.csv has the rest."""

_SCRIPTS = ("tables.js", "charts.js")


def write_report(
    results: Path,
    library: Path,
    out: Path,
    *,
    masters: Sequence[Frame] = (),
    frames: Frames | None = None,
    generated: str | None = None,
    since: float | None = None,
) -> None:
    """Write the report of a results folder.

    The same results give the same bytes: no clock is read.

    Parameters
    ----------
    results
        The results folder of a run.
    library
        Root of the masters library.
    out
        The HTML file to write.
    masters
        All masters of the library, for the history of the sensors.
    frames
        The frame counts to hold the masters against; the guide's when None.
    generated
        When the report was made, as it should be shown.
    since
        Start of the run, s since 1970: masters integrated before it are shown as up to date.

    Raises
    ------
    CalibraryError
        The results folder has no plan, or a file in it is damaged.
    """
    found = read_results(results, since)
    counts = frames or Frames()
    history = trends(masters, library)
    views = [master_view(master, counts) for master in found.masters]
    environment = _environment()
    page = environment.get_template("report.html.j2").render(
        **_assets(),
        packed={v["group"]: _packed(environment, v) for v in views},
        version=version("calibrary"),
        generated=generated,
        library=str(library),
        tally=_tally(found),
        masters=views,
        setups=[(setup, list(group)) for setup, group in groupby(views, lambda v: v["setup"])],
        attention=sorted(
            (v for v in views if v["verdict"] != Verdict.PASS), key=lambda v: v["verdict"]
        ),
        shown_attention=SHOWN_ATTENTION,
        filters=_filters(views),
        checks=CHECKS,
        guide=[(formats.TYPE_NAMES[t], counts_of(counts, t.value)) for t in CALIBRATION_TYPES],
        set_aside=[set_aside_row(frame) for frame in found.set_aside],
        set_aside_reasons=found.reasons()[:SHOWN_REASONS],
        set_aside_columns=SET_ASIDE_COLUMNS,
        shown_set_aside=SHOWN_SET_ASIDE,
        coverage_columns=COVERAGE_COLUMNS,
        coverage=[coverage_row(row) for row in found.coverage],
        health=list(history.items()),
        setup_data={setup: _trend_data(found) for setup, found in history.items()},
    )
    # Names of files that are not UTF-8 come with lone surrogates, which no UTF-8 file can hold.
    write_text_atomic(out, page.encode("utf-8", "replace").decode("utf-8"))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("calibrary.report"),
        autoescape=True,  # what stands in a header may be hostile
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=formats.number, temperature=formats.temperature, breakable=_breakable
    )
    environment.globals["marks"] = {v.value: mark for v, mark in formats.VERDICT_MARKS.items()}
    return environment


def _assets() -> dict[str, str | Markup]:
    """Return style and scripts; only scripts with these hashes may run in the page."""
    folder = files("calibrary.report") / "assets"
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    plotly = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    return {
        "css": Markup((folder / "report.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "plotly": pack_text(plotly),
        "script_hashes": Markup(" ".join(_hash_source(text) for text in (script, plotly))),
    }


def _breakable(name: str) -> Markup:
    """Let a long name go on in the next line after its separators."""
    return Markup(re.sub(r"(?<=[_./-])(?=\w)", "<wbr>", str(escape(name))))


def _hash_source(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _tally(results: Results) -> list[dict[str, Any]]:
    """Return the figures of the summary, in the order a reader asks for them."""
    n_set_aside = len(results.set_aside)
    up_to_date = results.count(outcome="reused") + results.count(outcome="kept")
    not_built = results.count(outcome="not_built")
    warned, failed = results.count(verdict=Verdict.WARN), results.count(verdict=Verdict.FAIL)
    items = [
        ("Built", sum(m.built for m in results.masters), "", ""),
        ("Up to date", up_to_date, "", ""),
        ("Warned", warned, "", "warn" if warned else ""),
        ("Failed", failed, "", "fail" if failed else ""),
        ("Not built", not_built, "", "warn" if not_built else ""),
        ("Frames set aside", n_set_aside, f"of {results.n_frames}", ""),
        ("Integration time", formats.duration(results.seconds), "all jobs together", ""),
        ("Data read", formats.data_size(results.bytes_read), "", ""),
    ]
    names = ("label", "value", "note", "tone")
    return [dict(zip(names, item, strict=True)) for item in items]


def _filters(views: Iterable[dict[str, Any]]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the choices of the filter form: only what occurs, and only where it divides."""
    views = list(views)
    fields: tuple[tuple[str, str, Callable[[dict[str, Any]], str]], ...] = (
        ("setup", "Setup", lambda v: v["setup"]),
        ("type", "Type", lambda v: v["title"].split(" ")[0]),
        ("verdict", "Verdict", lambda v: v["verdict"]),
        ("outcome", "Result", lambda v: v["outcome_name"]),
    )
    found = [
        (field, label, list({v[field]: shown(v) for v in views}.items()))
        for field, label, shown in fields
    ]
    return [(field, label, options) for field, label, options in found if len(options) > 1]


def _packed(environment: Environment, view: Mapping[str, Any]) -> str:
    """Return what a master's row unfolds to: its part of the page and the data of its charts."""
    html = environment.get_template("detail.html.j2").render(m=view)
    return pack({"html": html, "charts": view["chart_data"]})


def _trend_data(found: Sequence[Trend]) -> str:
    return pack({"charts": {"trend": [trend.data() for trend in found]}})
