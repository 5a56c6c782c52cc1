"""The state of a run as its display needs it: what is to be read, what is read, what is at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from calibrary.progress import Progress

STAGES = {
    "index": "reading the headers of new and changed frames",
    "plan": "planning groups, matches and names",
    "publish": "judging masters",
    "report": "writing the report",
    "conclude": "writing the report",
}
"""What is at work beside integrations, by rule."""

RATE_AFTER_S = 2.0
RATE_AFTER_FRACTION = 0.02
"""A forecast of the time left is worth something from here on."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group that is integrated in this run."""

    name: str
    title: str
    """In a few words: ``dark 120 s −10 °C``."""
    n_frames: int
    n_bytes: int


@dataclass(slots=True)
class Work:
    """What is to be integrated in a run, and how far it is."""

    groups: Mapping[str, Group] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    """Groups whose integration has ended, well or not."""
    running: list[str] = field(default_factory=list)
    rule: str = ""
    """The rule that is at work while nothing is integrated."""
    stage: str = "looking at what is new"
    clock: Callable[[], float] = time.monotonic
    _shown: int = 0
    _reading_s: float = 0.0
    """Time in which something was read, s: compiling tells nothing of what is left."""
    _looked: float | None = None

    def plan(self, groups: Mapping[str, Group]) -> None:
        """Take what is to be integrated in this run; may grow, when a plan is made anew."""
        self.groups = {**self.groups, **groups}

    def start(self, rule: str, group: str | None) -> None:
        """Note that a job has begun."""
        if rule == "integrate" and group is not None:
            if group not in self.running:
                self.running.append(group)
        elif not self.running:
            self.rule = rule
            self.stage = STAGES.get(rule, self.stage)

    def end(self, rule: str, group: str | None) -> None:
        """Note that a job has ended, well or not."""
        if rule == "integrate" and group is not None:
            self.finished.add(group)
            if group in self.running:
                self.running.remove(group)

    @property
    def total_bytes(self) -> int:
        """Bytes that this run reads, at least 1."""
        return max(1, sum(group.n_bytes for group in self.groups.values()))

    def look(self, progress: Mapping[str, Progress | None]) -> int:
        """Take note of the time, and return the bytes read so far: never less than before.

        Parameters
        ----------
        progress
            How far the running groups are.
        """
        done = sum(g.n_bytes for g in self.groups.values() if g.name in self.finished)
        for name in self.running:
            here = progress.get(name)
            if here is not None and name in self.groups:
                done += int(here.fraction * self.groups[name].n_bytes)
        self._shown = max(self._shown, min(done, self.total_bytes))
        now = self.clock()
        reads = any(not (here := progress.get(name)) or not here.doing for name in self.running)
        if self._looked is not None and reads:
            self._reading_s += now - self._looked
        self._looked = now
        return self._shown

    @property
    def seconds_left(self) -> float | None:
        """A forecast of the time left, s, or None while it would be worth nothing."""
        done = self._shown
        if self._reading_s < RATE_AFTER_S or done < RATE_AFTER_FRACTION * self.total_bytes:
            return None
        return self._reading_s * (self.total_bytes - done) / done

    def doing(self, progress: Mapping[str, Progress | None]) -> str:
        """Return what is at work, in a few words."""
        unusual = [here.doing for name in self.running if (here := progress.get(name))]
        if any(unusual):
            return next(filter(None, unusual))
        if not self.running:
            return self.stage
        first = self.groups.get(self.running[0])
        title = first.title if first else self.running[0]
        return f"{title} and {len(self.running) - 1} more" if len(self.running) > 1 else title
