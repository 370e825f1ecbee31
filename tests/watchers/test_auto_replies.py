from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.model import Json, Observation
from tests.watchers.ordinary import by_sort, ordinary_mails
from watchers import Scope
from watchers.auto_replies import AutoReplies
from watchers.mail.parse import parse

SCOPE = Scope(our_domains=frozenset({"vendor.example"}))
AUTOMATIC = "Subject: Automatic reply: Next step\nAuto-Submitted: auto-replied\n"
ALIKE = {"sk": {"cs"}, "uk": {"ru"}, "da": {"da", "no"}, "no": {"da", "no"}}
"""Languages that a short text does not tell apart, or that share a file."""
PERSONAL = "Subject: Re: Next step\n"


def mail(body: str, headers: str = AUTOMATIC, sender: str = "Pat Poe <pat.poe@acme.example>") -> bytes:
    return (
        f"From: {sender}\nTo: rep@vendor.example\nDate: Mon, 07 Sep 2026 09:00:00 +0000\n"
        f"Message-ID: <answer@acme.example>\nIn-Reply-To: <sent@vendor.example>\n{headers}"
        f"Content-Type: text/plain; charset=utf-8\n\n{body}\n"
    ).encode()


def read(raw: bytes) -> Observation | None:
    found = AutoReplies().read(parse(raw), SCOPE)
    assert len(found) <= 1
    return found[0] if found else None


def only(raw: bytes) -> Observation:
    found = read(raw)
    assert found is not None
    return found


def kind(raw: bytes) -> str:
    found = read(raw)
    return found.kind if found else ""


def successors(found: Observation) -> list[dict[str, Json]]:
    listed = found.facts["successors"]
    assert isinstance(listed, list)
    return [one for one in listed if isinstance(one, dict)]


def cases() -> list[tuple[str, ...]]:
    lines = (Path(__file__).parent / "replies.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ", 5) for line in lines if not line.startswith("#")]
    return [tuple("" if cell == "-" else cell for cell in row) for row in rows]


@pytest.mark.parametrize(("language", "says", "name", "address", "returns", "text"), cases())
def test_a_reply_says_what_its_writer_means(
    language: str, says: str, name: str, address: str, returns: str, text: str
) -> None:
    found = only(mail(text))
    assert (found.kind, found.facts["returns"]) == (says, returns)
    if address:
        assert address in [one["address"] for one in successors(found)]
    if name:
        assert name in [one["name"] for one in successors(found)]
    if says != "acknowledgement":
        assert found.facts["language"] in ALIKE.get(language, {language})


def test_the_class_examples_are_read_as_declared() -> None:
    for one in AutoReplies.examples:
        assert tuple(found.kind for found in AutoReplies().read(parse(one.raw), SCOPE)) == one.kinds


def test_every_kind_read_is_declared() -> None:
    declared = {one.name for one in AutoReplies.kinds}
    assert {row[1] for row in cases()} | {"farewell"} == declared


def test_a_departure_names_person_message_moment_and_reason() -> None:
    found = only(mail("I am no longer with Acme. Please write to Ann Lee, ann.lee@acme.example."))
    assert found.contact == "pat.poe@acme.example"
    assert found.at == datetime(2026, 9, 7, 9, tzinfo=UTC)
    assert found.source == ""
    assert found.sentence == "auto-reply: no longer there, write to Ann Lee"
    assert found.facts["message_id"] == "answer@acme.example"
    assert found.because == (
        "a machine sent it: its header Auto-Submitted says auto-replied",
        "its text, in English, says that the person has left, or that the mailbox is no longer theirs",
    )
    json.dumps(dict(found.facts))


def test_a_coming_departure_keeps_its_date() -> None:
    found = only(mail("My last day at Acme is Friday 18 September. Please contact Ann after that."))
    assert (found.kind, found.facts["leaves"]) == ("departed", "2026-09-18")
    assert only(mail("Ich scheide Ende September aus dem Unternehmen aus.")).facts["leaves"] == "2026-09-30"
    assert only(mail("Today is my last day with the company.")).facts["leaves"] == "2026-09-07"
    assert only(mail("8月末で退職いたしました。")).facts["leaves"] == "2026-08-31"
    assert only(mail("10月末日をもって退職いたします。")).facts["leaves"] == "2026-10-31"
    assert only(mail("月末で退職いたします。")).facts["leaves"] == "2026-09-30"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("John is no longer with us, I have taken over. Please write to me.", "acknowledgement"),
        ("I've taken over from John Smith, who is no longer with Acme.", "acknowledgement"),
        ("Thank you. Please note that Tom Fox has left Acme; I will reply in a week.", "acknowledgement"),
        ("Out of office until 18 September. Note that Tom Fox has left the company.", "on_leave"),
        ("I am on vacation till 18 Sept. My colleague Tom has left the company.", "on_leave"),
        ("Estoy de vacaciones. Mi compañero Tomás ya no trabaja en la empresa.", "on_leave"),
        ("9月18日まで休暇をいただいております。同僚の田中は8月末で退職いたしました。", "on_leave"),
        ("Pat Poe is no longer with us, I have taken over. Please write to me.", "departed"),
        ("Owen is no longer with the company. Please direct questions to Ann Lee.", "departed"),
        ("Unfortunately, she has left the company. I have taken over.", "departed"),
        ('"Jane Doe has left the company. Please write to Ann Lee."', "departed"),
        ("Peter Kunz hat unsere Firma verlassen. Ich habe seine Aufgaben übernommen.", "acknowledgement"),
        ("Leider hat er das Unternehmen verlassen. Ich bin der Nachfolger.", "departed"),
        ("Unser Kollege Dirk Hahn ist verstorben. Bitte schreiben Sie an Anna Weber.", "departed"),
        ("Ich habe Nordwind zum 31.08. verlassen. Bitte wenden Sie sich an Anna Weber.", "departed"),
        ("I am on leave. John, who stood in for me, has left the company.", "on_leave"),
        ("We no longer work with agencies. Thank you for your message.", "acknowledgement"),
        ("If you are no longer with the company, please delete this message.", "acknowledgement"),
        ("I have left the office for today.", "on_leave"),
        ("I no longer work at Acme, for any order or product question contact Ann Lee.", "departed"),
        ("Your order 4711 has left our company.", "acknowledgement"),
        ('"Jane Doe no longer works at Acme" was the subject of the last mail.', "acknowledgement"),
        ("I'm back on 28 September.", "on_leave"),
        ("Today was my last day in the office before my holidays. I'm back soon.", "on_leave"),
        ("I have moved to a new role within Acme and am no longer your account manager.", "role_change"),
        ("I have left Acme and moved to a new role at Umbra.", "departed"),
        ("My email address has changed. I am no longer reachable at this address.", "address_change"),
        ("I will leave Acme on 30 September and am on vacation until then.", "departed"),
        ("Thank you.\n\n> I am no longer with Acme.", "acknowledgement"),
        ("Thank you.\n\n-----Original Message-----\nFrom: A\nI have left the company.", "acknowledgement"),
        (
            "Thank you.\n\nThis e-mail and any attachments: if you have left the company, delete.",
            "acknowledgement",
        ),
        ("本日をもちまして退社いたしました。", "departed"),
        ("本日は退社いたしました。", "on_leave"),
    ],
)
def test_who_speaks_of_what_decides(text: str, says: str) -> None:
    assert kind(mail(text)) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("40% of your contacts have left the company. See who.", "acknowledgement"),
        ("12 contacts have left the company since May.", "acknowledgement"),
        ("Account 4711 has been closed and is no longer available.", "acknowledgement"),
        ("The mailbox jane@acme.example is no longer in use.", "departed"),
        ("I have left the company. Please write to Ann Lee.", "departed"),
        ("Jane Doe no longer works at Acme. Write to Ann Lee.", "acknowledgement"),
        ("Your ticket 4711 is open. Jane Doe has left the company.", "acknowledgement"),
        ("The employee you are trying to reach is no longer with the company.", "acknowledgement"),
        ("Frau Roe ist nicht mehr bei uns tätig.", "acknowledgement"),
    ],
)
def test_a_desks_notice_is_a_departure_only_of_whoever_writes_it_or_of_a_mailbox(
    text: str, says: str
) -> None:
    assert kind(mail(text, sender="Support <support@acme.example>")) == says


def test_the_given_up_address_is_the_one_that_is_gone() -> None:
    text = "This email inbox jane@acme.example is no longer in use. Please write to info@acme.example."
    found = only(mail(text, sender="system@acme.example"))
    assert (found.kind, found.contact) == ("departed", "jane@acme.example")
    assert [one["address"] for one in successors(found)] == ["info@acme.example"]


@pytest.mark.parametrize(
    "text",
    [
        "Jane Doe (jane@acme.example) is no longer with the company. Please write to info@acme.example.",
        "jane@acme.example arbeitet nicht mehr bei uns. Bitte schreiben Sie an info@acme.example.",
    ],
)
def test_whom_a_desk_names_by_address_as_gone_is_gone_and_no_successor(text: str) -> None:
    found = only(mail(text, sender="Acme <info@acme.example>"))
    assert (found.kind, found.contact) == ("departed", "jane@acme.example")
    assert "jane@acme.example" not in [one["address"] for one in successors(found)]


@pytest.mark.parametrize(
    "text",
    [
        "I have left Acme. Please contact Rita at Vendor: rita@vendor.example.",
        "I have left Acme. Please contact Rita Stone (rita@vendor.example).",
        "I have left Acme. Please contact Rep.",
    ],
)
def test_our_own_people_are_no_successors_under_their_names_either(text: str) -> None:
    assert successors(only(mail(text))) == []
    others = successors(only(mail(f"{text} Or call Mike Fox on +1 555 0100.")))
    assert [one["name"] for one in others] == ["Mike Fox"]


def test_a_new_private_address_is_no_successor() -> None:
    text = (
        "I have left Acme. You can reach me at pat@home.example. For Acme write to Ann Lee, ann@acme.example."
    )
    found = only(mail(text))
    assert found.facts["new_address"] == "pat@home.example"
    assert [one["name"] for one in successors(found)] == ["Ann Lee"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I have left Acme. Tom Fox takes over my accounts.", "Tom Fox"),
        ("Ich bin nicht mehr bei Muster. Tim Berg übernimmt meine Kunden.", "Tim Berg"),
        ("Ich bin nicht mehr bei Muster. Meine Kunden übernimmt Tim Berg.", "Tim Berg"),
        ("Ya no trabajo en Sol. Marta Ruiz se hará cargo de mis clientes.", "Marta Ruiz"),
        ("Ik werk niet meer bij Voorbeeld. Sanne de Vries neemt het over.", "Sanne de Vries"),
        ("Non lavoro più in azienda. Contattate Luca Bianchi, luca.bianchi@acme.example.", "Luca Bianchi"),
        ("退職いたしました。後任は田中です。tanaka@acme.example までご連絡ください。", "田中"),
    ],
)
def test_who_takes_over_is_the_successor(text: str, name: str) -> None:
    assert [one["name"] for one in successors(only(mail(text)))] == [name]


def test_a_question_whether_a_person_wrote_is_explained_as_that() -> None:
    found = only(mail("I only get mail from approved senders. Please confirm that you are a person."))
    assert (found.kind, found.facts["leaves"]) == ("acknowledgement", "")
    assert found.sentence == "auto-reply: asks you to confirm that you are a person"
    assert found.because[1] == "its text asks for a proof that a person wrote"


def test_our_own_addresses_are_never_successors() -> None:
    found = only(mail("I have left Acme. I told boss@vendor.example. Contact Ann, ann@acme.example."))
    assert [one["address"] for one in successors(found)] == ["ann@acme.example"]


@pytest.mark.parametrize(
    "text",
    [
        "I am on maternity leave until 14 September.",
        "I am on sick leave. Please contact Ann.",
        "Ich bin bis auf Weiteres erkrankt.",
        "Je suis en arrêt maladie.",
        "Estoy de baja por maternidad.",
        "育児休業中です。",
    ],
)
def test_the_reason_of_a_leave_is_kept_nowhere(text: str) -> None:
    found = only(mail(text))
    kept = " ".join(
        (found.sentence, *found.because, json.dumps(dict(found.facts), ensure_ascii=False))
    ).lower()
    assert found.kind == "on_leave"
    for reason in ("matern", "sick", "krank", "maladie", "baja", "育児"):
        assert reason not in kept


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("Friday is my last day, please work with Ann from now on.", "2026-09-11"),
        (
            "A short note: I will be leaving Acme on 30 September for a new job. It was a pleasure.",
            "2026-09-30",
        ),
        ("I am leaving the company at the end of September. Ann Lee will take over.", "2026-09-30"),
        ("Mein letzter Arbeitstag ist der 30. September, danach hilft Ihnen Anna Weber.", "2026-09-30"),
        ("Vendredi est mon dernier jour, merci de voir avec Claire ensuite.", ""),
        ("Mon dernier jour chez Durand sera le 30 septembre.", "2026-09-30"),
        ("El viernes es mi último día, por favor trabaje con Ana a partir de ahora.", "2026-09-11"),
        ("Il mio ultimo giorno di lavoro sarà il 30 settembre.", "2026-09-30"),
        ("Meu último dia na empresa será 30 de setembro.", "2026-09-30"),
        ("Mijn laatste werkdag bij Voorbeeld is 30 september.", "2026-09-30"),
        ("私事ですが、9月30日をもって退職することとなりました。", "2026-09-30"),
        ("Fredag är min sista arbetsdag, kontakta Anna efter det.", "2026-09-11"),
        ("周五是我的最后一个工作日,之后请联系王伟。", "2026-09-11"),
    ],
)
def test_a_person_who_says_goodbye_is_a_farewell_with_its_last_day(text: str, leaves: str) -> None:
    found = only(mail(text, PERSONAL))
    assert found.kind == "farewell"
    if leaves:
        assert found.facts["leaves"] == leaves
    assert found.because[0] == "no header says that a machine sent it"


@pytest.mark.parametrize(
    "text",
    [
        "Friday is my last day before vacation, please send the contract by then.",
        "Is Friday my last day to sign?",
        "If Friday is my last day, we should hurry.",
        "Friday is not my last day, whatever you heard.",
        "Friday is the last day of the trial.",
        "Sure.\n\nOn Mon, 31 Aug 2026 at 10:00, Ann wrote:\n> Friday is my last day at Acme.",
        "Ann told me: her last day is Friday.",
        "Herr Baumann ist nicht mehr bei uns, ich betreue das jetzt.",
        "I'm leaving Berlin on Friday and will be in Munich for the fair.",
        "I am leaving the project team on Friday, Ann leads it then. I stay sponsor.",
        "Friday is my last day in this role; from Monday I lead purchasing for EMEA, still at Acme.",
        "Friday is my last day as chair of the works council.",
        "Freitag ist mein letzter Tag in Berlin, dann zurück in München.",
        "Am Freitag verlasse ich Berlin.",
        "Ich verlasse das Projekt zum 30. September.",
        "Je quitte Paris le 30 septembre.",
        "Ich verlasse Berlin zum 30.09. und ziehe nach Hamburg.",
        'Just imagine: "Friday is my last day" - that is what Tom told me!',
    ],
)
def test_what_only_sounds_like_a_farewell_says_nothing(text: str) -> None:
    assert read(mail(text, PERSONAL)) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "Thank you for your email. I am out of the office until 14 September. In urgent cases call Mike.",
            "on_leave",
        ),
        ("Thank you for your message. I am no longer with Acme. Please contact Ann Lee.", "departed"),
        ("Thank you for your email. John is no longer with Acme, I handle this now.", ""),
        ("I am out of the office until Monday, so let us talk on Tuesday. Does that suit you?", ""),
        ("I am on vacation next week. Please send me the contract before that.", ""),
    ],
)
def test_a_reply_without_any_mark_must_be_short_formal_and_of_the_writer(text: str, says: str) -> None:
    assert kind(mail(text, PERSONAL)) == says


def test_a_list_mail_a_report_and_a_mail_without_body_say_nothing() -> None:
    gone = "I have left the company."
    assert read(mail(gone, "List-Id: <news.acme.example>\nSubject: News\n")) is None
    assert read(mail(gone).replace(b"text/plain", b"multipart/report; boundary=b")) is None
    head_only = parse(mail(gone))
    assert AutoReplies().read(type(head_only)(head_only.head), SCOPE) == ()


def test_only_what_a_machine_sent_to_one_is_wanted_by_its_headers() -> None:
    reader = AutoReplies()
    assert reader.wants(parse(mail("x")).head)
    assert not reader.wants(parse(mail("x", PERSONAL)).head)
    assert not reader.wants(parse(mail("x", "List-Id: <news.acme.example>\nSubject: News\n")).head)


def test_an_html_reply_is_read_as_shown() -> None:
    link = "<a href='mailto:ann@acme.example'>Ann Lee</a> (ann@acme.example)"
    html = f"<p>I am no longer with <b>Acme</b>.</p><p>Contact {link}</p>"
    found = only(mail(html).replace(b"text/plain", b"text/html"))
    assert found.kind == "departed"
    assert successors(found) == [{"name": "Ann Lee", "address": "ann@acme.example", "role": False}]


@pytest.mark.parametrize(
    "text",
    [
        "Hi, I am leaving Acme. It was a pleasure. My last day is Friday 11 September.",
        "Bonjour, je quitte la société ; mon dernier jour est le 11 septembre 2026. Merci pour tout.",
    ],
)
def test_a_goodbye_whose_day_stands_in_another_sentence_has_it_all_the_same(text: str) -> None:
    found = only(mail(text, PERSONAL))
    assert (found.kind, found.facts["leaves"]) == ("farewell", "2026-09-11")


def test_no_ordinary_mail_is_a_departure_or_a_farewell() -> None:
    mails = ordinary_mails()
    assert len(mails) >= 300
    assert dict(by_sort(mails)).keys() >= {"human", "away", "received", "bulk", "notice", "quoting"}
    wrong = {one.raw: kind(one.raw) for one in mails if kind(one.raw) in {"departed", "farewell"}}
    assert wrong == {}


def test_ordinary_mail_is_the_same_for_the_same_seed() -> None:
    assert ordinary_mails(50) == ordinary_mails(50)
    assert ordinary_mails(50) != ordinary_mails(50, seed=2)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([row[5] for row in cases()]), st.data())
def test_a_damaged_reply_never_makes_it_fail(text: str, data: st.DataObject) -> None:
    raw = bytearray(mail(text))
    for _ in range(data.draw(st.integers(0, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = read(bytes(raw))
    assert found is None or found.kind in {one.name for one in AutoReplies.kinds}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
@example("\u0130" * 50)
@example("31.02.2026 bis 99.99. until February 30")
def test_no_text_makes_it_fail(text: str) -> None:
    raw = mail("").rstrip() + b"\n\n" + text.encode("utf-8", "surrogatepass")
    for one in (raw, raw.replace(b"Auto-Submitted: auto-replied\n", b"").replace(b"Automatic reply", b"Re")):
        found = read(one)
        assert found is None or found.at.tzinfo is not None


@pytest.mark.parametrize(
    "piece",
    [
        "no longer ",
        "I have left the company ",
        "退職",
        "a@b.",
        "(",
        "14.9. ",
        "Ann Bob ",
        "if you ",
        ". ",
        "1 to ",
    ],
)
def test_a_long_mail_of_one_piece_is_read_within_a_second(piece: str) -> None:
    parsed = parse(mail(piece * (300_000 // len(piece))))
    AutoReplies().read(parse(mail("I am away.")), SCOPE)
    began = time.process_time()
    AutoReplies().read(parsed, SCOPE)
    assert time.process_time() - began < 1.0


def test_dates_without_a_year_lie_near_the_mail() -> None:
    assert (
        only(mail("I am out of the office until 2 January.")).facts["returns"] == date(2027, 1, 2).isoformat()
    )
    assert (
        only(mail("I was out of office until 1 September.")).facts["returns"] == date(2026, 9, 1).isoformat()
    )


@pytest.mark.parametrize("sender", ["info@evil.example", "support@vendor.example", "pat@gmail.com"])
def test_a_stranger_cannot_give_up_somebody_elses_mailbox(sender: str) -> None:
    text = "The mailbox jane@acme.example is no longer in use. Please write to Bob Evil, bob@acme.example."
    assert only(mail(text, sender=sender)).contact == sender


def test_a_colleagues_mailbox_can_be_given_up_from_the_same_company() -> None:
    text = "The mailbox jane@acme.example is no longer in use. Please write to Ann Lee, ann@acme.example."
    assert only(mail(text, sender="info@mail.acme.example")).contact == "jane@acme.example"


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("Today is my last day at Acme.", "2026-09-07"),
        ("Friday is my last day.", "2026-09-11"),
        ("My last day at Acme will be 4 December 2026.", "2026-12-04"),
        ("I will be leaving Acme on 4 December.", "2026-12-04"),
        ("Today is my final day at Acme.", "2026-09-07"),
        ("Nach fünf Jahren verlasse ich Nordwind zum 30.09.", "2026-09-30"),
        ("Ich werde Nordwind zum 30. September verlassen.", "2026-09-30"),
        ("Je quitte Acme le 30 septembre.", "2026-09-30"),
        ("Heute ist mein letzter Arbeitstag.", "2026-09-07"),
        ("Hi Rita,\n\nToday is my last day at Acme.\n\nBest,\nPat", "2026-09-07"),
    ],
)
def test_a_goodbye_of_one_sentence_is_a_farewell_with_its_day(text: str, leaves: str) -> None:
    found = only(mail(text, PERSONAL))
    assert (found.kind, found.facts["leaves"]) == ("farewell", leaves)
