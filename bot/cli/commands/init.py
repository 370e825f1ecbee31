"""`stillthere init`: ask what is needed, try it, and write config.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import console, finish, load_everything, note, our_name, start
from bot.cli.parameters import examples

if TYPE_CHECKING:
    from bot.init.draft import Draft

WRITE_ELSEWHERE = "let this user write there (chmod, chown), or name settings elsewhere with --config"
PARTIES = ("google", "microsoft", "hubspot", "salesforce", "slack", "all")


def given(name: str, about: str, *, multiple: bool = False, **more: object) -> click.Option:
    """Return an option that answers one question."""
    return click.Option([name], multiple=multiple, help=about, **more)  # type: ignore[arg-type]  # click's own


@click.command(
    epilog=examples(
        "stillthere init",
        "stillthere init --config /etc/stillthere/config.yaml",
        "stillthere init --for-it microsoft > request.md",
        "SLACK_BOT_TOKEN=… SLACK_APP_TOKEN=… IMAP_PASSWORD=… stillthere init --non-interactive \\",
        "    --domain vendor.example --channel C0123456789 --contacts contacts.csv \\",
        "    --imap-host imap.vendor.example --imap-user sales@vendor.example",
    ),
    params=[
        given("--domain", "A mail domain of our own team. Repeatable.", multiple=True),
        given("--time-zone", "The zone of quiet hours and digests."),
        given("--slack", "Where alerts go.", type=click.Choice(["slack", "terminal"])),
        given("--channel", "The id of the channel of the alerts."),
        given("--admin", "The e-mail address of who may do everything. Repeatable.", multiple=True),
        given("--slack-api", "Where Slack's Web API is, where it is not Slack's own."),
        given("--contacts", "The CSV file of the people to watch."),
        given(
            "--mailbox",
            "Where the team's mail lies.",
            type=click.Choice(["imap", "files", "gmail", "graph", "later"]),
        ),
        given("--imap-host", "The IMAP server, with :port where it is not 993."),
        given("--imap-tls", "Say no for a server on this machine.", type=click.Choice(["yes", "no"])),
        given("--imap-user", "The user at the IMAP server."),
        given("--mail", "A Maildir, an mbox, or a folder of mails."),
        given("--google-key", "The JSON key file of the service account."),
        given("--microsoft-tenant", "The tenant, by id or domain."),
        given("--microsoft-client-id", "The application's id."),
        given("--microsoft-certificate", "The PEM file with private key and certificate."),
        given("--mailboxes", "A mailbox of the group that was granted. Repeatable.", multiple=True),
        given("--outside", "A mailbox outside that group, which must not open."),
        given("--google-api", "Where the Gmail API is, where it is not Google's own."),
        given("--google-token-url", "Where Google's access tokens are given, where it is not Google's own."),
        given("--microsoft-api", "Where Microsoft Graph is: a national cloud has its own."),
        given("--microsoft-token-url", "Where Microsoft's access tokens are given: the same."),
    ],
)
@click.option(
    "--config",
    "config_file",
    default="config.yaml",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settings to write.",
)
@click.option("--non-interactive", is_flag=True, help="Ask nothing; end with 2 where something is missing.")
@click.option("--unchecked", is_flag=True, help="Try nothing live; only with --non-interactive.")
@click.option("--drill/--no-drill", default=None, help="Send a test alert at the end. Default: ask.")
@click.option(
    "--for-it",
    type=click.Choice(PARTIES),
    help="Print what to ask your IT department for, and write nothing.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    config_file: Path,
    non_interactive: bool,
    unchecked: bool,
    drill: bool | None,
    for_it: str | None,
    **answers: object,
) -> None:
    """Set everything up: ask what is needed, try each answer, and write a commented config.yaml.

    Run it again at any time: what is there is offered as the answer, and what it does not ask for stays.

    Secrets go into files of their own in a private folder `secrets` beside the settings, or stay in the
    environment variables SLACK_BOT_TOKEN, SLACK_APP_TOKEN and IMAP_PASSWORD where these are set.

    Nothing is written before the last answer.
    """
    from bot.cli.writable import must_take_files
    from bot.init.asking import Options, Person
    from bot.init.draft import FOLDER, Draft
    from bot.init.questions import Setup

    if for_it:
        from bot.init.request import page

        click.echo(page(PARTIES[:-1] if for_it == "all" else (for_it,)), nl=False)
        return
    start()
    load_everything()
    told = {f"--{name.replace('_', '-')}": _joined(value) for name, value in answers.items() if value}
    asker = Options(_inferred(told), live=not unchecked) if non_interactive else Person(told)
    draft = Draft.of(config_file)
    here = config_file.absolute().parent
    for folder in (here, here / FOLDER):
        must_take_files(folder, WRITE_ELSEWHERE)
    Setup(draft, asker).run()
    if isinstance(asker, Options) and (asker.missing or asker.wrong):
        for line in asker.missing:
            note(f"missing: {line}")
        for line in asker.wrong:
            note(f"wrong: {line}")
        context.exit(2)
    written = _written(draft)
    for path in written:
        note(f"written: {path}")
    if not written:
        note(f"{config_file}: nothing to change")
    if drill is None:
        drill = not non_interactive and asker.agrees("Send a test alert, marked TEST", default=True)
    if drill and not _drilled(config_file):
        context.exit(1)
    place = "" if config_file == Path("config.yaml") else f" --config {config_file}"
    note(f"Next: {our_name()} doctor{place}, then {our_name()} run{place}")


def _joined(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _inferred(told: dict[str, str]) -> dict[str, str]:
    """Say which kind of mailbox is meant, where only its parts were given."""
    signs = {
        "--imap-host": "imap",
        "--mail": "files",
        "--google-key": "gmail",
        "--microsoft-tenant": "graph",
    }
    kind = next((kind for option, kind in signs.items() if option in told), None)
    return {"--mailbox": kind, **told} if kind else told


def _written(draft: Draft) -> list[Path]:
    """Write it all, although a disk may be full and a folder shut by now."""
    from bot.cli.writable import cannot_write

    try:
        return draft.write()
    except OSError as error:
        raise cannot_write(draft.file.absolute().parent, error, WRITE_ELSEWHERE) from error


def _drilled(config_file: Path) -> bool:
    from bot import config
    from bot.init.trying import drill

    stages = finish(drill(config.load(config_file), console()))
    for stage in stages:
        note(f"{'ok   ' if stage.held else 'WRONG'} {stage.name}: {stage.said}")
    return all(stage.held for stage in stages)
