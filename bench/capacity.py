"""Computes what many accounts need, from the tables of docs/performance.md.

Writes the tables of docs/capacity.md between its two markers; `--check` only says whether they are up to date.
"""

import argparse
import math
import pathlib
import re
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEASURED, PAGE = ROOT / "docs/performance.md", ROOT / "docs/capacity.md"
BEGIN, END = "<!-- bench/capacity.py -->\n", "<!-- end -->\n"

ACCOUNTS = 100_000_000
SESSIONS = 2  # of an account
BANNED = 1 / 1000  # bans in force, of an account
PEAK = 3  # the busiest second, as a multiple of the mean
ACTIVE_HOURS = 1  # of an account in a day
REFRESHES = 12  # in an active hour, with session.access = "5m"
CHECKS = 60  # requests with a session in an active hour
AUDIT_DAYS = 90  # retention.audit
CORES = 32  # of a node
GROWS = 5  # a time grows if the largest size takes so many times as long as the smallest
HASH_BYTES = 19 * 2**20  # of a hash thread, with password.memory_kib of the default
DAY = 86_400

# Limits of the program, read from the files that set them.
SESSIONS_IN_MEMORY = ("server/src/sessions.rs", r"const REMEMBERED: usize = ([\d_]+)")
CONNECTIONS = ("crates/store/src/sql/open.rs", r"Self \{ connections: (\d+),")
LISTED_SECONDS = 690  # REVOCATION_RETENTION_MS in crates/domain/src/revocation.rs
LISTED_BYTES = 15  # of an ended session in /.well-known/revocations: 12 characters, quotes and a comma


@dataclass(frozen=True)
class Load:
    name: str
    sign_ins: float  # of an account in a day
    sign_outs: float

    def per_second(self, a_day: float) -> float:
        """Returns how often something happens in the busiest second, for one account."""
        return a_day * PEAK / DAY

    @property
    def commits(self) -> float:
        """Returns the commits of an account in a day: two for a sign-in, one for each refresh and sign-out."""
        return 2 * self.sign_ins + REFRESHES * ACTIVE_HOURS + self.sign_outs


LOADS = [Load("stays signed in", 1 / 30, 0), Load("signs in and out daily", 1, 1)]


class Measured:
    """The tables of docs/performance.md."""

    def __init__(self, text: str):
        measured = text.split("\n## Missed targets", 1)[0]
        lines = [line.strip("|").split("|") for line in measured.splitlines() if line.startswith("|")]
        rows = [[cell.strip() for cell in line] for line in lines]
        self.rows, self.engines, self.largest, engine = {}, {}, [], None
        for name, *cells in rows:
            if name.endswith(", ms"):
                engine = self.engines.setdefault(name.removesuffix(", ms"), {})
                self.largest.append([cell for cell in cells if "accounts" in cell][-1])
            elif engine is not None and not name.startswith("-"):
                # The last two cells are the ratio and the verdict.
                engine.setdefault(name, [float(cell) for cell in cells[:-2]])
            else:
                self.rows.setdefault(name, cells[0])
        found = re.search(r"(\d+) x (.+?), load average", text)
        if found is None or len(self.engines) != 2:
            sys.exit(f"{MEASURED}: the machine or the tables of both engines are missing")
        self.cores, self.machine = int(found[1]), found[2]

    def figure(self, name: str) -> float:
        """Returns the number of a row of `make bench`."""
        found = re.match(r"([\d.]+)", self.rows.get(name, ""))
        return float(found[1]) if found else sys.exit(f"{MEASURED}: no figure for '{name}'")

    def grown(self, engine: str, name: str) -> float:
        """Returns the figure of the largest size."""
        return self.engines[engine][name][-1]


def source(place: tuple[str, str]) -> int:
    found = re.search(place[1], (ROOT / place[0]).read_text(encoding="utf-8"))
    return int(found[1].replace("_", "")) if found else sys.exit(f"{place[0]}: no {place[1]}")


def short(number: float) -> str:
    """Formats a number with two digits that count, and with thousands separators."""
    if number == 0:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(abs(number))))
    if digits > 0:
        return f"{number:.{digits}f}".rstrip("0").rstrip(".")
    step = 10 ** (math.floor(math.log10(abs(number))) - 1)
    return f"{round(number / step) * step:,.0f}"


def size(count: float) -> str:
    for unit, power in [("TB", 12), ("GB", 9), ("MB", 6), ("kB", 3)]:
        if count >= 10**power:
            return f"{short(count / 10**power)} {unit}"
    return f"{short(count)} B"


def duration(ms: float) -> str:
    if ms < 1000:
        return f"{short(ms)} ms"
    return f"{short(ms / 1000)} s" if ms < 120_000 else f"{short(ms / 60_000)} min"


def table(head: list[str], rows: list[list[str]]) -> str:
    first, *others = ["| " + " | ".join(line) + " |" for line in [head, *rows]]
    return "\n".join([first, "|" + "---|" * len(head), *others]) + "\n"


def node_commits(measured: Measured) -> float:
    """Returns the commits a second of one node, if each takes as long as a whole refresh alone."""
    return source(CONNECTIONS) * 1000 / measured.grown("PostgreSQL", "refresh")


def costs(measured: Measured) -> str:
    per_core = measured.figure("logins, SQLite on disk, synchronous=FULL") / measured.cores
    refreshes = measured.figure("refreshes, 64 sessions") / measured.cores
    rows = [
        ["sign-in", f"{short(per_core)} a second and core", "logins, SQLite on disk, synchronous=FULL"],
        ["refresh", f"{short(refreshes)} a second and core", "refreshes, 64 sessions"],
        ["check of a token in memory", f"{short(measured.figure('session checks'))} a CPU second", "session checks"],
        [
            "check of a token that is not in memory",
            f"{short(measured.figure('session checks, tokens never seen'))} a CPU second",
            "session checks, tokens never seen",
        ],
        [
            "bans in memory",
            f"{short(measured.figure('memory of 1,000,000 bans'))} MB a million",
            "memory of 1,000,000 bans",
        ],
        [
            "one refresh on PostgreSQL, alone",
            f"{short(measured.grown('PostgreSQL', 'refresh'))} ms",
            f"refresh, {measured.largest[0]}",
        ],
    ]
    return table(["Cost", "Measured", "Row of the tables"], rows)


def disk(measured: Measured) -> str:
    counts = [
        ("users", "accounts", ACCOUNTS),
        ("user_keys", "user keys", ACCOUNTS),
        ("sessions", "sessions", ACCOUNTS * SESSIONS),
        ("bans", "bans", ACCOUNTS * BANNED),
    ]
    lines = [(name, label, count) for name, label, count in counts]
    for load in LOADS:
        lines.append(("audit", f"audit log, {load.name}", ACCOUNTS * AUDIT_DAYS * (load.sign_ins + load.sign_outs)))
    rows = []
    for name, label, count in lines:
        sizes = [measured.grown(engine, f"bytes per row of {name}") for engine in ("PostgreSQL", "SQLite")]
        rows.append([label, short(count), *(part for each in sizes for part in (short(each), size(each * count)))])
    return table(["Rows", "Number", "PostgreSQL, bytes a row", "in all", "SQLite, bytes a row", "in all"], rows)


def demand(measured: Measured) -> str:
    per_core = measured.figure("logins, SQLite on disk, synchronous=FULL") / measured.cores
    refreshes = measured.figure("refreshes, 64 sessions") / measured.cores
    unknown = measured.figure("session checks, tokens never seen")
    columns = []
    for load in LOADS:
        days = [load.sign_ins, load.sign_outs, REFRESHES * ACTIVE_HOURS, CHECKS * ACTIVE_HOURS, load.commits]
        sign_ins, outs, again, checks, commits = [ACCOUNTS * load.per_second(a_day) for a_day in days]
        cores = [sign_ins / per_core, again / refreshes, checks / unknown]
        idle = measured.figure("memory, after one view of /login") * 1e6
        bans = ACCOUNTS * BANNED * measured.figure("memory of 1,000,000 bans")
        columns.append({
            "sign-ins a second": short(sign_ins),
            "refreshes a second": short(again),
            "checks a second": short(checks),
            "sign-outs a second": short(outs),
            "commits a second": short(commits),
            "sessions in use at the same time": short(ACCOUNTS * ACTIVE_HOURS / 24 * PEAK),
            "cores for sign-ins": f"{math.ceil(cores[0]):,}",
            "cores for refreshes": f"{math.ceil(cores[1]):,}",
            "cores for checks": f"{math.ceil(cores[2]):,}",
            f"nodes of {CORES} cores, by cores": f"{math.ceil(sum(cores) / CORES):,}",
            "nodes, by connections to PostgreSQL": f"{math.ceil(commits / node_commits(measured)):,}",
            "memory of a node, at least": size(idle + bans + CORES * HASH_BYTES),
            "list of ended sessions": size(outs * LISTED_SECONDS * LISTED_BYTES),
        })
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return table(["In the busiest second", *(load.name for load in LOADS)], rows)


def limits(measured: Measured) -> str:
    """Lists how many accounts fill each part of the measured machine, the first one first."""
    ends = 1000 / measured.grown("PostgreSQL", "refresh")
    parts = [
        ("sessions in the memory of one node", lambda _: ACTIVE_HOURS / 24 * PEAK, source(SESSIONS_IN_MEMORY)),
        (
            "password hashing",
            lambda load: load.per_second(load.sign_ins),
            measured.figure("logins, SQLite on disk, synchronous=FULL"),
        ),
        ("sign-outs, one after the other", lambda load: load.per_second(load.sign_outs), ends),
        (
            "commits over one node's connections to PostgreSQL",
            lambda load: load.per_second(load.commits),
            node_commits(measured),
        ),
        (
            "refreshes, on SQLite",
            lambda load: load.per_second(REFRESHES * ACTIVE_HOURS),
            measured.figure("refreshes, 64 sessions"),
        ),
        (
            "checks of tokens in memory",
            lambda load: load.per_second(CHECKS * ACTIVE_HOURS),
            measured.figure("session checks") * measured.cores,
        ),
    ]
    rows = []
    for name, each, limit in parts:
        fits = [limit / each(load) if each(load) else math.inf for load in LOADS]
        rows.append((min(fits), [name, *("no limit" if math.isinf(fit) else short(fit) for fit in fits)]))
    return table(["Part", *(load.name for load in LOADS)], [row for _, row in sorted(rows, key=lambda row: row[0])])


def growing(measured: Measured) -> str:
    """Lists the times that grow with the accounts, and what they would be if they grow linearly."""
    rows = []
    for name, figures in measured.engines["PostgreSQL"].items():
        both = [measured.engines[engine][name] for engine in ("PostgreSQL", "SQLite")]
        if name.startswith(("memory", "bytes")) or max(each[-1] / each[0] for each in both) < GROWS:
            continue
        factor = ACCOUNTS / int(measured.largest[0].split()[0].replace(",", ""))
        times = [part for each in both for part in (duration(each[-1]), duration(each[-1] * factor))]
        rows.append([name, *times])
    sizes = (measured.largest[0], f"{ACCOUNTS:,}")
    head = [f"{engine}, {each}" for engine in ("PostgreSQL", "SQLite") for each in sizes]
    return table(["Time", *head], rows)


def computed(measured: Measured) -> str:
    where = f"{measured.cores} cores of {measured.machine}"
    return "\n".join([
        f"\n## Measured costs\n\nOn {where}:\n",
        costs(measured),
        f"## Disk of {ACCOUNTS:,} accounts\n",
        disk(measured),
        f"## Processors and memory of {ACCOUNTS:,} accounts\n",
        demand(measured),
        f"## How many accounts fill the measured machine\n\nOn {where}, the first limit first:\n",
        limits(measured),
        f"## Times that grow with the number of accounts\n\nThe times of {ACCOUNTS:,} accounts assume linear growth:\n",
        growing(measured),
    ])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    new = head + BEGIN + computed(Measured(MEASURED.read_text(encoding="utf-8"))) + END + tail
    if options.check:
        if new != page:
            print("docs/capacity.md differs from what bench/capacity.py computes: run it", file=sys.stderr)
        return int(new != page)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
