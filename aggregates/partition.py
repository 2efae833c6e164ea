"""Chooses a record's partition as Kafka's Java client does (murmur2, positive, modulo), so that every producer of ours agrees.

Source: Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2`.
"""

from struct import unpack_from

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit hash, unsigned."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    whole = length >> 2
    for k in unpack_from(f"<{whole}I", data):
        k = k * _M & _MASK  # noqa: PLW2901 - the algorithm mixes in place
        h = (h * _M & _MASK) ^ ((k ^ k >> 24) * _M & _MASK)
    tail = data[whole * 4 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition, 0 to partitions - 1, of a record with this key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
