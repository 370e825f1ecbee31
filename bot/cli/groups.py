"""Commands that hold others, and how their help lists these."""

from __future__ import annotations

import click


class Group(click.Group):
    """A command of commands, whose help gives the whole first sentence of each, where click would cut it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every command in it."""
        sentences = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            assert command is not None
            sentences.append((name, (command.help or "").partition("\n\n")[0].replace("\n", " ")))
        with formatter.section("Commands"):
            formatter.write_dl(sentences)
