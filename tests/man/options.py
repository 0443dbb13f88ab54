#!/usr/bin/env python3
"""Holds the man page of every verb against its --help: the same options in both, and a page for every verb.

Usage: options.py PERSIST
"""

import re
import subprocess
import sys
from pathlib import Path

MAN = Path(__file__).resolve().parents[2] / "man"
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def text_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def verbs_of(help_text):
    """The lines of the list of verbs: two blanks, a word, two blanks or more, what it does."""
    return set(re.findall(r"^  ([a-z][a-z-]*) {2,}\S", help_text, re.MULTILINE))


def options_in_help(help_text):
    """Each option begins a line of the list: `  -o,--output FILE  write to FILE`."""
    heads = re.findall(r"^ {1,4}(--?[a-z][^\s]*)", help_text, re.MULTILINE)
    return {option for head in heads for option in OPTION.findall(head)}


def options_in_page(page_text):
    """Each option stands in a tag, which is the line behind .TP or .TQ."""
    tags = re.findall(r"^\.T[PQ].*\n(.*)$", page_text, re.MULTILINE)
    tags = [re.sub(r"\\f[BIPR]", "", tag).replace("\\-", "-") for tag in tags]
    return {option for tag in tags for option in OPTION.findall(tag)}


class Tally:
    passed = 0
    failed = 0

    def hold(self, condition, message):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(message)


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    persist = arguments[0]
    tally = Tally()
    pages = {page.stem.removeprefix("persist-"): page for page in MAN.glob("persist-*.1")}
    verbs = verbs_of(text_of(persist, "--help"))
    tally.hold(verbs, f"{persist} --help lists no verbs")
    for verb in sorted(verbs | pages.keys()):
        tally.hold(verb in pages, f"{verb}: man/persist-{verb}.1 is missing")
        tally.hold(verb in verbs, f"{verb}: there is a page, but persist --help does not list the verb")
        if verb not in pages or verb not in verbs:
            continue
        helped = options_in_help(text_of(persist, verb, "--help"))
        paged = options_in_page(pages[verb].read_text(encoding="utf-8"))
        tally.hold(helped, f"{verb}: --help tells no options")
        for option in sorted(helped | paged):
            tally.hold(option in paged, f"{verb}: man/persist-{verb}.1 does not have {option}")
            tally.hold(option in helped, f"{verb}: the page has {option}, --help does not")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
