from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.watchers.test_auto_replies import AUTOMATIC, PERSONAL, mail, only
from tests.watchers.test_colleagues import read as read_colleague
from tests.watchers.test_colleagues import told


def in_june(text: str, headers: str) -> bytes:
    return mail(text, headers).replace(b"Mon, 07 Sep 2026", b"Wed, 10 Jun 2026")


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("I am leaving Acme, my last day is 31 December.", "2026-12-31"),
        ("My last day at Acme will be 31 December.", "2026-12-31"),
        ("My last day was 31 December.", "2025-12-31"),
        ("My last day at Acme was 31 May.", "2026-05-31"),
        ("My last day at Acme is 5 June.", "2026-06-05"),
        ("I am leaving Acme at the end of the year 2027.", "2027-12-31"),
        ("My last day at Acme is 31 December and it was a pleasure to work with you.", "2026-12-31"),
        ("I am leaving Acme at the end of the year.", "2026-12-31"),
        ("I am leaving the company at the end of June 2026.", "2026-06-30"),
        ("I am leaving the company next month.", "2026-07-31"),
        ("I am leaving Acme on 30 June to start at Umbra on 1 August.", "2026-06-30"),
        ("Mein letzter Arbeitstag ist der 31. Dezember.", "2026-12-31"),
        ("Ich verlasse das Unternehmen Ende Juni.", "2026-06-30"),
        ("Mon dernier jour chez Durand sera le 31 décembre.", "2026-12-31"),
        ("Je quitte la société fin juin.", "2026-06-30"),
        ("Mi último día es el 31 de diciembre.", "2026-12-31"),
        ("Dejaré la empresa a finales de junio de 2026.", "2026-06-30"),
        ("Il mio ultimo giorno di lavoro sarà il 31 dicembre.", "2026-12-31"),
        ("Meu último dia na empresa será 31 de dezembro.", "2026-12-31"),
        ("Mijn laatste werkdag is 31 december.", "2026-12-31"),
        ("Ik verlaat het bedrijf eind juni.", "2026-06-30"),
        ("Min sista arbetsdag är den 31 december.", "2026-12-31"),
        ("Min sidste arbejdsdag er den 31. december.", "2026-12-31"),
        ("Min siste arbeidsdag er 31. desember.", "2026-12-31"),
    ],
)
def test_the_last_day_of_a_goodbye_is_the_next_one_unless_it_is_told_as_past(text: str, leaves: str) -> None:
    found = only(in_june(text, PERSONAL))
    assert (found.kind, found.facts["leaves"]) == ("farewell", leaves)


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        (
            "I am on vacation until 30 June. After that I am leaving; my last day is 15 July 2026.",
            "2026-07-15",
        ),
        ("I am on vacation until 30 June and will be leaving the company on 15 July.", "2026-07-15"),
        ("From 10 June I am on leave and my last day is 15 July.", "2026-07-15"),
        ("I have left Acme on 31 December.", "2025-12-31"),
        ("My last day at Acme was 31 December.", "2025-12-31"),
        ("My last day at Acme is 31 December.", "2026-12-31"),
        ("My last day at Acme is 15 March.", "2026-03-15"),
        ("I will no longer be with Acme after 31 December.", "2026-12-31"),
        ("I am no longer with Acme as of 20 February.", "2026-02-20"),
        ("Ich habe die Firma Ende Mai verlassen.", "2026-05-31"),
    ],
)
def test_an_automatic_reply_that_stood_for_months_tells_a_day_that_is_over(text: str, leaves: str) -> None:
    found = only(in_june(text, AUTOMATIC))
    assert (found.kind, found.facts["leaves"]) == ("departed", leaves)


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("I left Acme on 31 December.", "2025-12-31"),
        ("Jane Roe has left the company at the end of the year.", "2025-12-31"),
        ("Frau Roe hat das Unternehmen zum Jahresende verlassen.", "2025-12-31"),
        (
            "Das Postfach ist nicht mehr aktiv, da Frau Roe die Firma zum Jahresende verlassen hat.",
            "2025-12-31",
        ),
        ("Jane Roe has left the company as of 15 September.", "2026-09-15"),
    ],
)
def test_a_last_day_told_as_past_lies_behind_though_it_be_nearer_ahead(text: str, leaves: str) -> None:
    assert only(mail(text)).facts["leaves"] == leaves


@pytest.mark.parametrize(
    ("text", "returns"),
    [
        ("I am on leave until the end of June 2026.", "2026-06-30"),
        ("I am on leave until the end of June.", "2026-06-30"),
        ("Ich bin bis Ende Juni im Urlaub.", "2026-06-30"),
        ("Je suis en congé jusqu'à fin juin.", "2026-06-30"),
    ],
)
def test_an_absence_until_the_end_of_a_month_lasts_to_its_last_day(text: str, returns: str) -> None:
    found = only(in_june(text, AUTOMATIC))
    assert (found.kind, found.facts["returns"]) == ("on_leave", returns)


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("Jane is leaving the company at the end of June 2026.", "2026-06-30"),
        ("Jane is leaving end of June 2026.", "2026-06-30"),
        ("Jane is leaving the company next month.", "2026-07-31"),
        ("Jane is leaving the company at the end of the year.", "2026-12-31"),
        ("Jane verlässt uns Ende Juni.", "2026-06-30"),
        ("Jane quitte la société fin juin 2026.", "2026-06-30"),
        ("Jane deja la empresa a finales de junio.", "2026-06-30"),
        ("Jane lascia l'azienda a fine giugno.", "2026-06-30"),
        ("Jane verlaat het bedrijf eind juni.", "2026-06-30"),
        ("Jane slutar hos oss i slutet av juni.", "2026-06-30"),
        ("Jane left the company at the end of May.", "2026-05-31"),
        ("Jane left the company on 31 December.", "2025-12-31"),
    ],
)
def test_the_last_day_that_a_colleague_tells_may_be_the_end_of_a_month(text: str, leaves: str) -> None:
    (found,) = read_colleague(text)
    assert found.facts["leaves"] == leaves


def test_who_is_leaving_at_the_end_of_a_month_has_not_left_before() -> None:
    text = "Jane is leaving the company at the end of June 2026."
    assert told(text) == []
    assert len(told(text, now=datetime(2026, 7, 1, 8, tzinfo=UTC))) == 1
