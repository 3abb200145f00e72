"""The page: a template, a style sheet, a script and the pairs as data, in one file that asks nothing of anywhere.

The data is JSON in a block that no browser runs, and the script only ever sets texts, so a pair that holds
``<script>`` can only be shown. The policy in the head allows this one script and this one style sheet, by hash.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from gnomon.synthesis.labels import LABELS

_HERE = "gnomon.synthesis.audit"
_UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Characters that could end the block, or a line, in a browser's eyes."""


def page(shown: Sequence[Mapping[str, Any]], identity: str) -> str:
    """The page as one HTML document.

    Args:
        shown: What is shown of each pair, as ``audit.step.entry`` makes it.
        identity: Of the step: labels of this page are kept apart from those of another.
    """
    script, style = _file("page.js"), _file("page.css")
    data = json.dumps({"identity": identity, "labels": list(LABELS), "pairs": list(shown)}, ensure_ascii=False)
    policy = (
        f"default-src 'none'; script-src '{_source(script)}'; style-src '{_source(style)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    parts = {"policy": policy, "style": style, "script": script, "data": data.translate(_UNSAFE)}
    html = _file("page.html")
    for name in ("policy", "style", "script", "data"):  # the data last: what it holds is never a place of its own
        html = html.replace("{{" + name + "}}", parts[name].encode("utf-8", "replace").decode("utf-8"), 1)
    return html


def _file(name: str) -> str:
    return (files(_HERE) / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """The hash by which a policy allows exactly this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
