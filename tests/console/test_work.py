"""The state behind the bar: it never goes back, and forecasts only what it can know."""

import pytest

from calibrary.console.bar import bar_line, left
from calibrary.console.work import Group, Work
from calibrary.progress import Progress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def work(clock):
    work = Work(clock=clock)
    work.plan({name: Group(name, f"dark {name}", 10, 1000) for name in ("a", "b")})
    return work


def test_running_groups_count_as_far_as_they_are(work):
    work.start("integrate", "a")
    assert work.look({"a": Progress(0.25, "")}) == 250
    work.end("integrate", "a")
    assert work.look({}) == 1000


def test_it_never_goes_back(work):
    work.start("integrate", "a")
    assert work.look({"a": Progress(0.9, "")}) == 900
    assert work.look({"a": Progress(0.1, "")}) == 900, "a job that was started again"
    work.plan({"c": Group("c", "dark c", 10, 9000)})
    assert work.look({"a": Progress(0.1, "")}) == 900, "a plan that has grown"


def test_time_left_follows_the_bytes(work, clock):
    work.start("integrate", "a")
    work.look({"a": Progress(0.0, "")})
    assert work.seconds_left is None
    clock.now = 10.0
    work.look({"a": Progress(0.5, "")})
    assert work.seconds_left == pytest.approx(30.0)


def test_compiling_tells_nothing_of_the_time_left(work, clock):
    work.start("integrate", "a")
    work.look({"a": Progress(0.0, "preparing")})
    clock.now = 20.0
    work.look({"a": Progress(0.0, "preparing")})
    assert work.doing({"a": Progress(0.0, "preparing")}) == "preparing"
    clock.now = 30.0
    work.look({"a": Progress(0.5, "")})
    assert work.seconds_left == pytest.approx(30.0)


def test_what_is_at_work(work):
    work.start("index", None)
    assert work.doing({}) == "reading the headers of new and changed frames"
    work.start("integrate", "a")
    assert work.doing({}) == "dark a"
    work.start("integrate", "b")
    assert work.doing({}) == "dark a and 1 more"


@pytest.mark.parametrize("width", [30, 50, 80, 120])
def test_the_line_fits(width):
    line = bar_line(
        12_400_000_000,
        21_000_000_000,
        finished=9,
        of=14,
        doing="dark 120 s −10 °C",
        seconds_left=63,
        width=width,
    )
    assert len(line) < width
    if width == 120:
        assert line == "███████░░░░░  9 of 14 · dark 120 s −10 °C · 12.4 of 21 GB · 1 min left"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3, "a few seconds"), (31, "30 s"), (58, "1 min"), (600, "10 min"), (7300, "2.0 h")],
)
def test_time_left_in_words(seconds, said):
    assert left(seconds) == said
