"""Every measurement runs, in miniature: the table has all its rows, the JSON is what its schema says. How fast is nobody's concern here."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import jsonschema
import msgspec
import psycopg
import pytest
from rich.console import Console

from infra.bench import ground, report
from infra.bench.report import Report
from infra.bench.run import WANTS, Plan, run
from infra.bench.table import footing, table
from infra.endpoints import Endpoints
from infra.settings import load
from infra.topic_ids import topic_ids

pytestmark = pytest.mark.engines

MINIATURE = Plan(
    rounds=1,
    events=300,
    labels=400,
    silent=40,
    sizes=(100, 300),
    stretch=100,
    seconds=0.2,
    reads=5,
    desks=4,
    rings=2,
    history=200,
    split=40,
    pending=1_000,
    examples=240,
    burst=60,
    interpreter=Path("not/installed"),
)

ROWS = {
    *("floor", "resolve", "customer", "end-to-end", "quix", "rules-0", "rules-10", "rules-100"),
    *(f"{door}-{size}" for door in ("door", "segment-door", "bare-door") for size in (1, 20, 100)),
    *("select", "nothing", "view", "visible", "merging", "ring", "page", "desk-memory"),
    *("churn-none", "churn", "churn-none-known", "churn-known", "learner", "churn-again", "churn-again-memory", "churn-examples"),
    *("store-100", "store-300"),
    *("timers-pending", "webhook", "burst", "burst-live"),
    *("identity-plain", "identity", "split"),
    *(f"memory-{process}" for process in ("api", "worker-1", "worker-2")),
}


@pytest.fixture(scope="module")
async def measured(engines: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One run of everything on the session's engines."""
    kafka = {"bootstrap_servers": engines.bootstrap_servers, "partitions": 2}  # one for each of two workers; twice as many cost Kafka more
    settings = load(home=tmp_path_factory.mktemp("home"), kafka=kafka, postgres={"dsn": engines.dsn})
    async with ground.existing(settings) as here:
        found = await run(here, MINIATURE)
    await _nothing_is_left(engines)
    return found


async def _nothing_is_left(engines: Endpoints) -> None:
    assert not [name for name in await topic_ids(engines.kafka_client_kwargs) if name.startswith("bench_")]
    async with await psycopg.AsyncConnection.connect(engines.dsn) as connection:
        cursor = await connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'bench%'")
        assert await cursor.fetchall() == []


def test_every_measurement_has_its_rows(measured: Report) -> None:
    assert {row.name for row in measured.rows} == ROWS


def test_a_row_has_what_it_is_there_for(measured: Report) -> None:
    rows = {row.name: row for row in measured.rows}
    for name in ("floor", "resolve", "customer", "end-to-end", "door-1", "bare-door-100", "store-300"):
        cost = rows[name].cpu_us
        assert (rows[name].rate or 0) > 0
        assert cost is not None
        assert cost.processes is not None
        assert cost.postgres is None  # these engines are not ours to look at
    for name in ("door-20", "view", "select", "nothing", "visible"):
        assert 0 < (rows[name].p50_ms or 0) <= (rows[name].p99_ms or 0)
    assert [(ratio.of, ratio.by) for ratio in rows["end-to-end"].ratios] == [("floor", "rate"), ("floor", "cpu")]
    assert all(len(rows[name].rates) == MINIATURE.rounds for name in ("floor", "end-to-end", "door-100"))
    assert "not/installed" in rows["quix"].skipped


def test_the_json_is_what_its_schema_says(measured: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(report.schema())
    jsonschema.Draft202012Validator(report.schema()).validate(json.loads(msgspec.json.encode(measured)))


def test_the_table_shows_every_row(measured: Report) -> None:
    shown = StringIO()
    console = Console(file=shown, width=400)
    console.print(table(measured))
    console.print(footing(measured))
    for row in measured.rows:
        assert row.what in shown.getvalue()
    assert "skipped: no interpreter at not/installed" in shown.getvalue()
    assert measured.machine.processor in shown.getvalue()


def test_the_command_measures_on_engines_of_its_own(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "infra.cli", "bench", "--only", "floor", "--events", "200", "--rounds", "1", "--json")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=_environment(tmp_path))
    assert done.returncode == 0, done.stderr
    found = msgspec.json.decode(done.stdout, type=Report)
    assert {row.name for row in found.rows} == {"resolve", "floor"}
    for row in found.rows:
        assert row.cpu_us is not None
        assert row.cpu_us.postgres is not None
        assert row.cpu_us.kafka is not None
    assert list(tmp_path.glob("yekta-bench-*")) == []


def test_a_measurement_that_there_is_not_is_refused_in_a_sentence(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "infra.cli", "bench", "--only", "flor")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=_environment(tmp_path))
    assert done.returncode != 0
    assert f"There is no measurement flor. There are {', '.join(WANTS)}." in done.stderr


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "YEKTA_HOME": str(folder / "home")}
