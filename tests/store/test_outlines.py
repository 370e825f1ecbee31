"""Several processes on one database: what one erases, no other shows any more."""

from __future__ import annotations

import pytest

from bot.model import Contact
from bot.store.postgres import PostgresStore
from tests.servers.postgres import PostgresServer

JANE = Contact("jane@acme.example", "Jane Doe", account="Acme")
BOB = Contact("bob@acme.example", "Bob Roe", account="Acme")


async def shown(store: PostgresStore) -> list[str]:
    return [one.contact.address for one in await store.watchlist()]


@pytest.mark.parametrize("how", ["expire", "forget"])
async def test_whom_one_process_erased_no_other_shows(postgres_server: PostgresServer, how: str) -> None:
    url = postgres_server.new_database()
    async with await PostgresStore.open(url) as here, await PostgresStore.open(url) as there:
        await here.watch(JANE)
        await here.watch(BOB)
        assert await shown(here) == await shown(there) == [BOB.address, JANE.address]
        if how == "forget":
            assert await there.forget(JANE.address)
        else:
            person = await there.person(JANE.address)
            assert person is not None
            assert await there.expire(JANE.address, person.version)
        assert await shown(here) == await shown(there) == [BOB.address]
        assert [one.address for one in await here.contacts()] == [BOB.address]
