"""A PostgreSQL server, and a primary with a synchronous standby."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import time

from disk import SmallDisk
from hosts import Host, Hosts
from program import LOOPBACK, free_port, wait_for

# Few enough that the nodes and a crowd reach the limit.
CONNECTIONS = 45
# Room for a new database and its write-ahead log.
DISK_MIB = 320


class Server:
    """One PostgreSQL server."""

    def __init__(self, folder: str, name: str, mib: int = 0, host: Host = LOOPBACK):
        """`mib`: size of its disk, see `SmallDisk`; 0: that of the folder."""
        home, self.host = os.path.join(folder, name), host
        self.disk = SmallDisk(home, mib) if mib else None
        self.data, self.port = os.path.join(home, "data"), free_port()
        self.tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        users = {entry.pw_name for entry in pwd.getpwall()}
        owner = "postgres" if "postgres" in users else "nobody"
        self.as_user = ["runuser", "-u", owner, "--"] if os.getuid() == 0 else []
        self.owner = owner if self.as_user else None

    def run(self, *arguments: str) -> None:
        command = [*self.host.prefix, *self.as_user, os.path.join(self.tools, arguments[0]), *arguments[1:]]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: {done.stderr}{done.stdout}{self._log()}")

    def _log(self) -> str:
        try:
            with open(os.path.join(self.data, "server.log"), encoding="utf-8") as file:
                return "".join(file.readlines()[-20:])
        except OSError:
            return ""

    def create(self) -> None:
        self._own_folder()
        self.run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync")
        with open(os.path.join(self.data, "pg_hba.conf"), "a", encoding="ascii") as file:
            file.write("host all all samenet trust\nhost replication all samenet trust\n")

    def copy(self, primary: "Server") -> None:
        """Becomes a standby of `primary`."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._own_folder()
        source = f"host={primary.host.address} port={primary.port} user=postgres application_name=standby"
        self.run("pg_basebackup", "-D", self.data, "-R", "-d", source, "--checkpoint=fast", "--no-sync")

    def start(self, synchronous: bool) -> None:
        standbys = "*" if synchronous else ""
        # Without a socket: the lock file of one would be copied with the data, and name a process that may exist again.
        options = (
            f"-p {self.port} -c unix_socket_directories= -c listen_addresses={self.host.address} -c max_connections={CONNECTIONS} -c fsync=off "
            f"-c full_page_writes=on -c synchronous_commit=on -c max_wal_senders=5 -c wal_keep_size=64 -c max_wal_size=96"
        )
        self.run("pg_ctl", "-D", self.data, "-l", os.path.join(self.data, "server.log"), "-w", "-s", "-o", options, "start")
        if not self.is_standby():
            self.query(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
            self.query("SELECT pg_reload_conf()")

    def stop(self, mode: str) -> None:
        self.run("pg_ctl", "-D", self.data, "-s", "-m", mode, "stop")

    def kill(self) -> None:
        """Ends all of its processes with SIGKILL."""
        for process in self.processes():
            os.kill(process, signal.SIGKILL)

    def processes(self) -> list[int]:
        with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as file:
            postmaster = int(file.readline())
        children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False)
        return [postmaster, *map(int, children.stdout.split())]

    def freeze(self) -> list[int]:
        frozen = self.processes()
        for process in frozen:
            os.kill(process, signal.SIGSTOP)
        return frozen

    def promote(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-s", "promote")
        self.query("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.query("SELECT pg_reload_conf()")

    def answers(self) -> bool:
        done = subprocess.run(["psql", self.url(), "-Atqc", "SELECT 1"], capture_output=True, check=False, timeout=10)
        return done.returncode == 0

    def query(self, sql: str) -> str:
        done = subprocess.run(["psql", self.url(), "-Atqc", sql], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def is_standby(self) -> bool:
        return self.query("SELECT pg_is_in_recovery()") == "t"

    def url(self) -> str:
        return f"postgres://postgres@{self.host.address}:{self.port}/postgres"

    def _own_folder(self) -> None:
        os.makedirs(self.data, mode=0o700)
        if self.owner:
            entry = pwd.getpwnam(self.owner)
            os.chown(self.data, entry.pw_uid, entry.pw_gid)


class Databases:
    """A primary and its synchronous standby."""

    def __init__(self, folder: str, hosts: Hosts):
        os.chmod(folder, 0o755)
        self.primary, self.standby = (Server(folder, name, DISK_MIB, hosts.add(name)) for name in ("pg1", "pg2"))
        self.primary.create()
        self.primary.start(False)
        self.add_standby()

    def add_standby(self) -> None:
        self.standby.copy(self.primary)
        self.standby.start(False)
        self.primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.query("SELECT pg_reload_conf()")
        wait_for(lambda: self.primary.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1")

    @property
    def place(self) -> tuple[str, int]:
        """Returns address and port of the current primary."""
        return self.primary.host.address, self.primary.port

    def restart(self) -> None:
        self.primary.stop("fast")
        self.primary.start(True)

    def crash(self) -> None:
        """Restarts the primary without a checkpoint."""
        self.primary.stop("immediate")
        self.primary.start(True)

    def fail_over(self, killed: bool) -> None:
        if killed:
            self.primary.kill()
        else:
            self.primary.stop("fast")
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def fill_disk(self, seconds: float) -> bool:
        """Fills the primary's disk for a while, and starts PostgreSQL again if it has ended meanwhile."""
        disk = self.primary.disk
        if not disk or not disk.is_small:
            return False
        disk.fill()
        time.sleep(seconds)
        disk.free()
        try:
            # After a full disk, PostgreSQL may be recovering, or have given that up.
            wait_for(self.primary.answers, 5)
        except RuntimeError:
            self.primary.start(True)
        return True

    def end(self) -> None:
        for server in (self.primary, self.standby):
            try:
                for process in server.processes():
                    os.kill(process, signal.SIGCONT)
                server.stop("immediate")
            except (OSError, RuntimeError, ValueError):
                pass
            if server.disk:
                server.disk.end()
