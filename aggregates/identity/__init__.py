"""Says who is one customer: whose a touchpoint is (`attribution`), what a person decided (`decisions`), and why (`graph`). All of it pure.

Reading order: rules, knowledge, attribution, decisions, graph, publishing.
"""

from aggregates.identity.attribution import NOBODY, Attribution, attribute, settled, strongest
from aggregates.identity.decisions import Erase, Merge, Said, Split, decide
from aggregates.identity.knowledge import Knowledge, Owned
from aggregates.identity.rules import DEFAULT_RULES, Kind, Rules

__all__ = [
    "DEFAULT_RULES",
    "NOBODY",
    "Attribution",
    "Erase",
    "Kind",
    "Knowledge",
    "Merge",
    "Owned",
    "Rules",
    "Said",
    "Split",
    "attribute",
    "decide",
    "settled",
    "strongest",
]
