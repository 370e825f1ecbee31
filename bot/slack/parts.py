"""A message and the blocks that most of them are made of. Pure.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from slackblocks import Block, ContextBlock, SectionBlock, Text, WebhookMessage

LONGEST_PLAIN = 2000
LONGEST_SECTION = 3000
ANSWER_THERE = (
    "Slack did not take this message as it is drawn. It can be answered on the Home tab of this app."
)


@dataclass(frozen=True)
class Card:
    """A message: what notifications and screen readers say, and its blocks as Slack takes them."""

    text: str
    blocks: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, text: str, blocks: Sequence[Block]) -> Card:
        """Build a message; raise what `slackblocks` raises where Slack would not take it."""
        return cls(text, tuple(WebhookMessage(text=text, blocks=list(blocks)).to_dict()["blocks"]))

    def plainly(self) -> Card:
        """Return it as text alone, for where Slack does not take it as it is drawn."""
        return Card(f"{self.text[:LONGEST_PLAIN]}\n{ANSWER_THERE}", ())


def section(block_id: str, text: str) -> SectionBlock:
    """Return text (mrkdwn) in which nothing becomes a link by itself."""
    return SectionBlock(Text(text, verbatim=True), block_id=block_id)


def sections(block_id: str, lines: Iterable[str]) -> list[SectionBlock]:
    """Return lines (mrkdwn) under each other in as few sections as Slack takes."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= LONGEST_SECTION:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [section(f"{block_id}-{number}", text) for number, text in enumerate(texts)]


def small_print(block_id: str, text: str) -> ContextBlock:
    """Return the same in small print."""
    return ContextBlock([Text(text, verbatim=True)], block_id=block_id)
