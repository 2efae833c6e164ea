"""`yekta up` for real: it comes back from every kill, says what runs, stops in order, and refuses in one sentence."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from aiokafka.errors import KafkaConnectionError

from infra import run_state
from infra.endpoints import Endpoints, endpoints
from infra.engines import open_files, ports
from infra.errors import REFUSED, Refusal, unreachable
from infra.home import Home
from infra.run_state import RunState
from infra.running import running
from infra.settings import load

pytestmark = [pytest.mark.engines, pytest.mark.chaos]

_YEKTA = (sys.executable, "-P", "-m", "infra.cli")


class Up:
    """One `yekta up` in one home, and what it says."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = ports.choose()
        self._says = home.with_name("says.log")
        self.process = self._start()

    def state(self) -> RunState:
        return run_state.read(Home(self.home).run_state)

    def endpoints(self) -> Endpoints:
        return endpoints(load(home=self.home))

    def says(self) -> str:
        return self._says.read_text()

    def again(self) -> None:
        self.process = self._start()

    def wait(self, condition: Callable[[], bool], within: float = 90.0) -> None:
        deadline = time.monotonic() + within
        while not condition():
            assert self.process.poll() is None, self.says()
            assert time.monotonic() < deadline, self.says()
            time.sleep(0.02)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._says.open("wb") as says:
            process = subprocess.Popen(
                [*_YEKTA, "up", "--port", str(self.port), "--workers", "1"],
                stdout=says,
                stderr=says,
                env={**os.environ, "YEKTA_HOME": str(self.home)},
            )
        self.process = process
        self.wait(lambda: "processes" in self.says())
        return process


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home = tmp_path_factory.mktemp("up") / "home"
    running = Up(home)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(60)
    shutil.rmtree(home)


def yekta(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_YEKTA, *arguments], capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment})


def test_a_second_up_says_what_already_runs(up: Up) -> None:
    second = yekta("up", YEKTA_HOME=str(up.home))
    assert second.returncode == 0
    assert "already runs" in second.stdout
    assert f"http://127.0.0.1:{up.port}" in second.stdout
    assert up.endpoints().bootstrap_servers in second.stdout
    password = str(psycopg.conninfo.conninfo_to_dict(up.endpoints().dsn)["password"])
    assert password not in second.stdout


def test_whoever_starts_it_gets_an_address_that_opens_the_desk_once(up: Up) -> None:
    up.wait(lambda: "?token=" in up.says())
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", up.says())
    assert found is not None
    up.wait(lambda: httpx.get(found[0], timeout=60).status_code == 200)  # the API learns of the key within moments
    assert httpx.get(found[0], timeout=60).status_code == 403


@pytest.mark.parametrize("name", ["kafka", "postgres", "api", "worker-1"])
async def test_what_is_killed_is_back_with_its_data(up: Up, name: str) -> None:
    offset = await _publish(up.endpoints(), name)
    async with await psycopg.AsyncConnection.connect(up.endpoints().dsn, autocommit=True) as connection:
        await connection.execute(f"CREATE TABLE \"before {name}\" AS SELECT 'here' AS what".encode())
    told, before = up.says().count(f"{name} is "), up.state().children[name]

    os.kill(before.pid, signal.SIGKILL)
    await asyncio.to_thread(up.wait, lambda: up.says().count(f"{name} is ") > told)

    assert up.state().children[name] != before
    assert await _read(up.endpoints(), offset) == name.encode()
    async with await psycopg.AsyncConnection.connect(up.endpoints().dsn) as connection:
        assert await (await connection.execute(f'SELECT what FROM "before {name}"'.encode())).fetchone() == ("here",)


def test_after_a_kill_of_the_supervisor_the_next_up_takes_the_same_addresses(up: Up) -> None:
    before, children = up.endpoints(), up.state().children
    up.process.kill()
    up.process.wait()
    up.again()
    assert up.endpoints() == before
    assert not any(child.runs() for child in children.values())


def test_ctrl_c_stops_everything_in_order(up: Up) -> None:
    children = up.state().children
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(60) == 0
    assert not any(child.runs() for child in children.values())
    assert up.state().children == {}
    assert up.state().api_url is None
    postgres_log = (up.home / "logs" / "postgres.log").read_text()
    assert postgres_log.rstrip().endswith("database system is shut down")
    assert (up.home / "kafka" / "data" / ".kafka_cleanshutdown").exists()


def test_commands_in_a_home_that_was_stopped_say_how_to_start_it(up: Up) -> None:
    refused = yekta("prepare", YEKTA_HOME=str(up.home))
    _is_one_sentence(refused, "Nothing runs in")


async def test_a_database_that_cannot_be_used_is_said_and_none_is_made_in_its_place(up: Up) -> None:
    settings = load(home=up.home, kafka={"bootstrap_servers": "127.0.0.1:1"})  # only PostgreSQL is ours to start
    data, away = up.home / "postgres" / "data", up.home / "postgres" / "away"

    async def refusal() -> str:
        with pytest.raises(Refusal) as refused:
            async with running(settings, notice=lambda *_: None):
                pass
        return refused.value.sentence

    version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("17\n")
    assert await refusal() == f"The data in {data} was made by another major version of PostgreSQL."
    (data / "PG_VERSION").write_text(version)
    data.chmod(0o755)
    assert (await refusal()).startswith("PostgreSQL does not use data that others may read or change")
    data.chmod(0o500)
    assert await refusal() == "PostgreSQL has no permission to write its files."
    data.chmod(0o700)
    data.rename(away)
    assert await refusal() == f"The database of this home is gone: {data} is missing or empty."
    assert not data.exists()
    away.rename(data)


def test_a_command_says_which_engine_went_away_under_it() -> None:
    reason = unreachable(KafkaConnectionError("Unable to bootstrap"))
    assert reason is not None
    assert reason.sentence == "Kafka does not answer."
    reason = unreachable(psycopg.OperationalError("connection failed"))
    assert reason is not None
    assert reason.sentence == "PostgreSQL does not answer."
    assert unreachable(ValueError("a defect of ours")) is None


def test_a_used_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in ("up", "api"):
            _is_one_sentence(yekta(command, "--port", str(port), YEKTA_HOME=str(tmp_path / "home")), f"Port {port} on 127.0.0.1 is used by")


def test_an_address_that_is_not_this_machines_is_said_to_be_so() -> None:
    with pytest.raises(Refusal, match=r"^192\.0\.2\.1 is no address of this machine"):
        ports.refuse_used(ports.choose(), "192.0.2.1")


def test_too_few_files_that_may_be_open_are_refused_and_a_soft_limit_is_raised(tmp_path: Path) -> None:
    few = ["sh", "-c", 'ulimit -n 128; exec "$@"', "-", *_YEKTA, "up", "--port", str(ports.choose())]
    refused = subprocess.run(
        few, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "YEKTA_HOME": str(tmp_path / "home")}
    )
    _is_one_sentence(refused, "Only 128 files may be open at once here")
    assert not (tmp_path / "home").exists()
    raised = (
        "import resource; from infra.engines import open_files; open_files.allow(); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    softly = ["sh", "-c", 'ulimit -S -n 128; exec "$@"', "-", sys.executable, "-c", raised]
    assert int(subprocess.run(softly, capture_output=True, text=True, check=True).stdout) >= open_files.LEAST


def test_a_wrong_dsn_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    dsn = f"postgresql://me:secret@127.0.0.1:{ports.choose()}/mine"
    refused = yekta("up", YEKTA_HOME=str(tmp_path / "home"), YEKTA_POSTGRES__DSN=dsn, YEKTA_API__PORT=str(ports.choose()))
    _is_one_sentence(refused, "PostgreSQL at 127.0.0.1:")
    assert "secret" not in refused.stderr
    assert not (tmp_path / "home").exists()


def test_a_kafka_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    servers = f"127.0.0.1:{ports.choose()}"
    refused = yekta("up", YEKTA_HOME=str(tmp_path / "home"), YEKTA_KAFKA__BOOTSTRAP_SERVERS=servers, YEKTA_API__PORT=str(ports.choose()))
    _is_one_sentence(refused, f"No Kafka broker answers at {servers}")


def test_a_wrong_setting_is_refused(tmp_path: Path) -> None:
    _is_one_sentence(yekta("up", YEKTA_HOME=str(tmp_path), YEKTA_WORKERS="many"), "The setting YEKTA_WORKERS has a wrong value")


def test_a_file_where_the_home_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    _is_one_sentence(
        yekta("up", YEKTA_HOME=str(tmp_path / "file"), YEKTA_API__PORT=str(ports.choose())), "A file stands where a folder is needed"
    )


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        refused = subprocess.run(
            [*_unprivileged(), *_YEKTA, "up", "--port", str(ports.choose())],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "YEKTA_HOME": str(tmp_path / "home")},
        )
    finally:
        tmp_path.chmod(0o700)
    _is_one_sentence(refused, "No permission to write")


def test_a_disk_with_no_room_is_refused(tmp_path: Path) -> None:
    refused = subprocess.run(
        [*_on_small_disk(tmp_path, 16), *_YEKTA, "up", "--port", str(ports.choose())],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "YEKTA_HOME": str(tmp_path / "home")},
    )
    _is_one_sentence(refused, "MB are free on the disk of")


_FILLED_FOR_A_WHILE = """
"$@" >"$SAYS" 2>&1 & up=$!
until_said() { until grep -q "$1" "$SAYS"; do kill -0 $up && sleep 0.1 || exit 1; done; }
until_said processes
until grep -q " kafka ended " "$SAYS"; do
  dd if=/dev/zero bs=64k 2>/dev/null >>"$YEKTA_HOME/filler"  # PostgreSQL may end first, and leave room
  kill -0 $up && sleep 0.1 || exit 1
done
rm "$YEKTA_HOME/filler"
until_said "kafka is back"
kill -INT $up
wait $up
"""


def test_a_disk_that_fills_up_is_named_though_no_log_can_be_written_and_all_goes_on_when_there_is_room(tmp_path: Path) -> None:
    home, says = tmp_path / "disk" / "home", tmp_path / "says"
    home.parent.mkdir()
    done = subprocess.run(
        [*_on_small_disk(home.parent, 640), "sh", "-c", _FILLED_FOR_A_WHILE, "-", *_YEKTA, "up", "--port", str(ports.choose())],
        capture_output=True,
        check=False,
        timeout=300,
        env={**os.environ, "YEKTA_HOME": str(home), "SAYS": str(says)},
    )
    said = says.read_text()
    assert done.returncode == 0, said
    ends = [line.partition(" kafka ")[2] for line in said.splitlines() if " kafka ended " in line]
    assert ends
    for end in ends:
        assert re.fullmatch(rf"ended .*: The disk of {home}/kafka is full \(\d+ MB are free\): Kafka cannot write\. .*", end), end


def _on_small_disk(folder: Path, megabytes: int) -> list[str]:
    mounted = f'mount -t tmpfs -o size={megabytes}m none "$0" && exec "$@"'
    on_small_disk = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, str(folder)]
    if subprocess.run([*on_small_disk, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets nobody mount a small disk")
    return on_small_disk


def test_help_loads_nothing_that_is_slow() -> None:
    """It is typed often, and heavy libraries belong to the commands that need them."""
    loaded = (
        "import sys; from infra.cli import build; build()(['--help'], result_action='return_value'); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", f"import json; {loaded}"], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "infra.cli" in modules
    assert not modules & {"aiokafka", "faust", "fastapi", "psycopg", "pydantic", "river", "jgo", "uvloop"}


def test_ctrl_c_before_a_command_has_begun_ends_it_without_a_trace() -> None:
    """It comes while that is imported which reads the command: this is the most of the time."""
    stopped = (
        "import sys\nclass Stop:\n    def find_spec(self, name, *_):\n        if name == 'cyclopts': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\nfrom infra import cli\ncli.main()"
    )
    done = subprocess.run([sys.executable, "-c", stopped], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def _is_one_sentence(refused: subprocess.CompletedProcess[str], words: str) -> None:
    assert refused.returncode == REFUSED, refused.stderr
    assert refused.stderr.startswith("yekta: "), refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert words in refused.stderr


def _unprivileged() -> list[str]:
    """Root may write everywhere; inside a user namespace of its own it may not."""
    if os.geteuid() != 0:
        return []
    as_nobody = ["unshare", "-U", "--map-user=65534", "--map-group=65534"]
    if subprocess.run([*as_nobody, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("root can write everywhere, and user namespaces are shut")
    return as_nobody


async def _publish(engines: Endpoints, value: str) -> int:
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(**engines.kafka_client_kwargs, acks="all")
    await producer.start()
    try:
        offset: int = (await producer.send_and_wait("yekta.scores", value.encode(), partition=0)).offset
        return offset
    finally:
        await producer.stop()


async def _read(engines: Endpoints, offset: int) -> bytes:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    there = TopicPartition("yekta.scores", 0)
    consumer = AIOKafkaConsumer(**engines.kafka_client_kwargs, enable_auto_commit=False)
    consumer.assign([there])
    await consumer.start()
    try:
        consumer.seek(there, offset)
        value: bytes = (await asyncio.wait_for(consumer.getone(there), 30)).value
        return value
    finally:
        await consumer.stop()
