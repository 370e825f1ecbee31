"""Structured logs on stderr: events with stable names, never a secret, a mail body or a full address."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog
from structlog.processors import ExceptionRenderer, JSONRenderer
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer

ADDRESS = re.compile(r"([^\s@<>\"',:;/\\()\[\]])[^\s@<>\"',:;/\\()\[\]]{0,63}@(?=[A-Za-z0-9])")
TOKEN = re.compile(r"\b(xox[a-z]|xapp)-[A-Za-z0-9-]+")


def configure(*, verbose: bool = False, service: bool = False) -> None:
    """Set how much is logged: a service says what happens, an offline command only when asked to.

    At a terminal the lines are for people; anywhere else each is one JSON object, also what libraries log.
    Local variables never stand in a traceback: they hold mails and passwords. Addresses are shortened unless
    `verbose` asks for them, tokens always.
    """
    level = logging.DEBUG if verbose and service else logging.INFO if verbose or service else logging.CRITICAL
    for_people = sys.stderr.isatty()
    before: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        ExceptionRenderer() if for_people else ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        shorten_tokens if verbose else shorten,
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if for_people
        else JSONRenderer()
    )
    structlog.configure(
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(processors=[ProcessorFormatter.remove_processors_meta, *before, renderer])
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # the schedule tells what matters of it


def shorten(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave of every address its first letter and its domain, and of a token its kind."""
    return {name: _each(value, lambda text: _token(_address(text))) for name, value in event.items()}


def shorten_tokens(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave of a token its kind."""
    return {name: _each(value, _token) for name, value in event.items()}


def _address(text: str) -> str:
    return ADDRESS.sub(r"\1…@", text)


def _token(text: str) -> str:
    return TOKEN.sub(r"\1-…", text)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each(inner, change) for inner in value]
    return value
