"""A split leaves everything as if the link had never been, in whatever order it all happened; and what a person keeps apart stays so."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from aggregates.identity import DEFAULT_RULES, Merge, Split, decide
from aggregates.identity.graph import Meeting, divide, opposite, shortest, without
from aggregates.touchpoint import derive
from tests.identity.telling import Story, clusters, tokens

AT = datetime(2026, 1, 1, tzinfo=UTC)


def split(story: Story, go: str, stay: str = "") -> None:
    """A person says what goes; what stays is all else that its owners have."""
    named = tokens(go)
    owned = {token for owned in story.known.customers.values() if owned.tokens & set(named) for token in owned.tokens}
    away = opposite(owned, story.known.first, story.meetings, named, DEFAULT_RULES)
    sides = divide(owned, story.meetings, named, away, DEFAULT_RULES) if not stay else None
    decision = (
        Split(by="x", at=AT, go=sides.go, stay=sides.stay, detach=sides.detach)
        if sides
        else Split(by="x", at=AT, go=named, stay=tokens(stay))
    )
    story.decide(decision)


PEOPLE = ("p", "q")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[str], set[int]]:
    """Two people's touchpoints, shuffled, and which of them name the other's phone by mistake. Who names anything names his phone."""
    met: list[str] = []
    wrong: set[int] = set()
    for number in range(draw(st.integers(2, 12))):
        person, other = draw(st.permutations(PEOPLE))
        who = draw(st.lists(st.sampled_from(["email:e", "account:a", "device:d", "loyalty:l"]), max_size=3, unique=True))
        named = [f"phone:{person}", *(f"{token}{person}" for token in who)]
        if number > 1 and draw(st.booleans()):
            named = [f"phone:{person}", f"phone:{other}"]
            wrong.add(number)
        met.append(" ".join(named))
    return ["phone:p", "phone:q", *met], {number + 2 for number in wrong}


def outcome(story: Story) -> set[frozenset[int]]:
    """Which touchpoints are one customer's, whoever he is: under the present owners of what decided them."""
    found: dict[object, set[int]] = {}
    for number, decider in story.deciders.items():
        found.setdefault(story.known.owners[decider], set()).add(number)
    return {frozenset(numbers) for numbers in found.values()}


@given(told=histories(), data=st.data())
def test_a_split_leaves_all_as_if_the_link_had_never_been(told: tuple[list[str], set[int]], data: st.DataObject) -> None:
    met, _ = told
    when = data.draw(st.integers(2, len(met)))
    before = Story()
    before.decide(Split(by="x", at=AT, go=tokens("phone:q"), stay=tokens("phone:p")))
    before.deciders.clear()
    for who in met:
        before.meet(who)
    after = Story()
    for number, who in enumerate([*met, ""]):
        if number == when:
            split(after, "phone:q", "" if after.owner("phone:p") == after.owner("phone:q") else "phone:p")
        after.meet(who)
    expected = {frozenset(number - 1 for number in numbers) for numbers in outcome(before)}
    got = {frozenset(number - (number > when) for number in numbers) for numbers in outcome(after)}
    assert got == expected
    assert after.known.detached == before.known.detached


def test_what_a_person_keeps_apart_no_evidence_joins_and_nobody_is_asked_again() -> None:
    story = Story("email:a", "phone:p", "email:a phone:p")
    split(story, "phone:p")
    met = story.meet("email:a phone:p")
    assert story.clusters == clusters("email:a", "phone:p")
    assert (met.customer, met.decider, met.change.conflict) == (story.owner("email:a"), "email:a", "")
    assert met.fired == ("kept_apart",)
    story.meet("account:x phone:p")
    story.meet("account:x email:a")
    assert story.clusters == clusters("email:a", "phone:p account:x")


def test_who_was_one_with_another_is_again_who_he_was() -> None:
    story = Story("email:a", "phone:p")
    younger = story.owner("phone:p")
    story.meet("email:a phone:p")
    split(story, "phone:p")
    assert story.owner("phone:p") == younger


def test_whoever_was_there_first_keeps_his_id_whichever_side_is_named() -> None:
    story = Story("email:a", "phone:p")
    older, younger = story.owner("email:a"), story.owner("phone:p")
    story.meet("email:a phone:p")
    split(story, "email:a")
    assert (story.owner("email:a"), story.owner("phone:p")) == (older, younger)


def test_who_was_met_anew_while_they_were_one_takes_nobodys_id() -> None:
    for go, stay in (("email:a", "phone:p device:d"), ("phone:p device:d", "email:a")):
        story = Story("email:a", "phone:p")
        older, younger = story.owner("email:a"), story.owner("phone:p")
        story.decide(Merge(by="x", at=AT, join=tokens("email:a phone:p")))
        story.meet("phone:p device:d")
        split(story, go, stay)
        assert (story.owner("email:a"), story.owner("phone:p"), story.owner("device:d")) == (older, younger, younger)


def test_who_was_made_one_and_split_in_one_breath_is_again_who_he_was() -> None:
    story = Story("email:a", "phone:p")
    older, younger = story.owner("email:a"), story.owner("phone:p")
    story.known.first.clear()  # nothing had moved when it was looked up
    story.decide(Merge(by="x", at=AT, join=tokens("email:a phone:p")))
    split(story, "phone:p", "email:a")
    assert (story.owner("email:a"), story.owner("phone:p")) == (older, younger)


def test_a_person_joins_whom_the_limits_keep_apart_and_what_he_kept_apart() -> None:
    story = Story("national_id:n phone:1", "national_id:m email:e")
    story.decide(Merge(by="x", at=AT, join=tokens("national_id:n national_id:m")))
    assert len(story.clusters) == 1
    split(story, "national_id:m email:e", "national_id:n phone:1")
    assert len(story.clusters) == 2
    story.decide(Merge(by="x", at=AT, join=tokens("national_id:n national_id:m")))
    assert len(story.clusters) == 1
    assert not story.known.walls.between(tokens("national_id:n national_id:m"))


def test_two_that_were_never_one_can_be_kept_apart() -> None:
    story = Story("email:a", "phone:p")
    split(story, "phone:p", "email:a")
    story.meet("email:a phone:p")
    assert story.clusters == clusters("email:a", "phone:p")


def test_what_only_those_who_go_tie_to_him_goes_with_them() -> None:
    story = Story("email:a phone:p", "phone:p account:q", "account:q device:d", "email:a device:h")
    split(story, "phone:p")
    assert story.clusters == clusters("email:a device:h", "phone:p account:q device:d")


def test_taking_one_fact_back_takes_what_nothing_else_ties() -> None:
    story = Story("email:a device:h", "phone:p account:q", "email:a phone:p")
    owned = set(story.known.owners)
    assert without(owned, story.meetings, story.meetings[2].event, DEFAULT_RULES) == {"phone:p", "account:q"}
    story.meet("email:a account:q")
    assert without(owned, story.meetings, story.meetings[2].event, DEFAULT_RULES) == set()


def test_why_two_are_one_is_the_shortest_chain_of_facts() -> None:
    events = [derive("test", str(n)) for n in range(3)]
    meetings = [Meeting(events[0], tokens("a:1 b:1 c:1")), Meeting(events[1], tokens("c:1 d:1")), Meeting(events[2], tokens("b:1 x:1"))]
    assert shortest(meetings, *tokens("a:1 d:1")) == [("a:1", "c:1", events[0]), ("c:1", "d:1", events[1])]
    assert shortest(meetings, *tokens("a:1 y:1")) is None


def test_a_decision_met_again_changes_nothing_more() -> None:
    story = Story("email:a phone:p")
    split(story, "phone:p", "email:a")
    again = decide(story.known, derive("again"), Split(by="x", at=AT, go=tokens("phone:p"), stay=tokens("email:a")))
    assert again.links == ()
    assert again.founded == 0
