"""docs/encodings.md is the promise: its vectors are read out of the page and worked out anew, by its words and by the program."""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from aggregates.canonical import canonical
from aggregates.identifier import Identifier
from aggregates.normal import NORMALISER_VERSION, normalise
from aggregates.touchpoint import NAMESPACE, derive, event_id
from aggregates.wire import sealed_decoder
from infra.sealing import KeyRing, MasterKey
from streams.inbox import SOURCE
from tests.contracts.page import PAGE

TEXT = (PAGE.parent / "encodings.md").read_text()
MASTER = bytes(range(32))


def vectors(*heading: str) -> list[tuple[str, ...]]:
    """The rows of the table with this heading."""
    table = TEXT.partition(f"| {' | '.join(heading)} |\n|{'---|' * len(heading)}\n")[2].partition("\n\n")[0]
    return [tuple(re.findall(r"`(.*?)` \|", line)) for line in table.splitlines()]


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def hash_key() -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=32, info=b"yekta hashing 1").derive(MASTER)


def keyed(purpose: str, body: bytes) -> str:
    return base64url(hashlib.blake2b(body, digest_size=16, key=hash_key(), person=purpose.encode()).digest())


EVENTS = vectors("write key's source", "`source`", "`id`", "event id")
KEYS = vectors("key", "base64url")
TOKENS = vectors("kind", "normal form", "token")
DIGESTS = vectors("purpose", "over", "base64url")
BODIES = vectors("type", "time", "data", "canonical body")
SEALED = vectors("data key", "nonce", "event id", "plain", "`yektasealed`")


def test_the_page_has_all_its_vectors() -> None:
    assert [len(table) for table in (EVENTS, KEYS, TOKENS, DIGESTS, BODIES, SEALED)] == [3, 2, 4, 2, 4, 1]


@pytest.mark.parametrize(("key", "source", "id_", "event"), EVENTS)
def test_an_event_id_is_a_uuid5(key: str, source: str, id_: str, event: str) -> None:
    assert str(NAMESPACE) in TEXT
    parts = "\x1f".join(("event", key, source, id_)).encode()
    by_hand = bytearray(hashlib.sha1(NAMESPACE.bytes + parts, usedforsecurity=False).digest()[:16])
    by_hand[6], by_hand[8] = by_hand[6] & 0x0F | 0x50, by_hand[8] & 0x3F | 0x80
    assert str(UUID(bytes=bytes(by_hand))) == event
    assert str(event_id(key, source, id_)) == event
    assert str(derive("event", key, source, id_)) == event


def test_the_topic_inbox_is_of_the_source_inbox() -> None:
    assert SOURCE.name == "inbox"


def test_the_keys_are_derived_from_the_master_key() -> None:
    wrapping = HKDFExpand(algorithm=SHA256(), length=32, info=b"yekta wrapping 1").derive(MASTER)
    assert [("hash key", base64url(hash_key())), ("wrapping key", base64url(wrapping))] == KEYS
    assert MasterKey(MASTER).hashing == hash_key()
    nonce = bytes(12)
    assert AESGCM(wrapping).decrypt(nonce, MasterKey(MASTER).wrapping.encrypt(nonce, b"key", b"1"), b"1") == b"key"


@pytest.mark.parametrize(("kind", "value", "token"), TOKENS)
def test_a_token_is_the_keyed_hash_of_the_normal_form(kind: str, value: str, token: str) -> None:
    assert normalise(kind, value) == Identifier(kind, value)
    hashed = keyed("token", f"{kind}\x1f{value}".encode())
    assert token == f"{kind}:{hashed}"
    assert token == KeyRing(MasterKey(MASTER)).token(Identifier(kind, value))


@pytest.mark.parametrize(("purpose", "over", "digest"), DIGESTS)
def test_a_digest_is_the_keyed_hash_for_its_purpose(purpose: str, over: str, digest: str) -> None:
    body = over.replace("␟", "\x1f").encode()
    assert digest == keyed(purpose, body)
    assert digest == base64url(KeyRing(MasterKey(MASTER)).digest(purpose, body))


@pytest.mark.parametrize(("type_", "time", "data", "body"), BODIES)
def test_a_canonical_body_is_sorted_json(type_: str, time: str, data: str, body: str) -> None:
    assert canonical(type_, time, msgspec.json.decode(data)).decode() == body


@pytest.mark.parametrize(("data_key", "nonce", "event", "plain", "sealed"), SEALED)
def test_the_sealed_part_opens(data_key: str, nonce: str, event: str, plain: str, sealed: str) -> None:
    assert raw(sealed)[:12] == raw(nonce)
    assert AESGCM(raw(data_key)).decrypt(raw(sealed)[:12], raw(sealed)[12:], event.encode()).decode() == plain
    opened = sealed_decoder.decode(plain)
    assert opened.identifiers == (("phone", "+989121234567"),)
    assert opened.personal.keys() == {"who", "note"}


def test_the_normaliser_is_the_one_that_the_page_speaks_of() -> None:
    assert f"**normaliser version {NORMALISER_VERSION}**" in TEXT
