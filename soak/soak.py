"""Tabs, lost answers, slow networks, clock steps and kill -9 against the real server.

Every answer goes into a journal. At the end the journal, the database and the log are compared.
"""

import argparse
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import invariants
from browser import Browser, Lost
from database import Database
from disk import SmallDisk
from gate import Market
from journal import Journal
from network import Network
from people import PasswordGuesser, StolenTokenAttacker, Tab
from program import Program
from resources import Watch
from terminal import Terminal

PASSWORD = "canary of a soaked password"
# Room for the database of ten minutes.
DISK_MIB = 64
# Seconds by which the server's clock is ahead. The first two are the most frequent.
CLOCKS = [0, 0, 40, -40, 20, 360]
SETTINGS = [
    "log.level=info",
    "operator.listen=off",
    # The network is a proxy that names the client's address, because loopback addresses are never banned for long.
    'trusted_proxies=["127.0.0.1"]',
    "password.memory_kib=8192",
    "ban.invalid_credentials.threshold=3",
    'ban.invalid_credentials.ladder=["1h"]',
]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postern", required=True, help="the program")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--tabs", type=int, default=3)
    parser.add_argument("--client", help="postern-client; without it, nobody uses a terminal or pays")
    parser.add_argument("--regtest", help="a private Monero network; without it, nobody pays")
    parser.add_argument("--postgres", help="URL of a PostgreSQL server; without it, SQLite")
    return parser.parse_args()


class Soak:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="postern-soak-")
        self.journal = Journal(os.path.join(self.folder, "journal.jsonl"))
        data = os.path.join(self.folder, "data")
        self.disk = None if options.postgres else SmallDisk(data, DISK_MIB)
        os.makedirs(data, mode=0o700, exist_ok=True)
        settings, place = SETTINGS, os.path.join(data, "postern.db")
        if options.postgres:
            place = options.postgres.rsplit("/", 1)[0] + f"/soak_{os.getpid()}"
            create = ["psql", options.postgres, "-qc", f"CREATE DATABASE {place.rsplit('/', 1)[1]}"]
            subprocess.run(create, check=True)
            settings = [*settings, f"database_url={place}"]
        self.database = Database(place)
        # The log is beside the small disk.
        self.program = Program(os.path.abspath(options.postern), data, settings, os.path.join(self.folder, "server.log"))
        self.market = Market(self.journal, options, self.folder) if options.client and options.regtest else None
        self.network = Network(options.seed, ("127.0.0.1", self.program.port))
        self.random = random.Random(options.seed)
        self.over = threading.Event()
        self.kills = self.steps = self.fillings = 0
        self.journal.secrets.add(PASSWORD)

    def run(self) -> None:
        names = ["root", *(f"person{number}" for number in range(1, self.options.people)), "terminal", "ghost"]
        for name in names:
            role = ["--role", "administrator"] if name == "root" else []
            self.program.run("user", "add", name, *role, stdin=PASSWORD + "\n")
        self.program.start()
        browsers = [self._browser(name, number) for number, name in enumerate(names[:-2], 1)]
        actors = [
            Tab(self.journal, browser, tab, browser.name == "root", f"{self.options.seed} {browser.name} {tab}")
            for browser in browsers
            for tab in range(self.options.tabs)
        ]
        actors.append(PasswordGuesser(self.journal, self._browser("ghost", 100)))
        actors.append(StolenTokenAttacker(self.journal, self._browser("prober", 101), f"{self.options.seed} prober"))
        if self.options.client:
            home = os.path.join(self.folder, "terminal")
            seed = f"{self.options.seed} terminal"
            client, origin = os.path.abspath(self.options.client), self.program.origin
            actors.append(Terminal(self.journal, client, origin, home, "terminal", PASSWORD, seed))
        programs = {"server": self.program}
        if self.market:
            actors.append(self.market.payer)
            programs["gate"] = self.market.gate
        resources = Watch(self.journal, programs)
        threads = [threading.Thread(target=self._live, args=(actor,)) for actor in actors]
        for thread in threads:
            thread.start()
        try:
            self._trouble()
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        self._settle(browsers)
        if self.market:
            self.market.settle()
        resources.end()

    def _browser(self, name: str, number: int) -> Browser:
        port = self.network.open()
        address = f"203.0.113.{number}"
        return Browser(self.program.origin, port, address, name, PASSWORD, self.journal.watch)

    def _live(self, actor) -> None:
        pause = random.Random(f"{self.options.seed} {id(actor)}")
        while not self.over.wait(pause.uniform(0.05, 0.6)):
            try:
                actor.step()
            except Exception:
                self.journal.violation(f"the harness failed: {traceback.format_exc()}")

    def _trouble(self) -> None:
        end = time.monotonic() + self.options.seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.random.uniform(1, 6)))
            if self.program.process.poll() is not None:
                self.journal.violation(f"the server ended by itself: {self.program.process.returncode}")
                self.program.start()
            elif self.market and self.random.random() < 0.4:
                self.kills += self.market.trouble() != "block"
            elif self.disk and self.disk.is_small and self.random.random() < 0.15:
                self._fill_disk()
            elif self.random.random() < 0.5:
                self.kills += 1
                self.journal.note(what="kill")
                self.program.kill()
                time.sleep(self.random.choice([0, 0, 0.5, 2]))
                self.program.start()
            elif self.program.clock_library:
                self.steps += 1
                ahead = self.random.choice(CLOCKS)
                self.journal.note(what="clock", ahead=ahead)
                self.program.step_clock(ahead)

    def _fill_disk(self) -> None:
        """Fills the disk of the database for some seconds, and sometimes kills the server meanwhile."""
        self.fillings += 1
        self.journal.note(what="disk full")
        self.disk.fill()
        time.sleep(3)
        killed = self.random.random() < 0.3
        if killed:
            self.program.kill()
        self.disk.free()
        if killed:
            self.program.start()

    def _settle(self, browsers: list[Browser]) -> None:
        """Checks that every session works without faults, and compares all stored data."""
        self.network.calm = True
        self.program.step_clock(0)
        for browser in browsers:
            tab = Tab(self.journal, browser, 0, False, "rest")
            for _ in range(20):
                before = len(self.journal.entries)
                tab._locked(tab._sign_in if browser.session is None else tab._refresh)
                if any(e.get("answer", "").startswith("200") for e in self.journal.entries[before:]):
                    break
                time.sleep(1)
            else:
                self.journal.violation(f"{browser.name} does not get in again")
        if self.program.stop() != 0:
            self.journal.violation("the server does not stop in good order")
        with open(self.program.log_path, encoding="utf-8", errors="replace") as log:
            invariants.check(self.journal, self.database, log.read())

    def keep_files(self) -> None:
        """Copies the files of a small disk, which are lost with it."""
        if self.disk.is_small and self.journal.violations:
            shutil.copytree(self.program.folder, os.path.join(self.folder, "kept"))
        self.disk.end()

    def report(self) -> int:
        answers = {}
        for entry in self.journal.entries:
            key = f"{entry['what']} {entry.get('answer', '')}".strip()
            answers[key] = answers.get(key, 0) + 1
        for key in sorted(answers):
            print(f"  {answers[key]:6}  {key}")
        print(f"{len(self.journal.entries)} entries, {self.kills} kills, {self.steps} clock steps, {self.fillings} times a full disk")
        if self.disk and not self.disk.is_small:
            print("The disk was never full: only root can mount a small one.")
        if not self.program.clock_library:
            print("The clock was not moved: install libfaketime (Debian: apt-get install libfaketime).")
        for violation in self.journal.violations:
            print(f"VIOLATION: {violation}")
        if self.journal.violations:
            print(f"Journal, log and database are in {self.folder}")
        return 1 if self.journal.violations else 0


def main() -> int:
    options = arguments()
    print(f"seed {options.seed}, {options.seconds} s, {'PostgreSQL' if options.postgres else 'SQLite'}", flush=True)
    # Ends everything that was started, and unmounts small disks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    soak = Soak(options)
    try:
        soak.run()
    finally:
        if soak.program.process and soak.program.process.poll() is None:
            soak.program.kill()
        if soak.market:
            soak.market.end()
        if soak.disk:
            soak.keep_files()
    return soak.report()


if __name__ == "__main__":
    sys.exit(main())
