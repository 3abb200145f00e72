"""Tracing: which stretches of any text stand verbatim in the corpus, and where."""

from gnomon.knowledge.tracing.reader import Trace
from gnomon.knowledge.tracing.results import NextWord, TraceDocument, TraceResult, TraceSpan

__all__ = ["NextWord", "Trace", "TraceDocument", "TraceResult", "TraceSpan"]
