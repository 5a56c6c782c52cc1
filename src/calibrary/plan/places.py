"""Names that no two groups share, and the place of each master in the library.

A master that Calibrary made for a group keeps its path, whatever name the group would get
today. Every other group gets the guide's name; where that is taken, the later group appends
what tells it apart.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import PurePosixPath

from calibrary.config import Config
from calibrary.library.names import apart_words, group_stem, master_stem
from calibrary.plan.clusters import exposure_tolerance_s
from calibrary.plan.groups import Draft
from calibrary.plan.sessions import SECOND, part, to_time
from calibrary.records import Action, Frame, FrameType, GroupKeys, keys_of
from calibrary.records.keys import Keyed, exact_keys

SUFFIXES = {"xisf": (".xisf",), "fits": (".fits",), "both": (".xisf", ".fits")}
"""The files of one master for each ``output.format``, the leading one first."""


@dataclass(frozen=True, slots=True)
class Named:
    """Who has a name: what tells it from others."""

    keys: GroupKeys
    first_date_obs: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group's master goes and what the run does there."""

    master: str
    """Path below the library, with suffix."""
    action: Action
    reason: str = ""


def unique_stems(
    members: Sequence[Named], stems: Sequence[str], taken: dict[str, Named | None]
) -> list[str]:
    """Return a stem for each member that no other has, equal letters in either case included.

    Parameters
    ----------
    members, stems : sequence
        Who wants which stem, the earlier first.
    taken : dict
        Folded stems that are not free and who has them, if known; the new ones are added.
    """
    given = []
    for member, stem in zip(members, stems, strict=True):
        free = next(c for c in _candidates(member, stem, taken) if c.casefold() not in taken)
        taken[free.casefold()] = member
        given.append(free)
    return given


def _candidates(member: Named, stem: str, taken: dict[str, Named | None]) -> Iterable[str]:
    yield stem
    owner = taken.get(stem.casefold())
    if owner is not None:
        words = apart_words(member.keys, owner.keys, member.first_date_obs, owner.first_date_obs)
        yield from (f"{stem}_{word}" for word in words)
        for n in range(2, len(words) + 1):
            yield "_".join([stem, *words[:n]])
    identity = repr((astuple(member.keys), member.first_date_obs))
    mark = hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()
    yield f"{stem}_{mark[:8]}"
    n = 2
    while True:
        yield f"{stem}_{mark[:8]}_{n}"
        n += 1


def group_names(drafts: Sequence[Draft]) -> list[str]:
    """Return a unique name for each group, safe as a file name and as a wildcard."""
    firsts = [draft.frames[0].date_obs for draft in drafts]
    stems = [group_stem(d.frame_type, d.keys, f) for d, f in zip(drafts, firsts, strict=True)]
    named = [Named(d.keys, f) for d, f in zip(drafts, firsts, strict=True)]
    return unique_stems(named, stems, {})


def below(path: str, library: str) -> str:
    """Return `path` below the library, with forward slashes."""
    return os.path.relpath(path, library).replace(os.sep, "/")


@dataclass(slots=True)
class Shelf:
    """Masters of one kind by time: a group looks at those of its own days, not at all of them."""

    dated: list[tuple[int, str]] = field(default_factory=list)
    """Start (µs) and path, in order."""
    undated: list[str] = field(default_factory=list)
    longest: int = 0
    """The longest time (µs) from start to end of a master."""

    def add(self, path: str, master: Frame) -> None:
        """Put a master in."""
        start = to_time(master.date_obs)
        if start is None:
            self.undated.append(path)
        else:
            insort(self.dated, (start, path))
            self.longest = max(self.longest, (to_time(master.date_end) or start) - start)

    def near(self, span: tuple[int, int] | None) -> list[str]:
        """Return the masters that may coincide with a span of time, to a second."""
        if span is None:
            return self.undated
        first = bisect_left(self.dated, (span[0] - self.longest - SECOND, ""))
        end = bisect_right(self.dated, span[1] + SECOND, key=lambda entry: entry[0])
        return [path for _, path in self.dated[first:end]]

    def before(self, time: int) -> Iterator[str]:
        """Yield the masters that are older than a time, the newest first."""
        end = bisect_left(self.dated, (time, ""))
        return (path for _, path in reversed(self.dated[:end]))


class Shelves:
    """The library as the planner sees it: who holds which path, and who gets which."""

    def __init__(self, masters: Sequence[Frame], config: Config) -> None:
        self._config = config
        self._suffixes = SUFFIXES[config.output.format]
        self.masters = {below(m.path, config.library): m for m in masters}
        self._folded = {path.casefold(): path for path in self.masters}
        self._own: dict[tuple[object, ...], Shelf] = defaultdict(Shelf)
        self._by_digest: dict[str, list[str]] = defaultdict(list)
        self._given: dict[str, Named | None] = {}
        self._taken: set[str] = set()
        self.assigned: set[str] = set()
        """Paths of masters that belong to a group of this run."""
        self._alike: dict[tuple[object, ...], Shelf] = defaultdict(Shelf)
        for path, master in sorted(self.masters.items()):
            self._alike[_identity(master.master_of, master)].add(path, master)
            if master.inputs_digest is not None:
                self._own[_identity(master.master_of, master)].add(path, master)
                self._by_digest[master.inputs_digest].append(path)
                self._given[_stem(path).casefold()] = Named(keys_of(master), master.date_obs)

    def place(
        self, drafts: Sequence[Draft], digests: Sequence[str], *, claim: bool = True
    ) -> list[Place]:
        """Return the place of each group; groups of one type come in the order of time.

        With `claim` the masters that are kept for them are no longer the library's own.
        """
        named = [Named(d.keys, d.frames[0].date_obs) for d in drafts]
        wanted = [
            master_stem(d.frame_type, d.keys, n.first_date_obs)
            for d, n in zip(drafts, named, strict=True)
        ]
        stems = self._kept(drafts, digests, wanted)
        if claim:
            self.assigned |= self._taken
        new = [i for i in range(len(drafts)) if i not in stems]
        given = unique_stems([named[i] for i in new], [wanted[i] for i in new], self._given)
        stems.update(zip(new, given, strict=True))
        return [self._decide(stems[i], digest) for i, digest in enumerate(digests)]

    def previous(self, draft: Draft, place: str) -> str | None:
        """Return the newest master of a group's keys that is older than the group itself."""
        span = draft.span
        if span is None:
            return None
        older = self._alike[_identity(draft.frame_type, draft.keys)].before(span[0])
        alike = (p for p in older if p != place and self._same_settings(draft, self.masters[p]))
        return next(alike, None)

    def _kept(
        self, drafts: Sequence[Draft], digests: Sequence[str], wanted: Sequence[str]
    ) -> dict[int, str]:
        """Return the stems of the groups whose master is in the library already."""
        kept: dict[int, str] = {}

        def keep(i: int, overlaps: dict[str, int]) -> None:
            free = [path for path in overlaps if path not in self._taken]
            if i not in kept and free:
                path = min(free, key=lambda p: (_stem(p) != wanted[i], -overlaps[p], p))
                kept[i] = _stem(path)
                self._taken.update(self._files(kept[i], (".xisf", ".fits", _suffix(path))))

        for i, digest in enumerate(digests):
            keep(i, dict.fromkeys(self._by_digest.get(digest, ()), 0))
        for i, draft in enumerate(drafts):
            paths = self._own[_identity(draft.frame_type, draft.keys)].near(draft.span)
            overlaps = {p: self._overlap(draft, self.masters[p]) for p in paths}
            keep(i, {p: overlap for p, overlap in overlaps.items() if overlap is not None})
        return kept

    def _overlap(self, draft: Draft, master: Frame) -> int | None:
        """Return for how long (µs) a master and a group of its keys coincide, else ``None``."""
        if not self._same_settings(draft, master):
            return None
        span, start = draft.span, to_time(master.date_obs)
        if span is None or start is None:
            return 0 if span is None and start is None else None
        end = to_time(master.date_end) or start
        # Headers may round to a second.
        if abs(part(span, (start, max(start, end)))) > SECOND:
            return None
        return max(0, min(span[1], end) - max(span[0], start))

    def _same_settings(self, draft: Draft, master: Frame) -> bool:
        """Say whether nothing that both know differs, within the tolerances."""
        if not _agree(draft.frame_type, draft.keys, master):
            return False
        tolerance = self._config.tolerance
        span: float = getattr(tolerance.temperature, draft.frame_type.value)
        mine, its = draft.keys.exposure_s, master.exposure_s
        if draft.frame_type is not FrameType.BIAS and mine != its:
            if mine is None or its is None:
                return False
            if abs(mine - its) > exposure_tolerance_s(mine, its, tolerance.exposure):
                return False
        if draft.keys.temp_c is None or master.temp_c is None:
            return draft.keys.temp_c == master.temp_c
        return abs(draft.keys.temp_c - master.temp_c) <= span

    def _files(self, stem: str, suffixes: Sequence[str]) -> list[str]:
        """Return the masters at a place, whatever the letter case of their names."""
        folded = [(stem + suffix).casefold() for suffix in suffixes]
        return [self._folded[path] for path in folded if path in self._folded]

    def _decide(self, stem: str, digest: str) -> Place:
        master = stem + self._suffixes[0]
        there = self._files(stem, self._suffixes)
        foreign = [path for path in there if self.masters[path].inputs_digest is None]
        if foreign and not self._config.overwrite_foreign:
            reason = (
                f"{foreign[0]} was not made by Calibrary and is kept; "
                "replace it with --config overwrite_foreign=true"
            )
            return Place(foreign[0], Action.FOREIGN, reason)
        valid = [path for path in there if self.masters[path].inputs_digest == digest]
        if self._config.reuse_existing and len(valid) == len(self._suffixes):
            reason = f"up to date: {valid[0]} was made of the same frames and settings"
            return Place(valid[0], Action.REUSE, reason)
        return Place(master, Action.BUILD)


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix


def _stem(path: str) -> str:
    return path.removesuffix(_suffix(path))


def _identity(frame_type: FrameType | None, of: Keyed) -> tuple[object, ...]:
    """Return what a group and its master's header have in common exactly."""
    keys = (key for key in exact_keys(frame_type) if key.told_by_masters and not key.if_known)
    return (frame_type, *(key.in_master(of) for key in keys))


def _agree(frame_type: FrameType, keys: GroupKeys, master: Frame) -> bool:
    """Say whether a group and a master agree in what many headers do not tell."""
    return not any(
        key.excludes(key.in_master(keys), key.in_master(master), lenient=True)
        for key in exact_keys(frame_type)
        if key.if_known
    )
