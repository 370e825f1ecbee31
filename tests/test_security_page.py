from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| threat")]


def test_there_are_threats() -> None:
    assert len(ROWS) >= 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_each_threat_names_tests_that_there_are(row: str) -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", row)
    assert named
    for name in named:
        text = (ROOT / name).read_text()
        assert re.search(r"^(async )?def test_", text, re.MULTILINE)
