from __future__ import annotations

import re

import pytest

from watchers.mail.folding import fold
from watchers.mail.own_text import Text, own_text
from watchers.mail.phrases import Language, Phrase, languages, spoken

ROWS = [(one, row) for one in languages() for row in one.phrases]


@pytest.mark.parametrize(("one", "row"), ROWS, ids=[f"{one.code}-{i}" for i, (one, _) in enumerate(ROWS)])
def test_every_pattern_matches_its_examples(one: Language, row: Phrase) -> None:
    assert row.examples, f"{one.code}: {row.pattern} has no example"
    for example in row.examples:
        assert re.search(fold(row.pattern), Text(own_text(example)).low), f"{one.code}: {example}"


@pytest.mark.parametrize("one", languages(), ids=lambda one: one.code)
def test_every_language_has_a_name(one: Language) -> None:
    assert one.name[0].isupper()


@pytest.mark.parametrize("one", languages(), ids=lambda one: one.code)
def test_no_pattern_has_an_unbounded_gap(one: Language) -> None:
    for row in one.phrases:
        assert re.search(r"(?<!\\)\.[*+]|\[\^[^\]]*\][*+]|\)[*+]", row.pattern) is None, row.pattern


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Thank you for your message, I am out of the office", "en"),
        ("Ich bin nicht mehr für die Firma tätig, bitte wenden Sie sich an", "de"),
        ("Je suis absent et vous prie de contacter mon collègue pour toute demande", "fr"),
        ("今後のお問い合わせはこちらまでお願いいたします", "ja"),
        ("我已从公司离职,请联系王伟", "zh"),
        ("저는 휴가 중입니다", "ko"),
    ],
)
def test_the_language_is_recognised(text: str, code: str) -> None:
    assert next(iter(spoken(Text(own_text(text)).low))).code == code
