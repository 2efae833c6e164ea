"""Kafka's jars are exactly those of the lock, or nothing starts; a small repository on loopback stands in for the public one."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.engines import jars, ports
from infra.errors import Refusal

_GOOD = b"a jar, as released"
_PATH = "/org/example/thing/1.0/thing-1.0.jar"


class Repository:
    """What it gives for the jar, one answer a request, the last one for ever; how often it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[bytes] = [_GOOD]
        self.asked = 0

    def next_answer(self) -> bytes:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def repository() -> Iterator[Repository]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = here.next_answer() if self.path == _PATH else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not in the tests' output."""

    with ThreadingHTTPServer((ports.LOOPBACK, 0), Handler) as server:
        here = Repository(f"http://{ports.LOOPBACK}:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield here
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(repository: Repository, tmp_path: Path) -> Callable[..., tuple[Path, ...]]:
    lock = tmp_path / "lock.toml"
    lock.write_text(
        '[metadata]\njgo_version = "3.2.0"\n[[dependencies]]\ngroupId = "org.example"\nartifactId = "thing"\n'
        f'version = "1.0"\npackaging = "jar"\nsha256 = "{hashlib.sha256(_GOOD).hexdigest()}"\n'
    )

    def run(progress: jars.Progress = jars.unseen, repository_url: str = repository.url) -> tuple[Path, ...]:
        return jars.fetch(tmp_path / "cache", progress=progress, lock_file=lock, repository=repository_url)

    return run


Fetch = Callable[..., tuple[Path, ...]]


def test_a_jar_is_fetched_once_and_then_taken_from_the_cache(repository: Repository, fetch: Fetch) -> None:
    seen: list[tuple[int, int]] = []
    (jar,) = fetch(progress=lambda done, of: seen.append((done, of)))
    assert jar.read_bytes() == _GOOD
    assert seen == [(0, 1), (1, 1)]
    assert fetch() == (jar,)
    assert repository.asked == 1


def test_a_cache_that_cannot_be_written_is_named_with_the_setting_that_says_where_it_is(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(Refusal, match=rf"at {tmp_path}/cache\. Choose another folder with YEKTA_CACHE\."):
        fetch()


def test_a_damaged_jar_in_the_cache_is_fetched_again(repository: Repository, fetch: Fetch) -> None:
    (jar,) = fetch()
    jar.write_bytes(b"half of it")
    fetch()
    assert jar.read_bytes() == _GOOD
    assert repository.asked == 2


def test_a_wrong_download_is_tried_once_more(repository: Repository, fetch: Fetch) -> None:
    repository.answers = [b"<html>log in first</html>", _GOOD]
    assert fetch()[0].read_bytes() == _GOOD


def test_a_checksum_that_stays_wrong_is_refused_and_nothing_wrong_is_kept(repository: Repository, fetch: Fetch, tmp_path: Path) -> None:
    repository.answers = [b"something else"]
    with pytest.raises(Refusal, match=r"checksum of thing-1\.0\.jar is not the one"):
        fetch()
    assert repository.asked == 2
    assert list((tmp_path / "cache").rglob("*.jar")) == []


def test_a_repository_that_cannot_be_reached_is_named_in_one_sentence(fetch: Fetch) -> None:
    with pytest.raises(Refusal, match=r"thing-1\.0\.jar could not be fetched"):
        fetch(repository_url=f"http://{ports.LOOPBACK}:{ports.choose()}")


def test_the_committed_lock_knows_every_jar_by_its_sum() -> None:
    from jgo.env import LockFile

    locked = LockFile.load(jars.LOCK).dependencies
    assert {jar.version for jar in locked if jar.groupId == "org.apache.kafka"} == {"4.3.1"}
    assert all(jar.sha256 is not None and len(jar.sha256) == 64 for jar in locked)
    assert {"kafka_2.13", "kafka-clients", "log4j-slf4j-impl"} <= {jar.artifactId for jar in locked}
