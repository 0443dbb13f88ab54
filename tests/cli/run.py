#!/usr/bin/env python3
"""Golden tests of the command line, through the real binary.

Usage: run.py --persist PATH [--update] [NAME...]

A case is a file cases/NAME.txt, read line by line; every line's first two characters say what it is:

    # text     what the next command shows
    $ text     a command, run by sh; more lines of that kind belong to the same command
    > text     a line that it must print on standard output
    ! text     a line that it must print on standard error
    = number   its exit status; 0 if there is no such line

The last line of an output may lack its newline: then a line `>\\` or `!\\` follows. Bytes that are not UTF-8 stand there
as \\xNN. All commands of a file run one after another in one temporary folder of their own, in which `testdata` is this
project's; persist, rdb-check and aof-check are on PATH. `--update` writes down what the commands do instead of judging it:
read the difference before you believe it.

Besides the cases: every testdata/rdb/**/X.rdb must pass `check` and, where X.jsonl lies beside it, must be dumped to just
that; every file and every append directory in testdata/damaged/FINDING/ must be found to have that finding first; and the
commands of README.md under a line <!-- tested --> must do what they say, at least with exit status 0. Those of a block run
in one folder, with a `dump.rdb`; under <!-- tested on NAME --> it also holds the append directory testdata/NAME, as
`copy/appendonlydir`, or the `dump.rdb` is testdata/NAME, if that is a file.
"""

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TESTDATA = ROOT / "testdata"
NAMES = ("persist", "rdb-check", "aof-check")
SECONDS_MAX = 120


class Workplace:
    """A temporary folder with the binary on PATH and the test data in reach."""

    def __init__(self, persist):
        self.persist = Path(persist).resolve()

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="persist-cli-"))
        programs = self.folder / "bin"
        programs.mkdir()
        for name in NAMES:
            (programs / name).symlink_to(self.persist)
        self.room = self.folder / "room"
        self.room.mkdir()
        (self.room / "testdata").symlink_to(TESTDATA)
        self.environment = {
            "PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        # Of a sanitizer build: what makes it speak up.
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = value
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def run(self, command):
        """(standard output, standard error, exit status) of a shell command."""
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.room, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS_MAX)
        return done.stdout, done.stderr, done.returncode


# --- Cases ------------------------------------------------------------------------------------------------


class Step:
    def __init__(self, comments):
        self.comments = comments
        self.command = []
        self.expected = {">": [], "!": [], "=": []}


def parse(path):
    """The steps of a case and the comments behind the last of them."""
    steps, comments = [], []
    step = None
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        mark, text = line[:1], line[2:]
        if mark in ("", "#"):
            comments.append(line)
            step = None
        elif line[1:2] not in ("", " ") and line not in (">\\", "!\\"):
            raise ValueError(f"{path.name}:{number}: a blank must follow the mark: {line}")
        elif mark == "$":
            if step is None or any(step.expected.values()):
                step = Step(comments)
                steps.append(step)
                comments = []
            step.command.append(text)
        elif mark in ">!=" and step is not None:
            step.expected[mark].append(line)
        else:
            raise ValueError(f"{path.name}:{number}: not a line of a case: {line}")
    while comments and comments[-1] == "":
        comments.pop()
    return steps, comments


def marked_lines(mark, output):
    text = output.decode("utf-8", "backslashreplace")
    lines = text.split("\n")
    last = lines.pop()
    marked = [f"{mark} {line}" if line else mark for line in lines]
    if last:
        marked += [f"{mark} {last}", f"{mark}\\"]
    return marked


def outcome(place, step):
    output, errors, status = place.run("\n".join(step.command))
    return {
        ">": marked_lines(">", output),
        "!": marked_lines("!", errors),
        "=": [f"= {status}"] if status != 0 else [],
    }


def written(step, lines):
    return step.comments + [f"$ {line}" for line in step.command] + lines[">"] + lines["!"] + lines["="]


def difference(step, found):
    wanted, got = (written(step, lines) for lines in (step.expected, found))
    return list(difflib.unified_diff(wanted, got, "expected", "found", lineterm="", n=len(step.command) + 2))[2:]


def run_case(place, path, update):
    """The complaints about one case."""
    steps, trailer = parse(path)
    complaints, text = [], []
    for step in steps:
        found = outcome(place, step)
        text += written(step, found)
        if found != step.expected:
            complaints.append("\n".join(difference(step, found)))
    if update:
        path.write_text("\n".join(text + trailer) + "\n", encoding="utf-8")
        return []
    return complaints


# --- The test data ----------------------------------------------------------------------------------------


def check_sound(place, path):
    name = path.relative_to(ROOT)
    output, errors, status = place.run(f"persist check '{name}'")
    if status != 0 or errors or not output.startswith(f"{name}: ok: ".encode()):
        yield f"check: exit status {status}\n{output.decode()}{errors.decode()}"
    expected = path.with_suffix(".jsonl")
    if not expected.exists():
        return
    output, errors, status = place.run(f"persist dump '{name}'")
    if status != 0 or errors:
        yield f"dump: exit status {status}\n{errors.decode()}"
    lines, wanted = output.split(b"\n"), expected.read_bytes().split(b"\n")
    for number, (line, want) in enumerate(zip(lines, wanted), 1):
        if line != want:
            yield f"dump: line {number} is\n{line[:2000]}\nand should be\n{want[:2000]}"
            return
    if len(lines) != len(wanted):
        yield f"dump: {len(lines)} lines instead of {len(wanted)}"


def check_damaged(place, path):
    name = path.relative_to(ROOT)
    output, errors, status = place.run(f"persist check --json '{name}'")
    findings = json.loads(output)["findings"]
    if errors or not findings or findings[0]["code"] != path.parent.name:
        codes = [finding["code"] for finding in findings]
        yield f"the first finding should be {path.parent.name}: {codes}\n{errors.decode()}"
    wanted = (1, 3) if any(finding["severity"] == "error" for finding in findings) else (0,)
    if status not in wanted:
        yield f"exit status {status}"


# --- README.md --------------------------------------------------------------------------------------------

TESTED = re.compile(r"^<!-- tested(?: on (\S+))? -->\n+```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def readme_blocks(text):
    """(what it is tested on, commands) of each marked block: with a prompt `$ ` if it has any, else every line."""
    for name, block in TESTED.findall(text):
        lines = [line for line in block.replace("\\\n", " ").split("\n") if line.strip()]
        prompted = [line[2:] for line in lines if line.startswith("$ ")]
        yield name, prompted or [line for line in lines if not line.startswith("#")]


def check_readme(place, name, commands):
    is_file = name.endswith(".rdb")
    shutil.copyfile(TESTDATA / (name if is_file else "rdb/demo.rdb"), place.room / "dump.rdb")
    if name and not is_file:
        shutil.copytree(TESTDATA / name, place.room / "copy/appendonlydir")
    for command in commands:
        output, errors, status = place.run(command)
        if status != 0:
            yield f"{command}\nexit status {status}\n{output.decode()}{errors.decode()}"


# --- Everything together ----------------------------------------------------------------------------------


class Tally:
    def __init__(self, persist):
        self.persist = persist
        self.passed = self.failed = 0

    def test(self, name, test, *arguments):
        with Workplace(self.persist) as place:
            try:
                complaints = list(test(place, *arguments))
            except (ValueError, OSError, subprocess.TimeoutExpired) as error:
                complaints = [str(error)]
        if complaints:
            self.failed += 1
            print(f"FAILED {name}\n" + "\n".join(complaints))
        else:
            self.passed += 1


def main():
    parser = argparse.ArgumentParser(description="Golden tests of the command line.")
    parser.add_argument("--persist", required=True, help="the binary")
    parser.add_argument("--update", action="store_true", help="write down what the commands of the cases do")
    parser.add_argument("names", nargs="*", help="these cases only")
    arguments = parser.parse_intermixed_args()
    tally = Tally(arguments.persist)
    cases = sorted((HERE / "cases").glob("*.txt"))
    if arguments.names:
        cases = [path for path in cases if path.stem in arguments.names]
        if len(cases) != len(set(arguments.names)):
            parser.error("there is no such case")
    for path in cases:
        tally.test(path.stem, run_case, path, arguments.update)
    if not arguments.names and not arguments.update:
        for path in sorted((TESTDATA / "rdb").rglob("*.rdb")):
            tally.test(path.relative_to(ROOT), check_sound, path)
        for path in sorted((TESTDATA / "damaged").glob("*/*")):
            tally.test(path.relative_to(ROOT), check_damaged, path)
        readme = ROOT / "README.md"
        if readme.exists():
            for name, commands in readme_blocks(readme.read_text(encoding="utf-8")):
                tally.test(f"README.md: {commands[0]}", check_readme, name, commands)
        else:
            print("skipped README.md: it does not exist")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 0 if tally.failed == 0 and tally.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
