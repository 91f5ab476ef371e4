"""The paid gate in front of a small program, a Monero network of its own, and a client that pays.

Gate, client and wallet are killed without warning. At the end the wallet, the gate's database and the program behind it
are compared: no payment may be made twice, and none may be lost.
"""

import http.server
import json
import os
import random
import subprocess
import threading
import time
import urllib.request

from database import Database
from journal import Journal
from program import Program

# Number of requests for one payment.
QUOTA = 4
SETTLING = 120
ROUTE = f"""
[[toll.routes]]
name = 'price'
path = '/price'
price = '0.002 XMR'
quota = {QUOTA}
zero_conf_below = '0.005 XMR'
"""


class Chain:
    """A private Monero network: a node, and a wallet that pays."""

    def __init__(self, binary: str):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.world = json.loads(self.process.stdout.readline())
        self._lock = threading.Lock()

    def command(self, line: str) -> None:
        with self._lock:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            self.process.stdout.readline()

    def transfers(self) -> set[str]:
        """Returns the ids of all payments that the wallet has sent."""
        self._wallet("refresh", {})
        found = self._wallet("get_transfers", {"out": True, "pending": True, "pool": True})
        return {transfer["txid"] for kind in ("out", "pending") for transfer in found.get(kind, [])}

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def _wallet(self, method: str, params: dict) -> dict:
        question = json.dumps({"jsonrpc": "2.0", "id": "0", "method": method, "params": params}).encode()
        url = self.world["payer"] + "/json_rpc"
        with urllib.request.urlopen(urllib.request.Request(url, question), timeout=60) as answer:
            return json.load(answer)["result"]


class Upstream(http.server.BaseHTTPRequestHandler):
    """The program behind the gate: counts requests."""

    arrived = 0

    def do_GET(self):
        type(self).arrived += 1
        body = b"worth its price\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class GateProgram(Program):
    """`postern toll run`, with a database of its own."""

    def __init__(self, binary: str, folder: str, world: dict):
        super().__init__(binary, folder, [], log="gate.log")
        self.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        key = os.path.join(folder, "view.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(world["merchant_view_key"])
        settings = {
            "listen": f"127.0.0.1:{self.port}",
            "public_url": self.origin,
            "primary_address": world["merchant_address"],
            "view_key_file": key,
        }
        lines = [f"{name} = '{value}'" for name, value in settings.items()] + [f"monerod = ['{world['node']}']"]
        to = f"upstream = 'http://127.0.0.1:{self.upstream.server_port}'\n"
        with open(os.path.join(folder, "postern.toml"), "w", encoding="utf-8") as file:
            file.write("[toll]\n" + "\n".join(lines) + ROUTE + to)

    def serving(self) -> list[str]:
        return [self.binary, "toll", "run", "--data-dir", self.folder]


class Payer:
    """A person who fetches paid answers, and whose client is killed at random."""

    def __init__(self, journal: Journal, client: str, gate: GateProgram, chain: Chain, seed: str):
        self.journal, self.client, self.gate, self.chain = journal, client, gate, chain
        self.random = random.Random(seed)
        self.home = os.path.join(gate.folder, "payer")
        os.makedirs(self.home)
        self.calm = False

    def step(self) -> None:
        kill_after = None if self.calm or self.random.random() > 0.35 else self.random.uniform(0.01, 1.2)
        self.journal.note(who="payer", what="pay", answer=str(self.get(kill_after)))

    def get(self, kill_after: float | None = None) -> int | str:
        """Runs the client; kills it after `kill_after` seconds."""
        url = self.gate.origin + "/price"
        wallet = ["--wallet", self.chain.world["payer"], "--max-pay", "0.01", "--storage", "file", "--wait", "60"]
        environment = {"PATH": os.environ["PATH"], "HOME": self.home, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
        with subprocess.Popen(
            [self.client, "get", url, *wallet],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:
            try:
                _, errors = process.communicate(timeout=kill_after or 180)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                if kill_after is None:
                    self.journal.violation("the client does not end")
                return "killed"
        if process.returncode == 6:
            # Nothing was paid, most often because the change is locked. It can be spent after ten blocks.
            self.chain.command("10")
        if process.returncode in (1, 2) or "panicked" in errors:
            self.journal.violation(f"the client ends with {process.returncode}: {errors.strip()}")
        return process.returncode


class Market:
    """Runs gate, client and chain together, and compares their data at the end."""

    def __init__(self, journal: Journal, options, folder: str):
        self.journal, self.random = journal, random.Random(f"{options.seed} market")
        folder = os.path.join(folder, "gate")
        os.makedirs(folder)
        self.chain = Chain(options.regtest)
        self.gate = GateProgram(options.postern, folder, self.chain.world)
        self.payer = Payer(journal, options.client, self.gate, self.chain, f"{options.seed} payer")
        self.gate.start()

    def trouble(self) -> str:
        """Disturbs one of the programs, and returns the name of the fault."""
        what = self.random.choice(["block", "block", "kill gate", "kill wallet"])
        if what == "block":
            self.chain.command("1")
        elif what == "kill gate":
            self.gate.kill()
            time.sleep(self.random.choice([0, 0, 1]))
            self.gate.start()
        else:
            self.chain.command("payer")
        self.journal.note(what=what)
        return what

    def settle(self) -> None:
        self.payer.calm = True
        end = time.monotonic() + SETTLING
        while (code := self.payer.get()) != 0:
            if time.monotonic() > end:
                self.journal.violation(f"the client does not get what it pays for: exit code {code}")
                break
            self.chain.command("1")
            time.sleep(1)
        self.chain.command("2")
        time.sleep(5)
        sent = self.chain.transfers()
        if self.gate.stop() != 0:
            self.journal.violation("the gate does not stop in good order")
        self._compare(sent)
        with open(self.gate.log_path, encoding="utf-8", errors="replace") as log:
            if "panicked" in log.read():
                self.journal.violation("something panicked: see gate.log")

    def _compare(self, sent: set[str]) -> None:
        database = Database(os.path.join(self.gate.folder, "postern.db"))
        payments = database.rows("SELECT txid, challenge FROM toll_payments")
        tokens = {token for (token,) in database.rows("SELECT id FROM toll_tokens")}
        if lost := sent - {txid for txid, _ in payments}:
            self.journal.violation(f"{len(lost)} payments left the wallet and are not at the gate: {sorted(lost)}")
        challenges = [challenge for _, challenge in payments]
        if twice := {challenge for challenge in challenges if challenges.count(challenge) > 1}:
            self.journal.violation(f"{len(twice)} offers were paid more than once: {sorted(twice)}")
        if set(challenges) != tokens:
            self.journal.violation(f"{len(payments)} payments have bought {len(tokens)} tokens")
        # Each payment except the last was used up before the next one was made.
        if (len(payments) - 1) * QUOTA > Upstream.arrived:
            self.journal.violation(f"{len(payments)} payments for {Upstream.arrived} requests of {QUOTA} each")
        print(f"{len(payments)} payments, {len(sent)} seen in the wallet, {Upstream.arrived} paid requests arrived")

    def end(self) -> None:
        if self.gate.process and self.gate.process.poll() is None:
            self.gate.kill()
        self.chain.end()



