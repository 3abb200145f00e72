"""The worker: reads slow or risky files in a process of its own.

One line of JSON comes in for each file (``format``, ``name``, ``path``, ``size``, ``limits``), one goes out
with what was found. When a file makes a native library crash, only this process dies, and the
file is named for it.
"""

import json
import os
import sys
from typing import Any

from gnomon.core.tables import from_row, to_row
from gnomon.corpus.readers.draft import Draft, Fault, Limits
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.formats import BY_NAME, guarded


def read_packed(form: str, feed: Feed) -> bytes:
    """What a reader finds in a file, as bytes that can be cached."""
    rows = [["fault" if isinstance(x, Fault) else "draft", to_row(x)] for x in guarded(BY_NAME[form], feed)]
    return json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace")


def unpacked(data: bytes) -> list[Draft | Fault]:
    """What ``read_packed`` found."""
    rows = json.loads(data)
    return [from_row(Fault, row) if kind == "fault" else from_row(Draft, row) for kind, row in rows]


def main() -> None:
    """Serve until the input ends. Nothing a library prints can get into the answers."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        job: dict[str, Any] = json.loads(line)
        feed = Feed(job["name"], job["path"], job["size"], Limits(**job["limits"]))
        data = read_packed(job["format"], feed)
        answers.write(len(data).to_bytes(8, "little") + data)
        answers.flush()


if __name__ == "__main__":
    main()
