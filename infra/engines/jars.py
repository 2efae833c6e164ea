"""Gets Kafka's jars from Maven Central once per user, exactly those of the committed lock, and proves it by their SHA-256."""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.errors import Refusal, refusal_of

LOCK = Path(__file__).with_name("kafka.lock.toml")
Progress = Callable[[int, int], None]  # jars there, jars in all

SETTING = "YEKTA_CACHE"  # says where the cache is
_SEVERAL = 6  # small files: waiting is all latency


def unseen(_done: int, _of: int) -> None:
    """For callers that show no progress."""


def fetch(cache: Path, *, progress: Progress = unseen, lock_file: Path = LOCK, repository: str | None = None) -> tuple[Path, ...]:
    """The class path: every jar of the lock, downloaded if missing, each verified."""
    from jgo.env import LockFile

    locked = LockFile.load(lock_file).dependencies
    try:
        with _alone_in(cache):
            return _fetch_all(locked, cache, progress, repository)
    except OSError as error:
        raise refusal_of(error, cache, SETTING) or error from error


def _fetch_all(locked: list[Any], cache: Path, progress: Progress, repository: str | None) -> tuple[Path, ...]:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=cache, timeout=30, remote_repos={"central": repository} if repository else None)
    jars: list[Path] = []
    progress(0, len(locked))
    pool = ThreadPoolExecutor(_SEVERAL)
    try:
        for jar in pool.map(lambda dependency: _fetch(context, dependency), locked):
            jars.append(jar)
            progress(len(jars), len(locked))
    finally:
        pool.shutdown(cancel_futures=True)
    return tuple(jars)


def _fetch(context: Any, dependency: Any) -> Path:
    """One jar; a wrong one (an interrupted download, a proxy's error page) is thrown away and fetched once more."""
    artifact = context.project(dependency.groupId, dependency.artifactId).at_version(dependency.version)
    artifact = artifact.artifact(dependency.classifier or "", dependency.packaging)
    name = f"{dependency.artifactId}-{dependency.version}.{dependency.packaging}"
    for _ in range(2):
        jar = _resolve(artifact, name)
        if _sha256(jar) == dependency.sha256:
            return jar
        jar.unlink()
    raise Refusal(
        f"The checksum of {name} is not the one Yekta was released with, even after fetching it again.",
        "Something between this machine and the jar repository changes files.",
    )


def _resolve(artifact: Any, name: str) -> Path:
    try:
        return Path(artifact.resolve())
    except (RuntimeError, OSError) as error:  # requests' errors are OSErrors
        artifact.cached_path.unlink(missing_ok=True)  # a half-written file would be taken for the whole
        refusal = refusal_of(error, artifact.cached_path, SETTING) if isinstance(error, OSError) else None
        raise refusal or Refusal(
            f"Kafka's jar {name} could not be fetched.",
            "The first start needs the network; YEKTA_KAFKA__JARS_FROM names another Maven repository.",
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone_in(cache: Path) -> Iterator[None]:
    """Two homes that start at once share the cache and must not write the same file."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
