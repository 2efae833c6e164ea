"""What cannot be accepted is kept, listed, corrected and replayed, once."""

import asyncio
import base64
import json
from typing import Any
from uuid import UUID

import msgspec
import pytest

from aggregates.sealing import open_sealed
from aggregates.touchpoint import event_id
from aggregates.wire import touchpoint_decoder
from api.doors import appending
from projections.dead_letters import table
from tests.api.conftest import Api
from tests.api.events import event, order

pytestmark = pytest.mark.engines


async def listed(api: Api) -> None:
    """Do what the stream processor does: write all of the topic into the table."""
    records = await api.records(api.world.topics.dead_letters)
    async with api.made.pool.connection() as connection:
        for _ in range(2):  # a record met twice changes nothing
            await table.apply(
                connection, [(record.partition, record.offset, record.key, record.value, record.headers) for record in records]
            )


async def refused(api: Api, key: str, content: Any) -> str:
    """Send what is refused; the id of its letter."""
    answer = await api.client.post("/v1/events", content=msgspec.json.encode(content), auth=(key, ""))
    assert answer.status_code == 422, answer.text
    return str(answer.json()["dead_letter"])


async def test_a_refused_event_is_listed_with_its_reason_and_its_bytes(api: Api) -> None:
    key, admin = await api.write_key("kept"), await api.token()
    sent = order("kept-1", total=12.5)
    letter = await refused(api, key, sent)
    await listed(api)
    page = (await api.client.get("/v1/dead-letters?source=kept", auth=(admin, ""))).json()
    assert [item["id"] for item in page["items"]] == [letter]
    assert page["items"][0]["reason"] == "wrong_money"
    assert page["items"][0]["pointer"] == "/data/total"
    assert page["items"][0]["status"] == "open"
    whole = (await api.client.get(f"/v1/dead-letters/{letter}", auth=(admin, ""))).json()
    assert msgspec.json.decode(whole["text"]) == sent
    assert base64.b64decode(whole["base64"]) == whole["text"].encode()


async def test_the_same_bad_bytes_sent_again_are_the_same_letter(api: Api) -> None:
    key, admin = await api.write_key("again"), await api.token()
    letters = {await refused(api, key, order("again-1", total=1)) for _ in range(3)}
    await listed(api)
    assert len(letters) == 1
    page = (await api.client.get("/v1/dead-letters?source=again", auth=(admin, ""))).json()
    assert len(page["items"]) == 1


async def test_personal_data_is_nowhere_in_the_clear(api: Api) -> None:
    key = await api.write_key("sealed")
    await refused(api, key, order("sealed-1", who={"phone": "09121112233"}, total=1))
    for record in await api.records(api.world.topics.dead_letters):
        assert b"9121112233" not in record.value
        assert all(b"9121112233" not in content for _, content in record.headers)


async def test_a_corrected_letter_is_replayed_once_under_its_source(api: Api) -> None:
    key, admin = await api.write_key("mended"), await api.token()
    letter = await refused(api, key, order("mended-1", total=12.5))
    await listed(api)
    still = await api.client.post(f"/v1/dead-letters/{letter}/replay", auth=(admin, ""))
    assert still.status_code == 422
    assert still.json()["type"] == "/problems/wrong_money"
    corrected = order("mended-1", total="12.50")
    first = await api.client.post(f"/v1/dead-letters/{letter}/replay", json=corrected, auth=(admin, ""))
    assert first.status_code == 200, first.text
    await listed(api)
    second = await api.client.post(f"/v1/dead-letters/{letter}/replay", auth=(admin, ""))
    assert second.json()["event_id"] == first.json()["event_id"]
    other = await api.client.post(f"/v1/dead-letters/{letter}/replay", json=order("mended-1", total="13.00"), auth=(admin, ""))
    assert other.status_code == 409
    touchpoints = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    assert [one.yektakey for one in touchpoints if one.id == "mended-1"] == ["mended"]
    whole = (await api.client.get(f"/v1/dead-letters/{letter}", auth=(admin, ""))).json()
    assert (whole["status"], whole["replayed_as"]) == ("replayed", first.json()["event_id"])


async def test_of_several_who_correct_one_letter_at_once_one_is_heard_and_the_others_are_told(api: Api) -> None:
    key, admin = await api.write_key("at-once"), await api.token()
    without_id = {name: value for name, value in order("none", total="9").items() if name != "id"}
    letter = await refused(api, key, without_id)
    await listed(api)

    async def replay(number: int) -> tuple[int, str]:
        corrected = without_id | {"id": f"at-once-{number}"}
        answer = await api.client.post(f"/v1/dead-letters/{letter}/replay", json=corrected, auth=(admin, ""))
        return answer.status_code, answer.json().get("event_id") or answer.json()["type"]

    answers = await asyncio.gather(*(replay(number) for number in range(6)))
    (heard,) = [event for status, event in answers if status == 200]
    assert sorted(answers)[1:] == [(409, "/problems/already_replayed")] * 5
    facts = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    assert [str(fact.yektaevent) for fact in facts if fact.yektakey == "at-once"] == [heard]
    shown = (await api.client.get(f"/v1/dead-letters/{letter}", auth=(admin, ""))).json()
    assert (shown["status"], shown["replayed_as"]) == ("replayed", heard)


async def test_a_replay_without_a_time_of_its_own_keeps_the_time_of_the_refusal(api: Api) -> None:
    key, admin = await api.write_key("strict", strict=True), await api.token()
    timeless = event("timeless", type="web.unheard_of")
    del timeless["time"]
    letter = await refused(api, key, timeless)
    await listed(api)
    timeless["type"] = "web.page_viewed"
    answer = await api.client.post(f"/v1/dead-letters/{letter}/replay", json=timeless, auth=(admin, ""))
    assert answer.status_code == 200, answer.text
    recorded = (await api.client.get(f"/v1/dead-letters/{letter}", auth=(admin, ""))).json()["recorded"]
    (fact,) = [
        one
        for one in (touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints))
        if one.id == "timeless"
    ]
    assert msgspec.convert(recorded, type(fact.time)) == fact.time < fact.yektarecorded


async def test_pages_follow_one_another(api: Api) -> None:
    key, admin = await api.write_key("pages"), await api.token()
    sent = {await refused(api, key, order(f"page-{number}", total=1)) for number in range(5)}
    await listed(api)
    found: list[str] = []
    cursor = ""
    while True:
        page = (await api.client.get(f"/v1/dead-letters?source=pages&limit=2{cursor}", auth=(admin, ""))).json()
        found += [item["id"] for item in page["items"]]
        assert len(found) <= len(sent)
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(found) == 5
    assert set(found) == sent


async def test_dead_letters_are_for_operators(api: Api) -> None:
    assert (await api.client.get("/v1/dead-letters", auth=(await api.write_key(), ""))).status_code == 403
    assert (await api.client.get("/v1/dead-letters", auth=(await api.token("agent"), ""))).status_code == 403
    assert (await api.client.get("/v1/dead-letters")).status_code == 401


async def bulk(api: Api, admin: str, status: int = 200, **wanted: Any) -> Any:
    answer = await api.client.post("/v1/dead-letters/replay", json=wanted, auth=(admin, ""))
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_letters_are_counted_by_source_and_reason(api: Api) -> None:
    key, admin = await api.write_key("counted"), await api.token()
    for number in range(3):
        await refused(api, key, order(f"counted-{number}", total=1))
    await refused(api, key, event("counted-x", type=""))
    await listed(api)
    counts = (await api.client.get("/v1/dead-letters/counts", auth=(admin, ""))).json()
    mine = {item["reason"]: (item["open"], item["replayed"]) for item in counts["items"] if item["source"] == "counted"}
    assert mine == {"wrong_money": (3, 0), "wrong_value": (1, 0)}
    assert counts["open"] >= 4


async def test_a_letter_is_corrected_by_a_json_patch_and_keeps_its_id_and_time_and_is_marked(api: Api) -> None:
    key, admin = await api.write_key("patched"), await api.token()
    letter = await refused(api, key, order("patched-1", total=12.5))
    await listed(api)
    path = f"/v1/dead-letters/{letter}/replay"
    patch = [{"op": "test", "path": "/id", "value": "patched-1"}, {"op": "replace", "path": "/data/total", "value": "12.50"}]
    tried = await api.client.post(f"{path}?dry_run=true", json=patch, auth=(admin, ""))
    assert tried.json()["status"] == "would_replay"
    for wrong, where in (
        ([{"op": "replace", "path": "/data/nothing", "value": 1}], "/0"),
        ([*patch, {"op": "shout", "path": ""}], "/2"),
        ([{"op": "test", "path": "/id", "value": "other"}], "/0"),
        ([{"op": "replace"}], "/0"),
    ):
        answer = await api.client.post(path, json=wrong, auth=(admin, ""))
        assert (answer.status_code, answer.json()["pointer"]) == (422, where), answer.text
    other = await api.client.post(path, json=[*patch, {"op": "replace", "path": "/id", "value": "x"}], auth=(admin, ""))
    assert other.json()["pointer"] == "/id"
    done = await api.client.post(path, json=patch, auth=(admin, ""))
    assert done.status_code == 200, done.text
    found = [
        one
        for one in (touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints))
        if one.yektaevent == done.json()["event_id"]
    ]
    (fact,) = found
    assert (fact.id, fact.time.isoformat()) == ("patched-1", "2026-05-01T06:30:00+00:00")
    async with api.made.pool.connection() as connection:
        await api.made.secrets.fetch(connection, [fact.yektaseal])
    assert open_sealed(fact, api.made.secrets).attributes["yektareplayed"] == letter


async def test_half_an_emoji_is_mended_by_a_patch_like_anything_else(api: Api) -> None:
    key, admin = await api.write_key("emoji"), await api.token()
    sent = json.dumps(event("half", data={"url": "x", "note": "hi \ud83d"})).encode()
    answer = await api.client.post("/v1/events", content=sent, auth=(key, ""))
    await listed(api)
    path = f"/v1/dead-letters/{answer.json()['dead_letter']}/replay"
    elsewhere = await api.client.post(path, json=[{"op": "replace", "path": "/data/url", "value": "y"}], auth=(admin, ""))
    assert (elsewhere.status_code, elsewhere.json()["pointer"]) == (422, "/data/note")
    done = await api.client.post(path, json=[{"op": "replace", "path": "/data/note", "value": "hi"}], auth=(admin, ""))
    assert done.status_code == 200, done.text
    fate = (await api.client.get("/v1/events/%2Fweb%2Fshop/half", auth=(key, ""))).json()
    assert (fate["state"], fate["refused"]) == ("accepted", None)


async def test_many_letters_are_replayed_by_filter_first_dry_each_with_its_result(api: Api) -> None:
    key, admin = await api.write_key("many"), await api.token()
    sent = {await refused(api, key, order(f"many-{number}", total=number)) for number in range(3)}
    worse = await refused(api, key, order("many-worse", total=1, lines="none"))
    await listed(api)
    wanted: dict[str, Any] = {"filter": {"source": "many"}, "patch": [{"op": "replace", "path": "/data/total", "value": "5"}]}
    dry = await bulk(api, admin, **wanted, dry_run=True)
    assert dry["counts"] == {"would_replay": 3, "refused": 1}
    assert (await bulk(api, admin, **wanted, dry_run=True))["counts"] == dry["counts"]  # it changed nothing
    done = await bulk(api, admin, **wanted)
    assert {item["id"] for item in done["items"] if item["status"] == "replayed"} == sent
    (stays,) = [item for item in done["items"] if item["status"] == "refused"]
    assert (stays["id"], stays["pointer"]) == (worse, "/data/lines")
    await listed(api)
    assert (await bulk(api, admin, **wanted))["counts"] == {"refused": 1}
    assert (await bulk(api, admin, 422, filter={"sauce": "many"}))["pointer"] == "/filter"
    ids = [record.value for record in await api.records(api.world.topics.touchpoints) if b'"many-' in record.value]
    assert len(ids) == 3


async def test_a_newer_mapping_replays_the_refused_rows_of_its_imports(api: Api) -> None:
    key, admin = await api.write_key("mapped"), await api.token()
    cells = {"شماره فاکتور": "77", "تاریخ": "1404/08/30", "موبایل": "09121234567", "کد کالا": "TEA", "تعداد": "1", "پول": "۱۹۵٬۰۰۰"}
    rows = [{"row": number, "cells": cells | {"شماره فاکتور": str(number)}} for number in (2, 3)]
    first = {"name": "mapped-sales"}
    sent = {"file": "azar.csv", "type": "reseller.sale_reported", "mapping": first, "rows": rows}
    answer = (await api.client.post("/v1/imports", json=sent, auth=(key, ""))).json()
    assert [item["status"] for item in answer["items"]] == ["rejected"] * 2
    await listed(api)
    page = (await api.client.get("/v1/dead-letters?mapping=mapped-sales&file=azar.csv", auth=(admin, ""))).json()
    assert [(item["row"], item["pointer"]) for item in page["items"]] == [(3, "/data/total"), (2, "/data/total")]
    newer = "name: mapped-sales\ncolumns:\n  پول: {field: total, unit: تومان}\n"
    dry = await api.client.post("/v1/mappings/mapped-sales", json={"mapping": newer, "dry_run": True}, auth=(admin, ""))
    assert dry.json()["counts"] == {"would_replay": 2}
    assert (await api.client.get("/v1/mappings/mapped-sales", auth=(key, ""))).status_code == 404
    done = await api.client.post("/v1/mappings/mapped-sales", json={"mapping": newer}, auth=(admin, ""))
    assert (done.json()["version"], done.json()["counts"]) == (1, {"replayed": 2})
    assert (await api.client.get("/v1/mappings/mapped-sales", auth=(key, ""))).json()["text"] == newer
    lost = await api.client.post("/v1/mappings/schema", json={"mapping": newer}, auth=(admin, ""))
    assert (lost.status_code, lost.json()["pointer"]) == (422, "/path/name")
    wrong = await api.client.post("/v1/mappings/mapped-sales", json={"mapping": "colums: {}"}, auth=(admin, ""))
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/wrong_mapping")
    assert "Did you mean columns?" in wrong.json()["detail"]


async def test_what_no_store_takes_is_refused_at_the_door_and_breaks_nothing_behind_it(api: Api) -> None:
    key, admin = await api.write_key("nul"), await api.token()
    row = {"row": 2, "cells": {"a\0b": "x", "تاریخ": "never\0"}}
    sent = {"file": "nul.csv", "type": "reseller.sale_reported", "rows": [row]}
    answer = await api.client.post("/v1/imports", json=sent, auth=(key, ""))
    assert answer.json()["items"][0]["status"] == "rejected"
    await listed(api)  # the table takes it
    for wrong in (sent | {"file": "a\0"}, sent | {"rows": [row | {"row": 1 << 40}]}):
        assert (await api.client.post("/v1/imports", json=wrong, auth=(key, ""))).status_code == 422
    assert (await bulk(api, admin, 422, filter={"file": "a\0"}))["pointer"] == "/filter/file"
    assert (await api.client.get("/v1/mappings/%00", auth=(admin, ""))).status_code == 404


HALF = '{"row": 3, "id": "half", "cells": {"رنگ": "red \\ud83d", "موبایل": "09121234567"}}'.encode()


@pytest.mark.parametrize(
    ("broken", "reason", "pointer", "id_"),
    [
        (HALF, "unusable_text", "/cells/رنگ", "half"),
        (b'{"row": 3, "cells": {"a": "\\ud83d", "b": ["\\ude00"]}, "more": [{"c": 1}]}', "unusable_text", "/cells/a", None),
        (b'{"row": 3, "id": "\\ud83d", "cells": {"a": "b"}}', "unusable_text", "/id", None),
        (b'{"row": 3, "id": "far", "cells": {"a": 1e999}}', "unusable_number", "/cells/a", "far"),
        (b'{"row": 3, "cells": {"a": NaN}}', "not_json", "", None),
        (b'{"row": 3, "cells": {"a": "\xff"}}', "not_json", "", None),
        (b'{"row": 3, "cells": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}", "too_deep", "", None),
    ],
)
async def test_a_row_that_cannot_be_read_costs_no_other(api: Api, broken: bytes, reason: str, pointer: str, id_: str | None) -> None:
    key, admin = await api.write_key("unread"), await api.token()
    good = [json.dumps({"row": row, "id": f"r-{row}", "cells": {"موبایل": "09121234567"}}).encode() for row in (2, 4)]
    content = b'{"file": "azar.jsonl", "type": "profile.reported", "rows": [' + b", ".join([good[0], broken, good[1]]) + b"]}"
    answer = await api.client.post("/v1/imports", content=content, auth=(key, ""))
    assert answer.status_code == 200, answer.text
    first, refusal, last = answer.json()["items"]
    assert [(one["status"], one["row"]) for one in (first, last)] == [("accepted", 2), ("accepted", 4)]
    assert (refusal["status"], refusal["row"], refusal["reason"], refusal["pointer"]) == ("rejected", 3, reason, pointer)
    assert refusal["column"] == pointer.removeprefix("/cells/").removeprefix("/id")
    await listed(api)
    path = f"/v1/dead-letters/{refusal['dead_letter']}"
    kept = (await api.client.get(path, auth=(admin, ""))).json()
    assert (kept["file"], kept["row"], kept["reason"]) == ("azar.jsonl", 3, reason)
    again = await api.client.post(f"{path}/replay", auth=(admin, ""))
    assert (again.status_code, again.json()["type"], again.json()["pointer"]) == (422, f"/problems/{reason}", pointer)
    if id_ is not None:
        mended = [{"op": "replace", "path": pointer, "value": "red"}]
        done = await api.client.post(f"{path}/replay", json=mended, auth=(admin, ""))
        assert (done.status_code, done.json().get("event_id")) == (200, str(event_id("unread", "/files/profile.reported", id_))), done.text


async def test_a_wrong_body_is_pointed_into_also_within_a_list(api: Api) -> None:
    key, admin = await api.write_key("pointed"), await api.token()
    half, more = b'{"row": 1, "cells": {"a": "\\ud83d"}}', b'{"row": 2, "cells": {}, "more": [{}, 3]}'
    for rows, where in (
        (b'[{"row": 1, "cells": {}}, {"row": "x", "cells": {}}]', "/rows/1/row"),
        (b"[" + more + b"]", "/rows/0/more/1"),
        (b"[" + half + b", " + more + b"]", "/rows/1/more/1"),
        (b"[" + half + b', {"row": "x", "id": "\\ud83d", "cells": {}}]', "/rows/1/row"),
        (b"[" + half + b', {"row": "x", "cells": {"a": "\\ud83d"}}]', "/rows/1/row"),
        (b"[" + half + b", 1]", "/rows/1"),
    ):
        content = b'{"file": "a", "type": "profile.reported", "rows": ' + rows + b"}"
        answer = await api.client.post("/v1/imports", content=content, auth=(key, ""))
        assert (answer.status_code, answer.json().get("pointer")) == (422, where), answer.text
    assert (await bulk(api, admin, 422, filter={}, patch=[{}, 1]))["pointer"] == "/patch/1"
    assert (await bulk(api, admin, 422, filter={"ids": [str(UUID(int=1)), "x"]}))["pointer"] == "/filter/ids/1"
    assert (await bulk(api, admin, 422, filter={}, patch=[{"value": "\0"}]))["pointer"] == "/patch/0/value"
    for wrong, where in (({"mapping": []}, "/mapping"), ({"mapping": {"a": ["\0"]}}, "/mapping/a/0"), ({"mapping": {}, "replays": 1}, "")):
        answer = await api.client.post("/v1/mappings/pointed", json=wrong, auth=(admin, ""))
        assert (answer.status_code, answer.json()["pointer"]) == (422, where), answer.text


async def test_a_row_of_more_cells_than_a_sheet_has_costs_no_other(api: Api) -> None:
    key = await api.write_key("wide")
    wide, wider = ({f"c{number}": "x" for number in range(count)} for count in (16_384, 16_385))
    rows = [{"row": 2, "cells": wide}, {"row": 3, "cells": wider}, {"row": 4, "cells": {"موبایل": "09121234567"}}]
    sent = {"file": "wide.csv", "type": "profile.reported", "rows": rows}
    first, second, third = (await api.client.post("/v1/imports", json=sent, auth=(key, ""))).json()["items"]
    assert (second["reason"], second["pointer"], third["status"]) == ("too_large", "/cells", "accepted")
    assert first.get("reason") != "too_large"


async def test_others_are_heard_between_items_however_few_they_are(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key, breaths, sleep = await api.write_key("breaths"), 0, asyncio.sleep

    async def breathed(seconds: float) -> None:
        nonlocal breaths
        breaths += seconds == 0
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", breathed)
    monkeypatch.setattr(appending, "TURN", 0.0)
    events = [event(f"breath-{number}", data={"url": "u", "who": {"device": "d"}}) for number in range(5)]
    messages = {"batch": [{"type": "track", "event": "Seen", "userId": "u", "messageId": f"m-{number}"} for number in range(5)]}
    rows = {"file": "a", "type": "profile.reported", "rows": [{"row": n, "cells": {"موبایل": "09121234567"}} for n in range(5)]}
    for path, sent in (("events", events), ("batch", messages), ("imports", rows)):
        breaths = 0
        assert (await api.client.post(f"/v1/{path}", json=sent, auth=(key, ""))).status_code == 200
        assert breaths >= 5, path


async def test_what_is_no_row_is_still_said_of_the_whole_request(api: Api) -> None:
    key = await api.write_key("unread")
    for rows in (
        b'[{"cells": {"a": NaN}}]',
        b'[{"row": "x", "cells": {"a": "\\ud83d"}}]',
        b'[{"row": 1, "cells": {}}, {"row": 2]',
        b"[NaN]",
    ):
        content = b'{"file": "a", "type": "profile.reported", "rows": ' + rows + b"}"
        answer = await api.client.post("/v1/imports", content=content, auth=(key, ""))
        assert answer.status_code in {400, 422}, answer.text


async def test_what_came_under_a_used_id_stays_until_it_has_its_own(live: Api) -> None:
    key, admin = await live.write_key("reused"), await live.token()
    first = await live.send(key, order("reused-1", total="10"))
    await live.get(admin, "/v1/events/%2Fsales/reused-1", after=first)
    second = await live.send(key, order("reused-1", total="20"))

    async def fate(id_: str) -> Any:
        return (await live.client.get(f"/v1/events/%2Fsales/{id_}", auth=(key, ""))).json()

    told = await live.get(key, "/v1/events/%2Fsales/reused-1", after=second)
    assert (told["state"], told["refused"]["reason"], told["refused"]["pointer"]) == ("visible", "id_reused", "/id")
    letter = told["refused"]["dead_letter"]
    assert (await live.client.get("/problems/id_reused")).status_code == 200
    for dry in (True, False):
        tried = await bulk(live, admin, filter={"reason": "id_reused", "source": "reused"}, dry_run=dry)
        assert [(item["id"], item["status"], item["pointer"]) for item in tried["items"]] == [(letter, "refused", "/id")]
    path = f"/v1/dead-letters/{letter}/replay"
    alone = await live.client.post(path, auth=(admin, ""))
    assert (alone.status_code, alone.json()["type"]) == (422, "/problems/id_reused")
    assert (await live.get(admin, f"/v1/dead-letters/{letter}"))["status"] == "open"
    own = [{"op": "replace", "path": "/id", "value": "reused-2"}]
    done = await live.client.post(path, json=own, auth=(admin, ""))
    assert done.status_code == 200, done.text
    await live.get(admin, "/v1/events/%2Fsales/reused-2", after=done.json()["position"])
    assert (await fate("reused-2"))["event_id"] == done.json()["event_id"]
    assert [(await fate(id_))["refused"] for id_ in ("reused-1", "reused-2")] == [None, None]  # nothing is left to mend


async def test_who_waits_for_what_he_sent_is_told_that_it_was_refused_on_the_way(live: Api) -> None:
    key = await live.write_key("told")
    for number in range(10):
        await live.send(key, order(f"told-{number}", total="10"))
        answer = await live.client.post("/v1/events", json=order(f"told-{number}", total="20"), auth=(key, ""))
        fate = await live.get(key, f"/v1/events/%2Fsales/told-{number}", after=answer.json()["position"])
        assert (fate["state"], fate["refused"]["reason"]) == ("visible", "id_reused"), number


async def test_of_letters_that_get_one_id_the_first_counts(api: Api) -> None:
    key, admin = await api.write_key("both"), await api.token()
    for number in range(2):
        await refused(api, key, order("both-1", total=number))
    await listed(api)
    patch = [{"op": "replace", "path": "/data/total", "value": "5"}, {"op": "replace", "path": "/data/order_id", "value": "o"}]
    assert (await bulk(api, admin, filter={"source": "both"}, patch=patch, dry_run=True))["counts"] == {
        "would_replay": 2
    }  # they are the same
    other = await bulk(api, admin, filter={"source": "both"}, patch=[{"op": "copy", "from": "/data/total", "path": "/data/note"}, *patch])
    assert other["counts"] == {"replayed": 1, "refused": 1}
