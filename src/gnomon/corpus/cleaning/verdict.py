"""Verdict: what cleaning made of one document, or why it was left out.

A pure function of a few strings, so that verdicts can be cached by the hash of those strings.
"""

import dataclasses
import json
from dataclasses import dataclass, field

from gnomon.core.hashing import combined_hash
from gnomon.core.records import Section
from gnomon.corpus.cleaning import language, rules
from gnomon.corpus.cleaning.config import CleanConfig
from gnomon.corpus.cleaning.repair import Change, manner_of, one_line, repaired_sections, repairs


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What of a document decides how it is cleaned."""

    title: str
    """The title as read."""
    text: str
    """The text as read."""
    text_hash: str
    """Its hash."""
    lang: str
    """The language its source states, or ``"und"``."""
    kind: str
    """What it was read as (``Source.kind``)."""
    sections: tuple[Section, ...] = ()
    """Its sections as read."""

    @property
    def key(self) -> str:
        """Hash of everything that can change the verdict."""
        places = (f"{s.level}:{s.start}:{s.end}:{s.title}" for s in self.sections)
        return combined_hash((self.text_hash, self.title, self.lang, manner_of(self.kind), *places))


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The cleaned text, or the reason for leaving it out."""

    title: str | None = None
    """The cleaned title, None when it did not change."""
    text: str | None = None
    """The cleaned text, None when it did not change."""
    lang: str = "und"
    """The language."""
    confidence: float = 0.0
    """How sure that is, 0 to 1."""
    sections: tuple[Section, ...] = ()
    """The sections at their new places."""
    changes: tuple[Change, ...] = field(default=())
    """The repairs that changed something."""
    reason: str = ""
    """The rule that the text failed, empty when it is kept."""
    detail: str = ""
    """What the rule measured."""

    def to_bytes(self) -> bytes:
        """As compact JSON."""
        row = [
            self.title, self.text, self.lang, self.confidence, [dataclasses.astuple(s) for s in self.sections],
            [dataclasses.astuple(c) for c in self.changes], self.reason, self.detail,
        ]  # fmt: skip
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    @staticmethod
    def from_bytes(data: bytes) -> "Verdict":
        """What ``to_bytes`` wrote."""
        title, text, lang, confidence, sections, changes, reason, detail = json.loads(data)
        return Verdict(
            title=title, text=text, lang=lang, confidence=confidence, reason=reason, detail=detail,
            sections=tuple(Section(title=t, level=n, start=a, end=b) for t, n, a, b in sections),
            changes=tuple(Change(*change) for change in changes),
        )  # fmt: skip


def judge(draft: Draft, config: CleanConfig) -> Verdict:
    """Clean one document, name its language, and ask every rule."""
    if len(draft.text) > config.max_characters and rules.TOO_LONG not in config.off:
        detail = f"{len(draft.text)} characters, most {config.max_characters}"
        return Verdict(lang=draft.lang, reason=rules.TOO_LONG, detail=detail)
    steps = repairs(config, manner_of(draft.kind))
    changes: dict[str, Change] = {}
    title = one_line(draft.title, steps, changes)
    text, sections = repaired_sections(draft.text, draft.sections, steps, changes)
    lang, confidence = language.decide(draft.lang, f"{text}\n{title}")
    reason, detail = rules.failed(rules.subject(text, title, lang), config)
    return Verdict(
        title=None if title == draft.title else title, text=None if text == draft.text else text,
        lang=lang, confidence=confidence, sections=sections, changes=tuple(changes.values()),
        reason=reason, detail=detail,
    )  # fmt: skip
