from __future__ import annotations

from datetime import UTC, datetime, time

from bot.coverage import Coverage
from bot.preferences import Preferences
from bot.slack import tab
from tests.servers.block_kit import check_view

NOW = datetime(2026, 8, 14, 9, tzinfo=UTC)
CHOICES = tab.Choices(Preferences(), (time(18), time(8)), 5, "UTC")
URL = "https://stillthere.vendor.example/connect?state=" + "x" * 400


def buttons(mailbox: tuple[str, str] | None) -> dict[str, str]:
    """Return the buttons on top of the tab: their labels and where they lead."""
    view = tab.home([], tab.Page(0, 1, 0, [], {}), Coverage(), CHOICES, NOW, mailbox)
    check_view(view)
    [do] = [block for block in view["blocks"] if block["block_id"] == "do"]
    return {one["text"]["text"]: one.get("url", "") for one in do["elements"]}


def test_the_tab_offers_to_connect_a_mailbox_where_there_is_a_page_for_it() -> None:
    assert buttons(("Connect my mailbox", URL))["Connect my mailbox"] == URL


def test_without_a_page_for_it_the_tab_offers_nothing() -> None:
    assert tab.no_mailbox("U1", "rita@vendor.example") is None  # type: ignore[func-returns-value]
    assert list(buttons(None)) == ["Add a person", "Settings"]
