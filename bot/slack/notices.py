"""Short messages about where alerts went. Pure."""

from __future__ import annotations

from slackblocks import ContextBlock, SectionBlock, Text, WebhookMessage

from bot.model import Alert
from bot.routing import Deliver
from bot.slack import words
from bot.slack.mrkdwn import quote, user
from bot.slack.names import Names, Naming
from bot.slack.parts import Card

SHADOW = "Shadow mode"


def moved(alert: Alert, link: str, names: Names) -> Card:
    """Build what stands where a case's message was: what became of it, and where it goes on."""
    naming = Naming.of(alert, names)
    who = f"{naming.name(alert.contact)}, {quote(alert.contact.account_name, 80)}"
    verdict = words.title(alert.assessment.verdict)
    where = (
        f"<{link}|the message that everybody works on>" if link.startswith("http") else "the team's channel"
    )
    section = SectionBlock(Text(f"*{who}* is now *{verdict}*. The case goes on in {where}.", verbatim=True))
    return _card(f"{who} is now {verdict}. The case goes on elsewhere.", section)


def shadow(card: Card, place: Deliver) -> Card:
    """Mark a message of the shadow mode, and say where it would have gone."""
    mark = f"{SHADOW}: only admins get this. It would have gone {_to(place)}."
    block = ContextBlock([Text(mark, verbatim=True)], block_id="shadow")
    return Card(f"{SHADOW}: {card.text}", (*_card(mark, block).blocks, *card.blocks))


def copied(card: Card) -> Card:
    """Return the same without anything to press: it is answered where it stands."""
    blocks = [{part: block[part] for part in block if part != "accessory"} for block in card.blocks]
    return Card(card.text, tuple(block for block in blocks if block["type"] != "actions"))


def channel_gone(channel: str, what: str, how: str) -> str:
    """Say in one line that alerts cannot be posted in a channel."""
    return (
        f"Alerts cannot be posted in <#{quote(channel, 40)}>: {quote(what, 120)}. Until somebody mends it "
        f"({quote(how, 160)}), owners get them as direct messages."
    )


def _to(place: Deliver) -> str:
    where = f"to {user(place.user)} alone" if place.user else f"to <#{quote(place.channel, 40)}>"
    others = [user(rep.user) for rep in place.mention if rep.user != place.user]
    mention = f", with {' and '.join(others)} mentioned" if others else ""
    return f"{where}{mention}"


def _card(text: str, block: ContextBlock | SectionBlock) -> Card:
    return Card(text, tuple(WebhookMessage(text=text, blocks=[block]).to_dict()["blocks"]))
