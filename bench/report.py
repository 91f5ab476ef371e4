"""Prints docs/performance.md from what `make bench` and `make bench MEASURE=growth` printed."""

import argparse
import re
import sys

PAGE = """# Performance

These are figures of one machine. The two figures of a row were measured in the same run, one after the other. On
another machine, or at another hour of a shared one, both differ. The column *met* says whether a row reaches the
project's own target.

[Capacity](capacity.md) computes from these tables what many accounts need.

## Speed and memory

`{command}`, commit `{commit}`, {date}, {machine}.

{bench}

## Many accounts

Commit `{growth_commit}`, {growth_date}, the same machine. An account has two sessions, a ban and a row in
the audit log. PostgreSQL runs without fsync in this measurement. *(any command)* is a command that reads no database.
Bytes per row include the indexes.

{growth}

## Missed targets

| figure | what was tried | what is next |
|---|---|---|
| memory, idle | Four fifths of it are pages of the program's code. Two units of code for a crate, and not 16: 71 MB of program, and not 98. Code that no request waits for compiled for size: 48 MB of code became 43, and no memory less. Fewer arenas of malloc: 0.5 MB less. The smallest hash buffers and caches: no change, they are untouched before a login. | equal functions merged, as in the published program, which needs 8 MB less |
| logins beside argon2id | One SQL statement for the user, the failures and what may be forgiven (12 and not 16 trips to the database). Guards as functions of one layer. The database in memory: no change, so it is not the disk. Hash memory in huge pages: 6 to 15 % faster, and so is the hash alone. | fewer wake-ups between a request's thread and the database's; the rest is one RSA operation |
| session checks | Functions in place of layers (25 %). Keys and tokens parsed once. Cookies read without copies. Answers from one look-up. | one map for tokens and sessions |
| session checks, tokens never seen | Keys parsed once, and not with each token. A token parsed once, and not three times. A provider of `jsonwebtoken` over aws-lc. A bare answer beside the signature limits the ratio to 0.81. | nothing: it is at the limit |
| session checks at 80 % of capacity, p99 | Hash threads with a lower priority. No body timer without a body. Two units of code. | pin the load generator to a core of its own |
| refreshes | Writes in groups with one disk write. No savepoint for a single statement. Caches in front of the reads. The disk's own figure varies by three times within an hour. | one statement for a whole group |
| one refresh with a proof, without HTTP | Keys parsed once. No savepoint for a single statement. Writes in groups with one disk write. A profile shows that a third is the kernel's, for wake-ups between a request's thread and the database's: three statements, each with a message in both directions. | one statement that finds and rotates the session |
| proxied requests, no toll | Cores that stay awake. Another allocator. One unit of code for the proxy: no change. Half of the time is the kernel's, for two sockets and two wake-ups. | connections to the upstream that are polled in the request's own task |
| a bound token with a proof for each request | Parsed keys. Another library (30 to 39 microseconds, and not 30). A proof parsed without a tree of JSON. One signature is slower than the whole proxy. | MAC proofs, which have a row of their own |
"""


def bench(text: str) -> tuple[str, str, str]:
    """Returns the command, the machine, and the table as Markdown."""
    found = re.search(r"^(make bench.*)\n(.+)\n\n(what +measured.*)\n([- ]+)\n((?:.+\n)+)", text, re.MULTILINE)
    if found is None:
        sys.exit("no table of make bench")
    command, machine, head, lines, rows = found.groups()
    columns = [(match.start(), match.end()) for match in re.finditer("-+", lines)]
    ends = [start for start, _ in columns[1:]] + [None]
    cells = [[row[start:end].strip() for (start, _), end in zip(columns, ends)] for row in [head, *rows.splitlines()]]
    table = ["| " + " | ".join(row) + " |" for row in cells if len([cell for cell in row if cell]) > 1]
    return command, machine, "\n".join([table[0], "|---" * len(columns) + "|", *table[1:]])


def growth(text: str) -> str:
    """Returns the tables, which are Markdown already, below their command."""
    tables = re.findall(r"^\|.*, ms \|.*\n\|---.*\n(?:\|.*\n)+", text, re.MULTILINE)
    if not tables:
        sys.exit("no table of make bench MEASURE=growth")
    sizes = [size.replace(",", "") for size in re.findall(r"([\d,]+) accounts", tables[0])]
    return f'`make bench MEASURE=growth GROWTH_SIZES="{" ".join(sizes)}"`\n\n' + "\n".join(tables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=argparse.FileType())
    parser.add_argument("growth", type=argparse.FileType(), nargs="+")
    parser.add_argument("--commit", required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--growth-commit", help="of the measurement of many accounts, if it is another one")
    parser.add_argument("--growth-date")
    options = parser.parse_args()
    command, machine, table = bench(options.bench.read())
    grown = "\n".join(growth(file.read()) for file in options.growth).rstrip()
    run = {"command": command, "machine": machine, "commit": options.commit, "date": options.date}
    run |= {"growth_commit": options.growth_commit or options.commit, "growth_date": options.growth_date or options.date}
    print(PAGE.format(bench=table, growth=grown, **run), end="")


if __name__ == "__main__":
    main()
