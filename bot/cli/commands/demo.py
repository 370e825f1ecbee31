"""`stillthere demo`: play the founding story."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.console import (
    console,
    finish,
    load_everything,
    note,
    our_name,
    start,
)
from bot.cli.parameters import examples

HIGHEST_PORT = 65535


@click.command(epilog=examples("stillthere demo", "stillthere demo --web", "stillthere demo --keep story/"))
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave the story's mails and store in this folder, to look at afterwards.",
)
@click.option(
    "--web", is_flag=True, help="Play it on a page of this machine, and try it there on your own mail."
)
@click.option(
    "--port",
    type=click.IntRange(0, HIGHEST_PORT),
    default=0,
    help="Where the page listens. Default: any free port.",
)
@click.option("--no-open", is_flag=True, help="Print the page's address, and open no browser.")
def command(keep: Path | None, port: int, *, web: bool, no_open: bool) -> None:
    """Play the story of a champion who slips away.

    It runs through the real pipeline in a few seconds.

    Needs no network, no token and no configuration. The page of --web can be reached from this machine only,
    and ends with Ctrl-C.
    """
    if web and keep is not None:
        raise click.UsageError("--keep is for the terminal: the page keeps nothing")
    if not web and (port or no_open):
        raise click.UsageError("--port and --no-open are for --web")
    if web:
        import signal

        # Nothing is to be put in order before the page is begun, and an exception may get lost in an import.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    start()
    load_everything()
    if web:
        finish(_show(port, no_open=no_open))
        return
    from bot.cli.writable import must_take_files
    from bot.demo import play

    if keep is not None:
        must_take_files(keep, "let this user write there (chmod, chown), or name another folder")
    finish(play(console(), keep, our_name()))


async def _show(port: int, *, no_open: bool) -> None:
    """Show the page until Ctrl-C, which ends it at once, also where it is not ready yet."""
    import asyncio
    import signal

    import bot.web_demo  # noqa: F401 - the loop, which takes Ctrl-C from here on, stands still for as long

    showing = asyncio.create_task(_page(port, no_open=no_open))
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, showing.cancel)
    await asyncio.wait({showing})
    if not showing.cancelled():
        showing.result()


async def _page(port: int, *, no_open: bool) -> None:
    """Show the page until cancelled."""
    import asyncio
    import webbrowser
    from threading import Thread

    from bot.web_demo import shown

    note("Playing the story once, to have it ready ...")
    async with shown(port) as address:
        click.echo(address)
        note("Only this machine can open it. Ctrl-C ends it.")
        if not no_open:
            # Some browsers are waited for, and whoever presses Ctrl-C does not wait for that.
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        await asyncio.Event().wait()
