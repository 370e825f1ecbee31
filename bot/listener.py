"""The service's own small web server: health, metrics, activity and connecting of mailboxes are routes of it.

It listens on this machine only, unless config.yaml says otherwise; a proxy that speaks TLS stands in front of
it where the world may ask it anything. What comes in is bounded in size and time, and no request is logged
with its query. Whoever connects and asks nothing, or asks a byte at a time, is hung up on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable

import structlog
from aiohttp import http_exceptions, web
from aiohttp.typedefs import Handler

from bot.model import NeedsHuman

log = structlog.get_logger()

LARGEST_BODY = 2**20
"""How many bytes a request may bring."""

FAREWELL_SECONDS = 5.0
"""How long requests under way may take to end when the service stops."""

QUIET_SECONDS = 30.0
"""So long a connection may stand without a whole request; those that wait for another are let go before."""

REQUEST_SECONDS = 60.0
"""How long one request may take, its body included."""

MOST_CONNECTIONS = 200
"""Where more stand open, those that have been quiet for the longest are hung up on at once."""

LINGERING_SECONDS = 1.0
"""How long the rest of a body that nobody reads any more is waited for."""

SWEEP_SECONDS = 1.0


class _Lines:
    """The connections that stand open: which answer a request, and since when the others are quiet."""

    def __init__(self, quiet: float) -> None:
        self._quiet = quiet
        self._busy: set[object] = set()
        self._since: dict[object, float] = {}

    @web.middleware
    async def answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request within its time."""
        line = request.protocol
        self._busy.add(line)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await handler(request)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except web.RequestPayloadError:
            raise web.HTTPBadRequest from None
        finally:
            self._busy.discard(line)
            self._since.pop(line, None)

    async def sweep(self, server: web.Server) -> None:
        """Hang up on whoever is quiet for too long, until cancelled."""
        while True:
            now = time.monotonic()
            waiting = [line for line in server.connections if line not in self._busy]
            self._since = {line: self._since.get(line, now) for line in waiting}
            waiting.sort(key=self._since.__getitem__)
            spare = max(len(server.connections) - MOST_CONNECTIONS, 0)
            for number, line in enumerate(waiting):
                if number < spare or now - self._since[line] >= self._quiet:
                    line.force_close()
            await asyncio.sleep(min(SWEEP_SECONDS, self._quiet))


@contextlib.asynccontextmanager
async def listening(
    host: str,
    port: int,
    routes: Iterable[web.RouteDef],
    quiet: float = QUIET_SECONDS,
    event: str = "listener.started",
) -> AsyncIterator[int]:
    """Answer requests until the block ends; yields the port, which the system chose where `port` is 0.

    `quiet` is how many seconds a connection may stand without a request, `event` what is logged. Raises
    NeedsHuman where the address is taken or not ours.
    """
    lines = _Lines(quiet)
    application = web.Application(client_max_size=LARGEST_BODY, middlewares=[lines.answered])
    application.add_routes(routes)
    application.on_response_prepare.append(_say_no_version)
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=_logger(),
        shutdown_timeout=FAREWELL_SECONDS,
        keepalive_timeout=quiet / 2,
        lingering_time=LINGERING_SECONDS,
    )
    await runner.setup()
    assert runner.server is not None
    sweeping = asyncio.create_task(lines.sweep(runner.server))
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
        log.info(event, host=host, port=bound)
        yield bound
    finally:
        sweeping.cancel()
        await runner.cleanup()


def _logger() -> logging.Logger:
    """Return where the server tells of our mistakes; those of whoever asks would fill the log with theirs."""
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, http_exceptions.HttpProcessingError | web.RequestPayloadError)


async def _say_no_version(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Leave out what we are made of, which helps nobody but an attacker."""
    response.headers.popall("Server", None)
