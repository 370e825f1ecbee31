"""`stillthere check`: judge every contact by the mail on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.console import (
    console,
    finish,
    load_everything,
    note,
    print_json,
    progress,
    start,
    tell_bad_rows,
    tell_what_was_read,
)
from bot.cli.parameters import MailDomain, Moment, authenticators_option, examples


@click.command(
    epilog=examples(
        "stillthere check --contacts contacts.csv --mail ~/Maildir --our-domain us.example",
        "stillthere check --contacts crm.csv --mail a.mbox --mail b/ --our-domain us.example --json",
        "stillthere check --contacts c.csv --mail in/ --our-domain us.example --now 2026-03-31",
    )
)
@click.option(
    "--contacts",
    "contacts_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with a column 'email'; exports of HubSpot and Salesforce are recognised.",
)
@click.option(
    "--mail",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Maildir, mbox, folder with one mail a file, or one file. Repeatable.",
)
@click.option(
    "--our-domain",
    "our_domains",
    required=True,
    multiple=True,
    type=MailDomain(),
    help="A mail domain of our own team. Repeatable.",
)
@authenticators_option
@click.option(
    "--now", type=Moment(), help="Judge as of then; a day is judged at its end (UTC). Default: now."
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what was read here, so that the next pass reads only what is new.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a contact.")
@click.option("--verbose", is_flag=True, help="Name every mail that could not be read, and why.")
def command(
    contacts_file: Path,
    mail: tuple[Path, ...],
    our_domains: tuple[str, ...],
    authenticators: tuple[str, ...],
    now: datetime | None,
    data: Path | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Judge your contacts by mail you already have.

    Says who has left, is slipping or is there, and why.

    Nothing is sent anywhere and, without --data, nothing is kept.
    """
    from bot import check as offline
    from bot import report
    from bot.crm.csv import read_contacts
    from bot.slack.words import counted

    start(verbose=verbose)
    load_everything()
    listed = read_contacts(contacts_file)
    tell_bad_rows(listed, contacts_file)
    if not listed.contacts:
        note(f"{contacts_file}: there is no contact in it")
    asked = offline.Check(listed.contacts, mail, our_domains, data, authenticators)
    with progress("mails") as told:
        found = finish(asked.run(now or datetime.now(UTC), told))
    tell_what_was_read(found, our_domains)
    for reason in found.closed:
        note(f"{reason}: contacts who are seen only there are unchecked")
    if found.unreadable:
        broken = counted(found.unreadable, "mail")
        note(f"{broken} could not be read{'' if verbose else '; --verbose names them'}")
    if as_json:
        for item in found.checked:
            print_json(offline.as_json(item))
    else:
        report.contacts(found.checked, console())
