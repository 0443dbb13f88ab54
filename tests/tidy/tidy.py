#!/usr/bin/env python3
"""The house rules, as a test.

Usage: tidy.py               checks every file git knows or would add; prints `file:line: rule` for each violation
       tidy.py --self-test   checks the rules: each must refuse the snippets that break it, and no others

The rules:
  floor         a source includes only from its own floor and those left of it (FLOORS_BELOW)
  tool-include  the tools include their own headers and "persist/...", nothing of the library's inside
  public-header public headers include the standard library and "persist/...", nothing else
  opening       every C++ file opens with a comment that says what it is
  macro-name    macros have names in UPPER_CASE (clang-tidy sees those of main files only)
  absolute-path no absolute path into somebody's home or workplace
  leftover      no note-to-self marker
  tab, trailing-space, long-line (C++ only)
  long-function, unbalanced      functions of at most MAX_FUNCTION_LINES lines, told apart by their braces
  using-namespace                none at namespace scope in a header
  long-file     files of the library and the tools have at most MAX_FILE_LINES lines
"""

import posixpath
import re
import subprocess
import sys
from pathlib import Path

MAX_COLUMNS = 110
MAX_FUNCTION_LINES = 80
MAX_FILE_LINES = 500

SRC = "libpersist/src/"
PUBLIC = "libpersist/include/"
TOOLS = "tools/"

# Which floors each floor may look at, besides itself and the public headers.
FLOORS_BELOW = {
    "base": [],
    "io": ["base"],
    "codec": ["base", "io"],
    "types": ["base", "io", "codec"],
    "rdb": ["base", "io", "codec", "types"],
    "text": ["base", "io", "codec", "types"],
    "aof": ["base", "io", "codec", "types", "rdb", "text"],
    "engine": ["base", "io", "codec", "types", "rdb", "text", "aof"],
    "ops": ["base", "io", "codec", "types", "rdb", "text", "aof", "engine"],
}

# Spelled in pieces, so that this file passes its own rules.
FOREIGN = "|".join(["home", "work", "root", "Users"])
ABSOLUTE_PATH = re.compile(r"(?:(?<![\w.$})\]/~-])|(?<=//))/(?:" + FOREIGN + r")\b(?!-)")
LEFTOVER = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?P<open>[<"])(?P<name>[^>"]+)[>"]')
MACRO = re.compile(r"^\s*#\s*define\s+(\w+)")
STANDARD_HEADER = re.compile(r"[a-z_0-9]+")  # no folder, no suffix


def is_cpp(path):
    return path.endswith((".cpp", ".hpp", ".def"))


def is_data(path):
    """Files whose bytes are the point: they may hold anything but somebody's paths."""
    if is_cpp(path) or path.endswith((".md", ".py", ".sh")):
        return False
    return path.startswith(("testdata/", "tests/cli/", "tests/fuzz/corpus/"))


# --- Rules of every text file ---------------------------------------------------------------------------


def check_text(path, lines):
    for number, line in enumerate(lines, 1):
        if ABSOLUTE_PATH.search(line) and not path.startswith("tests/fuzz/corpus/"):
            yield number, "absolute-path: name it relative to the repository"
        if is_data(path):
            continue
        if LEFTOVER.search(line):
            yield number, "leftover: finish it or file it"
        if "\t" in line:
            yield number, "tab: indent and separate with spaces"
        if line != line.rstrip():
            yield number, "trailing-space"
        if is_cpp(path) and len(line) > MAX_COLUMNS:
            yield number, f"long-line: {len(line)} columns, at most {MAX_COLUMNS}"


# --- Rules of C++ files ---------------------------------------------------------------------------------


def check_opening(path, lines):
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not re.match(r"\s*(//|/\*)\W*\w", line):
            yield number, "opening: begin with a comment that says what the file is"
        return
    yield 1, "opening: the file is empty"


def check_macro_names(path, lines):
    for number, line in enumerate(lines, 1):
        macro = MACRO.match(line)
        if macro and not macro[1].isupper():
            yield number, f"macro-name: {macro[1]} is not in UPPER_CASE"


def check_file_length(path, lines):
    if path.startswith((SRC, TOOLS)) and len(lines) > MAX_FILE_LINES:
        yield len(lines), f"long-file: {len(lines)} lines, at most {MAX_FILE_LINES}"


def resolve(path, name, files):
    """The project file an include means, as the compiler would find it; None for a stranger."""
    for folder in (posixpath.dirname(path), SRC, PUBLIC):
        candidate = posixpath.normpath(posixpath.join(folder, name))
        if candidate in files:
            return candidate
    return None


def check_includes(path, lines, files):
    if path.startswith(SRC):
        rule = floor_violation
    elif path.startswith(PUBLIC):
        rule = public_header_violation
    elif path.startswith(TOOLS):
        rule = tool_violation
    else:
        return
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if include:
            name = include["name"]
            message = rule(path, name, include["open"] == '"', resolve(path, name, files))
            if message:
                yield number, message


def floor_of(path):
    return path[len(SRC):].split("/")[0]


def floor_violation(path, name, quoted, target):
    if target is None:
        return f'floor: "{name}" is no file of the project' if quoted else None
    if target.startswith(PUBLIC):
        return None if quoted else f"floor: include {name} in quotes, it is ours"
    if not target.startswith(SRC):
        return f"floor: {name} lies outside the library"
    own, other = floor_of(path), floor_of(target)
    if own not in FLOORS_BELOW:
        return f"floor: {own} is no floor"
    if own != other and other not in FLOORS_BELOW[own]:
        return f"floor: {own} must not include from {other}"
    return None


def public_header_violation(path, name, quoted, target):
    if quoted:
        fine = name.startswith("persist/") and (target or "").startswith(PUBLIC)
    else:
        fine = STANDARD_HEADER.fullmatch(name)
    return None if fine else f"public-header: {name} is neither standard nor public"


def tool_violation(path, name, quoted, target):
    if target is None:
        return f'tool-include: "{name}" is neither public nor of the tools' if quoted else None
    if target.startswith(PUBLIC) and quoted or target.startswith(TOOLS):
        return None
    return f"tool-include: {name} is neither public nor of the tools"


# --- Structure, told by braces --------------------------------------------------------------------------

# What may hold a brace that is none. A number is here because of its digit separators.
LEXEME = re.compile(
    r"""(?P<raw>R"(?P<delimiter>[^\s()\\"]{0,16})\(.*?\)(?P=delimiter)")
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<number>(?<!\w)\d(?:'?[\w.])*)""",
    re.VERBOSE | re.DOTALL,
)
DIRECTIVE = re.compile(r"\s*#\s*(\w*)")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def bare_code(text):
    """The text with comments and directives blanked, literals emptied, and of each #if only the first branch;
    every line keeps its number."""

    def replace(match):
        if match["number"]:
            return match[0]
        if match["comment"]:
            return blank(match[0])
        return '""' + "\n" * match[0].count("\n")

    lines = LEXEME.sub(replace, text).split("\n")
    branches = []  # for each open #if: are we in its first branch?
    continued = False
    for index, line in enumerate(lines):
        directive = DIRECTIVE.match(line)
        if directive and not continued:
            word = directive[1]
            if word in ("if", "ifdef", "ifndef"):
                branches.append(True)
            elif word in ("else", "elif") and branches:
                branches[-1] = False
            elif word == "endif" and branches:
                branches.pop()
        in_directive = bool(directive) or continued
        continued = in_directive and line.rstrip().endswith("\\")
        if in_directive or not all(branches):
            lines[index] = ""
    return "\n".join(lines)


def outline(text):
    """The text without what stands in parentheses or in angle brackets; of parentheses "()" stays."""
    kept, parens, angles = [], 0, 0
    for char in text:
        if char == "(":
            parens += 1
            if parens == 1 and not angles:
                kept.append("()")
        elif char == ")":
            parens = max(0, parens - 1)
        elif parens:
            continue
        elif char == "<":
            angles += 1
        elif char == ">" and angles:
            angles -= 1
        elif not angles:
            kept.append(char)
    return "".join(kept)


def template_prefix_removed(head):
    while head.startswith("template"):
        depth = 0
        for index, char in enumerate(head):
            depth += (char == "<") - (char == ">")
            if char == ">" and depth == 0:
                head = head[index + 1:].lstrip()
                break
        else:
            return head
    return head


def kind_of_brace(head):
    """What a brace at namespace or class scope opens, by the code before it: scope, function or other."""
    head = re.sub(r"\[\[.*?\]\]", " ", head, flags=re.DOTALL).strip()
    head = re.sub(r"^(?:(?:public|protected|private)\s*:(?!:)\s*)+", "", head)
    head = template_prefix_removed(head)
    if re.match(r'(?:inline\s+)?namespace\b|extern\s*""\s*$', head):
        return "scope"
    if re.match(r"(?:typedef\s+)?enum\b", head):
        return "other"
    head = re.sub(r"\boperator\s*(?:\(\s*\)|[^\s\w(]+)", "operator_", head)
    head = outline(head)
    if re.match(r"(?:typedef\s+)?(?:class|struct|union)\b", head):
        # A record, unless it is a function that returns one.
        called = re.match(r"(?:class|struct|union)\s+[\w:]+[\s*&]+(?!final\b)[\w:]+\s*\(", head)
        return "function" if called else "scope"
    initialiser = re.search(r"=(.*)", head, re.DOTALL)
    if initialiser:
        return "function" if initialiser[1].lstrip().startswith("[") else "other"
    return "function" if "(" in head else "other"


def structure(text):
    """Yields (line, rule word, detail): ('function', length) and ('using', None) and ('unbalanced', None)."""
    code = bare_code(text)
    scopes = []  # lines at which the open namespaces and classes begin
    head, head_line, line = "", 0, 1
    parens = 0
    index = 0
    while index < len(code):
        char = code[index]
        if char == "\n":
            line += 1
        if char in "([":
            parens += 1
        elif char in ")]":
            parens = max(0, parens - 1)
        if char == "{" and not parens and kind_of_brace(head) == "scope":
            scopes.append(head_line or line)
            head, head_line = "", 0
        elif char == "{":
            end = matching_brace(code, index)
            if end is None:
                yield line, "unbalanced", None
                return
            end_line = line + code.count("\n", index, end)
            rest = code[end + 1:].lstrip()[:1]
            if not parens and kind_of_brace(head) == "function" and rest not in (",", "{"):
                yield head_line or line, "function", end_line - (head_line or line) + 1
                head, head_line = "", 0
            else:
                # An initialiser: a member's in a constructor, a variable's, a default argument's.
                head += "{}"
            index, line = end, end_line
        elif char == "}" and not parens:
            if not scopes:
                yield line, "unbalanced", None
                return
            scopes.pop()
            head, head_line = "", 0
        elif char == ";" and not parens:
            if re.match(r"\s*using\s+namespace\b", head):
                yield head_line, "using", None
            head, head_line = "", 0
        else:
            if not head_line and not char.isspace():
                head_line = line
            if head_line:
                head += char
            if re.fullmatch(r"(?:public|protected|private)\s*:", head):
                head, head_line = "", 0
        index += 1
    if scopes or parens:
        yield scopes[-1] if scopes else line, "unbalanced", None


def matching_brace(code, start):
    depth = 0
    for index in range(start, len(code)):
        depth += (code[index] == "{") - (code[index] == "}")
        if depth == 0:
            return index
    return None


def check_structure(path, text):
    for line, what, length in structure(text):
        if what == "function" and length > MAX_FUNCTION_LINES:
            yield line, f"long-function: {length} lines, at most {MAX_FUNCTION_LINES}"
        elif what == "using" and not path.endswith(".cpp"):
            yield line, "using-namespace: it reaches everyone who includes this header"
        elif what == "unbalanced":
            yield line, "unbalanced: the braces do not match, so functions cannot be measured"


# --- Everything together ----------------------------------------------------------------------------------


def check(path, text, files):
    """All violations in one file: (line, message). `files` are the paths of the whole project."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    found = list(check_text(path, lines))
    if is_cpp(path):
        found += check_opening(path, lines)
        found += check_macro_names(path, lines)
        found += check_file_length(path, lines)
        found += check_includes(path, lines, files)
        found += check_structure(path, text)
    return sorted(found)


def project_files(root):
    # The folder may belong to another user than the one who tests: git would refuse it.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout
    names = sorted({name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name})
    return [name for name in names if (root / name).is_file() and not (root / name).is_symlink()]


def read_text(path):
    """The file's text, or None if it is binary."""
    data = path.read_bytes()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def check_project(root):
    files = project_files(root)
    known = set(files)
    checked = violations = 0
    for name in files:
        text = read_text(root / name)
        if text is None and not is_cpp(name):
            continue
        checked += 1
        if text is None:
            found = [(1, "opening: not a text file")]
        else:
            found = check(name, text, known)
        for line, message in found:
            print(f"{name}:{line}: {message}")
        violations += len(found)
    print(f"{checked} files checked, {violations} violations")
    return checked > 0 and violations == 0


# --- Self-test ------------------------------------------------------------------------------------------

KNOWN = {
    "libpersist/include/persist/bytes.hpp",
    "libpersist/src/base/endian.hpp",
    "libpersist/src/io/cursor.hpp",
    "libpersist/src/types/hash.hpp",
    "libpersist/src/rdb/reader.hpp",
    "libpersist/src/text/json.hpp",
    "libpersist/src/ops/filter.hpp",
    "tools/persist/report.hpp",
    "tests/support/builders.hpp",
}

TOP = "// A snippet.\n"
LONG = "  step();\n" * 80

# (path, text, the violations expected: "line rule")
CASES = [
    # Includes.
    ("libpersist/src/io/a.cpp", TOP + '#include "base/endian.hpp"\n#include <re2/re2.h>\n', []),
    ("libpersist/src/io/a.cpp", TOP + '#include "cursor.hpp"\n#include "persist/bytes.hpp"\n', []),
    ("libpersist/src/io/a.cpp", TOP + '#include "types/hash.hpp"\n', ["2 floor"]),
    ("libpersist/src/io/a.cpp", TOP + "#include <types/hash.hpp>\n", ["2 floor"]),
    ("libpersist/src/io/a.cpp", TOP + '#include "../types/hash.hpp"\n', ["2 floor"]),
    ("libpersist/src/io/a.cpp", TOP + '#  include  "ops/filter.hpp"\n', ["2 floor"]),
    ("libpersist/src/io/a.cpp", TOP + "#include <persist/bytes.hpp>\n", ["2 floor"]),
    ("libpersist/src/io/a.cpp", TOP + '#include "absent.hpp"\n', ["2 floor"]),
    ("libpersist/src/io/a.cpp", TOP + '#include "../../../tests/support/builders.hpp"\n', ["2 floor"]),
    ("libpersist/src/util/a.cpp", TOP + '#include "base/endian.hpp"\n', ["2 floor"]),
    ("libpersist/src/rdb/a.cpp", TOP + '#include "text/json.hpp"\n', ["2 floor"]),
    ("libpersist/src/text/a.cpp", TOP + '#include "rdb/reader.hpp"\n', ["2 floor"]),
    ("libpersist/src/aof/a.cpp", TOP + '#include "rdb/reader.hpp"\n#include "text/json.hpp"\n', []),
    ("libpersist/src/ops/a.cpp", TOP + '#include "rdb/reader.hpp"\n#include "io/cursor.hpp"\n', []),
    ("libpersist/include/persist/a.hpp", TOP + '#include <cstdint>\n#include "persist/bytes.hpp"\n', []),
    ("libpersist/include/persist/a.hpp", TOP + "#include <fmt/format.h>\n", ["2 public-header"]),
    ("libpersist/include/persist/a.hpp", TOP + "#include <zstd.h>\n", ["2 public-header"]),
    ("libpersist/include/persist/a.hpp", TOP + '#include "bytes.hpp"\n', ["2 public-header"]),
    ("libpersist/include/persist/a.hpp", TOP + '#include "base/endian.hpp"\n', ["2 public-header"]),
    ("tools/persist/a.cpp", TOP + '#include "persist/bytes.hpp"\n#include "report.hpp"\n#include <CLI/CLI.hpp>\n', []),
    ("tools/persist/a.cpp", TOP + '#include "io/cursor.hpp"\n', ["2 tool-include"]),
    ("tools/persist/a.cpp", TOP + "#include <io/cursor.hpp>\n", ["2 tool-include"]),
    ("tools/persist/a.cpp", TOP + '#include "../../libpersist/src/io/cursor.hpp"\n', ["2 tool-include"]),
    # The opening comment.
    ("tests/io/a.cpp", "\n/* What it is. */\nint x;\n", []),
    ("tests/io/a.cpp", "int x;\n", ["1 opening"]),
    ("tests/io/a.cpp", "//\nint x;\n", ["1 opening"]),
    ("tests/io/a.hpp", "#pragma once\n// Too late.\n", ["1 opening"]),
    ("tests/io/a.cpp", "", ["1 opening"]),
    # Macros.
    ("tests/io/a.cpp", TOP + "#define A_2\n#  define B(x) x\n", []),
    ("tests/io/a.cpp", TOP + "#define kA\n#  define b(X) X\n", ["2 macro-name", "3 macro-name"]),
    # Text.
    ("README.md", "see /ho" + "me/me/notes\n", ["1 absolute-path"]),
    ("testdata/README.md", "from (/ro" + "ot/x)\n", ["1 absolute-path"]),
    ("tests/cli/a.stdout", "file:///Us" + "ers/me\n \n", ["1 absolute-path"]),
    ("README.md", "build/wo" + "rk, $dir/ro" + "ot, ${x}/ho" + "me, https://a.b/wo" + "rk, /wo" + "rkload\n", []),
    ("a.sh", "a\n# TO" + "DO later\n", ["2 leftover"]),
    ("a.sh", "# X" + "XX\nmktemp -d name.XXXXXX\n", ["1 leftover"]),
    ("a.py", "if x:\n\tpass\n", ["2 tab"]),
    ("a.py", "x = 1 \n", ["1 trailing-space"]),
    ("testdata/a.jsonl", "\t \n", []),
    ("tests/io/a.cpp", TOP + "//" + "x" * 108 + "\n//" + "x" * 109 + "\n", ["3 long-line"]),
    ("a.md", "x" * 300 + "\n", []),
    # Lengths.
    ("libpersist/src/io/a.cpp", TOP + "\n" * 499, []),
    ("libpersist/src/io/a.cpp", TOP + "\n" * 500, ["501 long-file"]),
    ("tests/io/a.cpp", TOP + "\n" * 500, []),
    ("tests/io/a.cpp", TOP + "void f() {\n" + LONG[:-20] + "}\n", []),
    ("tests/io/a.cpp", TOP + "void f() {\n" + LONG + "}\n", ["2 long-function"]),
    ("tests/io/a.cpp", TOP + "namespace a::b {\nnamespace {\n\nint f(X x = {}) {\n" + LONG + "}\n}\n}\n",
     ["5 long-function"]),
    ("tests/io/a.cpp", TOP + "class A final : public B<int()> {\n public:\n  A() : a_{1}, b_{2} {\n" + LONG + "  }\n};\n",
     ["4 long-function"]),
    ("tests/io/a.cpp", TOP + "template <class T>\nstruct A {\n  bool operator==(const A&) const {\n" + LONG + "  }\n};\n",
     ["4 long-function"]),
    ("tests/io/a.cpp", TOP + "template <class T>\nauto f(T t)\n    -> decltype(g(t)) {\n" + LONG + "}\n",
     ["2 long-function"]),
    ("tests/io/a.cpp", TOP + "struct A f(int a) {\n" + LONG + "}\n", ["2 long-function"]),
    ("tests/io/a.cpp", TOP + "constexpr auto kF = [](int x) {\n" + LONG + "};\n", ["2 long-function"]),
    ("tests/io/a.cpp", TOP + "class alignas(8) PERSIST_API A : B {\n  void f() {\n" + LONG + "  }\n};\n", ["3 long-function"]),
    ("tests/io/a.cpp", TOP + "struct A {\n  int a = f();\n  int b = 2;\n  A f(int x = a < b) {\n" + LONG + "  }\n};\n",
     ["5 long-function"]),
    ("tests/io/a.cpp", TOP + "A::A(int a)\n    : a_{a},\n      b_(a) {\n" + LONG + "}\n", ["2 long-function"]),
    ("tests/io/a.cpp", TOP + "bool operator<(const A& a, const A& b) {\n" + LONG + "}\n", ["2 long-function"]),
    ("tests/io/a.cpp", TOP + "template <class T>\n  requires(sizeof(T) > 2)\nint f(T) {\n" + LONG + "}\n",
     ["2 long-function"]),
    ("tests/io/a.cpp", TOP + 'extern "C" {\nint f() {\n' + LONG + "}\n}\n", ["3 long-function"]),
    ("tests/io/a.cpp", TOP + 'extern "C" int f() {\n' + LONG + "}\n", ["2 long-function"]),
    ("tests/io/a.cpp", TOP + 'TEST_CASE("a { b") {\n' + LONG + "}\n", ["2 long-function"]),
    ("tests/io/a.cpp", TOP + "const Row kRows[] = {\n" + "  {1, f(2)},\n" * 100 + "};\n", []),
    ("tests/io/a.cpp", TOP + "constexpr std::array<Row, size(x)> kRows{{\n" + "  {1, 2},\n" * 100 + "}};\n", []),
    ("tests/io/a.cpp", TOP + "enum class E : std::uint8_t {\n" + "  kA,\n" * 100 + "};\n", []),
    ("tests/io/a.cpp", TOP + "void f() {\n" + "  char c = '{'; auto n = 1'000; g(\"}\\\"{\"); // {\n" * 70 + "}\n", []),
    ("tests/io/a.cpp", TOP + 'auto s = R"x(\n{ " )" {\n)x";\nvoid f() {}\n', []),
    ("tests/io/a.cpp", TOP + "#ifdef A\nvoid f(int) {\n#else\nvoid f() {\n#endif\n}\n#define B {\n", []),
    ("tests/io/a.cpp", TOP + "void f() {\n", ["2 unbalanced"]),
    ("tests/io/a.cpp", TOP + "void f() {}\n}\n", ["3 unbalanced"]),
    ("tests/io/a.cpp", TOP + "namespace a {\n", ["2 unbalanced"]),
    # using namespace.
    ("tests/io/a.hpp", TOP + "using namespace std;\n", ["2 using-namespace"]),
    ("tests/io/a.hpp", TOP + "namespace a {\nint f();\nusing  namespace b::c;\n}\n", ["4 using-namespace"]),
    ("tests/io/a.hpp", TOP + "inline int f() {\n  using namespace b;\n  return c;\n}\n", []),
    ("tests/io/a.hpp", TOP + "// using namespace std;\n", []),
    ("tests/io/a.cpp", TOP + "using namespace std::literals;\n", []),
]


def self_test():
    failed = 0
    for path, text, expected in CASES:
        found = [f"{line} {message.split(':')[0]}" for line, message in check(path, text, KNOWN | {path})]
        if found != expected:
            failed += 1
            print(f"{path}: expected {expected}, found {found}, in:\n{text[:400]}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return failed == 0


def main(arguments):
    if arguments == ["--self-test"]:
        return 0 if self_test() else 1
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    return 0 if check_project(Path(__file__).resolve().parents[2]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
