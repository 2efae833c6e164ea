"""Read models that a release would fold otherwise want to be rebuilt: whoever changes a fold says so, and installations tell it."""

import hashlib
from functools import reduce

from aggregates.contracts import CONTRACTS
from projections.generation import FOLDS
from projections.search.terms import terms_of
from projections.timeline.row import told_by
from projections.view.fold import begin, evolve, finish
from projections.view.state import encode
from tests.churn.told import fact

SAID = {1: "0161537674cce939"}
"""By `FOLDS`, what is made of the examples of all contracts. Another digest: raise `FOLDS`, and put the new one beside it."""


def test_what_is_folded_of_all_contracts_is_what_this_number_of_the_folds_stands_for() -> None:
    named = fact(0.0, "profile.reported", traits={"name": "Anna Smith-Jones, سارا ملک‌زاده", "email": "<anna@x.ir>,", "city": "كرج"})
    facts = [named, *(fact(1.0 + nth, type_, **contract.example) for nth, (type_, contract) in enumerate(sorted(CONTRACTS.items())))]
    state = finish(reduce(evolve, facts, begin()))
    said = (encode(state), sorted(map(repr, terms_of(state))), [told_by(one) for one in facts])
    assert hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest() == SAID[FOLDS]
