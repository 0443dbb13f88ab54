#!/usr/bin/env python3
"""What is left when the disk fails, or the process dies, in the middle of writing an output.

Usage: faults.py --persist PATH --write-outputs PATH --shim PATH [--list] [NAME...]

Each row of the table is a command. It runs once without a fault, in a folder of its own, to see what it makes and how many
calls that takes which change files; then once for every such call and every kind of fault, each time in a fresh folder:
the call fails with EIO; this call and all after it find the disk full; the process is killed before, or right after it.
Then

  - every name holds what it held before, or what it holds after a run without a fault: nothing in between;
  - inputs hold what they held before;
  - what was replaced with a backup stands under the backup's name (after a kill: or a hidden one, whole);
  - unless killed, the exit status is 2, the message names what could not be written, and no temporary file is left
    that it does not name. After a kill, only names that begin with "." may be new.

A killed process loses nothing that it wrote; a machine without power does. So the run without a fault is also judged by the
order of its calls: what is renamed was flushed before, with all that it holds; the folder was flushed after the last rename,
and before anything is removed for good.

A NAME runs the rows whose name begins with it.
"""

import argparse
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "testdata" / "rdb" / "demo.rdb"
SECONDS_MAX = 60
TROUBLE = 2
KILLS = ("kill", "kill-after")
KINDS = ("eio", "enospc", *KILLS)

# Of a command with many calls: so many at both ends, and a sample of those between.
CALLS_AT_ENDS = 50
CALLS_TESTED_MAX = 200


# --- The table ------------------------------------------------------------------------------------------


@dataclass
class Row:
    name: str
    command: list  # the first word is a program's: persist or write_outputs
    output: str  # what the messages must name
    before: dict  # name in the folder: bytes, or a Path to copy
    in_place: bool = False  # the output is the input, and must be backed up
    also: tuple = ()  # what is replaced with the output
    simple: bool = False  # on a file system without RENAME_NOREPLACE and RENAME_EXCHANGE
    status: int = 0  # without a fault


OLD_SET = {"result/appendonly.aof.manifest": b"old", "result/appendonly.aof.1.base.rdb": b"old" * 999}
OLD_FOLDER = {"result/appendonly.aof.manifest": b"old", "result/appendonly.aof.1.base.rdb": b"old" * 999, "result/lost/x": b"x"}


def dump_rows():
    yield Row("dump-new", ["persist", "dump", "-o", "result", "in.rdb"], "result", {"in.rdb": DEMO})
    yield Row("dump-force", ["persist", "dump", "--force", "-o", "result", "in.rdb"], "result", {"in.rdb": DEMO, "result": b"old"})


def resp(*commands):
    """Commands as servers write them."""
    log = b""
    for words in (command.encode().split() for command in commands):
        log += b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return log


# A torn tail for repair and all others to leave out, and a flush.
LOG = resp("SELECT 0", "SET a 1", "FLUSHALL", "SET b 2", "MULTI", "SET c 3")
MANIFEST = b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
SET = {"set/appendonly.aof.manifest": MANIFEST, "set/appendonly.aof.1.base.rdb": DEMO, "set/appendonly.aof.1.incr.aof": LOG}
OLD_LOST = {"result.lost/index.jsonl": b"old", "result.lost/x": b"old"}
EDITS = (("repair", []), ("cut", ["--at-command", "3"]), ("undo-flush", ["--last"]))


def edit_rows():
    for verb, options in EDITS:
        for kind, source, before, old in (("file", "in.aof", {"in.aof": LOG}, {"result": b"old"}), ("folder", "set", SET, OLD_FOLDER)):
            command = ["persist", verb, *options, source]
            name = f"{verb}-{kind}"
            yield Row(f"{name}-new", [*command, "-o", "result"], "result", before)
            yield Row(f"{name}-force", [*command, "--force", "-o", "result"], "result", {**before, **old, **OLD_LOST}, also=("result.lost",))
            yield Row(f"{name}-in-place", [*command, "--in-place"], source, before, in_place=True)


SOUND_SET = {**SET, "set/appendonly.aof.1.incr.aof": resp("SELECT 0", "SET a 1", "DEL counter")}
CONVERSIONS = (
    ("convert-file", ["convert", "in.rdb", "--to", "rdb"], {"in.rdb": DEMO}, {"result": b"old"}),
    ("convert-canonical", ["convert", "in.rdb", "--to", "rdb", "--canonical"], {"in.rdb": DEMO}, {"result": b"old"}),
    ("convert-commands", ["convert", "in.rdb", "--to", "resp"], {"in.rdb": DEMO}, {"result": b"old"}),
    ("convert-log", ["convert", "in.rdb", "--to", "aof", "--target", "redis-6.2", "--allow-loss", "functions"], {"in.rdb": DEMO}, {"result": b"old"}),
    ("convert-folder", ["convert", "in.rdb", "--to", "aof"], {"in.rdb": DEMO}, OLD_SET),
    ("compact-file", ["compact", "set", "--to", "rdb"], SOUND_SET, {"result": b"old"}),
    ("compact-folder", ["compact", "set"], SOUND_SET, OLD_SET),
    ("compact-commands", ["compact", "set", "--base", "aof"], SOUND_SET, OLD_SET),
)


def conversion_rows():
    for name, words, before, old in CONVERSIONS:
        command = ["persist", *words, "-o", "result"]
        yield Row(f"{name}-new", command, "result", before)
        yield Row(f"{name}-force", [*command, "--force"], "result", {**before, **old})


def write_outputs_rows(simple):
    suffix = "-simple" if simple else ""
    for kind, old in (("file", {"result": b"old"}), ("folder", OLD_FOLDER)):
        yield Row(f"{kind}-new{suffix}", ["write_outputs", kind, "refuse", "result"], "result", {}, simple=simple)
        yield Row(f"{kind}-replace{suffix}", ["write_outputs", kind, "replace", "result"], "result", old, simple=simple)
        taken = {**old, "result.bak": b"somebody else's"}
        yield Row(f"{kind}-back-up{suffix}", ["write_outputs", kind, "back-up", "result"], "result", taken, in_place=True, simple=simple)


ROWS = [*dump_rows(), *edit_rows(), *conversion_rows(), *write_outputs_rows(simple=False), *write_outputs_rows(simple=True)]


# --- Folders, before and after --------------------------------------------------------------------------


def fill(room, before):
    for name, content in before.items():
        path = room / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read_bytes() if isinstance(content, Path) else content)


def content_of(path):
    """All of a file or a folder, to be compared."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        return {child.name: content_of(child) for child in path.iterdir()}
    return path.read_bytes() if stat.S_ISREG(mode) else os.readlink(path)


@dataclass
class Outcome:
    status: int
    message: str
    names: dict  # in the folder: content
    calls: list  # [number, name, path, other path] of those counted; "!" before the number of those that failed


class Runner:
    def __init__(self, programs, shim):
        self.programs = {name: str(Path(path).resolve()) for name, path in programs.items()}
        self.shim = str(Path(shim).resolve())

    def run(self, row, kind="", at=0):
        with tempfile.TemporaryDirectory(prefix="persist-faults-") as folder:
            folder = Path(folder).resolve()
            room = folder / "room"
            room.mkdir()
            fill(room, row.before)
            log = folder / "log"
            environment = {
                "PATH": os.environ.get("PATH", os.defpath),
                "TMPDIR": str(room),  # temporary copies count, too
                "LD_PRELOAD": self.shim,
                "PERSIST_FAULT_UNDER": str(room),
                "PERSIST_FAULT_LOG": str(log),
                "PERSIST_FAULT": kind,
                "PERSIST_FAULT_AT": str(at),
            }
            if row.simple:
                environment["PERSIST_FAULT_SIMPLE"] = "1"
            command = [self.programs[row.command[0]], *row.command[1:]]
            done = subprocess.run(
                command, cwd=room, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, timeout=SECONDS_MAX, check=False,
            )
            calls = [line.split("\t") for line in log.read_text().splitlines()] if log.exists() else []
            return Outcome(done.returncode, done.stderr.decode(errors="replace"), content_of(room), calls)


# --- Judgement ------------------------------------------------------------------------------------------


class Judge:
    """Knows what a row holds before and after, and says what is wrong with an outcome in between."""

    def __init__(self, row, before, after):
        self.row = row
        self.before = before
        self.after = after

    def faults_of_names(self, outcome, killed):
        for name in sorted({*self.before, *self.after, *outcome.names}):
            now = outcome.names.get(name)
            if name in self.before or name in self.after:
                if now == self.before.get(name) or now == self.after.get(name):
                    continue
                if now is None and name == self.row.output and killed and self.row.simple:
                    continue  # between two renames; the old one must be found elsewhere
                yield f"{name} is {'gone' if now is None else 'neither old nor new'}"
            elif not name.startswith("."):
                yield f"{name} was left"
            elif not killed and name not in outcome.message:
                yield f"{name} was left, and no message names it"

    def faults_of_backup(self, outcome, killed):
        """Whatever became of the old one, it must be found whole where it is gone without a word."""
        output = self.row.output
        old = self.before.get(output)
        now = outcome.names.get(output)
        if old is None or now == old or (now is not None and not self.row.in_place):
            return
        excused = killed or any(name.startswith(".") and name in outcome.message for name in outcome.names)
        places = [
            content for name, content in outcome.names.items()
            if name.startswith(f"{output}.bak") or (excused and name.startswith("."))
        ]
        if old not in places:
            yield "the old one is nowhere whole"

    def faults_of_rest(self, outcome):
        """Of a command that failed and kept the old one, no backup is left."""
        output = self.row.output
        if outcome.names.get(output) != self.before.get(output):
            return
        for name in outcome.names:
            if name.startswith(f"{output}.bak") and name not in self.before:
                yield f"{name} was left, although {output} is the old one"

    def faults_of(self, outcome, kind):
        killed = kind in KILLS
        struck = killed or any(number.startswith("!") for number, *_ in outcome.calls)
        yield from self.faults_of_names(outcome, killed)
        yield from self.faults_of_backup(outcome, killed)
        expected = -signal.SIGKILL if killed else TROUBLE if struck else self.row.status
        if outcome.status != expected:
            yield f"exit status {outcome.status}, expected {expected}"
        if not killed:
            yield from self.faults_of_rest(outcome)
        if struck and not killed and self.row.output not in outcome.message:
            yield f"the message does not name {self.row.output}"
        if not struck and outcome.names != self.after:
            yield "no call failed, and yet not all was done"


class Disk:
    """What a machine that loses its power could lose, by the calls made so far."""

    def __init__(self):
        self.unflushed = set()  # files with bytes, folders with names that are only in memory
        self.renamed_in = set()  # folders of these
        self.linked = set()  # files that have another name by now

    @staticmethod
    def within(path, folder):
        return path == folder or path.startswith(f"{folder}/")

    def made(self, path):
        self.unflushed |= {path, os.path.dirname(path)}

    def take(self, name, path, other):
        """Yields what is wrong about doing that now."""
        if name in ("open", "mkostemp", "mkdir"):
            self.made(path)
        elif name in ("fsync", "fdatasync"):
            self.unflushed.discard(path)
            self.renamed_in.discard(path)
        elif name == "unlink":
            yield from self.unlink(path)
        elif name in ("rename", "link"):
            yield from self.rename(name, path, other)
        elif name != "close":
            self.unflushed.add(path)

    def unlink(self, path):
        if self.renamed_in and path not in self.linked:
            yield f"{path} is removed before the rename is flushed"
        self.unflushed = {each for each in self.unflushed if not self.within(each, path)}

    def rename(self, name, path, other):
        for each in sorted(self.unflushed):
            if self.within(each, path):
                yield f"{each} is not flushed before the {name}"
        if name == "link":
            self.linked.add(path)
        self.unflushed.add(os.path.dirname(other))
        self.renamed_in.add(os.path.dirname(other))


def judge_order(calls):
    disk = Disk()
    for _, name, path, other in calls:
        yield from disk.take(name, os.path.normpath(path), os.path.normpath(other))
    for path in sorted(disk.unflushed):
        if not path.endswith(" (deleted)"):
            yield f"{path} was never flushed"


def calls_to_test(count):
    numbers = list(range(1, count + 1))
    if count <= CALLS_TESTED_MAX:
        return numbers
    between = numbers[CALLS_AT_ENDS:-CALLS_AT_ENDS]
    step = -(-len(between) // (CALLS_TESTED_MAX - 2 * CALLS_AT_ENDS))
    return numbers[:CALLS_AT_ENDS] + between[::step] + numbers[-CALLS_AT_ENDS:]


def judge_clean_run(row, before, clean):
    """What must hold already without a fault, lest the rest prove nothing."""
    if clean.status != row.status:
        yield f"exit status {clean.status}, expected {row.status}"
    if not clean.calls:
        yield "no call was counted"
    if clean.names.get(row.output) in (None, before.get(row.output)):
        yield f"{row.output} is not new"
    if any(name.startswith(".") for name in clean.names):
        yield "a temporary file was left"
    for name in before:
        if name not in (row.output, *row.also) and clean.names.get(name) != before[name]:
            yield f"{name} was changed"
    yield from judge_order(clean.calls)


def before_of(row):
    with tempfile.TemporaryDirectory(prefix="persist-faults-") as folder:
        fill(Path(folder), row.before)
        return content_of(Path(folder))


def test_row(row, runner, pool):
    """Yields what is wrong; returns the number of runs."""
    before = before_of(row)
    clean = runner.run(row)
    wrong = list(judge_clean_run(row, before, clean))
    if wrong:
        yield from (f"without a fault: {each}\n{clean.message}" for each in wrong)
        return 1
    judge = Judge(row, before, clean.names)
    cases = [(kind, at) for at in calls_to_test(len(clean.calls)) for kind in KINDS]
    for (kind, at), outcome in zip(cases, pool.map(lambda case: runner.run(row, *case), cases)):
        for each in judge.faults_of(outcome, kind):
            yield f"{kind} at call {at}, {clean.calls[at - 1][1]}: {each}\n  {outcome.message.strip()}\n  {sorted(outcome.names)}"
    return 1 + len(cases)


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--persist", required=True)
    parser.add_argument("--write-outputs", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    rows = [row for row in ROWS if not options.names or row.name.startswith(tuple(options.names))]
    if options.list:
        print(*(row.name for row in rows), sep="\n")
        return 0
    runner = Runner({"persist": options.persist, "write_outputs": options.write_outputs}, options.shim)
    failures = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for row in rows:
            results = test_row(row, runner, pool)
            runs = 0
            while True:
                try:
                    print(f"{row.name}: {next(results)}", file=sys.stderr)
                    failures += 1
                except StopIteration as end:
                    runs = end.value
                    break
            print(f"{row.name}: {runs} runs")
    return 1 if failures or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
