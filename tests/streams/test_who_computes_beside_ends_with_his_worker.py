"""What a worker has computed in a process of its own does not outlive the worker, though nobody could tell it."""

import subprocess
import sys
import time

import psutil

WORKER = "import os; from streams.estimating import apart; print(apart().submit(os.getpid).result(), flush=True); input()"


def test_after_a_kill_of_the_worker_nothing_is_left() -> None:
    with subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        beside = int(worker.stdout.readline())
        assert lives(beside)
        worker.kill()
    deadline = time.monotonic() + 20
    while lives(beside):
        assert time.monotonic() < deadline


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
