"""`stillthere completion`: print what a shell needs to complete commands and options."""

from __future__ import annotations

import click

from bot.cli.parameters import examples


@click.command(
    epilog=examples(
        "stillthere completion bash > ~/.local/share/bash-completion/completions/stillthere",
        'eval "$(stillthere completion zsh)"',
        "stillthere completion fish > ~/.config/fish/completions/stillthere.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete commands and options."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, "every choice is one of click's"
    root = context.find_root().command
    click.echo(found(root, {}, "stillthere", "_STILLTHERE_COMPLETE").source())
