"""The models in public: how churn is predicted beside its rivals, what is published of it, and by what customers are valued.

Reading order: ChurnModels, router, `_decided`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates import churn_model
from aggregates import value as value_costs
from aggregates.access import Role
from aggregates.churn import Definition
from aggregates.churn_model import NotAllowed, Standing
from aggregates.contracts import CONTRACTS
from aggregates.decision import Also, Overtaken
from aggregates.value import Costs
from aggregates.written.problem import Problem as Written
from aggregates.written.problem import nearest
from aggregates.written.reader import ALIKE
from api import access, body, openapi
from api.access import Caller
from api.answers import json
from api.decoding import decoded
from api.hints import told
from api.ports import Dependencies
from api.problem import Mistake, Problem, not_found, of_refusal
from api.written import language
from projections.churn import models, table
from projections.churn.models import Fate, Model
from projections.value import table as values

LOOKERS: tuple[Role, ...] = ("supervisor", "marketer", "analyst", "admin")
DECIDERS: tuple[Role, ...] = ("analyst", "admin")
HEIGHT = 0.7


class ChurnModels(msgspec.Struct, frozen=True):
    """Every definition that is scored, the one in force first."""

    models: list[Model]
    population: list[int]  # customers by score, in tenths, of the model in force
    fate: Fate | None  # what became of those who were scored above 0.7 a horizon ago


Type = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,100}\Z")]
Field = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Words = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=100)], ...], msgspec.Meta(min_length=1, max_length=500)]
NAMED = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class ChurnWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What churn means, to be scored beside what it means until now."""

    kind: Literal["non-contractual", "contractual"] = "non-contractual"
    horizon: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 90
    purchases: Annotated[tuple[Type, ...], msgspec.Meta(min_length=1, max_length=50)] | None = None
    only: Annotated[dict[Field, Words], msgspec.Meta(max_length=5)] = {}  # a line of products: field, or field of a line, to words
    grace: Annotated[int, msgspec.Meta(ge=0, le=365)] = 7
    step: Annotated[float, msgspec.Meta(ge=0.01, le=1.0)] = 0.1
    thresholds: Annotated[tuple[Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)], ...], msgspec.Meta(max_length=20)] = (0.3, 0.5, 0.7)


class ChurnVersion(msgspec.Struct, frozen=True):
    """How a version stands after a decision."""

    name: str
    version: int
    stands: str
    definition: Definition
    hints: tuple[Mistake, ...] | msgspec.UnsetType = msgspec.UNSET  # what may stand so, and is perhaps not meant so


class ChurnVersions(msgspec.Struct, frozen=True):
    """The versions of a name."""

    items: list[ChurnVersion]
    next: str | None = None


class Buying(msgspec.Struct, frozen=True):
    """BG/NBD, in weeks."""

    r: float
    alpha: float
    a: float
    b: float


class Spending(msgspec.Struct, frozen=True):
    """Gamma-Gamma."""

    p: float
    q: float
    v: float


class Staying(msgspec.Struct, frozen=True):
    """Exponential-Gamma, in days."""

    s: float
    beta: float


class ValueModel(msgspec.Struct, frozen=True):
    """What was fitted last."""

    number: int
    buying: Buying | None  # how customers buy; null: too few bought again
    spending: dict[str, Spending]  # what they spend, by currency
    customers: int  # it was fitted on
    repeating: int  # of whom so many bought again
    staying: dict[str, Staying]  # how long contracts go on, by the length of their periods: month, quarter, year, and "" of all
    decided: int  # of so many contracts it is known whether they were renewed


class ValueModels(msgspec.Struct, frozen=True):
    """By what customers are valued."""

    costs: Costs
    wall: ValueModel | None  # of customers that live in our time
    event: ValueModel | None  # and of those in the time of sources that replay their own


NAME = openapi.parameter("name", openapi.TEXT, "The model's name.", where="path")
VERSION = openapi.parameter("version", {"type": "integer"}, "Which version.", where="path")
PUBLISH = """\
curl -u "$ADMIN:" $YEKTA/v1/models/churn/definitions -d '{"horizon": 60}'"""
COSTS = {"currency": "IRR", "margin": 0.4, "acquisition": {"web": "300000", "*": "500000"}, "servicing": {"call.ended": "80000"}}


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of models."""
    routes = APIRouter(tags=["models"])

    @routes.get("/v1/models/churn", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/models/churn', ChurnModels, 503))
    async def churn(request: Request) -> Response:
        """How churn is predicted: month by month beside purchase counts and a batch model, drift, weights, labels that wait."""
        access.staff(request, dependencies, LOOKERS)
        async with dependencies.pool.connection() as connection:
            known = sorted(await table.in_force(connection), key=lambda one: (one.stands != "in_force", one.definition.name != "churn"))
            found = [await models.model(connection, one, dependencies.unsound) for one in known]
            people = await models.population(connection, known[0]) if known else []
            fate = await models.fate(connection, known[0], HEIGHT) if known else None
        return json(ChurnModels(found, people, fate))

    @routes.get(
        "/v1/models/{name}/definitions",
        openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/models/churn/definitions', ChurnVersions, 404, 503, parameters=[NAME]),
    )
    async def definitions(request: Request) -> Response:
        """What churn means and meant, the newest version first."""
        access.staff(request, dependencies, LOOKERS)
        name = _name(request)
        standing = churn_model.standing_of(name, await dependencies.decisions.load(churn_model.id_of(name)))
        newest = sorted(standing.versions.items(), reverse=True)
        return json(ChurnVersions([ChurnVersion(name, version, stands, definition) for version, (definition, stands) in newest]))

    @routes.post(
        "/v1/models/{name}/definitions",
        openapi_extra=openapi.described(
            PUBLISH,
            ChurnVersion,
            *openapi.BODY,
            404,
            409,
            503,
            parameters=[NAME],
            body=openapi.json_body(ChurnWanted, {"horizon": 60}),
            status=201,
        ),
    )
    async def publish(request: Request) -> Response:
        """Publish what churn means as a new version: it is scored beside the one in force until it is adopted."""
        asking = access.staff(request, dependencies, DECIDERS)
        name = _name(request)
        wanted = decoded(await body.read(request), ChurnWanted)
        definition = msgspec.convert(
            {field: value for field, value in msgspec.to_builtins(wanted).items() if value is not None}, Definition
        )
        definition = msgspec.structs.replace(definition, name=name)
        async with dependencies.pool.connection() as connection:
            if len(await table.in_force(connection)) >= churn_model.MOST:
                raise Problem(409, "not_possible", f"{churn_model.MOST} versions are scored already.", mend="Retire one.")

        def decide(standing: Standing) -> churn_model.Event:
            return churn_model.publish(standing, definition, dependencies.clock(), str(asking.key))

        made = await _decided(dependencies, name, decide)
        hints = told(_unusual(wanted.purchases or ()), language(request))
        return json(msgspec.structs.replace(made, hints=hints or msgspec.UNSET), 201)

    @routes.post(
        "/v1/models/{name}/definitions/{version}/{verb}",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X POST $YEKTA/v1/models/churn/definitions/$CHURN_VERSION/adopt',
            ChurnVersion,
            404,
            409,
            503,
            parameters=[NAME, VERSION, openapi.parameter("verb", {"enum": ["adopt", "retire"]}, "What to do.", where="path")],
        ),
    )
    async def change(request: Request) -> Response:
        """Let a version take over, or score it no more."""
        asking = access.staff(request, dependencies, DECIDERS)
        name, verb = _name(request), request.path_params["verb"]
        number = request.path_params["version"]
        if verb not in ("adopt", "retire") or not (number.isascii() and number.isdigit() and len(number) < 9):
            raise not_found("There is no such thing to do with a version: adopt or retire.")
        version = int(number)
        if verb == "adopt":
            await _has_gone_through_the_past(dependencies, name, version)

        def decide(standing: Standing) -> churn_model.Event:
            by = (dependencies.clock(), str(asking.key))
            return churn_model.adopt(standing, version, *by) if verb == "adopt" else churn_model.retire(standing, version, *by)

        return json(await _decided(dependencies, name, decide))

    @routes.get("/v1/models/value", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/models/value', ValueModels, 503))
    async def value(request: Request) -> Response:
        """By what customers are valued: published costs, and the models of how often they buy and for how much."""
        access.staff(request, dependencies, LOOKERS)
        async with dependencies.pool.connection() as connection:
            costs = await values.costs(connection)
            fitted = [await values.models(connection, replayed=replayed) for replayed in (False, True)]
        wall, event = [None if one is None else msgspec.convert(one, ValueModel, from_attributes=True) for one in fitted]
        return json(ValueModels(costs, wall, event))

    @routes.put(
        "/v1/models/value/costs",
        openapi_extra=openapi.described(
            f"curl -u \"$ADMIN:\" $YEKTA/v1/models/value/costs -d '{msgspec.json.encode(COSTS).decode()}' -X PUT",
            Costs,
            *openapi.BODY,
            409,
            503,
            body=openapi.json_body(Costs, COSTS),
        ),
    )
    async def costs(request: Request) -> Response:
        """Publish what acquiring, selling to and serving customers costs; values are told by it at once."""
        asking = access.staff(request, dependencies, DECIDERS)
        wanted = decoded(await body.read(request), Costs)
        return json(await _published(dependencies, asking, wanted))

    return routes


def _unusual(purchases: Sequence[str]) -> list[Written]:
    """Types that are nearly ones with a contract: any type may be a purchase, and a mistyped one would be none for ever."""
    return [
        Written(1, f"/purchases/{place}", "unusual_word", {"word": type_}, near)
        for place, type_ in enumerate(purchases)
        if type_ not in CONTRACTS and (near := nearest(type_, CONTRACTS, ALIKE))
    ]


def _name(request: Request) -> str:
    """The model's name in the path. Raises a 404 problem where it can be none."""
    name: str = request.path_params["name"]
    if NAMED.fullmatch(name) is None:
        raise not_found("No model has such a name: it is lower-case letters, digits, - and _.")
    return name


async def _decided(dependencies: Dependencies, name: str, decide: Callable[[Standing], churn_model.Event]) -> ChurnVersion:
    """Decide, and bring the definitions that customers are scored by to what was decided."""
    before = churn_model.standing_of(name, await dependencies.decisions.load(churn_model.id_of(name)))
    try:
        event = decide(before)
        after = churn_model.evolve(before, event)
        decision = churn_model.decision(name, before, event)
        await dependencies.decisions.record([decision], also=_rows(name, before, after, event))
    except NotAllowed as error:
        raise Problem(409, "not_possible", str(error)) from error
    except Overtaken as error:
        raise Problem(409, "not_possible", "Somebody else decided about it at the same moment.", mend="Look again.") from error
    version = event.definition.version if isinstance(event, churn_model.Published) else event.version
    definition, stands = after.versions[version]
    return ChurnVersion(name, version, stands, definition)


async def _has_gone_through_the_past(dependencies: Dependencies, name: str, version: int) -> None:
    """Raises a 409 problem where a version would take over before it said anything of what is known already."""
    async with dependencies.pool.connection() as connection:
        known = await table.in_force(connection)
    if any(one.past for one in known if (one.definition.name, one.definition.version) == (name, version)):
        raise Problem(409, "not_possible", f"Version {version} is still on its way through the log of the past.", mend="Ask again later.")


def _rows(name: str, before: Standing, after: Standing, event: churn_model.Event) -> list[Also]:
    """The statements that bring the rows to it; who leaves goes before who comes, for one is in force."""
    statements: list[Also] = []
    changed = {version: of for version, of in after.versions.items() if before.versions.get(version) != of}
    for version, (definition, stands) in sorted(changed.items(), key=lambda item: item[1][1] != "retired"):
        statements.append(table.declared(name, version, stands, msgspec.to_builtins(definition), event.by))
    return statements


async def _published(dependencies: Dependencies, asking: Caller, wanted: Costs) -> Costs:
    """Decide, and write the row that values are told by."""
    refused = value_costs.refusal(wanted)
    if refused is not None:
        raise of_refusal(422, refused)
    before = await dependencies.decisions.load(value_costs.ID)
    costs = msgspec.structs.replace(wanted, version=len(before) + 1)
    published = value_costs.Published(dependencies.clock(), str(asking.key), costs)
    try:
        await dependencies.decisions.record([value_costs.decision(published)], also=[values.published(costs, published.by)])
    except Overtaken as error:
        raise Problem(409, "not_possible", "Somebody else published costs at the same moment.", mend="Look again.") from error
    return costs
