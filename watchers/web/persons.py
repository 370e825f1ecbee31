"""A person as a page lists them."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Person:
    """Someone a page lists: where, as what, and by what else they can be recognised.

    `former` is why the page counts them among those who left, empty for members. `source` names the form in
    which they were found (html, jsonld, json). A `weak` one is a name that stands alone: enough to
    say that somebody is still named, too little to suggest a contact. `notes` are the other short texts of
    the card, unread: one may be the employer.
    """

    name: str
    title: str = ""
    org: str = ""
    section: str = ""
    link: str = ""
    photo: str = ""
    email: str = ""
    handle: str = ""
    former: str = ""
    source: str = "html"
    style: str = ""
    weak: bool = False
    notes: tuple[str, ...] = ()

    def filled(self, other: Person) -> Person:
        """Return this person with what only the other record says; listed now by either means not former."""
        return replace(
            self,
            title=self.title or other.title,
            org=self.org or other.org,
            section=self.section or other.section,
            link=self.link or other.link,
            photo=self.photo or other.photo,
            email=self.email or other.email,
            handle=self.handle or other.handle,
            former=self.former if self.former and other.former else "",
            weak=self.weak and other.weak,
            notes=self.notes or other.notes,
        )
