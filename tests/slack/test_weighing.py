from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Config, Plan, Team
from bot.model import Answer, Choice, Contact, Deal
from bot.service import Service, now
from tests.servers.slack import Workspace
from tests.slack.pressing import Office, open_office
from tests.slack.story import SLIPPING, raise_alert

pytestmark = pytest.mark.servers


async def answer_nothing_wrong(office: Office, times: int) -> None:
    """Raise so many alerts, each of which a rep says was none."""
    at = now()
    for i in range(times):
        contact = Contact(f"p{i}@a{i}.example", deal=Deal())
        raised = await raise_alert(office.store, replace(SLIPPING, at=at), contact)
        await office.store.answer(Answer(contact.address, raised.case, "U1", at, Choice.NOTHING_WRONG))


async def test_a_kind_of_signal_that_is_wrong_too_often_is_left_to_the_digest_openly(
    slack_server: Workspace, tmp_path: Path
) -> None:
    async with open_office(slack_server, ("max@vendor.example",)) as office:
        plan = Plan(Config(team=Team(domains=["vendor.example"]), data=tmp_path), ())
        service = Service(plan, office.store, office.app.poster, office.app)
        await answer_nothing_wrong(office, 12)
        for _ in range(2):
            await service.weigh_signals()
        assert service.pipeline.demoted == {"calendar"}
        told = [call["args"] for call in slack_server.calls("chat.postMessage")]
        assert [one["channel"] for one in told] == [slack_server.user("max")]
        assert "“calendar” goes to the weekly digest from now on" in told[0]["text"]
        again = Service(plan, office.store, office.app.poster, office.app)
        await again.weigh_signals()
        assert again.pipeline.demoted == {"calendar"}
        assert len(slack_server.calls("chat.postMessage")) == 1


async def test_what_could_not_be_said_is_said_later(slack_server: Workspace, tmp_path: Path) -> None:
    async with open_office(slack_server, ("max@vendor.example",)) as office:
        plan = Plan(Config(team=Team(domains=["vendor.example"]), data=tmp_path), ())
        service = Service(plan, office.store, office.app.poster, office.app)
        await office.store.save_setting("demoted", ["calendar"])
        slack_server.fail("chat.postMessage", status=503, times=2)
        await service.weigh_signals()
        assert await office.store.setting("demoted") == ["calendar"]
        await service.weigh_signals()
        assert await office.store.setting("demoted") == []
        assert "raises alerts again" in slack_server.calls("chat.postMessage")[-1]["args"]["text"]


async def test_what_is_learnt_from_answers_is_told_to_the_admins_with_its_numbers_and_judged_by(
    slack_server: Workspace, tmp_path: Path
) -> None:
    async with open_office(slack_server, ("max@vendor.example",)) as office:
        plan = Plan(Config(team=Team(domains=["vendor.example"]), data=tmp_path), ())
        service = Service(plan, office.store, office.app.poster, office.app)
        await answer_nothing_wrong(office, 30)
        for _ in range(2):
            await service.learn()
        assert service.pipeline.rules.scales.calendar < 0.8
        [told] = [call["args"] for call in slack_server.calls("chat.postMessage")]
        assert told["channel"] == slack_server.user("max")
        assert "calendar 1.00 to 0." in told["text"]
        assert "by 30 answers; Brier score" in told["text"]
        again = Service(plan, office.store, office.app.poster, office.app)
        await again.learn_health()
        assert again.pipeline.rules.scales == service.pipeline.rules.scales
