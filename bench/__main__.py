"""Runs every bench, one after the other, and keeps what each prints with the load beside it.

``python -m bench [NAME…]``. Results go to ``bench/results/NAME.txt``, which are not committed; the figures that
count are copied into ``docs/figures.md`` with the load they were measured under.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
WORK = Path(".gnomon-bench")
SPECIALIST = ["--workspace", str(WORK / "specialist")]
BENCHES = {
    "build": ["build.py", "--work", str(WORK), "--vectors"],
    "near_dedup": ["near_dedup.py"],
    "decontamination": ["decontamination.py"],
    "cleaning": ["cleaning.py"],
    "trace": ["trace.py"],
    "retrieval_text": ["retrieval_text.py", "--hybrid"],
    "retrieval_embedders": ["retrieval_embedders.py"],
    "tuned_embedder": ["tuned_embedder.py"],
    "search_latency": ["search_latency.py"],
    "ask_latency": ["ask_latency.py"],
    "refusal": ["refusal.py"],
    "judges": ["judges.py"],
    "calls": ["calls.py"],
    "exam_lm_eval": ["exam_lm_eval.py"],
    "merge_memory": ["merge_memory.py"],
    "serving_load": ["serving_load.py"],
    "packing_throughput": ["packing_throughput.py", "--malloc"],
    "specialist_curve": ["specialist.py", *SPECIALIST, "--tokens", "2000000", "--replay", "0", "0.1", "0.25", "0.5"],
    "specialist": ["specialist.py", *SPECIALIST, "--final"],
}


def main(names: list[str]) -> int:
    if not (HERE.parents[1] / "shared" / "data").is_dir():
        print("The benches need ../shared/data, which is not here.", file=sys.stderr)
        return 2
    failed = []
    for name in names or BENCHES:
        begun, load = time.monotonic(), os.getloadavg()
        print(f"{name}: load {load[0]:.1f}", flush=True)
        command = [sys.executable, str(HERE / BENCHES[name][0]), *BENCHES[name][1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        (HERE / "results").mkdir(exist_ok=True)
        head = (
            f"load before {load}, after {os.getloadavg()}, {time.monotonic() - begun:.0f} s, exit {done.returncode}\n"
        )
        (HERE / "results" / f"{name}.txt").write_text(head + done.stdout + done.stderr, encoding="utf-8")
        print(done.stdout, flush=True)
        if done.returncode:
            print(done.stderr, file=sys.stderr, flush=True)
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "every bench ran")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
