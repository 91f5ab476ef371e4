"""Patroni, which makes one of two PostgreSQL servers the primary, with etcd and HAProxy."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from postgres import CONNECTIONS, Server
from program import free_port, wait_for

PROGRAMS = {"patroni": "patroni", "etcd": "etcd-server", "haproxy": "haproxy"}
# Time in seconds after which a primary without a sign of life is replaced: the least that Patroni allows.
TTL = 20


def missing() -> list[str]:
    """Returns the Debian packages whose programs are missing."""
    return [package for program, package in PROGRAMS.items() if not _find(program)]


def _find(program: str) -> str | None:
    return shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin")


class Member:
    """One Patroni with its PostgreSQL."""

    def __init__(self, folder: str, name: str, etcd: int):
        self.name, self.rest, self.server = name, free_port(), Server(folder, name)
        self.file, self.log = os.path.join(folder, f"{name}.json"), os.path.join(folder, f"{name}.log")
        self.process = None
        os.makedirs(os.path.dirname(self.server.data), exist_ok=True)
        if self.server.owner:
            shutil.chown(os.path.dirname(self.server.data), self.server.owner)
        address, trust = f"127.0.0.1:{self.server.port}", "host all all 127.0.0.1/32 trust"
        parameters = {"max_connections": CONNECTIONS, "fsync": "off", "unix_socket_directories": "", "wal_keep_size": 64}
        dynamic = {"ttl": TTL, "loop_wait": 2, "retry_timeout": 3, "synchronous_mode": True}
        dynamic["postgresql"] = {"use_pg_rewind": True, "parameters": parameters}
        # YAML contains JSON.
        settings = {
            "scope": "postern",
            "name": name,
            "restapi": {"listen": f"127.0.0.1:{self.rest}", "connect_address": f"127.0.0.1:{self.rest}"},
            "etcd3": {"hosts": [f"127.0.0.1:{etcd}"]},
            "bootstrap": {"dcs": dynamic, "initdb": [{"locale": "C"}, {"encoding": "UTF8"}, {"auth": "trust"}]},
            "postgresql": {
                "listen": address,
                "connect_address": address,
                "data_dir": self.server.data,
                "bin_dir": self.server.tools,
                "pgpass": os.path.join(os.path.dirname(self.server.data), "pgpass"),
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "postgres"}},
                "pg_hba": [trust, trust.replace("all all", "replication all")],
            },
        }
        with open(self.file, "w", encoding="ascii") as file:
            json.dump(settings, file)

    def start(self) -> None:
        with open(self.log, "a", encoding="utf-8") as log:
            command = [*self.server.as_user, _find("patroni"), self.file]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)

    def ask(self, method: str, path: str, body=None) -> int:
        """Returns the status of Patroni's answer; 0: none."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0

    def leads(self) -> bool:
        return self.ask("GET", "/primary") == 200

    def kill(self) -> None:
        """Ends Patroni and PostgreSQL as a power cut would."""
        for end in (lambda: os.killpg(self.process.pid, signal.SIGKILL), self.server.kill):
            try:
                end()
            except (OSError, ValueError):
                pass
        self.process.wait()


class Patroni:
    """Two members on the host of the harness, with the same methods as `postgres.Databases`."""

    def __init__(self, folder: str):
        os.chmod(folder, 0o755)
        self.place = "127.0.0.1", free_port()
        self.folder, client, peer = folder, free_port(), free_port()
        self.processes: list[subprocess.Popen] = []
        urls = {"client": f"http://127.0.0.1:{client}", "peer": f"http://127.0.0.1:{peer}"}
        flags = [f"--listen-{kind}-urls={url}" for kind, url in urls.items()]
        flags += [f"--advertise-client-urls={urls['client']}", f"--initial-advertise-peer-urls={urls['peer']}"]
        flags += [f"--initial-cluster=default={urls['peer']}", f"--data-dir={os.path.join(folder, 'etcd')}"]
        self.etcd = self._spawn("etcd", *flags, "--unsafe-no-fsync")
        self.members = [Member(folder, name, client) for name in ("pg1", "pg2")]
        for member in self.members:
            member.start()
        self._balance()
        try:
            self.add_standby()
        except RuntimeError:
            self.end()
            raise

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen:
        with open(os.path.join(self.folder, f"{program}-database.log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen([_find(program), *arguments], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def _balance(self) -> None:
        """Starts HAProxy, which leads to the primary as Patroni knows it."""
        servers = "\n".join(
            f"    server {member.name} 127.0.0.1:{member.server.port} check port {member.rest}" for member in self.members
        )
        file = os.path.join(self.folder, "haproxy-database.cfg")
        with open(file, "w", encoding="ascii") as config:
            config.write(
                f"""defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
listen primary
    bind 127.0.0.1:{self.place[1]}
    option httpchk GET /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""
            )
        self._spawn("haproxy", "-db", "-f", file)

    @property
    def primary(self) -> Server:
        return self.leader().server

    def leader(self) -> Member:
        wait_for(lambda: any(member.leads() for member in self.members), 90)
        return next(member for member in self.members if member.leads())

    def other(self) -> Member:
        leader = self.leader()
        return next(member for member in self.members if member is not leader)

    def add_standby(self) -> None:
        """Starts members that were killed, and waits for a synchronous standby."""
        for member in self.members:
            if member.process.poll() is not None:
                member.start()
        wait_for(self._is_synchronous, 120)

    def _is_synchronous(self) -> bool:
        """Returns whether the standby is synchronous for longer than Patroni takes to notice that it is not."""
        for _ in range(3):
            count = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            try:
                if self.other().ask("GET", "/synchronous") != 200 or self.primary.query(count) != "1":
                    return False
            except subprocess.CalledProcessError:
                return False
            time.sleep(2)
        return True

    def restart(self) -> None:
        self.leader().ask("POST", "/restart", {})

    def crash(self) -> None:
        """Ends PostgreSQL alone, which Patroni starts again."""
        self.primary.kill()

    def fail_over(self, killed: bool) -> None:
        # After a crash or a freeze, Patroni promotes no standby that may lack answered writes.
        self.add_standby()
        leader, other = self.leader(), self.other()
        if killed:
            leader.kill()
        else:
            status = other.ask("POST", "/switchover", {"leader": leader.name, "candidate": other.name})
            if status != 200:
                raise RuntimeError(f"the switchover was answered {status}")
        wait_for(other.leads, 90)

    def lose_etcd(self) -> None:
        """Freezes etcd until the primary has given up its role."""
        leader = self.leader()
        self.etcd.send_signal(signal.SIGSTOP)
        try:
            wait_for(lambda: not leader.leads(), 60)
            time.sleep(2)
        finally:
            self.etcd.send_signal(signal.SIGCONT)

    def fill_disk(self, _seconds: float) -> bool:
        return False

    def end(self) -> None:
        for member in self.members:
            try:
                for process in member.server.processes():
                    os.kill(process, signal.SIGCONT)
            except (OSError, ValueError):
                pass
            if member.process:
                member.kill()
        for process in self.processes:
            process.kill()
            process.wait()
