"""The end of a run on the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from calibrary.report.terminal import SHOWN, print_summary


def printed(results, *, terminal=False, width=200, **arguments):
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False)
    print_summary(results, console=console, **arguments)
    return out.getvalue()


def test_totals_come_first_and_the_report_last(fake):
    lines = printed(fake.results).splitlines()
    assert lines[0].startswith("17 built, 1 up to date, 1 not published, 1 not built: ")
    assert "16 pass, 3 need attention, 1 failed" in lines[0]
    assert lines[-1] == f"report {fake.results / 'report.html'}"


def test_the_report_may_be_elsewhere(fake, tmp_path):
    lines = printed(fake.results, report=tmp_path / "here.html").splitlines()
    assert lines[-1] == f"report {tmp_path / 'here.html'}"


def test_what_failed_comes_before_what_was_warned_and_names_its_group(fake):
    lines = printed(fake.results).splitlines()
    assert lines[1].startswith("✕ ")
    assert "light leak" in lines[1]
    assert lines[1].endswith(f"calibrary explain {fake.groups[12].group}")
    assert all(line.startswith("! ") for line in lines[2:-1])


def test_what_passed_is_counted_and_not_listed(fake):
    text = printed(fake.results)
    assert fake.groups[1].group not in text
    assert len(text.splitlines()) == 10


def test_too_few_frames_say_how_many_more(fake):
    line = next(line for line in printed(fake.results).splitlines() if "2 frames, 3" in line)
    assert line.endswith("more, or leave it")


def test_set_aside_frames_are_counted_by_reason(fake):
    text = printed(fake.results)
    assert "6 frames set aside: level 14 % below its group" in text
    assert "set aside: zero length" in text


def test_a_run_with_nothing_new_prints_the_same_end(make_results):
    fake = make_results(4)
    new, old = printed(fake.results), printed(fake.results, since=4e9)
    assert old.splitlines()[0].startswith("4 masters up to date: ")
    assert old.splitlines()[1:] == new.splitlines()[1:]


def test_quiet_prints_only_what_failed(fake):
    lines = printed(fake.results, quiet=True).splitlines()
    assert [line[0] for line in lines] == ["✕"]


def test_a_long_run_stays_short(make_results):
    fake = make_results(90, reason=" again")
    lines = printed(fake.results).splitlines()
    assert len(lines) <= SHOWN + 4


def test_colours_only_on_a_terminal(fake):
    assert "\x1b[" not in printed(fake.results)
    assert "\x1b[" in printed(fake.results, terminal=True)


def test_a_pipe_gets_whole_reasons_each_in_one_line(fake, capsys):
    print_summary(fake.results)
    out = capsys.readouterr().out
    assert "edge is 14 ADU above the centre and grows with time -> " in out


def test_brackets_in_reasons_are_no_markup(make_results):
    assert "rejection [bold]x[/bold] [/]" in printed(
        make_results(4, reason=" [bold]x[/bold] [/]").results
    )


@pytest.mark.parametrize("width", [50, 80, 100, 140])
def test_it_fits_the_terminal(fake, width):
    from rich.text import Text

    text = Text.from_ansi(printed(fake.results, terminal=True, width=width)).plain
    report = f"report {fake.results}"
    for line in text.splitlines():
        if not line.startswith(report) and "calibrary explain" not in line:
            assert len(line) <= width, line
    assert "→" in text or "·" in text
