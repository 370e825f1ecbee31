"""The backup that the documentation shows loses nothing, although it is made while the service writes."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.model import Contact, Observation
from bot.store import Store
from bot.store.tiny import TinyStore

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
PEOPLE = [f"jane{number}@acme{number}.example" for number in range(200)]
PAGE = (Path(__file__).parents[1] / "docs" / "backup.md").read_text(encoding="utf-8")
SOURCE = "mailbox:rita"


def backup() -> list[str]:
    """Return the command of the page."""
    (line,) = re.findall(r"^\$ (tar .*)$", PAGE, re.MULTILINE)
    return shlex.split(line)


async def read(store: Store, number: int) -> None:
    """Take in a mail as a look at a mailbox does: what it says first, where reading goes on then."""
    seen = Observation(
        PEOPLE[number * 7 % len(PEOPLE)], "wrote", NOW + timedelta(hours=number), SOURCE, "They wrote."
    )
    await store.record([seen])
    await store.save_cursor(SOURCE, number)


async def test_a_backup_of_a_folder_in_use_holds_whatever_is_not_read_again(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        for address in PEOPLE:
            await store.watch(Contact(address))
        number = 0
        for copy in range(2):
            made = await asyncio.create_subprocess_exec(
                *backup(), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            ended = asyncio.create_task(made.communicate())
            while not ended.done():
                await read(store, number)
                number += 1
            (tmp_path / "backup.tar.gz").rename(tmp_path / f"{copy}.tar.gz")
    for copy in range(2):
        restored = tmp_path / f"restored{copy}"
        restored.mkdir()
        unpack = ["tar", "--extract", "--file", str(tmp_path / f"{copy}.tar.gz")]
        await asyncio.to_thread(subprocess.run, unpack, cwd=restored, check=True)
        async with await TinyStore.open(restored / "data") as store:
            assert store.notices == []
            reached = await store.cursor(SOURCE)
            people = [await store.person(address) for address in PEOPLE]
        kept = {seen.at for person in people if person for seen in person.observations}
        read_before = range(reached + 1) if isinstance(reached, int) else range(0)
        assert {NOW + timedelta(hours=one) for one in read_before} <= kept
    assert number
