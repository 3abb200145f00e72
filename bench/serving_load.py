"""What one server bears: searches and answers a second, how long they take, and whether its memory stays flat.

    python bench/serving_load.py [--workspace DIR] [--minutes 10] [--clients 8] [--seconds 30] [--out load.json]

A server (`gnomon serve`) and the clients that load it run on the same cores. Each client asks, waits for the whole
answer, and asks the next (a closed loop); no question is asked twice. The peer is the library itself: the same calls in
one process without a server, as many at a time as the server has workers, so that the ratio is what the window costs.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace

ASTRO_PH = Path(__file__).parents[1].parent / "shared" / "data" / "arxiv" / "astro_ph.parquet"
KINDS = ("text", "hybrid", "ask")
TARGETS = {"text": (60, 0.5), "hybrid": (25, 0.5), "ask": (4, 2.0)}
"""Requests a second, and the p95 in seconds, that are aimed at."""


def phrases(opened: OpenExpert) -> Iterator[str]:
    """Queries that nobody asked before: a few neighbouring words of a title, in an order that never changes."""
    table = opened.library._passages.search().select(["title"]).limit(1_000_000).to_arrow()
    titles = sorted(set(table["title"].to_pylist()))
    chance = random.Random(0)
    while True:
        words = chance.choice(titles).split()
        start = chance.randrange(max(1, len(words) - 4))
        yield " ".join(words[start : start + chance.randrange(3, 9)])


def request(kind: str, phrase: str) -> tuple[str, str, dict[str, Any]]:
    """Method, path and arguments of one request."""
    if kind == "ask":
        return "POST", "/api/ask", {"json": {"question": f"What is known about {phrase}?"}}
    return "GET", "/api/search", {"params": {"q": phrase, "mode": kind, "k": 10}}


async def load(url: str, kind: str, asked: Iterator[str], clients: int, seconds: float) -> dict[str, Any]:
    """Load the server with one kind of request."""
    times: list[float] = []
    faults: list[str] = []
    end = time.perf_counter() + seconds

    async def client(http: httpx.AsyncClient) -> None:
        while time.perf_counter() < end:
            method, path, rest = request(kind, next(asked))
            start = time.perf_counter()
            got = await http.request(method, url + path, **rest)
            times.append(time.perf_counter() - start)
            if got.status_code != 200:
                faults.append(f"{got.status_code} {got.text[:200]}")

    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=clients)) as http:
        began = time.perf_counter()
        await asyncio.gather(*(client(http) for _ in range(clients)))
    return told(kind, times, time.perf_counter() - began, faults)


def bare(opened: OpenExpert, kind: str, asked: Iterator[str], threads: int, seconds: float) -> dict[str, Any]:
    """The same work without a server."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    questions = [next(asked) for _ in range(20_000)]

    def work(number: int) -> None:
        for phrase in questions[number::threads]:
            if time.perf_counter() > end:
                return
            start = time.perf_counter()
            if kind == "ask":
                opened.keep(opened.answer(f"What is known about {phrase}?"))
            else:
                opened.library.search(phrase, mode=kind, k=10)
            times.append(time.perf_counter() - start)

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return told(kind, times, time.perf_counter() - began, [])


def told(kind: str, times: list[float], took: float, faults: list[str]) -> dict[str, Any]:
    p50, p95, most = np.percentile(times, [50, 95, 100])
    rate = len(times) / took
    return {"kind": kind, "n": len(times), "per_second": round(rate, 1), "p50_ms": round(1000 * p50), "p95_ms": round(1000 * p95),
            "max_ms": round(1000 * most), "errors": len(faults), "faults": faults[:3],
            "met": bool(rate >= TARGETS[kind][0] and p95 < TARGETS[kind][1] and not faults)}  # fmt: skip


def memory(process: int) -> float:
    """Resident memory of a process, MiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def lasting(url: str, process: int, asked: Iterator[str], clients: int, minutes: float) -> list[dict[str, Any]]:
    """Memory while all kinds are asked by turns, minute by minute."""
    rows = []
    for minute in range(int(minutes)):
        each = 60 / len(KINDS)
        done = [await load(url, kind, asked, clients, each) for kind in KINDS]
        rows.append({"minute": minute + 1, "mib": round(memory(process)), "n": sum(d["n"] for d in done),
                     "errors": sum(d["errors"] for d in done)})  # fmt: skip
        print(json.dumps(rows[-1]), flush=True)
    return rows


def ready(url: str, process: subprocess.Popen[str]) -> None:
    """Wait until the server says that it is ready."""
    for _ in range(600):
        try:
            if httpx.get(f"{url}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        time.sleep(0.2)
    raise SystemExit("the server did not become ready")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--workspace", type=Path, default=Path(".gnomon-bench/astro-ph"))
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--seconds", type=float, default=30)
    arguments.add_argument("--port", type=int, default=8765)
    arguments.add_argument("--out", type=Path)
    chosen = arguments.parse_args()
    if not (chosen.workspace / "experts").is_dir():  # 42,146 records with vectors: about ten minutes on two cores
        words = ["build", str(ASTRO_PH), "--name", "astro-ph", "--workspace", str(chosen.workspace)]
        subprocess.run([sys.executable, "-m", "gnomon.cli.main", *words], check=True)
    opened = OpenExpert.of(Workspace(str(chosen.workspace)))
    asked, url = phrases(opened), f"http://127.0.0.1:{chosen.port}"
    print(
        "load before",
        [round(x, 2) for x in os.getloadavg()],
        opened.library.stats()["documents"],
        "documents",
        flush=True,
    )
    words = [
        "-m",
        "gnomon.cli.main",
        "serve",
        "--workspace",
        str(chosen.workspace),
        "--port",
        str(chosen.port),
        "--no-open",
    ]
    server = subprocess.Popen([sys.executable, *words], text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run: Callable[[Awaitable[Any]], Any] = asyncio.get_event_loop_policy().new_event_loop().run_until_complete
    found: dict[str, Any] = {"server": [], "library": [], "lasting": []}
    try:
        ready(url, server)
        for kind in KINDS:
            run(load(url, kind, asked, 2, 3))
            found["server"].append(run(load(url, kind, asked, chosen.clients, chosen.seconds)))
            print("server ", json.dumps(found["server"][-1]), flush=True)
        found["lasting"] = run(lasting(url, server.pid, asked, chosen.clients, chosen.minutes))
    finally:
        server.terminate()
        server.wait(timeout=30)
    for kind in KINDS:
        bare(opened, kind, asked, 2, 3)
        found["library"].append(bare(opened, kind, asked, 2, chosen.seconds))
        print("library", json.dumps(found["library"][-1]), flush=True)
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print("load after", [round(x, 2) for x in os.getloadavg()])


if __name__ == "__main__":
    main()
