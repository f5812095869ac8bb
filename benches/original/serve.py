"""Runs rounds of the original idea: a line of JSON for each, and one back.

The lines, the rows and the loop are those of the harness (`benches/src/remote.rs`,
`item.rs`, `drive.rs`). Where the harness has tasks, this has threads.
"""

import argparse
import itertools
import json
import math
import random
import resource
import sys
import threading
import time
from collections.abc import Callable
from operator import attrgetter

import original
from sqlalchemy import BigInteger, String, create_engine, event
from sqlalchemy.orm import Mapped, mapped_column

# As many as the other contestants have.
CONNECTIONS = 32


class Item(original.CachedBase):
    """The row."""

    __tablename__ = "items"
    cache_time = 3600

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    handle: Mapped[str] = mapped_column(String(32), unique=True)
    owner: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[int]
    active: Mapped[bool]
    score: Mapped[float]
    title: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(120))
    created: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(BigInteger)


columns = attrgetter(*(column.key for column in Item.__table__.columns))


def expected(id: int) -> tuple:
    """The columns of the row with this id, as the table is filled with it."""
    note = "The quick brown fox jumps over the lazy dog and rests by the river, day {}"
    return (
        id,
        f"user-{id:08}",
        id * 7919 % 1_000_003,
        id % 17,
        id % 3 == 0,
        id / 8,
        f"Item number {id} of the table of items",
        note.format(id % 1000),
        1_700_000_000 + id,
        1,
    )


def read(wanted: tuple) -> None:
    """Reads a row, and checks it."""
    row = Item.get(wanted[0])
    if row is None:
        raise LookupError(f"no row for id {wanted[0]}")
    if columns(row) != wanted:
        raise ValueError(f"a wrong row for id {wanted[0]}")


class Contestant:
    """The original idea, and the workloads that it runs."""

    def __init__(self, rows: int, working_set: int) -> None:
        stride = max(rows // working_set, 1)
        self.wanted = [expected(1 + place * stride) for place in range(working_set)]
        self.rows = rows
        self.ids = itertools.count(1)
        self.loads = 0
        lock = threading.Lock()

        @event.listens_for(original.DetachedBase.engine, "after_cursor_execute")
        def count(*_: object) -> None:
            with lock:
                self.loads += 1

    def hit(self, rng: random.Random) -> None:
        """Reads a row that the cache has."""
        read(rng.choice(self.wanted))

    def miss(self, _: random.Random) -> None:
        """Reads a row that nobody has read before."""
        id = next(self.ids)
        if id > self.rows:
            raise LookupError("no row is left that nobody has read; make the table larger")
        read(expected(id))

    def prepare(self) -> dict:
        """Fills the cache with what hits read, and sees that it has it."""
        for wanted in self.wanted:
            read(wanted)
        before = self.loads
        for wanted in self.wanted:
            read(wanted)
        if self.loads != before:
            raise ValueError(
                f"{self.loads - before} rows were not in the cache after they were read"
            )
        return dict.fromkeys(("units", "loads", "stale"), 0) | dict.fromkeys(
            ("seconds", "client_cpu", "p50", "p99", "p999"), 0.0
        )

    def run(self, round: dict) -> dict:
        """Runs a round, and gives its figures."""
        workload = round["workload"]
        if workload == "prepare":
            return self.prepare()
        once = {"hits": self.hit, "misses": self.miss}.get(workload)
        if once is None:
            raise ValueError(f"there is no workload {workload} here")
        loads = self.loads
        figures = drive(once, round["tasks"], round["seconds"], round["seed"])
        return figures | {"loads": self.loads - loads, "stale": 0}


def drive(
    once: Callable[[random.Random], None], tasks: int, seconds: float, seed: int
) -> dict:
    """Calls `once` in so many threads for about so many seconds."""
    latencies: list[list[int]] = [[] for _ in range(tasks)]
    errors: list[Exception] = []
    cpu = own_cpu()
    begun = time.perf_counter_ns()
    end = begun + int(seconds * 1e9)

    def loop(task: int) -> None:
        rng = random.Random(seed * 1009 + task)
        note = latencies[task].append
        before = time.perf_counter_ns()
        try:
            while before < end and not errors:
                once(rng)
                now = time.perf_counter_ns()
                note(now - before)
                before = now
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=loop, args=(task,)) for task in range(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = (time.perf_counter_ns() - begun) / 1e9
    cpu = own_cpu() - cpu
    if errors:
        raise errors[0]
    ordered = sorted(itertools.chain.from_iterable(latencies))
    if not ordered:
        raise ValueError("nothing was read; make the rounds longer")

    def micros(quantile: float) -> float:
        return ordered[max(math.ceil(quantile * len(ordered)) - 1, 0)] / 1e3

    return {
        "units": len(ordered),
        "seconds": taken,
        "client_cpu": cpu,
        "p50": micros(0.5),
        "p99": micros(0.99),
        "p999": micros(0.999),
    }


def own_cpu() -> float:
    """What this process has used of the CPU so far, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, help="postgres://…, with items filled")
    parser.add_argument("--memcached", required=True, help="host:port")
    parser.add_argument("--rows", required=True, type=int, help="rows of the table")
    parser.add_argument("--working-set", required=True, type=int, help="rows read again and again")
    arguments = parser.parse_args()

    url = "postgresql+psycopg://" + arguments.database.partition("://")[2]
    original.DetachedBase.engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0)
    original.CachedObject.cache = original.connect(arguments.memcached, "original:")
    contestant = Contestant(arguments.rows, arguments.working_set)
    for line in sys.stdin:
        try:
            answer = {"measured": contestant.run(json.loads(line))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
