"""What several tests of mailboxes and calendars stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.servers import oauth
from tests.servers.oauth import AuthorizationServer


@pytest.fixture
async def tokens() -> AsyncIterator[AuthorizationServer]:
    """Give tokens, as Google and Microsoft do."""
    async with oauth.running() as server:
        yield server
