"""`stillthere privacy`, and what the service does by itself at night and when a source is down."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from structlog.testing import capture_logs

from bot import config
from bot.cli import main
from bot.clock import FrozenClock
from bot.health import Health
from bot.model import Contact, Observation, Person, SourceDown
from bot.retention import Term, term
from bot.service import Service
from bot.slack.app import Connection, SlackApp
from bot.slack.erasure import ERASED
from bot.slack.outbox import Poster, drain
from bot.store import Store
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from bot.terminal import TerminalPoster
from tests.servers.slack import BOT_TOKEN, SIGNING_SECRET, Workspace
from tests.slack.story import LEFT, raise_alert
from watchers import load

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme", owner="rita@vendor.example")
BOX = "mailbox:rita@vendor.example"
TEAM = "team: {domains: [vendor.example]}\n"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data folder in which Jane wrote 400 days ago, and Bob, whom nobody watches, 10 days ago."""
    (tmp_path / "config.yaml").write_text(TEAM)
    async with await TinyStore.open(tmp_path / "data") as store:
        await fill(store)
    return tmp_path


async def fill(store: Store) -> None:
    await store.watch(JANE)
    await store.record(
        [
            Observation(JANE.address, "wrote", NOW - 400 * DAY, BOX, "wrote to rita@vendor.example"),
            Observation("bob@acme.example", "wrote", NOW - 10 * DAY, BOX, "wrote to rita@vendor.example"),
            Observation(
                JANE.address,
                "departed",
                NOW - 5 * DAY,
                BOX,
                "auto-reply: no longer there, write to Bob Roe",
                facts={"successors": [{"name": "Bob Roe", "address": "bob@acme.example", "role": ""}]},
            ),
        ]
    )


async def run(folder: Path, *words: str) -> Result:
    arguments = ["privacy", *words, "--config", str(folder / "config.yaml")]
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


async def test_it_shows_how_much_is_kept_and_whose_time_is_over_beside_a_running_service(
    folder: Path,
) -> None:
    async with await TinyStore.open(folder / "data"):
        shown = await run(folder, "--json")
        assert "jane@acme.example" in (await run(folder)).stdout
    found = json.loads(shown.stdout)
    assert (found["watched"], found["colleagues"], found["observations"]) == (1, 1, 3)
    assert (found["over"], found["not_informed"]) == (1, 1)
    assert [one["address"] for one in found["next"]] == [JANE.address]


async def test_an_export_holds_every_fact_with_its_source_and_those_of_others_that_name_them(
    folder: Path,
) -> None:
    jane = json.loads((await run(folder, "export", "Jane@acme.example", "--json")).stdout)
    assert [fact["kind"] for fact in jane["facts"]] == ["wrote", "departed"]
    assert {fact["source"] for fact in jane["facts"]} == {BOX}
    assert jane["retention"]["because"] == "last business contact"
    bob = json.loads((await run(folder, "export", "bob@acme.example", "--json")).stdout)
    assert [one["about"] for one in bob["named_in_facts_of_others"]] == [JANE.address]
    shown = (await run(folder, "export", "bob@acme.example")).stdout
    assert "write to Bob Roe" in shown


async def test_whoever_is_forgotten_is_gone_and_an_export_says_so(folder: Path) -> None:
    assert "is forgotten" in (await run(folder, "forget", JANE.address, "--yes")).stderr
    found = json.loads((await run(folder, "export", JANE.address, "--json")).stdout)
    assert (found["kept"], found["forgotten"], found["facts"]) == (False, True, [])


async def test_forgetting_asks_first_and_wants_the_service_stopped(folder: Path) -> None:
    assert (await run(folder, "forget", JANE.address)).exit_code == 1
    async with await TinyStore.open(folder / "data") as store:
        refused = await run(folder, "forget", JANE.address, "--yes")
        assert refused.exit_code == 2
        assert "is in use" in refused.stderr
        assert await store.person(JANE.address) is not None


async def test_tombstones_go_out_and_in_by_a_private_file(folder: Path) -> None:
    await run(folder, "forget", JANE.address, "--yes")
    file = folder / "forgotten.json"
    assert (await run(folder, "tombstones", "export", str(file))).exit_code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert "jane" not in file.read_text()
    (folder / "data").rename(folder / "away")
    async with await TinyStore.open(folder / "data") as store:
        await fill(store)
    assert (await run(folder, "tombstones", "import", str(file))).exit_code == 0
    async with await TinyStore.open(folder / "data") as store:
        assert await store.person(JANE.address) is None
        assert not await store.watch(JANE)
    file.write_text("{}")
    assert (await run(folder, "tombstones", "import", str(file))).exit_code == 2


def app(slack: Workspace, store: Store) -> SlackApp:
    made = Connection(
        BOT_TOKEN,
        slack.channel("champions"),
        signing_secret=SIGNING_SECRET,
        base_url=slack.base_url,
        pace=timedelta(),
    )
    return SlackApp(made, store, FrozenClock(NOW))


async def test_whose_time_is_over_is_erased_at_night_with_the_messages_in_slack(
    slack: Workspace, tmp_path: Path
) -> None:
    slack.reset()
    slack.show_channel("champions", is_private=True)
    store = MemoryStore()
    told = app(slack, store)
    await raise_alert(store, LEFT)
    assert await drain(store, told.poster, FrozenClock(NOW)) == 1
    [case] = await store.cases()
    await store.watch(Contact(case.contact, "Jane Doe", account="Acme"))
    await store.record([Observation(case.contact, "wrote", NOW - 400 * DAY, BOX, "wrote")])
    service = serviced(tmp_path, store, told.poster, told)
    await service.end_retention()
    assert await store.person(case.contact) is None
    [message] = slack.messages(slack.channel("champions"))
    assert message["text"] == ERASED
    assert await store.setting("messages to redact") == []
    assert await store.watch(JANE)


async def test_nobody_is_erased_at_night_who_wrote_within_the_year(slack: Workspace, tmp_path: Path) -> None:
    store = MemoryStore()
    await fill(store)
    told = app(slack, store)
    await serviced(tmp_path, store, told.poster, told).end_retention()
    assert [person.address async for person in store.everybody()] == ["bob@acme.example"]


async def test_somebody_whose_time_cannot_be_told_is_said_and_keeps_nobody_else_from_being_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    await store.watch(Contact("ann@acme.example", "Ann"))
    await fill(store)

    def told_of_most(person: Person, *given: Any) -> Term:
        if person.address == "ann@acme.example":
            raise OverflowError
        return term(person, *given)

    monkeypatch.setattr("bot.service.term", told_of_most)
    with capture_logs() as logs:
        await serviced(tmp_path, store, TerminalPoster(Console()), None).end_retention()
    left = [person.address async for person in store.everybody()]
    assert left == ["ann@acme.example", "bob@acme.example"]
    assert [line["event"] for line in logs] == ["retention.unclear", "retention.ended"]


def serviced(folder: Path, store: Store, poster: Poster, teller: Any) -> Service:
    load()
    (folder / "mail").mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(
        f"{TEAM}watchers:\n  mailbox:\n    every: 5m\n"
        "    mailboxes: [{kind: files, path: mail, name: rita}]\n"
    )
    return Service(config.load(folder / "config.yaml"), store, poster, teller)


class Admins:
    """Hears what the admins are told; cannot be reached while `away`."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.away = False

    async def announce(self, text: str) -> None:
        if self.away:
            raise SourceDown("Slack cannot be reached")
        self.heard.append(text)

    async def send_digests(self, now: datetime) -> int:
        del now
        return 0

    async def tell_baselines(self, now: datetime) -> int:
        del now
        return 0

    async def expire(self, person: Person) -> bool:
        del person
        return False

    async def redact(self) -> None:
        return


async def test_admins_hear_once_of_a_source_that_is_not_read_and_once_of_its_recovery(
    tmp_path: Path, slack: Workspace
) -> None:
    store, admins = MemoryStore(), Admins()
    poster = app(slack, store).poster
    service = serviced(tmp_path, store, poster, admins)
    [source] = await service.sources()
    began = datetime.now(UTC)
    service.health.good(source, began - timedelta(minutes=40, seconds=1))
    service.health.bad(source, SourceDown("the disk <!channel> is gone"), began - timedelta(minutes=30))
    admins.away = True
    await service.tell_outages()
    admins.away = False
    await service.tell_outages()
    await service.tell_outages()
    [said] = admins.heard
    assert re.search(r"was not read for 4[01] minutes", said)
    assert "<!channel>" not in said
    again = serviced(tmp_path, store, poster, admins)  # a restart
    await again.tell_outages()
    assert len(admins.heard) == 1
    again.health.good(source, datetime.now(UTC))
    await again.tell_outages()
    await again.tell_outages()
    assert len(admins.heard) == 2
    assert "is read again" in admins.heard[1]


async def test_admins_hear_nothing_of_a_source_that_another_process_reads(
    tmp_path: Path, slack: Workspace
) -> None:
    store, admins = MemoryStore(), Admins()
    service = serviced(tmp_path, store, app(slack, store).poster, admins)
    service.shares = True
    [source] = await service.sources()
    service.health.good(source, datetime.now(UTC) - timedelta(hours=1))
    other = Health()
    other.good(source, datetime.now(UTC))
    await other.share(store, source)
    await service.tell_outages()
    assert admins.heard == []


async def test_forgetting_at_the_command_line_redacts_the_messages_in_slack(
    slack: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.reset()
    slack.show_channel("champions", is_private=True)
    channel = slack.channel("champions")
    (tmp_path / "config.yaml").write_text(f"{TEAM}slack: {{channel: {channel}, api: '{slack.base_url}'}}\n")
    async with await TinyStore.open(tmp_path / "data") as store:
        await raise_alert(store, LEFT)
        await drain(store, app(slack, store).poster, FrozenClock(NOW))
        [case] = await store.cases()
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    refused = await run(tmp_path, "forget", case.contact, "--yes")
    assert (refused.exit_code, "SLACK_BOT_TOKEN is not set" in refused.stderr) == (2, True)
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SIGNING_SECRET)
    answer = await run(tmp_path, "export", case.contact, "--json")
    assert [told["channel"] for told in json.loads(answer.stdout)["recipients"]] == [channel]
    done = await run(tmp_path, "forget", case.contact, "--yes")
    assert done.exit_code == 0, done.output
    assert "messages redacted: 1" in done.stderr
    assert [message["text"] for message in slack.messages(channel)] == [ERASED]
