"""What a check found: as it should be, worth a look, or wrong; and how to put it right. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found `about` what; `cure` says how to put it right, empty where nothing is wrong."""

    level: Level
    about: str
    what: str
    cure: str = ""


def ok(about: str, what: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(Level.OK, about, what)


def warning(about: str, what: str, cure: str) -> Finding:
    """Say that something is worth a look."""
    return Finding(Level.WARNING, about, what, cure)


def problem(about: str, what: str, cure: str) -> Finding:
    """Say that something is wrong."""
    return Finding(Level.PROBLEM, about, what, cure)
