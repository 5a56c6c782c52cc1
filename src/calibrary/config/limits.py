"""Limits of the verification tests, each with unit and source."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class VerifyLimits(BaseModel):
    """Where a figure turns from pass to warn, and from warn to fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)
