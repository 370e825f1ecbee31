"""Refuse what Slack would refuse: a strict check of every message that leaves the bot.

Two judges: the limits of Slack's documentation as written down here, and the rules of `slackblocks`, which
rebuilds the blocks it can read. What is unknown here is refused; add it with its limits when it is used.
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slackblocks import ContextBlock, DividerBlock, HeaderBlock, Message, SectionBlock

MESSAGE_TEXT = 40_000
MESSAGE_BLOCKS = 50
METADATA_EVENT_TYPE = 255

Given = Mapping[str, Any]


class BlockKitError(AssertionError):
    """Say where a payload breaks which rule."""


def check_message(payload: Given) -> None:
    """Raise BlockKitError unless Slack would take the message's text, blocks and metadata."""
    text = payload.get("text")
    need(isinstance(text, str) and text.strip(), "text", "is missing: notifications would be empty")
    need(len(str(text)) <= MESSAGE_TEXT, "text", "is too long")
    blocks = payload.get("blocks") or []
    check_blocks(blocks)
    known = [_REBUILD[block["type"]](block) for block in blocks if _can_rebuild(block)]
    if known:
        Message(channel="C1", text="checked", blocks=known)
    if metadata := payload.get("metadata"):
        only(metadata, {"event_type", "event_payload"}, "metadata")
        length(metadata["event_type"], 1, METADATA_EVENT_TYPE, "metadata.event_type")
        need(isinstance(metadata["event_payload"], Mapping), "metadata.event_payload", "is no object")


def check_blocks(blocks: Any, most: int = MESSAGE_BLOCKS) -> None:
    """Raise BlockKitError unless Slack would take these blocks together."""
    need(isinstance(blocks, list | tuple), "blocks", "is no list")
    need(len(blocks) <= most, "blocks", f"are more than {most}")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    need(len(ids) == len(set(ids)), "block_id", "is used twice")
    for i, block in enumerate(blocks):
        where = f"blocks[{i}]"
        kind = block.get("type")
        need(kind in _BLOCKS, where, f"is of unknown type {kind!r}")
        if "block_id" in block:
            length(block["block_id"], 1, 255, f"{where}.block_id")
        _BLOCKS[kind](block, where)
    actions = [
        (block.get("block_id"), element["action_id"])
        for block in blocks
        for element in block.get("elements", [])
        if "action_id" in element
    ]
    need(len(actions) == len(set(actions)), "action_id", "is used twice in one block")


def _section(block: Given, where: str) -> None:
    only(block, {"type", "block_id", "text", "fields", "accessory", "expand"}, where)
    need("text" in block or "fields" in block, where, "has neither text nor fields")
    if "text" in block:
        text_object(block["text"], 3000, f"{where}.text")
    fields = block.get("fields", [])
    need(len(fields) <= 10, f"{where}.fields", "are more than 10")
    for i, field in enumerate(fields):
        text_object(field, 2000, f"{where}.fields[{i}]")
    if "accessory" in block:
        element(block["accessory"], f"{where}.accessory")


def _context(block: Given, where: str) -> None:
    only(block, {"type", "block_id", "elements"}, where)
    need(1 <= len(block["elements"]) <= 10, f"{where}.elements", "are not 1 to 10")
    for i, item in enumerate(block["elements"]):
        text_object(item, 3000, f"{where}.elements[{i}]")


def _header(block: Given, where: str) -> None:
    only(block, {"type", "block_id", "text"}, where)
    text_object(block["text"], 150, f"{where}.text", plain=True)


def _actions(block: Given, where: str) -> None:
    only(block, {"type", "block_id", "elements"}, where)
    need(1 <= len(block["elements"]) <= 25, f"{where}.elements", "are not 1 to 25")
    for i, item in enumerate(block["elements"]):
        element(item, f"{where}.elements[{i}]")


def _divider(block: Given, where: str) -> None:
    only(block, {"type", "block_id"}, where)


def element(item: Given, where: str) -> None:
    """Raise BlockKitError unless Slack would take the interactive element."""
    kind = item.get("type")
    need(kind in _ELEMENTS, where, f"is of unknown type {kind!r}")
    if "action_id" in item:
        length(item["action_id"], 1, 255, f"{where}.action_id")
    _ELEMENTS[kind](item, where)


def _button(item: Given, where: str) -> None:
    allowed = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}
    only(item, allowed, where)
    text_object(item["text"], 75, f"{where}.text", plain=True)
    if "value" in item:
        length(item["value"], 1, 2000, f"{where}.value")
    if "style" in item:
        need(item["style"] in {"primary", "danger"}, f"{where}.style", "is neither primary nor danger")
    if "url" in item:
        length(item["url"], 1, 3000, f"{where}.url")
    if "accessibility_label" in item:
        length(item["accessibility_label"], 1, 75, f"{where}.accessibility_label")
    if "confirm" in item:
        _confirm(item["confirm"], f"{where}.confirm")


def _confirm(dialogue: Given, where: str) -> None:
    only(dialogue, {"title", "text", "confirm", "deny", "style"}, where)
    for part, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        text_object(dialogue[part], most, f"{where}.{part}", plain=True)


def _overflow(item: Given, where: str) -> None:
    only(item, {"type", "action_id", "options", "confirm"}, where)
    need(1 <= len(item["options"]) <= 5, f"{where}.options", "are not 1 to 5")
    for i, choice in enumerate(item["options"]):
        _option(choice, f"{where}.options[{i}]")


def _static_select(item: Given, where: str) -> None:
    only(item, {"type", "action_id", "options", "initial_option", "confirm", "placeholder"}, where)
    need(1 <= len(item["options"]) <= 100, f"{where}.options", "are not 1 to 100")
    for i, choice in enumerate(item["options"]):
        _option(choice, f"{where}.options[{i}]")
    if "placeholder" in item:
        text_object(item["placeholder"], 150, f"{where}.placeholder", plain=True)


def _option(choice: Given, where: str) -> None:
    only(choice, {"text", "value", "description", "url"}, where)
    text_object(choice["text"], 75, f"{where}.text", plain=True)
    length(choice["value"], 1, 150, f"{where}.value")
    if "description" in choice:
        text_object(choice["description"], 75, f"{where}.description", plain=True)


def text_object(given: Any, most: int, where: str, *, plain: bool = False) -> None:
    """Raise BlockKitError unless it is a text of at most that many characters that Slack would take."""
    need(isinstance(given, Mapping), where, "is no text object")
    kind = given.get("type")
    need(kind == "plain_text" or (kind == "mrkdwn" and not plain), where, f"is of the wrong type {kind!r}")
    only(given, {"type", "text", "emoji"} if kind == "plain_text" else {"type", "text", "verbatim"}, where)
    length(given["text"], 1, most, f"{where}.text")


def length(given: Any, least: int, most: int, where: str) -> None:
    """Raise BlockKitError unless it is a string of such a length that can be sent."""
    need(isinstance(given, str), where, "is no string")
    need(least <= len(given) <= most, where, f"has {len(given)} characters, not {least} to {most}")
    need(not any("\ud800" <= character <= "\udfff" for character in given), where, "holds half a character")


def only(given: Given, allowed: set[str], where: str) -> None:
    """Raise BlockKitError where there is a key that Slack does not know here."""
    need(set(given) <= allowed, where, f"has unknown keys {sorted(set(given) - allowed)}")


def need(holds: object, where: str, problem: str) -> None:
    """Raise BlockKitError, saying where and why, unless it holds."""
    if not holds:
        raise BlockKitError(f"{where} {problem}")


_BLOCKS: dict[Any, Callable[[Given, str], None]] = {
    "section": _section,
    "context": _context,
    "header": _header,
    "actions": _actions,
    "divider": _divider,
}
_ELEMENTS: dict[Any, Callable[[Given, str], None]] = {
    "button": _button,
    "overflow": _overflow,
    "static_select": _static_select,
}
_REBUILD: dict[str, Callable[[Any], Any]] = {
    "section": SectionBlock.from_dict,
    "context": ContextBlock.from_dict,
    "header": HeaderBlock.from_dict,
    "divider": DividerBlock.from_dict,
}


def _can_rebuild(block: Given) -> bool:
    return block["type"] in _REBUILD and "accessory" not in block
