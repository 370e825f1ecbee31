from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import activity
from bot.activity_route import SIGNATURE, TIMESTAMP, routes
from bot.cli import main
from bot.listener import LARGEST_BODY, listening
from bot.model import Contact, NeedsHuman, Verdict
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from tests.observations import JANE, NOW, judged, wrote
from tests.service import Service as Running

SECRET = "correct horse battery staple"
STRANGER = "bob@elsewhere.example"
EVENT = {"email": "Jane@acme.example", "at": "2026-06-14T08:00:00+02:00", "what": "logged in"}


@dataclass
class Service:
    """The listener with its route, and the store behind it; `at` is what its clock says."""

    store: MemoryStore
    url: str = ""
    at: datetime = field(default=NOW)

    async def post(
        self, body: bytes, stamp: float | str | None = None, secret: str = SECRET, **headers: str
    ) -> httpx.Response:
        stamp = str(int(self.at.timestamp())) if stamp is None else str(stamp)
        signed = {TIMESTAMP: stamp, SIGNATURE: activity.sign(secret, stamp, body), **headers}
        async with httpx.AsyncClient() as client:
            return await client.post(self.url, content=body, headers=signed)

    async def kept(self, address: str = JANE) -> list[tuple[str, datetime, str]]:
        person = await self.store.person(address)
        return [(seen.kind, seen.at, seen.sentence) for seen in person.observations] if person else []


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    store = MemoryStore()
    await store.watch(Contact(JANE, account="Acme"))
    found = Service(store)
    async with listening("127.0.0.1", 0, routes(store, SECRET, lambda: found.at)) as port:
        found.url = f"http://127.0.0.1:{port}/activity"
        yield found


def body(*events: object) -> bytes:
    return json.dumps({"events": events}).encode()


async def test_a_signed_event_of_a_watched_person_is_kept_by_its_day(service: Service) -> None:
    answer = await service.post(body(EVENT))
    assert (answer.status_code, answer.json()) == (
        200,
        {"events": 1, "new": 1, "not_watched": 0, "refused": 0, "errors": []},
    )
    assert await service.kept() == [("activity", datetime(2026, 6, 14, tzinfo=UTC), "logged in")]


async def test_whatever_else_a_person_did_that_day_adds_nothing(service: Service) -> None:
    later = {**EVENT, "at": "2026-06-14T20:00:00Z", "what": "exported a report"}
    first = await service.post(body(EVENT, later))
    again = await service.post(body(later))
    assert (first.json()["new"], again.json()["new"]) == (1, 0)
    assert len(await service.kept()) == 1


async def test_of_people_who_are_not_watched_nothing_is_kept(service: Service) -> None:
    answer = await service.post(body({**EVENT, "email": STRANGER}, {**EVENT, "email": "ann@acme.example"}))
    assert answer.json()["not_watched"] == 2
    assert [await service.kept(STRANGER), await service.kept("ann@acme.example")] == [[], []]
    assert STRANGER not in answer.text


@pytest.mark.parametrize(
    "forged",
    [
        {SIGNATURE: ""},
        {SIGNATURE: "v1=0000"},
        {SIGNATURE: "v1=" + "ü" * 64},
        {TIMESTAMP: ""},
        {TIMESTAMP: "-1"},
        {TIMESTAMP: "9" * 400},
    ],
    ids=["unsigned", "wrong", "no ASCII", "without a time", "before time", "an endless number"],
)
async def test_what_is_not_signed_is_refused(service: Service, forged: dict[str, str]) -> None:
    stamp = str(int(NOW.timestamp()))
    known = {TIMESTAMP: stamp, SIGNATURE: activity.sign(SECRET, stamp, body(EVENT))}
    headers = {name.encode(): value.encode() for name, value in {**known, **forged}.items()}
    async with httpx.AsyncClient() as client:
        answer = await client.post(service.url, content=body(EVENT), headers=headers)
    assert answer.status_code == 401
    assert await service.kept() == []


async def test_another_secret_or_another_body_is_refused(service: Service) -> None:
    stamp = str(int(NOW.timestamp()))
    other = activity.sign(SECRET, stamp, body({**EVENT, "what": "x"}))
    answers = [
        await service.post(body(EVENT), secret="another one"),
        await service.post(body(EVENT), **{SIGNATURE: other}),
    ]
    assert [answer.status_code for answer in answers] == [401, 401]


async def test_what_was_sent_before_is_refused(service: Service) -> None:
    stamp = int(NOW.timestamp())
    assert (await service.post(body(EVENT), stamp)).status_code == 200
    service.at += timedelta(minutes=2)
    assert (await service.post(body(EVENT), stamp)).status_code == 409


async def test_what_was_cut_off_before_it_was_kept_is_taken_when_it_is_sent_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(observations: object) -> None:
        del observations
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(service.store, "record", down)
        assert (await service.post(body(EVENT))).status_code == 500
    again = await service.post(body(EVENT))
    assert (again.status_code, again.json()["new"]) == (200, 1)


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_what_was_not_signed_just_now_is_refused(service: Service, minutes: int) -> None:
    answer = await service.post(body(EVENT), int((NOW + timedelta(minutes=minutes)).timestamp()))
    assert answer.status_code == 401
    assert "clock" in answer.json()["error"]


async def test_a_body_that_is_not_packed_as_it_says_is_refused_in_words(service: Service) -> None:
    answer = await service.post(body(EVENT), **{"Content-Encoding": "deflate"})
    assert answer.status_code == 400
    assert "not packed as it says" in answer.json()["error"]


async def test_too_much_at_once_is_refused(service: Service) -> None:
    large = await service.post(b" " * (LARGEST_BODY + 1))
    many = await service.post(body(*[0] * (activity.MOST_EVENTS + 1)))
    assert [large.status_code, many.status_code] == [413, 413]


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"\xff", b"[]", b"{}", b'{"events": {}}', b"[" * 200_000, b'{"events": ' + b"9" * 9_000 + b"}"],
    ids=["empty", "no text", "a list", "no events", "an object", "deep", "a long number"],
)
async def test_what_is_no_list_of_events_is_refused_in_words(service: Service, nonsense: bytes) -> None:
    answer = await service.post(nonsense)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("it is not ")


async def test_a_bad_event_is_told_by_its_number_and_the_others_are_taken(service: Service) -> None:
    late = {**EVENT, "at": "2030-01-01"}
    answer = await service.post(body(7, {**EVENT, "email": 1}, EVENT, {**EVENT, "at": "soon"}, late))
    told = answer.json()
    assert (told["new"], told["refused"]) == (1, 4)
    assert [error["number"] for error in told["errors"]] == [1, 2, 4, 5]
    assert "'at' is no time: 'soon'" in told["errors"][2]["error"]


def test_without_a_secret_there_is_no_door_and_a_short_one_opens_none() -> None:
    assert routes(MemoryStore(), "", lambda: NOW) == []
    with pytest.raises(NeedsHuman, match="too short"):
        routes(MemoryStore(), "secret", lambda: NOW)


def test_somebody_who_logs_in_every_week_is_not_quiet_and_a_departure_stays_one() -> None:
    mails = [wrote(days) for days in range(60, 200, 3)]
    events = [{"email": JANE, "at": (NOW - timedelta(days=days)).isoformat()} for days in range(1, 60, 3)]
    logins = activity.take(events, frozenset({JANE}), NOW).observations
    assert judged(mails).verdict is Verdict.QUIET
    assert judged([*mails, *logins]).verdict is Verdict.ACTIVE
    assert judged([*mails, *logins]).last_contact == NOW - timedelta(days=60)


junk = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
fields = st.fixed_dictionaries({"email": junk | st.just(JANE), "at": junk, "what": junk})


@given(st.lists(junk | fields, max_size=6))
@settings(max_examples=80, deadline=None)
def test_whatever_an_event_holds_it_is_taken_or_refused(events: list[object]) -> None:
    found = activity.take(events, frozenset({JANE}), NOW)
    assert all(seen.contact == JANE and seen.at <= NOW + activity.SKEW for seen in found.observations)
    assert all(1 <= one.number <= len(events) for one in found.refused)


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_a_file_holds_it_is_rows_or_needs_a_human(content: bytes) -> None:
    for data in (content, b"email,at\r\n" + content):
        with contextlib.suppress(NeedsHuman):
            activity.take(activity.rows_in(data).values(), frozenset(), NOW)


CSV = f"Email;At;What\n{JANE};2026-06-14T08:00:00Z;logged in\n{STRANGER};2026-06-14;\n{JANE};soon;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text("team:\n  domains: [vendor.example]\ndata: data\n")
    (tmp_path / "logins.csv").write_text("\ufeff" + CSV, encoding="utf-8")
    return tmp_path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["activity", "import", *map(str, arguments)])


async def test_a_csv_file_is_taken_into_the_store(folder: Path) -> None:
    async with await TinyStore.open(folder / "data") as store:
        await store.watch(Contact(JANE))
    told = await asyncio.to_thread(run, folder / "logins.csv", "--config", folder / "config.yaml", "--json")
    assert json.loads(told.stdout) == {
        "events": 3,
        "new": 1,
        "not_watched": 1,
        "refused": 1,
        "errors": [{"number": 3, "error": "'at' is no time: 'soon'; write 2026-05-04T09:30:00Z"}],
    }
    async with await TinyStore.open(folder / "data") as store:
        person = await store.person(JANE)
        assert person is not None
        assert [seen.sentence for seen in person.observations] == ["logged in"]
        assert await store.person(STRANGER) is None


async def test_a_csv_file_is_sent_to_the_running_service(
    folder: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STILLTHERE_ACTIVITY_SECRET", SECRET)
    monkeypatch.setattr(activity, "PORTION", 2)
    service.at = datetime.fromtimestamp(time.time(), UTC)
    url = service.url.removesuffix("/activity")
    told = await asyncio.to_thread(run, folder / "logins.csv", "--url", url)
    assert f"{folder}/logins.csv: line 4: 'at' is no time" in told.output
    assert "3 events: 1 new day of activity, 1 of people who are not watched, 1 refused" in told.output
    assert [kind for kind, _, _ in await service.kept()] == ["activity"]
    monkeypatch.setenv("STILLTHERE_ACTIVITY_SECRET", "another secret of a good length")
    refused = await asyncio.to_thread(run, folder / "logins.csv", "--url", url)
    assert refused.exit_code == 2
    assert "(401)" in refused.output


def test_a_file_without_the_columns_says_which_it_needs(folder: Path) -> None:
    (folder / "logins.csv").write_text("who,when\n")
    told = run(folder / "logins.csv", "--config", folder / "config.yaml")
    assert told.exit_code == 2
    assert "'email' and 'at'" in told.output


def test_a_service_that_does_not_answer_is_told_as_down(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STILLTHERE_ACTIVITY_SECRET", SECRET)
    told = run(folder / "logins.csv", "--url", "http://127.0.0.1:9")
    assert told.exit_code == 1
    assert "does not answer" in told.output
    monkeypatch.delenv("STILLTHERE_ACTIVITY_SECRET")
    assert run(folder / "logins.csv", "--url", "http://127.0.0.1:9").exit_code == 2


def test_the_running_service_takes_activity_where_config_yaml_says_so(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text(f"email,account\n{JANE},Acme\n")
    (tmp_path / "config.yaml").write_text(
        "team:\n  domains: [vendor.example]\ncontacts: contacts.csv\ndata: data\nlisten:\n  port: 0\n"
    )
    service = Running(tmp_path, {"STILLTHERE_ACTIVITY_SECRET": SECRET})
    service.start()
    try:
        (started,) = service.events("listener.started")
        stamp, told = str(int(time.time())), body({**EVENT, "at": time.time()})
        answer = httpx.post(
            f"http://127.0.0.1:{started['port']}/activity",
            content=told,
            headers={TIMESTAMP: stamp, SIGNATURE: activity.sign(SECRET, stamp, told)},
        )
        assert (answer.status_code, answer.json()["new"]) == (200, 1)
        (logged,) = service.events("activity.taken")
        assert JANE not in json.dumps(logged)
        assert service.stop() == 0
    finally:
        service.end()


PAGE = (Path(__file__).parents[1] / "docs" / "activity.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("language", "program"), [("sh", ["sh", "-c"]), ("python", [sys.executable, "-c"])])
async def test_the_examples_of_the_page_are_taken(
    service: Service, language: str, program: list[str]
) -> None:
    example = next(text for name, text in BLOCKS if name == language and "Timestamp" in text)
    if language == "sh" and not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("needs curl and openssl")
    service.at = datetime.now(UTC)
    script = example.replace("http://127.0.0.1:8321/activity", service.url)
    environment = {**os.environ, "STILLTHERE_ACTIVITY_SECRET": SECRET, "no_proxy": "127.0.0.1"}
    done = await asyncio.to_thread(subprocess.run, [*program, script], env=environment, check=False)
    assert done.returncode == 0
    assert [sentence for _, _, sentence in await service.kept()] == ["logged in"]
