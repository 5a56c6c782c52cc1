"""Sensor health: how the figures of all masters in the library move over the years."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibrary.model import Frame, FrameType
from calibrary.report.formats import exposure, number, temperature


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure that tells how the sensor fares, and the masters that carry it."""

    label: str
    unit: str
    source: FrameType
    figure: str
    """Name in `Frame.qc`."""
    by_exposure: bool = False
    """Masters of different exposures do not compare."""


QUANTITIES = (
    Quantity("Bias level", "ADU", FrameType.BIAS, "level.median"),
    Quantity("Read noise", "ADU", FrameType.BIAS, "noise.frame"),
    Quantity("Dark rate", "ADU/s", FrameType.DARK, "dark.rate"),
    Quantity("Hot pixels", "", FrameType.DARK, "hot.count", by_exposure=True),
)


@dataclass(frozen=True, slots=True)
class Trend:
    """One quantity of one setup over time, a series for each camera setting."""

    quantity: Quantity
    series: dict[str, list[tuple[str, float, str]]]
    """Setting to points: date, value, master's file name."""

    @property
    def caption(self) -> str:
        """What the chart shows, with its latest value."""
        points = sorted(point for points in self.series.values() for point in points)
        unit = f" {self.quantity.unit}" if self.quantity.unit else ""
        return (
            f"{self.quantity.label} of {len(points)} master{'s' if len(points) != 1 else ''}; "
            f"latest {number(points[-1][1])}{unit} on {points[-1][0][:10]}"
        )

    def data(self) -> dict[str, Any]:
        """Return what the chart needs."""
        return {
            "label": self.quantity.label,
            "unit": self.quantity.unit,
            "series": [
                {"name": name, "points": sorted(points)}
                for name, points in sorted(self.series.items())
            ],
        }


def trends(masters: Iterable[Frame], library: Path) -> dict[str, list[Trend]]:
    """Collect, for each setup, the trends for which at least one master has a figure.

    Parameters
    ----------
    masters
        The masters of the library, with the figures of their headers.
    library
        Its root: the folder of a setup below it names the setup.
    """
    found: dict[str, dict[Quantity, dict[str, list[tuple[str, float, str]]]]] = defaultdict(
        lambda: {quantity: defaultdict(list) for quantity in QUANTITIES}
    )
    for master in masters:
        for quantity in QUANTITIES:
            value = master.qc.get(quantity.figure)
            if master.master_of is quantity.source and value is not None and master.date_obs:
                series = found[setup_name(master, library)][quantity]
                point = (master.date_obs, value, Path(master.path).name)
                series[_setting(master, quantity)].append(point)
    return {
        setup: [Trend(quantity, dict(series)) for quantity, series in by_quantity.items() if series]
        for setup, by_quantity in sorted(found.items())
    }


def setup_name(master: Frame, library: Path) -> str:
    """Return the setup by the library's layout, else by telescope and camera."""
    try:
        parts: Sequence[str] = Path(master.path).relative_to(library).parts
    except ValueError:
        parts = ()
    if len(parts) > 2 and parts[0].startswith("!!!"):
        return parts[1]
    return "_".join(name for name in (master.telescope, master.camera) if name) or "unknown setup"


def _setting(master: Frame, quantity: Quantity) -> str:
    parts = [
        master.gain is not None and f"gain {number(master.gain)}",
        master.offset is not None and f"offset {number(master.offset)}",
        master.x_binning and f"{master.x_binning}×{master.y_binning or master.x_binning}",
        master.readout_mode,
        master.temp_c is not None and temperature(round(master.temp_c)),
        quantity.by_exposure and exposure(master.exposure_s),
    ]
    return ", ".join(str(part) for part in parts if part) or "unknown settings"
