"""The plan: from frames as their headers describe them to one work order for each master."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from calibrary.config import Config
from calibrary.library.names import setup_name
from calibrary.plan.bias import with_bias
from calibrary.plan.calibrators import Match, Matcher
from calibrary.plan.candidates import Candidate, library_candidate, run_candidate
from calibrary.plan.digests import group_digest, master_digest
from calibrary.plan.groups import Draft, group_frames
from calibrary.plan.overrides import Overrides, apply_overrides
from calibrary.plan.places import Place, Shelves, group_names
from calibrary.plan.reasons import exposures_in_words
from calibrary.plan.resources import Resources, estimate
from calibrary.plan.setups import with_aliases, with_setups
from calibrary.records import (
    CALIBRATION_TYPES,
    FRAME_FIELDS,
    Action,
    Calibrator,
    CalibratorKind,
    Frame,
    FrameType,
    GroupPlan,
    InputFrame,
    Reason,
    ReasonCode,
    Status,
)
from calibrary.records.keys import missing_keys
from calibrary.records.text import decimal


@dataclass(slots=True)
class Plan:
    """What a run does: work orders, every frame with its fate, and how flats were matched."""

    groups: list[GroupPlan]
    frames: list[Frame]
    matches: dict[str, Any] = field(default_factory=dict)
    """Flat group -> the record of its match (see ``matches.json``)."""


def make_plan(
    frames: Sequence[Frame],
    masters: Sequence[Frame],
    config: Config,
    overrides: Overrides,
    built: Collection[str] = (),
) -> Plan:
    """Group, match and name; nothing is read or written.

    Parameters
    ----------
    frames : sequence of Frame
        Every file found, as the index describes it.
    masters : sequence of Frame
        The masters in the library, with absolute paths.
    built : collection of str
        Digests of masters that this results folder built itself: their groups stay to be
        built, so that the workflow goes on watching over them.

    Returns
    -------
    Plan
        The same for any order of `frames` and `masters`.
    """
    corrected, shelved = (
        with_aliases(some, config.aliases) for some in apply_overrides(frames, masters, overrides)
    )
    used = [f for f in corrected if _usable(f, config)]
    drafts = group_frames(used, config)
    names = dict(zip(map(id, drafts), group_names(drafts), strict=True))
    shelved = with_setups(shelved, [draft.keys for draft in drafts], config.library)
    planner = _Planner(config, Shelves(shelved, config), frozenset(built))
    plain = [d for d in drafts if d.frame_type is not FrameType.FLAT]
    flats = [d for d in drafts if d.frame_type is FrameType.FLAT]
    groups = planner.plan_plain(plain, [names[id(d)] for d in plain])
    flat_names = [names[id(d)] for d in flats]
    matches = planner.match_flats(plain, flats, flat_names, overrides)
    groups += planner.plan_flats(flats, flat_names, matches)
    fates = {frame.path: names[id(draft)] for draft in drafts for frame in draft.frames}
    return Plan(
        with_bias(groups),
        [_with_fate(frame, fates, config) for frame in corrected],
        {name: match.record for name, match in zip(flat_names, matches, strict=True)},
    )


def _usable(frame: Frame, config: Config) -> bool:
    return (
        frame.status is Status.USED
        and frame.frame_type in CALIBRATION_TYPES
        and bool(frame.width and frame.height)
        and (config.use_bias or frame.frame_type is not FrameType.BIAS)
        and not _is_long_bias(frame)
    )


LONGEST_BIAS_S = 1.0
"""A "bias" exposed for longer holds dark signal: it is a dark that is called so by mistake. The
shortest exposures of cameras with a shutter are some tenths of a second."""


def _is_long_bias(frame: Frame) -> bool:
    return frame.frame_type is FrameType.BIAS and (frame.exposure_s or 0.0) > LONGEST_BIAS_S


_at_group = FRAME_FIELDS.index("group")
_before_group = attrgetter(*FRAME_FIELDS[:_at_group])
_after_group = attrgetter(*FRAME_FIELDS[_at_group + 1 :])
_input_values = attrgetter(*(f.name for f in dataclasses.fields(InputFrame)))


def _with_fate(frame: Frame, fates: dict[str, str], config: Config) -> Frame:
    group = fates.get(frame.path)
    if group is not None:
        # As dataclasses.replace, in a fifth of the time: this is done for every frame.
        values: list[Any] = [*_before_group(frame), group, *_after_group(frame)]
        return Frame(*values)
    if frame.status is not Status.USED:
        return frame
    if frame.frame_type is FrameType.BIAS and not config.use_bias:
        reason = Reason(ReasonCode.UNUSED_TYPE, "bias is not used (use_bias: false)")
        return dataclasses.replace(frame, status=Status.IGNORED, reason=reason)
    reason = Reason(ReasonCode.NOT_ONE_IMAGE, "size of the image unknown")
    if _is_long_bias(frame):
        reason = Reason(
            ReasonCode.TYPE_CONTRADICTORY,
            f"a bias of {decimal(frame.exposure_s or 0.0)} s",
            "if it is a dark, list it under `retype` in the overrides",
        )
    if frame.frame_type not in CALIBRATION_TYPES:
        reason = Reason(ReasonCode.TYPE_OTHER, f"no calibration frame ({frame.frame_type})")
    return dataclasses.replace(frame, status=Status.SET_ASIDE, reason=reason)


class _Planner:
    """Holds what every work order needs: settings, library, and the orders made so far."""

    def __init__(self, config: Config, shelves: Shelves, built: frozenset[str]) -> None:
        self._config = config
        self._shelves = shelves
        self._built = built
        self._orders: dict[str, GroupPlan] = {}

    def plan_plain(self, drafts: Sequence[Draft], names: Sequence[str]) -> list[GroupPlan]:
        """Return the work orders of bias, darks and dark-flats."""
        return self._orders_of(drafts, names, [None] * len(drafts), [None] * len(drafts))

    def match_flats(
        self,
        plain: Sequence[Draft],
        flats: Sequence[Draft],
        names: Sequence[str],
        overrides: Overrides,
    ) -> list[Match]:
        """Return the match of each flat group, among groups of this run and the library."""
        candidates = [
            run_candidate(name, draft, _obstacle(self._orders[name], self._config))
            for name, draft in zip(self._orders, plain, strict=True)
        ]
        candidates += self._library_candidates()
        matcher = Matcher(candidates, self._config, overrides)
        return [
            matcher.match(run_candidate(name, draft, ""), [f.path for f in draft.frames])
            for name, draft in zip(names, flats, strict=True)
        ]

    def plan_flats(
        self, drafts: Sequence[Draft], names: Sequence[str], matches: Sequence[Match]
    ) -> list[GroupPlan]:
        """Return the work orders of flats."""
        masters = {name: order.master for name, order in self._orders.items()}
        calibrators = [match.calibrator(masters) for match in matches]
        pinned = [match.pinned for match in matches]
        return self._orders_of(drafts, names, calibrators, pinned)

    def _orders_of(
        self,
        drafts: Sequence[Draft],
        names: Sequence[str],
        calibrators: Sequence[Calibrator | None],
        pinned: Sequence[bool | None],
    ) -> list[GroupPlan]:
        settings = [resolve_integration(d, self._config) for d in drafts]
        digests = [
            group_digest(d.frame_type, d.keys, d.frames, chosen, self._calibrator_digest(c))
            for d, chosen, c in zip(drafts, settings, calibrators, strict=True)
        ]
        places = self._places(drafts, digests)
        orders = []
        for draft, name, digest, place, chosen, calibrator, pin in zip(
            drafts, names, digests, places, settings, calibrators, pinned, strict=True
        ):
            if place.action is Action.REUSE and digest in self._built:
                place = Place(place.master, Action.BUILD)
            previous = self._shelves.previous(draft, place.master)
            order = _order(draft, name, digest, place, chosen, previous, self._config)
            if calibrator is not None:
                warnings = [] if pin else _step_down(calibrator)
                order = dataclasses.replace(
                    order, calibrator=calibrator, warnings=(*order.warnings, *warnings)
                )
            self._orders[name] = order
            orders.append(order)
        return orders

    def _places(self, drafts: Sequence[Draft], digests: Sequence[str]) -> list[Place]:
        """Return the places; groups that are not built take only names that are left."""
        required = self._config.frames.required
        enough = [i for i, d in enumerate(drafts) if len(d.frames) >= required]
        few = [i for i, d in enumerate(drafts) if len(d.frames) < required]
        places: dict[int, Place] = {}
        for indices, claim in ((enough, True), (few, False)):
            found = self._shelves.place(
                [drafts[i] for i in indices], [digests[i] for i in indices], claim=claim
            )
            places.update(zip(indices, found, strict=True))
        for i in few:
            reason = f"{_frames(drafts[i])}, {required} are required (frames.required)"
            if places[i].action is Action.BUILD:
                places[i] = Place(places[i].master, Action.TOO_FEW, reason)
        return [places[i] for i in range(len(drafts))]

    def _calibrator_digest(self, calibrator: Calibrator | None) -> str | None:
        if calibrator is None or calibrator.master is None:
            return None
        if calibrator.group is not None:
            return self._orders[calibrator.group].digest
        return master_digest(calibrator.master, self._shelves.masters[calibrator.master])

    def _library_candidates(self) -> list[Candidate]:
        found: dict[str, Candidate] = {}
        for path, master in sorted(self._shelves.masters.items(), reverse=True):
            # Of one master in two formats the XISF file comes last here and stays.
            if path in self._shelves.assigned or not (master.width and master.height):
                continue
            wanted = {FrameType.DARKFLAT, FrameType.DARK}
            if self._config.use_bias:
                wanted.add(FrameType.BIAS)
            if master.master_of in wanted:
                found[path.rsplit(".", 1)[0]] = library_candidate(path, master)
        return list(found.values())


def resolve_integration(draft: Draft, config: Config) -> dict[str, Any]:
    """Return the integration of a group with everything decided."""
    from calibrary.integrate.choice import resolve

    settings = getattr(config.integration, draft.frame_type.value).model_dump()
    settings["profile"] = config.integration.profile
    return dict(resolve(draft.frame_type, len(draft.frames), settings))


def _obstacle(order: GroupPlan, config: Config) -> str:
    if order.action is Action.TOO_FEW:
        return f"has only {len(order.frames)} of {config.frames.required} required frames"
    if order.action is Action.FOREIGN:
        return f"not built: {order.master} of another program has its place"
    return ""


def _order(
    draft: Draft,
    name: str,
    digest: str,
    place: Place,
    integration: dict[str, Any],
    previous: str | None,
    config: Config,
) -> GroupPlan:
    resources: Resources = estimate(draft)
    frames = draft.frames
    dates = [frame.date_obs for frame in frames if frame.date_obs]
    return GroupPlan(
        group=name,
        frame_type=draft.frame_type,
        setup=setup_name(draft.keys),
        action=place.action,
        digest=digest,
        keys=draft.keys,
        frames=tuple(InputFrame(*_input_values(frame)) for frame in frames),
        first_date_obs=dates[0] if dates else None,
        last_date_obs=dates[-1] if dates else None,
        master=place.master,
        integration=integration,
        reason=place.reason,
        warnings=tuple(_warnings(draft, config)),
        exposures=draft.exposures,
        required=config.frames.required,
        previous=previous,
        mem_mb=resources.mem_mb,
        threads=resources.threads,
        runtime_min=resources.runtime_min,
        disk_mb=resources.disk_mb,
    )


def _frames(draft: Draft) -> str:
    return "1 frame" if len(draft.frames) == 1 else f"{len(draft.frames)} frames"


def _warnings(draft: Draft, config: Config) -> list[str]:
    warnings = []
    minimum = getattr(config.frames.minimum, draft.frame_type.value)
    recommended = getattr(config.frames.recommended, draft.frame_type.value)
    if config.frames.required <= len(draft.frames) < minimum:
        warnings.append(
            f"{_frames(draft)}, fewer than the minimum of {minimum} (recommended: {recommended})"
        )
    if len(draft.exposures) > 1:
        warnings.append(
            f"{exposures_in_words(draft.exposures)} (grouping.flat_exposure: "
            f"{config.grouping.flat_exposure}): each flat is scaled by its own level"
        )
    missing = missing_keys(draft.keys, draft.frame_type, draft.frames[0].date_obs)
    if missing:
        warnings.append(
            f"{', '.join(missing)} unknown: grouped with frames that do not say it either; "
            "set it under 'set' in the overrides"
        )
    return warnings


def _step_down(calibrator: Calibrator) -> list[str]:
    if not calibrator.reason:
        return []
    if calibrator.kind is CalibratorKind.NONE:
        return [f"flats are not calibrated: {calibrator.reason}"]
    return [f"calibrated with {calibrator.group or calibrator.master}: {calibrator.reason}"]
