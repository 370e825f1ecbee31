"""Make ordinary mail: what fills a sales team's mailboxes and says nothing of anybody's departure.

Deterministic: the same seed gives the same mails. Every text speaks of leaving, moving, last days, absent
or former people in an innocent way, or stands where a careless reader stumbles: quoted or forwarded.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

PEOPLE = (
    "Jane Doe",
    "Karl Meier",
    "Luc Morel",
    "Ana Ruiz",
    "Mia Rossi",
    "Tom Bakker",
    "Rita Costa",
    "Eva Lind",
)
COMPANIES = (
    "Acme",
    "Muster GmbH",
    "Durand SA",
    "Sol SL",
    "Esempio Srl",
    "Voorbeeld BV",
    "Exemplo Lda",
    "Umbra",
)

HUMAN = (
    "John Baker, whom you met, has left {company}; I have taken over his projects. Shall we talk on {day}?",
    "Kim is no longer with us, I look after this now. Could you send me the offer again?",
    "I left the office at noon and only saw your mail now. Let us speak on {day}.",
    "I am leaving for the airport now, talk to you on {day}.",
    "We are leaving on {day} for the trade fair, so can we move the call?",
    "Friday is the last day of the trial. Can we extend it by a week?",
    "My last day before vacation is {day}, so let us finish the contract by then.",
    "The last day to register is {day}. Will you come?",
    "Today is the last day of the quarter, can you send the invoice?",
    "We no longer use that product; I moved the team to another tool last year.",
    "I no longer think we need the larger plan. Please send the smaller one.",
    "If you are no longer interested, just tell me and I will close the file.",
    "Our office has moved to Station Road 5. The telephone number stays the same.",
    "Has Peter left the company? I cannot reach him.",
    "When will you be leaving Acme? I heard a rumour.",
    "I have left you a voicemail about the contract.",
    "She left a comment on page 3, have a look.",
    "Our former supplier resigned from the tender, so you are the only bidder left.",
    "The budget for this is gone, there is nothing left until {day}.",
    "My colleague is retiring next year, so we want to train two new people on your product.",
    "My father retired last week, so I was away for the party.",
    "I changed jobs in the script: the nightly job now runs at two.",
    "As agreed I will move on to the next topic: the price.",
    "Thank you for your email. Yes, {day} works for me. I will bring Sam.",
    "I was out of the office yesterday, sorry for the late answer. The offer looks good.",
    "I will be on vacation until {day}. Can we sign before?",
    "Danke, aber das Thema ist für uns nicht mehr relevant.",
    "Herr Baumann ist nicht mehr bei uns, ich betreue das jetzt. Viele Grüße",
    "Ich habe das Büro schon verlassen und melde mich am {day}.",
    "Am Freitag ist mein letzter Tag vor dem Urlaub, bitte schicken Sie den Vertrag bis dahin.",
    "Der letzte Arbeitstag im Quartal ist der 30., bis dahin brauchen wir die Rechnung.",
    "Ich bin heute nicht mehr im Büro, lassen Sie uns morgen sprechen.",
    "Wir arbeiten nicht mehr mit externen Agenturen.",
    "Wenn Sie nicht mehr bei {company} arbeiten, sagen Sie mir bitte, wer nun zuständig ist.",
    "Bonjour, nous ne travaillons plus avec des prestataires externes. Cordialement",
    "J'ai quitté le bureau à midi, je vous rappelle demain.",
    "C'est mon dernier jour avant les vacances, pouvons-nous signer aujourd'hui ?",
    "Paul a quitté la réunion avant la fin, je vous envoie le compte rendu.",
    "Hoy ya no estoy en la oficina, hablamos mañana.",
    "Ya no trabajamos con ese proveedor. Un saludo",
    "Mañana es el último día del plazo, mándeme la oferta.",
    "Oggi non sono più in ufficio, ci sentiamo domani.",
    "Venerdì è l'ultimo giorno utile per firmare.",
    "Já não estou no escritório, falamos amanhã.",
    "Não trabalhamos mais com esse fornecedor.",
    "Ik ben vandaag niet meer op kantoor, morgen bel ik u.",
    "Vrijdag is de laatste dag van de proefperiode.",
    "本日は退社いたしました。明日お電話いたします。",
    "前任の田中は異動しましたので、私が担当いたします。",
    "今天我已经离开办公室了,明天再联系您。",
    "오늘은 퇴근했습니다. 내일 연락드리겠습니다.",
    "Jag har lämnat kontoret för idag, vi hörs i morgon.",
    "Jutro mój ostatni dzień przed urlopem, proszę o umowę do tego czasu.",
)

AWAY = (
    "I am out of the office until {day} with limited access to email.",
    "I am on annual leave and will be back on {day}. In urgent cases please contact Tom.",
    "I have left for the day and will answer tomorrow.",
    "I no longer check email when on holiday.",
    "I do not work on Fridays.",
    "I am on parental leave. John, who stood in for me before, has left the company; please write to Kim.",
    "Ich bin bis {day} nicht im Büro.",
    "Ich befinde mich in Elternzeit. Meine Vertretung ist Tina Roth.",
    "Ich habe das Büro bereits verlassen und bin ab Montag wieder erreichbar.",
    "Je suis en congés jusqu'au {day}.",
    "Je ne suis plus au bureau aujourd'hui.",
    "Estoy fuera de la oficina hasta el {day}.",
    "Ya no estoy en la oficina.",
    "Sono in ferie fino al {day}.",
    "Estou de férias até {day}.",
    "Ik ben met vakantie tot {day}.",
    "本日は退社いたしました。明日以降にご返信いたします。",
    "夏季休暇をいただいております。",
    "Jestem na urlopie do {day}.",
    "Jag är på semester till {day}.",
)

RECEIVED = (
    "We have received your message and opened ticket #{number}. An agent will contact you.",
    "Thank you for contacting us. This mailbox is not monitored at weekends.",
    "This is an automated response. If you no longer wish to receive our emails, unsubscribe here.",
    "Your request {number} was received. If the requester has left the company, tell us who takes over.",
    "Ihre Anfrage ist eingegangen. Ticket {number}.",
    "Nous accusons réception de votre demande n° {number}.",
    "Hemos recibido su mensaje.",
    "お問い合わせありがとうございます。本メールは自動返信です。",
    "Please do not reply. If you are no longer with the company this was addressed to, delete it.",
)

BULK = (
    "Five people who left their jobs and never looked back. Read their stories. Unsubscribe here.",
    "Last day! The sale ends on {day}. After that this offer is no longer available.",
    "Our founder retires: after 30 years Bob Miller has left the company. Read the interview.",
    "We are moving: our headquarters has left Berlin. Your account is no longer limited to one seat.",
    "Job alert: replacement for a manager who has left the organisation.",
    "Abschied nach 20 Jahren: Frau Lang ist in den Ruhestand gegangen. Newsletter abbestellen.",
    "Notre directeur a quitté la société. Se désabonner.",
)

NOTICES = (
    "Order {number} has left our warehouse and will arrive on {day}. Do not reply to this message.",
    "Receipt {number}: thank you for your payment. Your old card is no longer valid after {day}.",
    "Your trial ends on {day}, the last day of your free month.",
    "Jane Doe has left the channel. You can still read the history.",
    "Your password was changed. If this account is no longer yours, tell us.",
    "Reminder: the meeting with Karl Meier on {day} has been moved.",
)

DAYS = ("Monday", "14 September", "21.09.2026", "Friday", "3 October", "2026-09-30")
QUOTED = (
    "I am no longer with {company}. Please contact Ann Lee, ann.lee@acme.example.",
    "Ich habe das Unternehmen verlassen.",
    "Je ne travaille plus chez {company}.",
    "Friday is my last day at {company}, please work with Ann from now on.",
)
WROTE = (
    "On Mon, 31 Aug 2026 at 10:00, Pat wrote:",
    "Am 31.08.2026 um 10:00 schrieb Pat:",
    "Le 31 août 2026, Pat a écrit :",
)


@dataclass(frozen=True)
class Ordinary:
    """An ordinary mail: `sort` says which, `raw` is the mail."""

    sort: str
    raw: bytes


def ordinary_mails(count: int = 360, seed: int = 1) -> list[Ordinary]:
    """Return so many ordinary mails: first every human text once, then all sorts in turn."""
    chance = random.Random(seed)  # noqa: S311 - it makes test data
    makers = (_human, _away, _received, _bulk, _notice, _quoting, _forwarded_bounce, _invitation)
    mails = [makers[index % len(makers)](chance, index // len(makers)) for index in range(count - len(HUMAN))]
    return [_human(chance, index) for index in range(min(count, len(HUMAN)))] + mails


def _fill(chance: random.Random, text: str) -> str:
    number, day, company = chance.randint(1000, 99999), chance.choice(DAYS), chance.choice(COMPANIES)
    return text.format(number=number, day=day, company=company)


def _mail(chance: random.Random, index: int, subject: str, body: str, **headers: str) -> EmailMessage:
    name = chance.choice(PEOPLE)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"{name} <{name.lower().replace(' ', '.')}@customer.example>"
    mail["To"] = "Rep <rep@vendor.example>"
    mail["Date"] = f"Mon, {1 + index % 28:02} Sep 2026 09:{index % 60:02}:00 +0000"
    mail["Message-ID"] = f"<ordinary-{index}@customer.example>"
    mail["Subject"] = subject
    for key, value in headers.items():
        mail[key.replace("_", "-")] = value
    mail.set_content(body)
    return mail


def _signed(chance: random.Random, text: str) -> str:
    return f"{text}\n\n{chance.choice(PEOPLE)}\n{chance.choice(COMPANIES)}\n"


def _human(chance: random.Random, index: int) -> Ordinary:
    text = HUMAN[index % len(HUMAN)]
    body = _signed(chance, _fill(chance, text))
    return Ordinary(
        "human", bytes(_mail(chance, index, "Re: Next step", body, In_Reply_To="<sent-1@vendor.example>"))
    )


def _automatic(chance: random.Random, index: int, sort: str, texts: tuple[str, ...]) -> Ordinary:
    headers = {"Auto_Submitted": "auto-replied", "In_Reply_To": "<sent-1@vendor.example>"}
    body = _fill(chance, texts[index % len(texts)])
    return Ordinary(sort, bytes(_mail(chance, index, "Automatic reply: Next step", body, **headers)))


def _away(chance: random.Random, index: int) -> Ordinary:
    return _automatic(chance, index, "away", AWAY)


def _received(chance: random.Random, index: int) -> Ordinary:
    return _automatic(chance, index, "received", RECEIVED)


def _bulk(chance: random.Random, index: int) -> Ordinary:
    headers = {"List_Unsubscribe": "<https://news.customer.example/u>", "Precedence": "bulk"}
    body = _fill(chance, BULK[index % len(BULK)])
    return Ordinary("bulk", bytes(_mail(chance, index, "News of the month", body, **headers)))


def _notice(chance: random.Random, index: int) -> Ordinary:
    body = _fill(chance, NOTICES[index % len(NOTICES)])
    return Ordinary(
        "notice", bytes(_mail(chance, index, "Your notice", body, Auto_Submitted="auto-generated"))
    )


def _quoting(chance: random.Random, index: int) -> Ordinary:
    quoted = _fill(chance, chance.choice(QUOTED))
    own = chance.choice(
        ("Thanks, noted.", "Danke, das wusste ich nicht.", "Merci pour l'information.", "See below.")
    )
    if index % 2:
        below = f"{chance.choice(WROTE)}\n> {quoted}\n"
    else:
        below = f"-----Original Message-----\nFrom: Pat\nSent: Monday\nTo: Jane\n\n{quoted}\n"
    return Ordinary("quoting", bytes(_mail(chance, index, "Re: Next step", f"{own}\n\n{below}")))


def _forwarded_bounce(chance: random.Random, index: int) -> Ordinary:
    report = (
        "The following message to <jane@acme.example> was undeliverable.\n"
        "550 5.1.1 user unknown: the recipient is no longer with the company\n"
    )
    mail = _mail(chance, index, "FW: Undeliverable: Offer", "FYI, can you check this address?")
    if index % 2:
        mail.set_content(
            f"FYI, can you check this address?\n\n---------- Forwarded message ----------\n{report}"
        )
    else:
        bounce = EmailMessage(policy=SMTP)
        bounce["From"] = "Mail Delivery Subsystem <mailer-daemon@acme.example>"
        bounce["Subject"] = "Undeliverable: Offer"
        bounce.set_content(report)
        mail.add_attachment(bounce)
    return Ordinary("forwarded bounce", bytes(mail))


def _invitation(chance: random.Random, index: int) -> Ordinary:
    mail = _mail(
        chance, index, "Invitation: Farewell party for Bob", "Bob is leaving, come to his last day party!"
    )
    event = "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//example//EN",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            f"UID:party-{index}@customer.example",
            "DTSTAMP:20260901T090000Z",
            "DTSTART:20260930T160000Z",
            "DTEND:20260930T180000Z",
            "SUMMARY:Farewell party for Bob",
            "ORGANIZER:mailto:jane.doe@customer.example",
            "ATTENDEE:mailto:rep@vendor.example",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ),
    )
    mail.add_alternative(event, subtype="calendar", params={"method": "REQUEST"})
    return Ordinary("invitation", bytes(mail))


def by_sort(mails: list[Ordinary]) -> Iterator[tuple[str, int]]:
    """Yield how many mails there are of each sort."""
    for sort in dict.fromkeys(mail.sort for mail in mails):
        yield sort, sum(mail.sort == sort for mail in mails)
