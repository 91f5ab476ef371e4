"""PgBouncer, which gives each transaction another session."""

import os
import pwd
import shutil
import socket
import subprocess

from cluster import Link
from hosts import Hosts
from program import free_port, wait_for

# Fewer than the nodes' connections, so that the sessions change hands.
SESSIONS = 8


def find() -> str | None:
    return shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")


class Pooler:
    def __init__(self, folder: str, hosts: Hosts, target: tuple[str, int]):
        self.host, self.port, self.upstream = hosts.add("pooler"), free_port(), Link(hosts.harness, target)
        home = os.path.join(folder, "pgbouncer")
        os.makedirs(home)
        users, settings = os.path.join(home, "users.txt"), os.path.join(home, "pgbouncer.ini")
        with open(users, "w", encoding="ascii") as file:
            file.write('"postgres" ""\n')
        with open(settings, "w", encoding="ascii") as file:
            file.write(
                f"""[databases]
postgres = host={self.upstream.address} port={self.upstream.port}
[pgbouncer]
listen_addr = {self.host.address}
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {SESSIONS}
max_client_conn = 200
server_login_retry = 1
"""
            )
        # PgBouncer refuses to run as root.
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        as_user = ["runuser", "-u", user, "--"] if os.getuid() == 0 else []
        with open(os.path.join(home, "pgbouncer.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([*self.host.prefix, *as_user, find(), settings], stdout=log, stderr=log)
        wait_for(self._listens, 10)

    @property
    def place(self) -> tuple[str, int]:
        return self.host.address, self.port

    def _listens(self) -> bool:
        try:
            socket.create_connection(self.place, timeout=1).close()
            return True
        except OSError:
            return False

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()
