from __future__ import annotations

from dataclasses import replace

import pytest

from bot.crm.taking import take
from bot.model import Contact, Deal
from bot.store.memory import MemoryStore

JANE = Contact("jane@acme.example", "Jane Doe", "CTO", "Acme", "rita@vendor.example", Deal("Rollout", 5.0))
SAID = "owners in the test"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def test_the_owner_chosen_in_slack_stays_until_the_crm_names_another(store: MemoryStore) -> None:
    await take(store, [JANE], SAID, follow=True)
    await store.watch(replace(JANE, owner="omar@vendor.example"))
    await take(store, [JANE], SAID, follow=True)
    assert (await store.contacts())[0].owner == "omar@vendor.example"
    await take(store, [replace(JANE, owner="lea@vendor.example")], SAID, follow=True)
    assert (await store.contacts())[0].owner == "lea@vendor.example"


async def test_a_reassignment_in_the_crm_is_followed(store: MemoryStore) -> None:
    await take(store, [JANE], SAID, follow=True)
    assert await take(store, [replace(JANE, owner="lea@vendor.example")], SAID, follow=True) == 1
    assert (await store.contacts())[0].owner == "lea@vendor.example"


async def test_nothing_new_writes_nothing(store: MemoryStore) -> None:
    assert await take(store, [JANE], SAID, follow=True) == 1
    assert await take(store, [JANE], SAID, follow=True) == 0


async def test_whom_somebody_stopped_watching_is_not_watched_again(store: MemoryStore) -> None:
    await take(store, [JANE], SAID, follow=True)
    await store.unwatch(JANE.address)
    await take(store, [JANE], SAID, follow=True)
    assert await store.contacts() == []


async def test_who_is_on_no_open_deal_any_more_stays_watched_without_one(store: MemoryStore) -> None:
    await take(store, [JANE], SAID, follow=True)
    assert await take(store, [], SAID, follow=True) == 1
    assert await store.contacts() == [replace(JANE, deal=None)]


async def test_what_the_crm_does_not_say_stays_as_it_is_known(store: MemoryStore) -> None:
    await store.watch(replace(JANE, links=("https://acme.example/team",)))
    await take(store, [Contact(JANE.address, name="Jane D. Doe")], SAID, follow=True)
    [known] = await store.contacts()
    assert (known.name, known.title, known.owner, known.deal) == ("Jane D. Doe", "CTO", JANE.owner, None)
    assert known.links == ("https://acme.example/team",)


async def test_who_asked_to_be_forgotten_does_not_come_back(store: MemoryStore) -> None:
    await take(store, [JANE], SAID, follow=True)
    await store.forget(JANE.address)
    await take(store, [JANE], SAID, follow=True)
    assert await store.contacts() == []
    assert JANE.address not in str(await store.setting(SAID))
