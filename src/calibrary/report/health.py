"""Sensor health: how the figures of all masters in the library move over the years."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from calibrary.checks import QC_KEYWORDS
from calibrary.records import Frame, FrameType
from calibrary.records.keys import alike, exact_keys, sensor_keys
from calibrary.report.formats import exposure, number, temperature
from calibrary.verify.dark import dark_figures


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure that tells how the sensor fares, and the masters that carry it."""

    label: str
    unit: str
    source: FrameType
    figure: str
    """Its dotted name; `Frame.qc` has it by the keyword of the header."""
    by_exposure: bool = False
    """Masters of different exposures do not compare."""


QUANTITIES = (
    Quantity("Bias level", "ADU", FrameType.BIAS, "level.median"),
    Quantity("Read noise", "ADU", FrameType.BIAS, "noise.frame"),
    Quantity("Dark rate", "ADU/s", FrameType.DARK, "dark.rate"),
    Quantity("Hot pixels", "", FrameType.DARK, "hot.count", by_exposure=True),
)


_LEVEL = QC_KEYWORDS["level.median"][0]

Setting = tuple[str, ...]
"""What must be equal for masters to compare, in words."""
Point = tuple[str, float, str]
"""Date, value, master's file name."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One quantity of one setup over time, a series for each camera setting."""

    quantity: Quantity
    series: dict[Setting, list[Point]]

    @property
    def caption(self) -> str:
        """What the chart shows, with its latest value."""
        points = sorted(
            (*point, setting) for setting, points in self.series.items() for point in points
        )
        date, value, _, setting = points[-1]
        name = self._name(setting)
        unit = f" {self.quantity.unit}" if self.quantity.unit else ""
        return (
            f"{self.quantity.label} of {len(points)} master{'s' if len(points) != 1 else ''}; "
            f"latest {number(value)}{unit} on {date}{f' ({name})' if name else ''}"
        )

    def data(self) -> dict[str, Any]:
        """Return what the chart needs; a series is named by what sets it apart."""
        return {
            "label": self.quantity.label,
            "unit": self.quantity.unit,
            "series": [
                {
                    "name": self._name(setting),
                    "points": points,
                }
                for setting, points in sorted((s, sorted(p)) for s, p in self.series.items())
            ],
        }

    def _name(self, setting: Setting) -> str:
        """Return what sets a setting apart from the others; empty for the only one."""
        shared = set.intersection(*(set(other) for other in self.series))
        return ", ".join(part for part in setting if part not in shared)


def trends(masters: Iterable[Frame], library: Path) -> dict[str, list[Trend]]:
    """Collect, for each setup, the trends for which at least one master has a figure.

    Parameters
    ----------
    masters
        The masters of the library, with the figures of their headers.
    library
        Its root: the folder of a setup below it names the setup.
    """
    found: dict[str, dict[Quantity, dict[Setting, list[Point]]]] = defaultdict(
        lambda: {quantity: defaultdict(list) for quantity in QUANTITIES}
    )
    masters = list(masters)
    biases: dict[tuple[object, ...], list[Frame]] = defaultdict(list)
    for master in masters:
        if master.master_of is FrameType.BIAS and master.date_obs and _LEVEL in master.qc:
            biases[_sensor(master)].append(master)
    for master in masters:
        for quantity in QUANTITIES:
            value = master.qc.get(QC_KEYWORDS[quantity.figure][0])
            if quantity.figure == "dark.rate" and value is None:
                value = _dark_rate(master, biases[_sensor(master)])
            if master.master_of is quantity.source and value is not None and master.date_obs:
                series = found[setup_name(master, library)][quantity]
                point = (master.date_obs[:10], value, Path(master.path).name)
                series[_setting(master, quantity)].append(point)
    return {
        setup: [Trend(quantity, dict(series)) for quantity, series in by_quantity.items() if series]
        for setup, by_quantity in sorted(found.items())
    }


def _dark_rate(dark: Frame, biases: Sequence[Frame]) -> float | None:
    """Return the rate of a dark above that of its sensor's biases that is nearest in time.

    The dark's own header cannot say it: the bias may have been made later.
    """
    if dark.master_of is not FrameType.DARK or not dark.date_obs or _LEVEL not in dark.qc:
        return None
    fitting = [bias for bias in biases if alike(bias, dark, sensor_keys())[0]]
    if not fitting:
        return None
    taken = datetime.fromisoformat(dark.date_obs)
    bias = min(fitting, key=lambda b: abs(datetime.fromisoformat(b.date_obs or "") - taken))
    level = {"level.median": dark.qc[_LEVEL]}
    return dark_figures(level, bias.qc[_LEVEL], dark.exposure_s, None).get("dark.rate")


def _sensor(master: Frame) -> tuple[Hashable, ...]:
    return tuple(key.value(master) for key in sensor_keys() if not key.if_known)


def setup_name(master: Frame, library: Path) -> str:
    """Return the setup by the library's layout, else by telescope and camera."""
    try:
        parts: Sequence[str] = Path(master.path).relative_to(library.absolute()).parts
    except ValueError:
        parts = ()
    if len(parts) > 2 and parts[0].startswith("!!!"):
        return parts[1]
    return "_".join(name for name in (master.telescope, master.camera) if name) or "unknown setup"


def _setting(master: Frame, quantity: Quantity) -> Setting:
    """Return what must be equal beside the setup, a part for each key that the master tells."""
    keys = (key for key in exact_keys(master.master_of) if key.told_by_masters)
    told = [(key, value) for key in keys if (value := key.value(master)) is not None]
    return (
        *(f"{key.words} {key.shown(value)}" for key, value in told),
        temperature(master.temp_c and round(master.temp_c)),
        *([exposure(master.exposure_s)] if quantity.by_exposure else []),
    )
