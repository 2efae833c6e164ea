"""Seals and opens with real keys: the adapter of `aggregates.sealing.Sealer` over data keys in PostgreSQL.

A door must accept while PostgreSQL is down, so it draws its data keys from a block leased ahead; a reader fetches the keys it needs in
batches. Every data key is wrapped by the master key and bound to its number. A key that an erasure destroyed keeps its row, which says so;
what others had sealed with it is in `secrets.anew`, wrapped one by one. Reading order: MasterKey, KeyRing.
"""

import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from aggregates.identifier import Identifier, Token, hash_input
from aggregates.sealing import KeyDestroyed, KeyMissing, KeyUnknown, text
from infra.errors import Refusal

BLOCK = 10_000
DAY = 86_400
OPENED = 100_000
SUBJECTS = 200_000
"""Of so many subjects the key is remembered, as bytes: one made ready takes forty times the room, and it takes as long to find it."""

REMEMBERED = "1 minute"
"""For so long a ring that did not look is told what was destroyed."""

Connection = AsyncConnection[tuple[object, ...]]


class MasterKey:
    """32 bytes from which the wrapping key, the hash key and the key that signs snapshots are derived (HKDF, RFC 5869)."""

    def __init__(self, secret: bytes) -> None:
        self.wrapping = AESGCM(_expand(secret, b"yekta wrapping 1"))
        self.hashing = _expand(secret, b"yekta hashing 1")
        self.signing = _expand(secret, b"yekta signing 1")
        self.fingerprint = text(_expand(secret, b"yekta fingerprint 1")[:12])

    @classmethod
    def from_text(cls, value: str) -> "MasterKey":
        """From base64url. Raises ValueError when it is not 32 bytes."""
        secret = urlsafe_b64decode(value + "=" * (-len(value) % 4))
        if len(secret) != 32:
            raise ValueError(f"a master key has 32 bytes, this one has {len(secret)}")
        return cls(secret)

    @classmethod
    def of_home(cls, path: Path) -> "MasterKey":
        """The key kept in a file that only its owner may read; made when absent."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls.from_text(path.read_text().strip())
        with os.fdopen(descriptor, "w") as file:
            file.write(urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode())
            file.flush()
            os.fsync(file.fileno())
        return cls.from_text(path.read_text().strip())


async def check_master_key(connection: Connection, master: MasterKey) -> None:
    """Refuse a master key that is not the one this database's data keys are wrapped by."""
    await connection.execute("INSERT INTO secrets.master (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING", (master.fingerprint,))
    cursor = await connection.execute("SELECT fingerprint FROM secrets.master")
    row = await cursor.fetchone()
    if row is None or row[0] != master.fingerprint:
        raise Refusal(
            "The master key is not the one this database was sealed with.",
            "Set YEKTA_MASTER_KEY to it; the embedded default keeps it in secrets/master.key of the home.",
        )


def _expand(secret: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=32, info=purpose).derive(secret)


_NUMBERING = 0x59454B4E  # "YEKN": the advisory lock of those who number data keys
_BY_THE_CLOCK = (
    "SELECT setval('secrets.data_key_number', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) FROM secrets.data_key_number"
    " WHERE last_value < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
)
"""No number is given twice, also where the database was restored from a backup and the log has newer records: each would be taken for
sealed with a key that it was not sealed with, and nobody could tell that its own is lost."""


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A key that an erasure destroyed, and what of others was sealed with it, by what it is of."""

    anew: Mapping[bytes, bytes]


class KeyRing:
    """The keys one process holds. `lease` before sealing, `fetch` before opening; neither is needed for hashes.

    Whoever seals calls `heed` every second, so that it stops to use keys that are to be destroyed.
    """

    def __init__(self, master: MasterKey, block: int = BLOCK, holder: UUID | None = None) -> None:
        """`holder`: by what it is known among those who hold keys. Who has the same takes the place of one that died."""
        self._master = master
        self._block = block
        self._free: deque[tuple[int, bytes]] = deque()
        self._spent: deque[tuple[int, bytes]] = deque(maxlen=256)
        self._subjects: OrderedDict[bytes, tuple[int, bytes, float]] = OrderedDict()
        self._opened: OrderedDict[int, bytes | Destroyed] = OrderedDict()
        self._doomed: frozenset[int] = frozenset()
        self._stopped: frozenset[int] = frozenset()
        self._id = holder or uuid4()
        self._tokens: dict[Identifier, Token] = {}
        self._token_hash = blake2b(digest_size=16, key=master.hashing, person=b"token")
        purposes = ("subject", "body", "session", "block")
        self._digests = {name: blake2b(digest_size=16, key=master.hashing, person=name.encode()) for name in purposes}

    # hashes

    def token(self, identifier: Identifier) -> Token:
        known = self._tokens.get(identifier)
        if known is None:
            if len(self._tokens) >= OPENED:
                self._tokens.clear()
            keyed = self._token_hash.copy()
            keyed.update(hash_input(identifier))
            known = self._tokens[identifier] = Token(f"{identifier.kind}:{text(keyed.digest())}")
        return known

    def digest(self, purpose: str, body: bytes) -> bytes:
        keyed = self._digests[purpose].copy()
        keyed.update(body)
        return keyed.digest()

    # sealing

    def seal(self, subject: bytes, plain: bytes, context: bytes) -> tuple[int, bytes]:
        now = time.monotonic()
        held = self._subjects.get(subject)
        if held is None or now - held[2] > DAY:
            number, key = self._next()
            held = self._subjects[subject] = (number, key, now)
            if len(self._subjects) > SUBJECTS:
                self._subjects.popitem(last=False)
        number, key, _ = held
        nonce = os.urandom(12)
        return number, nonce + AESGCM(key).encrypt(nonce, plain, context)

    def _next(self) -> tuple[int, bytes]:
        """A fresh key; with none left and PostgreSQL away, one of the last ones serves a second subject rather than refuse a fact."""
        if self._free:
            key = self._free.popleft()
            self._spent.append(key)
            return key
        if not self._spent:
            raise KeyUnknown("no data keys were leased")
        self._spent.rotate(-1)
        return self._spent[-1]

    @property
    def free(self) -> int:
        """How many fresh data keys are left in this process."""
        return len(self._free)

    @property
    def can_seal(self) -> bool:
        """Whether there is any data key to seal with: one has been leased."""
        return bool(self._free or self._spent)

    def wants_lease(self) -> bool:
        """Whether half of the block is used, so that the next should be leased."""
        return len(self._free) * 2 <= self._block

    async def lease(self, pool: AsyncConnectionPool[Connection]) -> None:
        """Make a block of keys, keep them wrapped in PostgreSQL, then hold them here. Only after the commit may one be used."""
        keys = [AESGCM.generate_key(256) for _ in range(self._block)]
        async with pool.connection() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_NUMBERING,))
            await cursor.execute(_BY_THE_CLOCK)
            await cursor.execute("SELECT nextval('secrets.data_key_number') FROM generate_series(1, %s)", (self._block,))
            numbers = [int(str(row[0])) for row in await cursor.fetchall()]
            async with cursor.copy("COPY secrets.data_keys (number, wrapped) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["int8", "bytea"])
                for number, key in zip(numbers, keys, strict=True):
                    nonce = os.urandom(12)
                    await copy.write_row((number, nonce + self._master.wrapping.encrypt(nonce, key, str(number).encode())))
        self._free.extend(zip(numbers, keys, strict=True))

    # opening

    def unseal(self, number: int, sealed: bytes, context: bytes) -> bytes:
        if not sealed:
            raise KeyDestroyed("it was erased, and its key is about to be destroyed")
        try:
            held = self._opened[number]
        except KeyError:
            raise KeyUnknown(f"data key {number} was not fetched") from None
        if isinstance(held, Destroyed):
            return self._unwrap_anew(number, held, context)
        return AESGCM(held).decrypt(sealed[:12], sealed[12:], context)

    async def fetch(self, connection: Connection, numbers: Iterable[int]) -> None:
        """Bring the keys with these numbers into memory; those that were destroyed are remembered as such. Raises KeyMissing."""
        wanted = set(numbers) - {0}
        missing = [number for number in wanted if number not in self._opened]
        for number in wanted.difference(missing):
            self._opened.move_to_end(number)
        if not missing:
            return
        # Whoever was not wanted for longest goes, but never one of this batch: it may hold more numbers than fit.
        for _ in range(min(len(self._opened) + len(missing) - OPENED, len(self._opened) + len(missing) - len(wanted))):
            self._opened.popitem(last=False)
        array = "{" + ",".join(map(str, missing)) + "}"  # of a list psycopg would look at each element for its type
        cursor = await connection.execute("SELECT number, wrapped FROM secrets.data_keys WHERE number = ANY(%s::int8[])", (array,))
        found = {int(str(row[0])): row[1] for row in await cursor.fetchall()}
        lost = sorted(set(missing) - found.keys())
        if lost:
            raise KeyMissing(
                f"Data key {lost[0]} has no row{f', nor have {len(lost) - 1} others' if lost[1:] else ''}: it was not erased, it is lost."
                " Restore `secrets.data_keys` from its backup."
            )
        destroyed = [number for number, wrapped in found.items() if not isinstance(wrapped, bytes)]
        anew = await self._anew(connection, destroyed) if destroyed else {}
        for number, wrapped in found.items():
            self._opened[number] = self._unwrap(number, wrapped) if isinstance(wrapped, bytes) else Destroyed(anew[number])

    def _unwrap(self, number: int, wrapped: bytes) -> bytes:
        return self._master.wrapping.decrypt(wrapped[:12], wrapped[12:], str(number).encode())

    @staticmethod
    async def _anew(connection: Connection, numbers: Collection[int]) -> dict[int, dict[bytes, bytes]]:
        found: dict[int, dict[bytes, bytes]] = {number: {} for number in numbers}
        cursor = await connection.execute("SELECT number, context, sealed FROM secrets.anew WHERE number = ANY(%s)", (list(numbers),))
        for number, context, sealed in await cursor.fetchall():
            if isinstance(sealed, bytes) and isinstance(context, bytes):
                found[int(str(number))][context] = sealed
        return found

    def _unwrap_anew(self, number: int, held: Destroyed, context: bytes) -> bytes:
        wrapped = held.anew.get(context)
        if wrapped is None:
            raise KeyDestroyed(f"data key {number} was destroyed")
        return self._master.wrapping.decrypt(wrapped[:12], wrapped[12:], _anew_context(number, context))

    # letting go

    def rewrap(self, number: int, sealed: bytes, context: bytes) -> bytes | None:
        """What a key that is to be destroyed had sealed of somebody else, wrapped by the master key; None: it cannot be opened.

        Taking away this one text destroys it as taking away a key destroys all that it sealed.
        """
        try:
            plain = self.unseal(number, sealed, context)
        except (KeyDestroyed, InvalidTag):
            return None
        nonce = os.urandom(12)
        return nonce + self._master.wrapping.encrypt(nonce, plain, _anew_context(number, context))

    async def heed(self, connection: Connection) -> None:
        """Seal with no key that is to be destroyed, open with none that was, then say that it is so."""
        cursor = await connection.execute(
            "SELECT number, false, clock_timestamp() FROM secrets.doomed UNION ALL"
            " SELECT number, true, clock_timestamp() FROM secrets.data_keys WHERE destroyed > now() - %s::interval UNION ALL"
            " SELECT 0, true, clock_timestamp()",
            (REMEMBERED,),
        )
        rows = await cursor.fetchall()
        doomed = frozenset(int(str(row[0])) for row in rows if not row[1])
        destroyed = {int(str(row[0])) for row in rows if row[1] and row[0]} | self._doomed - doomed
        self._stop((doomed | destroyed) - self._stopped)
        self._stopped = doomed | destroyed
        stale = [number for number in destroyed if number in self._opened]
        if stale:
            anew = await self._anew(connection, stale)
            self._opened |= {number: Destroyed(anew[number]) for number in stale}
        self._doomed = doomed
        await connection.execute(
            "INSERT INTO secrets.holders (id, heard) VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET heard = excluded.heard",
            (self._id, rows[-1][2]),
        )

    def _stop(self, numbers: Collection[int]) -> None:
        """Draw no more from these, whatever they served. It goes through all that is held: only where there are any."""
        if not numbers:
            return
        for subject in [subject for subject, (number, _, _) in self._subjects.items() if number in numbers]:
            del self._subjects[subject]
        for keys in (self._free, self._spent):
            for key in [key for key in keys if key[0] in numbers]:
                keys.remove(key)


def _anew_context(number: int, context: bytes) -> bytes:
    """Never what binds a wrapped key, which is a number alone."""
    return str(number).encode() + b" " + context
