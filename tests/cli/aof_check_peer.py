#!/usr/bin/env python3
"""aof-check beside redis-check-aof: the same lines on standard output, the same exit status, the same files afterwards.

Usage: aof_check_peer.py --persist PATH [--peer redis-check-aof] [--mutations N] [FOLDER...]

Both tools are run over copies of the same files: records of every shape cut at every byte and with bytes changed, sets with
a manifest, files with an RDB preamble; checked, fixed, and cut at a timestamp. What --fix takes away must be in FILE.lost.
Of each FOLDER every log and manifest is compared as it is and N times damaged. Exit status 77 if there is no peer.

Where the two differ on purpose, `canonical` says so; whole inputs of that kind are in tests/cli/cases/aof_check.txt.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTDATA = ROOT / "testdata"
SKIPPED = 77
SECONDS_MAX = 60
COMPLAINTS_MAX = 20

# --- What both are given -----------------------------------------------------------------------------------


def record(*arguments):
    parts = [argument.encode() if isinstance(argument, str) else argument for argument in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


SET = record("SET", "a", "1")
MULTI, EXEC = record("MULTI"), record("exec")
PLAIN = record("SELECT", "0") + SET + record("SET", "b", b"\x00\xff\r\n")
TRANSACTION = SET + MULTI + SET + record("HSET", "h", "f", "") + EXEC + SET
STAMPED = b"#TS:100\r\n" + SET + b"#TS:200\r\n" + MULTI + SET + EXEC + b"#comment\r\n#TS:300\r\n" + SET

ODD = [
    b"", b"*", b"*3", b"*3\r", b"*3\r\n", b"*3\r\n$", b"*3\n$3\nSET\n", b"*abc\r\n", b"*\r\n", b"*-1\r\n", b"*0\r\n" + SET,
    b"*-\r\n", b"*+0\r\n", b"* 3\r\n", b"*  \r\n", b"*\v\f0\r\n", b"*\n1\r\n", b"*\0\r\n", b"*3\xff\r\n", b"*\xff\xfe\r\n",
    b"*99999999999999999999999\r\n", b"*-99999999999999999999999\r\n", b"*2147483648\r\n$1\r\na\r\n",
    b"*1\r\n$9223372036854775807\r\n", b"*1\r\n$9223372036854775806\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$-9223372036854775808\r\nab",
    b"*1\r\n$10000000000\r\nab", b"*1\r\n$0\r\n\r\n", b"*1\r\n$abc\r\n", b"*1\r\n$\r\n\r\n", b"*1\r\n$3\r\nSETXX", b"*1\r\n\xff",
    b"*1\r\n\0", b"*1\r\n+1\r\n", b"*1\r\n$3\r\nSET\xffa", b"#", b"#abc", b"#\0\r\n" + SET, b"#TS:100\n" + SET, b"\0", b"x", b"SET a 1\r\n",
    SET + b"\0" * 100, SET + b"xx\r\n" + SET, SET + b"*0\r\n" + SET, EXEC + SET, MULTI + MULTI + EXEC, MULTI + b"xx",
    MULTI + record("DISCARD") + SET, MULTI + b"#x\r\n", MULTI + b"#x\r\n" + EXEC + SET, record("MULTI", "x") + EXEC,
    record("EXEC", "x"), MULTI + record("EXEC", "x")[:-5], MULTI + record("multi", "x")[:-5], record(b"MULTI\0x") + SET,
    record("MULTIPLE"), record("set", "MULTI", "EXEC"), b"REDIS", b"REDIS00", b"VALKEY",
    *(b"*" + b"0" * count + b"\r\n" for count in (16, 17, 123, 124, 125, 126, 127, 128, 300)),
    *(b"#" + b"a" * count + end + SET for count in range(1019, 1025) for end in (b"\n", b"\r\n", b"*0\r\n")),
]
TIMESTAMPS = ["50", "100", "150", "200", "250", "999", "0", "", " 150", "-5", "abc", "12x", "99999999999999999999"]
STAMPS = [b"#TS:\r\n", b"#TS:abc\r\n", b"#TS: 120\r\n", b"#TS:120", b"#TS:120\r", b"#TS:220\rx\n", b"#ts:220\r\n", b"#TS:220 \r\n",
          b"#TS:99999999999999999999\r\n", b"#TS:-1\r\n"]


def damaged(content, rng):
    """The content cut, changed, or with bytes put in or taken out."""
    at = rng.randrange(len(content))
    return rng.choice([
        lambda: content[:at],
        lambda: content[:at] + bytes([rng.randrange(256)]) + content[at + 1:],
        lambda: content[:at] + bytes([rng.choice(b"\r\n\0*$#019-")]) + content[at + 1:],
        lambda: content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1:],
        lambda: content[:at] + content[at + rng.randrange(1, 9):],
        lambda: content[:at] + content[max(0, at - rng.randrange(1, 40)):],
        lambda: content[:at] + bytes(rng.randrange(1, 600)),
    ])()


def manifest(*lines):
    return b"".join(line.encode() + b"\n" for line in lines)


BASE, INCR_1, INCR_2 = ("file a.1.base.aof seq 1 type b", "file a.1.incr.aof seq 1 type i", "file a.2.incr.aof seq 2 type i")
WHOLE_SET = {"a.1.base.aof": PLAIN, "a.1.incr.aof": TRANSACTION, "a.2.incr.aof": STAMPED,
             "a.manifest": manifest(BASE, INCR_1, INCR_2)}
MANIFESTS = [
    manifest(BASE), manifest(INCR_1, INCR_2), manifest(INCR_1, BASE), manifest("# x", BASE, "file gone seq 2 type h", INCR_1),
    manifest('file "a.1.incr.aof" seq 1 type i startoffset 0'), manifest("file gone seq 1 type b", INCR_1),
    manifest(BASE, "file gone seq 1 type i"), manifest(BASE, "file sub seq 1 type i"), manifest("file sub seq 1 type b"),
    manifest("file x seq 1 type h"), manifest(BASE)[:-1], manifest("file x seq 1 type x"), manifest("file x seq 0 type b"),
    manifest("file a/b seq 1 type b"), manifest(BASE, BASE), manifest(INCR_1, INCR_1), manifest(BASE, ""), manifest("file"),
    manifest("file x seq 1"), manifest("file x seq 1 type"), manifest("file"), manifest("file 'x seq 1 type b"), manifest("# only", "#"),
    manifest(BASE + " more " + "x" * 1000), manifest(BASE, "file\0x"),
]


def sets():
    yield WHOLE_SET
    for text in MANIFESTS:
        yield {**WHOLE_SET, "sub/x": b"", "a.manifest": text}
    for name in WHOLE_SET:
        if name != "a.manifest":
            for content in (b"", b"x", WHOLE_SET[name] + b"x", WHOLE_SET[name][:-3], WHOLE_SET[name] + MULTI, WHOLE_SET[name] + EXEC):
                yield {**WHOLE_SET, name: content}


def inputs():
    """(files, the one to name)"""
    for content in ODD:
        yield {"f.aof": content}, "f.aof"
    for content in (PLAIN, TRANSACTION, STAMPED):
        for end in range(len(content) + 1):
            yield {"f.aof": content[:end]}, "f.aof"
    rng = random.Random(1)
    for content in (PLAIN, TRANSACTION, STAMPED):
        for _ in range(100):
            yield {"f.aof": damaged(content, rng)}, "f.aof"
    for files in sets():
        yield files, "a.manifest"
    rdb = TESTDATA / "rdb/redis-7.0.15/dump.rdb"
    if rdb.exists():
        preamble = rdb.read_bytes()
        for tail in (b"", SET, SET[:-3], b"x", b"\0" * 50, MULTI, STAMPED):
            yield {"f.aof": preamble + tail}, "f.aof"
        for end in (8, 9, 100, len(preamble) // 2, len(preamble) - 3):
            yield {"f.aof": preamble[:end]}, "f.aof"
        for tail in (b"", SET, b"xx"):
            yield {"a.rdb": preamble + tail, "a.2.incr.aof": SET, "a.manifest": manifest("file a.rdb seq 1 type b", INCR_2)}, "a.manifest"


def jobs():
    """(files, arguments, standard input)"""
    for number, (files, name) in enumerate(inputs()):
        yield files, [name], b""
        if number % 3 == 0 or name == "a.manifest":
            yield files, ["--fix", name], b"y\n"
    broken = {"f.aof": PLAIN[:-3]}
    for answer in (b"", b"n\n", b"Yes\n", b"\n", b" y\n", b"y\n" * 1000):
        yield broken, ["--fix", "f.aof"], answer
    for time in TIMESTAMPS:
        yield {"f.aof": STAMPED}, ["--truncate-to-timestamp", time, "f.aof"], b""
        yield WHOLE_SET, ["--truncate-to-timestamp", time, "a.manifest"], b""
    for stamp in STAMPS:
        yield {"f.aof": SET + stamp + SET}, ["--truncate-to-timestamp", "150", "f.aof"], b""
    for content in (b"", SET + b"x" + STAMPED, STAMPED + b"x", SET + b"#TS:200\r\n", MULTI + SET):
        yield {"f.aof": content}, ["--truncate-to-timestamp", "150", "f.aof"], b""
    for words in ([], ["--fix"], ["gone"], ["--fix", "gone"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"], ["."], [""],
                  ["--FIX", "f.aof"], ["--fix", "--fix", "f.aof"], ["--truncate-to-timestamp", "1"]):
        yield {"f.aof": SET}, words, b""


def readable(content):
    """The content; nothing instead of RDB data that the peer does not know."""
    known = not content.startswith((b"REDIS", b"VALKEY")) or b"REDIS0000" < content[:9] <= b"REDIS0010"
    return content if known else b""


def found_jobs(folder, mutations):
    """The logs and manifests below a folder."""
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file() or not (".aof" in path.name or path.name.endswith(".base.rdb")):
            continue
        content = readable(path.read_bytes())
        files = {path.name: content}
        if path.name.endswith(".manifest"):
            files = {other.name: readable(other.read_bytes()) for other in path.parent.iterdir() if other.is_file()}
        yield files, [path.name], b""
        rng = random.Random(path.name + str(len(content)))
        for _ in range(mutations if content else 0):
            victim = rng.choice([name for name in files if files[name] and not name.endswith(".manifest")] or [path.name])
            yield {**files, victim: damaged(files[victim], rng)}, rng.choice([[], ["--fix"]]) + [path.name], b"y\n"


# --- What they answer --------------------------------------------------------------------------------------


def shown_byte(match):
    byte = match[2] or b"\0"
    return match[1] + (byte if b" " <= byte <= b"~" else b"\\x%02x" % byte[0]) + b"'"


def canonical(output, program):
    """The output without what differs on purpose."""
    # A byte that is no text: the original prints it as it is, and nothing behind a NUL.
    output = re.sub(rb"(?s)(Expected prefix '.', got: ')(?:([^\\])'|(?=\n))", shown_byte, output)
    # Behind the end of a torn line, the original prints what its buffer held before.
    output = re.sub(rb"(Expected \\r\\n, got: 00)..", rb"\1..", output)
    # The log of a server: date and process number, blank lines.
    output = re.sub(rb"(?m)^\d+:C \d+ \w+ \d+ [\d:.]+ # ", b"", output)
    if b"*** FATAL AOF MANIFEST" in output:
        output = re.sub(rb"\n+", b"\n", output)
    # What is wrong with RDB data: rdb-check has its own words and goes on behind damage.
    end = rb"(RDB preamble of AOF file is not sane, aborting|Terminating server after rdb file reading failure)\."
    output = re.sub(rb"(?s)\[offset 0\] Checking RDB file.*?" + end, b"RDB preamble is damaged", output)
    output = re.sub(rb"(?m)^\[info\] \d+ subexpires\n", b"", output)
    return output.replace(b"Usage: " + program.encode(), b"Usage: it")


class Bench:
    """One of the tools in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, files, arguments, answer):
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        done = subprocess.run([self.program, *arguments], cwd=self.folder, input=answer, capture_output=True, timeout=SECONDS_MAX)
        after = {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        return canonical(done.stdout, self.program), done.returncode, after


def compare(ours, theirs, job):
    """The complaint about a job, if there is one."""
    files, arguments, answer = job
    output, status, after = ours.run(*job)
    wanted, wanted_status, wanted_after = theirs.run(*job)
    lost = {name: after.pop(name) for name in list(after) if ".lost/" in name}
    complaints = []
    if output != wanted:
        complaints.append(f"ours:\n{output.decode(errors='backslashreplace')}peer:\n{wanted.decode(errors='backslashreplace')}")
    if status != wanted_status:
        complaints.append(f"exit status {status}, the peer's {wanted_status}")
    if after != wanted_after:
        complaints.append("the files are not the same afterwards")
    cut = {name: content for name, content in files.items() if after.get(name) != content}
    kept = {f"{name}.lost/{name}.{len(after[name])}": content[len(after[name]):] for name, content in cut.items()}
    if lost != kept:
        complaints.append(f"kept: {lost}")
    if not complaints:
        return None
    shown = {name: content if len(content) < 400 else f"{len(content)} bytes" for name, content in files.items()}
    return "\n".join([f"{arguments} {answer[:20]} {shown}", *complaints])


def main():
    parser = argparse.ArgumentParser(description="aof-check beside redis-check-aof.")
    parser.add_argument("--persist", required=True, help="the binary")
    parser.add_argument("--peer", default="redis-check-aof", help="the original")
    parser.add_argument("--mutations", type=int, default=4, help="of each file found in FOLDER")
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="with logs")
    arguments = parser.parse_args()
    if shutil.which(arguments.peer) is None:
        print(f"skipped: {arguments.peer} is not installed")
        return SKIPPED
    all_jobs = list(jobs())
    for folder in arguments.folders or [TESTDATA / "aof"]:
        all_jobs += found_jobs(folder, arguments.mutations)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="persist-peer-") as folder:
        program = Path(folder) / "aof-check"
        program.symlink_to(Path(arguments.persist).resolve())
        ours = Bench(str(program), Path(folder) / "ours")
        theirs = Bench(arguments.peer, Path(folder) / "theirs")
        for job in all_jobs:
            complaint = compare(ours, theirs, job)
            if complaint:
                failed += 1
                if failed <= COMPLAINTS_MAX:
                    print(f"FAILED {complaint}\n")
    print(f"{len(all_jobs)} compared, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C.UTF-8"
    sys.exit(main())
