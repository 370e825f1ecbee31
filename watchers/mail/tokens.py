"""The seam between who grants access and who reads: an access token for one mailbox, when it is needed.

A source asks for a token at each request and never keeps one; whoever grants it renews it. Two ways in keep
this contract: what an organisation grants (`watchers.mail.grants`), and what the mailboxes' owners connected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Use(StrEnum):
    """What a token is for."""

    MAIL = "mail"
    CALENDAR = "calendar"


class Provider(StrEnum):
    """Whose interface a mailbox speaks."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"


SCOPES = {
    (Provider.GOOGLE, Use.MAIL): "https://www.googleapis.com/auth/gmail.readonly",
    (Provider.GOOGLE, Use.CALENDAR): "https://www.googleapis.com/auth/calendar.readonly",
    (Provider.MICROSOFT, Use.MAIL): "https://graph.microsoft.com/Mail.Read",
    (Provider.MICROSOFT, Use.CALENDAR): "https://graph.microsoft.com/Calendars.Read",
}
"""The scope that each use takes: it reads and changes nothing.

`gmail.metadata` would be less, but shows no bodies, so neither what a bounce nor what a reply says.
"""


SAFE_ADDRESS = r"(https://\S+|http://(localhost|127\.0\.0\.1)(:\d{1,5})?(/\S*)?)"
"""Where a token may be sent: never in the clear, but to this machine."""


class Tokens(Protocol):
    """Gives access tokens for one mailbox."""

    async def token(self, use: Use, refused: str = "") -> str:
        """Return an access token; never the one that the server just refused.

        Raises `SourceDown` where trying later may help and `NeedsHuman` where the grant is gone or too small.
        """


@dataclass(frozen=True)
class Connected:
    """A mailbox that its owner connected, and what they allowed; `apis` is where each use is asked for.

    A use that `apis` does not name is asked for at the provider's own address.
    """

    provider: Provider
    mailbox: str
    tokens: Tokens = field(repr=False)
    uses: frozenset[Use] = frozenset({Use.MAIL, Use.CALENDAR})
    apis: tuple[tuple[Use, str], ...] = ()

    def api(self, use: Use, own: str) -> str:
        """Return where a use is asked for: `own` is the provider's address for it."""
        return dict(self.apis).get(use, own)


Connections = Callable[[], Sequence[Connected]]
"""Says which mailboxes are connected now; asked anew at each sweep."""


@runtime_checkable
class Connectable(Protocol):
    """A watcher that also reads what owners connected: the service sets `connected` when it starts."""

    connected: Connections


def nobody() -> Sequence[Connected]:
    """Say that no mailbox is connected."""
    return ()
