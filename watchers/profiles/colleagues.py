"""Whether what one contact's profile says is news of them, or of the whole account. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import Contact
from watchers.profiles.words import same_employer


def are_colleagues(one: Contact, other: Contact) -> bool:
    """Say whether two contacts are different people of one account."""
    return one.address != other.address and one.account_name.lower() == other.account_name.lower()


def is_shared(employer: str, others: Iterable[str]) -> bool:
    """Say whether most of an account's people name this employer: renamed, acquired, or a parent.

    `others` are the employers of the contact's colleagues, empty where a profile names the account still.
    """
    named = list(others)
    alike = [other for other in named if same_employer(other, employer)]
    return bool(alike) and 2 * (len(alike) + 1) > len(named) + 1
