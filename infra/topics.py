"""Makes the topics before anything writes to them, the same way each time, and refuses a partition count that is not theirs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from infra.engines.kafka import LARGEST_MESSAGE
from infra.errors import Refusal
from infra.topic_ids import ClientOptions, Metadata, NoAnswerError, Topic, ask

PARTITIONS = 2
"""Of new topics, where nothing else is set (docs/decisions/0019): each is a lane of its own in both hops, and the more lanes the
processes of a machine have the longer each waits for its turn."""

_DAY = 24 * 60 * 60 * 1000
_FOR_EVER = -1
_ALREADY_EXISTS = 36
_KNOWN_WITHIN = 60.0
_REPLICAS_THAT_SURVIVE_ONE = 3


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The full names of a prefix's topics."""

    inbox: str  # the door for foreign producers
    touchpoints: str  # the truth
    customer_events: str  # attributed: what others subscribe to
    signals: str
    scores: str
    churn_examples: str
    dead_letters: str


@dataclass(frozen=True, slots=True)
class _Plan:
    retention_ms: int = _FOR_EVER
    partitions: int | None = None  # None: as set
    stamped_by_broker: bool = False


_PLANS = {
    "inbox": _Plan(retention_ms=7 * _DAY, stamped_by_broker=True),  # a producer's clock must not decide what is kept
    "touchpoints": _Plan(),
    "customer-events": _Plan(),
    "signals": _Plan(retention_ms=30 * _DAY),
    "scores": _Plan(retention_ms=30 * _DAY),
    "churn-examples": _Plan(partitions=1),  # one learner, one order
    "dead-letters": _Plan(),
}


def topic_names(prefix: str) -> TopicNames:
    return TopicNames(**{plan.replace("-", "_"): prefix + plan for plan in _PLANS})


def lets_go(topic: str) -> bool:
    """Whether a topic, named without its prefix, keeps its records for some days only."""
    return _PLANS[topic].retention_ms != _FOR_EVER


async def create_topics(
    options: ClientOptions, *, prefix: str, partitions: int | None = None, replication: int | None = None
) -> dict[str, Topic]:
    """Create what is missing; return every topic with its id and its partitions, by full name. Without a count they keep their own."""
    there = await _known(options, prefix)
    partitions = partitions or _made_with(there, prefix) or PARTITIONS
    missing = [name for name in _PLANS if prefix + name not in there.topics]
    if missing:
        await _create(options, {prefix + name: _PLANS[name] for name in missing}, partitions, replication or min(3, there.brokers))
        there = await _all_known(options, prefix)
    for name, plan in _PLANS.items():
        _check(prefix + name, there.topics[prefix + name], plan.partitions or partitions)
    return dict(there.topics)


def _made_with(there: Metadata, prefix: str) -> int | None:
    """The count that the topics were made with, if there are any."""
    made = [there.topics[prefix + name] for name, plan in _PLANS.items() if plan.partitions is None and prefix + name in there.topics]
    return made[0].partitions if made else None


async def _known(options: ClientOptions, prefix: str) -> Metadata:
    try:
        return await ask(options, [prefix + name for name in _PLANS], within=10.0)
    except NoAnswerError as error:
        raise unreachable(options, error) from error


async def _all_known(options: ClientOptions, prefix: str) -> Metadata:
    """A broker answers for new topics a little after they were created: later on a busy machine."""
    deadline = monotonic() + _KNOWN_WITHIN
    while len((there := await _known(options, prefix)).topics) < len(_PLANS):
        if monotonic() > deadline:
            raise Refusal(f"The topics of {prefix} do not appear although they were created.", "Look at Kafka's log.")
        await asyncio.sleep(0.05)
    return there


def unreachable(options: ClientOptions, error: NoAnswerError) -> Refusal:
    return Refusal(
        f"No Kafka broker answers at {options['bootstrap_servers']}: {error}.",
        "See YEKTA_KAFKA__BOOTSTRAP_SERVERS and its SASL and TLS settings.",
    )


async def _create(options: ClientOptions, plans: Mapping[str, _Plan], partitions: int, replication: int) -> None:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    from aiokafka.errors import for_code

    wanted = [
        NewTopic(name, plan.partitions or partitions, replication, topic_configs=_configuration(plan, replication))
        for name, plan in plans.items()
    ]
    admin = AIOKafkaAdminClient(**options, request_timeout_ms=30_000)
    try:
        await admin.start()
        answer = await admin.create_topics(wanted)
    finally:
        await admin.close()
    for name, code, message in answer.topic_errors:
        if code not in {0, _ALREADY_EXISTS}:  # another `up` may have been first
            raise Refusal(f"Kafka does not create the topic {name}: {message or for_code(code).description}")


def _configuration(plan: _Plan, replication: int) -> dict[str, Any]:
    alone = replication == 1
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(plan.retention_ms),
        "retention.bytes": "-1",
        "max.message.bytes": str(LARGEST_MESSAGE),
        "message.timestamp.type": "LogAppendTime" if plan.stamped_by_broker else "CreateTime",
        "min.insync.replicas": "2" if replication >= _REPLICAS_THAT_SURVIVE_ONE else "1",
        "unclean.leader.election.enable": "false",
        # one replica has nobody else to remember: on the disk before it is acknowledged
        **({"flush.messages": "1"} if alone else {}),
    }


def _check(name: str, topic: Topic, partitions: int) -> None:
    if topic.partitions != partitions:
        raise Refusal(
            f"The topic {name} has {topic.partitions} partitions, and {partitions} are set.",
            "The number belongs to the topic: set YEKTA_KAFKA__PARTITIONS back, or rebuild under another YEKTA_KAFKA__PREFIX.",
        )
