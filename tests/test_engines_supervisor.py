"""The supervisor brings back what dies and stops all in order; tiny programs stand in for the engines."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from infra import run_state
from infra.engines.program import Program
from infra.engines.supervisor import Supervisor
from infra.errors import REFUSED, Refusal
from infra.run_state import Process, RunState

_SERVES = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('serving', flush=True); signal.pause()"
_IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('serving', flush=True)\nwhile True: signal.pause()"
_TELLS_ITS_END = """
import signal, sys
def end(*_):
    open(sys.argv[1], "a").write(sys.argv[2])
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("serving", flush=True)
signal.pause()
"""
_DIES_AT_ITS_SECOND_AND_THIRD_START = f"""
import sys
open(sys.argv[1], "a").write("x")
if len(open(sys.argv[1]).read()) in (2, 3):
    sys.exit(1)
{_SERVES}
"""
_SUPERVISES = """
import asyncio, sys, uvloop
from pathlib import Path
from infra.engines.program import Program
from infra.engines.supervisor import Supervisor
async def main():
    supervisor = Supervisor(notice=print, changed=lambda: None)
    await supervisor.start(Program(name="child", command=(sys.executable, "-S", "-c", sys.argv[1]), log=Path(sys.argv[2])))
    print(supervisor.children["child"].pid, flush=True)
    await asyncio.Event().wait()
uvloop.run(main())
"""


class Notices:
    """What the supervisor told, and a way to wait for it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def __call__(self, name: str, what: str) -> None:
        self.told.append((name, what))
        self._news.set()

    async def wait_for(self, name: str, words: str) -> None:
        async with asyncio.timeout(30):
            while not any(name == who and words in what for who, what in self.told):
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
async def supervisor(notices: Notices) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(notice=notices, changed=lambda: None)
    yield supervisor
    await supervisor.stop()


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Program]:
    """A program that runs the given Python text, and serves as soon as its log says so."""

    def program(name: str, text: str, *arguments: str, **settings: object) -> Program:
        log = tmp_path / "logs" / f"{name}.log"

        async def ready() -> bool:
            return log.exists() and log.read_text().endswith("serving\n")

        def forget_the_last_life() -> None:
            log.unlink(missing_ok=True)

        defaults = {"ready": ready, "repair": forget_the_last_life, "grace": 5.0, "ready_within": 30.0}
        return Program(name=name, command=(sys.executable, "-S", "-c", text, *arguments), log=log, **{**defaults, **settings})  # type: ignore[arg-type]

    return program


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
async def test_a_child_that_dies_is_back(
    supervisor: Supervisor, notices: Notices, python: Callable[..., Program], death: signal.Signals
) -> None:
    await supervisor.start(python("one", _SERVES))
    before = supervisor.children["one"].pid
    os.kill(before, death)
    await notices.wait_for("one", "is back")
    assert supervisor.children["one"].pid != before
    assert supervisor.children["one"].serving


async def test_children_are_stopped_in_the_reverse_order(supervisor: Supervisor, python: Callable[..., Program], tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    for name in ("a", "b", "c"):
        await supervisor.start(python(name, _TELLS_ITS_END, str(ends), name))
    await supervisor.stop()
    assert ends.read_text() == "cba"


async def test_a_child_that_will_not_stop_is_killed(supervisor: Supervisor, python: Callable[..., Program]) -> None:
    await supervisor.start(python("deaf", _IGNORES_SIGTERM, grace=0.2))
    await supervisor.stop()
    assert supervisor.children["deaf"].process.returncode == -signal.SIGKILL


async def test_the_first_start_that_fails_is_tried_once_more(
    supervisor: Supervisor, python: Callable[..., Program], tmp_path: Path
) -> None:
    once = tmp_path / "once"
    text = f"import os, sys\nif not os.path.exists({str(once)!r}): open({str(once)!r}, 'w'); sys.exit(3)\n{_SERVES}"
    await supervisor.start(python("shy", text))
    assert supervisor.children["shy"].serving


async def test_a_program_that_cannot_run_is_explained_from_its_log(supervisor: Supervisor, python: Callable[..., Program]) -> None:
    program = python(
        "full", "import sys; sys.exit('No space left on device')", explain=lambda log: "The disk is full." if "No space" in log else None
    )
    with pytest.raises(Refusal, match="The disk is full"):
        await supervisor.start(program)
    assert supervisor.children == {}


async def test_the_sentence_of_a_program_that_refuses_is_handed_on(supervisor: Supervisor, python: Callable[..., Program]) -> None:
    text = f"import sys; print('yekta: The log is shorter than the database.', file=sys.stderr); sys.exit({REFUSED})"
    with pytest.raises(Refusal, match="The log is shorter than the database"):
        await supervisor.start(python("worker", text))


async def test_a_program_that_does_not_exist_is_refused(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="ghost could not be started"):
        await supervisor.start(Program(name="ghost", command=(str(tmp_path / "ghost"),), log=tmp_path / "ghost.log"))


async def test_a_child_that_dies_again_and_again_is_given_time(
    supervisor: Supervisor, notices: Notices, python: Callable[..., Program], tmp_path: Path
) -> None:
    """It serves once, then dies at once twice, then serves: the supervisor neither gives up nor spins."""
    starts = tmp_path / "starts"
    await supervisor.start(python("unsteady", _DIES_AT_ITS_SECOND_AND_THIRD_START, str(starts)))
    supervisor.children["unsteady"].process.kill()
    await notices.wait_for("unsteady", "is back")
    assert starts.read_text() == "xxxx"
    assert [what for _, what in notices.told][:3] == ["was killed by signal 9", "ended with code 1", "ended with code 1"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of their parent's death")
def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SUPERVISES, _SERVES, str(tmp_path / "child.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = Process.of(int(supervisor.stdout.readline()))
        supervisor.kill()
    assert child is not None
    assert run_state.gone(child, within=20)


def test_the_next_run_ends_what_a_killed_one_left_over() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", _SERVES], stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        found = Process.of(orphan.pid)
        assert found is not None
        namesake = Process(os.getpid(), found.started - 3600)  # a number that belongs to somebody else by now
        left = RunState(children={"kafka": found, "api": namesake, "worker-1": Process(2**22 + 1, 0.0)})
        assert run_state.end_orphans(left) == ["kafka"]
        assert orphan.wait(10) == 0


def test_the_run_state_survives_a_torn_or_foreign_file(tmp_path: Path) -> None:
    state = RunState(supervisor=Process.of(os.getpid()), kafka_port=20001, api_url="http://127.0.0.1:8700")
    run_state.write(tmp_path / "run.json", state)
    assert run_state.read(tmp_path / "run.json") == state
    assert run_state.read(tmp_path / "run.json").runs()
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "run.json").write_text('{"kafka_po')
    assert run_state.read(tmp_path / "run.json") == RunState()
    assert not RunState().runs()
