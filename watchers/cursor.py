"""Where reading of a source goes on: what a cursor says, kept as JSON between two passes. Pure."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ValidationError

from bot.model import Json


class Cursor(BaseModel):
    """What is kept of a source; its fields' defaults are the beginning."""

    @classmethod
    def of(cls, kept: Json) -> Self:
        """Read what was kept; None, or what is none of ours, starts from the beginning."""
        try:
            return cls.model_validate(kept or {})
        except ValidationError:
            return cls()
