#!/usr/bin/env python3
"""Holds man/persist-findings.7 against the table of findings, finding_codes.def.

Usage: findings.py           says what differs, row by row; exit status 1 if anything does
       findings.py --write   writes the part of the page between the two marks anew
"""

import ast
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "libpersist/include/persist/finding_codes.def"
PAGE = ROOT / "man/persist-findings.7"

BEGIN = '.\\" Begin of the table: tests/man/findings.py --write'
END = '.\\" End of the table.'
COLUMNS = 79

LITERAL = r'"(?:[^"\\]|\\.)*"'
ROW = re.compile(
    rf"PERSIST_FINDING\((\w+),\s*({LITERAL}),\s*(\w+),\s*(\w+),\s*((?:{LITERAL}\s*)+),\s*((?:{LITERAL}\s*)+)\)"
)


# --- The table --------------------------------------------------------------------------------------------


def join_literals(source):
    return "".join(ast.literal_eval(literal) for literal in re.findall(LITERAL, source))


def read_table(text):
    """[(group, [(id, severity, reach, sentence, action)])]: what a comment heads is a group. The comment that
    opens the file heads none."""
    groups = []
    for block in re.split(r"\n\s*\n", text.strip()):
        rows = [
            (join_literals(code), severity, reach, join_literals(sentence), join_literals(action))
            for _, code, severity, reach, sentence, action in ROW.findall(block)
        ]
        if len(rows) != block.count("PERSIST_FINDING("):
            raise ValueError("a row cannot be read in:\n" + block)
        if rows:
            heading = re.match(r"//\s*(.+)", block)
            if heading:
                groups.append((heading.group(1), rows))
            else:
                groups[-1][1].extend(rows)
    return groups


# --- The page ---------------------------------------------------------------------------------------------


def roff(text):
    """Prose as roff: `code` in bold, and nothing that roff would act on."""
    text = text.replace("\\", "\\e")
    return re.sub(r"`([^`]+)`", lambda code: "\\fB" + code.group(1).replace("-", "\\-") + "\\fR", text)


def lines_of(*paragraphs):
    """Each sentence on a line of its own, broken where it is long."""
    for paragraph in paragraphs:
        for sentence in re.split(r"(?<=[.?])\s+(?=[A-Z])", paragraph):
            for line in textwrap.wrap(roff(sentence), COLUMNS, break_long_words=False, break_on_hyphens=False):
                yield "\\&" + line if line[0] in ".'" else line


def render(groups):
    for heading, rows in groups:
        yield ".SS " + heading
        for code, severity, reach, sentence, action in rows:
            yield ".TP"
            yield f'.BR {code} " ({severity}, {reach})"'.replace("-", "\\-")
            yield from lines_of(sentence, action)


def plain(line):
    """A line of the page as the table has it, but for backquotes."""
    line = re.sub(r"\\f[BR]|\\&", "", line)
    return line.replace("\\-", "-").replace("\\e", "\\")


def read_page(lines):
    """[(id, severity, reach, text)] as the page has them."""
    rows = []
    for number, line in enumerate(lines):
        head = re.fullmatch(r'\.BR (\S+) " \((\w+), (\w+)\)"', plain(line))
        if head and lines[number - 1] == ".TP":
            rows.append([*head.groups(), []])
        elif rows and not line.startswith("."):
            rows[-1][3].append(plain(line))
    return [(code, severity, reach, " ".join(text)) for code, severity, reach, text in rows]


def split_page(text):
    """What stands before the table, its lines, and what stands behind."""
    lines = text.splitlines()
    try:
        begin, end = lines.index(BEGIN), lines.index(END)
    except ValueError:
        sys.exit(f"findings.py: {PAGE.name} lacks the line {BEGIN!r} or {END!r}")
    return lines[: begin + 1], lines[begin + 1 : end], lines[end:]


# --- One held against the other -----------------------------------------------------------------------------


def differences(table, page):
    """A message for each row that differs."""
    told = {row[0]: row for row in page}
    for code, severity, reach, text in table:
        if code not in told:
            yield f"{code}: the page does not have it"
            continue
        _, told_severity, told_reach, told_text = told[code]
        if told_severity != severity:
            yield f"{code}: the page says {told_severity}, the table {severity}"
        if told_reach != reach:
            yield f"{code}: the page says reach {told_reach}, the table {reach}"
        if told_text != text:
            yield f"{code}: the page says\n    {told_text}\n  and the table\n    {text}"
    known = {row[0] for row in table}
    for code, *_ in page:
        if code not in known:
            yield f"{code}: the table does not have it"
    if len(told) != len(page):
        yield "the page has a row twice"
    if len(known) != len(table):
        yield "the table has a row twice"
    shared = [row[0] for row in page if row[0] in known]
    wanted = [row[0] for row in table if row[0] in told]
    if shared != wanted:
        first = next((pair for pair in zip(shared, wanted) if pair[0] != pair[1]), ("the end", "the end"))
        yield f"the order differs: the page has {first[0]} where the table has {first[1]}"


def check(groups, lines):
    table = [
        (code, severity, reach, f"{sentence} {action}".replace("`", ""))
        for _, rows in groups
        for code, severity, reach, sentence, action in rows
    ]
    failures = list(differences(table, read_page(lines)))
    if not failures and lines != list(render(groups)):
        failures.append("the rows are right, but the page is laid out differently")
    for failure in failures:
        print(failure)
    if failures:
        print("`tests/man/findings.py --write` brings the page up to date")
    passed = len(table) + 1 - len(failures)
    print(f"{max(passed, 0)} passed, {len(failures)} failed")
    return 1 if failures else 0


def main(arguments):
    groups = read_table(TABLE.read_text(encoding="utf-8"))
    before, lines, behind = split_page(PAGE.read_text(encoding="utf-8"))
    if arguments == ["--write"]:
        PAGE.write_text("\n".join([*before, *render(groups), *behind]) + "\n", encoding="utf-8")
        return 0
    if arguments:
        sys.exit(__doc__)
    return check(groups, lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
