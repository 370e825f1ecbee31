from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.model import NeedsHuman
from bot.web_demo import dropped
from bot.web_demo.dropped import TooMuch, kind_of, safe
from bot.web_demo.trial import Trial
from watchers import load


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def status(client: aiohttp.ClientSession, url: str, **headers: str) -> int:
    async with client.get(url, headers=headers) as response:
        return response.status


async def test_the_page_answers_only_those_who_know_its_token_and_name_this_machine(
    client: aiohttp.ClientSession, address: str
) -> None:
    root = address.split("/", 3)[:3]
    assert await status(client, address) == 200
    assert await status(client, "/".join([*root, "guessed", ""])) == 404
    assert await status(client, "/".join([*root, ""])) == 404
    assert await status(client, address, Host="rebound.example") == 403
    assert await status(client, address + "story", Origin="https://elsewhere.example") == 403
    assert address.startswith("http://127.0.0.1:")


async def test_the_page_runs_nothing_but_its_own_files(client: aiohttp.ClientSession, address: str) -> None:
    async with client.get(address) as response:
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert response.headers["Referrer-Policy"] == "no-referrer"
        page = await response.text()
    assert "<style" not in page
    assert "http" not in page.replace('rel="noopener"', "")


@pytest.mark.parametrize("name", ["..%2froutes.py", "%2fetc%2fpasswd", "routes.py", "nothing.js"])
async def test_no_other_file_is_served(client: aiohttp.ClientSession, address: str, name: str) -> None:
    assert await status(client, f"{address}files/{name}") == 404


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("no json", 400),
        ("[]", 400),
        (json.dumps({"moment": 9999, "ts": "1", "action": {"action_id": "x", "block_id": "y"}}), 409),
        (json.dumps({"moment": 1, "values": {}}), 409),
        (json.dumps({"moment": 1, "ts": "1", "action": {"action_id": "x" * 1000, "block_id": "y"}}), 400),
    ],
)
async def test_a_press_that_is_none_is_refused_in_words(
    client: aiohttp.ClientSession, address: str, body: str, wanted: int
) -> None:
    async with client.post(address + "press", data=body) as response:
        assert response.status == wanted
        assert (await response.json())["problem"]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def sent(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_uploads_are_bounded_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropped, "MOST_BYTES", 10)
    monkeypatch.setattr(dropped, "MOST_FILES", 2)
    made = Trial(tmp_path / "dropped")
    await made.clear()
    await made.take("a/1.eml", sent(b"12345"))
    with pytest.raises(TooMuch, match="MB"):
        await made.take("a/2.eml", sent(b"1234567"))
    await made.take("a/3.eml", sent(b"1"))
    with pytest.raises(TooMuch, match="files"):
        await made.take("a/4.eml", sent(b"2"))
    assert {path.read_bytes() for path in files(tmp_path)} == {b"12345", b"1"}
    await made.clear()
    assert files(tmp_path) == []


async def test_the_same_content_counts_once_and_the_last_list_is_the_one(tmp_path: Path) -> None:
    made = Trial(tmp_path / "dropped")
    await made.clear()
    for _ in range(2):
        await made.take("a/1.eml", sent(b"mail"))
        await made.take("b/2.eml", sent(b"mail"))
        await made.take("rita 2026-03-05.ics", sent(b"calendar"))
        await made.take("rita 2026-03-12.ics", sent(b"calendar"))
        await made.take("photo.jpg", sent(b"photo"))
        for which in (b"old", b"new", b"old"):
            await made.take("people.csv", sent(which))
    told = made.as_json()
    assert told["kinds"] == {"mail": 1, "calendar": 2, "contacts": 1}
    assert told["skipped"] == 1
    assert (tmp_path / "dropped" / "contacts.csv").read_bytes() == b"old"


async def test_a_file_counts_when_all_of_it_is_there_and_no_report_is_begun_before(tmp_path: Path) -> None:
    made = Trial(tmp_path / "dropped")
    await made.clear()
    await made.take("people.csv", sent(b"email\njane@acme.example\n"))
    await made.take("1.eml", sent(b"mail"))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"the beginning"
        begun.set()
        await go_on.wait()
        raise ConnectionResetError

    coming = asyncio.create_task(made.take("2.eml", slowly()))
    await begun.wait()
    with pytest.raises(NeedsHuman, match="on their way"):
        made.begin("vendor.example")
    go_on.set()
    with pytest.raises(ConnectionResetError):
        await coming
    assert made.as_json()["kinds"] == {"contacts": 1, "mail": 1}
    assert len(files(tmp_path)) == 2


async def test_a_file_that_is_on_its_way_when_all_are_removed_is_not_kept(tmp_path: Path) -> None:
    made = Trial(tmp_path / "dropped")
    await made.clear()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"the beginning"
        begun.set()
        await go_on.wait()

    coming = asyncio.create_task(made.take("1.eml", slowly()))
    await begun.wait()
    await made.clear()
    go_on.set()
    with pytest.raises(TooMuch, match="removed"):
        await coming
    assert made.as_json()["kinds"] == {}
    assert files(tmp_path) == []


async def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    made = Trial(tmp_path / "dropped")
    await made.clear()
    for name in ("../../evil.eml", "/etc/evil.ics", "..\\evil.mbox", "\0.eml", "x" * 5000 + ".eml"):
        await made.take(name, sent(name.encode()))
    assert len(files(tmp_path / "dropped")) == len(files(tmp_path)) == 5


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("box/cur/1700000000.M1.host:2,S", "mail"),
        ("a.EML", "mail"),
        ("Archive.mbox", "mbox"),
        ("mbox", "mbox"),
        ("c.ics", "calendar"),
        ("people.csv", "contacts"),
        ("photo.jpg", None),
        ("", None),
    ],
)
def test_a_file_is_known_by_its_name(name: str, kind: Any) -> None:
    assert kind_of(name) == kind


def test_a_kept_name_keeps_the_day_that_it_holds() -> None:
    assert safe("calendars/rita 2026-03-05.ics") == "rita_2026-03-05.ics"


async def test_what_came_on_the_last_day_is_told_though_alerts_wait_for_monday(
    tmp_path: Path,
) -> None:
    """The last mail is an auto-reply of a Saturday, and alerts wait for Monday."""
    load()
    made = Trial(tmp_path / "dropped")
    await made.clear()
    await made.take("contacts.csv", sent(b"email,name\nbob@kunz.example,Bob Kunz\nnobody,No One\n"))
    head = b"From: Bob Kunz <bob@kunz.example>\nTo: rita@vendor.example\n"
    first = (
        b"Date: Tue, 01 Sep 2026 09:00:00 +0000\nSubject: Offer\nMessage-ID: <1@kunz.example>\n\nThanks.\n"
    )
    gone = b"Date: Sat, 31 Oct 2026 09:01:00 +0000\nSubject: Automatic reply: Offer\n"
    gone += b"Auto-Submitted: auto-replied\nMessage-ID: <2@kunz.example>\n\nI no longer work for Kunz.\n"
    for number, mail in enumerate((head + first, head + gone)):
        await made.take(f"{number}.eml", sent(mail))
    made.begin("vendor.example")
    async with asyncio.timeout(60):
        while made.state.step not in {"done", "failed"}:  # noqa: ASYNC110 - the page asks for the step, too
            await asyncio.sleep(0.05)
    assert (made.state.step, made.state.problem) == ("done", "")
    assert made.state.left_out == ["line 3: 'nobody' is no e-mail address"]
    assert "auto-reply: no longer there" in made.report
    await made.clear()
