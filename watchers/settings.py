"""What a watcher can be told: apart from `watchers`, since it brings pydantic, which no mail reader needs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """What a watcher can be told in config.yaml; a key it does not know stops the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)
