"""The service from end to end with a CRM on one side, a workspace on the other, and no mailbox at all."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers import hubspot
from tests.servers.ports import free_port
from tests.servers.slack import BOT_TOKEN, SIGNING_SECRET, Workspace
from tests.service import Service

pytestmark = [pytest.mark.servers, pytest.mark.long]

JANE = "jane@acme.example"


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def furnish(portal: hubspot.HubSpot) -> str:
    """Let Jane be on an open deal of Rita's, who wrote to her and got an answer; return Jane's id."""
    portal.owners = [{"id": "1", "email": "rita@vendor.example", "archived": False}]
    jane = portal.add("contacts", email=JANE, firstname="Jane", lastname="Doe")
    deal = portal.add("deals", dealname="Rollout", amount="48000", hubspot_owner_id="1", hs_is_closed="false")
    portal.link("deals", deal, "contacts", jane)
    for number, days in enumerate((40, 38)):
        people = ["rita@vendor.example", JANE]
        portal.add(
            "emails",
            hs_timestamp=days_ago(days),
            hs_lastmodifieddate=days_ago(days),
            hs_email_direction=("EMAIL", "INCOMING_EMAIL")[number],
            hs_email_from_email=people[number],
            hs_email_to_email=people[1 - number],
        )
    return jane


async def test_a_bounce_flag_in_the_crm_becomes_one_alert_for_the_owner_that_the_crm_names(
    slack_server: Workspace, tmp_path: Path
) -> None:
    async with hubspot.running() as portal:
        jane = furnish(portal)
        (tmp_path / "config.yaml").write_text(
            f"""
team:
  domains: [vendor.example]
slack:
  channel: {slack_server.channel("champions")}
  api: {slack_server.base_url}
  quiet_hours: none
  http: {{port: {free_port()}}}
crm:
  proposals: true
  hubspot: {{api: "{portal.url}"}}
watchers:
  crm_hubspot: {{every: 1s, api: "{portal.url}"}}
"""
        )
        env = {
            "HUBSPOT_TOKEN": hubspot.TOKEN,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }
        service = Service(tmp_path, env)
        channel = slack_server.channel("champions")
        try:
            await asyncio.to_thread(service.start)
            await asyncio.to_thread(service.wait, lambda: service.events("source.read"))
            assert slack_server.messages(channel) == []
            portal.objects["contacts"][jane].update(
                hs_email_hard_bounce_reason_enum="UNKNOWN_USER", lastmodifieddate=days_ago(0)
            )
            await asyncio.to_thread(service.wait, lambda: slack_server.messages(channel))
        finally:
            service.end()
        [message] = slack_server.messages(channel)
        shown = json.dumps(message["blocks"], ensure_ascii=False)
        assert "Jane Doe" in shown
        assert "noted in the CRM: there is no such mailbox" in shown
        assert f"<@{slack_server.user('rita')}>" in shown
        assert "48,000" in shown
        assert portal.written == {}
