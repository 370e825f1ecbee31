"""Check payloads against the types that Slack publishes for TypeScript, hardened with their own comments.

The types say which parts there are and of what kind; the limits stand in their doc comments, in a few turns
of phrase, and are read from there. What the types do not know yet is left to the judges in `block_kit`.
https://www.npmjs.com/package/@slack/types
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from tests.servers.slack_node import find_node, installed

HERE = Path(__file__).parent

NOT_TYPED = frozenset({"data_visualization"})
"""Blocks that are newer than the types."""

MOST_BLOCKS = 50
MOST_TEXT = 40_000

LENGTH = re.compile(r"max(?:imum)? length(?: (?:for|of)[^.]*?)?(?: is| of)? (\d+) character", re.IGNORECASE)
NUMBER = re.compile(r"max(?:imum)?(?: number)?(?: of)?(?: (?:items|options))?(?: is)? `?(\d+)", re.IGNORECASE)
UP_TO = re.compile(r"up to (\d+)", re.IGNORECASE)
LINK = re.compile(r"\{@link[^}]*\}")
SENTENCE_ENDS = re.compile(r"(?<=\.)\s")
OF_EACH = re.compile(r"\bin each item\b", re.IGNORECASE)

Schema = dict[str, Any]


class TypesError(AssertionError):
    """Say where a payload is none of Slack's types."""


def check_message(payload: Mapping[str, Any]) -> None:
    """Raise TypesError unless the message's text, blocks and metadata are of Slack's types."""
    if len(str(payload.get("text") or "")) > MOST_TEXT or len(payload.get("blocks") or ()) > MOST_BLOCKS:
        raise TypesError("the message is too long")
    _check_blocks(payload.get("blocks") or ())
    if payload.get("metadata"):
        _check("MessageMetadata", payload["metadata"])


def check_view(view: Mapping[str, Any]) -> None:
    """Raise TypesError unless the modal or the Home tab is of Slack's types."""
    _check_blocks(view["blocks"])
    typed = [block for block in view["blocks"] if block["type"] not in NOT_TYPED]
    _check("ModalView" if view["type"] == "modal" else "HomeView", {**view, "blocks": typed[:1]})
    if len(view["blocks"]) > 2 * MOST_BLOCKS:
        raise TypesError("the view has too many blocks")


def hardened(schema: Schema) -> Schema:
    """Return a schema whose properties keep the limits that their descriptions name."""
    for definition in schema["definitions"].values():
        for name, part in (definition.get("properties") or {}).items():
            definition["properties"][name] = _limited(part)
    return schema


def _limited(part: Schema) -> Schema:
    said = LINK.sub("", part.get("description", "")).replace("\n", " ")
    sentences = SENTENCE_ENDS.split(said)
    each = next((found for one in sentences if OF_EACH.search(one) and (found := LENGTH.search(one))), None)
    whole = " ".join(one for one in sentences if not OF_EACH.search(one))
    length, number = LENGTH.search(whole), NUMBER.search(whole) or UP_TO.search(whole)
    match part.get("type"):
        case "array":
            items = _texts(part["items"], int(each[1])) if each else part["items"]
            return {**part, "items": items, "minItems": 1, **({"maxItems": int(number[1])} if number else {})}
        case "number" if number:
            return {**part, "maximum": int(number[1])}
        case "string" if length:
            return {**part, "minLength": 1, "maxLength": int(length[1])}
        case None if length:
            return _texts(part, int(length[1]))
    return part


def _texts(part: Schema, longest: int) -> Schema:
    """Limit the text of a text object, wherever it is described."""
    text = {"properties": {"text": {"minLength": 1, "maxLength": longest}}}
    return {"allOf": [{key: value for key, value in part.items() if key != "description"}, text]}


@cache
def _schema() -> Schema:
    """Generate the schema, once for each set of packages."""
    node = find_node()
    modules = installed(node)
    script = HERE / "slack_types.mjs"
    made_of = script.read_bytes() + (HERE / "package-lock.json").read_bytes()
    kept = modules / f".slack-types-{hashlib.sha256(made_of).hexdigest()[:16]}.json"
    if not kept.exists():
        fresh = kept.with_suffix(f".{id(node)}")
        subprocess.run([*node.run, str(script), str(modules), str(fresh)], check=True, timeout=120)
        fresh.replace(kept)
    return hardened(json.loads(kept.read_text(encoding="utf-8")))


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator({**_schema(), "$ref": f"#/definitions/{name}"})


@cache
def _by_type() -> Mapping[str, str]:
    """Return the name of the definition of each type of block."""
    found = {}
    for name, definition in _schema()["definitions"].items():
        kind = (definition.get("properties") or {}).get("type") or {}
        if name.endswith("Block") and "const" in kind:
            found[kind["const"]] = name
    return found


def _check_blocks(blocks: Any) -> None:
    for block in blocks:
        if block.get("type") not in NOT_TYPED:
            name = _by_type().get(block.get("type"), "")
            if not name:
                raise TypesError(f"there is no block of type {block.get('type')!r}")
            _check(name, block)


def _check(name: str, value: Any) -> None:
    if problem := _problem(name, json.dumps(value, sort_keys=True)):
        raise TypesError(problem)


@lru_cache(maxsize=20_000)
def _problem(name: str, value: str) -> str:
    """Say what is wrong, empty where nothing is; the same blocks are sent again and again."""
    error = best_match(_validator(name).iter_errors(json.loads(value)))
    return f"{name} {error.json_path}: {error.message[:500]}" if error else ""
