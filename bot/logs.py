"""Structured logs on stderr: events with stable names, never a secret, a mail body or a full address."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, verbose: bool = False, service: bool = False) -> None:
    """Set how much is logged: a service says what happens, an offline command only when asked to.

    At a terminal the lines are for people; anywhere else each is one JSON object.
    """
    level = logging.DEBUG if verbose and service else logging.INFO if verbose or service else logging.CRITICAL
    for_people = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if for_people else [structlog.processors.dict_tracebacks]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
