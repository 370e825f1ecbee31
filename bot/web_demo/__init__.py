"""Show the founding story on a page of this machine, and judge the viewer's own mail there.

The page is for whoever started it alone: it listens on loopback, under an address that nobody can guess, to
requests that name this machine, and nothing on it comes from anywhere else.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bot.listener import listening
from bot.model import NeedsHuman
from bot.web_demo.routes import Pages
from bot.web_demo.session import Session
from bot.web_demo.trial import Trial

HOST = "127.0.0.1"
TOKEN_BYTES = 24


@contextlib.asynccontextmanager
async def shown(port: int = 0) -> AsyncIterator[str]:
    """Show the page until the block ends; yields its address. `port` 0: any free one.

    Raises NeedsHuman where the port is taken.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with tempfile.TemporaryDirectory(prefix="stillthere-trial-") as folder:
        session, trial = Session(), Trial(Path(folder) / "dropped")
        await trial.clear()
        await session.tape()
        pages = Pages(session, trial, token)
        try:
            async with listening(HOST, port, pages.routes()) as bound:
                pages.port = bound
                yield f"http://{HOST}:{bound}/{token}/"
        except NeedsHuman as problem:
            raise NeedsHuman(problem.what, "name another port with --port, or leave it away") from problem
        finally:
            await trial.clear()
