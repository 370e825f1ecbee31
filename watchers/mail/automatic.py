"""Tell by the headers alone whether a machine sent a mail, and how we know.

RFC 3834 gives `Auto-Submitted`; vacation programs, ticket systems and Microsoft Exchange say it in headers
of their own, and some only in the subject. Reports (RFC 6522) and mail to lists (RFC 2369, RFC 2919) are
automatic too. Nothing here looks at a body.
"""

# ruff: noqa: RUF001 - the dotless i is a letter of Turkish

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchers.mail.head import Head

SUBJECTS = """
automatic reply | auto reply | auto-reply | autoreply | automated reply | auto response | auto-response
autoresponse | auto responder | autoresponder | automatic response | automated response
automatische antwort | automatische rückantwort | autom. antwort | abwesenheitsnotiz | abwesenheitsmeldung
abwesenheitsnachricht | automatische nachricht | automatische abwesenheit | automatisch generierte antwort
réponse automatique | reponse automatique | message automatique d'absence | réponse d'absence
respuesta automática | respuesta automatica | contestación automática | mensaje automático
resposta automática | resposta automatica | mensagem automática | risposta automatica | messaggio automatico
automatisch antwoord | automatisch bericht | automatische reactie | afwezigheidsbericht
autosvar | automatiskt svar | frånvaromeddelande | automatisk svar | automatisk svarmelding
automatisk besvarelse | automaattinen vastaus | poissaoloviesti | sjálfvirkt svar
odpowiedź automatyczna | automatyczna odpowiedź | autoodpowiedź | automatická odpověď | automaticka odpoved
automatická odpoveď | automatikus válasz | răspuns automat | automatski odgovor | samodejni odgovor
automatinis atsakymas | automātiskā atbilde | automaatvastus | автоматический ответ | автоответ
автоматична відповідь | автоматичен отговор | αυτόματη απάντηση | otomatik yanıt | otomatik cevap
otomatik yanit | 自動応答 | 自動返信 | 自動返答 | 不在通知 | 不在のお知らせ | 自动答复 | 自动回复 | 自動回覆
自動答覆 | 자동 회신 | 자동 응답 | 자동회신 | trả lời tự động | ตอบกลับอัตโนมัติ | balasan otomatis
jawaban otomatis | jawapan automatik | רד אוטומטי | מענה אוטומטי | תשובה אוטומטית | رد تلقائي | الرد التلقائي
स्वचालित उत्तर
"""
"""How mail programs begin the subject of an auto-reply, in the words of their translations."""

AWAY_SUBJECTS = """
out of office | out of the office | out-of-office | out of office autoreply | ooo | on vacation | on leave
away from my mail | abwesend | abwesenheit | nicht im büro | absence du bureau | absent du bureau | absence
absente du bureau | absent(e) du bureau | notification d'absence | fuera de la oficina | fuera de oficina
ausente | fora do escritório | fora do escritorio | ausência temporária | fuori sede | fuori ufficio
assente dall'ufficio | assenza dall'ufficio | afwezig | afwezigheid | niet aanwezig | frånvaro | frånvarande
ikke til stede | fravær | poissa | poza biurem | mimo kancelář | házon kívül | ofis dışında
отсутствую | 부재중
"""
"""Words that begin people's own subjects too; they count where a colon follows or nothing does."""

RESPONDERS = """
x-autoreply x-autorespond x-autoresponder x-autoreply-from x-autoresponse x-auto-reply x-auto-reply-from
x-auto-respond x-mail-autoreply x-away x-vacation x-vacation-responder x-cpanel-autoresponder
""".split()
"""Headers whose presence alone says that an auto-responder wrote the mail."""

INBOX_RULES = ("x-ms-exchange-inbox-rules-loop", "x-ms-exchange-organization-inbox-rules-loop")
"""Exchange marks so what a user's rule sent; an Outlook rule "reply with template" carries it."""

LIST_HEADERS = """
list-id list-unsubscribe list-post list-help list-subscribe list-archive x-mailing-list feedback-id
x-campaign-id x-campaignid x-mailchimp-campaign
""".split()

_VACATION_MAILER = re.compile(r"vacation|auto-?re(?:ply|spon)|mailresponder|out.?of.?office", re.IGNORECASE)
_FORWARDED = ("fw:", "fwd:", "wg:", "tr:", "rv:")
_NO = frozenset({"", "no", "false", "none", "0", "off"})


@cache
def _subject() -> re.Pattern[str]:
    def words(table: str) -> str:
        rows = (word.strip() for word in re.split(r"[|\n]", table))
        return "|".join(re.escape(word) for word in rows if word)

    return re.compile(
        rf"[\s\[(【*]{{0,5}}(?:(?:{words(SUBJECTS)})(?:\W|$)|(?:{words(AWAY_SUBJECTS)})\W?\s?(?:[::]|$))",
        re.IGNORECASE,
    )


def subject_prefix(head: Head) -> bool:
    """Say whether the subject begins as that of an auto-reply does; "Re: Automatic reply" is a person's."""
    subject = head.subject[:300].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return _subject().match(subject) is not None


@lru_cache(maxsize=4)
def is_reply(head: Head) -> bool:
    """Say whether a responder marked the mail as its answer to another mail.

    RFC 3834 section 5 has `auto-replied` for a direct answer; older programs name only themselves.
    """
    return next(_responder(head), "") != ""


def is_list(head: Head) -> bool:
    """Say whether the mail went to a list or to many at once, and is no responder's answer."""
    if is_reply(head):
        return False
    if any(name in head for name in LIST_HEADERS):
        return True
    return _first_word(head.get("precedence")) in {"list", "bulk", "junk"} and not head.references


@lru_cache(maxsize=4)
def automatic(head: Head) -> str:
    """Return in words why a machine must have sent the mail, or the empty string for a person's mail."""
    return next(_reasons(head), "")


def _reasons(head: Head) -> Iterator[str]:
    kind, params = head.content_type
    if kind == "multipart/report":
        yield f"it is a report of type {params.get('report-type', 'unknown')[:40]}"
    yield from _responder(head)
    if is_list(head):
        yield "it went to a mailing list or to many at once"
    submitted = _first_word(head.get("auto-submitted"))
    if submitted not in _NO:
        yield f"its header Auto-Submitted says {submitted[:30]}"
    precedence = _first_word(head.get("precedence"))
    if precedence in {"bulk", "junk"}:
        yield f"its header Precedence says {precedence}"
    if head.get("x-autogenerated").strip().lower() not in _NO:
        yield "its header X-Autogenerated says so"
    if head.get("return-path").strip() == "<>":
        yield "it was sent with an empty return path"
    if "x-auto-response-suppress" in head:
        yield "its header X-Auto-Response-Suppress asks for no automatic answer"


def _responder(head: Head) -> Iterator[str]:
    """Yield in words why the mail must be an auto-responder's answer."""
    submitted = _first_word(head.get("auto-submitted"))
    if submitted in {"auto-replied", "auto-reply"}:
        yield f"its header Auto-Submitted says {submitted}"
    for name in RESPONDERS:
        if name in head and head.get(name).strip().lower() not in _NO - {""}:
            yield f"it carries the header {name.title()}"
    if head.get("x-autogenerated").strip().lower() in {"reply", "autoreply", "auto-reply"}:
        yield "its header X-Autogenerated says reply"
    if _first_word(head.get("precedence")) == "auto_reply":
        yield "its header Precedence says auto_reply"
    if any(name in head for name in INBOX_RULES) and not head.subject.lower().startswith(_FORWARDED):
        yield "an inbox rule of Microsoft Exchange sent it"
    for name in ("x-mailer", "user-agent"):
        if _VACATION_MAILER.search(head.get(name)[:200]):
            yield "its mail program is a vacation responder"
    if subject_prefix(head):
        yield "its subject begins as an auto-reply's does"


def _first_word(value: str) -> str:
    return value[:200].partition(";")[0].partition("(")[0].strip().lower()
