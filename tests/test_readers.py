"""What every watcher and mail reader promises, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model import Observation
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
def documented() -> Iterator[type[MailReader]]:
    """Define the reader that the documentation shows, and forget it again."""
    text = (DOCS / "adding-a-watcher.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    before = dict(MailReader.registry)
    MailReader.registry.clear()
    namespace: dict[str, Any] = {"__name__": "documented"}
    exec(code, namespace)  # noqa: S102 - the documentation is ours
    (name,) = MailReader.registry
    yield MailReader.registry[name]
    MailReader.registry.clear()
    MailReader.registry.update(before)


def test_the_reader_that_the_documentation_shows_works(documented: type[MailReader]) -> None:
    for example in documented.examples:
        assert {seen.kind for seen in read(documented(), example.raw)} == set(example.kinds)
