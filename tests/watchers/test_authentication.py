from __future__ import annotations

import pytest

from watchers import Scope
from watchers.mail import RawMail
from watchers.mail.authentication import is_forged
from watchers.mail.parse import parse
from watchers.mailbox import Mailbox

OURS = frozenset({"mx.vendor.example"})
MAIL = "From: Jane Doe <jane@acme.example>\nTo: rita@vendor.example\nMessage-ID: <1@acme.example>\n\nHi.\n"


def forged(*results: str) -> bool:
    headers = "".join(f"Authentication-Results: {result}\n" for result in results)
    return is_forged(parse((headers + MAIL).encode()).head, OURS)


@pytest.mark.parametrize(
    "result",
    [
        "mx.vendor.example; dmarc=fail (p=reject) header.from=acme.example",
        "mx.vendor.example 1; spf=pass smtp.mailfrom=evil.example; dmarc = fail",
        "MX.Vendor.example;\n spf=fail;\n dmarc=FAIL",
    ],
)
def test_a_failed_test_by_our_own_server_is_a_forgery(result: str) -> None:
    assert forged(result)


@pytest.mark.parametrize(
    "result",
    [
        "mx.vendor.example; dmarc=pass header.from=acme.example",
        "mx.vendor.example; dmarc=none",
        "mx.vendor.example; spf=fail; dkim=fail",
        "mx.evil.example; dmarc=fail",
        "dmarc=fail",
        "",
        ";",
    ],
)
def test_anything_else_is_none(result: str) -> None:
    assert not forged(result)


def test_only_the_topmost_result_of_our_server_counts() -> None:
    assert not forged("mx.vendor.example; dmarc=pass", "mx.vendor.example; dmarc=fail")
    assert forged("mx.other.example; dmarc=pass", "mx.vendor.example; dmarc=fail")


def test_the_mailbox_marks_what_a_forged_mail_says() -> None:
    raw = f"Authentication-Results: mx.vendor.example; dmarc=fail\n{MAIL}".encode()
    scope = Scope(frozenset({"vendor.example"}), domains=frozenset({"acme.example"}))
    watcher = Mailbox(Mailbox.Config(authenticators=("MX.vendor.example",)))
    (seen,) = watcher.read(RawMail("mailbox:rita", "1", raw), scope)
    assert seen.facts["forged"] is True
    (trusted,) = Mailbox().read(RawMail("mailbox:rita", "1", raw), scope)
    assert "forged" not in trusted.facts
