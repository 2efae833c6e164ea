"""Which decisions are told to the log: for each kind of aggregate the function that says what to tell.

The kind is what stands before the first dot of a decision's tag.
"""

from collections.abc import Mapping
from types import MappingProxyType

from aggregates.decision import Teller
from aggregates.service_request import telling

TELLERS: Mapping[str, Teller] = MappingProxyType({telling.KEPT: telling.told})
