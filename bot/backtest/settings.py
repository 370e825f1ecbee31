"""What `--set KEY=VALUE` can change: how to judge, and when to tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import time

from bot import routing
from bot.model import NeedsHuman

AS_THE_SERVICE = routing.Rules(channel="channel", slipping="dm", quiet=(time(18), time(8)), alerts_a_day=5)
"""How alerts are told where config.yaml says nothing else."""


@dataclass(frozen=True)
class Chosen:
    """A setting to try, and what it is called."""

    name: str = "as shipped"
    routing: routing.Rules = field(default_factory=lambda: AS_THE_SERVICE)


def changed(changes: Iterable[str]) -> Chosen:
    """Return what is shipped with some values changed ("alerts_a_day=3"). Raises NeedsHuman."""
    chosen = Chosen(name=", ".join(changes))
    for change in chosen.name.split(", "):
        key, _, value = change.partition("=")
        if key.strip() != "alerts_a_day":
            raise NeedsHuman(f"{key!r} cannot be set", "set one of: alerts_a_day")
        chosen = replace(chosen, routing=replace(chosen.routing, alerts_a_day=int(value)))
    return chosen
