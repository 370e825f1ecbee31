from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import watchers
from bot.model import Observation
from tests.mails import BOB, JANE, at, bounce, plain
from tests.watchers import bounce_mails, hostile_mails
from watchers import MailReader, Scope
from watchers.mail.parse import parse

watchers.load()

SCOPE = Scope(
    our_domains=frozenset({"vendor.example"}),
    addresses=frozenset({JANE, BOB}),
    domains=frozenset({"acme.example"}),
)
LONGEST = 2.0
"""Seconds of CPU: twice the aim, because the machine may be busy with other things."""

ROOT = Path(__file__).parents[2]
MOST_MEMORY = 200 * 2**20
WHOLE = tuple(hostile_mails.everything())


def read(raw: bytes) -> list[Observation]:
    """Read a mail as `stillthere read` does, with every reader there is."""
    mail = parse(raw)
    return [seen for reader in MailReader.registry.values() for seen in reader().read(mail, SCOPE)]


@pytest.fixture(scope="module", autouse=True)
def _every_phrase_is_compiled() -> None:
    read(hostile_mails.REPLY + b"\nNothing that is known.\n")


@pytest.mark.parametrize("make", [make for _, make in WHOLE], ids=[name for name, _ in WHOLE])
def test_a_hostile_mail_is_read_in_time_and_says_a_bounded_number_of_things(
    make: Callable[[], bytes],
) -> None:
    raw = make()
    began = time.process_time()
    seen = read(raw)
    assert time.process_time() - began < LONGEST
    assert len(seen) <= 2500
    assert all(len(one.sentence) < 400 and len(one.contact) < 1000 for one in seen)


READ = """
import re, sys
from bot.cli import main
main(["read", "--json", sys.argv[1]], standalone_mode=False)
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
"""
"""`ru_maxrss` would not do: a process inherits that of the one that started it."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak memory")
def test_the_largest_hostile_mails_take_little_memory(tmp_path: Path) -> None:
    for name in ("20,000 recipients", "one line of 25 MB", "a calendar of many guests", "100,000 parts"):
        (tmp_path / name).write_bytes(hostile_mails.MAILS[name]())
    (tmp_path / "page").write_bytes(hostile_mails.page(hostile_mails.REPORT, "<div>"))
    command = [sys.executable, "-c", READ, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.count("\n") == 5
    assert int(done.stderr) * 1024 < MOST_MEMORY


OWN = [
    *(example.raw for reader in MailReader.registry.values() for example in reader.examples),
    *(one.raw for one in bounce_mails.LAYOUTS),
    bounce(JANE, at(3)),
    plain(JANE, "ann@vendor.example", at(3)),
]

EDITS = st.lists(
    st.tuples(
        st.sampled_from(("cut", "splice", "flip", "repeat", "swap lines")),
        st.integers(0, 10_000),
        st.integers(1, 300),
        st.integers(0, len(OWN) - 1),
    ),
    max_size=8,
)


def mutated(raw: bytes, edits: list[tuple[str, int, int, int]]) -> bytes:
    """Cut, splice, flip, repeat and swap parts of a mail, as accident or malice might."""
    for edit, place, length, other in edits:
        at_byte = place % (len(raw) + 1)
        before, piece, after = raw[:at_byte], raw[at_byte : at_byte + length], raw[at_byte + length :]
        if edit == "cut":
            raw = before + after
        elif edit == "splice":
            raw = before + OWN[other][place % 500 : place % 500 + 4 * length] + raw[at_byte:]
        elif edit == "flip":
            raw = before + bytes(byte ^ (1 << place % 8) for byte in piece) + after
        elif edit == "repeat":
            raw = before + piece * (1 + other) + after
        else:
            lines = raw.split(b"\n")
            first, second = place % len(lines), length % len(lines)
            lines[first], lines[second] = lines[second], lines[first]
            raw = b"\n".join(lines)
    return raw


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OWN), EDITS)
def test_a_damaged_mail_is_read_without_failing(raw: bytes, edits: list[tuple[str, int, int, int]]) -> None:
    for one in read(mutated(raw, edits)):
        assert one.contact == one.contact.lower()
        assert one.key
