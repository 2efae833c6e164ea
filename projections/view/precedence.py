"""Chooses, of what several sources say of one trait, whom to believe: by the published rule for the trait, else the latest.

It is applied when a view is read, to reports that are kept whatever the rule says. Pure. Reading order: believed, preferred.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from aggregates.identity.publishing import ALL_TRAITS, TraitRule
from projections.view.traits import Trait, reports

NO_RULES: Sequence[TraitRule] = ()


def believed(traits: dict[str, Trait], rules: Sequence[TraitRule]) -> dict[str, Trait]:
    """Each trait as the rules have it; what it displaced stands behind it, the latest first."""
    if not rules:
        return traits
    by_name = {rule.trait: rule for rule in rules}
    every = by_name.get(ALL_TRAITS)
    return {name: preferred(trait, rule) if (rule := by_name.get(name, every)) else trait for name, trait in traits.items()}


_decoder = msgspec.json.Decoder(list[TraitRule])


def rules_of(document: str | None) -> Sequence[TraitRule]:
    """The rules that a rule set has for traits, as it is stored; none: the latest word wins."""
    return _decoder.decode(document) if document else NO_RULES


def preferred(trait: Trait, rule: TraitRule) -> Trait:
    """The report that the rule believes: what the rule asks first decides first, and the latest among equals."""
    told = reports(trait)
    chosen = max(told, key=lambda one: (*(_worth(one, rule, asked) for asked in rule.by), one.at, one.event, one.source))
    return replace(chosen, others=tuple(one for one in told if one is not chosen))


def _worth(one: Trait, rule: TraitRule, asked: str) -> int:
    if asked == "verified":
        return int(one.verified)
    return -rule.sources.index(one.source) if one.source in rule.sources else -len(rule.sources)
