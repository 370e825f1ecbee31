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
    named = re.findall(r"\*([\w\s]+)\* \(`(tests/[\w/.]+)`\)", row.rpartition(" | ")[2])
    assert named
    for sentence, file in named:
        test = f"test_{sentence.replace(' ', '_')}"
        assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE), test
