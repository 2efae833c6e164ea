"""`yekta import` and the watched folder, over the door for rows: each row once, however often, and whatever dies."""

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog.testing

from aggregates import dead_letter
from aggregates.dead_letter import DeadLetter
from aggregates.wire import touchpoint_decoder
from infra.importing.dropped import Watch
from tests.api.conftest import Api
from tests.api.serving import served
from tests.api.test_dead_letters_are_kept_and_replayed import listed
from tests.rows.files import ROWS, text, workbook
from tests.shell import yekta

pytestmark = pytest.mark.engines

SALES = ("--as", "reseller.sale_reported")


async def landed(api: Api, source: str) -> list[str]:
    """The ids of a source's events in the log, in any order."""
    records = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    return [one.id for one in records if one.yektakey == source]


async def letters(api: Api, source: str) -> list[DeadLetter]:
    read = [dead_letter.read(one.key, one.value, one.headers) for one in await api.records(api.world.topics.dead_letters)]
    return [letter for letter in read if isinstance(letter, DeadLetter) and letter.source == source]


async def imported(api: Api, key: str, url: str, *words: str) -> tuple[int, dict[str, Any]]:
    said = await yekta(api.world, "import", *words, "--key", key, "--url", url, "--json")
    assert said.err == "", said.err
    return said.code, json.loads(said.out)


async def test_a_file_sent_twice_or_in_another_format_has_the_same_ids(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("twice")
    async with served(api) as url:
        first = await imported(api, key, url, str(text(tmp_path / "a.csv")), *SALES)
        again = await imported(api, key, url, str(workbook(tmp_path / "b.xlsx")), *SALES)
    assert [code for code, _ in (first, again)] == [0, 0]
    assert first[1]["accepted"] == again[1]["accepted"] == len(ROWS)
    assert Counter(await landed(api, "twice")) == {"310": 2, "311": 2}  # the same events twice: they count once


async def test_a_refused_row_is_a_letter_with_file_row_and_column_and_costs_the_others_nothing(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("letters")
    path = text(tmp_path / "azar.csv")
    path.write_text(path.read_text("utf-8") + "312,۱۴۰۴/۱۳/۰۱,09121234567,TEA,1,10\n", "utf-8")
    async with served(api) as url:
        code, summary = await imported(api, key, url, str(path), *SALES)
    assert (code, summary["accepted"], summary["refused"], summary["reasons"]) == (1, 2, 1, {"wrong_time": 1})
    (rejected,) = summary["rejected"]
    assert (rejected["row"], rejected["column"]) == (4, "تاریخ")
    (letter,) = await letters(api, "letters")
    assert letter.cell == dead_letter.Cell("azar.csv", 4, "تاریخ", "reseller.sale_reported")
    assert str(letter.id) == rejected["dead_letter"]
    assert b"9121234567" not in letter.sealed


async def test_an_import_that_is_killed_goes_on_and_nothing_is_there_twice(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("killed")
    path = tmp_path / "long.jsonl"
    rows = [{"تاریخ": "1404/08/30", "موبایل": "09121234567", "رنگ": f"رنگ {number // 2}"} for number in range(6_000)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    remembered = Path(api.world.settings.home) / "imports"
    words = ("import", str(path), "--as", "profile.reported", "--key", key, "--json")
    environment = os.environ | {"YEKTA_HOME": str(api.world.settings.home)}
    async with served(api) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "infra.cli", *words, "--url", url, env=environment, stdout=-3, stderr=-3
        )
        async with asyncio.timeout(30):
            while not list(remembered.glob("*.json")):  # noqa: ASYNC110 - a process of its own
                await asyncio.sleep(0.005)
        process.kill()
        await process.wait()
        _, summary = await imported(api, key, url, str(path), "--as", "profile.reported")
    assert 0 < summary["went_on_at"] < len(rows)
    assert summary["rows"] == len(rows)
    assert not list(remembered.glob("*.json"))
    told = Counter(await landed(api, "killed"))
    assert len(told) == summary["accepted"] == len(rows)  # equal rows are counted, and are not the same row


async def test_a_dry_run_shows_how_rows_would_land_and_sends_nothing(api: Api, tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv")
    path.write_text(path.read_text("utf-8") + "312,1404/09/02,123,TEA,1,10\n", "utf-8")
    said = await yekta(api.world, "import", str(path), *SALES, "--source", "dry", "--dry-run", "--json")
    shown = json.loads(said.out)
    assert (said.code, shown["rows"], shown["accepted"], shown["refused"]) == (1, 3, 2, 1)
    assert shown["columns"]["مبلغ کل (تومان)"] == "total"
    assert shown["first"][0]["event"]["data"]["total"] == "3900000"
    assert shown["rejected"][0]["column"] == "موبایل"
    assert await landed(api, "dry") == []


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (None, "Nothing says what the rows are"),
        ("colums: {}\ntype: x.y", "colums is not known here. Did you mean columns?"),
        ("type: x.y\ncolumns: {مبلغ کلی: total}", "names a column مبلغ کلی that a.csv does not have. Did you mean مبلغ کل"),
    ],
)
async def test_mistakes_are_told_before_anything_is_sent(api: Api, tmp_path: Path, mapping: str | None, said: str) -> None:
    path = text(tmp_path / "a.csv")
    words = []
    if mapping is not None:
        (tmp_path / "map.yaml").write_text(mapping, "utf-8")
        words = ["--map", str(tmp_path / "map.yaml")]
    answer = await yekta(api.world, "import", str(path), *words, "--key", "k", "--url", "http://127.0.0.1:9")
    assert answer.code == 78
    assert said in answer.err


async def test_what_partners_drop_is_imported_and_put_away(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("novin")

    async def key_of(source: str) -> str:
        assert source == "novin"
        return key

    folder = tmp_path / "drop" / "novin"
    folder.mkdir(parents=True)
    async with served(api) as url:
        watch = Watch(tmp_path / "drop", url, key_of, tmp_path / "memory")
        assert await watch.look() == 0
        (folder / "mapping.yaml").write_text("type: reseller.sale_reported\n")
        text(folder / "azar.csv")
        (folder / "broken.xlsx").write_bytes(b"PK\x03\x04 no")
        (folder / "unfinished.csv.part").write_text("a")
        assert await watch.look() == 0  # it may still be written
        assert await watch.look() == 2
        assert await watch.look() == 0
    report = json.loads((folder / "done" / "azar.csv.report.json").read_text("utf-8"))
    assert (report["accepted"], report["refused"]) == (2, 0)
    assert (folder / "done" / "azar.csv").exists()
    assert "cannot be read" in json.loads((folder / "refused" / "broken.xlsx.report.json").read_text("utf-8"))["refused"]
    assert sorted(await landed(api, "novin")) == ["310", "311"]


async def test_a_drop_that_is_killed_is_gone_on_with_and_the_rows_of_one_invoice_are_one_sale(api: Api, tmp_path: Path) -> None:
    key, admin = await api.write_key("grouped"), await api.token()
    mapping = "type: reseller.sale_reported\ngroup: شماره فاکتور\ncolumns: {مبلغ: {field: total, unit: ریال, sum: true}}\n"
    assert (await api.client.post("/v1/mappings/invoices", json={"mapping": mapping}, auth=(admin, ""))).status_code == 200
    folder = tmp_path / "drop" / "grouped"
    folder.mkdir(parents=True)
    row = {"تاریخ": "1404/08/30", "موبایل": "09121234567", "کد کالا": "TEA", "تعداد": 1, "مبلغ": "۱۰۰"}
    rows = [{"شماره فاکتور": f"s-{number % 1_500}"} | row for number in range(3_000)]
    (folder / "azar.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), "utf-8")
    remembered = Path(api.world.settings.home) / "imports"
    environment = os.environ | {
        "YEKTA_HOME": str(api.world.settings.home),
        "YEKTA_KAFKA__BOOTSTRAP_SERVERS": api.world.endpoints.bootstrap_servers,
        "YEKTA_POSTGRES__DSN": api.world.dsn,
        "YEKTA_DROP__EVERY": "0.05",
        "YEKTA_DROP__MAPPINGS": '{"grouped": "invoices"}',
    }
    words = ("-m", "infra.cli", "drop", "--folder", str(tmp_path / "drop"))
    async with served(api) as url:
        process = await asyncio.create_subprocess_exec(sys.executable, *words, "--url", url, env=environment, stdout=-3, stderr=-3)
        async with asyncio.timeout(60):
            while not list(remembered.glob("*.json")) and not (folder / "done").exists():  # noqa: ASYNC110 - a process of its own
                await asyncio.sleep(0.005)
        process.kill()
        await process.wait()

        async def key_of(_: str) -> str:
            return key

        watch = Watch(tmp_path / "drop", url, key_of, remembered, {"grouped": "invoices"})
        await watch.look()
        await watch.look()
    (report,) = [json.loads(one.read_text("utf-8")) for one in (folder / "done").glob("*.report.json")]
    assert (report["accepted"], report["refused"]) == (1_500, 0)
    records = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    sales = {one.id: msgspec.json.decode(one.data) for one in records if one.yektakey == "grouped"}
    assert len(sales) == 1_500
    assert {(len(sale["lines"]), sale["total"]) for sale in sales.values()} == {(2, "200")}


async def test_a_source_whose_mapping_nobody_has_is_told_so(api: Api, tmp_path: Path) -> None:
    key = await api.write_key("unmapped")

    async def key_of(_: str) -> str:
        return key

    for source in ("named", "elsewhere"):
        (tmp_path / source).mkdir()
        text(tmp_path / source / "azar.csv")
    async with served(api) as url:
        settled = {"named": "no-such-mapping", "elsewhere": str(tmp_path / "no-such.yaml")}
        watch = Watch(tmp_path, url, key_of, tmp_path / ".memory", settled)
        assert (await watch.look(), await watch.look()) == (0, 2)
    told = [json.loads((tmp_path / source / "refused" / "azar.csv.report.json").read_text("utf-8"))["refused"] for source in settled]
    assert ["no-such-mapping" in told[0], "no-such.yaml" in told[1]] == [True, True]


async def test_nothing_is_touched_in_a_folder_of_which_nothing_says_what_its_files_are(tmp_path: Path) -> None:
    async def nobodys(source: str) -> str:
        raise AssertionError(source)

    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "summer.jpg").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    watch = Watch(tmp_path, "http://127.0.0.1:9", nobodys, tmp_path / ".memory")
    with structlog.testing.capture_logs() as said:
        assert [await watch.look() for _ in range(3)] == [0, 0, 0]
    assert [(one["event"], one["folder"]) for one in said] == [("drop_unmapped", str(tmp_path / "photographs"))]
    assert [one.name for one in (tmp_path / "photographs").iterdir()] == ["summer.jpg"]


async def test_a_folder_that_is_not_there_is_said_once(tmp_path: Path) -> None:
    async def nobodys(source: str) -> str:
        raise AssertionError(source)

    watch = Watch(tmp_path / "dorp", "http://127.0.0.1:9", nobodys, tmp_path / ".memory")
    with structlog.testing.capture_logs() as said:
        for _ in range(3):
            await watch.look()
        (tmp_path / "dorp").mkdir()
        await watch.look()
    assert [(one["event"], one["folder"]) for one in said] == [("drop_folder_absent", str(tmp_path / "dorp"))]


async def test_a_dropped_file_waits_while_the_door_is_shut(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.posting.TRIES", 1)
    key = await api.write_key("patient")

    async def key_of(_: str) -> str:
        return key

    folder = tmp_path / "patient"
    folder.mkdir()
    (folder / "mapping.yaml").write_text("type: reseller.sale_reported\n")
    text(folder / "azar.csv")
    shut = Watch(tmp_path, "http://127.0.0.1:9", key_of, tmp_path / ".memory")
    assert (await shut.look(), await shut.look()) == (0, 0)
    assert (folder / "azar.csv").exists()
    async with served(api) as url:
        watch = Watch(tmp_path, url, key_of, tmp_path / ".memory")
        assert (await watch.look(), await watch.look()) == (0, 1)
    assert sorted(await landed(api, "patient")) == ["310", "311"]


async def test_letters_are_mended_from_the_shell_and_the_mapping_serves_the_next_import(api: Api, tmp_path: Path) -> None:
    key, admin = await api.write_key("shell"), await api.token()
    path = text(tmp_path / "mehr.csv")
    path.write_text(path.read_text("utf-8").replace("مبلغ کل (تومان)", "دریافتی"), "utf-8")
    async with served(api) as url:
        named = ("--token", admin, "--url", url, "--json")
        _, summary = await imported(api, key, url, str(path), *SALES)
        assert summary["reasons"] == {"missing_field": 2}
        await listed(api)
        newer = tmp_path / "newer.yaml"
        newer.write_text("columns: {دریافتی: {field: total, unit: تومان}}\n", "utf-8")
        dry = json.loads(
            (await yekta(api.world, "dead-letters", "replay", "--file", "mehr.csv", "--map", str(newer), "--dry-run", *named)).out
        )
        assert dry["counts"] == {"would_replay": 2}
        body = {"mapping": newer.read_text("utf-8")}
        done = await api.client.post("/v1/mappings/novin-sales", json=body, auth=(admin, ""))
        assert done.json()["counts"] == {}  # the rows were read by no mapping of this name
        replayed = await yekta(api.world, "dead-letters", "replay", "--file", "mehr.csv", "--map", str(newer), *named)
        assert json.loads(replayed.out)["counts"] == {"replayed": 2}
        code, again = await imported(api, key, url, str(path), *SALES, "--map", "novin-sales")
        assert (code, again["accepted"]) == (0, 2)
    assert Counter(await landed(api, "shell")) == {"310": 2, "311": 2}
