"""Which processor runs whom, and who used how much of it: read from /proc, set by sched_setaffinity."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROCESSORS = sorted(os.sched_getaffinity(0))
# The server has the one, what it works with and who loads it the other. With one processor they share it.
SERVER = {PROCESSORS[0]}
REST = set(PROCESSORS[1:2]) or SERVER


def _fields(pid: int) -> list[str]:
    """Those of /proc/PID/stat from the state on: the name before it may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent(pid: int) -> int:
    return int(_fields(pid)[1])


def tree(root: int) -> list[int]:
    """A process and all that it has started."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                parents.setdefault(parent(int(entry.name)), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(parents.get(pid, []))
    return found


def used_by(roots: Iterable[int]) -> float:
    """Processor seconds of these processes and of what they have started, ended or not."""
    total = 0
    for root in roots:
        for pid in tree(root):
            with suppress(OSError):
                total += sum(int(value) for value in _fields(pid)[11:15])
    return total / TICKS


def used() -> float:
    """Processor seconds of everybody since the machine started."""
    names = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _waiting, irq, softirq = (int(value) for value in names[:7])
    return (user + nice + system + irq + softirq) / TICKS


def alive(pid: int) -> bool:
    try:
        return _fields(pid)[0] != "Z"
    except OSError:
        return False


def put(pids: Iterable[int], processors: set[int]) -> bool:
    """Lets these processes, all their threads and what they start run there only; whether that is allowed
    to us."""
    try:
        for pid in pids:
            with suppress(FileNotFoundError, ProcessLookupError):
                for thread in os.listdir(f"/proc/{pid}/task"):
                    os.sched_setaffinity(int(thread), processors)
    except PermissionError:
        return False
    return True


def spread(root: int, processors: set[int]) -> None:
    """Gives each worker of a server a processor of its own, as `taskset` would. Workers are those of its
    processes that have started threads."""
    workers = [pid for pid in tree(root)[1:] if len(os.listdir(f"/proc/{pid}/task")) > 4]
    for number, pid in enumerate(workers):
        put([pid], {sorted(processors)[number % len(processors)]})


@contextmanager
def moved(roots: Iterable[int], processors: set[int]) -> Iterator[bool]:
    """`put`, and back to where the first of each was."""
    before = {root: os.sched_getaffinity(root) for root in roots}
    try:
        done = [put(tree(root), processors) for root in before]
        yield all(done)
    finally:
        for root, was in before.items():
            put(tree(root), was)


@contextmanager
def starting_on(processors: set[int]) -> Iterator[None]:
    """Processes started meanwhile run there."""
    was = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, was)


def described() -> str:
    """Processor, memory and system, for the head of the results."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(PROCESSORS)} processors ({model}), {memory:.0f} GB, Linux {platform.release().split('-')[0]}"
    )


def groups_sessions() -> bool:
    """Whether Linux shares its processors by sessions instead of processes (`sched_autogroup_enabled`)."""
    try:
        return Path("/proc/sys/kernel/sched_autogroup_enabled").read_text().strip() == "1"
    except OSError:
        return False


def version(*command: str) -> str:
    """The first line that a command prints about itself, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip().split("\n")[0]
