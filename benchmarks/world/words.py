"""What people and their mailboxes write, in six languages; worded without a look at any reader."""

# ruff: noqa: E501 - wordings and lists of names stand as they are written

from __future__ import annotations

import random
from datetime import date

SUBJECTS = {
    "en": "Pilot|Next steps|Quarterly review|Rollout plan|Integration question|Budget|Security questionnaire",
    "de": "Pilotprojekt|Nächste Schritte|Angebot|Rollout-Plan|Frage zur Schnittstelle|Budget|Termin",
    "fr": "Projet pilote|Prochaines étapes|Devis|Déploiement|Question technique|Budget",
    "nl": "Pilot|Vervolgstappen|Offerte|Planning|Vraag over de koppeling|Budget",
    "es": "Piloto|Próximos pasos|Presupuesto|Plan de despliegue|Duda técnica",
    "sv": "Pilot|Nästa steg|Offert|Plan för utrullning|Fråga om integrationen",
}
LETTERS = {
    "en": "Thanks, that works for us.|Could you send the figures again?|We discussed it internally and "
    "have two questions.|Looks good to me.|Let me check with finance.|Please find my comments inline.",
    "de": "Danke, das passt für uns.|Können Sie mir die Zahlen noch einmal schicken?|Wir haben das intern "
    "besprochen.|Sieht gut aus.|Ich kläre das mit dem Einkauf.|Anbei meine Anmerkungen.",
    "fr": "Merci, cela nous convient.|Pouvez-vous renvoyer les chiffres ?|Nous en avons parlé en interne.|"
    "Je vois avec les achats.",
    "nl": "Dank, dat is prima.|Kunt u de cijfers nog eens sturen?|We hebben het intern besproken.|Ik kom erop terug.",
    "es": "Gracias, nos parece bien.|¿Puede enviar de nuevo las cifras?|Lo hemos comentado internamente.",
    "sv": "Tack, det passar oss.|Kan du skicka siffrorna igen?|Vi har diskuterat det internt.",
}
OURS = (
    "Hi {first}, any news from your side?|Hello {first}, here is the plan we talked about.|Hi {first}, shall "
    "we find a date for the review?|Dear {first}, attached is the updated quote.|Hi {first}, one more question."
)
NUDGES = "Hi {first}, just bringing this up again.|Hi {first}, did you have a chance to look at this?"

AWAY_SUBJECT = {
    "en": "Automatic reply: ",
    "de": "Automatische Antwort: ",
    "fr": "Réponse automatique : ",
    "nl": "Automatisch antwoord: ",
    "es": "Respuesta automática: ",
    "sv": "Autosvar: ",
}
AWAY = {
    "en": "I am out of the office until {back}. For urgent matters please contact {other}.|Thank you for your "
    "mail. I'm on holiday and back at my desk on {back}.|I'm currently away with limited access to mail, "
    "returning {back}.",
    "de": "Ich bin bis einschließlich {back} nicht im Büro. In dringenden Fällen wenden Sie sich bitte an "
    "{other}.|Vielen Dank für Ihre Nachricht. Ich bin im Urlaub und ab dem {back} wieder erreichbar.",
    "fr": "Je suis absent du bureau jusqu'au {back}. En cas d'urgence, contactez {other}.|Je suis en congés, de "
    "retour le {back}.",
    "nl": "Ik ben afwezig tot {back}. Bij spoed kunt u contact opnemen met {other}.|Ik ben met vakantie en op "
    "{back} weer bereikbaar.",
    "es": "Estoy fuera de la oficina hasta el {back}. Para asuntos urgentes, contacte con {other}.",
    "sv": "Jag är på semester och åter den {back}. Vid brådskande ärenden kontakta {other}.",
}
AWAY_UNDATED = {
    "en": "I am out of the office at the moment and will reply as soon as I am back.",
    "de": "Ich bin derzeit nicht im Büro und melde mich nach meiner Rückkehr.",
    "fr": "Je suis actuellement absent et vous répondrai à mon retour.",
    "nl": "Ik ben momenteel afwezig en reageer zodra ik terug ben.",
    "es": "En este momento estoy ausente; le responderé a mi regreso.",
    "sv": "Jag är för närvarande inte på kontoret och svarar när jag är tillbaka.",
}
GONE = {
    "en": "Thank you for your message. I no longer work at {company}. Please contact {other} at {mail}.|{first} "
    "{last} has left {company}. {other} ({mail}) will be glad to help you.|As of {day} I have left {company}. "
    "Please direct your mail to {other}, {mail}.|Please note that {first} is no longer with {company}. Your "
    "message has not been forwarded.",
    "de": "Vielen Dank für Ihre Nachricht. Ich bin nicht mehr bei {company} beschäftigt. Bitte wenden Sie sich an "
    "{other} ({mail}).|{first} {last} ist nicht mehr für {company} tätig. Ihr neuer Ansprechpartner ist {other}, "
    "{mail}.|Ich habe {company} zum {day} verlassen. Bitte schreiben Sie an {mail}.",
    "fr": "Je ne fais plus partie de la société {company}. Merci de contacter {other} ({mail}).|{first} {last} a "
    "quitté {company}. Votre interlocuteur est désormais {other}, {mail}.",
    "nl": "Ik werk niet meer bij {company}. Neem contact op met {other} ({mail}).|{first} {last} is niet langer "
    "werkzaam bij {company}. Voor vragen kunt u terecht bij {other}, {mail}.",
    "es": "Ya no trabajo en {company}. Por favor, contacte con {other} ({mail}).|{first} {last} ya no forma parte "
    "de {company}. Puede dirigirse a {other}, {mail}.",
    "sv": "Jag har slutat på {company}. Kontakta {other} på {mail}.|{first} {last} arbetar inte längre på "
    "{company}. Vänligen kontakta {other}, {mail}.",
}
FAREWELLS = {
    "en": "Dear all, {day} will be my last day at {company}. It has been a pleasure working with you. {other} will "
    "take over.|Hi, a quick note to let you know that I am leaving {company}; my last day is {day}. Please work "
    "with {other} from now on.",
    "de": "Liebe Partner, der {day} ist mein letzter Arbeitstag bei {company}. Vielen Dank für die gute "
    "Zusammenarbeit. {other} übernimmt meine Aufgaben.",
    "fr": "Bonjour, je quitte {company} ; mon dernier jour est le {day}. {other} prend la suite. Merci pour tout.",
    "nl": "Beste relatie, {day} is mijn laatste werkdag bij {company}. {other} neemt mijn taken over. Bedankt!",
    "es": "Hola, el {day} será mi último día en {company}. {other} se encargará de todo. ¡Gracias!",
    "sv": "Hej, den {day} är min sista dag på {company}. {other} tar över. Tack för gott samarbete!",
}
RENAMED = {
    "en": "My e-mail address has changed. Please write to {mail} from now on.",
    "de": "Meine E-Mail-Adresse hat sich geändert. Bitte schreiben Sie künftig an {mail}.",
    "fr": "Mon adresse e-mail a changé. Merci d'écrire désormais à {mail}.",
    "nl": "Mijn e-mailadres is gewijzigd. Gebruik voortaan {mail}.",
    "es": "Mi dirección de correo ha cambiado. Por favor, escriba a {mail}.",
    "sv": "Min e-postadress har ändrats. Skriv till {mail} i fortsättningen.",
}
HANDED_OVER = {
    "en": "Hi, {first} has left us, I am taking over.|Hello, I am answering in place of {first}.",
    "de": "Hallo, {first} ist nicht mehr bei uns, ich übernehme.|Guten Tag, ich antworte an Stelle von {first}.",
    "fr": "Bonjour, {first} a quitté la société, je reprends le dossier.|Bonjour, je réponds à la place de {first}.",
    "nl": "Hallo, {first} werkt niet meer bij ons, ik neem het over.|Hallo, ik antwoord namens {first}.",
    "es": "Hola, {first} ya no está con nosotros, me encargo yo.|Hola, respondo en lugar de {first}.",
    "sv": "Hej, {first} har slutat hos oss, jag tar över.|Hej, jag svarar i stället för {first}.",
}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
}


def choose(chance: random.Random, table: dict[str, str], language: str) -> str:
    """Return one of the wordings of a language."""
    return chance.choice(table[language].split("|"))


def written(chance: random.Random, day: date, language: str) -> str:
    """Write a date as people of that language do, in words or in figures."""
    month = _MONTHS[language].split()[day.month - 1]
    figures = {"en": f"{day:%d/%m/%Y}", "de": f"{day:%d.%m.%Y}", "fr": f"{day:%d/%m/%Y}"}.get(
        language, f"{day:%d-%m-%Y}"
    )
    if chance.random() < 0.4:
        return figures
    return {
        "en": f"{day.day} {month} {day.year}",
        "de": f"{day.day}. {month} {day.year}",
        "es": f"{day.day} de {month} de {day.year}",
    }.get(language, f"{day.day} {month} {day.year}")
