"""What an evaluation says: every signal and every candidate's outcome, as the API has them; or a table for people."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.table import Column, Table

from infra.evaluation.rules.run import Evaluation


def plain(evaluation: Evaluation) -> Mapping[str, Any]:
    """Signals in the order in which they were given, with their outcomes."""
    signals = [
        {
            "id": signal.id,
            "rule": signal.rule,
            "version": signal.version,
            "customer_id": person.present.id,
            "cause": {"source": signal.source, "id": signal.cause},
            "occurred_at": signal.occurred_at,
            "recorded_at": signal.recorded_at,
            "late": signal.late,
            "withdrawn": id_ in evaluation.withdrawn,
        }
        for id_, (signal, person) in evaluation.signals.items()
    ]
    outcomes = []
    for id_ in evaluation.signals:
        if id_ in evaluation.outcomes:
            customer = evaluation.signals[id_][1].present.id
            outcomes.append({**evaluation.outcomes[id_].plain, "customer_id": customer})
    return {"signals": signals, "outcomes": outcomes}


def table(evaluation: Evaluation) -> Table:
    """Per rule: how often it fired, and what became of it."""
    columns = [Column(name, justify="right") for name in ("signals", "late", "withdrawn", "sent", "held", "silent")]
    shown = Table("rule", *columns, "silent because", box=None)
    for trigger in evaluation.triggers:
        name = trigger.rule.name
        given = {id_: signal for id_, (signal, _) in evaluation.signals.items() if signal.rule == name}
        outcomes = [evaluation.outcomes[id_] for id_ in given if id_ in evaluation.outcomes]
        results = Counter(outcome.result for outcome in outcomes)
        reasons = Counter(outcome.reason for outcome in outcomes if outcome.result == "silent")
        counts = (
            len(given),
            sum(signal.late for signal in given.values()),
            len(evaluation.withdrawn & given.keys()),
            results["sent"],
            results["held"],
            results["silent"],
        )
        shown.add_row(
            name, *(f"{count:,}" for count in counts), ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common(5))
        )
    return shown
