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

The same commit, date and machine. An account has two sessions, a ban and a row in the audit log. PostgreSQL runs
without fsync in this measurement. *(any command)* is a command that reads no database. Bytes per row include the
indexes.

{growth}
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
    options = parser.parse_args()
    command, machine, table = bench(options.bench.read())
    grown = "\n".join(growth(file.read()) for file in options.growth).rstrip()
    run = {"command": command, "machine": machine, "commit": options.commit, "date": options.date}
    print(PAGE.format(bench=table, growth=grown, **run), end="")


if __name__ == "__main__":
    main()
