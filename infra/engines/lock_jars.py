"""Renews the committed lock of Kafka's jars: `python -m infra.engines.lock_jars 4.3.1`. Run by a developer, never by Yekta."""

import sys
import tempfile
from pathlib import Path

from infra.engines.jars import LOCK

_KAFKA = "org.apache.kafka:kafka_2.13"
_LOGGER = "org.apache.logging.log4j:log4j-slf4j-impl"  # without it Kafka's log says nothing; Kafka's own tarball adds it too


def lock(version: str) -> int:
    """Resolve Kafka's jars, take their SHA-256 sums, and write the lock; returns how many they are."""
    from jgo.env import LockFile
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as fresh:
        context = MavenContext(repo_cache=Path(fresh), timeout=60)
        # Kafka alone decides the versions: resolved together, the logger's bill of materials would replace Kafka's client.
        inputs, others = context.resolver.resolve([context.create_dependency(f"{_KAFKA}:{version}")])
        jars = [jar for jar in (*inputs, *others) if jar.scope in {None, "compile", "runtime"}]
        log4j = next(jar.version for jar in jars if jar.artifactId == "log4j-core")
        jars.append(context.create_dependency(f"{_LOGGER}:{log4j}"))
        LockFile.from_resolved_dependencies(jars, environment_name="kafka", min_java_version=17).save(LOCK)
    return len(jars)


if __name__ == "__main__":
    print(f"{lock(sys.argv[1])} jars locked in {LOCK}")  # noqa: T201
