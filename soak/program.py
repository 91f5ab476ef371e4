"""The real server, which can be started and killed, with a clock that can be moved."""

import glob
import os
import random
import signal
import socket
import subprocess
import time

from hosts import Host

LOOPBACK = Host("loopback", "127.0.0.1", [])


def free_port() -> int:
    """A port that no outgoing connection takes while its program is down: it is below the ephemeral ports."""
    while True:
        with socket.socket() as free:
            try:
                free.bind(("", random.SystemRandom().randrange(12_000, 20_000)))
                return free.getsockname()[1]
            except OSError:
                pass


def wait_for(condition, seconds: float = 60) -> float:
    """Waits until the condition holds and returns the time in seconds."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise RuntimeError("waited in vain")
        time.sleep(0.05)
    return time.monotonic() - began


class Program:
    def __init__(self, binary: str, folder: str, settings: list[str], log: str = "server.log", host: Host = LOOPBACK):
        self.binary, self.folder, self.settings, self.host = binary, folder, settings, host
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.log_path = os.path.join(folder, log)
        self.clock_file = os.path.join(folder, "clock")
        self.process = None
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        self.clock_library = found[0] if found else None
        self.step_clock(0)

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Runs one command of the program to its end and returns its output."""
        done = subprocess.run(
            self._command(*arguments),
            # Another folder may contain a settings file.
            cwd=self.folder,
            env=self._environment(),
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: {done.stderr}")
        return done.stdout

    def start(self) -> None:
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                self.serving(), cwd=self.folder, env=self._environment(), stdout=log, stderr=log
            )
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection((self.host.address, self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"it does not start: see {self.log_path}") from None
                time.sleep(0.05)

    def serving(self) -> list[str]:
        """Returns the command line of the running program."""
        return self._command("serve", "--listen", f"{self.host.address}:{self.port}", "--public-url", self.origin)

    def kill(self) -> None:
        """Ends the server as a power cut would (SIGKILL)."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=60)

    def step_clock(self, seconds: int) -> None:
        """Sets the server's wall clock to this many seconds ahead; its monotonic clock is not changed."""
        with open(self.clock_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.replace(self.clock_file + ".new", self.clock_file)

    def _command(self, *arguments: str) -> list[str]:
        settings = [part for setting in ("time.embedded=false", *self.settings) for part in ("--set", setting)]
        return [*self.host.prefix, self.binary, "--data-dir", self.folder, *settings, *arguments]

    def _environment(self) -> dict[str, str]:
        environment = {"PATH": os.environ["PATH"]}
        if self.clock_library:
            environment |= {
                "LD_PRELOAD": self.clock_library,
                "FAKETIME_TIMESTAMP_FILE": self.clock_file,
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        return environment
