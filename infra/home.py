"""The layout of a home (`.yekta/`): one place says where each file of a running Yekta is."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.errors import Refusal, refusal_of

_LEAST_FREE = 512 * 1024 * 1024  # below it PostgreSQL's first log segments and Kafka's would not fit


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds the engines' data, the logs and the run state."""

    folder: Path

    @property
    def run_state(self) -> Path:
        return self.folder / "run.json"

    @property
    def kafka(self) -> Path:
        return self.folder / "kafka"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def faust(self) -> Path:
        """What Faust makes a folder for; tables would be in it, if there were any."""
        return self.folder / "faust"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def postgres_dsn(self) -> Path:
        """The embedded server's address with its password: for `psql "$(cat …)"`, and for the next start."""
        return self.secrets / "postgres.dsn"

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Create the folders, or say why they cannot be used."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for private in (self.logs, self.secrets, self.kafka):
                private.mkdir(mode=0o700, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")  # data and secrets, whatever repository they lie in
        except OSError as error:
            raise refusal_of(error, self.folder) or self._unusable(error) from error
        room = os.statvfs(self.folder)
        if (free := room.f_bavail * room.f_frsize) < _LEAST_FREE:
            raise Refusal(
                f"Only {free // 2**20} MB are free on the disk of {self.folder}; Yekta starts with {_LEAST_FREE // 2**20} MB or more.",
                "Free some space, or choose another folder with YEKTA_HOME.",
            )

    def take(self) -> IO[str] | None:
        """Claim the home for this process as long as the returned file stays open; None when another has it."""
        try:
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise refusal_of(error, self.folder) or self._unusable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def _unusable(self, error: OSError) -> Refusal:
        return Refusal(f"The folder {self.folder} cannot be used: {error.strerror}.", "Choose another one with YEKTA_HOME.")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unborn = path.with_name(path.name + ".new")
    unborn.unlink(missing_ok=True)
    with os.fdopen(os.open(unborn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unborn.replace(path)
