"""Limits of the verification tests: the config section ``verify``, made from `calibrary.checks`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from calibrary.checks import CHECKS, Check


class Limit(BaseModel):
    """Where a figure turns from pass to warn, and from warn to fail; ``null``: it never does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warn: float | None = None
    fail: float | None = None


class _Limits(BaseModel):
    """Limits of the verification tests; a side that is not given keeps its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _keep_other_side(cls, data: Any) -> Any:  # noqa: ANN401 - what YAML holds
        """Fill the side of a limit that the user left out with its default."""
        if not isinstance(data, dict):
            return data
        defaults = {name: field.default for name, field in cls.model_fields.items()}
        return {
            key: {**defaults[key].model_dump(), **value}
            if isinstance(value, dict) and key in defaults
            else value
            for key, value in data.items()
        }


def limits_model(checks: Iterable[Check]) -> type[_Limits]:
    """Return the model of a table's limits: a field for each test."""
    fields: dict[str, Any] = {
        check.key: (
            Limit,
            Field(default=Limit(warn=check.warn, fail=check.fail), description=_description(check)),
        )
        for check in checks
    }
    return create_model("VerifyLimits", __base__=_Limits, __doc__=_Limits.__doc__, **fields)


def _description(check: Check) -> str:
    unit = f" Unit: {check.unit}." if check.unit else ""
    return (
        f"{check.meaning[0].upper()}{check.meaning[1:]}; bad {check.side} the limits."
        f"{unit} Masters: {', '.join(check.types)}. Source: {check.source}."
    )


if TYPE_CHECKING:

    class VerifyLimits(_Limits):
        """The model as type checkers see it: its fields are those of the table."""

else:
    VerifyLimits = limits_model(CHECKS)
