from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.servers import hubspot, salesforce
from watchers.crm import hubspot as hubspot_line
from watchers.crm import salesforce as salesforce_line


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask without a pause: how fast one may ask is tested by itself."""
    monkeypatch.setattr(hubspot_line, "PAUSE", timedelta())
    monkeypatch.setattr(salesforce_line, "PAUSE", timedelta())
    monkeypatch.setenv("HUBSPOT_TOKEN", hubspot.TOKEN)
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", salesforce.SECRET)


@pytest.fixture
async def portal() -> AsyncIterator[hubspot.HubSpot]:
    async with hubspot.running() as running:
        yield running


@pytest.fixture
async def organisation() -> AsyncIterator[salesforce.Salesforce]:
    async with salesforce.running() as running:
        yield running
