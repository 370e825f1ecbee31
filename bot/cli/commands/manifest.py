"""`stillthere manifest`: print the Slack app manifest."""

from __future__ import annotations

import click

from bot.cli.console import (
    let_no_letter_stop_us,
    print_json,
)
from bot.cli.parameters import examples


@click.command(
    epilog=examples(
        "stillthere manifest > manifest.yaml",
        "stillthere manifest --url https://stillthere.vendor.example/slack/events",
        "stillthere manifest --json",
    )
)
@click.option(
    "--url",
    default="",
    help="Where Slack is to send signed requests. Default: Socket Mode, which needs no public address.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON, as Slack's own interface takes it.")
def command(url: str, *, as_json: bool) -> None:
    """Print what Slack must know of the app, as YAML, to create it from a manifest.

    It names the command, the shortcuts, the events and every scope, each used and explained in docs/slack.md.
    """
    from bot.slack.manifest import as_yaml, manifest

    if url and not url.startswith("https://"):
        raise click.BadParameter("Slack sends requests to https addresses only", param_hint="--url")
    let_no_letter_stop_us()
    if as_json:
        print_json(manifest(url))
        return
    click.echo(as_yaml(url), nl=False)
