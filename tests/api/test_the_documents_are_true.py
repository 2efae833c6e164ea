"""The OpenAPI and AsyncAPI documents: valid, complete, and what they say works."""

import ast
import asyncio
import re
import shlex
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import httpx
import jsonschema
import msgspec
import openapi_spec_validator
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from referencing import Registry
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from aggregates.contracts import CONTRACTS
from aggregates.refusal import Reason
from api.explained import REASONS
from api.knowledge import SCRIPT
from projections.churn.published import Published
from projections.churn.published import Reason as Because
from projections.contacts import tasks
from projections.value.given import Given
from tests.api import who_is_who
from tests.api.conftest import Api, answered
from tests.api.events import event
from tests.api.serving import served
from tests.browser.npm import Package, fetched

pytestmark = pytest.mark.engines

SPECS = Package("@asyncapi/specs", "6.11.1", "A3WBLqAKGoJ2+6FWFtpjBlCQ1oFCcs4GxF7zsIGvNqp/klGUHjlA3aAcZ9XMMpLGE8zPeYDz2x9FmO6DSuKraQ==")
"""AsyncAPI's own JSON Schemas of its documents."""

ROOT = Path(__file__).parents[2]

CURL = re.compile(r"```sh\n(?P<curl>curl .*?)\n```", re.DOTALL)
ENDLESS = ("/v1/calls/stream", "/v1/customers/{id}/stream", "/v1/signals/stream", "/v1/sources/{name}/tail")


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation, those that end what others need last."""
    found = [(path, method, operation) for path, methods in document["paths"].items() for method, operation in methods.items()]
    return sorted(found, key=lambda each: (each[0].endswith("/revoke"), each[0] != "/v1/events"))


async def test_the_openapi_document_is_valid(api: Api) -> None:
    document = (await api.client.get("/openapi.json")).json()
    openapi_spec_validator.validate(document)
    for path, method, operation in operations(document):
        assert CURL.search(operation["description"]), f"{method} {path} has no example"
        assert operation["summary"]


async def test_the_asyncapi_document_is_valid(api: Api) -> None:
    document = (await api.client.get("/asyncapi.json")).json()
    schema = msgspec.json.decode((await asyncio.to_thread(fetched, SPECS) / "schemas" / "3.0.0.json").read_bytes())
    jsonschema.Draft7Validator(schema, registry=Registry()).validate(document)
    broken = document | {"operations": {"x": {"action": "shout", "channel": {"$ref": "#/channels/inbox"}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema, registry=Registry()).validate(broken)
    assert set(document["channels"]["inbox"]["messages"]) == {type_.replace(".", "_") for type_ in CONTRACTS}
    assert document["channels"]["inbox"]["address"] == api.world.topics.inbox
    assert document["channels"]["scores"]["address"] == api.world.topics.scores
    data = document["components"]["messages"]["scoreGiven"]["payload"]["properties"]["data"]
    because = (Because("rhythm", 0.7, "…", "…"),)
    churn = msgspec.json.decode(msgspec.json.encode(Published("phones", 1, 0.71, None, silent=True, model=3, reasons=because)))
    worth = msgspec.to_builtins(Given("value", 12.5, None, "IRR", "10.00", "2.50", 1, 4))
    for told in (churn, worth):
        jsonschema.Draft202012Validator(data).validate(told)
        for name in ("value", "phones"):
            assert jsonschema.Draft202012Validator(data).is_valid(told | {"score": name}) is (told["score"] == name)
    for message in document["components"]["messages"].values():
        for example in message.get("examples", ()):
            jsonschema.Draft202012Validator(message["payload"]).validate(example["payload"])


async def test_every_schema_is_served(api: Api) -> None:
    listed = (await api.client.get("/v1/schemas")).json()["items"]
    assert [item["type"] for item in listed] == sorted(CONTRACTS)
    for item in listed:
        for version in item["versions"]:
            schema = (await api.client.get(f"{item['href']}/v{version}")).json()
            jsonschema.Draft202012Validator.check_schema(schema)
    assert (await api.client.get("/v1/schemas/nothing.known")).status_code == 404
    assert (await api.client.get("/v1/schemas/call.ended/v99")).status_code == 404


def reasons_given() -> set[str]:
    """Every reason that the program gives by its name: of a problem after its status, of a dead letter after its record."""
    found = set()
    for file in (file for folder in ("api", "streams", "infra") for file in (ROOT / folder).rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id in {"Problem", "Bury"}
                and len(call.args) > 1
            ):
                reasons = [one.value for one in ast.walk(call.args[1]) if isinstance(one, ast.Constant)]
                found |= {reason for reason in reasons if isinstance(reason, str)}
    return found


async def test_every_reason_is_explained(api: Api) -> None:
    labels = msgspec.json.decode((ROOT / "api/desk/messages/letters.en.json").read_bytes())
    letters = {label.removeprefix("reason.") for label in labels if label.startswith("reason.")}
    assert set(get_args(Reason)) <= letters <= set(REASONS)
    assert reasons_given() <= set(REASONS)
    for reason in REASONS:
        assert (await api.client.get(f"/problems/{reason}")).status_code == 200
    assert (await api.client.get("/problems/unheard_of")).status_code == 404


async def test_the_page_for_people_shows_every_operation(api: Api) -> None:
    page = (await api.client.get("/docs")).text
    document = (await api.client.get("/openapi.json")).json()
    for path, method, _ in operations(document):
        assert f"<code>{method.upper()} {path}</code>" in page


def pasted(curl: str, variables: dict[str, str]) -> dict[str, Any]:
    """What curl would send: the arguments of an httpx request."""
    for name, value in variables.items():
        curl = re.sub(rf"\${name}\b", value, curl)
    assert "$" not in curl, curl
    request: dict[str, Any] = {"method": "GET", "headers": {}}
    words = iter(shlex.split(curl, comments=True)[1:])
    for word in words:
        match word:
            case "-u":
                request["auth"] = (next(words).rstrip(":"), "")
            case "-d" | "--data-binary":
                request |= {"method": "POST", "content": next(words).encode()}
                request["headers"].setdefault("content-type", "application/x-www-form-urlencoded")
            case "-X":
                request["method"] = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                request["headers"][name.lower()] = value
            case "-N":
                pass
            case _:
                request["url"] = word
    return request


async def test_every_example_works_when_it_is_pasted(live: Api) -> None:
    key, agent, admin = await live.write_key(), await live.token("agent"), await live.token()
    who = {"phone": "09121234567"}
    allows = event("allows", type="consent.given", source="/tests", data={"purpose": "service", "who": who})
    at = await live.send(key, event("pasted", data={"url": "u", "who": who}), allows)
    customer = (await live.get(agent, "/v1/customers/by/phone/09121234567", after=at))["customer_id"]
    visit = {"specversion": "1.0", "id": "visit-1", "source": "/sales", "type": "sales.visit_held", "data": {"minutes": "half an hour"}}
    letter = (await live.client.post("/v1/events", json=visit, auth=(key, ""))).json()["dead_letter"]
    kept = f"/v1/dead-letters/{letter}"
    await answered(lambda: live.client.get(kept, auth=(admin, "")), lambda answer: answer.status_code == 200)  # the list follows the log
    made = await live.made.keys.create("tests", role="agent")
    webhook = await live.client.post("/v1/webhooks", json={"url": "https://crm.example.com/", "types": ["*"]}, auth=(admin, ""))
    ask = {"request_id": "pasted", "customer_id": customer, "channel": "call", "purpose": "service"}
    reserved = (await live.client.post("/v1/contacts/check", json=ask, auth=(key, ""))).json()
    assert reserved["outcome"] == "allowed"
    call = uuid4()
    async with live.made.pool.connection() as connection:
        await tasks.put(connection, call, UUID(customer), "call", "winback", "spring", "service", UUID(reserved["id"]))
    taken = await live.client.post(f"/v1/call-list/{call}/take", auth=(agent, ""))
    assert taken.status_code == 200, "whoever has it may take it again, whatever the policy that is pasted says"
    delivery = await live.client.post(f"/v1/webhooks/{webhook.json()['id']}/test", auth=(admin, ""))
    wanted = {"who": {"phone": "09121234567"}, "title": "Pasted"}
    opened = await live.client.post("/v1/service-requests", json=wanted, auth=(agent, ""))
    article = await live.client.post("/v1/articles", json={"title": "Pasted", "body": "Read."}, auth=(admin, ""))
    await live.client.post("/v1/scripts", json=SCRIPT, auth=(admin, ""))
    churn = await live.client.post("/v1/models/churn/definitions", json={"horizon": 45}, auth=(admin, ""))
    at = await live.send(key, event("forgotten", data={"url": "u", "who": {"customer_number": "forgotten"}}))
    forgotten = (await live.get(agent, "/v1/customers/by/customer_number/forgotten", after=at))["customer_id"]
    erasure = await live.client.post(f"/v1/customers/{forgotten}/erase", json={"why": "Pasted"}, auth=(admin, ""))
    async with live.made.pool.connection() as connection:
        await connection.execute("UPDATE churn.definitions SET past = false")  # what the worker says at its leisure
    document = (await live.client.get("/openapi.json")).json()
    async with served(live) as url, httpx.AsyncClient(timeout=30) as client:
        names = {
            "YEKTA": url,
            "KEY": key,
            "AGENT": agent,
            "ADMIN": admin,
            "CUSTOMER": customer,
            "LETTER": letter,
            "KEY_ID": str(made.key.id),
            "WEBHOOK": webhook.json()["id"],
            "CALL": str(call),
            "DELIVERY": delivery.json()["id"],
            "REQUEST": opened.json()["id"],
            "ARTICLE": article.json()["id"],
            "ERASURE": erasure.json()["id"],
            "CHURN_VERSION": str(churn.json()["version"]),
            **await who_is_who.happened(live, key, agent),
        }
        for path, method, operation in operations(document):
            found = CURL.search(operation["description"])
            assert found is not None
            sent = pasted(found["curl"], names)
            assert sent["method"].lower() == method
            async with client.stream(**sent) as answer:
                assert str(answer.status_code) in {status for status in operation["responses"] if status.startswith("2")}, (path, method)
                if path not in ENDLESS:
                    await answer.aread()


async def test_every_line_with_curl_of_the_pages_works_when_it_is_pasted(live: Api) -> None:
    key, agent, admin = await live.write_key(), await live.token("agent"), await live.token()
    (rules,) = re.findall(
        r"```yaml\n- (rule: many-requests\n.*?)(?=^- )", (ROOT / "docs" / "rules.md").read_text(), re.DOTALL | re.MULTILINE
    )
    files = {"@event.json": msgspec.json.encode(event("of-a-page")), "@rule.yaml": rules.replace("\n  ", "\n").encode()}
    names = {"KEY": key, "AGENT": agent, "MARKETER": await live.token("marketer"), "ADMIN": admin, "YEKTA": "http://127.0.0.1:8700"}
    pasted_ones = 0
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for line in re.findall(r"^curl .*$", block.replace("\\\n", " "), re.MULTILINE):
                sent = pasted(line, names)
                sent["content"] = files.get(sent.get("content", b"").decode(), sent.get("content"))
                answer = await live.client.request(**sent | {"url": sent["url"].removeprefix(names["YEKTA"])}, timeout=60)
                assert answer.is_success, (page.name, line, answer.text)
                if sent["url"].endswith("/service-requests"):
                    names["REQUEST"] = answer.json()["id"]
                pasted_ones += 1
    assert pasted_ones >= 10


FOLDED = (
    "/v1/customers",
    "/v1/signals",
    "/v1/decisions",
    "/v1/deliveries",
    "/v1/call-list",
    "/v1/accounts",
    "/v1/households",
    "/v1/duplicates",
)
STREAMED = ("/stream", ".csv")


async def test_whatever_is_made_of_events_can_be_waited_for(api: Api) -> None:
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    asked = {path: path_["get"].get("parameters", []) for path, path_ in paths.items() if path.startswith(FOLDED) and "get" in path_}
    impatient = {path for path, known in asked.items() if all(one.get("name") != "after" for one in known)}
    assert {path for path in impatient if not path.endswith(STREAMED)} == {"/v1/deliveries/{id}", "/v1/duplicates/weights"}


async def test_no_request_that_the_document_allows_makes_the_api_fail(live: Api, request: pytest.FixtureRequest) -> None:
    requests = int(request.config.getoption("--requests"))
    key, admin = await live.write_key("schemathesis"), await live.token()
    document = (await live.client.get("/openapi.json")).json()
    for path in ENDLESS:
        del document["paths"][path]
    async with served(live) as url:
        await asyncio.to_thread(try_all, document, url, key, admin, requests)


def try_all(document: dict[str, Any], url: str, key: str, admin: str, requests: int) -> None:
    """Requests that the document allows and requests that it forbids, to every operation."""
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        secret = key if (operation.method, operation.path) == ("post", "/v1/events") else admin
        try_one(operation, url, secret, GenerationMode.POSITIVE, requests)
        if breakable(document["paths"][operation.path][operation.method]):
            try_one(operation, url, secret, GenerationMode.NEGATIVE, requests)


def breakable(operation: dict[str, Any]) -> bool:
    """Whether a request can be other than the document says: a text cannot."""
    return "requestBody" in operation or any(parameter["schema"] != {"type": "string"} for parameter in operation.get("parameters", ()))


def try_one(operation: Any, url: str, secret: str, mode: GenerationMode, requests: int) -> None:
    """Some requests to one operation."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=requests, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def each(case: Any) -> None:
        # What a contract refuses is more than a JSON Schema of an envelope can say.
        case.call_and_validate(
            base_url=url, auth=(secret, ""), excluded_checks=CHECKS.get_by_names(["positive_data_acceptance"]), timeout=30
        )

    each()
