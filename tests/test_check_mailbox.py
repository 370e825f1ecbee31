"""The offline check over a mailbox that real mail servers made."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.servers.mail import MailServers

pytestmark = pytest.mark.xdist_group("mail")

REP = "check@vendor.example"
GONE = {
    "ada@customer.example": "550 5.1.1 <ada@customer.example>: Recipient address rejected: User unknown",
    "ben@customer.example": "550 5.4.1 Recipient address rejected: Access denied. [AM6EUR05FT003.example]",
}
REFUSED = {
    "cyd@customer.example": "550 5.7.1 Message rejected due to content restrictions",
    "dan@customer.example": "552 5.2.2 The recipient's inbox is out of storage space",
}
THERE = "eve@customer.example"
EVERYBODY = [*GONE, *REFUSED, THERE]


def earlier(sender: str, to: str, days_ago: float) -> bytes:
    mail = EmailMessage()
    at = datetime.now(UTC) - timedelta(days=days_ago)
    mail["From"], mail["To"], mail["Subject"], mail["Date"] = sender, to, "Pilot", format_datetime(at)
    mail["Message-ID"] = f"<{at.timestamp():.0f}.{sender}>"
    mail.set_content("Sounds good.")
    return mail.as_bytes()


def test_of_five_contacts_the_two_whose_mailboxes_are_gone_and_only_those_are_said_to_have_left(
    mail_servers: MailServers, tmp_path: Path
) -> None:
    mail_servers.empty(REP)
    for number, address in enumerate(EVERYBODY):
        mail_servers.deliver(REP, earlier(address, REP, 30 + number))
        mail_servers.deliver(REP, earlier(REP, address, 29 + number), folder="Sent")
    for address, reply in {**GONE, **REFUSED}.items():
        mail_servers.reject(address, reply)
    mail_servers.live(THERE)
    for address in EVERYBODY:
        mail_servers.send(REP, address, "Next steps")
    mail_servers.wait_for(REP, len(EVERYBODY) + len(GONE) + len(REFUSED))

    contacts = tmp_path / "contacts.csv"
    contacts.write_text("email\n" + "\n".join(EVERYBODY))
    maildir = mail_servers.maildir(REP)
    command = ["check", "--contacts", str(contacts), "--mail", str(maildir), "--our-domain", "vendor.example"]
    ran = CliRunner().invoke(main, [*command, "--json"])

    assert ran.exit_code == 0, ran.output
    said = {line["contact"]: line for line in map(json.loads, ran.stdout.splitlines())}
    assert {name for name, line in said.items() if line["verdict"] in {"left", "likely left"}} == set(GONE)
    assert {said[address]["verdict"] for address in [*REFUSED, THERE]} == {"active"}
