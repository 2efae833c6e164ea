"""Reads what a message center delivers, byte by byte, for centers as they are: receipts with or without a text, and texts in any alphabet.

What the specification ("Short Message Peer to Peer Protocol Specification v3.4", 4.6 and 5.2.19) has no alphabet for, or what is not of the
alphabet that is named, has no text here: whoever reads it keeps its bytes. Reading order: Delivered, delivered, text_of, alphabet.
"""

import re
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiosmpplib import TON
from aiosmpplib.codec import GSM7BitCodec

HEADER = 16
RECEIPT, KINDS, WITH_HEADER = 0b000100, 0b111100, 0x40  # esm_class: a receipt among the kinds of message, a header before the text
MESSAGE_ID, PAYLOAD, MESSAGE_STATE = 0x1E, 0x424, 0x427
SAR_NUMBER, SAR_TOTAL, SAR_PART = 0x20C, 0x20E, 0x20F
PARTS = {SAR_NUMBER, SAR_TOTAL, SAR_PART}
STATES = {1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD"}
"""The states of a message (5.2.28 of the specification), as receipts abbreviate them."""

Decode = Callable[[bytes], str]


def _in(encoding: str) -> Decode:
    return lambda raw: raw.decode(encoding)


def _gsm(raw: bytes) -> str:
    return str(GSM7BitCodec().decode(raw)[0])


_BYTES, _UCS2 = _in("ascii"), _in("utf-16-be")
_NAMED: Mapping[int, Decode] = {
    0: _gsm,
    1: _BYTES,
    2: _BYTES,  # octets of no alphabet: some centers say so of plain text
    3: _in("latin-1"),
    4: _BYTES,
    5: _in("iso2022_jp"),
    6: _in("iso8859_5"),
    7: _in("iso8859_8"),
    8: _UCS2,
    9: _in("shift_jis"),
    10: _in("iso2022_jp"),
    14: _in("euc_kr"),
}


class Part(NamedTuple):
    """Which part of a long text."""

    text: int  # its number, by which the phone tells one text from another
    of: int
    number: int


class Delivered(NamedTuple):
    """A message of a center: a receipt, or what a customer wrote."""

    number: str  # whose it is
    international: bool
    receipt: bool
    coding: int
    raw: bytes  # the text as it came
    name: str  # of a receipt: what the center called the message that it is of
    state: str  # and what became of it
    part: Part | None = None

    @property
    def phone(self) -> str:
        """The number as identifiers are written."""
        return f"+{self.number}" if self.international else self.number


def delivered(pdu: bytes) -> Delivered:
    """What a `deliver_sm` says. Raises ValueError for bytes that are none."""
    place = pdu.find(b"\0", HEADER) + 1  # after the service type
    sender = pdu.find(b"\0", place + 2)
    after = pdu.find(b"\0", sender + 3)  # the receiver
    scheduled = pdu.find(b"\0", after + 4)  # after esm_class, protocol_id and priority_flag
    valid = pdu.find(b"\0", scheduled + 1)
    if not 0 < place < sender < after < scheduled < valid <= len(pdu) - 6:
        raise ValueError("it breaks off")
    kind, coding, length = pdu[after + 1], pdu[valid + 3], pdu[valid + 5]
    text, beside = pdu[valid + 6 : valid + 6 + length], _beside(pdu[valid + 6 + length :])
    text = text or beside.get(PAYLOAD, b"")
    head, text = (text[1 : 1 + text[0]], text[1 + text[0] :]) if kind & WITH_HEADER and text else (b"", text)
    number, international = pdu[place + 2 : sender].decode("latin-1"), pdu[place] == TON.INTERNATIONAL
    if kind & KINDS == RECEIPT:
        name, state = _said(text_of(coding, text) or text.decode("latin-1"), beside)
        return Delivered(number, international, True, coding, text, name, state)
    return Delivered(number, international, False, coding, text, "", "", _part(head, beside))


def text_of(coding: int, raw: bytes) -> str | None:
    """What was written; None where nobody can read it."""
    read = alphabet(coding)
    try:
        return read(raw) if read else None
    except ValueError:
        return None


def alphabet(coding: int) -> Decode | None:
    """How texts of a data coding are read: as the specification has it, else as phones do (GSM 03.38), whose word some centers pass on."""
    if coding in _NAMED:
        return _NAMED[coding]
    if 0x10 <= coding < 0x80 and not coding & 0x20:  # of a class, not compressed
        return (_gsm, _BYTES, _UCS2, None)[coding >> 2 & 3]
    if 0xC0 <= coding < 0xF0:  # that messages wait
        return _UCS2 if coding >= 0xE0 else _gsm
    if coding >= 0xF0:
        return _BYTES if coding & 4 else _gsm
    return None


def _part(head: bytes, beside: Mapping[int, bytes]) -> Part | None:
    """Which part it is, by the header before the text (GSM 03.40, 9.2.3.24) or the parameters beside it."""
    found: Part | None = None
    while len(head) >= 2:
        kind, value, head = head[0], head[2 : 2 + head[1]], head[2 + head[1] :]
        if (kind, len(value)) in ((0, 3), (8, 4)):
            found = Part(int.from_bytes(value[:-2]), value[-2], value[-1])
    if found is None and PARTS.issubset(beside):
        found = Part(*(int.from_bytes(beside[tag]) for tag in (SAR_NUMBER, SAR_TOTAL, SAR_PART)))
    return found if found and 1 <= found.number <= found.of and found.of > 1 else None


def _said(text: str, beside: Mapping[int, bytes]) -> tuple[str, str]:
    """The name of the message that a receipt is of, and what became of it; from its text, else from its parameters."""
    before = re.split(r"\btext:", text, maxsplit=1, flags=re.IGNORECASE)[0]
    said = {name.lower(): value for name, value in reversed(re.findall(r"\b(id|stat):\s*(\S+)", before, re.IGNORECASE))}
    name = said.get("id") or beside.get(MESSAGE_ID, b"").decode("latin-1")
    state = said.get("stat") or STATES.get(int.from_bytes(beside.get(MESSAGE_STATE, b"")), "")
    return name.replace("\0", ""), state.replace("\0", "").upper()


def _beside(rest: bytes) -> dict[int, bytes]:
    """The parameters that stand after the text; one that breaks off is left out."""
    found: dict[int, bytes] = {}
    while len(rest) >= 4:
        tag, length = struct.unpack_from("!HH", rest)
        if len(rest) >= 4 + length:
            found[tag] = rest[4 : 4 + length]
        rest = rest[4 + length :]
    return found
