"""What many accounts cost: the same program on databases of several sizes.

Real rows (one account, one session, one ban) are made through the program and copied inside the database, with other keys:
two sessions for each account, and as many rows in the audit log and bans as accounts. Then one client after the other does
the same on each size. A figure of a larger size beside that of the smallest is the answer; the milliseconds are this
machine's.
"""

import argparse
import http.client
import itertools
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "soak"))

from browser import Browser, Lost  # noqa: E402
from program import Program, free_port  # noqa: E402

PASSWORD = "canary of a grown password"
PAGES = ["", "/users", "/users?word=zzz", "/users?word=person", "/users?word=group1", "/users/person?id={ada}", "/audit"]
PAGES += ["/bans", "/devices", "/groups", "/invitations", "/clients", "/server-keys", "/activity"]
LISTS = [["user", "list"], ["session", "list", "ada"], ["ban", "list"], ["audit"], ["group", "list"], ["invite", "list"]]
LISTS += [["client", "list"], ["service", "list"], ["allow", "list"], ["key", "list"], ["mail", "queue"]]
LISTS += [["toll", "payments"], ["toll", "tokens"], ["doctor"]]
# The largest accepted figures: multiples of the smallest size's figure, or milliseconds. A list may take longer than a
# command that reads no database, by so much. `doctor` reads every page of an SQLite file.
GOALS = {"login": 1.15, "check": 1.15, "banned": 1.15, "refresh": 1.5}
PAGE_MS, LIST_MS, RESTART_MS, WAIT_MS = 300, 300, 300, 50
LIMITS_MS = {"doctor": 10_000}
ANY, WAIT = "(any command)", "longest wait for the write lock"
# Seconds from the start, in which the clean-up runs at least once.
CLEANED_S = 70
DAY_MS = 86_400_000
# Number of groups, and of invitations that are open.
GROUPS, OPEN = 50, 40


class Sqlite:
    name = "SQLite"

    def __init__(self, folder: str, _server: str | None):
        self.settings, self.file = [], os.path.join(folder, "postern.db")

    def fill(self, statements: list[str]) -> list[int]:
        """Runs the statements and returns the bytes that each added to the database."""
        with sqlite3.connect(self.file) as connection:
            connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;")
            sizes = [self._bytes(connection)]
            for statement in statements:
                connection.execute(statement)
                sizes.append(self._bytes(connection))
        connection.executescript("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")
        connection.close()
        return [after - before for before, after in itertools.pairwise(sizes)]

    @staticmethod
    def _bytes(connection: sqlite3.Connection) -> int:
        return connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0]

    def columns(self, table: str) -> list[str]:
        with sqlite3.connect(self.file) as connection:
            return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]

    @staticmethod
    def numbers(count: int) -> str:
        return f"(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {count}) SELECT n FROM g) g"

    @staticmethod
    def padded(prefix: str, length: int, number: str = "n") -> str:
        return f"printf('{prefix}%0{length - len(prefix)}d', {number})"

    @staticmethod
    def mixed(length: int) -> str:
        """Returns an expression for unique text in no order, as random ids have none."""
        return f"substr(hex(randomblob({length})), 1, {length})"

    def longest_wait(self, seconds: float) -> float | None:
        """Returns the longest wait of another process for the write lock, in milliseconds."""
        longest, end = 0.0, time.monotonic() + seconds
        connection = sqlite3.connect(self.file, isolation_level=None, timeout=60)
        while time.monotonic() < end:
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            longest = max(longest, (time.perf_counter() - began) * 1000)
            connection.execute("ROLLBACK")
            time.sleep(0.004)
        connection.close()
        return longest

    def end(self) -> None:
        pass


class Postgres(Sqlite):
    name = "PostgreSQL"

    def __init__(self, folder: str, server: str | None):
        super().__init__(folder, server)
        self.server, self.database = server, f"growth_{os.getpid()}_{time.monotonic_ns()}"
        self._run(server, [f"CREATE DATABASE {self.database}"])
        self.place = server.rsplit("/", 1)[0] + "/" + self.database
        self.settings = [f"database_url={self.place}"]

    @staticmethod
    def _run(place: str, statements: list[str]) -> str:
        parts = [part for statement in statements for part in ("-c", statement)]
        done = subprocess.run(["psql", place, "-Atq", "-v", "ON_ERROR_STOP=1", *parts], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def fill(self, statements: list[str]) -> list[int]:
        size = "SELECT pg_database_size(current_database())"
        sizes = self._run(self.place, [size, *(part for statement in statements for part in (statement, size))])
        # The checkpoint writes what the filling has left, which would otherwise delay the measured commits.
        self._run(self.place, ["VACUUM ANALYZE", "CHECKPOINT"])
        return [after - before for before, after in itertools.pairwise(map(int, sizes.split()))]

    def columns(self, table: str) -> list[str]:
        query = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        return self._run(self.place, [query]).split()

    @staticmethod
    def numbers(count: int) -> str:
        return f"generate_series(1, {count}) g(n)"

    @staticmethod
    def padded(prefix: str, length: int, number: str = "n") -> str:
        return f"'{prefix}' || lpad(CAST({number} AS TEXT), {length - len(prefix)}, '0')"

    @staticmethod
    def mixed(length: int) -> str:
        return f"substr(md5(CAST(n AS TEXT)) || md5('2' || n), 1, {length})"

    def longest_wait(self, _seconds: float) -> None:
        """Returns nothing, because writes lock rows and not the database."""

    def end(self) -> None:
        self._run(self.server, [f"DROP DATABASE {self.database}"])


def copies(engine, count: int) -> dict[str, tuple[int, str]]:
    """Returns for each table the number of rows, and the statement that copies its one row with other keys."""
    now = int(time.time() * 1000)
    user, name = engine.padded("0", 26), "'user' || n"
    address = "(10 + n / 16777216) || '.' || (n / 65536 % 256) || '.' || (n / 256 % 256) || '.' || (n % 256)"
    # Two years old and in force for five more, as bans without an end are. The clean-up must not read them.
    ban = {"id": engine.padded("0", 26), "identity": address, "seq": "n", "until": str(now + 5 * 365 * DAY_MS)}
    ban |= {"incident": engine.padded("", 7), "since": str(now - 730 * DAY_MS), "changed_at": str(now - 730 * DAY_MS)}
    person = {"id": user, "name": name, "name_key": name, "skeleton": name, "role": "'user'"}
    person |= {"display_name": "'Person ' || n", "display_key": "'person ' || n", "email_state": "'vouched_for'"}
    person |= {"email": "'user' || n || '@example.org'", "email_key": "'user' || n || '@example.org'"}
    session = {"id": engine.mixed(22), "refresh_hash": engine.mixed(43), "seq": "0"}
    # Ids and hashes are random in use too, which fills the pages of an index less. Most sessions were not refreshed now.
    session |= {"changed_at": f"{now} - 3600000 - n"}
    tables = [
        ("users", count, person),
        ("user_keys", count, {"user_id": user}),
        ("sessions", 2 * count, session | {"user_id": engine.padded("0", 26, "(n + 1) / 2")}),
        ("audit", count, {"id": engine.padded("0", 26), "at": f"{now} - n * 1000", "user_id": user}),
        ("bans", count, ban),
    ]
    statements = {}
    for table, rows, other in tables:
        columns = engine.columns(table)
        values = [other.get(column, f"t.{column}") for column in columns]
        one = f"(SELECT * FROM {table} LIMIT 1) t"
        numbers = engine.numbers(rows)
        copy = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {one}, {numbers}"
        statements[table] = (rows, copy)
    return statements


def extras(engine, count: int) -> list[str]:
    """Returns the statements for groups, invitations, and the rows that the first clean-up deletes."""
    now = int(time.time() * 1000)
    columns = [column for column in engine.columns("users") if column not in ("display_key", "display_name")]
    columns = [column for column in columns if not column.startswith("email")]
    gone = {"id": engine.padded("1", 26), "name": "''", "name_key": "'deleted:' || n", "skeleton": "''", "role": "'user'"}
    gone |= {"password_hash": "''", "disabled_at": str(now - 40 * DAY_MS), "deleted_at": str(now - 40 * DAY_MS)}
    deleted = ", ".join(gone.get(column, f"t.{column}") for column in columns)
    columns_of_bans = engine.columns("bans")
    expired = {"id": engine.padded("1", 26), "identity": "'192.0.2.' || (n % 256)", "seq": "0"}
    expired |= {"until": str(now - 365 * DAY_MS), "since": str(now - 366 * DAY_MS), "changed_at": str(now - 366 * DAY_MS)}
    bans = ", ".join(expired.get(column, f"t.{column}") for column in columns_of_bans)
    few, group = engine.numbers(max(count // 50, 1)), engine.padded("g", 26)
    invitation = "(id, code_hash, role, note, made_by, created_at, expires_at, used_at)"
    values = f"{engine.padded('i', 26)}, {engine.mixed(43)}, 'user', 'note', NULL, {now} - n, {now + DAY_MS}"
    return [
        f"INSERT INTO user_groups (id, name, name_key, created_at) SELECT {group}, 'Group' || n, 'group' || n, {now}"
        f" FROM {engine.numbers(GROUPS)}",
        f"INSERT INTO group_members (group_id, user_id) SELECT {engine.padded('g', 26, f'(n % {GROUPS} + 1)')},"
        f" {engine.padded('0', 26)} FROM {engine.numbers(count)}",
        f"INSERT INTO invitations {invitation} SELECT {values}, CASE WHEN n > {OPEN} THEN {now} END FROM {few}",
        f"INSERT INTO users ({', '.join(columns)}) SELECT {deleted} FROM (SELECT * FROM users LIMIT 1) t, {few}",
        f"INSERT INTO bans ({', '.join(columns_of_bans)}) SELECT {bans} FROM (SELECT * FROM bans LIMIT 1) t, {few}",
    ]


def timed(work, times: int) -> float:
    """Returns the median in milliseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def expect(answer, status: int) -> None:
    if answer.status != status:
        raise RuntimeError(f"{answer.status} instead of {status}: {answer.body[:200]}")


class Size:
    def __init__(self, kind, options: argparse.Namespace, count: int):
        self.count = count
        self.folder = tempfile.TemporaryDirectory(prefix="postern-growth-")
        os.chmod(self.folder.name, 0o700)
        self.engine = kind(self.folder.name, options.postgres)
        self.operator = free_port()
        settings = [
            'trusted_proxies=["127.0.0.1"]',
            "password.memory_kib=64",
            "password.passes=1",
            "ban.limits.sign_in_per_minute=100000",
            "ban.limits.sign_in_at_once=10000",
            "ban.limits.at_once=100000",
            f"operator.listen=127.0.0.1:{self.operator}",
            *self.engine.settings,
        ]
        self.program = Program(os.path.abspath(options.postern), self.folder.name, settings)
        self.program.clock_library = None
        self.program.run("user", "add", "ada", "--role", "administrator", stdin=PASSWORD + "\n")
        self.program.run("ban", "add", "192.0.2.1", "--for", "1d", "--reason", "growth")
        self.program.start()
        self.ada = self._browser("203.0.113.1")
        expect(self.ada.sign_in(), 200)
        self.program.stop()
        began = time.monotonic()
        tables = copies(self.engine, count)
        statements = [statement for _, statement in tables.values()]
        statements += extras(self.engine, count)
        added = self.engine.fill([*statements, f"UPDATE sequences SET value = {count + 1} WHERE name = 'bans'"])
        # With the indexes of the table.
        self.row_bytes = {table: size / rows for (table, (rows, _)), size in zip(tables.items(), added)}
        print(f"{self.engine.name}, {count} accounts: filled in {time.monotonic() - began:.0f} s", flush=True)

    def _browser(self, address: str) -> Browser:
        return Browser(self.program.origin, self.program.port, address, "ada", PASSWORD, lambda *_: None)

    def figures(self) -> dict[str, float]:
        figures = {"restart": self._restart()}
        banned, ada = self._browser("10.0.0.7"), self.ada
        self._refresh()
        with ThreadPoolExecutor() as beside:
            wait = beside.submit(self.engine.longest_wait, CLEANED_S)
            figures["all bans loaded"] = self._loaded()
        if wait.result() is not None:
            figures[WAIT] = wait.result()
        figures["memory MiB"] = self._memory()
        figures["login"] = timed(lambda: expect(self._browser("203.0.113.2").sign_in(), 200), 60)
        figures["check"] = timed(lambda: expect(ada.ask("GET", "/api/session"), 200), 300)
        figures["refresh"] = timed(self._refresh, 60)
        figures["banned"] = timed(lambda: expect(banned.ask("GET", "/api/session", cookies=""), 403), 300)
        ada_id = json.loads(self.program.run("user", "show", "ada", "--json"))["id"]
        for page in PAGES:
            name = f"page {page.split('?id=')[0] or '/'}"
            try:
                path = "/dashboard" + page.format(ada=ada_id)
                figures[name] = timed(lambda path=path: self._page(path), 5)
            except (RuntimeError, Lost) as failed:
                print(f"/dashboard{page}: {failed}")
                figures[name] = float("inf")
        for words in LISTS:
            figures[" ".join(words)] = timed(lambda words=words: self._list(words), 3)
        # The time of a command that reads no database.
        figures[ANY] = timed(lambda: self.program.run("config", "check"), 3)
        return figures | {f"bytes per row of {table}": size for table, size in self.row_bytes.items()}

    def _restart(self) -> float:
        began = self.started = time.perf_counter()
        with open(os.devnull, "w", encoding="ascii") as nowhere:
            self.program.process = subprocess.Popen(
                self.program.serving(), cwd=self.folder.name, env=self.program._environment(), stdout=nowhere, stderr=nowhere
            )
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.operator, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return (time.perf_counter() - began) * 1000
            except OSError:
                pass
            time.sleep(0.002)

    def _refresh(self) -> None:
        answer = self.ada.proved("POST", "/api/refresh", {})
        expect(answer, 200)
        self.ada.keep(answer)

    def _page(self, path: str) -> None:
        answer = self.ada.ask("GET", path)
        if answer.status == 303:
            self._refresh()
            answer = self.ada.ask("GET", path)
        expect(answer, 200)

    def _list(self, words: list[str]) -> None:
        try:
            self.program.run(*words)
        except RuntimeError as failed:
            # The command ends with a failure if it has found something, and was not slower for that.
            if words != ["doctor"] or "finding" not in str(failed):
                raise

    def _loaded(self) -> float:
        """Returns the milliseconds since the start until all bans are in memory. They are in force before that."""
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.operator, timeout=5)
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            held = next(line for line in text.splitlines() if line.startswith("postern_bans_held "))
            if int(held.split()[1]) > self.count:
                return (time.perf_counter() - self.started) * 1000
            time.sleep(0.05)

    def _memory(self) -> float:
        with open(f"/proc/{self.program.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

    def end(self) -> None:
        if self.program.process and self.program.process.poll() is None:
            self.program.stop()
        self.engine.end()
        self.folder.cleanup()


def verdict(name: str, first: float, last: float, any_command: float) -> str:
    if name.split() in LISTS:
        most = LIMITS_MS.get(name, LIST_MS)
        return "" if last - any_command <= most else f"missed: {most} ms"
    if name == WAIT:
        return "" if last <= WAIT_MS else f"missed: {WAIT_MS} ms"
    if name in GOALS:
        return "" if last <= GOALS[name] * first else f"missed: {GOALS[name]} times"
    if name == "restart":
        return "" if last <= RESTART_MS else f"missed: {RESTART_MS} ms"
    return "missed: 300 ms" if name.startswith("page") and last > PAGE_MS else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postern", required=True)
    parser.add_argument("--postgres", help="URL of a server; without it, SQLite alone")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--json", help="a file for the figures")
    options = parser.parse_args()
    everything = {}
    for kind in [Sqlite, *([Postgres] if options.postgres else [])]:
        table: dict[str, list[float]] = {}
        for count in options.sizes:
            size = Size(kind, options, count)
            try:
                for name, figure in size.figures().items():
                    table.setdefault(name, []).append(figure)
            finally:
                size.end()
        everything[kind.name] = table
        print(f"\n| {kind.name}, ms | {' | '.join(f'{count:,} accounts' for count in options.sizes)} | times | |")
        print("|---|" + "---|" * (len(options.sizes) + 2))
        for name, row in table.items():
            cells = " | ".join(f"{figure:.1f}" for figure in row)
            print(f"| {name} | {cells} | {row[-1] / row[0]:.2f} | {verdict(name, row[0], row[-1], table[ANY][-1])} |")
        print(flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"sizes": options.sizes, "engines": everything}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
