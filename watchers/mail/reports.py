"""Find the delivery report in a mail, whatever its layout, and say whom it is about.

RFC 3464 reports are read field by field, also where their MIME frame is broken and the fields stand in the
text. Everything else is read as a human would: which addresses does the notice name, what does it say of
each, and where does the returned original begin. Pure; nothing here decides what a diagnostic means.
RFC 3461, 3462, 3464 (delivery status), RFC 8098 (read receipts, which are no reports), RFC 5965 (feedback).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from itertools import islice

from watchers.mail import bounce_layouts as layouts
from watchers.mail.head import Head, split_head
from watchers.mail.notices import (
    CODED,
    LONGEST_NOTICE,
    LONGEST_PASSAGE,
    STATUS_FIELD,
    Notice,
    expanded_from,
    read_notice,
    unwrapped,
)
from watchers.mail.parse import Mail, Part
from watchers.mail.status_fields import (
    MOST_RECIPIENTS,
    address_in,
    host_in,
    split_fields,
    status_code,
    statuses,
    untyped,
)
from watchers.mail.wording import plain

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
ORIGINAL_TYPES = ("message/rfc822", "message/global")
HEADER_TYPES = (
    "text/rfc822-headers",
    "text/rfc822-header",
    "message/rfc822-headers",
    "message/global-headers",
)
FEEDBACK_TYPES = ("message/feedback-report",)
RECEIPT_TYPES = ("message/disposition-notification", "message/global-disposition-notification")


@dataclass(frozen=True)
class Failure:
    """What a report says of one recipient; each field empty where it says nothing.

    `recipient` is whom we wrote to as far as the report tells; `final` and `original` are the report's own
    fields, `expanded_from` the alias that led there. `tell` finds the `passage`: most reports say all that
    matters in their fields.
    """

    recipient: str
    final: str = ""
    original: str = ""
    expanded_from: str = ""
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    remote_mta: str = ""
    tell: Callable[[], str] = field(default=str, compare=False, repr=False)

    @cached_property
    def passage(self) -> str:
        """Return what the readable part of the report says of the recipient."""
        return self.tell()


@dataclass(frozen=True)
class Report:
    """A delivery report: how it was recognised, whom it is about, and the mail it returns, if any.

    `tell` finds the `notice`. `warning` says that the mail may still arrive; `feedback` that this is a
    recipient's complaint, not a bounce.
    """

    found_by: str
    failures: tuple[Failure, ...]
    reporting_mta: str = ""
    original: Head | None = None
    tell: Callable[[], str] = field(default=str, compare=False, repr=False)
    warning: bool = False
    feedback: bool = False

    @cached_property
    def notice(self) -> str:
        """Return the readable text up to the returned original."""
        return self.tell()


def locate(mail: Mail) -> Report | None:
    """Find the report in a mail, or None where the mail is none."""
    if next(mail.of_type(*RECEIPT_TYPES), None) is not None or _report_type(mail.head) == RECEIPT_REPORT:
        return None
    complaint = _complaint(mail)
    if complaint is not None:
        return complaint
    sent_by = sent_by_machine(mail.head) or _reported(mail)
    if not sent_by:
        return None
    readers = (_from_fields, _within, _notification, _from_text)
    return next(filter(None, (read(mail, sent_by) for read in readers)), None)


RECEIPT_REPORT = "disposition-notification"


def _reported(mail: Mail) -> str:
    """Return in words why a mail of unknown origin is a report; one that a person forwards is none."""
    subject = mail.head.subject[:300]
    if next(mail.of_type(*STATUS_TYPES), None) is None or layouts.is_answer(subject):
        return ""
    by_subject = layouts.says(layouts.SUBJECTS, subject)
    return "its subject and its delivery status say so" if by_subject else ""


def _report_type(head: Head) -> str:
    kind, params = head.content_type
    return params.get("report-type", "").strip().lower() if kind == "multipart/report" else ""


def sent_by_machine(head: Head) -> str:
    """Return in words why at least a machine must have sent the mail; empty if a person did."""
    strong = sent_by_mail_system(head)
    if strong:
        return strong
    if head.get("return-path").strip() == "<>":
        return "it was sent with an empty return path"
    if layouts.is_robot(_local_part(head)):
        return f"a machine sent it, {_local_part(head)[:40]}"
    if head.get("auto-submitted").strip().lower().startswith("auto"):
        return "its header Auto-Submitted says that no person wrote it"
    return ""


@lru_cache(maxsize=4)
def sent_by_mail_system(head: Head) -> str:
    """Return in words why a mail system must have sent the mail; empty where that is not certain."""
    return next(_proofs(head), "")


def _proofs(head: Head) -> Iterator[str]:
    if "x-failed-recipients" in head:
        yield "its header X-Failed-Recipients names who was not reached"
    if head.content_type[0] == "multipart/report" and _report_type(head) in {"delivery-status", ""}:
        yield "it is a delivery report by its type"
    local = _local_part(head)
    if head.get("from").strip() == "<>":
        yield "it has no sender"
    if layouts.is_daemon(local):
        yield f"a mail system sent it, {local[:40]}"
    if layouts.says(layouts.SYSTEM_NAMES, head.sender.name or head.get("from")[:200]):
        yield "a mail system sent it, by its name"
    returned = head.get("return-path").strip("<> \t").lower().partition("@")[0]
    if returned and layouts.is_daemon(returned):
        yield "its return path is that of a mail system"


def _local_part(head: Head) -> str:
    written = head.sender.address or head.get("from").strip("<>\"' \t")
    return written.partition("@")[0].rpartition(" ")[2].strip("<\"'()").lower()


def is_report(head: Head) -> bool:
    """Say whether the headers leave no doubt that a mail system reports, so that nobody answers in it."""
    if head.content_type[0] == "multipart/report" or "x-failed-recipients" in head:
        return True
    return sent_by_mail_system(head) != "" and layouts.says(layouts.SUBJECTS, head.subject[:300])


def looks_like_report(head: Head) -> bool:
    """Say by the headers alone whether the mail may be a report."""
    return (
        sent_by_mail_system(head) != ""
        or head.get("return-path").strip() == "<>"
        or head.content_type[0] == "multipart/report"
        or head.sender.domain == NOTIFIER
        or layouts.says(layouts.SUBJECTS, head.subject[:300])
        or layouts.is_list_admin(_local_part(head))
    )


def _complaint(mail: Mail) -> Report | None:
    """Read a feedback report (RFC 5965), in which a recipient complains."""
    part = next(mail.of_type(*FEEDBACK_TYPES), None)
    if part is None and not mail.head.subject.lower().startswith("complaint about message from"):
        return None
    original = _attached_original(mail)
    fields = split_fields(part.text if part is not None else "")
    named = [address_in(value) for name, value in fields if name in {"original-rcpt-to", "removal-recipient"}]
    if not any(named) and original is not None:
        named = [address_in(original.get("x-hmxmroriginalrecipient"))]
        named += [address.address for address in original.recipients]
    mta = next((value for name, value in fields if name == "reporting-mta"), "")
    failures = tuple(Failure(recipient) for recipient in _unique(named) or [""])
    return Report("it is a feedback report", failures, host_in(mta), original, feedback=True)


def _from_fields(mail: Mail, found_by: str) -> Report | None:
    """Read a report by its delivery-status fields (RFC 3464), wherever in the mail they stand."""
    part = next(mail.of_type(*STATUS_TYPES), None)
    text = _Text(mail)
    source = part.text if part is not None else ""
    if "-recipient" not in source.lower() and _FINAL_RECIPIENT.search(text.before_original):
        source = text.cut_at_fields()
    reporting_mta, recipients = statuses(source)
    if not recipients:
        return None
    original = text.original
    wrote_to = (
        frozenset(address.address for address in original.recipients) if original is not None else frozenset()
    )
    failures = []
    for fields in recipients:
        final, first = (
            address_in(fields.get("final-recipient", "")),
            address_in(fields.get("original-recipient", "")),
        )
        actual = address_in(fields.get("x-actual-recipient", ""))
        named = [address for address in (first, final, actual) if "@" in address]
        chosen = next((address for address in named if address in wrote_to), named[0] if named else "")
        tell = partial(text.passage, chosen, final, first, alone=len(recipients) == 1)
        alias = expanded_from(text.notice.passage(chosen, final, first)) if expanded_from(text.whole) else ""
        if not chosen:
            chosen = alias or _only(text.notice, original) or final or first
        failures.append(
            Failure(
                chosen,
                final,
                first,
                alias,
                fields.get("action", "").partition(" ")[0].strip().lower(),
                status_code(fields.get("status", "")),
                untyped(fields.get("diagnostic-code", "")) or fields.get("x-supplementary-info", ""),
                host_in(fields.get("remote-mta", "")),
                tell,
            )
        )
    warning = all(failure.action == "delayed" for failure in failures)
    return Report(found_by, _bounded(failures), reporting_mta, original, text.tell, warning)


class _Text:
    """The readable text of a report, read no further than is asked for."""

    def __init__(self, mail: Mail) -> None:
        self.mail = mail

    @cached_property
    def whole(self) -> str:
        return _readable(self.mail)

    @cached_property
    def _unwrapped(self) -> tuple[str, Head | None]:
        return unwrapped(self.whole)

    @cached_property
    def before_original(self) -> str:
        return self._unwrapped[0]

    @cached_property
    def original(self) -> Head | None:
        return _attached_original(self.mail) or self._unwrapped[1]

    @cached_property
    def notice(self) -> Notice:
        return read_notice(self.before_original, _not_meant(self.mail, self.original))

    def cut_at_fields(self) -> str:
        """Take the delivery status out of the text, and return it."""
        found = STATUS_FIELD.search(self.before_original)
        start = found.start() if found is not None else len(self.before_original)
        fields, self.before_original = self.before_original[start:], self.before_original[:start]
        return fields

    def passage(self, *addresses: str, alone: bool) -> str:
        """Return what is said of a recipient by these addresses: everything, where it is the only one."""
        return self.notice.passage(*addresses) or (self.tell() if alone else "")

    def tell(self) -> str:
        return self.before_original


_FINAL_RECIPIENT = re.compile(
    r"^[ \t]{0,8}(?:final|original)-recipient[ \t]{0,3}:", re.IGNORECASE | re.MULTILINE
)


NOTIFIER = "sns.amazonaws.com"


def _notification(mail: Mail, found_by: str) -> Report | None:
    """Read the JSON that Amazon SES sends about a bounce or complaint by way of Amazon SNS."""
    text = mail.text if mail.head.sender.domain == NOTIFIER else ""
    start = text.find("{")
    if start == -1:
        return None
    try:
        said, _ = json.JSONDecoder().raw_decode(text[start:].replace("!\n ", ""))
        if isinstance(said.get("Message"), str):
            said = json.loads(said["Message"])
        kind = said.get("notificationType") or said.get("eventType")
        failures = list(_notified(said, kind))
        head = Head(
            tuple(
                (str(entry["name"]).lower(), str(entry["value"]).encode("utf-8", "replace"))
                for entry in said["mail"].get("headers", [])[:50]
            )
        )
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return None
    reported = said.get("bounce", {})
    mta = host_in(str(reported.get("reportingMTA", ""))) if isinstance(reported, dict) else ""
    original = head if head.fields else None
    found_by = f"{found_by}, and it is a notification of Amazon SES"
    return (
        Report(found_by, _bounded(failures), mta, original, feedback=kind == "Complaint")
        if failures
        else None
    )


def _notified(said: dict[str, dict[str, list[dict[str, str]]]], kind: object) -> Iterator[Failure]:
    if kind == "Bounce":
        for entry in said["bounce"]["bouncedRecipients"]:
            yield Failure(
                address_in(str(entry["emailAddress"])),
                action=str(entry.get("action", "failed")),
                status=status_code(str(entry.get("status", ""))),
                diagnostic=untyped(str(entry.get("diagnosticCode", ""))),
            )
    elif kind == "Complaint":
        for entry in said["complaint"]["complainedRecipients"]:
            yield Failure(address_in(str(entry["emailAddress"])))


def _from_text(mail: Mail, found_by: str) -> Report | None:
    """Read a report that has no fields, by the sentences and addresses in its text."""
    text, found = unwrapped(_readable(mail))
    original = _attached_original(mail) or found
    head = mail.head
    certain = sent_by_mail_system(head) != ""
    words = plain(text)
    opening = layouts.first_word_of(layouts.NOTICES, words)
    subject = head.subject[:300]
    by_subject = layouts.says(layouts.SUBJECTS, subject)
    coded = CODED.search(text) is not None
    personal = layouts.first_word_of(layouts.NOT_REPORTS, words) != ""
    if not certain and (layouts.is_answer(subject) or personal):
        return None
    if not (opening or (certain and (by_subject or coded))):
        return None
    if not certain and not (
        by_subject or coded or original is not None or layouts.is_list_admin(_local_part(head))
    ):
        return None
    if personal and not (coded or original is not None or by_subject):
        return None
    notice = read_notice(text, _not_meant(mail, original))
    failures = [
        Failure(
            recipient,
            expanded_from=expanded_from(notice.passage(recipient)),
            tell=partial(notice.passage, recipient),
        )
        for recipient in _named(mail, notice, original)
    ]
    if len(failures) == 1 and not failures[0].passage:
        failures[0] = replace(failures[0], tell=partial(str, text[:LONGEST_PASSAGE]))
    warning = layouts.first_word_of(layouts.WARNINGS, words) != "" or layouts.says(layouts.WARNINGS, subject)
    if not failures:
        return None
    because = f"{found_by}, and it reads like “{opening[:70]}”" if opening else found_by
    return Report(because, _bounded(failures), "", original, partial(str, text), warning)


def _within(mail: Mail, found_by: str) -> Report | None:
    """Read the report that a gateway attached to a notice of its own; a person's mail never gets here."""
    if not sent_by_mail_system(mail.head):
        return None
    attached = next((part.mail for part in mail.of_type(*ORIGINAL_TYPES) if part.mail is not None), None)
    if attached is None or next(attached.of_type(*STATUS_TYPES), None) is None:
        return None
    return _from_fields(attached, found_by)


def _named(mail: Mail, notice: Notice, original: Head | None) -> list[str]:
    """Return whom a report without fields is about, most certain source first."""
    failed = [address_in(entry) for entry in mail.head.get("x-failed-recipients")[: 64 * 2**10].split(",")]
    listed = [address for address in notice.listed if "@" in address]
    known = {address.address for address in original.recipients} if original is not None else set()
    board = [layouts.list_address(mail.head.sender.address)]
    confirmed = [address for address in (*listed, *notice.mentioned) if address in known]
    for found in (failed, listed, confirmed, board, list(notice.mentioned)):
        recipients = _unique(found)
        if recipients:
            return recipients
    return sorted(known)[:1] if len(known) == 1 else _unique([_first_recipient(original)])


def _first_recipient(original: Head | None) -> str:
    return original.recipients[0].address if original is not None and original.recipients else ""


def _only(notice: Notice, original: Head | None) -> str:
    listed = [address for address in notice.listed if "@" in address]
    known = original.recipients if original is not None else ()
    return listed[0] if len(listed) == 1 else known[0].address if len(known) == 1 else ""


def _unique(addresses: Iterable[str]) -> list[str]:
    return list(islice((address for address in dict.fromkeys(addresses) if "@" in address), MOST_RECIPIENTS))


def _bounded(failures: Sequence[Failure]) -> tuple[Failure, ...]:
    first: dict[str, Failure] = {}
    for failure in failures[:MOST_RECIPIENTS]:
        first.setdefault(failure.recipient, failure)
    return tuple(first.values())


def _not_meant(mail: Mail, original: Head | None) -> frozenset[str]:
    """Return the addresses that a report names but is not about: its own sender and the original's."""
    named = {address.address for address in (*mail.head.addresses("to"), mail.head.sender)}
    if original is not None:
        named.add(original.sender.address)
        named.add(original.get("return-path").strip("<> \t").lower())
    return frozenset(named)


def _readable(mail: Mail) -> str:
    """Return the text of a report: its plain parts, else its HTML or what no MIME frame could be made of."""
    shown = (part for part in mail.parts if part.mail is None and not _is_original(part))
    texts = [part for part in shown if part.content_type.startswith(("text/", "multipart/"))]
    plains = [part for part in texts if part.content_type != "text/html"] or texts
    return "\n".join(part.text[:LONGEST_NOTICE] for part in plains[:8])[: 2 * LONGEST_NOTICE]


def _is_original(part: Part) -> bool:
    return part.content_type in HEADER_TYPES


def _attached_original(mail: Mail) -> Head | None:
    for part in mail.parts:
        if part.mail is not None and part.mail.head.fields:
            return part.mail.head
        if _is_original(part):
            payload = part.payload.lstrip()
            return split_head(payload, 0, len(payload))[0]
    return None
