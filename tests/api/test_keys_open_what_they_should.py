"""Keys: made, rotated, revoked, redeemed once; and what a door knows of them."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import Request, Response

from aggregates import secret
from aggregates.access import Key, NotAllowed
from api.key_ring import KeyRing
from api.session import COOKIE, open_session
from tests.api.conftest import Api, answered, until
from tests.api.events import event

pytestmark = pytest.mark.engines


async def post(api: Api, key: str, id_: str = "k") -> httpx.Response:
    """What the door says to an event under this key."""
    return await api.client.post("/v1/events", json=event(id_), auth=(key, ""))


def test_a_key_is_shaped_so_that_a_scanner_finds_it() -> None:
    one, other = secret.mint(secret.WRITE, bytes(32)), secret.mint(secret.STAFF, bytes(range(32)))
    assert one.startswith("yk_")
    assert other.startswith("ys_")
    assert secret.well_formed(one)
    assert secret.well_formed(other)
    assert not secret.well_formed(one[:-1] + ("0" if one[-1] != "0" else "1"))
    assert not secret.well_formed(other[:10] + ("0" if other[10] != "0" else "1") + other[11:])
    assert not secret.well_formed(one[:-1])
    assert not secret.well_formed("yk_" + "ß" * 49)


async def test_a_revoked_key_soon_opens_nothing(api: Api) -> None:
    admin, key = await api.token(), await api.write_key("revoked")
    assert (await post(api, key)).status_code == 200
    (id_,) = [item["id"] for item in await keys(api, admin) if item["source"] and item["source"]["name"] == "revoked"]
    assert (await api.client.post(f"/v1/keys/{id_}/revoke", auth=(admin, ""))).status_code == 204
    answer = await answered(lambda: post(api, key), lambda answer: answer.status_code != 200)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/forbidden"
    assert (await api.client.post(f"/v1/keys/{id_}/revoke", auth=(admin, ""))).status_code == 204


async def keys(api: Api, admin: str) -> list[dict[str, Any]]:
    """All keys as an admin sees them."""
    return list((await api.client.get("/v1/keys", auth=(admin, ""))).json()["items"])


async def test_a_rotated_key_has_two_secrets_until_the_grace_is_over(api: Api) -> None:
    made = await api.made.keys.create("tests", role="agent")
    rotated = await api.made.keys.rotate(made.key.id, "tests", timedelta(hours=1))
    await until(lambda: api.made.ring.of_secret(rotated.secret) is not None)
    for text in (made.secret, rotated.secret):
        assert (await api.client.get("/v1/customers?q=x", auth=(text, ""))).status_code == 200
    at_once = await api.made.keys.rotate(made.key.id, "tests", timedelta(0))
    await until(lambda: api.made.ring.of_secret(at_once.secret) is not None)
    for text in (made.secret, rotated.secret):
        assert (await api.client.get("/v1/customers?q=x", auth=(text, ""))).status_code == 403
    assert (await api.client.get("/v1/customers?q=x", auth=(at_once.secret, ""))).status_code == 200


async def test_a_key_is_made_over_http_and_shown_once(api: Api) -> None:
    admin = await api.token()
    answer = await api.client.post("/v1/keys", json={"source": "over-http", "strict": True, "types": ["web.*"]}, auth=(admin, ""))
    assert answer.status_code == 201, answer.text
    text = answer.json()["secret"]
    await until(lambda: api.made.ring.of_secret(text) is not None)
    assert (await post(api, text)).status_code == 200
    shown = next(item for item in await keys(api, admin) if item["id"] == answer.json()["key"]["id"])
    assert text not in str(shown)
    assert (
        shown["source"].items()
        >= {
            "name": "over-http",
            "zone": "Asia/Tehran",
            "strict": True,
            "clock": "",
            "simulated": False,
            "types": ["web.*"],
        }.items()
    )


@pytest.mark.parametrize("name", ["a/b", "../x", "/", ".", "..", "a\x7fb"])
async def test_a_source_has_a_name_that_an_address_carries(api: Api, name: str) -> None:
    answer = await api.client.post("/v1/keys", json={"source": name}, auth=(await api.token(), ""))
    assert (answer.status_code, answer.json()["detail"][:36]) == (422, "A source's name stands in addresses:")


@pytest.mark.parametrize("name", ["yekta", "inbox"])
async def test_no_key_speaks_as_yekta_or_as_whoever_writes_into_the_topic(api: Api, name: str) -> None:
    answer = await api.client.post("/v1/keys", json={"source": name}, auth=(await api.token(), ""))
    assert (answer.status_code, answer.json()["detail"]) == (422, f"No key speaks as {name}: give the source another name.")


async def test_nonsense_is_no_key(api: Api) -> None:
    admin = await api.token()
    of_all_kinds: list[Any] = [
        {},
        {"source": "a", "role": "agent"},
        {"role": "king"},
        {"source": ""},
        {"source": "a", "x": 1},
        {"source": "a b"},
        *({"source": "a", "zone": zone} for zone in ("Nowhere/X", "Asia", "\0", "x" * 300)),
        {"source": "a", "label": "a\0b"},
        {"role": "agent", "label": "a\0b"},
        *(
            {"role": "agent", **of}
            for of in ({"strict": True}, {"zone": "UTC"}, {"clock": "event"}, {"simulated": True}, {"types": ["web.*"]})
        ),
        *({"source": "a", "types": ["web.*", type_]} for type_ in ("web", "*", "web.page.*", "call.ended,call.rung")),
        *({"source": "a", "strict": True, "types": ["web.*", type_]} for type_ in ("own.*", "own.thing")),
        [],
    ]
    for wrong in of_all_kinds:
        assert (await api.client.post("/v1/keys", json=wrong, auth=(admin, ""))).status_code == 422, wrong


async def test_a_key_with_a_zone_that_nobody_knows_refuses_days_and_no_neighbour(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:  # keys were made so before zones were looked at
        before.setattr("aggregates.access.known_zone", lambda name: name)
        key = await api.write_key("lost", zone="Nowhere/X")
    day = await api.client.post("/v1/events", json=event("day", time="2026-11-25"), auth=(key, ""))
    assert (day.status_code, day.json()["type"], day.json()["pointer"]) == (422, "/problems/wrong_time", "/time")
    answer = await api.client.post("/v1/events", json=[event("a"), event("b", time="2026-11-25"), event("c")], auth=(key, ""))
    assert [item["status"] for item in answer.json()["items"]] == ["accepted", "rejected", "accepted"]


async def test_only_admins_handle_keys(api: Api) -> None:
    for key in (await api.token("supervisor"), await api.write_key()):
        assert (await api.client.get("/v1/keys", auth=(key, ""))).status_code == 403
        assert (await api.client.post("/v1/keys", json={"source": "x"}, auth=(key, ""))).status_code == 403


async def test_a_one_time_token_is_redeemed_once_even_when_two_try(api: Api) -> None:
    made = await api.made.keys.create("tests", role="agent", once=True)
    await until(lambda: api.made.ring.of_secret(made.secret) is not None)
    assert (await api.client.get("/v1/customers?q=x", auth=(made.secret, ""))).status_code == 403
    tried = await asyncio.gather(*(api.made.keys.redeem(made.secret) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in tried) == ["Key", "NotAllowed", "NotAllowed", "NotAllowed"]
    with pytest.raises(NotAllowed):
        await api.made.keys.redeem(made.secret)


async def test_a_session_reads_and_never_writes(api: Api) -> None:
    made = await api.made.keys.create("tests", role="admin", once=True)
    key = await api.made.keys.redeem(made.secret)
    await until(lambda: (held := api.made.ring.key(key.id)) is not None and held.session_until is not None)
    response = a_browsers_cookie(api, key)
    cookies = {"cookie": f"{COOKIE}={response}"}
    assert (await api.client.get("/v1/keys", headers=cookies)).status_code == 200
    assert (await api.client.post("/v1/keys", json={"role": "agent"}, headers=cookies)).status_code == 401
    assert (await api.client.get("/v1/keys", headers={"cookie": f"{COOKIE}={response[:-1]}x"})).status_code == 401
    assert (await api.client.get("/v1/keys", headers={"cookie": f"{COOKIE}=nonsense"})).status_code == 401
    await api.made.keys.revoke(key.id, "tests")
    await until(lambda: (held := api.made.ring.key(key.id)) is not None and held.revoked is not None)
    assert (await api.client.get("/v1/keys", headers=cookies)).status_code == 401


def a_browsers_cookie(api: Api, key: Key) -> str:
    """The cookie that a browser gets for a redeemed token."""
    assert key.session_until is not None
    request = Request({"type": "http", "scheme": "http", "headers": [], "path": "/", "server": ("yekta", 80), "query_string": b""})
    response = Response()
    open_session(request, response, key.id, key.session_until, api.made.secrets)
    header = response.headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=strict" in header
    return header.partition("=")[2].partition(";")[0]


async def test_who_answers_about_a_key_knows_it(api: Api) -> None:
    admin = await api.token()

    async def done(path: str, **wanted: Any) -> Any:
        answer = await api.client.post(path, json=wanted, auth=(admin, ""))
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def opens(text: str) -> int:
        return (await api.client.get("/v1/service-requests", auth=(text, ""))).status_code

    for _ in range(20):
        made = await done("/v1/keys", role="agent")
        assert await opens(made["secret"]) == 200
        rotated = await done(f"/v1/keys/{made['key']['id']}/rotate", grace_seconds=0)
        assert (await opens(rotated["secret"]), await opens(made["secret"])) == (200, 403)
        await done(f"/v1/keys/{made['key']['id']}/revoke")
        assert await opens(rotated["secret"]) == 403


async def test_what_was_read_before_a_change_does_not_undo_it(api: Api) -> None:
    made = await api.made.keys.create("tests", role="agent")
    await api.made.keys.revoke(made.key.id, "tests")
    ring, (revoked,) = KeyRing(), [key for key in api.made.ring.every_key() if key.id == made.key.id]
    ring.learn(made.key)
    assert not ring.loaded  # the others are still unread
    for keys_read in ([], [made.key]):
        ring.replace([made.key])
        ring.learn(revoked)
        ring.replace(keys_read)
        assert ring.key(made.key.id) == revoked
    ring.learn(made.key)
    assert ring.key(made.key.id) == revoked
    ring.replace([revoked])
    ring.replace([])
    assert ring.every_key() == ()
