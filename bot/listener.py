"""The service's own small web server: health, metrics, activity and connecting of mailboxes are routes of it.

It listens on this machine only, unless config.yaml says otherwise; a proxy that speaks TLS stands in front of
it where the world may ask it anything. What comes in is bounded, and no request is logged with its query.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable

import structlog
from aiohttp import web

from bot.model import NeedsHuman

log = structlog.get_logger()

LARGEST_BODY = 2**20
"""How many bytes a request may bring."""

FAREWELL_SECONDS = 5.0
"""How long requests under way may take to end when the service stops."""


@contextlib.asynccontextmanager
async def listening(host: str, port: int, routes: Iterable[web.RouteDef]) -> AsyncIterator[int]:
    """Answer requests until the block ends; yields the port, which the system chose where `port` is 0.

    Raises NeedsHuman where the address is taken or not ours.
    """
    application = web.Application(client_max_size=LARGEST_BODY)
    application.add_routes(routes)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=FAREWELL_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise NeedsHuman(
                f"cannot listen at {host}:{port}: {error.strerror}",
                "name another port under 'listen' in config.yaml, or stop what uses it",
            ) from error
        bound = int(runner.addresses[0][1])
        log.info("listener.started", host=host, port=bound)
        yield bound
    finally:
        await runner.cleanup()
