"""What of a customer's view is compared with others'. Pure."""

from aggregates.identifier import kind_of
from aggregates.matching import customers as matching
from projections.view.state import State


def record(state: State) -> matching.Record:
    """What is compared of a customer's view."""
    contacts: dict[str, list[str]] = {}
    for token, point in sorted(state.contacts.points.items()):
        if point.value:
            contacts.setdefault(kind_of(token), []).append(point.value)
    return matching.record_of({name: trait.value for name, trait in state.traits.items()}, contacts)
