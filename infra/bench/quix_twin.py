"""The twin in Quix Streams: counts in its own state with a changelog, and every event through its own PostgreSQL sink, each once.

It runs under an interpreter that has what quix.lock names, not under Yekta's, so it imports nothing of Yekta. It says `ready` at the
first record, waits for `go`, and says `done` when all is committed. The variable TWIN is JSON: where Kafka and PostgreSQL are, and how
many records there are.
"""

import json
import os
import sys
from datetime import datetime
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]  # another interpreter has it
from quixstreams.sinks.community.postgresql import PostgreSQLSink  # type: ignore[import-not-found]


def main(what: dict[str, Any]) -> None:
    """Work through the topic once."""
    application = Application(
        broker_address=what["kafka"],
        consumer_group=what["group"],
        auto_offset_reset="earliest",
        state_dir=what["state"],
        commit_interval=1.0,
        loglevel="WARNING",
        consumer_extra_config={"fetch.message.max.bytes": 12 << 20},
    )
    topic = application.topic(what["topic"], key_deserializer="str", value_deserializer="json")
    events = application.dataframe(topic)
    begun = False

    def count(event: dict[str, Any], state: Any) -> dict[str, Any]:
        nonlocal begun
        if not begun:
            begun = True
            say("ready")
        state.set("events", state.get("events", 0) + 1)
        state.set("last", max(state.get("last", ""), event["time"]))
        return {
            "customer_id": event.get("subject", ""),
            "event_id": event["yektaevent"],
            "at": datetime.fromisoformat(event["time"]),
            "type": event["type"],
            "source": event["source"],
            "decider": event.get("yektadecider", ""),
            "seal": event["yektaseal"],
            "record": event,
        }

    events = events.apply(count, stateful=True)
    sink = PostgreSQLSink(
        **what["postgres"],
        table_name="quix_timeline",
        primary_key_columns=["customer_id", "event_id"],
        upsert_on_primary_key=False,
        on_conflict_do_nothing=True,
        schema_auto_update=True,
        include_metadata=False,
    )
    events.sink(sink)
    application.run(count=what["records"], timeout=60, collect=False)
    say("done")


def say(word: str) -> None:
    """Say it and wait for an answer: who measures reads the clocks of this process now."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    main(json.loads(os.environ["TWIN"]))
