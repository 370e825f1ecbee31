from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import mail


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[mail.MailServers]:
    """Run Dovecot and Postfix for the whole session; tests skip, and say why, where they cannot run."""
    try:
        with mail.running() as servers:
            yield servers
    except mail.CannotRun as reason:
        pytest.skip(str(reason))
