"""The life of a published definition of churn: published beside the one in force, adopted in its place, retired. Decisions of the library.

A name has versions; one is in force at most. Reading order: Published, Adopted, Retired, Standing, the decide functions, standings.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from aggregates.churn import Definition
from aggregates.decision import Decision
from aggregates.touchpoint import derive

MOST = 6
"""Versions that are scored side by side, of all names together."""

VALUE = "value"
"""The score that no definition of churn may be called like: rules would hear chances where they ask for money."""


class Published(msgspec.Struct, frozen=True, tag="churn_model.published"):
    """A definition is scored from now on, beside the one in force."""

    at: datetime
    by: str
    definition: Definition


class Adopted(msgspec.Struct, frozen=True, tag="churn_model.adopted"):
    """A version takes over; the one before it is retired."""

    at: datetime
    by: str
    version: int


class Retired(msgspec.Struct, frozen=True, tag="churn_model.retired"):
    """A version is scored no more."""

    at: datetime
    by: str
    version: int


Event = Published | Adopted | Retired
Stands = Literal["beside", "in_force", "retired"]


class NotAllowed(Exception):
    """The model is not in a state in which that can be done."""


class Standing(msgspec.Struct, frozen=True):
    """All versions of a name."""

    decisions: int = 0
    versions: dict[int, tuple[Definition, Stands]] = {}

    @property
    def in_force(self) -> int | None:
        """The version by which scores are published."""
        return next((version for version, (_, stands) in self.versions.items() if stands == "in_force"), None)


_decoder = msgspec.json.Decoder(Event)


def id_of(name: str) -> UUID:
    """The aggregate of a name."""
    return derive("churn_model", name)


def first(name: str) -> Standing:
    """How a name stands before anybody decided: `churn` has a definition from the start, so that scores flow with no set-up."""
    return Standing(0, {1: (Definition(), "in_force")}) if name == "churn" else Standing()


def publish(standing: Standing, definition: Definition, at: datetime, by: str) -> Published:
    """A new version. Raises NotAllowed where one beside the one in force says the same already, and where another score is called so.

    The one in force may be published again as it is: the new version learns from the log as it is now, history that was imported late
    included, and takes over when it is adopted.
    """
    if definition.name == VALUE:
        raise NotAllowed("A score of this name is given already: what customers are worth.")
    version = max(standing.versions, default=0) + 1
    made = msgspec.structs.replace(definition, version=version)
    for known, stands in standing.versions.values():
        if stands == "beside" and msgspec.structs.replace(known, version=version) == made:
            raise NotAllowed(f"Version {known.version} says exactly this, and is scored beside the one in force.")
    return Published(at, by, made)


def adopt(standing: Standing, version: int, at: datetime, by: str) -> Adopted:
    """A version that is scored beside takes over. Raises NotAllowed."""
    if version not in standing.versions or standing.versions[version][1] != "beside":
        raise NotAllowed(f"Version {version} is not scored beside the one in force.")
    return Adopted(at, by, version)


def retire(standing: Standing, version: int, at: datetime, by: str) -> Retired:
    """A version is scored no more. Raises NotAllowed."""
    if version not in standing.versions or standing.versions[version][1] == "retired":
        raise NotAllowed(f"Version {version} is not scored.")
    return Retired(at, by, version)


def evolve(standing: Standing, event: Event) -> Standing:
    """How the name stands after a decision."""
    versions = dict(standing.versions)
    match event:
        case Published():
            stands: Stands = "beside" if standing.in_force is not None else "in_force"
            versions[event.definition.version] = (event.definition, stands)
        case Adopted():
            before = standing.in_force
            if before is not None:
                versions[before] = (versions[before][0], "retired")
            versions[event.version] = (versions[event.version][0], "in_force")
        case Retired():
            versions[event.version] = (versions[event.version][0], "retired")
    return Standing(standing.decisions + 1, versions)


def standing_of(name: str, decisions: Iterable[Decision]) -> Standing:
    """How a name stands after these decisions."""
    standing = first(name)
    for decision in decisions:
        standing = evolve(standing, _decoder.decode(decision.state))
    return standing


def decision(name: str, standing: Standing, event: Event) -> Decision:
    """The decision as it is kept."""
    return Decision(id_of(name), standing.decisions + 1, str(event.__struct_config__.tag), msgspec.json.encode(event))
