"""The step ``synthesis/general``: general instruction data as conversations, to be mixed with those of a field.

A model taught on one field alone answers everything as that field, so general sets go with it: files of one's own, or
a set of the hub by name and commit. Licence, language and length decide what is taken, and every example keeps the
name and the licence of its set. Files are shards: a killed run goes on with the next file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json
from gnomon.core.hashing import hash_place
from gnomon.core.records import Drop
from gnomon.core.synthetic import Example
from gnomon.core.tables import TableWriter, read_batches
from gnomon.core.text import has_kana, unspaced_share
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileEntry, FileSet
from gnomon.synthesis.hub_sets import CARD, card_licence, hub_files
from gnomon.synthesis.lines import EXCERPT, JSONL, PARQUET, read_rows
from gnomon.synthesis.shards import merge_tables, shard_table
from gnomon.synthesis.turns import NoConversation, conversation_of

FILES, NOT_READ = "files", "not-read"
_LANGUAGES = {"english": "en", "japanese": "ja", "chinese": "zh", "eng": "en", "jpn": "ja", "jp": "ja"}
_LATIN = 0x250
"""Letters below this code are Latin."""


@dataclass(frozen=True, kw_only=True)
class GeneralConfig:
    """Which conversations are taken."""

    name: str
    """The set's name: of the hub, or one's own for files."""
    revision: str = ""
    """Commit of the hub; empty for files."""
    patterns: tuple[str, ...] = ("*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.parquet")
    """Files of a hub set that are read."""
    licence: str = ""
    """Licence of records that state none; empty: that of the hub set's card."""
    licences: tuple[str, ...] = ()
    """Licences that are taken; empty takes all, stated or not."""
    langs: tuple[str, ...] = ("en", "ja")
    """Languages that are taken; where a record states none its script decides, and Latin counts as English."""
    least: int = 1
    """Fewest characters of all answers together."""
    most: int = 12_000
    """Most characters of the whole conversation, thinking included."""
    share: float = 1.0
    """Share of the records that is looked at, drawn by seed and id."""
    seed: int = 0
    """Of that draw."""


def run(config: GeneralConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Read ``inputs["files"]``, a listing, or the hub set of the config into ``examples/`` and ``drops.parquet``.

    Raises:
        ConfigError: Neither files nor a revision are given, or both; or a share or a length cannot be used.
        NotFound: The hub has no such set.
        OfflineError: It would have to be fetched while ``offline = true``.
        DataError: No conversation is taken.
    """
    _check(config, files=FILES in inputs)
    listed = FileSet.from_row(read_json(inputs[FILES])) if FILES in inputs else hub_files(config, out.settings)
    licence = config.licence or (card_licence(listed) if config.revision else "")
    files = [entry for entry in listed.files if _is_read(entry)]
    keys = [f"{number:05}" for number in range(len(files))]
    out.meter.total(sum(entry.bytes for entry in files), "bytes")
    waiting, seen = set(out.pending(keys)), set[str]()
    for key, entry in zip(keys, files, strict=True):
        if key in waiting:
            counts, notes = _shard(config, entry, key, licence, seen, out)
            out.done(key, counts, notes)
        else:
            seen.update(_ids(out.path / "examples" / f"{key}.parquet"))
        out.meter.advance(entry.bytes)
    not_read = _not_read(listed, out)
    merge_tables(out, [*keys, NOT_READ], "drops", Drop)
    counts = out.counts(keys) + not_read
    _sum_up(out, keys)
    if not counts.kept:
        raise _nothing(config, counts)
    return counts


def _shard(
    config: GeneralConfig, entry: FileEntry, key: str, licence: str, seen: set[str], out: Output
) -> tuple[Counts, dict[str, Any]]:
    reasons, langs, licences = Counter[str](), Counter[str](), Counter[str]()
    path = out.path / "examples" / f"{key}.parquet"
    with TableWriter(path, Example) as examples, shard_table(out, key, "drops", Drop) as drops:
        for found in _found(config, entry, licence):
            if isinstance(found, Example) and found.id in seen:
                found = Drop(doc_id=found.id, reason="repeated_id", excerpt=_said(found)[:EXCERPT])
            if isinstance(found, Example):
                examples.write(found)
                seen.add(found.id)
                langs[found.lang] += 1
                licences[found.licence] += 1
            else:
                drops.write(found)
                reasons[found.reason] += 1
        kept = examples.rows
    counts = Counts(
        taken=kept + reasons.total(), kept=kept, dropped=dict(sorted(reasons.items())), made={"examples": kept}
    )
    return counts, {"langs": dict(sorted(langs.items())), "licences": dict(sorted(licences.items()))}


def _found(config: GeneralConfig, entry: FileEntry, licence: str) -> Iterator[Example | Drop]:
    for row in read_rows(entry):
        if isinstance(row, Drop):
            yield row
            continue
        try:
            yield example_of(config, *row, licence)
        except NoConversation as error:
            yield Drop(doc_id=f"file:{row[0]}", reason=error.reason, detail=error.detail[:EXCERPT])


def example_of(config: GeneralConfig, place: str, row: Mapping[str, Any], licence: str = "") -> Example:
    """The conversation of a record.

    Args:
        config: What is taken.
        place: File and line, its id when it has none.
        row: The record.
        licence: When the record states none.

    Raises:
        NoConversation: It holds none, or it is not one that is taken.
    """
    own = f"{config.name}:{row.get('id') or row.get('item_id') or place}"
    if hash_place(f"{config.seed}\0share\0{own}") >= config.share:
        raise NoConversation("not_drawn", f"share {config.share}")
    terms = str(row.get("licence") or row.get("license") or licence)
    if config.licences and terms not in config.licences:
        raise NoConversation("licence", terms or "none stated")
    messages = conversation_of(row)
    made = Example(id=own, messages=messages, lang=_language(row, " ".join(m.text for m in messages)),
                   kind=str(row.get("kind") or row.get("category") or "general"), source=config.name,
                   licence=terms)  # fmt: skip
    if made.lang not in config.langs:
        raise NoConversation("language", made.lang)
    answers = sum(len(m.text) for m in messages if m.role == "assistant")
    whole = sum(len(m.text) + len(m.thinking) for m in messages)
    if answers < config.least:
        raise NoConversation("too_short", f"{answers} characters of answers, least {config.least}")
    if whole > config.most:
        raise NoConversation("too_long", f"{whole} characters, most {config.most}")
    return made


def _language(row: Mapping[str, Any], text: str) -> str:
    """The language a record states, else what its script says."""
    stated = str(row.get("lang") or row.get("language") or row.get("langdetect") or "").strip().lower()
    if stated:
        return _LANGUAGES.get(stated, stated.split("-")[0].split("_")[0])
    if has_kana(text):
        return "ja"
    if unspaced_share(text) > 0.3:
        return "zh"
    letters = [character for character in text if character.isalpha()]
    return "en" if letters and sum(ord(c) < _LATIN for c in letters) > 0.5 * len(letters) else "und"


def _said(example: Example) -> str:
    return next((m.text for m in example.messages if m.role == "user"), "")


def _ids(path: Path) -> Iterator[str]:
    for batch in read_batches(path, ["id"]):
        yield from batch.column("id").to_pylist()


def _not_read(listed: FileSet, out: Output) -> Counts:
    """Files that hold no records, or could not be opened, each counted once."""
    named = [(entry.name, "not_jsonl") for entry in listed.files if not _is_read(entry) and entry.name != CARD]
    reasons = Counter[str]()
    with shard_table(out, NOT_READ, "drops", Drop) as drops:
        for name, reason in [*named, *listed.left_out]:
            drops.write(Drop(doc_id=f"file:{name}", reason=reason))
            reasons[reason] += 1
    return Counts(taken=reasons.total(), kept=0, dropped=dict(sorted(reasons.items())))


def _is_read(entry: FileEntry) -> bool:
    return entry.name.lower().endswith(JSONL + PARQUET)


def _sum_up(out: Output, keys: list[str]) -> None:
    for name in ("langs", "licences"):
        total = sum((Counter(note[name]) for note in out.notes(keys)), Counter[str]())
        out.metrics[name] = dict(sorted(total.items()))


def _check(config: GeneralConfig, *, files: bool) -> None:
    problems = {
        f"name = {config.name!r}, revision = {config.revision!r}": not config.name or files == bool(config.revision),
        f"share = {config.share}": not 0 < config.share <= 1,
        f"least = {config.least}, most = {config.most}": not 0 <= config.least <= config.most,
    }
    for problem, holds in problems.items():
        if holds:
            raise ConfigError(
                say(f"synthesis/general: {problem}.", f"synthesis/general の設定が使えない: {problem}。"),
                say("Give a name, and either files or the commit of a hub set; 0 < share <= 1; 0 <= least <= most.",
                    "名前と、ファイルかハブのコミットのどちらか一方を指定する。0 < share <= 1、0 <= least <= most。"),
            )  # fmt: skip


def _nothing(config: GeneralConfig, counts: Counts) -> DataError:
    reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(counts.dropped.items())) or "no files"
    return DataError(
        say(f"The set {config.name!r} gives no conversation: {reasons}.",
            f"{config.name!r} から会話が得られない: {reasons}。"),
        say("Give JSONL or Parquet with messages, or question and answer, in a language and under a licence taken.",
            "messages、または質問と回答のある JSONL か Parquet で、対象の言語とライセンスのものを渡す。"),
    )  # fmt: skip
