"""Asks a broker what aiokafka does not: the ids of topics, which tell a topic from another one created later under its name.

The same answer holds brokers and partitions, and a failed question is an error, not a log line: so this is also how
engines are probed. One request (Metadata version 12) written with aiokafka's own wire types. Reading order: ask, topic_ids.
"""

import asyncio
import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

UNANSWERED = (KafkaError, ConsumerStoppedError, OSError, ValueError)
"""What a Kafka client raises that gets no answer, in time (a TimeoutError is an OSError), or none that it understands."""

ClientOptions = Mapping[str, Any]  # as every aiokafka client takes them: bootstrap_servers, security_protocol, sasl_*, ssl_context


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the cluster knows it."""

    id: str  # as Kafka's own tools print it
    partitions: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What one broker says about the cluster."""

    brokers: int
    topics: Mapping[str, Topic]  # those that exist, of those asked for


class NoAnswerError(Exception):
    """None of the bootstrap servers answered; the message is the last one's reason."""


async def ask(options: ClientOptions, names: Iterable[str] | None = (), *, within: float = 5.0) -> Metadata:
    """The cluster's brokers and the named topics (None: all). Raises NoAnswerError."""
    reason: Exception | None = None
    servers = options["bootstrap_servers"]
    credentials = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    for host, port, _ in collect_hosts(servers):
        try:
            async with asyncio.timeout(within):
                return await _ask(host, port, credentials, names)
        except UNANSWERED as error:
            reason = error
    raise NoAnswerError(_words(reason)) from reason


async def topic_ids(options: ClientOptions, names: Iterable[str] | None = None) -> dict[str, str]:
    """The id of each topic that exists (`names` None: of all)."""
    return {name: topic.id for name, topic in (await ask(options, names)).topics.items()}


async def _ask(host: str, port: int, credentials: ClientOptions, names: Iterable[str] | None) -> Metadata:
    connection = await create_conn(host, port, client_id="yekta", request_timeout_ms=10_000, **credentials)
    try:
        answer = await connection.send(_MetadataRequest(names))
    finally:
        connection.close()
    _, brokers, _, _, topics, _ = (answer.get_item(name) for name in answer.SCHEMA.names)
    return Metadata(
        brokers=len(brokers),
        topics={name: Topic(id_, len(partitions)) for error, name, id_, _, partitions, _, _ in topics if error == 0},
    )


def _words(reason: Exception | None) -> str:
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    return str(reason) or type(reason).__name__


class _TopicId:
    """The wire's UUID, which aiokafka's types lack, as the text Kafka prints."""

    @staticmethod
    def decode(data: BytesIO) -> str:
        return base64.urlsafe_b64encode(data.read(16)).rstrip(b"=").decode()

    @staticmethod
    def encode(value: str | None) -> bytes:
        return bytes(16) if value is None else base64.urlsafe_b64decode(value + "==")

    @staticmethod
    def repr(value: str) -> str:
        return repr(value)


class _MetadataResponse12(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString()), ("tags", TaggedFields)),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString()),
                ("topic_id", _TopicId),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest12(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION: ClassVar[bool] = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _TopicId), ("name", CompactString()), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequest12]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: Iterable[str] | None) -> None:
        self._topics: list[tuple[None, str, dict[int, bytes]]] | None = None if names is None else [(None, name, {}) for name in names]

    def build(self, request_struct_class: type[_MetadataRequest12]) -> _MetadataRequest12:
        return request_struct_class(self._topics, False, False, {})
