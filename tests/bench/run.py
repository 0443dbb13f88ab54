#!/usr/bin/env python3
"""How fast persist is, as a ratio to redis-check-rdb, redis-check-aof or a loading redis-server run beside it.

Usage: run.py --persist PATH [--files FOLDER] [--scale S] [--rounds N] [NAME...]

Runs the peers, `persist check` and the other verbs in turn over each workload (workloads.py), N rounds, and prints
medians. The peer of `replay`, a digest of the log and so the dataset and a walk over it, is the server's own load, by
its own measure; that of `compact` is the same load and then SAVE. What the verbs and the server write goes beside the
workload: have it in memory (tmpfs) to measure them and not the disk. Absolute times drift on shared machines: believe
the ratios. "floor" is the ratio below which we do not want to fall. Nothing here passes or fails by time; the exit
status is 0 unless a tool fails.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAMES = ["W1", "W2", "W3", "W4", "W5", "W6"]
LOGS = {"W5", "W6"}
FOLDER = Path(__file__).resolve().parents[2] / "build" / "bench"

# The least ratio to the peer, by task and workload. Verbs that write: a third of the check's.
FLOORS = {
    "check": {"W1": 8, "W2": 4, "W3": 4, "W4": 7, "W5": 15, "W6": 1},
    "dump": {"W1": 5, "W2": 3, "W3": 2, "W4": 6},
    "log": {"W5": 3},
    "repair": {"W5": 5},
    "strip": {"W5": 5},
    "cut": {"W5": 5},
    "replay": {"W5": 8, "W6": 8},
    "convert to resp": {"W1": 6},
    "convert to redis-6.2": {"W2": 3},
    "compact": {"W5": 8, "W6": 8},
    "stat": {"W1": 6, "W2": 4},
    "diff": {"W2": 1},
}
LOAD = "redis-server"
LOAD_AND_SAVE = "redis-server SAVE"
# Whose ratio is not that to redis-check-rdb or redis-check-aof.
PEERS = {"replay": LOAD, "compact": LOAD_AND_SAVE}

# What becomes of an RDB file, besides the same once more.
CONVERSIONS = {"W1": ("to resp", ["--to", "resp"]), "W2": ("to redis-6.2", ["--to", "rdb", "--target", "redis-6.2"])}

# What is compared with a copy of itself whose keys stand in another order and are encoded anew.
COMPARED = {"W2"}


def peer_of(path):
    return "redis-check-aof" if path.endswith(".aof") else "redis-check-rdb"


def tasks(persist, path, extra):
    yield peer_of(path), [peer_of(path), path]
    yield "check", [persist, "check", *extra, path]
    if path.endswith(".rdb"):
        yield "dump", [persist, "dump", *extra, "-o", "/dev/null", path]
        convert = [persist, "convert", *extra, "--force", "-o", f"{path}.out", path]
        yield "convert", [*convert, "--to", "rdb"]
        name = Path(path).stem
        if name in CONVERSIONS:
            what, options = CONVERSIONS[name]
            yield f"convert {what}", [*convert, *options]
        yield "stat", [persist, "stat", *extra, path]
        if name in COMPARED:
            yield "diff", [persist, "diff", *extra, path, f"{path}.shuffled"]
        return
    output = ["--force", "-o", path.removesuffix(".aof") + ".out"]
    yield LOAD, [LOAD, path]
    # Nothing passes the filter: what is left is the replay.
    yield "replay", [persist, "dump", "--as", "redis-7.0", "--key", "", path]
    yield "compact", [persist, "compact", *extra, "--as", "redis-7.0", "--force", "-o", f"{path}.compacted", path]
    yield "log", [persist, "log", path]
    yield "undo-flush", [persist, "undo-flush", path]
    yield "repair", [persist, "repair", *output, path]
    yield "cut", [persist, "cut", "--at-command", "1000000", *output, path]
    yield "strip", [persist, "strip", "--command", "LPUSH", *output, path]


def save(socket_path):
    """The seconds that SAVE takes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(socket_path)
        began = time.perf_counter()
        connection.sendall(b"SAVE\r\n")
        if connection.recv(5) != b"+OK\r\n":
            raise RuntimeError("redis-server does not save")
        return time.perf_counter() - began


def peak_of(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) * 1024


def load_and_save(path):
    """Seconds and peak resident bytes of a redis-server that loads a log, as it says itself, and then saves it."""
    beside = Path(path).resolve().parent
    with tempfile.TemporaryDirectory(prefix="persist-bench-") as folder, \
            tempfile.TemporaryDirectory(prefix="persist-bench-", dir=beside) as data:
        log = Path(folder) / "server.log"
        (Path(data) / "appendonly.aof").symlink_to(Path(path).resolve())
        # Port 0 and a socket in the folder: nobody else sees it. It moves the link into a directory of its own.
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", f"{folder}/socket", "--dir", data,
                                   "--appendonly", "yes", "--save", "", "--auto-aof-rewrite-percentage", "0",
                                   "--logfile", str(log)])
        try:
            while server.poll() is None:
                said = re.search(r"DB loaded from append only file: ([0-9.]+) seconds", log.read_text() if log.exists() else "")
                if said:
                    seconds, peak = float(said[1]), peak_of(server)
                    yield LOAD, seconds, peak
                    seconds += save(f"{folder}/socket")
                    yield LOAD_AND_SAVE, seconds, peak_of(server)
                    return
                time.sleep(0.1)
            raise RuntimeError(f"redis-server does not load {path}")
        finally:
            server.kill()
            server.wait()


def run(command):
    """(seconds, peak resident bytes) of one run."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {child.returncode}\n{errors.decode(errors='replace')}")
    return seconds, usage.ru_maxrss * 1024


def run_task(task, command):
    """Yields (task, seconds, peak resident bytes); the server's load is two."""
    if task == LOAD:
        yield from load_and_save(command[1])
    else:
        yield (task, *run(command))


def remove_outputs(path):
    for output in path.parent.glob(f"{path.stem}*"):
        if output.suffix in (".compacted", ".lost"):
            shutil.rmtree(output)
        elif output.suffix in (".out", ".shuffled"):
            output.unlink()


def shuffle(persist, path):
    subprocess.run([persist, "convert", "--canonical", "--to", "rdb", "--target", "redis-7.2", "--force", "-o",
                    f"{path}.shuffled", path], stderr=subprocess.DEVNULL, check=True)


def measure(persist, path, rounds, extra):
    """{task: (median seconds, peak bytes)}, the tasks taking turns so that all see the same machine."""
    if path.stem in COMPARED and path.suffix == ".rdb":
        shuffle(persist, path)
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)  # into the page cache
    seconds, peaks = {}, {}
    for _ in range(rounds):
        for task, command in tasks(persist, str(path), extra):
            for name, took, peak in run_task(task, command):
                seconds.setdefault(name, []).append(took)
                peaks[name] = max(peak, peaks.get(name, 0))
    remove_outputs(path)
    return {task: (sorted(times)[len(times) // 2], peaks[task]) for task, times in seconds.items()}


def report(name, path, measured):
    _, least_peak = run(["true"])
    size = path.stat().st_size
    base = measured[peer_of(str(path))][0]
    for task, (seconds, peak) in measured.items():
        floor = FLOORS.get(task, {}).get(name)
        ratio = (measured[PEERS[task]][0] if task in PEERS else base) / seconds
        judgement = "" if floor is None else f"{floor:5} {'reached' if ratio >= floor else 'BELOW'}"
        # A process inherits the peak of this one before it becomes another program: less cannot be seen.
        memory = f"{peak / 1e6:8.1f}" if peak > least_peak * 1.05 else f"{'<' + format(peak / 1e6, '.1f'):>8}"
        print(f"{name:6} {task:21} {seconds:9.3f} {size / seconds / 1e6:9.0f} {ratio:7.2f} {memory}  {judgement}",
              flush=True)


def workload(name, folder, scale):
    path = Path(folder) / f"{name}.{'aof' if name in LOGS else 'rdb'}"
    if not path.exists():
        script = Path(__file__).with_name("workloads.py")
        subprocess.run([sys.executable, script, folder, "--scale", str(scale), name], check=True)
    return path


def main():
    parser = argparse.ArgumentParser(description="How fast persist is, beside redis-check-rdb and redis-check-aof.")
    parser.add_argument("--persist", required=True, help="the binary")
    parser.add_argument("--files", help=f"where the workloads are, or are to be written [{FOLDER.parent.name}/{FOLDER.name}]")
    parser.add_argument("--scale", type=float, default=1.0, help="how much of each workload to write [1]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="pass --threads to persist")
    parser.add_argument("names", nargs="*", metavar="NAME", help="W1 to W6 [all]")
    arguments = parser.parse_intermixed_args()
    folder = Path(arguments.files) if arguments.files else FOLDER / f"scale-{arguments.scale:g}"
    extra = [] if arguments.threads is None else ["--threads", str(arguments.threads)]
    print(f"{'':6} {'task':21} {'seconds':>9} {'MB/s':>9} {'ratio':>7} {'RSS MB':>8}  floor")
    try:
        for name in arguments.names or NAMES:
            path = workload(name, folder, arguments.scale)
            report(name, path, measure(arguments.persist, path, arguments.rounds, extra))
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
