#!/usr/bin/env python3
"""The page of `persist stat --html`, in a browser: what it shows, and that keys can do nothing to it.

Usage: run.py --persist PATH [--chromium PATH] [--shots FOLDER]

Pages come from the tool, of an RDB file with hostile keys, an empty one and a log. What such small inputs cannot have
(60,000 prefixes, modules, a log over days) is put into the page the tool wrote in the place of its data. One browser
renders them all; it is driven through its debugging pipe. Exit status 77 if there is no browser, behind what needs none.
With --shots, whole pages are left in that folder as images.
"""

import argparse
import base64
import fcntl
import json
import os
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
SKIPPED = 77
SECONDS_MAX = 60
DATA = re.compile(r'(<script type="application/json" id="data">)(.*?)(</script>)', re.DOTALL)

# Addresses, but for the name of SVG, and what makes markup or code of text.
FORBIDDEN = re.compile(r"https?://(?!www\.w3\.org/2000/svg)[^\s\"']*"
                       r"|\b(?:innerHTML|outerHTML|insertAdjacentHTML|eval|Function|document\.write)\b")

# --- Datasets ----------------------------------------------------------------------------------------------

MARKUP = '<img src=x onerror="document.body.dataset.hacked=1">'
HOSTILE = [
    "</script>" + MARKUP,
    "<!--<script>" + MARKUP,
    "]]>&lt;b&gt;&amp;" + MARKUP + ":a",
    "user:" + MARKUP + ":1",
    "\u202eright-to-left:" + MARKUP,
    "nul:\0:\x1b[31m\x7f:\u2028:\u2029:\ufeff",
    "\u05e9\u05dc\u05d5\u05dd:\u0645\u0631\u062d\u0628\u0627",
    "long:" + "n" * 1019,
    "__proto__:constructor:toString",
    "%TITLE%:%DATA%:${alert(1)}:$&:\\u003c",
    "a" + ":" * 300,
    "emoji:\U0001f600\U0001f468\u200d\U0001f469",
    "",
]
HOSTILE_BYTES = [b"\xff\xfe<script>\x00", b"bin:\xc3\x28:</script>"]


def json_lines():
    def line(key, value="v"):
        return json.dumps({"db": 0, "key": key, "type": "string", "value": value})

    lines = [line(key, "v" * (20 + 3 * at)) for at, key in enumerate(HOSTILE)]
    lines += [line({"$base64": base64.b64encode(key).decode()}) for key in HOSTILE_BYTES]
    return "".join(text + "\n" for text in lines)


def counted(keys, each, elements=1):
    memory = int(keys * each * 1.7) + 50 * keys
    return {"keys": keys, "elements": keys * elements, "bytes": keys * each, "memory": memory}


FIELDS = ("keys", "elements", "bytes", "memory")


def total_of(parts):
    return {field: sum(part[field] for part in parts) for field in FIELDS}


def node(token, children=None, count=None, persistent=0.5, **more):
    count = count or total_of(children)
    made = {"token": token, "any": False, **count, **more}
    made["persistent"] = sum(c["persistent"] for c in children) if children else int(count["keys"] * persistent)
    if children:
        made["children"] = sorted(children, key=lambda child: -child["bytes"])
    return made


def rich_tree(rng):
    def leaf(token, keys, each, persistent=0.5, elements=1, **more):
        return node(token, count=counted(keys, each, elements), persistent=persistent, **more)

    def shards(token, shards_count, keys, each, persistent):
        return node(token, [leaf(f"{at:02d}:", int(keys * rng.uniform(0.3, 2)), each, persistent) for at in range(shards_count)])

    return node("", [
        node("session:", [shards("web:", 24, 31000, 310, 0.0), shards("mobile:", 16, 22000, 240, 0.02),
                          leaf("api:", 190000, 180, 0)]),
        node("user:", [node("", [leaf("profile", 410000, 420, 1, 14), leaf("settings", 402000, 96, 1, 5),
                                 leaf("friends", 180000, 540, 1, 60)], any=True),
                       leaf("index:", 9000, 1900, 1, 120)]),
        node("cache:", [node("html:", [leaf(f"{name}:", rng.randrange(4000, 60000), 900, 0.01)
                                       for name in ("home", "search", "product", "category", "help", "account", "news")]),
                        leaf("json:", 240000, 330, 0.05), leaf("img:", 3000, 20000, 0.3)]),
        node("feed:", [leaf(f"{name}:", rng.randrange(9000, 90000), 700, 0.8, 40)
                       for name in ("de", "en", "fr", "es", "pl", "it")]),
        node("queue:", [leaf("mail", 1, 48_000_000, 1, 380000), leaf("thumbs", 1, 9_000_000, 1, 90000),
                        leaf("dead-", 40, 90000, 1, 700)]),
        leaf("lock:", 15000, 60, 0), leaf("rate:", 260000, 70, 0), leaf("geo:", 60, 900000, 1, 21000),
        node("metrics:", [node(f"2026-11-{day:02d}:", [leaf("", rng.randrange(300, 1500), 800, 0.9, 24, any=True)])
                          for day in range(1, 22)]),
        leaf("stream:", 12, 3_000_000, 1, 52000), leaf("flags:", 140, 100, 1), leaf("legacy_", 51000, 150, 1),
    ])


def big_keys(by, rng):
    names = ["queue:mail", "stream:orders", "geo:berlin", "queue:thumbs", "user:1:friends", "stream:clicks",
             {"$base64": "/wBiaW46AAE="}, "cache:img:" + "0123456789abcdef" * 40,
             "feed:de:\u202e\u05d0", "metrics:2026-11-03:cpu"]
    rows = []
    for at, key in enumerate(names * 2):
        kind, encoding = (("list", "quicklist2"), ("stream", "stream3"), ("zset", "zset2"), ("hash", "listpack"))[at % 4]
        rows.append({"db": at % 3, "key": key, "type": kind, "encoding": encoding, "bytes": rng.randrange(10**5, 48 * 10**6),
                     "elements": rng.randrange(1, 400000), "memory": rng.randrange(2 * 10**5, 80 * 10**6),
                     "largest_element": rng.randrange(10, 2 * 10**6)})
        if at % 3 == 0:
            rows[-1]["expire_at_ms"] = 1795213737154 + at * 10**9
        if at == 7:
            rows[-1]["key_bytes"] = 70000
    return sorted(rows, key=lambda row: -row[by])


def portions(total, shares):
    return [{field: int(total[field] * share) for field in FIELDS} for share in shares]


def rich():
    rng = random.Random(7)
    tree = rich_tree(rng)
    total = {field: tree[field] for field in FIELDS}
    top = {by: big_keys(by, rng) for by in ("bytes", "memory", "elements", "largest_element")}
    spread = {"p50": 12, "p90": 60, "p99": 900, "p999": 48000, "max": 380000}
    kinds = ["hash", "string", "zset", "list", "set", "stream"]
    shares = [.42, .31, .12, .08, .05, .02]
    encodings = ["hash-listpack", "hash", "string", "zset-listpack", "zset2", "list-quicklist2", "set-intset", "stream3"]
    bins = [60, 600, 3600, 21600, 86400, 604800, 2592000, 7776000, 31536000]
    ttl_shares = [.01, .02, .04, .06, .13, .12, .05, .02, .01, .005]
    volatile = [{**({"below_s": bins[at]} if at < len(bins) else {}), **part}
                for at, part in enumerate(portions(total, ttl_shares))]
    size_shares = [.01, .05, .16, .24, .22, .13, .08, .05, .02, .01, .005, .002, .001]
    idle = [{**({"below_s": below} if below else {}), **part} for below, part in
            zip([60, 3600, 86400, 604800, 2592000, 31536000, None], portions(total, [.1, .2, .3, .2, .1, .08, .02]))]
    return {
        "path": "prod/eu-west-1/redis-cache-07/dump.rdb", "kind": "rdb", "status": "ok", "inputs": 1, "file_bytes": 1_204_731_904,
        "writers": ["redis-7.2"], "as_of_ms": 1795213737154, "complete": True, "errors": 0, "total": total,
        "estimate": {"target": "redis-7.2", "allocator": "jemalloc", "keys": total["memory"], "tables": 67_109_888,
                     "total": total["memory"] + 67_109_888},
        "types": [{"type": kind, **part, "elements_per_key": spread, "largest_element": top["largest_element"][at]}
                  for at, (kind, part) in enumerate(zip(kinds, portions(total, shares)))],
        "encodings": [{"encoding": name, "type": name.split("-")[0], **part}
                      for name, part in zip(encodings, portions(total, [.4, .02, .31, .08, .04, .08, .05, .02]))],
        "dbs": [{"db": db, "volatile": part["keys"] // 3, **part}
                for db, part in zip((0, 1, 15), portions(total, [.9, .08, .01]))],
        "other_dbs": {"volatile": 0, **portions(total, [.01])[0]},
        "expiry": {"as_of_ms": 1795213737154, "persistent": portions(total, [.51])[0], "expired": portions(total, [.025])[0],
                   "volatile": volatile, "volatile_fields": 1200, "expired_fields": 17},
        "idle": idle,
        "freq": [{"freq": at, **part} for at, part in enumerate(portions(total, [1 / (9 + at * at) for at in range(60)]))],
        "sizes": [{"below": 32 << at, **part} for at, part in enumerate(portions(total, size_shares))],
        "key_bytes": {"p50": 210, "p90": 640, "p99": 2300, "p999": 19000, "max": 48_000_000}, "top": top,
        "prefixes": {"separators": ":;,_-+@=|#", "coarsened": False, "tree": tree},
        "functions": [{"engine": "LUA", "name": "ratelimit"}],
        "modules": [{"module": "ReJSON-RL", "records": 1, **counted(300, 2000)}],
    }


def log_of_days():
    report = rich()
    names = ["hset", "set", "expire", "zadd", "lpush", "del", "xadd", "incr", "pexpireat", "sadd",
             "rpop", "unlink", "multi", "exec"]
    by_name = [{"name": name, "commands": 900000 // (at + 1), "bytes": 81_000_000 // (at + 1) ** 2, "largest": 90000 // (at + 1)}
               for at, name in enumerate(names)]
    rng = random.Random(3)
    line = [int(9000 + 6000 * (at % 48 > 18) + rng.randrange(2500)) for at in range(300)]
    command_bytes = sum(row["bytes"] for row in by_name)
    report.update({"path": "prod/appendonlydir", "kind": "append-dir", "status": "damaged", "errors": 2, "complete": False})
    report["log"] = {
        "commands": sum(row["commands"] for row in by_name), "bytes": command_bytes, "transactions": 1234, "flushes": 1,
        "by_name": by_name,
        "by_db": [{"db": db, "commands": 50000, "bytes": command_bytes // (db + 2), "largest": 90000} for db in (0, 1)],
        "command_bytes_each": {"p50": 61, "p90": 140, "p99": 900, "p999": 8000, "max": 90000},
        "rdb_bytes": 700_000_000, "command_bytes": command_bytes, "live_bytes": 520_000_000, "dead_bytes": 310_000_000,
        "first_time_s": 1794672000, "last_time_s": 1795212000, "per_second": 41.3,
        "times": {"seconds_each": 1800, "first_s": 1794672000, "commands": line},
    }
    return report


def many_prefixes():
    """60,000 nodes: wide, deep, and a chain of 300."""
    rng = random.Random(5)
    wide = [node(f"w{at}:", count=counted(1 + at % 7, 40)) for at in range(30000)]
    groups = [node(f"g{at}:", [node(f"{below}:", count=counted(rng.randrange(1, 90), 60)) for below in range(99)])
              for at in range(290)]
    chain = node("end", count=counted(90000, 30))
    for _ in range(300):
        chain = node("down:", [chain])
    report = rich()
    report["prefixes"]["tree"] = node("", [node("wide:", wide), chain] + groups)
    return report


# --- A browser ---------------------------------------------------------------------------------------------


class Browser:
    """Chromium behind its debugging pipe: messages of JSON that end with NUL."""

    FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--hide-scrollbars",
             "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-breakpad", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND"]

    def __init__(self, program, profile):
        to_read, self.to = self.pipe()
        self.back, to_write = self.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        moves = [(null, 0), (null, 1), (null, 2), (to_read, 3), (to_write, 4)]
        self.process = os.posix_spawn(
            program, [program, *self.FLAGS, f"--user-data-dir={profile}", "about:blank"], {**os.environ, "HOME": profile},
            file_actions=[(os.POSIX_SPAWN_DUP2, here, there) for here, there in moves], setpgroup=0)
        for used in (null, to_read, to_write):
            os.close(used)
        self.deadline = time.monotonic() + SECONDS_MAX
        self.rest, self.last, self.session = b"", 0, None
        self.events = []
        try:
            self.attach()
        except BaseException:
            self.close()
            raise

    def attach(self):
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(target for target in targets if target["type"] == "page")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")

    @staticmethod
    def pipe():
        """Both ends above the numbers the browser's own take."""
        ends = os.pipe()
        above = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
        for end in ends:
            os.close(end)
        return above

    def message(self):
        while b"\0" not in self.rest:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                raise TimeoutError(f"the browser was silent for too long, {SECONDS_MAX} s in all")
            more = os.read(self.back, 1 << 20)
            if not more:
                raise EOFError("the browser has gone")
            self.rest += more
        first, self.rest = self.rest.split(b"\0", 1)
        return json.loads(first)

    def call(self, method, **parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.message()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width=1200, height=800, scheme="light", fragment=""):
        """Loads a page; returns the seconds it took."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url="about:blank")
        self.events = []
        began = time.monotonic()
        self.call("Page.navigate", url=path.as_uri() + fragment)
        while not self.run("location.protocol === 'file:' && document.readyState === 'complete'"):
            time.sleep(0.02)
        return time.monotonic() - began

    def run(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def shot(self, scale=0.25, whole=False):
        frame = self.call("Page.getLayoutMetrics")["cssContentSize" if whole else "cssVisualViewport"]
        width, height = (frame.get("width") or frame["clientWidth"]), (frame.get("height") or frame["clientHeight"])
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole,
                          clip={"x": 0, "y": 0, "width": width, "height": height, "scale": scale})
        return base64.b64decode(image["data"])

    def requests(self):
        """What was asked of the network, the page itself and data: aside."""
        asked = [event["params"]["request"]["url"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith(("file:", "data:", "about:"))] + asked[1:]

    def complaints(self):
        return [event["params"] for event in self.events
                if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")]

    def close(self):
        for end in (self.to, self.back):
            os.close(end)
        try:
            os.killpg(self.process, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.process, 0)


def pixels(png):
    """The rows of a PNG of 8 bits a channel, as lists of (red, green, blue)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    assert depth == 8 and colour in (2, 6)
    step = 3 if colour == 2 else 4
    raw, stride = zlib.decompress(packed), width * step
    rows, above = [], bytearray(stride)
    for y in range(height):
        begin = y * (stride + 1)
        line = bytearray(raw[begin + 1:begin + 1 + stride])
        unfilter(raw[begin], line, above, step)
        rows.append([tuple(line[x:x + 3]) for x in range(0, stride, step)])
        above = line
    return rows


def unfilter(kind, line, above, step):
    for i in range(len(line)) if kind else ():
        left, corner = (line[i - step], above[i - step]) if i >= step else (0, 0)
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[i]
        elif kind == 3:
            guess = (left + above[i]) // 2
        else:
            base = left + above[i] - corner
            guess = min((left, above[i], corner), key=lambda near: abs(base - near))
        line[i] = (line[i] + guess) & 255


# --- The checks --------------------------------------------------------------------------------------------


class Tally:
    passed = 0
    failed = 0

    def hold(self, condition, message):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED: " + str(message))

    def same(self, found, expected, what):
        self.hold(found == expected, f"{what}: {found!r}, not {expected!r}")


class Pages:
    def __init__(self, persist, folder):
        self.persist, self.folder = persist, folder

    def tool(self, *arguments):
        done = subprocess.run([self.persist, *map(str, arguments)], capture_output=True, timeout=SECONDS_MAX, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def of_keys(self, name, *selection):
        lines, rdb = self.folder / "keys.jsonl", self.folder / f"{name} <img src=x onerror=alert(1)>.rdb"
        lines.write_text(json_lines())
        self.tool("convert", lines, "-o", rdb, "--to", "rdb", *selection)
        return self.of_path(name, rdb)

    def of_path(self, name, path):
        page = self.folder / f"{name}.html"
        self.tool("stat", "--top", "20", "--html", page, path)
        return page, json.loads(self.tool("stat", "--top", "20", "--json", path))

    def with_data(self, name, page, report):
        """The same page with other data."""
        data = json.dumps(report).replace("<", "\\u003c")
        path = self.folder / f"{name}.html"
        path.write_text(DATA.sub(lambda match: match[1] + data + match[3], page.read_text(), count=1))
        return path


def timeless(report):
    """Without the moment at which the tool ran."""
    report = dict(report, as_of_ms=0)
    if "expiry" in report:
        report["expiry"] = dict(report["expiry"], as_of_ms=0)
    return report


def check_text(tally, name, page, report):
    """What can be said of a page without a browser."""
    text = page.read_text()
    found = DATA.findall(text)
    tally.same(len(found), 1, f"{name}: elements of data")
    tally.hold(not re.search("[<>&\u2028\u2029]", found[0][1]), f"{name}: the data holds what is not JSON alone")
    tally.same(timeless(json.loads(found[0][1])), timeless(report), f"{name}: the data")
    tally.same(text.count("<script"), 3, f"{name}: scripts")
    tally.hold("default-src 'none'" in text.split("<title>")[0], f"{name}: no policy before the first content")
    frame = DATA.sub("", text)
    tally.same(FORBIDDEN.findall(frame), [], f"{name}: addresses and markup made from text")
    tally.hold(len(frame.encode()) < 40 * 1024, f"{name}: the page takes {len(frame.encode())} bytes without its data")


SEEN = """(() => {
  const rows = name => document.querySelectorAll(`table[data-name="${name}"] tbody tr`).length;
  return {
    ready: document.documentElement.dataset.ready, errors: document.documentElement.dataset.errors,
    hacked: document.body.dataset.hacked || null,
    strangers: document.querySelectorAll('img, iframe, object, b b, svg script').length,
    scripts: document.scripts.length, cells: document.querySelectorAll('#treemap [data-cell]').length,
    rows: Object.fromEntries([...document.querySelectorAll('table[data-name]')].map(t => [t.dataset.name, rows(t.dataset.name)])),
    overflow: document.documentElement.scrollWidth - innerWidth, theme: document.documentElement.dataset.theme,
    sections: [...document.querySelectorAll('main section')].map(element => element.id), text: document.body.innerText,
    ids: [...document.querySelectorAll('[id]')].length - new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size,
    unnamed: [...document.querySelectorAll('svg, table, button, input')].filter(e => !(e.getAttribute('aria-label') || e.innerText
      || e.textContent || (e.labels && e.labels.length))).length,
  };
})()"""


def look(tally, browser, name, page, **options):
    took = browser.open(page, **options)
    seen = browser.run(SEEN)
    tally.same((seen["ready"], seen["errors"]), ("1", ""), f"{name}: ready, errors")
    tally.same((seen["hacked"], seen["strangers"], seen["scripts"]), (None, 0, 3), f"{name}: markup out of keys")
    tally.same((seen["ids"], seen["unnamed"]), (0, 0), f"{name}: ids twice, elements without a name")
    tally.hold(seen["overflow"] <= 0, f"{name}: {seen['overflow']} pixels too wide")
    tally.same((browser.requests(), browser.complaints()), ([], []), f"{name}: requests, complaints")
    tally.hold(took < 5, f"{name}: {took:.1f} s until it stood")
    return seen


def check_rich(tally, browser, page, report):
    seen = look(tally, browser, "rich", page)
    expected = {"types": 6, "elements": 6, "encodings": 8, "dbs": 4, "ttl": 12, "idle": 7, "top-memory": 20, "prefixes": 12,
                "functions": 1, "modules": 1}
    tally.same({name: seen["rows"].get(name) for name in expected}, expected, "rich: rows")
    tally.hold(seen["cells"] > 60, f"rich: {seen['cells']} cells")
    keys = browser.run("document.querySelector('table[data-name=prefixes] tbody td').textContent")
    largest = max(report["prefixes"]["tree"]["children"], key=lambda child: child["memory"])
    tally.same(keys, f"{largest['keys']:,}", "rich: keys of the first prefix")

    # By keys and back, into a prefix and out of it.
    browser.run("document.querySelector('input[value=keys]').click()")
    first = browser.run("document.querySelector('table[data-name=prefixes] tbody th').textContent")
    most = max(report["prefixes"]["tree"]["children"], key=lambda child: child["keys"])
    tally.same(first, most["token"] if len(most.get("children", [])) != 1 else first, "rich: the prefix with the most keys")
    browser.run("document.querySelector('input[value=memory]').click()")
    browser.run("document.querySelector('#treemap .open').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    tally.same(browser.run("document.querySelectorAll('.crumbs li').length"), 2, "rich: crumbs inside")
    tally.same(browser.run("document.querySelectorAll('table[data-name=prefixes] tbody tr').length"),
               len(largest["children"]), "rich: rows inside")
    browser.run("document.querySelector('.crumbs button').click()")
    tally.same(browser.run("document.querySelectorAll('.crumbs li').length"), 1, "rich: crumbs outside")
    before = browser.run("document.querySelector('#treemap').outerHTML.length")
    browser.run("document.querySelector('input[value=share]').click()")
    tally.hold(browser.run("document.querySelector('#treemap').outerHTML.length") != before, "rich: colours stay")

    # Tabs by the keyboard, a sort by a header.
    browser.run("document.querySelector('[role=tab]').focus()")
    browser.press("ArrowRight")
    tally.same(browser.run("document.activeElement.getAttribute('aria-selected') + document.activeElement.textContent"),
               "trueBy file bytes", "rich: the tab behind the arrow key")
    tally.same(browser.run("document.querySelectorAll('table[data-name=top-bytes] tbody tr').length"), 20, "rich: its rows")
    browser.run("document.querySelectorAll('table[data-name=types] thead button')[1].click()")
    browser.run("document.querySelectorAll('table[data-name=types] thead button')[1].click()")
    tally.same(browser.run("document.querySelector('table[data-name=types] tbody th').textContent"), "stream",
               "rich: types by keys, fewest first")


def brightness(rows):
    return sum(sum(pixel) for row in rows for pixel in row) / (3 * len(rows) * len(rows[0]))


def check_colours(tally, browser, page):
    light = pixels(browser.shot())
    tally.hold(len({pixel for row in light for pixel in row}) > 40, "light: the page is blank")
    seen = look(tally, browser, "dark by the system", page, scheme="dark")
    tally.same(seen["theme"], "dark", "the theme of a dark system")
    dark = pixels(browser.shot())
    tally.hold(len({pixel for row in dark for pixel in row}) > 40, "dark: the page is blank")
    tally.hold(brightness(light) > 180 and brightness(dark) < 80, f"light {brightness(light):.0f}, dark {brightness(dark):.0f}")
    browser.run("document.querySelector('#theme').click()")
    tally.hold(brightness(pixels(browser.shot())) > 180, "the button does not make it light")
    tally.same(look(tally, browser, "dark by its address", page, fragment="#dark")["theme"], "dark", "the theme of #dark")


def check_in_browser(tally, browser, pages, made):
    hostile, report = made["hostile"]
    seen = look(tally, browser, "hostile", hostile)
    tally.same(report["total"]["keys"], len(HOSTILE) + len(HOSTILE_BYTES), "hostile: keys")
    tally.same(seen["rows"].get("top-memory"), len(HOSTILE) + len(HOSTILE_BYTES), "hostile: rows")
    for shown in (MARKUP, "\\u{202e}right", "\\xff\\xfe<script>\\x00", "nul:\\x00:\\x1b[31m\\x7f", "(empty name)", "\\\\u003c"):
        tally.hold(shown in seen["text"], f"hostile: {shown} is not shown")
    tally.hold("\u202e" not in seen["text"] and "\0" not in seen["text"], "hostile: characters that cannot be seen")
    look(tally, browser, "hostile, narrow", hostile, width=360)

    seen = look(tally, browser, "empty", made["empty"][0])
    tally.hold("No keys" in seen["text"], "empty: the page does not say so")
    seen = look(tally, browser, "log", made["log"][0])
    tally.hold("log" in seen["sections"] and seen["rows"].get("commands", 0) > 0, "log: no commands")
    bare = {"total": {"keys": 3, "bytes": 10}, "path": "x", "prefixes": {"tree": {"keys": 3}}}
    for name, part in (("nothing", {}), ("bare", bare)):
        look(tally, browser, name, pages.with_data(name, hostile, part))

    days = look(tally, browser, "log of days", pages.with_data("days", hostile, log_of_days()), width=360)
    tally.same(days["rows"].get("commands"), 14, "log of days: rows")
    tally.hold("37.3\u00a0% of the log is dead" in days["text"], "log of days: the dead share")
    tally.hold("Damaged: 2 errors, and the end is missing" in days["text"], "log of days: the damage")
    many = look(tally, browser, "many", pages.with_data("many", hostile, many_prefixes()))
    tally.hold(100 < many["cells"] <= 4000, f"many: {many['cells']} cells")

    full = rich()
    path = pages.with_data("rich", hostile, full)
    check_rich(tally, browser, path, full)
    look(tally, browser, "rich, light", path)
    check_colours(tally, browser, path)


def leave_shots(browser, pages, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("rich", "days", "hostile", "empty", "many"):
        for kind, width in (("light", 1280), ("dark", 1280), ("light", 400), ("dark", 360)):
            browser.deadline = time.monotonic() + SECONDS_MAX
            browser.open(pages.folder / f"{name}.html", width=width, fragment="#" + kind)
            (folder / f"{name}-{kind}-{width}.png").write_bytes(browser.shot(scale=1, whole=True))


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--persist", required=True)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args(arguments)

    tally = Tally()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        pages = Pages(options.persist, Path(name))
        log = next((TESTDATA / "aof" / "redis-7.2.6-timeline").rglob("*.manifest")).parent
        made = {"hostile": pages.of_keys("hostile"), "empty": pages.of_keys("empty", "--key", "none"),
                "log": pages.of_path("log", log)}
        for which, (page, report) in made.items():
            check_text(tally, which, page, report)
        if not options.chromium:
            print("no chromium: the pages were not rendered")
            return SKIPPED if tally.failed == 0 else 1
        browser = Browser(options.chromium, name)
        try:
            check_in_browser(tally, browser, pages, made)
            if options.shots:
                leave_shots(browser, pages, options.shots)
        finally:
            browser.close()
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 0 if tally.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
