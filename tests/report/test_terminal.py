"""The end of a run on the terminal."""

import os
from io import StringIO

from rich.console import Console

from calibrary.report.terminal import SHOWN_MASTERS, print_summary


def printed(results, *, terminal=False, width=200, **arguments):
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False)
    print_summary(results, console=console, **arguments)
    return out.getvalue()


def test_each_master_is_a_line_with_verdict_and_path(fake):
    lines = printed(fake.results).splitlines()
    assert lines[0].split() == ["Type", "N", "Verdict", "Time", "Group", "Path"]
    line = next(line for line in lines if "dark_ASI2600MM_60s" in line)
    assert line.split()[:4] == ["Dark", "50", "✓", "pass"]
    assert fake.groups[1].group in line
    assert line.rstrip().endswith(fake.groups[1].master)


def test_what_was_not_done_comes_first_and_has_its_reason(fake):
    text = printed(fake.results)
    lines = text.splitlines()
    assert "✕ fail" in lines[1]
    assert "(not published)" in lines[1]
    assert f"fail {fake.groups[12].group}: light leak" in text
    assert f"warn {fake.groups[15].group}: 2 frames, 3 required" in text
    assert "1 not published, 1 not built, 3 warned, 1 failed" in text


def test_set_aside_frames_are_counted_by_reason(fake):
    text = printed(fake.results)
    assert "6 frames set aside: level 14 % below its group" in text
    assert "1 frame set aside: zero length" in text


def test_masters_that_were_up_to_date_are_not_listed(make_results):
    fake = make_results(3)
    text = printed(fake.results, since=4e9)
    assert fake.groups[0].group not in text
    assert "0 built, 3 up to date" in text


def test_a_long_run_stays_short(make_results):
    fake = make_results(90)
    for path in (fake.results / "candidates").iterdir():
        os.utime(path, (4e9, 4e9))
    lines = printed(fake.results, since=3e9).splitlines()
    assert f"and {87 - SHOWN_MASTERS} more masters, none worse than these" in lines
    assert len(lines) < SHOWN_MASTERS + 20


def test_colours_only_on_a_terminal(fake):
    assert "\x1b[" not in printed(fake.results)
    assert "\x1b[" in printed(fake.results, terminal=True)


def test_a_pipe_gets_whole_paths(fake, capsys):
    print_summary(fake.results)
    out = capsys.readouterr().out
    for plan in fake.groups[:3]:
        assert plan.master in out


def test_brackets_in_reasons_are_no_markup(make_results):
    text = printed(make_results(4, reason=" [bold]x[/bold] [/]").results)
    assert "rejection [bold]x[/bold] [/]" in text


def test_a_narrow_terminal_breaks_no_name(fake):
    text = printed(fake.results, terminal=True, width=110)
    for plan in fake.groups[:3]:
        assert plan.group in text
        assert plan.master in text
