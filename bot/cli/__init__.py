"""The console command: every module of `commands` is one. What it needs is imported when it runs."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import Any

import click

from bot import __version__
from bot.cli import commands
from bot.cli.console import note
from bot.cli.groups import Group
from bot.cli.parameters import examples
from bot.cli.pipes import ENDED, end_quietly


class Commands(Group):
    """The commands; what only a person can mend is told in two lines, not as a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command there is."""
        del ctx
        return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None where there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        command.name = cmd_name
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            try:
                return self._tell_failures(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            if not end_quietly():
                raise
            ctx.exit(ENDED)

    def _tell_failures(self, ctx: click.Context) -> Any:
        """Run it, and say what to do about a failure that is no bug."""
        from bot.model import NeedsHuman, SourceDown

        try:
            return super().invoke(ctx)
        except NeedsHuman as failure:
            note(
                f"Error: {failure.what}\nTo mend it: {failure.how}{'' if failure.how.endswith('?') else '.'}"
            )
            ctx.exit(2)
        except SourceDown as failure:
            note(f"Error: {failure.what}\nTry again later.")
            ctx.exit(1)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "stillthere demo", "stillthere check --contacts contacts.csv --mail ~/Maildir --our-domain us.example"
    ),
)
@click.version_option(__version__, prog_name="stillthere")
def main() -> None:
    """Know that your champion is leaving while there is still time.

    Results go to stdout, as lines of JSON with --json; everything else goes to stderr. It ends with 0 where
    all is well, with 1 where something is not as it should be or cannot be reached, and with 2 where a person
    must act: an option, a setting or a secret is wrong or missing. Where its reader goes away, as in
    `| head -1`, it ends quietly, with 141.
    """
