"""`stillthere connect`: the key that tokens are kept under, who connected what, and how wide a grant is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import finish, note, planned, print_json, start
from bot.cli.groups import Group
from bot.cli.parameters import as_lines, examples, settings_file

if TYPE_CHECKING:
    from bot.config import Plan
    from bot.connections import Connections, Link
    from bot.store import Store
    from watchers.mail.group import Finding


@click.group(
    cls=Group,
    epilog=examples(
        "stillthere connect key > /run/secrets/stillthere-key",
        "stillthere connect check --config config.yaml",
        "stillthere connect list --json",
        "stillthere connect end rita@vendor.example",
    ),
)
def command() -> None:
    """Look after the mailboxes that are read by Google's and Microsoft's interfaces.

    `key` makes a key to keep tokens under. `check` tries what an organisation granted: each mailbox of a
    group must open, and the one outside must not. `list` names the mailboxes that reps connected, and `end`
    erases one's token and takes the permission back; with a data folder these two want the service stopped.
    """


@command.command()
def key() -> None:
    """Print a new random key for `connect.key_env` or `connect.key_file`."""
    from bot.vault import new_key

    click.echo(new_key())


@command.command()
@settings_file
@as_lines
def check(config_file: Path, as_json: bool) -> None:
    """Try every group's mailboxes, and the one outside; fail where anything is not as it should be."""
    start()
    findings = finish(_check(planned(config_file)))
    for one in findings:
        if as_json:
            print_json({"ok": one.ok, "what": one.what, "how": one.how})
        else:
            click.echo(f"{'ok  ' if one.ok else 'BAD '} {one.what}{f': {one.how}' if one.how else ''}")
    if not findings:
        note("no group of mailboxes is granted in the settings")
    if not all(one.ok for one in findings):
        raise SystemExit(1)


@command.command("list")
@settings_file
@as_lines
def listed(config_file: Path, as_json: bool) -> None:
    """Name the mailboxes that reps connected, and since when."""
    start()
    links = finish(_links(planned(config_file)))
    for link in links:
        if as_json:
            print_json(
                {
                    "mailbox": link.mailbox,
                    "provider": link.provider.value,
                    "slack_user": link.user,
                    "since": link.since.isoformat(),
                    "uses": sorted(link.uses),
                }
            )
        else:
            click.echo(f"{link.mailbox}  {link.provider}  since {link.since:%Y-%m-%d}  {link.user}")
    if not links:
        note("nobody connected a mailbox")


@command.command()
@click.argument("mailbox")
@settings_file
@as_lines
def end(mailbox: str, config_file: Path, as_json: bool) -> None:
    """Erase the token of MAILBOX and take the permission back where the provider lets us."""
    start()
    plan = planned(config_file)
    for provider, revoked in finish(_end(plan, mailbox.strip().lower())):
        if as_json:
            print_json({"mailbox": mailbox, "provider": provider, "erased": True, "revoked": revoked})
        else:
            click.echo(f"{mailbox}: the token is erased")
        if not revoked:
            note(f"{provider} still lists the permission: its owner, or an admin there, can remove it")


async def _check(plan: Plan) -> list[Finding]:
    """Return what the limits of every group come to. Raises SourceDown."""
    from watchers.mail.limits import check_limits

    return await check_limits([watcher.config for watcher, _ in plan.watchers])


async def _links(plan: Plan) -> list[Link]:
    from bot.app import open_store

    async with await open_store(plan.config) as store:
        return [*(await _connections(plan, store)).all()]


async def _end(plan: Plan, mailbox: str) -> list[tuple[str, bool]]:
    from bot.app import open_store
    from bot.model import NeedsHuman

    async with await open_store(plan.config) as store:
        connections = await _connections(plan, store)
        links = [link for link in connections.all() if link.mailbox == mailbox]
        if not links:
            raise NeedsHuman(f"nobody connected {mailbox}", "see `stillthere connect list`")
        return [(link.provider.value, await connections.disconnect(link)) for link in links]


async def _connections(plan: Plan, store: Store) -> Connections:
    from bot.connections import Connections, clients
    from bot.model import NeedsHuman
    from bot.vault import Vault

    settings = plan.config.connect
    if settings is None:
        raise NeedsHuman("the settings have no section connect", "see docs/mailboxes.md")
    vault = Vault.of(settings.key_env, settings.key_file)
    connections = Connections(store, vault, clients(settings))
    await connections.load()
    return connections
