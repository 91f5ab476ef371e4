"""Links that can be cut, and HAProxy in front of the nodes."""

import asyncio
import os
import shutil
import subprocess
import threading

from hosts import Host


class Link:
    """A way to the database: passes bytes, refuses, or is silent like a host that was unplugged."""

    loop = asyncio.new_event_loop()

    def __init__(self, host: Host, target: tuple[str, int]):
        if not self.loop.is_running():
            threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.address, self.target, self.mode, self.age = host.address, target, "pass", 0
        # The open connections, with the age of the link when each was opened.
        self.writers: dict[asyncio.StreamWriter, int] = {}
        serve = asyncio.start_server(self._carry, host.address, 0)
        server = asyncio.run_coroutine_threadsafe(serve, self.loop).result()
        self.port = server.sockets[0].getsockname()[1]

    def set(self, mode: str, target: tuple[str, int] | None = None) -> None:
        """Sets `pass`, `refuse` (and close open connections), or `silent`."""
        self.mode, self.target = mode, target or self.target
        if mode != "silent":
            self.loop.call_soon_threadsafe(self._close)

    def vanish(self) -> None:
        """Forgets open connections: their bytes are lost, and neither side learns of it."""
        self.age += 1

    def _close(self) -> None:
        for writer, age in list(self.writers.items()):
            if age == self.age:
                writer.transport.abort()

    async def _carry(self, reader, writer):
        age = self.writers[writer] = self.age
        try:
            while self.mode == "silent":
                await asyncio.sleep(0.1)
            if self.mode == "refuse":
                return
            there, back = await asyncio.open_connection(*self.target)
            self.writers[back] = age
            pipes = [asyncio.create_task(self._pipe(*ends, age)) for ends in ((reader, back), (there, writer))]
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
            if age != self.age:
                await pipes[0]
            for pipe in pipes:
                pipe.cancel()
            self.writers.pop(back)
            back.transport.abort()
        except OSError:
            pass
        finally:
            self.writers.pop(writer)
            writer.transport.abort()

    async def _pipe(self, reader, writer, age):
        try:
            while data := await reader.read(65536):
                while self.mode == "silent":
                    await asyncio.sleep(0.05)
                if age != self.age:
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass


class Balancer:
    """HAProxy, which checks whether each node is ready, as in the configuration of the guide."""

    def __init__(self, folder: str, host: Host, port: int, nodes: list):
        servers = "\n".join(
            f"    server node{n} {node.host.address}:{node.port} check port {node.operator} inter 300ms fall 1 rise 1"
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
    bind {host.address}:{port}
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
            self.process = subprocess.Popen([*host.prefix, binary, "-db", "-f", self.file], stdout=log, stderr=log)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()
