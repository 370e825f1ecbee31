"""Refuse what Slack would refuse: a strict check of every message that leaves the bot.

Two judges: the limits of Slack's documentation as written down here, and the rules of `slackblocks`, which
rebuilds the blocks it can read. What is unknown here is refused; add it with its limits when it is used.
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from slackblocks import ContextBlock, DividerBlock, HeaderBlock, Message, SectionBlock

MESSAGE_TEXT = 40_000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
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


def check_view(view: Given) -> None:
    """Raise BlockKitError unless Slack would take the modal or the Home tab."""
    need(view.get("type") in {"modal", "home"}, "view.type", "is neither modal nor home")
    allowed = {"type", "blocks", "private_metadata", "callback_id", "external_id"}
    if view["type"] == "modal":
        allowed |= {"title", "close", "submit", "clear_on_close", "notify_on_close", "submit_disabled"}
        for part in ("title", "close", "submit"):
            if part in view:
                text_object(view[part], 24, f"view.{part}", plain=True)
        need("title" in view, "view.title", "is missing")
    only(view, allowed, "view")
    if "private_metadata" in view:
        length(view["private_metadata"], 0, 3000, "view.private_metadata")
    for part in ("callback_id", "external_id"):
        if part in view:
            length(view[part], 1, 255, f"view.{part}")
    need(view["blocks"], "view.blocks", "are missing")
    check_blocks(view["blocks"], VIEW_BLOCKS)
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    need(not inputs or view["type"] == "home" or "submit" in view, "view.submit", "is missing beside inputs")


def _input(block: Given, where: str) -> None:
    only(block, {"type", "block_id", "label", "element", "hint", "optional", "dispatch_action"}, where)
    text_object(block["label"], 2000, f"{where}.label", plain=True)
    if "hint" in block:
        text_object(block["hint"], 2000, f"{where}.hint", plain=True)
    element(block["element"], f"{where}.element")


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


def _chart(block: Given, where: str) -> None:
    only(block, {"type", "block_id", "title", "chart"}, where)
    length(block["title"], 1, 50, f"{where}.title")
    chart = block["chart"]
    need(chart["type"] in {"bar", "line", "area"}, f"{where}.chart", "is of unknown type")
    only(chart, {"type", "series", "axis_config"}, f"{where}.chart")
    only(chart["axis_config"], {"categories", "x_label", "y_label"}, f"{where}.chart.axis_config")
    categories = chart["axis_config"]["categories"]
    need(1 <= len(categories) <= 20, f"{where}.chart.categories", "are not 1 to 20")
    need(len(set(categories)) == len(categories), f"{where}.chart.categories", "are not unique")
    for category in categories:
        length(category, 1, 20, f"{where}.chart.categories")
    need(1 <= len(chart["series"]) <= 6, f"{where}.chart.series", "are not 1 to 6")
    for series in chart["series"]:
        only(series, {"name", "data"}, f"{where}.chart.series")
        length(series["name"], 1, 20, f"{where}.chart.series.name")
        labels = [point["label"] for point in series["data"]]
        need(labels == categories, f"{where}.chart.series", "are not of the chart's categories")


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
    allowed = {"type", "action_id", "options", "initial_option", "confirm", "placeholder", "focus_on_load"}
    only(item, allowed, where)
    if "initial_option" in item:
        need(item["initial_option"] in item["options"], f"{where}.initial_option", "is none of the options")
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


def _written(item: Given, where: str) -> None:
    """Check what is typed: text, an address, a link, a number."""
    allowed = {"type", "action_id", "initial_value", "placeholder", "focus_on_load", "dispatch_action_config"}
    if item["type"] == "plain_text_input":
        allowed |= {"multiline", "min_length", "max_length"}
        need(0 <= item.get("min_length", 0) <= 3000, f"{where}.min_length", "is not 0 to 3000")
        need(1 <= item.get("max_length", 3000) <= 3000, f"{where}.max_length", "is not 1 to 3000")
    if item["type"] == "number_input":
        allowed |= {"is_decimal_allowed", "min_value", "max_value"}
        need("is_decimal_allowed" in item, f"{where}.is_decimal_allowed", "is missing")
    only(item, allowed, where)
    if "initial_value" in item:
        length(item["initial_value"], 0, item.get("max_length", 3000), f"{where}.initial_value")
    if "placeholder" in item:
        text_object(item["placeholder"], 150, f"{where}.placeholder", plain=True)


def _picked(item: Given, where: str) -> None:
    """Check what is picked: a user, a day, a time."""
    initial = {"users_select": "initial_user", "datepicker": "initial_date", "timepicker": "initial_time"}
    allowed = {"type", "action_id", "placeholder", "focus_on_load", "confirm", initial[item["type"]]}
    only(item, allowed | ({"timezone"} if item["type"] == "timepicker" else set()), where)
    if (value := item.get(initial[item["type"]])) is not None:
        shape = {
            "users_select": r"[UW][A-Z0-9]+",
            "datepicker": r"\d{4}-\d\d-\d\d",
            "timepicker": r"\d\d:\d\d",
        }
        need(re.fullmatch(shape[item["type"]], value), where, f"begins with {value!r}, which is none")
    if "placeholder" in item:
        text_object(item["placeholder"], 150, f"{where}.placeholder", plain=True)


def _choices(item: Given, where: str) -> None:
    """Check check boxes and radio buttons."""
    several = item["type"] == "checkboxes"
    initial = "initial_options" if several else "initial_option"
    only(item, {"type", "action_id", "options", "confirm", "focus_on_load", initial}, where)
    need(1 <= len(item["options"]) <= 10, f"{where}.options", "are not 1 to 10")
    for i, choice in enumerate(item["options"]):
        only(choice, {"text", "value", "description"}, f"{where}.options[{i}]")
        text_object(choice["text"], 75, f"{where}.options[{i}].text")
        length(choice["value"], 1, 150, f"{where}.options[{i}].value")
    begins = item.get(initial, [])
    for one in begins if several else [begins] * (initial in item):
        need(one in item["options"], f"{where}.{initial}", "is none of the options")


def _file_input(item: Given, where: str) -> None:
    only(item, {"type", "action_id", "filetypes", "max_files"}, where)
    need(1 <= item.get("max_files", 10) <= 10, f"{where}.max_files", "is not 1 to 10")


_BLOCKS: dict[Any, Callable[[Given, str], None]] = {
    "section": _section,
    "context": _context,
    "header": _header,
    "actions": _actions,
    "divider": _divider,
    "data_visualization": _chart,
    "input": _input,
}
_ELEMENTS: dict[Any, Callable[[Given, str], None]] = {
    "button": _button,
    "overflow": _overflow,
    "static_select": _static_select,
    "plain_text_input": _written,
    "email_text_input": _written,
    "url_text_input": _written,
    "number_input": _written,
    "users_select": _picked,
    "datepicker": _picked,
    "timepicker": _picked,
    "checkboxes": _choices,
    "radio_buttons": _choices,
    "file_input": _file_input,
}
_REBUILD: dict[str, Callable[[Any], Any]] = {
    "section": SectionBlock.from_dict,
    "context": ContextBlock.from_dict,
    "header": HeaderBlock.from_dict,
    "divider": DividerBlock.from_dict,
}


def _can_rebuild(block: Given) -> bool:
    return block["type"] in _REBUILD and "accessory" not in block
