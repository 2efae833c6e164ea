"""`yekta keys` and `yekta send`, as a person types them."""

import asyncio
import gzip
import json
import re
import signal
import sys
from pathlib import Path

import pytest

from aggregates import secret
from api import position
from api.body import REQUEST_BYTES
from infra.cli import build
from infra.cli.send import LONGEST
from infra.errors import Refusal
from infra.importing.source_keys import key_of
from tests.api.conftest import Api, answered, until
from tests.api.events import event, order
from tests.api.serving import served
from tests.shell import yekta

pytestmark = pytest.mark.engines


async def test_a_key_is_all_that_is_printed_and_it_opens_the_door(api: Api) -> None:
    made = await yekta(api.world, "keys", "create", "--source", "typed", "--strict", "--types", "web.*")
    assert (made.code, made.err) == (0, "")
    text = made.out.removesuffix("\n")
    assert secret.well_formed(text)
    await until(lambda: api.made.ring.of_secret(text) is not None)
    assert (await api.client.post("/v1/events", json=event(), auth=(text, ""))).status_code == 200
    listed = [json.loads(line) for line in (await yekta(api.world, "keys", "list", "--json")).out.splitlines()]
    (id_,) = [key["id"] for key in listed if key["source"] == "typed"]
    rotated = (await yekta(api.world, "keys", "rotate", id_, "--grace", "0")).out.strip()
    await until(lambda: api.made.ring.of_secret(rotated) is not None)
    assert (await api.client.post("/v1/events", json=event(), auth=(text, ""))).status_code == 403
    assert (await yekta(api.world, "keys", "revoke", id_)).code == 0
    await answered(lambda: api.client.post("/v1/events", json=event(), auth=(rotated, "")), lambda answer: answer.status_code == 403)
    assert "typed" not in (await yekta(api.world, "keys", "list")).out


async def test_what_cannot_be_done_is_said_in_one_sentence(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in api.world.settings.environment().items():
        monkeypatch.setenv(name, value)
    for words in (
        ("create",),
        ("create", "--source", "a", "--role", "agent"),
        ("create", "--source", "a/b"),
        ("create", "--source", "a", "--zone", "Foo/Bar"),
        ("create", "--source", "a", "--zone", "Asia"),
        ("create", "--role", "agent", "--strict"),
        ("create", "--role", "agent", "--types", "web.*"),
        *(("create", "--source", "a", "--types", types) for types in ("foo", "*", "web*", "web.", "web.page.*", "web.*,call.ended", "")),
        ("create", "--source", "a", "--strict", "--types", "web.*", "own.thing"),
        ("create", "--source", "a", "--strict", "--types", "own.*"),
        ("revoke", "00000000-0000-0000-0000-000000000001"),
        ("rotate", "00000000-0000-0000-0000-000000000001"),
    ):
        with pytest.raises(Refusal) as refused:  # in this process: a start of each would take most of ten seconds
            await asyncio.to_thread(build(), ["keys", *words], exit_on_error=False, print_error=False)
        assert "\n" not in refused.value.sentence, words
        assert capsys.readouterr().out == ""
    typed = await yekta(api.world, "keys", "create")
    assert (typed.code, typed.out) == (78, "")
    assert re.fullmatch(r"yekta: .+\n", typed.err)
    with pytest.raises(Refusal, match="A source's name"):  # so is an import told for a source that it would make
        await key_of(api.world.settings, "a/b")


@pytest.mark.parametrize("grace", ["-5", "99999999999999"])
async def test_a_grace_that_is_none_is_refused_and_the_key_stays_as_it_is(api: Api, grace: str) -> None:
    assert (await yekta(api.world, "keys", "create", "--source", f"graceful{grace}")).code == 0
    listed = (await yekta(api.world, "keys", "list", "--json")).out
    (id_,) = [key["id"] for key in map(json.loads, listed.splitlines()) if key["source"] == f"graceful{grace}"]
    said = await yekta(api.world, "keys", "rotate", id_, "--grace", grace)
    assert (said.code, said.out, "--grace" in said.err, "Traceback" in said.err) == (2, "", True, False)
    assert (await yekta(api.world, "keys", "list", "--json")).out == listed


@pytest.mark.parametrize(
    "words",
    [
        ("send", "-", "--key", "k", "--in-flight", "0"),
        ("dead-letters", "list", "--limit", "-1"),
        ("dead-letters", "list", "--limit", "0"),
        ("import", "a.csv", "--as", "profile.reported", "--rows", "-1"),
        ("wait", "--timeout", "nan"),
        ("wait", "--timeout", "-1"),
    ],
)
async def test_a_number_that_means_nothing_is_refused_by_its_name(api: Api, words: tuple[str, ...]) -> None:
    said = await yekta(api.world, *words)
    assert (said.code, said.out, words[-2] in said.err, "Must be >= " in said.err, "Traceback" in said.err) == (2, "", True, True, False)


async def test_a_file_is_sent_and_what_was_refused_is_told_by_its_line(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("file")
    lines = [json.dumps(event(f"file-{number}")) for number in range(250)]
    lines[120] = json.dumps(order("file-120", total=1))
    lines[7] = "this is no JSON"
    lines[8] = ""
    lines[9] = json.dumps(event("file-9", data={"url": "x", "note": "hi \ud83d"}))
    lines[10] = '[{"n": NaN}]'
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines))
    async with served(api) as url:
        said = await yekta(api.world, "send", str(path), "--key", key, "--url", url, "--json")
        assert said.code == 1, said.err
        summary = json.loads(said.out)
        assert summary["accepted"] == 245
        assert [(one["line"], one["reason"], one["pointer"]) for one in summary["rejected"]] == [
            (8, "not_json", ""),
            (10, "unusable_text", "/data/note"),
            (11, "not_json", ""),
            (121, "wrong_money", "/data/total"),
        ]
        told = await yekta(api.world, "send", str(path), "--key", key, "--url", url)
        assert told.code == 1
        assert "245 accepted, 4 refused" in told.out
        assert "wrong_money" in told.out


async def test_what_is_accepted_is_told_so_also_behind_the_mark_of_windows(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("marked")
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{json.dumps(event(f'marked-{number}'))}\n" for number in range(3)), "utf-8-sig")
    path.write_bytes(path.read_bytes() * 2)  # files that were put together have it in the middle too
    async with served(api) as url:
        said = await yekta(api.world, "send", str(path), "--key", key, "--url", url, "--json")
    assert said.code == 0, said.out
    summary = json.loads(said.out)
    assert (summary["accepted"], summary["rejected"]) == (6, [])
    assert position.offsets(summary["position"])


async def test_one_line_ends_no_run(api: Api, tmp_path: Path) -> None:
    """Whatever is wrong with it: too long for any request, or nested so deeply that the batch that it is in is not read as a whole."""
    assert LONGEST == REQUEST_BYTES - 2
    key = await api.write_key("patient")
    lines = [json.dumps(event(f"patient-{number}")).encode() for number in range(20)]
    deep = 2000
    wrong = {3: b'{"long": "' + b"x" * (11 << 20) + b'"}', 7: b"[" * deep + b"]" * deep, 11: b'{"latin": "\xff"}', 15: b"1], [2"}
    for at, text in wrong.items():
        lines[at] = text
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(lines))
    async with served(api) as url:
        said = await yekta(api.world, "send", str(path), "--key", key, "--url", url, "--json")
        assert said.code == 1, said.err
        summary = json.loads(said.out)
        assert summary["accepted"] == 16
        reasons = {one["line"] - 1: one["reason"] for one in summary["rejected"]}
        assert reasons.pop(7) in ("too_deep", "not_cloudevents")  # how deep Python reads lists depends on its version, and it is but a list
        assert reasons == {3: "too_large", 11: "not_json", 15: "not_json"}
        nowhere = await yekta(api.world, "send", str(path), "--key", key, "--url", f"{url}/nowhere")
    assert nowhere.code != 0
    assert "begins at line 1" in nowhere.err


async def test_of_a_batch_that_is_larger_than_its_source_may_send_every_line_arrives(api: Api) -> None:
    key = await api.write_key("sparing", size=2000)
    lines = [json.dumps(event(f"sparing-{number}")) for number in range(20)]
    lines[5] = json.dumps(event("sparing-large", data={"url": "x" * 3000}))
    async with served(api) as url:
        said = await yekta(api.world, "send", "-", "--key", key, "--url", url, "--json", piped="\n".join(lines).encode())
    summary = json.loads(said.out)
    assert summary["accepted"] == 19
    assert [(one["line"], one["reason"]) for one in summary["rejected"]] == [(6, "too_large")]


async def test_what_is_piped_in_is_sent(api: Api) -> None:
    key = await api.write_key("piped")
    async with served(api) as url:
        said = await yekta(api.world, "send", "-", "--key", key, "--url", url, piped=json.dumps(event("piped")).encode() + b"\n")
    assert said.code == 0, said.err
    assert said.out.startswith("1 accepted, 0 refused")


async def test_what_is_packed_as_gzip_is_sent_as_what_is_in_it(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("packed")
    packed = b"".join(gzip.compress(json.dumps(event(f"packed-{number}")).encode() + b"\n") for number in range(30))
    path = tmp_path / "events"
    path.write_bytes(packed)
    async with served(api) as url:
        words = "send", "--key", key, "--url", url
        whole, cut = await yekta(api.world, *words, str(path)), await yekta(api.world, *words, "-", piped=packed[:-9])
    assert whole.out.startswith("30 accepted, 0 refused")
    assert cut.err.startswith("yekta: - cannot be read to its end: its gzip is cut off or broken.")


async def test_a_file_that_is_one_array_is_sent_item_by_item(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("array")
    items = [*[event(f"array-{number}") for number in range(3)], order("array-3", total=1)]
    path = tmp_path / "events.json"
    path.write_bytes(gzip.compress(json.dumps(items, indent=1).encode()))
    async with served(api) as url:
        said = await yekta(api.world, "send", str(path), "--key", key, "--url", url, "--json")
    summary = json.loads(said.out)
    assert summary["accepted"] == 3
    assert [(one["line"], one["reason"]) for one in summary["rejected"]] == [(4, "wrong_money")]


async def test_what_trickles_in_is_sent_as_it_comes_and_ctrl_c_says_how_far_it_came(api: Api) -> None:
    key = await api.write_key("trickling")
    async with served(api) as url:
        words = ("send", "-", "--key", key, "--url", url)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "infra.cli", *words),
            stdin=-1,
            stdout=-1,
            stderr=-1,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs in the background passes on that it is ignored
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None

        async def landed() -> int:
            return sum(b"trickling" in record.value for record in await api.records(api.world.topics.touchpoints))

        for number in (1, 2):
            process.stdin.write(json.dumps(event(f"trickle-{number}")).encode() + b"\n")
            await answered(landed, number.__le__)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            code = await process.wait()
    said = (await process.stderr.read()).decode()
    found = re.fullmatch(r"yekta: Stopped when (\d) lines were answered\. Send the whole again, or from line (\d) on: .*\n", said)
    assert found is not None, said
    assert (code, int(found[2])) == (130, int(found[1]) + 1)
    assert (await process.stdout.read()).decode().startswith(f"{found[1]} accepted, 0 refused, in ")


async def test_a_wrong_key_a_missing_file_and_no_api_are_said_in_one_sentence(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(event()))
    async with served(api) as url:
        for words in (
            ("send", str(path), "--key", "nonsense", "--url", url),
            ("send", str(tmp_path / "none.jsonl"), "--key", "k", "--url", url),
            ("send", str(path), "--key", "k"),
        ):
            said = await yekta(api.world, *words)
            assert said.code != 0, words
            assert said.err.startswith("yekta: ")
            assert said.err.count("\n") == 1, said.err
