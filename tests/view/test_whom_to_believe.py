"""Several sources say different things of one trait: a published rule says whom to believe, and the order of arrival does not."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aggregates.fact import Fact
from aggregates.identity import publishing
from aggregates.identity.publishing import KindRule, TraitRule, Wrong
from projections.search.terms import terms_of
from projections.view import fold, traits
from projections.view.precedence import believed, rules_of
from projections.view.state import decode, encode
from tests.view.telling import Happening, happened

VERIFIED = TraitRule(trait="email", by=["verified"])
BY_SOURCE = TraitRule(trait="*", by=["source"], sources=["crm", "shop"])


def said(source: str, day: float, *verified: str, **told: Any) -> Fact:
    data = {"traits": told} | ({"verified": list(verified)} if verified else {})
    one = happened("profile.reported", data, day=day)
    return Happening(replace(one.event, yektakey=source), one.sealed).fact


def shown(facts: list[Fact], *rules: TraitRule) -> dict[str, Any]:
    state = fold.initial()
    for fact in facts:
        state = fold.evolve(state, fact)
    return {name: trait.value for name, trait in believed(decode(encode(state)).traits, rules).items()}


def test_without_a_rule_the_latest_is_believed() -> None:
    facts = [said("crm", 1, city="Tehran"), said("shop", 2, city="Shiraz")]
    assert shown(facts) == shown(facts[::-1]) == {"city": "Shiraz"}


def test_a_source_that_comes_first_is_believed_though_another_spoke_later() -> None:
    facts = [said("crm", 1, city="Tehran"), said("shop", 2, city="Shiraz"), said("partner", 3, city="Qom")]
    assert shown(facts, BY_SOURCE) == {"city": "Tehran"}
    assert shown(facts[1:], BY_SOURCE) == {"city": "Shiraz"}
    assert shown([*facts, said("crm", 0.5, city="Karaj")], BY_SOURCE) == {"city": "Tehran"}


def test_what_was_proven_is_believed_until_something_else_is() -> None:
    facts = [said("shop", 1, "email", email="a@x.ir"), said("shop", 2, email="b@x.ir"), said("crm", 3, email="c@x.ir")]
    assert shown(facts) == {"email": "c@x.ir"}
    assert shown(facts, VERIFIED) == {"email": "a@x.ir"}
    assert shown([*facts, said("crm", 4, "email", email="d@x.ir")], VERIFIED) == {"email": "d@x.ir"}


def test_what_a_rule_asks_first_decides_first() -> None:
    facts = [said("crm", 1, city="Tehran"), said("shop", 2, "city", city="Shiraz")]
    first = TraitRule(trait="city", by=["source", "verified"], sources=["crm"])
    assert shown(facts, first) == {"city": "Tehran"}
    assert shown(facts, replace(first, by=["verified", "source"])) == {"city": "Shiraz"}


def test_a_trait_of_its_own_rule_is_not_under_that_of_all() -> None:
    facts = [said("crm", 1, city="Tehran", email="a@x.ir"), said("shop", 2, city="Shiraz", email="b@x.ir")]
    assert shown(facts, TraitRule(trait="city"), BY_SOURCE) == {"city": "Shiraz", "email": "a@x.ir"}


def test_what_is_not_believed_is_shown_behind_it_and_searched() -> None:
    state = fold.evolve(fold.evolve(fold.initial(), said("crm", 1, name="Sara Karimi")), said("shop", 2, name="Sarah K"))
    name = believed(state.traits, [BY_SOURCE])["name"]
    assert (name.value, [one.value for one in name.others]) == ("Sara Karimi", ["Sarah K"])
    assert {"karimi", "sarah"} <= {word for _, word in terms_of(state)}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["crm", "shop", "partner", "call"]),
            st.integers(0, 9),
            st.booleans(),
            st.sampled_from(["city", "name", "shoe", "hat", "pet", "colour"]),
            st.integers(0, 3),
        ),
        max_size=14,
        unique_by=lambda one: one[1:],
    ),
    st.randoms(use_true_random=False),
)
def test_no_order_of_arrival_shows_even_where_not_all_is_kept(told: list[tuple[str, int, bool, str, int]], dice: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traits, "LIMIT", 3)
        patch.setattr(traits, "REPORTS", 3)
        facts = [said(source, day, *([name] if proven else []), **{name: value}) for source, day, proven, name, value in told]
        state, other = fold.initial(), fold.initial()
        for fact in facts:
            state = fold.evolve(state, fact)
        dice.shuffle(facts)
        for fact in facts:
            other = fold.evolve(other, fact)
    assert encode(state) == encode(other)


def test_a_rule_set_that_contradicts_itself_is_not_published() -> None:
    def checked(*rules: TraitRule) -> publishing.Document:
        kinds = [KindRule(kind="phone", priority=1, uniqueness="many", limit=5)]
        return publishing.checked(publishing.Document(kinds=kinds, traits=list(rules)))

    assert checked(VERIFIED, BY_SOURCE).traits == [VERIFIED, BY_SOURCE]
    for wrong in (
        [VERIFIED, VERIFIED],
        [TraitRule(trait="city", by=["source"])],
        [TraitRule(trait="city", sources=["crm"])],
        [TraitRule(trait="city", by=["verified", "verified"])],
        [TraitRule(trait="city", by=["source"], sources=["crm", "crm"])],
    ):
        with pytest.raises(Wrong):
            checked(*wrong)


def test_rules_are_read_as_they_are_stored() -> None:
    assert list(rules_of(None)) == []
    assert rules_of(msgspec.json.encode([VERIFIED]).decode()) == [VERIFIED]
