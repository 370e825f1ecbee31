"""Whom the memory of a page names besides the contacts, and how one of them is taken out of it. Pure.

It knows the memory as it is kept, a JSON value, so that a store can clean it: see `memory.Memory.as_json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

LISTED, TOLD, COMPANIES = "listed", "told", "companies"


def is_memory(value: object) -> bool:
    """Say whether a JSON value is the memory of a page."""
    return isinstance(value, Mapping) and isinstance(value.get(LISTED), list)


def places(url: str, memory: Mapping[str, Any]) -> frozenset[str]:
    """Return whose page it is: its host and the domains above, those of whom it told, and the companies."""
    companies, told = memory.get(COMPANIES), memory.get(TOLD)
    named = companies if isinstance(companies, list) else []
    hosts = [_host(url)]
    hosts += [str(key).rpartition("@")[2].lower() for key in (told if isinstance(told, Mapping) else ())]
    labels = [host.split(".") for host in hosts]
    domains = (".".join(each[start:]) for each in labels for start in range(len(each) - 1))
    return frozenset(domains) | {str(name).casefold() for name in named}


def without(url: str, memory: Mapping[str, Any], knows: Callable[[str, frozenset[str]], bool]) -> Any:
    """Return the memory without the people whom `knows` knows by their name at these places."""
    there = places(url, memory)
    stay = [each for each in memory[LISTED] if not knows(_name(each), there)]
    return memory if len(stay) == len(memory[LISTED]) else {**memory, LISTED: stay}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _name(entry: object) -> str:
    return str(entry[0]) if isinstance(entry, list) and entry else ""
