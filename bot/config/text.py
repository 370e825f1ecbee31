"""YAML as it is read from a file that anybody may have written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

Where = tuple[str, ...]
"""The keys that lead to a place."""

DEEPEST = 20
"""How deep settings may nest."""


class Loader(yaml.SafeLoader):
    """YAML without what settings do not need and a hostile file lives on: aliases and deep nesting.

    A key that stands twice is an error, and so is a value that its type cannot hold, such as 30 February.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the next node."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs lack it
        if self.check_event(yaml.AliasEvent):
            raise ComposerError(None, None, "an alias is not read: write out what it stands for", mark)
        if self._depth >= DEEPEST:
            raise ComposerError(None, None, f"is nested deeper than {DEEPEST}", mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's
        """Build what a node stands for."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise ConstructorError(None, None, f"is not a possible {kind}", node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's
        """Build a mapping, in which no key stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise ConstructorError(None, None, f"the key '{key.value}' stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def key_lines(node: yaml.Node | None, where: Where) -> Iterator[tuple[Where, int]]:
    """Yield the path and the line of every key and list item."""
    steps: list[tuple[str, int, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        steps = [(str(key.value), key.start_mark.line, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        steps = [(str(number), value.start_mark.line, value) for number, value in enumerate(node.value)]
    for name, line, value in steps:
        yield (*where, name), line + 1
        yield from key_lines(value, (*where, name))
