"""Makes up people and how they were met: each has identifiers of his own, and every touchpoint names some of one person's."""

from hypothesis import strategies as st

STRONG = ("national_id:n", "customer_number:c", "user_id:u", "account:a", "email:e", "email:f", "phone:p", "phone:q", "loyalty:l")
WEAK = ("card:k", "device:d", "device:e", "device:f")


def of(person: int, token: str) -> str:
    """A person's own identifier of this kind."""
    return f"{token}{person}"


@st.composite
def meetings(draw: st.DrawFn, people: int = 3, most: int = 12) -> list[str]:
    """Touchpoints of people that share nothing."""
    met = []
    for _ in range(draw(st.integers(1, most))):
        person = draw(st.integers(0, people - 1))
        named = draw(st.lists(st.sampled_from(STRONG + WEAK), min_size=1, max_size=4, unique=True))
        met.append(" ".join(of(person, token) for token in named))
    return met


@st.composite
def well_known(draw: st.DrawFn, people: int = 3, most: int = 12) -> list[str]:
    """The same, but who names anything strong names his phone too: nothing that people say can contradict anything."""
    met = []
    for who in draw(meetings(people, most)):
        strong = [token for token in who.split() if not token.startswith(("card:", "device:"))]
        person = who[-1]
        met.append(" ".join(dict.fromkeys([*who.split(), f"phone:p{person}"])) if strong else who)
    return met


@st.composite
def anything(draw: st.DrawFn, most: int = 15) -> list[str]:
    """Touchpoints of whoever, sharing whatever: conflicts, limits and detaching included."""
    identifier = st.builds(
        lambda kind, value: f"{kind}:{value}",
        st.sampled_from(["national_id", "customer_number", "phone", "email", "card", "device"]),
        st.integers(0, 3),
    )
    return [" ".join(named) for named in draw(st.lists(st.lists(identifier, max_size=4), max_size=most))]
