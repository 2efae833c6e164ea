"""Says in tests who was met: `meet("phone:1 device:a")` attributes one touchpoint after another, as the resolver does."""

from uuid import UUID

from aggregates.identifier import Token
from aggregates.identity import DEFAULT_RULES, Attribution, Knowledge, Rules, Said, attribute, decide
from aggregates.identity.graph import Meeting
from aggregates.touchpoint import derive
from aggregates.wire import Identity


def tokens(who: str) -> tuple[Token, ...]:
    """`kind:value` tokens, separated by spaces."""
    return tuple(Token(token) for token in who.split())


class Story:
    """What identity has learned so far, and every fact it published."""

    def __init__(self, *met: str, rules: Rules = DEFAULT_RULES) -> None:
        self.known = Knowledge()
        self.rules = rules
        self.told: list[tuple[UUID, Identity]] = []
        self.meetings: list[Meeting] = []
        self.deciders: dict[int, Token] = {}  # of each touchpoint, by its number
        for who in met:
            self.meet(who)

    def meet(self, who: str) -> Attribution:
        """Attribute the next touchpoint."""
        event = derive("test", str(len(self.told)))
        attribution = attribute(self.known, event, tokens(who), self.rules)
        if attribution.customer is not None:
            self.known.learn(attribution.customer, attribution.change)
        if attribution.decider is not None:
            self.deciders[len(self.told)] = attribution.decider
        self.meetings.append(Meeting(event, tokens(who)))
        for link in attribution.change.links:
            self.known.first.setdefault(link.token, UUID(link.owner))
        self.told.append((attribution.customer or UUID(int=0), attribution.change))
        return attribution

    def decide(self, decision: Said) -> Identity:
        """A person decides."""
        event = derive("test", str(len(self.told)))
        change = decide(self.known, event, decision)
        self.known.learn(derive("customer", str(event)), change)
        self.told.append((derive("customer", str(event)), change))
        return change

    @staticmethod
    def founded_by(number: int) -> UUID:
        """The id of the customer that the touchpoint with this number founded, if it did."""
        return derive("customer", str(derive("test", str(number))))

    def owner(self, token: str) -> UUID:
        """Whose an identifier is now."""
        return self.known.owners[Token(token)]

    @property
    def clusters(self) -> set[frozenset[str]]:
        """The identifiers of each customer, without the customers' names."""
        return {frozenset(owned.tokens) for owned in self.known.customers.values() if owned.tokens}

    @property
    def contradicted(self) -> bool:
        """Whether anything met could not be true of one person."""
        return any(change.conflict or change.detached for _, change in self.told)


def clusters(*customers: str) -> set[frozenset[str]]:
    """As `Story.clusters` has them: one text a customer."""
    return {frozenset(customer.split()) for customer in customers}
