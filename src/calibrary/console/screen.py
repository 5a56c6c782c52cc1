"""Where a run's words go: one line that changes on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from calibrary import progress
from calibrary.console.bar import bar_line
from calibrary.console.work import STAGES, Work
from calibrary.report import formats

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

REFRESH_PER_S = 5


class Screen:
    """The display of a run on standard error.

    Parameters
    ----------
    silent
        Show failures only.
    """

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._console: Console | None = None
        self._live: Live | None = None
        self._work = Work()
        self._folder = Path()
        self._stages: set[str] = set()

    def start(self, work: Work, folder: Path) -> None:
        """Begin to show `work`; its jobs write how far they are into `folder`."""
        self._work, self._folder = work, folder
        if self._silent or not self._the_console().is_terminal:
            return
        from rich.live import Live

        self._live = Live(
            console=self._the_console(),
            get_renderable=self._line,
            refresh_per_second=REFRESH_PER_S,
            transient=True,
        )
        self._live.start()

    def stop(self) -> None:
        """Take the changing line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def planned(self, work: Work) -> None:
        """Say what is to be built."""
        size = formats.data_size(work.total_bytes)
        self._say(f"{formats.count(len(work.groups), 'master')} to build, {size} to read")

    def started(self, work: Work, rule: str) -> None:
        """Say that a stage begins, once."""
        if rule in STAGES and work.stage not in self._stages:
            self._stages.add(work.stage)
            self._say(work.stage)

    def built(self, work: Work, group: str) -> None:
        """Say that a master is integrated."""
        known = work.groups.get(group)
        if known is not None:
            of = f"{len(work.finished)} of {len(work.groups)}"
            told = f"{known.title}, {formats.count(known.n_frames, 'frame')}"
            self._say(f"{of}: {told}, {formats.data_size(known.n_bytes)}")

    def failed(self, what: str, why: str, logs: Sequence[str]) -> None:
        """Say what failed, why, what to do, and where its log is."""
        told = f"{what}: {why}" if what else why
        self.error(told)
        for log in logs:
            self.line(f"  log {Path(log).absolute()}")

    def error(self, text: str) -> None:
        """Show what ended in an error."""
        self._print(f"✕ {text}", "bold red")

    def line(self, text: str) -> None:
        """Show a line, whether or not there is a bar."""
        self._print(text, "")

    def _say(self, text: str) -> None:
        """Show in a pipe what the bar shows on a terminal."""
        if not self._silent and self._live is None:
            self._print(text, "")

    def _print(self, text: str, style: str) -> None:
        from rich.text import Text

        self._the_console().print(Text(text, style), soft_wrap=True)

    def _the_console(self) -> Console:
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=sys.stderr, highlight=False)
        return self._console

    def _line(self) -> Text:
        from rich.text import Text

        work = self._work
        now = {name: progress.read(self._folder, name) for name in (*work.running, *STAGES)}
        width = self._the_console().width
        if not work.groups:
            here = now.get(work.rule or "")
            doing = here.doing if here and here.doing else work.stage
            return Text(doing[: width - 1])
        done = work.look(now)
        return Text(
            bar_line(
                done,
                work.total_bytes,
                finished=len(work.finished),
                of=len(work.groups),
                doing=work.doing(now),
                seconds_left=work.seconds_left,
                width=width,
                blocks="█░" if _can_blocks(self._the_console()) else "#.",
            )
        )


def _can_blocks(console: Console) -> bool:
    try:
        "█░·".encode(console.encoding)
    except (LookupError, UnicodeError):
        return False
    return True
