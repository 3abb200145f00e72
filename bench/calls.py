"""Twenty thousand calls at concurrency 64, killed once: is anything paid for twice, and what does a call cost us?

    python bench/calls.py [--calls 20000] [--kill 0.5] [--rounds 3] [--out FILE]

A server on loopback, in a process of its own, speaks the chat API and counts what it is asked. A client process (ours,
with its call log) is killed by SIGKILL after ``--kill`` of the calls and started again. Held to: every question is
answered; no call that was in the log is made again; at most as many as were in flight are made twice.

Then, in turns, the same questions through ours (new log each time) and through the bare ``openai`` client with a semaphore
of 64, as its README shows asynchronous use: seconds and client processor time a call.
"""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

CONCURRENCY = 64
WAIT = 0.02
"""Seconds the server thinks about each answer."""


# The server ----------------------------------------------------------------------------------


async def serve() -> None:
    """Answer until killed; ``GET /stats`` gives how often each question came, ``POST /reset`` forgets."""
    asked: Counter[str] = Counter()
    most = [0, 0]

    async def answer(path: str, raw: bytes) -> Any:
        if path == "/stats":
            return {"asked": asked, "most": most[1]}
        if path == "/reset":
            asked.clear()
            most[1] = 0
            return {}
        most[0] += 1
        most[1] = max(most)
        text = json.loads(raw)["messages"][-1]["content"]
        asked[text] += 1
        await asyncio.sleep(WAIT)
        most[0] -= 1
        message = {"role": "assistant", "content": f"answer to {text}"}
        usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
        return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                raw = await reader.readexactly(int(fields.get("content-length", 0)))
                body = json.dumps(await answer(lines[0].split()[1].removeprefix("/v1"), raw)).encode()
                start = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(start.encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def told(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1{path}", timeout=30) as reply:
        return json.load(reply)


# The clients, each in a process of its own ---------------------------------------------------


def ours(port: int, calls: int, log: Path) -> dict[str, Any]:
    """The questions through ``RemoteModel`` with its log."""
    from gnomon.core.messages import Message
    from gnomon.core.records import ModelRef
    from gnomon.core.settings import ModelPlace, Settings
    from gnomon.llm.call_log import CallLog
    from gnomon.llm.chat import ChatOptions
    from gnomon.llm.models import load_model

    place = ModelPlace(url=f"http://127.0.0.1:{port}/v1", concurrency=CONCURRENCY)
    with closing(CallLog(log)) as kept:
        model = load_model(ModelRef(name="m", kind="instruct"), Settings(models={"m": place}), log=kept)
        asked = [[Message(role="user", text=f"question {i}")] for i in range(calls)]
        begun = (time.perf_counter(), time.process_time())
        replies = model.chat(asked, ChatOptions(max_tokens=16))
        wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    right = sum(reply.text == f"answer to question {i}" for i, reply in enumerate(replies))
    return {"right": right, "wall": wall, "cpu": cpu}


def bare(port: int, calls: int) -> dict[str, Any]:
    """The questions through ``openai.AsyncOpenAI`` alone."""
    import openai

    async def every() -> list[str]:
        turn = asyncio.Semaphore(CONCURRENCY)
        async with openai.AsyncOpenAI(api_key="none", base_url=f"http://127.0.0.1:{port}/v1") as client:

            async def one(i: int) -> str:
                async with turn:
                    made = await client.chat.completions.create(
                        model="m", messages=[{"role": "user", "content": f"question {i}"}], max_tokens=16
                    )
                return made.choices[0].message.content or ""

            return list(await asyncio.gather(*(one(i) for i in range(calls))))

    begun = (time.perf_counter(), time.process_time())
    texts = asyncio.run(every())
    wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    return {"right": sum(t == f"answer to question {i}" for i, t in enumerate(texts)), "wall": wall, "cpu": cpu}


def started(*arguments: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a client ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out)
    return found


# The two questions ---------------------------------------------------------------------------


def killed_once(port: int, calls: int, share: float, log: Path) -> dict[str, Any]:
    """Kill the client part way, start it again, and count."""
    client = started("ours", port, calls, log)
    while sum(told(port, "/stats")["asked"].values()) < share * calls and client.poll() is None:
        time.sleep(0.05)
    if client.poll() is not None:
        raise SystemExit("the client was done before it could be killed: ask for more calls")
    client.send_signal(signal.SIGKILL)
    client.wait()
    time.sleep(10 * WAIT)  # what was in flight is counted by the server
    before = told(port, "/stats")["asked"]
    with closing(sqlite3.connect(log)) as database:
        logged = database.execute("SELECT COUNT(*) FROM calls").fetchone()[0]
    result = finished(started("ours", port, calls, log))
    after = told(port, "/stats")
    twice = sum(count > 1 for count in after["asked"].values())
    with closing(sqlite3.connect(log)) as database:
        rows = database.execute("SELECT COUNT(*) FROM calls").fetchone()[0]
    return {
        "calls": calls, "answered rightly": result["right"], "asked before the kill": sum(before.values()),
        "in the log at the kill": logged, "in flight at the kill": sum(before.values()) - logged,
        "asked twice": twice, "asked in all": sum(after["asked"].values()), "rows in the log": rows,
        "most at once": after["most"],
        "holds": result["right"] == calls == rows and twice == sum(before.values()) - logged <= CONCURRENCY,
    }  # fmt: skip


def cost(port: int, calls: int, rounds: int, work: Path) -> dict[str, Any]:
    """Both clients in turns."""
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "bare": []}
    for number in range(rounds):
        runs["ours"].append(finished(started("ours", port, calls, work / f"cost{number}.sqlite")))
        runs["bare"].append(finished(started("bare", port, calls)))
    per = {
        name: {key: round(1e3 * statistics.median(run[key] for run in rows) / calls, 3) for key in ("wall", "cpu")}
        for name, rows in runs.items()
    }
    ratios = [o["cpu"] / b["cpu"] for o, b in zip(runs["ours"], runs["bare"], strict=True)]
    return {"calls": calls, "rounds": rounds, "ms a call": per, "ratio of cpu, by round": [round(r, 3) for r in ratios],
            "every answer right": all(run["right"] == calls for rows in runs.values() for run in rows)}  # fmt: skip


def main() -> int:
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve())
    if sys.argv[1:2] == ["ours"]:
        print(json.dumps(ours(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))))
        return 0
    if sys.argv[1:2] == ["bare"]:
        print(json.dumps(bare(int(sys.argv[2]), int(sys.argv[3]))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--kill", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cost-calls", type=int, default=3_000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    server = started("serve")
    try:
        port = int(server.stdout.readline() if server.stdout else 0)
        with tempfile.TemporaryDirectory() as folder:
            report: dict[str, Any] = {"load before": os.getloadavg()}
            report["killed once"] = killed_once(port, asked.calls, asked.kill, Path(folder) / "calls.sqlite")
            told(port, "/reset")
            report["cost"] = cost(port, asked.cost_calls, asked.rounds, Path(folder))
            report["load after"] = os.getloadavg()
    finally:
        server.kill()
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0 if report["killed once"]["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
