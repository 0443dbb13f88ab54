#!/usr/bin/env python3
"""Writes files to measure with. For an RDB file a redis-server (found on PATH) is filled and has to SAVE; a log is
written as a server would append it.

Usage: workloads.py FOLDER [--scale S] [NAME...]

  W1  5 million strings, keys of 16 and values of 32 bytes: nothing but records
  W2  1 million keys of all types, 30 % of them volatile, part compressible, JSON-like values, streams with groups
  W3  20 thousand strings of 10 to 100 KB, half of them random, half prose: checksum and decompression
  W4  2 thousand sorted sets, hashes and sets of 5000 elements: containers that are not packed
  W5  a log of 10 million small commands: counters, fields, scores, sessions that expire, transactions
  W6  a log of what W2 is made of: fewer and larger commands

The same scale gives the same keys and values on every machine. At scale 1 this takes some minutes, 4 GB of memory and
4 GB of disk.
"""

import argparse
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PIECE_BYTES = 1 << 20
YEAR_2100_MS = 4_102_444_800_000
SECONDS_MAX = 60


class Server:
    """A redis-server of our own, gone when the block is left."""

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="persist-bench-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
             "--appendonly", "no", "--loglevel", "warning"], stdout=subprocess.DEVNULL)
        for _ in range(SECONDS_MAX * 10):
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port))
                return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("redis-server does not answer")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def ask(self, *words):
        """The answer to a command, as far as a line goes."""
        self.connection.sendall(command(*words))
        return self.connection.makefile("rb").readline().decode().rstrip()


def command(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        if not isinstance(word, bytes):
            word = str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class Feed:
    """Sends commands and does not wait for what they answer."""

    is_log = False

    def __init__(self, server):
        self.server = server
        self.pieces = []
        self.bytes = 0
        server.connection.sendall(command("CLIENT", "REPLY", "OFF"))

    def put(self, *words):
        piece = command(*words)
        self.pieces.append(piece)
        self.bytes += len(piece)
        if self.bytes >= PIECE_BYTES:
            self.flush()

    def flush(self):
        self.server.connection.sendall(b"".join(self.pieces))
        self.pieces, self.bytes = [], 0

    def finish(self):
        self.flush()
        self.server.connection.sendall(command("CLIENT", "REPLY", "ON"))
        assert self.server.connection.recv(5) == b"+OK\r\n"


class LogFeed:
    """Appends commands to a file instead."""

    is_log = True

    def __init__(self, path):
        self.file = open(path, "wb", buffering=PIECE_BYTES)
        self.put("SELECT", 0)

    def put(self, *words):
        self.file.write(command(*words))

    def finish(self):
        self.file.close()


# --- What values are made of ------------------------------------------------------------------------------

SYLLABLES = "ba co di fe gu ha jo ki lu ma ne po qua ri so tu va we xi yo za".split()


class Material:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.words = ["".join(self.random.choices(SYLLABLES, k=self.random.randint(1, 4))) for _ in range(2000)]

    def below(self, limit):
        return int(self.random.random() * limit)

    def noise(self, size):
        return self.random.randbytes(size)

    def prose(self, words):
        return " ".join(self.random.choices(self.words, k=words))

    def document(self):
        """JSON, as services keep it: 200 to 600 bytes, keys alike, values not."""
        tags = ",".join(f'"{word}"' for word in self.random.choices(self.words, k=self.below(6) + 1))
        return (f'{{"id":{self.below(10**9)},"user":"{self.prose(1)}","email":"{self.prose(1)}@example.org",'
                f'"active":{"true" if self.below(2) else "false"},"score":{self.below(10**6) / 100},'
                f'"tags":[{tags}],"address":{{"street":"{self.prose(2)}","city":"{self.prose(1)}"}},'
                f'"note":"{self.prose(self.below(30) + 5)}"}}')


# --- The workloads ----------------------------------------------------------------------------------------


def small_strings(feed, material, scale):
    for number in range(int(5_000_000 * scale) // 100):
        words = []
        for i in range(100):
            words += (b"user:%011d" % (number * 100 + i), material.noise(16).hex())
        feed.put("MSET", *words)


def put_string(feed, material, key):
    kind = material.below(4)
    if kind == 0:
        feed.put("SET", key, material.below(10**12))
    elif kind == 1:
        feed.put("SET", key, material.noise(material.below(60) + 1))
    else:
        feed.put("SET", key, material.document())


def put_hash(feed, material, key):
    fields = 600 if material.below(200) == 0 else material.below(16) + 3
    words = []
    for i in range(fields):
        words += (f"field{i}", material.below(10**6) if i % 3 else material.prose(2))
    feed.put("HSET", key, *words)


def put_list(feed, material, key):
    feed.put("RPUSH", key, *(material.prose(material.below(4) + 1) for _ in range(material.below(50) + 1)))


def put_set(feed, material, key):
    feed.put("SADD", key, *(material.noise(6).hex() for _ in range(material.below(20) + 1)))


def put_intset(feed, material, key):
    feed.put("SADD", key, *(material.below(10**7) for _ in range(material.below(80) + 1)))


def put_zset(feed, material, key):
    size = 300 if material.below(100) == 0 else material.below(30) + 1
    words = []
    for i in range(size):
        words += (material.below(10**6) / 8 if i % 2 else material.below(10**6), f"member:{material.below(10**9)}")
    feed.put("ZADD", key, *words)


def put_stream(feed, material, key):
    ids = [f"{1_700_000_000_000 + i * 250}-0" for i in range(material.below(25) + 1)]
    for entry in ids:
        feed.put("XADD", key, entry, "sensor", material.below(100), "value", material.below(10**6) / 100)
    feed.put("XGROUP", "CREATE", key, "workers", "0")
    if not feed.is_log:
        feed.put("XREADGROUP", "GROUP", "workers", "w1", "COUNT", "5", "STREAMS", key, ">")
        return
    # What a server writes down of such a read.
    for entry in ids[:5]:
        feed.put("XCLAIM", key, "workers", "w1", "0", entry, "TIME", "1700000000000", "RETRYCOUNT", "1", "FORCE", "JUSTID",
                 "LASTID", entry)


MIX = [put_string] * 40 + [put_hash] * 20 + [put_list] * 10 + [put_set] * 8 + [put_intset] * 7 + [put_zset] * 10
MIX += [put_stream] * 5


def mixed(feed, material, scale):
    for number in range(int(1_000_000 * scale)):
        key = f"{material.words[number % 50]}:{number}"
        MIX[material.below(len(MIX))](feed, material, key)
        if material.below(10) < 3:
            feed.put("PEXPIREAT", key, YEAR_2100_MS + material.below(10**9))


def big_values(feed, material, scale):
    for number in range(int(20_000 * scale)):
        size = 10_000 + material.below(90_000)
        value = material.noise(size) if number % 2 else material.prose(size // 5)[:size]
        feed.put("SET", f"blob:{number}", value)


def big_collections(feed, material, scale):
    for number in range(int(2000 * scale)):
        numbers = range(5000)
        if number % 3 == 0:
            words = [word for i in numbers for word in (material.random.random() * 1000, f"member:{number}:{i}")]
            feed.put("ZADD", f"board:{number}", *words)
        elif number % 3 == 1:
            words = [word for i in numbers for word in (f"field:{i}", material.below(10**9))]
            feed.put("HSET", f"table:{number}", *words)
        else:
            feed.put("SADD", f"group:{number}", *(f"{material.below(10**9):x}:{i}" for i in numbers))


def small_commands(feed, material, scale):
    for number in range(int(10_000_000 * scale)):
        key = material.below(200_000)
        kind = number % 8
        if kind < 2:
            feed.put("INCRBY", f"counter:{key}", material.below(100))
        elif kind < 4:
            feed.put("HSET", f"user:{key}", f"field{number % 20}", material.below(10**6))
        elif kind == 4:
            feed.put("ZADD", f"board:{key % 500}", material.below(10**6), f"player:{key}")
        elif kind == 5:
            feed.put("SET", f"session:{key}", f"{material.below(10**16):016x}", "PXAT", YEAR_2100_MS + key)
        elif kind == 6:
            feed.put("MULTI")
            feed.put("LPUSH", f"queue:{key % 100}", f"job:{number}")
            feed.put("EXEC")
        else:
            feed.put("DEL", f"session:{key}")


WORKLOADS = {"W1": small_strings, "W2": mixed, "W3": big_values, "W4": big_collections, "W5": small_commands, "W6": mixed}
LOGS = {"W5", "W6"}


def write(name, folder, scale):
    """Writes FOLDER/NAME.rdb or .aof unless it is there, and returns its path."""
    path = Path(folder) / f"{name}.{'aof' if name in LOGS else 'rdb'}"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    partial = path.with_suffix(".part")
    (write_log if name in LOGS else write_rdb)(name, partial, scale)
    os.replace(partial, path)
    print(f"{path}: {path.stat().st_size:,} bytes in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return path


def write_log(name, path, scale):
    feed = LogFeed(path)
    WORKLOADS[name](feed, Material(name), scale)
    feed.finish()


def write_rdb(name, path, scale):
    with Server() as server:
        feed = Feed(server)
        WORKLOADS[name](feed, Material(name), scale)
        feed.finish()
        if server.ask("SAVE") != "+OK":
            raise RuntimeError("redis-server could not save")
        if "errorstat" in server.ask("INFO", "errorstats"):
            raise RuntimeError("redis-server refused a command")
        shutil.copyfile(server.folder / "dump.rdb", path)


def main():
    parser = argparse.ArgumentParser(description="Writes files to measure with.")
    parser.add_argument("folder")
    parser.add_argument("--scale", type=float, default=1.0, help="how much of each [1]")
    parser.add_argument("names", nargs="*", metavar="NAME", help="W1 to W6 [all]")
    arguments = parser.parse_intermixed_args()
    for name in arguments.names or WORKLOADS:
        if name not in WORKLOADS:
            parser.error(f"there is no workload {name}")
        write(name, arguments.folder, arguments.scale)


if __name__ == "__main__":
    main()
