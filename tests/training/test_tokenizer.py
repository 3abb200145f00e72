import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tokens_making as making
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, DataError
from gnomon.training import steps
from gnomon.training.encoding import encode_texts, open_tokenizer, tokenizer_folder, tokenizer_revision
from gnomon.training.pretokenizers import PRETOKENIZERS, splitter

KINDS = ("bpe", "unigram")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tokenizers")
    shelf = making.english(folder / "shelf")
    return {kind: making.trained(folder / kind, {"notes": shelf}, kind=kind) for kind in KINDS}


@pytest.fixture(scope="module")
def opened(made: dict[str, Any]) -> dict[str, Any]:
    return {kind: open_tokenizer(out.path / "tokenizer") for kind, out in made.items()}


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_comes_back_unchanged(opened: dict[str, Any], kind: str, text: str) -> None:
    ids = encode_texts(opened[kind], [text])[0]
    assert opened[kind].decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False) == text
    ids = opened[kind](text, add_special_tokens=False)["input_ids"]
    assert opened[kind].decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False) == text


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_normalised_and_no_byte_is_unknown(opened: dict[str, Any], kind: str) -> None:
    for text in ("é", "e\u0301", "ﬁ", "▁ ▁", " 星\x00\t\n\r\n  ", "𝒜🔭", "  don't   12345"):
        assert opened[kind].decode(opened[kind](text).input_ids[1:]) == text


@pytest.mark.parametrize("kind", KINDS)
def test_bos_stands_before_each_text_and_eos_does_not_follow(opened: dict[str, Any], kind: str) -> None:
    tokenizer = opened[kind]
    ids = tokenizer("the dust cools").input_ids
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.eos_token_id not in ids
    assert tokenizer("the dust", add_special_tokens=False).input_ids[0] != tokenizer.bos_token_id


def test_without_a_bos_none_is_added(tmp_path: Path) -> None:
    out = making.trained(tmp_path / "t", {"notes": making.english(tmp_path / "s", 2)}, bos="")
    tokenizer = open_tokenizer(out.path / "tokenizer")
    assert tokenizer.bos_token is None
    assert tokenizer("").input_ids == []


def test_tokens_for_later_chat_have_their_ids_from_the_first_day(opened: dict[str, Any]) -> None:
    for tokenizer in opened.values():
        wanted = [
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|pad|>",
            "<|im_start|>",
            "<|im_end|>",
            "<think>",
            "</think>",
        ]
        wanted += [f"<|reserved_{i}|>" for i in range(8)]
        assert tokenizer.convert_ids_to_tokens(range(len(wanted))) == wanted
        ids = tokenizer("<think>so</think>yes<|im_end|>").input_ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == "<think>so</think>yes"


def test_a_document_that_quotes_a_special_token_gives_no_command(opened: dict[str, Any]) -> None:
    for tokenizer in opened.values():
        text = "a <|end_of_text|> b <|im_start|>system"
        ids = encode_texts(tokenizer, [text])[0]
        assert not set(ids) & {tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_start|>")}
        assert tokenizer.eos_token_id in tokenizer(text).input_ids, "the switch is off again afterwards"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bytes_come_out_under_other_hash_seeds_and_threads(tmp_path: Path, kind: str) -> None:
    making.english(tmp_path / "s", 30)
    code = (
        "import sys; from pathlib import Path; import tokens_making as m; f = Path(sys.argv[1]);"
        f"m.trained(f / sys.argv[2], {{'notes': f / 's'}}, kind={kind!r}, vocab_size=600)"
    )
    digests = set()
    for seed, threads in (("1", "1"), ("2", "4")):
        keep = {n: v for n, v in os.environ.items() if n in {"PATH", "VIRTUAL_ENV"}}
        own = {"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "true"}
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), seed], check=True, env=keep | own | {"PYTHONPATH": path}
        )
        files = sorted((tmp_path / seed / "data" / "tokenizer").iterdir())
        digests.add(tuple((f.name, hashlib.sha256(f.read_bytes()).hexdigest()) for f in files))
    assert len(digests) == 1


def test_the_folder_opens_beside_a_model_whose_type_has_a_tokenizer_of_its_own(
    made: dict[str, Any], tmp_path: Path
) -> None:
    """``AutoTokenizer`` must not take Llama's own rules when the folder holds a Llama."""
    for kind, out in made.items():
        for model_type in ("llama", "qwen3", "qwen3_moe", "mixtral"):
            folder = tmp_path / kind / model_type
            folder.mkdir(parents=True)
            for file in (out.path / "tokenizer").iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
            (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
            tokenizer = open_tokenizer(folder)
            text = "  don't\n\n12345 星 "
            assert tokenizer(text).input_ids == open_tokenizer(out.path / "tokenizer")(text).input_ids
            tokenizer.save_pretrained(folder / "again")
            assert tokenizer_revision(folder / "again") == tokenizer_revision(out.path / "tokenizer")
            assert open_tokenizer(folder / "again")(text).input_ids == tokenizer(text).input_ids


def test_words_are_cut_as_the_named_tokenizers_cut_them() -> None:
    def words(name: str, text: str) -> list[str]:
        return [text[a:b] for _, (a, b) in splitter(name).pre_tokenize_str(text)]

    text = "I'LL see 12345\n\n  M31's"
    assert words("llama-bpe", text) == ["I", "'LL", " see", " ", "123", "45", "\n\n", " ", " M", "31", "'s"]
    assert words("qwen2", text) == ["I", "'LL", " see", " ", *"12345", "\n\n", " ", " M", *"31", "'s"]
    assert words("gpt-2", text) == ["I", "'", "LL", " see", " 12345", "\n\n ", " M", "31", "'s"]


def test_the_cutting_rule_of_qwen2_is_the_one_transformers_has() -> None:
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    assert PRETOKENIZERS["qwen2"].pattern == PRETOKENIZE_REGEX


def test_the_name_of_the_cutting_rule_stays_with_the_tokenizer(made: dict[str, Any], tmp_path: Path) -> None:
    tokenizer = open_tokenizer(made["bpe"].path / "tokenizer")
    assert tokenizer.init_kwargs["gguf_pre_tokenizer"] == "llama-bpe"
    tokenizer.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["gguf_pre_tokenizer"] == "llama-bpe"
    assert open_tokenizer(made["unigram"].path / "tokenizer").init_kwargs["gguf_pre_tokenizer"] == ""


def test_a_limit_takes_about_as_many_characters_and_the_seed_decides_which(tmp_path: Path) -> None:
    long = making.shelf(tmp_path / "long", [making.document("local:book", making.prose(1, 12_000))])
    inputs = {"book": long, "notes": making.english(tmp_path / "notes")}
    outs = [
        making.trained(tmp_path / str(i), inputs, limits={"book": 200_000}, characters=10**9, seed=seed)
        for i, seed in enumerate((0, 0, 1))
    ]
    taken = [out.metrics["characters"]["book"]["taken"] for out in outs]
    assert taken[0] == taken[1]
    assert all(abs(t - 200_000) < 100_000 for t in taken)
    assert outs[0].metrics["characters"]["notes"]["taken"] == outs[0].metrics["characters"]["notes"]["held"]
    files = [(out.path / "tokenizer" / "tokenizer.json").read_bytes() for out in outs]
    assert files[0] == files[1] != files[2]


def test_a_small_corpus_gives_a_smaller_vocabulary_and_says_so(tmp_path: Path) -> None:
    shelf = making.shelf(tmp_path / "s", [making.document("local:1", "dust dust dust")])
    out = making.trained(tmp_path / "t", {"notes": shelf}, vocab_size=5_000)
    got = out.metrics["vocabulary"]["got"]
    assert 256 < got < 300
    assert len(open_tokenizer(out.path / "tokenizer")) == got


def test_a_corpus_without_text_is_refused(tmp_path: Path) -> None:
    for number, documents in enumerate(([], [making.document("local:1", "")])):
        shelf = making.shelf(tmp_path / f"s{number}", documents)
        with pytest.raises(DataError, match=r"hold no text.*drops\.parquet"):
            making.trained(tmp_path / f"t{number}", {"notes": shelf})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "wordpiece"}, "kind = 'wordpiece'"),
        ({"pretokenizer": "mine"}, "llama-bpe, qwen2, gpt-2"),
        ({"eos": ""}, "eos is empty"),
        ({"pad": "<|end_of_text|>"}, "two special tokens are equal"),
        ({"vocab_size": 200}, "at least 271"),
        ({"limits": {"other": 1}}, r"\['other'\]"),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_its_cure(
    tmp_path: Path, settings: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = making.english(tmp_path / "s", 1)
    with pytest.raises(ConfigError, match=message):
        making.trained(tmp_path / "t", {"notes": shelf}, **settings)
    monkeypatch.setenv("GNOMON_LANG", "ja")
    with pytest.raises(ConfigError, match=r"[ぁ-ん]"):
        making.trained(tmp_path / "t", {"notes": shelf}, **settings)


def test_a_damaged_tokenizer_folder_is_named(made: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no tokenizer"):
        tokenizer_folder(tmp_path)
    whole = (made["bpe"].path / "tokenizer" / "tokenizer.json").read_text()
    (tmp_path / "tokenizer.json").write_text(whole[: len(whole) // 2])
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(DataError, match="cannot be opened"):
        open_tokenizer(tmp_path)


def test_the_step_hashes_what_and_not_where() -> None:
    shelf = steps.tokenizer({})
    assert shelf.name == "training/tokenizer"
    assert steps.tokenizer({"a": shelf}).identity != steps.tokenizer({"b": shelf}).identity
