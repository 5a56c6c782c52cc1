"""What goes into a master file, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from calibrary.formats.layout import ADU_FULL_SCALE

Value = str | int | float | bool | None
CardLike = tuple[str, Value, str]


@dataclass(frozen=True, slots=True)
class Master:
    """What goes into a master file besides its samples.

    `write_master` makes it; keywords are legal and single, numbers finite.
    """

    width: int
    height: int
    channels: int
    cards: tuple[CardLike, ...]
    history: tuple[str, ...]
    properties: Mapping[str, object]
    image_type: str | None
    cfa: str | None
    output: Mapping[str, Any] = field(default_factory=dict)
    pedestal: int = 0
    """ADU added to all samples that are written in [0, 1]."""

    @property
    def time(self) -> str:
        """Time of the last exposure, the file's only date; ISO 8601, UTC, ``Z`` at the end.

        A file of the same inputs is the same file, so the clock is never read.
        """
        dates = {keyword: str(value) for keyword, value, _ in self.cards}
        return f"{dates.get('DATE-END') or dates.get('DATE-OBS') or '1970-01-01T00:00:00'}Z"


def normalised(
    data_adu: npt.NDArray[np.float32], pedestal: int = 0
) -> tuple[npt.NDArray[np.float32], int]:
    """Return ADU as floats in [0, 1], and how many samples had to be changed for it.

    Missing samples (not finite) become 0; they are counted too.
    """
    raised = data_adu + np.float32(pedestal) if pedestal else data_adu
    values = raised / np.float32(ADU_FULL_SCALE)
    inside = np.minimum(np.fmax(values, np.float32(0.0)), np.float32(1.0))
    return inside, int(np.count_nonzero(inside != values))
