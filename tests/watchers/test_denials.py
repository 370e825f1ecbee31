from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watchers.test_auto_replies import PERSONAL, SCOPE, kind, mail
from tests.watchers.test_colleagues import told
from watchers.auto_replies import AutoReplies
from watchers.mail.denials import denied
from watchers.mail.folding import fold
from watchers.mail.own_text import Text, own_text
from watchers.mail.parse import parse
from watchers.mail.phrases import Language, Phrase, languages

GONE = [
    (one, row)
    for one in languages()
    for row in one.phrases
    if row.section in {"departed", "mailbox", "farewell", "leaving"}
]


@pytest.mark.parametrize(
    "text",
    [
        "I have not left the company, but I am travelling until 30 June.",
        "I haven't left the company, I am only on leave until 30 June.",
        "Contrary to rumours I am not leaving the company. I am back on 22 September.",
        "I did not resign, I am on vacation until 30 September.",
        "I have not retired yet, I am only away this week.",
        "I have never left Acme and never will.",
        "I don't think I will be leaving the company soon. I am on leave until Monday.",
        "The rumour that I left the company is false.",
        "It is not true that I left the company.",
        "I have no plans of leaving; I am not leaving Acme, I am on leave.",
        "Jane is not a former employee.",
        "My last day is not Friday.",
        "My account has not been closed.",
        "I am leaving Acme's old platform for yours on 1 October.",
        "Ich habe das Unternehmen nicht verlassen, bin aber bis 30.09.2026 im Urlaub.",
        "Ich verlasse das Unternehmen nicht, ich bin bis 30.09. im Urlaub.",
        "Ich habe nicht gekündigt, ich bin nur im Urlaub.",
        "Ich scheide nicht aus dem Unternehmen aus.",
        "Es ist nicht wahr, dass ich das Unternehmen verlassen habe.",
        "Ich werde die Firma nicht verlassen.",
        "Mein letzter Arbeitstag ist nicht der 30. September.",
        "Ich habe nie die Firma verlassen.",
        "Je n'ai pas quitté la société, je suis en congé jusqu'au 30 septembre.",
        "Je n'ai pas quitté l'entreprise.",
        "Je ne quitte pas l'entreprise, je suis en vacances.",
        "Il est faux que j'ai quitté la société.",
        "Je n'ai jamais quitté Durand.",
        "Je ne suis pas parti à la retraite.",
        "Je n'ai pas démissionné.",
        "No he dejado la empresa; estoy de vacaciones hasta el 30 de septiembre de 2026.",
        "No voy a dejar la empresa.",
        "No dejo la empresa, estoy de vacaciones.",
        "No es cierto que haya dejado la empresa.",
        "No he renunciado a mi puesto.",
        "Non ho lasciato l'azienda, sono in ferie fino al 30 settembre.",
        "Non lascio l'azienda.",
        "Non è vero che ho lasciato l'azienda.",
        "Não deixei a empresa, estou de férias até 30 de setembro.",
        "Não saí da empresa.",
        "Não vou deixar a empresa.",
        "Ik heb het bedrijf niet verlaten, ik ben met vakantie tot 30 september.",
        "Ik verlaat het bedrijf niet.",
        "Ik ga niet met pensioen.",
        "Jag har inte slutat på företaget, jag har semester till 30 september.",
        "Jag lämnar inte företaget.",
        "Jag slutar inte.",
        "Jeg har ikke forladt virksomheden, jeg har ferie til 30. september.",
        "Jeg er ikke stoppet i virksomheden.",
        "Jeg stopper ikke hos Acme.",
        "Jeg har ikke sluttet i bedriften, jeg har ferie til 30. september.",
        "Jeg slutter ikke i selskapet.",
        "Nie odszedłem z firmy, jestem na urlopie do 30 września.",
        "Nie opuściłem firmy.",
        "Neopustil jsem firmu, jsem na dovolené do 30. září.",
        "En ole jättänyt yritystä, olen lomalla 30.9. asti.",
        "En ole lähtenyt yrityksestä.",
        "Nem hagytam el a céget.",
        "Nu am părăsit compania, sunt în concediu.",
        "Я не уволился, я в отпуске до 30 сентября.",
        "Я не покинул компанию.",
        "Nisam napustio tvrtku.",
        "Δεν έχω φύγει από την εταιρεία.",
        "Şirketten ayrılmadım, izindeyim.",  # noqa: RUF001 - these are the letters
        "退職していません。休暇中です。",
        "退職しておりません。",
        "私が退職したというのは事実ではありません。",
        "我没有离职,正在休假。",
        "我没有离开公司。",
        "我并未离开公司。",
        "저는 퇴사하지 않았습니다.",
    ],
)
def test_whoever_denies_to_leave_neither_has_left_nor_says_goodbye(text: str) -> None:
    assert kind(mail(text)) != "departed"
    assert kind(mail(text, PERSONAL)) in {"", "on_leave", "acknowledgement"}


@pytest.mark.parametrize(
    "text",
    [
        "I am leaving the company and will not read this mailbox.",
        "Please do not write to this address, I have left the company.",
        "Please note that I have left; mails are not forwarded. I have left Acme.",
        "Please do not reply as I have left the company.",
        "I cannot answer because I left the company.",
        "This mailbox is not read since I have left the company.",
        "I will not be able to help you any more, for I have left Acme.",
        "I have left the company not long ago.",
        "Do not hesitate to write to Ann, I have left the company.",
        "I am no longer with the company and do not read this mailbox.",
        "I am not with the company any more.",
        "I will not be returning: I have left the company.",
        "Why not write to Ann? I have left the company.",
        "Not long ago I left the company.",
        "Bitte schreiben Sie nicht an diese Adresse, ich habe das Unternehmen verlassen.",
        "Ich bin nicht mehr im Unternehmen und Ihre Mail wird nicht weitergeleitet.",
        "Ich habe das Unternehmen verlassen und lese diese Mails nicht.",
        "Ihre Mail wird nicht gelesen, da ich das Unternehmen verlassen habe.",
        "Diese Mail wird nicht weitergeleitet. Ich habe die Firma verlassen.",
        "Ich verlasse das Unternehmen zum 30. September und bin danach nicht erreichbar.",
        "Je ne fais plus partie de la société et ce message n'est pas transféré.",
        "Ce message n'est pas lu car j'ai quitté la société.",
        "J'ai quitté la société et ne lis pas ce message.",
        "Ne répondez pas à ce message, j'ai quitté la société.",
        "Ya no trabajo en la empresa y este correo no se lee.",
        "No responda a este correo porque he dejado la empresa.",
        "He dejado la empresa y no leo este correo.",
        "Non lavoro più in azienda e questa casella non viene letta.",
        "Non rispondete a questo messaggio perché ho lasciato l'azienda.",
        "Ho lasciato l'azienda e non leggo questa casella.",
        "Já não trabalho na empresa e este e-mail não é lido.",
        "Não responda, deixei a empresa.",
        "Deixei a empresa e não leio este e-mail.",
        "Ik werk niet meer bij het bedrijf en deze mail wordt niet gelezen.",
        "Ik heb het bedrijf verlaten en lees deze mail niet.",
        "Deze mail wordt niet gelezen omdat ik het bedrijf heb verlaten.",
        "Jag har slutat på företaget och mejlet läses inte.",
        "Jag arbetar inte längre på företaget.",
        "Jag läser inte detta eftersom jag har slutat på företaget.",
        "Jeg arbejder ikke længere i virksomheden.",
        "Jeg har forladt virksomheden og læser ikke denne mail.",
        "Jeg har sluttet i bedriften og leser ikke denne e-posten.",
        "Jeg jobber ikke lenger i selskapet.",
        "Nie pracuję już w firmie i nie czytam tej poczty.",
        "Odszedłem z firmy i nie czytam tej poczty.",
        "Opustil jsem firmu a tuto poštu nečtu.",
        "En ole enää yrityksen palveluksessa.",
        "Olen jättänyt yrityksen enkä lue tätä.",
        "Am părăsit compania și nu citesc acest mesaj.",
        "Я уволился и не читаю эту почту.",
        "Я больше не работаю в компании.",
        "Már nem dolgozom a cégnél.",
        "退職いたしました。このメールは確認しておりません。",
        "我已离职,不再查看此邮箱。",
        "퇴사하였습니다. 이 메일은 확인하지 않습니다.",
        "You may not have heard: I have left the company.",
        "Do not forget I have left the company.",
        "It is with no small sadness that I am leaving the company.",
        "Unfortunately I can't reply to you, I've left the company.",
        "Leider kann ich nicht antworten, weil ich aus dem Unternehmen ausgeschieden bin.",
        "Non posso rispondere in quanto ho lasciato l'azienda.",
        "Não posso responder, uma vez que deixei a empresa.",
        "Ik kan niet antwoorden want ik heb het bedrijf verlaten.",
        "Jeg kan ikke svare, da jeg har forladt virksomheden.",
        "En voi vastata, koska olen jättänyt yrityksen.",
    ],
)
def test_a_negation_of_something_else_denies_no_departure(text: str) -> None:
    assert kind(mail(text)) == "departed"


@pytest.mark.parametrize(
    "text",
    [
        "Jane has not left the company.",
        "Jane hasn't left the company, she is only busy.",
        "Jane is not leaving the company.",
        "It is not true that Jane left the company.",
        "I don't think Jane has left the company.",
        "There is a rumour that Jane has left the company.",
        "Jane has never left the company.",
        "Neither Jane nor Bob has left the company.",
        "Jane almost left the company last year, but stayed.",
        "Jane left the company last year but came back.",
        "Jane has left Bigcorp to join us last year.",
        "Jane no longer works with the old version, please send the new one.",
        "Jane is no longer working with that supplier.",
        "Before Jane left the company meeting she asked me to send you this.",
        "Jane hat das Unternehmen nicht verlassen.",
        "Jane verlässt die Firma nicht.",
        "Jane hat nicht gekündigt.",
        "Jane hätte fast die Firma verlassen.",
        "Jane n'a pas quitté l'entreprise.",
        "Jane n'a pas quitté la société, elle est en congé.",
        "Jane no ha dejado la empresa.",
        "Jane non ha lasciato l'azienda.",
        "A Jane não deixou a empresa.",
        "Jane heeft het bedrijf niet verlaten.",
        "Jane har inte slutat hos oss.",
        "Jane har ikke forladt virksomheden.",
        "Jane har ikke sluttet i bedriften.",
        "Jane nie odeszła z firmy.",
    ],
)
def test_a_colleague_who_denies_it_or_tells_another_story_has_told_no_departure(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Jane has left the company, please do not write to her.",
        "Jane has left the company and her mail is not forwarded.",
        "Please do not write to Jane any more, Jane has left the company.",
        "Jane is not with us any more.",
        "Jane will not be returning, Jane has left the company.",
        "Jane no longer works with us.",
        "Jane no longer works with the company.",
        "Jane hat das Unternehmen verlassen, ihre Mails werden nicht gelesen.",
        "Jane arbeitet nicht mehr bei uns und liest das nicht.",
        "Jane a quitté la société et ne lit pas vos messages.",
        "Jane ne fait plus partie de la société.",
        "Jane ya no está con nosotros.",
        "Jane ha dejado la empresa y no lee este correo.",
        "Jane non lavora più in azienda.",
        "Jane ha lasciato l'azienda e non legge questa casella.",
        "A Jane deixou a empresa e não lê este e-mail.",
        "Jane heeft het bedrijf verlaten en leest dit niet.",
        "Jane har slutat hos oss och läser inte detta.",
        "Jane har forladt virksomheden og læser ikke dette.",
        "Jane har sluttet i bedriften og leser ikke dette.",
    ],
)
def test_a_colleague_who_denies_something_else_has_told_the_departure(text: str) -> None:
    assert len(told(text)) == 1


@pytest.mark.parametrize(("one", "row"), GONE, ids=[f"{one.code}-{i}" for i, (one, _) in enumerate(GONE)])
def test_the_negation_that_a_phrase_holds_itself_does_not_deny_it(one: Language, row: Phrase) -> None:
    for example in row.examples:
        text = Text(own_text(example))
        match = re.search(fold(row.pattern), text.low)
        assert match is not None
        assert not denied(text, one, match), example


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(GONE), st.text(max_size=80), st.text(max_size=80))
def test_whatever_stands_around_a_phrase_it_is_told_whether_it_is_denied(
    phrase: tuple[Language, Phrase], before: str, after: str
) -> None:
    one, row = phrase
    text = Text(own_text(f"{before} {row.examples[0]} {after}"))
    for match in re.finditer(fold(row.pattern), text.low):
        assert denied(text, one, match) in {True, False}


@pytest.mark.parametrize(
    "piece", ["not ", "I have not left the company ", "nicht, ", "it is not true that I left "]
)
def test_a_long_mail_of_denials_is_read_within_a_second(piece: str) -> None:
    parsed = parse(mail(piece * (300_000 // len(piece))))
    AutoReplies().read(parse(mail("I am away.")), SCOPE)
    began = time.process_time()
    AutoReplies().read(parsed, SCOPE)
    assert time.process_time() - began < 1.0
