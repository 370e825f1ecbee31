"""Pages of an invented company's team, in the designs that real pages have."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from watchers.web.pages import Fetched

URL = "https://www.acme.example/team"
FIRST_DAY = date(2024, 3, 4)

Member = tuple[str, str]

TEAM: tuple[Member, ...] = (
    ("Jane Doe", "VP Sales"),
    ("Robert Ashby", "Software Engineer"),
    ("Maite Etxeberria", "Head of Design"),
    ("Jörg Müller", "Chief Financial Officer"),
    ("Siobhan O'Hara", "Customer Success Manager"),
)


def slug(name: str) -> str:
    """Return a name as photos and profiles are called."""
    return name.lower().replace(" ", "-")


def cards(team: Sequence[Member]) -> str:
    """Draw cards with photos and headings."""
    return "".join(
        f'<div class="card"><img src="/photos/{slug(name)}.jpg" alt="">'
        f"<h3>{name}</h3><p>{title}</p><p>Enjoys long walks and short meetings.</p></div>"
        for name, title in team
    )


def table(team: Sequence[Member]) -> str:
    """Draw a table with headed columns."""
    rows = "".join(f"<tr><td>{name}</td><td>{title}</td><td>555-0100</td></tr>" for name, title in team)
    return f"<table><tr><th>Name</th><th>Position</th><th>Phone</th></tr>{rows}</table>"


def bullets(team: Sequence[Member]) -> str:
    """Draw a list with dashes."""
    return "<ul>" + "".join(f"<li>{name} &ndash; {title}</li>" for name, title in team) + "</ul>"


def paragraphs(team: Sequence[Member]) -> str:
    """Draw a paragraph for each."""
    return "".join(
        f"<p><strong>{name}</strong>, {title}<br>Came to us in spring.</p>" for name, title in team
    )


def microdata(team: Sequence[Member]) -> str:
    """Draw schema.org microdata, with the employer nested."""
    return "".join(
        f'<div itemscope itemtype="https://schema.org/Person"><b itemprop="name">{name}</b> '
        f'<i itemprop="jobTitle">{title}</i><div itemprop="worksFor" itemscope '
        'itemtype="https://schema.org/Organization"><span itemprop="name">Acme</span></div></div>'
        for name, title in team
    )


def hcards(team: Sequence[Member]) -> str:
    """Draw h-cards."""
    return "".join(
        f'<li class="h-card"><a class="p-name u-url" href="/team/{name.split()[-1].lower()}">{name}</a>'
        f'<span class="p-job-title">{title}</span><span class="p-org">Acme</span></li>'
        for name, title in team
    )


def json_ld(team: Sequence[Member]) -> str:
    """Hold the people in JSON-LD alone."""
    people = [{"@type": "Person", "name": name, "jobTitle": title} for name, title in team]
    data = {"@context": "https://schema.org", "@type": "Organization", "name": "Acme", "employee": people}
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def next_data(team: Sequence[Member]) -> str:
    """Hold the people in the state that Next.js renders from."""
    people = [{"fullName": name, "position": title} for name, title in team]
    data = json.dumps({"props": {"staff": people}})
    return f'<script id="__NEXT_DATA__" type="application/json">{data}</script>'


def terms(team: Sequence[Member]) -> str:
    """Draw a definition list with the title first."""
    return "<dl>" + "".join(f"<dt>{title}</dt><dd>{name}</dd>" for name, title in team) + "</dl>"


DESIGNS: tuple[Callable[[Sequence[Member]], str], ...] = (
    cards, table, bullets, paragraphs, microdata, hcards, json_ld, next_data, terms,
)  # fmt: skip


def page(body: str, heading: str = "Our team") -> str:
    """Put a body between a menu, news and a footer."""
    return (
        f"<!doctype html><html lang=en><head><title>{heading}</title></head><body>"
        "<header><a href='/'>Acme Rowe</a>"
        "<nav><a href='/about'>About</a><a href='/jobs'>Jobs</a></nav></header>"
        f"<main><h1>{heading}</h1>{body}"
        "<aside><h2>Latest news</h2><ul><li>Dana Whitfield joins our podcast</li></ul></aside>"
        "<aside><h2>We are hiring</h2><ul><li>Product Designer</li><li>Head of Marketing</li></ul></aside>"
        "</main>"
        "<footer><p>Acme, 1 High Street</p></footer></body></html>"
    )


def fetched(text: str | bytes, days: int = 0, status: int = 200, **more: str) -> Fetched:
    """Return an answer of the server, some days after the first."""
    body = text if isinstance(text, bytes) else text.encode()
    final_url = more.pop("final_url", URL)
    error = more.pop("error", "")
    return Fetched(status, URL, final_url, body, FIRST_DAY + timedelta(days=days), more, error)
