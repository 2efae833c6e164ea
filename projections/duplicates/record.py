"""What of a customer's view is compared with others'. Pure."""

from aggregates.identifier import kind_of
from aggregates.identity import Rules
from aggregates.matching import customers as matching
from projections.view.state import State


def record(state: State, rules: Rules) -> matching.Record:
    """What is compared of a customer's view. An identifier that proves nothing by the rules, as the company's own number, is left out."""
    contacts: dict[str, list[str]] = {}
    for token, point in sorted(state.contacts.points.items()):
        if point.value and not rules.blocks(token, point.value):
            contacts.setdefault(kind_of(token), []).append(point.value)
    return matching.record_of({name: trait.value for name, trait in state.traits.items()}, contacts)
