"""In what condition a database is: how far its schema is, what is unfinished, and whether we may write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.model import NeedsHuman
from bot.store.database import Connection, migrations, rows

SERVER = """
    SELECT current_setting('server_version'), pg_database_size(current_database()), now(),
        pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
        coalesce(has_table_privilege(to_regclass('migration'), 'SELECT'), false)
"""
MAY_WRITE = """
    SELECT bool_and(has_table_privilege(name, 'INSERT') AND has_table_privilege(name, 'UPDATE')
        AND has_table_privilege(name, 'DELETE'))
    FROM unnest(ARRAY['person', 'cursor_of', 'slot', 'event', 'forgotten', 'forgetting']) AS name
"""
START_IT = "start the service once: it brings the database up to date"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a look at a database shows; `size` is in bytes, `now` what time it says it is.

    `applied` are the numbers of the migrations that its schema has had, `forgetting` how many erasures were
    begun and not ended. `read_only` is a server that takes no writes from anybody; `may_write` and
    `may_create` say what our user may do.
    """

    version: str
    size: int
    now: datetime
    read_only: bool
    may_create: bool
    may_write: bool
    applied: frozenset[int]
    forgetting: int

    @property
    def is_empty(self) -> bool:
        """Say whether nothing of ours was ever kept there."""
        return not self.applied

    @property
    def pending(self) -> int:
        """Return how many migrations the next start has to apply."""
        return len(migrations().keys() - self.applied)

    @property
    def newer(self) -> int:
        """Return the number of the latest migration that this version does not know, or 0."""
        return max(self.applied - migrations().keys(), default=0)

    def check(self) -> None:
        """Raise NeedsHuman where the schema is not the one that this version reads."""
        if self.newer:
            raise NeedsHuman(
                f"the database was written by a newer version (migration {self.newer})", "run that version"
            )
        if self.is_empty:
            raise NeedsHuman("the database holds nothing of Stillthere yet", START_IT)
        if self.pending:
            raise NeedsHuman(f"the database lacks {self.pending} of our migrations", START_IT)


async def condition(connection: Connection) -> Condition:
    """Look at a database; changes nothing, and goes with every schema that we ever had."""
    ((version, size, now, read_only, may_create, has_schema),) = await rows(connection, SERVER)
    applied: frozenset[int] = frozenset()
    may_write, forgetting = may_create, 0
    if has_schema:
        applied = frozenset(row[0] for row in await rows(connection, "SELECT number FROM migration"))
        ((may_write,),) = await rows(connection, MAY_WRITE)
        ((forgetting,),) = await rows(connection, "SELECT count(*) FROM forgetting")
    return Condition(
        version.split()[0], size, now, read_only, may_create, may_write, applied, int(forgetting)
    )
