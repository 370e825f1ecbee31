"""What every watcher and mail reader promises, whoever wrote it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model import Json, NeedsHuman, Observation
from watchers import Example, MailReader, Scope, Watcher, load
from watchers.mail.parse import parse

load()
DOCS = Path(__file__).parents[1] / "docs"
NOW = datetime(2026, 6, 15, tzinfo=UTC)
SCOPE = Scope(
    our_domains=frozenset({"vendor.example"}),
    domains=frozenset({"acme.example", "customer.example", "globex.example"}),
)


def read(reader: MailReader, raw: bytes) -> list[Observation]:
    """Return what a reader says of a mail; what it derives from that must not fail either."""
    seen = list(reader.read(parse(raw), SCOPE))
    list(reader.derive(seen, NOW))
    return seen


EXAMPLES = [
    pytest.param(reader, example, id=f"{name}-{number}")
    for name, reader in sorted(MailReader.registry.items())
    for number, example in enumerate(reader.examples)
]


@pytest.mark.parametrize(("reader", "example"), EXAMPLES)
def test_a_reader_reads_its_own_examples(reader: type[MailReader], example: Example[bytes]) -> None:
    assert {seen.kind for seen in read(reader(), example.raw)} == set(example.kinds)


@pytest.mark.parametrize(("reader", "example"), EXAMPLES)
def test_an_observation_has_the_same_key_each_time_it_is_read(
    reader: type[MailReader], example: Example[bytes]
) -> None:
    assert [seen.key for seen in read(reader(), example.raw)] == [
        seen.key for seen in read(reader(), example.raw)
    ]


@pytest.mark.parametrize(
    ("watcher", "example"),
    [
        pytest.param(watcher, example, id=f"{name}-{number}")
        for name, watcher in sorted(Watcher.registry.items())
        for number, example in enumerate(watcher.examples)
    ],
)
def test_a_watcher_reads_its_own_examples(watcher: type[Watcher[Any]], example: Example[Any]) -> None:
    assert {seen.kind for seen in watcher().read(example.raw, SCOPE)} == set(example.kinds)


@pytest.mark.parametrize("owner", [*MailReader.registry.values(), *Watcher.registry.values()])
def test_a_watcher_says_in_one_line_what_it_does_and_shows_each_of_its_kinds(owner: type[Any]) -> None:
    assert re.match(r"\S.{10,110}\.$", (owner.__doc__ or "").splitlines()[0])
    assert all(kind.example for kind in owner.kinds)


def test_no_two_watchers_declare_the_same_kind() -> None:
    names = [kind.name for reader in MailReader.registry.values() for kind in reader.kinds]
    names += [kind.name for watcher in Watcher.registry.values() for kind in watcher.kinds]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("reader", MailReader.registry.values())
def test_a_reader_bears_mails_of_headers_only_and_no_mail_at_all(reader: type[MailReader]) -> None:
    for raw in (
        b"",
        b"\n",
        b"Subject: x\n\n",
        b"From: jane@acme.example\n",
        b"\x00" * 100,
        b"Content-Type: a/b",
    ):
        read(reader(), raw)


@pytest.fixture
def documented() -> tuple[type[MailReader], type[Watcher[Any]]]:
    """Define the reader and the watcher that the documentation shows, and take them off the list again."""
    text = (DOCS / "adding-a-watcher.md").read_text()
    before = dict(MailReader.registry), dict(Watcher.registry)
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        alone = compile(code, "adding-a-watcher.md", "exec", dont_inherit=True)
        exec(alone, {"__name__": "documented"})  # noqa: S102 - the documentation is ours
    (reader,) = MailReader.registry.keys() - before[0].keys()
    (watcher,) = Watcher.registry.keys() - before[1].keys()
    return MailReader.registry.pop(reader), Watcher.registry.pop(watcher)


def test_the_reader_that_the_documentation_shows_works(documented: tuple[type[MailReader], object]) -> None:
    reader, _ = documented
    for example in reader.examples:
        assert {seen.kind for seen in read(reader(), example.raw)} == set(example.kinds)


async def test_the_watcher_that_the_documentation_shows_works(
    documented: tuple[object, type[Watcher[Any]]], tmp_path: Path
) -> None:
    _, kind = documented
    for example in kind.examples:
        assert {seen.kind for seen in kind().read(example.raw, SCOPE)} == set(example.kinds)
    listed = tmp_path / "leavers.txt"
    watcher = kind(kind.Config.model_validate({"file": listed}))
    (source,) = watcher.sources(SCOPE)
    with pytest.raises(NeedsHuman):
        await anext(watcher.fetch(source, None, SCOPE))
    cursor: Json = None
    for line in ("jane@acme.example 2026-05-04", "bob@acme.example 2026-05-05"):
        with listed.open("a") as file:
            file.write(f"{line}\n")
        (batch,) = [batch async for batch in watcher.fetch(source, cursor, SCOPE)]
        assert batch.items == [line]
        assert {seen.source for one in batch.items for seen in watcher.read(one, SCOPE)} == {source}
        cursor = batch.cursor
