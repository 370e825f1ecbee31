"""`stillthere activity`: take signs of life from elsewhere."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from bot.cli.console import finish, note, print_json, start
from bot.cli.groups import Group
from bot.cli.parameters import examples, settings_file

SECRET = "STILLTHERE_ACTIVITY_SECRET"  # noqa: S105 - the variable's name
PATIENCE = 60.0
"""How many seconds the service may take to answer."""

TAKEN, SENT_BEFORE = 200, 409


@click.group(cls=Group, epilog=examples("stillthere activity import logins.csv"))
def command() -> None:
    """Take signs of life from elsewhere, such as logins to your product.

    They shorten the silence of people who are watched; of everybody else nothing is kept.
    """


@command.command(
    "import",
    epilog=examples(
        "stillthere activity import logins.csv",
        "stillthere activity import logins.csv --url http://127.0.0.1:8321",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@settings_file
@click.option("--url", default="", help="Send it to the service that runs there, signed, instead.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON with what was taken.")
def import_(file: Path, config_file: Path, url: str, as_json: bool) -> None:
    """Take a CSV file with the columns email, at and, if you like, what.

    While the service runs, its data belongs to it: send the file there with --url. The secret is then read
    from STILLTHERE_ACTIVITY_SECRET. Taking a file twice changes nothing.
    """
    from bot.activity import rows_in
    from bot.slack.words import counted

    start()
    rows = rows_in(file.read_bytes())
    events, lines = [*rows.values()], [*rows]
    told = _send(events, url) if url else finish(_keep(events, config_file))
    if as_json:
        print_json(told)
        return
    for error in told["errors"]:
        note(f"{file}: line {lines[error['number'] - 1]}: {error['error']}")
    taken, days = counted(told["events"], "event"), counted(told["new"], "new day")
    note(
        f"{taken}: {days} of activity, {told['not_watched']} of people who are not watched, "
        f"{told['refused']} refused"
    )


def _send(events: list[object], url: str) -> dict[str, Any]:
    """Send events to a running service and return the sum of what it answered."""
    from collections import Counter

    import httpx

    from bot.activity import MOST_ERRORS, PORTION, portions, sign
    from bot.activity_route import SIGNATURE, TIMESTAMP
    from bot.model import NeedsHuman, SourceDown

    secret = os.environ.get(SECRET, "")
    if not secret:
        raise NeedsHuman(f"{SECRET} is not set", "set it to the secret that the service was started with")
    counts = Counter(events=0, new=0, not_watched=0, refused=0)
    errors: list[dict[str, Any]] = []
    for index, body in enumerate(portions(events)):
        stamp = str(int(time.time()))
        headers = {TIMESTAMP: stamp, SIGNATURE: sign(secret, stamp, body)}
        try:
            answer = httpx.post(
                f"{url.rstrip('/')}/activity", content=body, headers=headers, timeout=PATIENCE
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceDown(f"the service at {url} does not answer: {error}") from error
        if answer.status_code == SENT_BEFORE:
            continue
        if answer.status_code != TAKEN:
            raise NeedsHuman(
                f"the service at {url} refused it ({answer.status_code}): {answer.text[:200]}",
                "compare the secrets and the address",
            )
        told = answer.json()
        counts.update({name: count for name, count in told.items() if isinstance(count, int)})
        errors += [{**error, "number": error["number"] + index * PORTION} for error in told["errors"]]
    return {**counts, "errors": errors[:MOST_ERRORS]}


async def _keep(events: list[object], config_file: Path) -> dict[str, Any]:
    """Keep events in the store that config.yaml names."""
    from bot import activity, config
    from bot.app import open_store
    from bot.service import now
    from watchers import load

    load()
    async with await open_store(config.load(config_file).config) as store:
        watched = frozenset(contact.address for contact in await store.contacts())
        taken = activity.take(events, watched, now())
        new = await store.record(taken.observations)
    return activity.summary(len(events), len(new), taken)
