"""An answer to a request for access leaves out nothing that is kept of a person, with them or with others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.access import access
from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Choice,
    Contact,
    Deal,
    Decision,
    Evidence,
    Family,
    Home,
    Json,
    Means,
    Observation,
    Reason,
    Strength,
    Suggestion,
    Verdict,
)
from bot.slack.marks import Marks
from bot.store import Store
from bot.store.tiny import TinyStore
from watchers import kinds, load

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
RETENTION = timedelta(days=365)
OWNER, REP = "rita@vendor.example", "U0RITA"
JANE = Contact(
    "jane@acme.example",
    "Jane Doe",
    "VP Operations",
    "Acme",
    OWNER,
    Deal("Rollout", 48_000.0, "EUR", "contract sent", date(2026, 6, 30)),
    "Germany",
    ("https://acme.example/team",),
    date(2026, 1, 2),
)
TOM = Contact("tom@acme.example", "Tom Berg", account="Acme", owner=OWNER)
KEY = bytes(range(32))


def judged(contact: Contact, *suggestions: Suggestion) -> Assessment:
    voice = Evidence("k", "departed", Means.GONE, Family.MAIL, NOW, "mailbox:a", "no longer there", 9.1)
    return Assessment(
        contact.address,
        NOW,
        Verdict.LEFT,
        Strength.STRONG,
        0.9876,
        "auto-reply: no longer there",
        (voice,),
        ("their mail moved",),
        suggestions,
        NOW - timedelta(days=9),
        date(2026, 8, 1),
    )


async def asked(store: TinyStore, address: str) -> Any:
    """Return the answer as a machine reads it."""
    return json.loads(json.dumps(await access(store, address, RETENTION, kinds(), NOW)))


async def tell(store: Store, contact: Contact, home: Home, *suggestions: Suggestion) -> None:
    """Judge a contact, tell of it in Slack, and let a rep settle it."""
    person = await store.person(contact.address)
    assert person is not None
    thought = judged(contact, *suggestions)
    decision = Decision(contact.address, NOW, Action.SEND, Reason.FIRST, thought.verdict, thought.probability)
    assert await store.conclude(person.version, thought, decision, Alert(contact, thought, 1, NOW))
    taken = await store.take_alert(NOW, timedelta(minutes=1), f"{contact.address}:1")
    assert taken is not None
    await store.alert_sent(taken[0].key, taken[1], home, NOW + timedelta(seconds=7))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[TinyStore]:
    """A store in which everything there is was kept of Jane."""
    load()
    async with await TinyStore.open(tmp_path) as made:
        await furnish(made)
        yield made


async def furnish(made: Store) -> None:
    for contact in (JANE, TOM):
        await made.watch(contact)
    await made.record(
        Observation(
            JANE.address,
            kind,
            NOW - timedelta(days=20, hours=number),
            f"source {number}",
            f"sentence {number}",
            facts={"number": number},
            because=(f"reason {number}",),
            seen=NOW - timedelta(days=1),
        )
        for number, kind in enumerate(kinds())
    )
    successor: dict[str, Json] = {"successors": [{"name": "Jane Doe", "address": JANE.address, "role": ""}]}
    await made.record(
        [Observation(TOM.address, "departed", NOW, "mailbox:b", "write to Jane Doe", facts=successor)]
    )
    await tell(made, JANE, Home("C1", "1.1"))
    await made.posted(f"{JANE.address}:1", Home("D2", "2.2"))
    await made.answer(Answer(JANE.address, f"{JANE.address}:1", "U0OMAR", NOW, Choice.ON_IT))
    await made.answer(
        Answer(JANE.address, f"{JANE.address}:1", REP, NOW, Choice.LEFT, champion="eve@acme.example")
    )
    await tell(made, TOM, Home("C1", "3.3"), Suggestion("Jane Doe", JANE.address, ("answered in April",)))
    await made.answer(Answer(TOM.address, f"{TOM.address}:1", REP, NOW, Choice.LEFT, champion=JANE.address))
    await made.save_setting("key of marks", KEY.hex())
    await made.save_setting("digests sent U0OMAR", [["D9", "9.9", Marks(KEY).of(JANE.address)]])
    await made.save_setting(
        "baseline mailbox:b",
        {"lists": {OWNER: [JANE.address, TOM.address]}, "at": {OWNER: ["D4", "4.4"]}, "done": True},
    )
    await made.save_setting("audit questions", [["2026-05-04", REP, JANE.address], ["2026-05-04", REP, "x"]])
    await made.save_setting("owners in the CRM", {JANE.address: OWNER, TOM.address: OWNER})
    await made.save_cursor(
        "data_provider:people_data_labs", {JANE.address: {"employer": "globex"}, TOM.address: {"site": "s"}}
    )


async def test_an_answer_holds_every_fact_with_its_source_dates_and_reasons(store: TinyStore) -> None:
    found = await asked(store, "Jane@Acme.example ")
    person = await store.person(JANE.address)
    assert person is not None
    facts = {(one["kind"], one["source"], one["says"], one["at"]): one for one in found["facts"]}
    for seen in person.observations:
        fact = facts[seen.kind, seen.source, seen.sentence, seen.at.isoformat()]
        assert fact["facts"] == dict(seen.facts)
        assert fact["read_this_way_because"] == [*seen.because]
        assert fact["learned_at"] == (NOW - timedelta(days=1)).isoformat()
    assert len(facts) == len(person.observations) >= len(kinds())


async def test_an_answer_holds_everything_that_is_known_of_the_contact(store: TinyStore) -> None:
    found = await asked(store, JANE.address)
    known = [JANE.name, JANE.title, JANE.account, OWNER, JANE.country, *JANE.links, "2026-01-02"]
    known += ["Rollout", "48000.0", "EUR", "contract sent", "2026-06-30"]
    assert [word for word in known if word not in json.dumps(found)] == []
    assert {field.name for field in fields(Contact)} - {"address"} == found["contact"].keys()


async def test_an_answer_holds_verdicts_probabilities_decisions_answers_and_who_was_told(
    store: TinyStore,
) -> None:
    found = await asked(store, JANE.address)
    text = json.dumps(found)
    for word in ("left", "0.9876", "strong", "no longer there", "their mail moved", "9.1", "2026-08-01"):
        assert word in text
    assert '"reason": "first"' in text
    assert '"said": "on_it"' in text
    assert '"said": "left"' in text
    assert '"champion_instead": "eve@acme.example"' in text
    assert sorted(found["recipients"], key=lambda one: str(one["message"])) == [
        {"what": "alert", "case": "jane@acme.example:1", "channel": "C1", "message": "1.1"},
        {"what": "alert", "case": "jane@acme.example:1", "channel": "D2", "message": "2.2"},
        {"what": "list", "of": "mailbox:b", "user": OWNER, "channel": "D4", "message": "4.4"},
        {"what": "digest", "user": "U0OMAR", "channel": "D9", "message": "9.9"},
    ]


async def test_an_answer_holds_where_a_person_stands_with_others_and_nothing_of_those_others(
    store: TinyStore,
) -> None:
    found = await asked(store, JANE.address)
    assert found["suggested_in_place_of_others"] == [
        {"about": TOM.address, "name": "Jane Doe", "reasons": ["answered in April"]},
        {"about": TOM.address, "champion_instead": True, "by": REP},
    ]
    assert [one["says"] for one in found["named_in_facts_of_others"]] == ["write to Jane Doe"]
    assert found["named_in_notes_of_the_service"] == {
        "audit questions": [["2026-05-04", REP, JANE.address]],
        "data_provider:people_data_labs": {JANE.address: {"employer": "globex"}},
        "owners in the CRM": {JANE.address: OWNER},
    }


async def test_of_somebody_who_stands_only_with_others_something_is_kept(store: TinyStore) -> None:
    found = await asked(store, "eve@acme.example")
    assert found["kept"] is True
    assert found["facts"] == []
    assert (await asked(store, "nobody@acme.example"))["kept"] is False
