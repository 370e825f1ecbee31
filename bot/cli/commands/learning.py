"""`stillthere learning`: what was learnt from answers, and how to undo it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.cli.console import console, finish, load_everything, note, print_json, start
from bot.cli.groups import Group
from bot.cli.parameters import as_one_line, examples, settings_file

if TYPE_CHECKING:
    from bot.learning import Record, What

Command = TypeVar("Command", bound=Callable[..., Any])


def _options(command: Command) -> Command:
    """Add the options that all of them take."""
    return settings_file(as_one_line(command))


@click.group(cls=Group, epilog=examples("stillthere learning show", "stillthere learning reset"))
def command() -> None:
    """Show, undo or switch off what is learnt from answers.

    From what reps answer, one scale is learnt for each family of evidence: what its weights are multiplied
    with. Every change is on record, and can be put back.
    """


@command.command(epilog=examples("stillthere learning show", "stillthere learning show --json"))
@_options
def show(config_file: Path, *, as_json: bool) -> None:
    """Show the scales in force, and every change of them with its numbers.

    Reads only, also while the service runs.
    """
    start()
    load_everything()
    _tell(finish(_known(config_file)), as_json=as_json)


@command.command(epilog=examples("stillthere learning reset"))
@_options
def reset(config_file: Path, *, as_json: bool) -> None:
    """Put every scale back to 1 and learn from later answers only.

    A data folder belongs to the service while it runs: stop it first. A database may be changed at any time.
    """
    from bot.learning import What

    _switch(config_file, What.RESET, as_json=as_json)


@command.command(epilog=examples("stillthere learning off"))
@_options
def off(config_file: Path, *, as_json: bool) -> None:
    """Put every scale back to 1 and learn nothing more, until it is switched on.

    A data folder belongs to the service while it runs: stop it first. A database may be changed at any time.
    """
    from bot.learning import What

    _switch(config_file, What.OFF, as_json=as_json)


@command.command(epilog=examples("stillthere learning on"))
@_options
def on(config_file: Path, *, as_json: bool) -> None:
    """Learn again, from later answers only.

    A data folder belongs to the service while it runs: stop it first. A database may be changed at any time.
    """
    from bot.learning import What

    _switch(config_file, What.ON, as_json=as_json)


def _switch(config_file: Path, what: What, *, as_json: bool) -> None:
    start()
    load_everything()
    _tell(finish(_switched(config_file, what)), as_json=as_json)


def _tell(known: Sequence[Record], *, as_json: bool) -> None:
    from bot import learning

    if as_json:
        print_json(learning.summary(known))
        return
    for line in learning.lines(known):
        console().print(line, highlight=False, markup=False, soft_wrap=True)
    if not known:
        note("nothing was learnt so far")


async def _known(config_file: Path) -> Sequence[Record]:
    """Return the records of the store that the settings name."""
    from bot import config, learning
    from bot.app import looking

    async with looking(config.load(config_file).config) as store:
        return learning.records(await store.setting(learning.SETTING))


async def _switched(config_file: Path, what: What) -> Sequence[Record]:
    """Keep the change and return all records."""
    from bot import config, learner, learning
    from bot.app import open_store
    from bot.service import now

    async with await open_store(config.load(config_file).config) as store:
        await learner.switch(store, what, now())
        return learning.records(await store.setting(learning.SETTING))
