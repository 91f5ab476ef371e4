"""PostgreSQL with a synchronous standby, links to it that can be cut, and HAProxy in front of the nodes."""

import asyncio
import glob
import os
import pwd
import shutil
import signal
import subprocess
import threading
import time

from program import free_port

# Few enough that the nodes and a crowd reach the limit.
CONNECTIONS = 45


class Link:
    """One node's connection to the database: passes bytes, refuses, or is silent like a host that was unplugged."""

    loop = asyncio.new_event_loop()

    def __init__(self, target: int):
        if not self.loop.is_running():
            threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.target, self.mode, self.writers = target, "pass", set()
        serve = asyncio.start_server(self._carry, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serve, self.loop).result()
        self.port = server.sockets[0].getsockname()[1]

    def set(self, mode: str, target: int | None = None) -> None:
        """Sets `pass`, `refuse` (and close open connections), or `silent`."""
        self.mode, self.target = mode, target or self.target
        if mode != "silent":
            self.loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()

    async def _carry(self, reader, writer):
        self.writers.add(writer)
        try:
            while self.mode == "silent":
                await asyncio.sleep(0.1)
            if self.mode == "refuse":
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self.writers.add(back)
            pipes = [asyncio.create_task(self._pipe(*ends)) for ends in ((reader, back), (there, writer))]
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
            for pipe in pipes:
                pipe.cancel()
            self.writers.discard(back)
            back.transport.abort()
        except OSError:
            pass
        finally:
            self.writers.discard(writer)
            writer.transport.abort()

    async def _pipe(self, reader, writer):
        try:
            while data := await reader.read(65536):
                while self.mode == "silent":
                    await asyncio.sleep(0.05)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass


class Server:
    """One PostgreSQL server."""

    def __init__(self, folder: str, name: str):
        self.data, self.port = os.path.join(folder, name), free_port()
        self.tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        users = {entry.pw_name for entry in pwd.getpwall()}
        owner = "postgres" if "postgres" in users else "nobody"
        self.as_user = ["runuser", "-u", owner, "--"] if os.getuid() == 0 else []
        self.owner = owner if self.as_user else None

    def run(self, *arguments: str) -> None:
        command = [*self.as_user, os.path.join(self.tools, arguments[0]), *arguments[1:]]
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

    def copy(self, primary: "Server") -> None:
        """Becomes a standby of `primary`."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._own_folder()
        source = f"host=127.0.0.1 port={primary.port} user=postgres application_name=standby"
        self.run("pg_basebackup", "-D", self.data, "-R", "-d", source, "--checkpoint=fast", "--no-sync")

    def start(self, synchronous: bool) -> None:
        standbys = "*" if synchronous else ""
        # Without a socket: the lock file of one would be copied with the data, and name a process that may exist again.
        options = (
            f"-p {self.port} -c unix_socket_directories= -c listen_addresses=127.0.0.1 -c max_connections={CONNECTIONS} -c fsync=off "
            f"-c full_page_writes=on -c synchronous_commit=on -c max_wal_senders=5 -c wal_keep_size=64"
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

    def query(self, sql: str) -> str:
        done = subprocess.run(["psql", self.url(), "-Atqc", sql], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def is_standby(self) -> bool:
        return self.query("SELECT pg_is_in_recovery()") == "t"

    def url(self, port: int | None = None) -> str:
        return f"postgres://postgres@127.0.0.1:{port or self.port}/postgres"

    def _own_folder(self) -> None:
        os.makedirs(self.data, mode=0o700)
        if self.owner:
            entry = pwd.getpwnam(self.owner)
            os.chown(self.data, entry.pw_uid, entry.pw_gid)


class Databases:
    """A primary and its synchronous standby."""

    def __init__(self, folder: str):
        os.chmod(folder, 0o755)
        self.primary, self.standby = Server(folder, "pg1"), Server(folder, "pg2")
        self.primary.create()
        self.primary.start(False)
        self.add_standby()

    def add_standby(self) -> None:
        self.standby.copy(self.primary)
        self.standby.start(False)
        self.primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.query("SELECT pg_reload_conf()")
        wait_for(lambda: self.primary.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1")

    def fail_over(self, links: list[Link], killed: bool) -> None:
        if killed:
            self.primary.kill()
        else:
            self.primary.stop("fast")
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary
        for link in links:
            link.set("pass", self.primary.port)

    def end(self) -> None:
        for server in (self.primary, self.standby):
            try:
                for process in server.processes():
                    os.kill(process, signal.SIGCONT)
                server.stop("immediate")
            except (OSError, RuntimeError, ValueError):
                pass


class Balancer:
    """HAProxy, which checks whether each node is ready, as in the configuration of the guide."""

    def __init__(self, folder: str, port: int, nodes: list):
        servers = "\n".join(
            f"    server node{n} 127.0.0.1:{node.port} check port {node.operator} inter 300ms fall 1 rise 1"
            for n, node in enumerate(nodes)
        )
        self.file = os.path.join(folder, "haproxy.cfg")
        with open(self.file, "w", encoding="ascii") as file:
            file.write(
                f"""defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s
frontend all
    bind 127.0.0.1:{port}
    default_backend nodes
backend nodes
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    option redispatch
    retries 2
{servers}
    http-after-response set-header Retry-After 1 if {{ status 502:504 }} !{{ res.hdr(Retry-After) -m found }}
"""
            )
        binary = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/bin")
        with open(os.path.join(folder, "haproxy.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([binary, "-db", "-f", self.file], stdout=log, stderr=log)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def wait_for(condition, seconds: float = 60) -> float:
    """Waits until the condition holds and returns the time in seconds."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise RuntimeError("waited in vain")
        time.sleep(0.05)
    return time.monotonic() - began
