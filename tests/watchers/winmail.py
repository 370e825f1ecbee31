"""Write `winmail.dat` as Outlook does (MS-OXTNEF): the attributes and MAPI properties of a meeting."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from tests.watchers.invitation_mails import HOUR, Invitation

APPOINTMENT = UUID("00062002-0000-0000-c000-000000000046")
MEETING = UUID("6ed8da90-450b-101b-98da-00aa003f1305")
LONG, BOOLEAN, TEXT, TEXT_8, TIME, BINARY = 0x03, 0x0B, 0x1F, 0x1E, 0x40, 0x102

CLASSES = {
    "REQUEST": "IPM.Microsoft Schedule.MtgReq",
    "CANCEL": "IPM.Microsoft Schedule.MtgCncl",
    "ACCEPTED": "IPM.Microsoft Schedule.MtgRespP",
    "DECLINED": "IPM.Microsoft Schedule.MtgRespN",
    "TENTATIVE": "IPM.Microsoft Schedule.MtgRespA",
    "DELEGATED": "IPM.Microsoft Schedule.MtgRespN",
}


def stream(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def attribute(number: int, data: bytes, level: int = 1) -> bytes:
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def properties(*entries: bytes) -> bytes:
    return struct.pack("<I", len(entries)) + b"".join(entries)


def fixed(kind: int, number: int, value: object) -> bytes:
    return struct.pack("<HH", kind, number) + encoded(kind, value)


def named(kind: int, group: UUID, number: int, value: object) -> bytes:
    name = group.bytes_le + struct.pack("<II", 0, number)
    return struct.pack("<HH", kind, 0x8000 | number & 0xFF) + name + encoded(kind, value)


def by_text(kind: int, group: UUID, text: str, value: object) -> bytes:
    raw = (text + "\0").encode("utf-16-le")
    name = group.bytes_le + struct.pack("<II", 1, len(raw)) + padded(raw)
    return struct.pack("<HH", kind, 0x8123) + name + encoded(kind, value)


def encoded(kind: int, value: object) -> bytes:
    if kind == TIME:
        assert isinstance(value, datetime)
        ticks = int((value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
        return struct.pack("<Q", ticks)
    if kind in {LONG, BOOLEAN}:
        return struct.pack("<I", value)
    if kind == TEXT:
        raw = (str(value) + "\0").encode("utf-16-le")
    elif kind == TEXT_8:
        raw = str(value).encode("cp1252") + b"\0"
    else:
        assert isinstance(value, bytes)
        raw = value
    return struct.pack("<II", 1, len(raw)) + padded(raw)


def padded(raw: bytes) -> bytes:
    return raw + bytes(-len(raw) % 4)


def object_id(uid: str, occurrence: datetime | None = None) -> bytes:
    """Return the id that Outlook gives a meeting: its own form, or around a UID from elsewhere."""
    day = struct.pack(">HBB", occurrence.year, occurrence.month, occurrence.day) if occurrence else bytes(4)
    head = bytes.fromhex("040000008200E00074C5B7101A82E008") + day + bytes(8) + bytes(8)
    own = hashlib.sha256(uid.encode()).digest()[:16]
    data = b"vCal-Uid\x01\x00\x00\x00" + uid.encode() + b"\0" if "@" in uid else own
    return head + struct.pack("<I", len(data)) + data


def recipients(addresses: Sequence[str]) -> bytes:
    rows = [
        properties(fixed(LONG, 0x0C15, 1), fixed(TEXT, 0x3001, "Guest"), fixed(TEXT, 0x39FE, address))
        for address in addresses
    ]
    return struct.pack("<I", len(rows)) + b"".join(rows)


def meeting(mail: Invitation) -> bytes:
    """Return the stream of a meeting request, cancellation or answer."""
    kind = mail.attendees[0][1] if mail.method == "REPLY" else mail.method
    reply = mail.method == "REPLY"
    changed = 0x0001 if reply else 0x001A
    guests = [who for who, _ in mail.attendees if who != mail.organizer]
    return stream(
        attribute(0x00089006, struct.pack("<I", 0x00010000)),
        attribute(0x00069007, struct.pack("<II", 1252, 0)),
        attribute(0x00078008, CLASSES.get(kind, CLASSES["REQUEST"]).encode() + b"\0"),
        *([] if reply else [attribute(0x00069004, recipients(guests))]),
        attribute(
            0x00069003,
            properties(
                fixed(TEXT, 0x0037, mail.title),
                fixed(TIME, 0x0039, mail.sent),
                fixed(TEXT, 0x5D02, mail.organizer if not reply else mail.sender),
                fixed(TIME, 0x0060, mail.start),
                fixed(TIME, 0x0061, mail.start + HOUR),
                by_text(TEXT, MEETING, "Keywords", "none"),
                named(LONG, APPOINTMENT, 0x8201, mail.sequence),
                named(TEXT_8, APPOINTMENT, 0x8208, mail.place),
                named(TIME, APPOINTMENT, 0x820D, mail.start),
                named(TIME, APPOINTMENT, 0x820E, mail.start + HOUR),
                named(BOOLEAN, APPOINTMENT, 0x8223, bool(mail.rule)),
                named(BINARY, MEETING, 0x0003, object_id(mail.uid, mail.occurrence)),
                named(BINARY, MEETING, 0x0023, object_id(mail.uid)),
                named(TIME, MEETING, changed, mail.sent),
                named(BOOLEAN, MEETING, 0x000A, mail.occurrence is not None),
            ),
        ),
    )
