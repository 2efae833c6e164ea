"""Kafka promises no order between sources: without contradictions, any order of the same touchpoints gives the same customers."""

from collections import Counter

from hypothesis import assume, example, given
from hypothesis import strategies as st

from aggregates.identifier import kind_of
from aggregates.identity import DEFAULT_RULES
from tests.identity.people import anything, meetings, well_known
from tests.identity.telling import Story


def connected(met: list[str]) -> set[frozenset[str]]:
    """What is named together belongs together, and what belongs to the same: the plainest idea of who is who."""
    groups: list[set[str]] = []
    for who in met:
        named = set(who.split())
        touched = [group for group in groups if group & named]
        groups = [group for group in groups if not group & named] + [named.union(*touched)]
    return {frozenset(group) for group in groups if group}


@given(met=well_known(), data=st.data())
def test_people_who_share_nothing_are_told_apart_in_any_order(met: list[str], data: st.DataObject) -> None:
    story = Story(*data.draw(st.permutations(met)))
    assert not story.contradicted
    assert story.clusters == connected(met)


@given(met=meetings(), data=st.data())
@example(met=["device:a", "card:b", "device:a card:b", "card:b"], data=None).via("two visitors met together")
@example(met=["phone:1 device:a", "card:b", "device:a card:b"], data=None).via("a visitor met with a known customer's device")
def test_no_order_gives_other_customers(met: list[str], data: st.DataObject | None) -> None:
    story = Story(*met)
    other = Story(*(data.draw(st.permutations(met)) if data else reversed(met)))
    assume(not story.contradicted and not other.contradicted)
    assert story.clusters == other.clusters


@given(met=well_known(), data=st.data())
def test_every_touchpoint_ends_with_the_same_identifiers_in_any_order(met: list[str], data: st.DataObject) -> None:
    def company(order: list[str]) -> Counter[tuple[str, frozenset[str]]]:
        story = Story()
        deciders = [(who, story.meet(who).decider) for who in order]
        of = {token: owned for owned in story.clusters for token in owned}
        return Counter((who, of[decider]) for who, decider in deciders if decider)

    assert company(met) == company(data.draw(st.permutations(met)))


@given(met=anything())
def test_whatever_is_met_no_customer_breaks_a_limit_and_every_identifier_has_one_owner(met: list[str]) -> None:
    story = Story(*met)
    assert sum(len(owned) for owned in story.clusters) == len(story.known.owners)
    for owned in story.clusters:
        counts = Counter(kind_of(token) for token in story.known.owners if token in owned)
        assert all(count <= DEFAULT_RULES.kinds[kind].limit for kind, count in counts.items())


@given(met=anything())
def test_whatever_is_met_the_decider_is_the_customers_own(met: list[str]) -> None:
    story = Story()
    for who in met:
        attribution = story.meet(who)
        if attribution.decider is None:
            assert not who
        else:
            assert attribution.decider in who.split()
            assert story.known.owners[attribution.decider] == attribution.customer


@given(met=anything())
def test_a_founded_customer_is_the_one_that_the_touchpoint_is_given_to(met: list[str]) -> None:
    story = Story()
    for number, who in enumerate(met):
        attribution = story.meet(who)
        if attribution.change.founded:
            assert attribution.customer == Story.founded_by(number)
