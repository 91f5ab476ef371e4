"""Three nodes on one PostgreSQL behind HAProxy, under load, while everything around them fails.

Each fault lasts some seconds; then the nodes must come back by themselves. Every answer goes into a journal. Meanwhile a
prober asks each node directly with what was ended or banned: it may be refused or put off, and never be accepted. At the end
the journal, the database and the logs are compared.
"""

import argparse
import json
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
import urllib.error
import urllib.request

import faults
import hosts
import invariants
import patroni
import pooler
from browser import Browser, Lost
from cluster import Balancer, Link
from database import Database
from hosts import Host, Hosts
from journal import Journal
from people import PasswordGuesser, Tab
from postgres import Databases
from program import Program, free_port, wait_for

NODES = 3
# The origin of an app behind the portal. Only its proxy's questions are sent, by the prober.
APP = "https://app.example"
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example", "X-Forwarded-Method": "GET"}
FORWARDED |= {"X-Forwarded-Uri": "/"}
PASSWORD = "canary of a soaked password"
# Seconds after an answer during which another node may not know of it: the maximum age of an answer, and the time of
# the probe itself.
GRACE = 1.5 + 0.5


class Answers(Journal):
    """A journal in which HAProxy's own answers replace those of a failed node."""

    def watch(self, method: str, path: str, answer) -> None:
        if answer.status in (502, 504):
            raise Lost
        super().watch(method, path, answer)


class Node(Program):
    def __init__(self, binary: str, folder: str, origin: str, link: Link, parameters: str, host: Host, proxies: list[str]):
        os.makedirs(folder, mode=0o700)
        self.operator, self.link = free_port(), link
        settings = [
            "log.level=info",
            f"operator.listen={host.address}:{self.operator}",
            "operator.allow_remote=true",
            f"trusted_proxies={json.dumps(proxies)}",
            "password.memory_kib=1024",
            "ban.invalid_credentials.threshold=3",
            'ban.invalid_credentials.ladder=["1h"]',
            f'apps=[{{name="soak",origin="{APP}"}}]',
            f"database_url=postgres://postgres@{link.address}:{link.port}/postgres{parameters}",
        ]
        super().__init__(binary, folder, settings, host=host)
        self.origin = origin

    def ready(self) -> bool:
        return self.state().get("status") == "ready"

    def state(self) -> dict:
        try:
            with urllib.request.urlopen(f"http://{self.host.address}:{self.operator}/readyz", timeout=3) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return json.load(refused)
        except (OSError, ValueError):
            return {}


class RefusalProbe:
    """Sends requests to one node after the other, with ended sessions and from a banned address."""

    def __init__(self, journal: Journal, nodes: list[Node], origin: str):
        self.journal, self.nodes = journal, nodes
        self.browsers = [
            Browser(origin, node.port, "203.0.113.200", "prober", "", journal.watch, node.host.address) for node in nodes
        ]
        self.asked = {"ended": 0, "banned": 0, "app let in": 0, "app refused": 0, "put off": 0}
        self.begun: dict[str, float] = {}
        self.banned_at: float | None = None

    def step(self) -> None:
        now = time.monotonic()
        for session in list(self.journal.ended):
            self.begun.setdefault(session, now)
        if self.banned_at is None and any(
            entry["what"] == "guess" and entry["answer"].endswith("banned") for entry in list(self.journal.entries[-200:])
        ):
            self.banned_at = now
        old = [session for session, began in self.begun.items() if GRACE < now - began < 60]
        for number, browser in enumerate(self.browsers):
            if old:
                session = random.choice(old)
                self._probe_session(number, browser, session)
                self._probe_app(number, browser, session)
            if live := [session for session in list(self.journal.app_tokens) if session not in self.begun]:
                self._probe_app(number, browser, live[-1])
            if self.banned_at and now - self.banned_at > GRACE:
                self._probe_ban(number, browser)

    def _probe_session(self, number: int, browser: Browser, session: str) -> None:
        cookie = f"__Host-postern-access={self.journal.ended[session]}"
        try:
            answer = browser.ask("GET", "/api/session", cookies=cookie)
        except Lost:
            return
        self.asked["put off" if answer.status == 503 else "ended"] += 1
        if answer.status == 200:
            self.journal.violation(f"node {number} takes session {session} after its end was answered")

    def _probe_app(self, number: int, browser: Browser, session: str) -> None:
        """Asks as a proxy does for a request to the app, with the session's token for it and a proof of its key."""
        token, key = self.journal.app_tokens.get(session, ("", None))
        if key is None:
            return
        try:
            nonce = browser.ask("GET", "/api/session", cookies="").headers.get("DPoP-Nonce")
            if nonce is None:
                return
            more = FORWARDED | {"Authorization": f"DPoP {token}"}
            answer = browser.ask("GET", "/api/verify", None, key.prove("GET", f"{APP}/", nonce, token), "", more)
        except Lost:
            return
        what = {200: "app let in", 503: "put off"}.get(answer.status, "app refused")
        self.asked[what] += 1
        if answer.status == 200 and session in self.begun:
            self.journal.violation(f"node {number} lets session {session} into the app after its end was answered")

    def _probe_ban(self, number: int, browser: Browser) -> None:
        address, browser.address = browser.address, "203.0.113.100"
        try:
            answer = browser.ask("GET", "/api/challenge", cookies="")
        except Lost:
            return
        finally:
            browser.address = address
        self.asked["put off" if answer.status == 503 else "banned"] += 1
        if answer.status not in (403, 503):
            self.journal.violation(f"node {number} lets a banned address in: {answer.status}")


class Cluster:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.random = random.Random(options.seed)
        self.folder = tempfile.mkdtemp(prefix="postern-nodes-")
        self.journal = Answers(os.path.join(self.folder, "journal.jsonl"))
        self.journal.secrets.add(PASSWORD)
        self.over = threading.Event()
        self.outages: list[tuple] = []
        self.hosts = Hosts()
        self.databases = patroni.Patroni(self.folder) if options.patroni else Databases(self.folder, self.hosts)
        self.pooler = pooler.Pooler(self.folder, self.hosts, self.databases.place) if options.pooler else None
        self.links = [Link(self.hosts.harness, (self.pooler or self.databases).place) for _ in range(NODES)]
        # The links that end at the database itself.
        self.ways = [self.pooler.upstream] if self.pooler else self.links
        port = free_port()
        self.origin = f"http://localhost:{port}"
        binary = os.path.abspath(options.postern)
        folders = [os.path.join(self.folder, f"node{n}") for n in range(NODES)]
        parameters = "?pooler=transaction" if options.pooler else ""
        self.front = self.hosts.add("haproxy")
        # The prober is a proxy too: it names a client's address to each node.
        proxies = [self.front.address, self.hosts.harness.address]
        self.nodes = [
            Node(binary, folder, self.origin, link, parameters, self.hosts.add(os.path.basename(folder)), proxies)
            for folder, link in zip(folders, self.links, strict=True)
        ]
        self.port, self.balancer = port, None

    def start(self) -> None:
        people = ["root", *(f"person{n}" for n in range(1, self.options.people)), "ghost"]
        for name in people:
            role = ["--role", "administrator"] if name == "root" else []
            self.nodes[0].run("user", "add", name, *role, stdin=PASSWORD + "\n")
        if self.pooler:
            self._must_name_the_pooler()
        key = os.path.join(self.nodes[0].folder, "key-encryption.key")
        for node in self.nodes[1:]:
            shutil.copy(key, node.folder)
        for node in self.nodes:
            node.start()
            wait_for(node.ready)
        self.balancer = Balancer(self.folder, self.front, self.port, self.nodes)
        wait_for(self._serves)
        browsers = [self._browser(name, n) for n, name in enumerate(people[:-1], 1)]
        self.actors = [
            Tab(self.journal, browser, tab, browser.name == "root", f"{self.options.seed} {browser.name} {tab}", APP)
            for browser in browsers
            for tab in range(2)
        ]
        self.actors.append(PasswordGuesser(self.journal, self._browser("ghost", 100)))
        self.refusal_probe = RefusalProbe(self.journal, self.nodes, self.origin)
        self.actors.append(self.refusal_probe)
        self.threads = [threading.Thread(target=self._live, args=(actor,), daemon=True) for actor in self.actors]
        for thread in self.threads:
            thread.start()

    def _must_name_the_pooler(self) -> None:
        url = f"database_url=postgres://postgres@{self.pooler.host.address}:{self.pooler.port}/postgres"
        try:
            self.nodes[0].run("user", "list", "--set", url)
        except RuntimeError as refused:
            if "pooler=transaction" in str(refused):
                return
        self.journal.violation("a pooler that the settings do not name is not refused")

    def _browser(self, name: str, number: int) -> Browser:
        return Browser(
            self.origin, self.port, f"203.0.113.{number}", name, PASSWORD, self.journal.watch, self.front.address
        )

    def _serves(self) -> bool:
        try:
            return self._browser("probe", 201).ask("GET", "/api/challenge").status == 200
        except Lost:
            return False

    def _live(self, actor) -> None:
        while not self.over.wait(random.uniform(0.05, 0.3)):
            try:
                actor.step()
            except Lost:
                pass
            except Exception:
                self.journal.violation(f"the harness failed: {traceback.format_exc()}")

    def trouble(self) -> None:
        end = time.monotonic() + self.options.seconds
        known = faults.WITH_PATRONI if self.options.patroni else faults.ALL
        chosen = [fault for fault in known if not self.options.faults or fault.__name__ in self.options.faults]
        left = list(chosen) if not self.options.seconds else []
        while left or time.monotonic() < end:
            fault = left.pop(0) if left else self.random.choice(chosen)
            name = fault.__name__
            self.journal.note(what="fault", fault=name)
            began, seen = time.monotonic(), len(self.journal.entries)
            if fault(self) is False:
                # A fault that is left out unnoticed is a promise that nobody checks.
                if os.environ.get("CI"):
                    self.journal.violation(f"{name} is impossible on this machine, and CI must have every fault")
                print(f"{name} is impossible on this machine")
                continue
            lasted = time.monotonic() - began
            try:
                back = wait_for(lambda: all(node.ready() for node in self.nodes) and self._serves())
            except RuntimeError:
                states = [node.state() for node in self.nodes]
                self.journal.violation(f"after {name} the nodes do not come back: {states}")
                return
            time.sleep(self.random.uniform(0.5, 2))
            self.outages.append((name, lasted, self._gap(seen), back, *self._failed(seen)))

    def _gap(self, seen: int) -> float:
        """Returns the longest time without a successful answer since the fault began, in seconds."""
        good = [entry["at"] for entry in self.journal.entries[seen:] if entry.get("answer", "")[:1] == "2"]
        began = self.journal.entries[seen]["at"] if seen < len(self.journal.entries) else 0
        now = time.monotonic() - self.journal.began
        return max(after - before for before, after in zip([began, *good], [*good, now], strict=True))

    def _failed(self, seen: int) -> tuple[int, int]:
        """Returns the number of calls since the fault began that had no answer, and that were answered 503."""
        answers = [entry.get("answer", "") for entry in self.journal.entries[seen:]]
        return answers.count("lost"), sum(answer.startswith("503") for answer in answers)

    def rest(self) -> None:
        """Checks that everybody can sign in without faults, and compares all stored data."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        for browser in {tab.browser.name: tab.browser for tab in self.actors if isinstance(tab, Tab)}.values():
            tab = Tab(self.journal, browser, 0, False, "rest")
            for _ in range(20):
                before = len(self.journal.entries)
                tab._locked(tab._sign_in if browser.session is None else tab._refresh)
                if any(entry.get("answer", "").startswith("200") for entry in self.journal.entries[before:]):
                    break
                time.sleep(0.5)
            else:
                self.journal.violation(f"{browser.name} does not get in again")
        for node in self.nodes:
            try:
                if node.stop() != 0:
                    self.journal.violation("a node does not stop in good order")
            except subprocess.TimeoutExpired:
                self.journal.violation("a node does not stop within a minute")
        logs = ""
        for node in self.nodes:
            with open(node.log_path, encoding="utf-8", errors="replace") as log:
                logs += log.read()
        invariants.check(self.journal, Database(self.databases.primary.url()), logs)
        if min(count for what, count in self.refusal_probe.asked.items() if what != "put off") < 10:
            self.journal.violation(f"too few probes: {self.refusal_probe.asked}")

    def end(self) -> None:
        self.over.set()
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.kill()
        if self.balancer:
            self.balancer.end()
        if self.pooler:
            self.pooler.end()
        self.databases.end()

    def report(self) -> int:
        answers: dict[str, int] = {}
        for entry in self.journal.entries:
            key = f"{entry['what']} {entry.get('answer', '')}".strip()
            answers[key] = answers.get(key, 0) + 1
        for key in sorted(answers):
            print(f"  {answers[key]:6}  {key}")
        print("fault: seconds that it lasted, longest time without a good answer, until all nodes were ready again;")
        print("       calls without an answer, calls that were answered 503")
        for name, lasted, gap, back, lost, refused in self.outages:
            print(f"  {name:20} {lasted:5.1f} {gap:5.1f} {back:5.1f} {lost:6} {refused:6}")
        print(f"probes: {self.refusal_probe.asked}")
        for violation in self.journal.violations:
            print(f"VIOLATION: {violation}")
        if self.journal.violations:
            print(f"Journal, logs and databases are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        return 1 if self.journal.violations else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postern", required=True, help="the program")
    parser.add_argument("--seconds", type=int, default=0, help="of random faults; 0: each fault once")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    parser.add_argument("--faults", nargs="*", help="only these")
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--patroni", action="store_true", help="Patroni chooses the primary")
    parser.add_argument("--pooler", action="store_true", help="PgBouncer in transaction mode before the database")
    options = parser.parse_args()
    hosts.enter()
    packages = patroni.missing() if options.patroni else []
    packages += ["pgbouncer"] if options.pooler and not pooler.find() else []
    if packages:
        print(f"SKIPPED: install {' '.join(packages)} (Debian: apt-get install {' '.join(packages)}).")
        return 0
    rig = ("Patroni" if options.patroni else "PostgreSQL") + (" behind PgBouncer" if options.pooler else "")
    print(f"seed {options.seed}, {rig}, {options.seconds or 'each fault once'}", flush=True)
    # Ends everything that was started, and unmounts small disks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cluster = Cluster(options)
    try:
        cluster.start()
        cluster.trouble()
        cluster.rest()
    finally:
        cluster.end()
    return cluster.report()


if __name__ == "__main__":
    sys.exit(main())
