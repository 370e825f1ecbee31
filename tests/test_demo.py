from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot import demo, story
from bot.cli import main
from bot.model import Verdict
from watchers import load


@pytest.fixture
async def told(tmp_path: Path) -> tuple[list[demo.Told], str]:
    load()
    screen = io.StringIO()
    return await demo.play(Console(file=screen, width=100), tmp_path / "story"), screen.getvalue()


async def test_each_step_of_the_founding_story_has_its_verdict(told: tuple[list[demo.Told], str]) -> None:
    assert [step.assessment.verdict for step in told[0]] == [
        Verdict.ACTIVE,
        Verdict.ACTIVE,
        Verdict.SLIPPING,
        Verdict.SLIPPING,
        Verdict.LEFT,
        Verdict.LEFT,
    ]


async def test_nothing_is_sent_until_the_second_push_and_then_each_step_is(
    told: tuple[list[demo.Told], str],
) -> None:
    assert [step.alerts for step in told[0]] == [0, 0, 1, 1, 1, 1]


async def test_the_second_push_tells_what_it_cost(told: tuple[list[demo.Told], str]) -> None:
    assert told[0][2].assessment.headline == "2 pushes, 28 days lost, both by them"


async def test_the_bare_update_asks_for_a_second_contact_by_name(told: tuple[list[demo.Told], str]) -> None:
    bare = told[0][3].assessment
    assert "without a word" in bare.headline
    assert [suggestion.name for suggestion in bare.suggestions] == ["Ann Lee", "Tom Berg"]
    assert "Ask for a second contact now" in told[1]


async def test_the_successor_that_the_reply_names_comes_first(told: tuple[list[demo.Told], str]) -> None:
    first = told[0][-1].assessment.suggestions[0]
    assert (first.name, first.address, first.successor) == ("Ann Lee", "ann.lee@acme.example", True)
    assert "named in Jane Doe's own reply" in first.reasons[0]


async def test_the_whole_story_is_one_case_with_one_message(
    told: tuple[list[demo.Told], str], tmp_path: Path
) -> None:
    from bot.store.tiny import TinyStore

    async with await TinyStore.open(tmp_path / "story" / "data") as store:
        person = await store.person(story.CHAMPION.address)
    assert person is not None
    assert [len(case.deliveries) for case in person.cases] == [4]
    assert told[1].count("─ Stillthere ─") == 4


async def test_no_word_of_a_mail_is_kept(told: tuple[list[demo.Told], str], tmp_path: Path) -> None:
    assert told[0]
    files = [path.read_bytes() for path in (tmp_path / "story" / "data").rglob("*") if path.is_file()]
    kept = b"".join(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw for raw in files)
    assert b"jane@acme.example" in kept
    for words in (b"quarter end", b"Board liked it", b"Where are keys kept", b"Leeds is happy"):
        assert words not in kept


def test_a_folder_that_cannot_be_kept_is_said_before_the_story_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shown = CliRunner().invoke(main, ["demo", "--keep", str(tmp_path / "file" / "story")])
    assert shown.exit_code == 2
    assert "cannot be written" in shown.stderr
    assert shown.stdout == ""
