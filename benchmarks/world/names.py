"""Invented people and companies. Few family names make namesakes, as in life."""

# ruff: noqa: E501 - wordings and lists of names stand as they are written

from __future__ import annotations

import random
import unicodedata

FIRST = {
    "en": "Olivia Amelia Grace Ruth Harriet Joan Peter Simon Oscar Leo Frank Martin Helen Alan Keith Nora".split(),
    "de": "Anke Birgit Heike Ute Karin Jörg Uwe Stefan Holger Matthias Sabine Gerd Ines Ralf Doris Björn".split(),
    "fr": "Amélie Céline Hélène Odile Solène Benoît Luc Rémi Gilles Pascal Yves Noémie Claire Denis Agnès".split(),
    "nl": "Anouk Femke Marloes Sanne Wieke Bram Joost Ruben Sjoerd Thijs Maaike Koen Lotte Pieter Renske".split(),
    "es": "Almudena Begoña Inés Marisol Pilar Álvaro Gonzalo Íñigo Jaime Rafael Lucía Nuria Óscar Teresa".split(),
    "sv": "Astrid Ebba Ingrid Maja Saga Anders Göran Lars Nils Örjan Karin Lena Per Ulf Elin Håkan".split(),
}
LAST = {
    "en": "Ashworth Barlow Carver Dunmore Ellwood Fairley Garrick Holcombe Inskip Jarrold Kettle Lomax".split(),
    "de": "Althaus Brandl Cordes Dengler Eberle Frings Gröner Hübner Immler Jessen Krüger Lindner".split(),
    "fr": "Aubry Besson Chauvet Delorme Esnault Faivre Guérin Hubert Imbert Jourdan Lemaître Morel".split(),
    "nl": "Aarts Bosman Dekkers Evers Franken Geerts Hoekstra Jonker Kuipers Lammers Mulder Nooij".split(),
    "es": "Aguirre Bermejo Cabrera Delgado Escudero Fuentes Gálvez Herrero Iglesias Lozano Muñoz".split(),
    "sv": "Almgren Bergström Dahl Ekman Forsberg Grahn Hedlund Isaksson Jonsson Kjellberg Lundin".split(),
}
COUNTRY = {"en": "GB", "de": "DE", "fr": "FR", "nl": "NL", "es": "ES", "sv": "SE"}
ZONE = {
    "en": "Europe/London",
    "de": "Europe/Berlin",
    "fr": "Europe/Paris",
    "nl": "Europe/Amsterdam",
    "es": "Europe/Madrid",
    "sv": "Europe/Stockholm",
}
LANGUAGES = ("en", "en", "en", "de", "de", "de", "fr", "nl", "es", "sv")
TITLES = (
    "Head of Operations",
    "IT Director",
    "Procurement Manager",
    "VP Engineering",
    "Finance Director",
    "Plant Manager",
    "Head of Data",
    "Project Lead",
    "Managing Director",
    "Quality Manager",
)

_HEADS = (
    "Alder Birk Cedar Dolm Elbe Fjord Garn Holm Iser Jura Kamm Lind Moor Nord Oster Pell Quell Rund".split()
)
_HEADS += (
    "Saal Tarn Ulm Veld Wald Yarrow Zell Amber Basalt Cobalt Delta Ember Flint Granit Hazel Indigo".split()
)
_TAILS = (
    "works soft tech gruppe lab systems bau pharma energie logistik foods motors textil medica stahl".split()
)


def company(number: int) -> str:
    """Return the name of the company of that number; no two are alike."""
    head, tail = _HEADS[number % len(_HEADS)], _TAILS[number // len(_HEADS) % len(_TAILS)]
    again = number // (len(_HEADS) * len(_TAILS))
    return f"{head}{tail}{again + 1}" if again else f"{head}{tail}"


def person(chance: random.Random, language: str) -> tuple[str, str]:
    """Return a first and a last name."""
    return chance.choice(FIRST[language]), chance.choice(LAST[language])


def local_part(first: str, last: str, style: str) -> str:
    """Return what stands before the @ in the company's style."""
    first, last = plain(first), plain(last)
    return {"first.last": f"{first}.{last}", "f.last": f"{first[0]}.{last}", "flast": f"{first[0]}{last}"}[
        style
    ]


def plain(name: str) -> str:
    """Return a name in the letters that addresses are made of."""
    folded = name.lower().replace("ö", "oe").replace("ü", "ue").replace("ä", "ae").replace("ß", "ss")
    return "".join(char for char in unicodedata.normalize("NFD", folded) if "a" <= char <= "z")
