import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import tokens_making as making
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, CorruptArtifact, DataError, GnomonError
from gnomon.training.pack import PackConfig
from gnomon.training.pack import run as run_pack
from gnomon.training.preflight import GIB, Way, check_memory, check_run
from gnomon.training.room import free_memory
from gnomon.training.wholeness import check_checkpoint

CONTEXT = 32


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model folder and a token artifact made with its tokenizer."""
    folder = tmp_path_factory.mktemp("start")
    shelf = making.english(folder / "s")
    made = making.trained(folder / "t", {"notes": shelf})
    model = making.model_folder(folder / "model", made.path / "tokenizer")
    packed = making.output(folder / "p")
    run_pack(PackConfig(context=CONTEXT), {"tokenizer": made.path, "notes": shelf}, packed)
    return model, packed.path


@pytest.fixture
def copies(start: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    model, tokens = (Path(shutil.copytree(folder, tmp_path / str(i))) for i, folder in enumerate(start))
    return model, tokens


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values), "utf-8")


def test_a_model_and_the_tokens_of_its_tokenizer_pass(start: tuple[Path, Path]) -> None:
    facts = check_run(*start, batch=4, fresh=True)
    assert facts.context == 64


def cut(name: str) -> Callable[[Path, Path], None]:
    def change(model: Path, tokens: Path) -> None:
        path = (model if (model / name).exists() else tokens) / name
        path.write_bytes(path.read_bytes()[:-10])

    return change


def set_(name: str, **values: Any) -> Callable[[Path, Path], None]:
    def change(model: Path, tokens: Path) -> None:
        edit((model if (model / name).exists() else tokens) / name, **values)

    return change


@pytest.mark.parametrize(
    ("change", "message", "japanese"),
    [
        (set_("pack.json", sequences=0, tokens=0), "corpus is empty", "コーパスが空"),
        (set_("pack.json", sequences=3), "3 rows of 32 tokens, fewer than the 4", "満たない"),
        (set_("pack.json", context=65), r"pack\.json describes", "バイト"),
        (cut("tokens.bin"), r"tokens\.bin has [\d,]+ bytes", "バイト"),
        (set_("pack.json", tokenizer="b2:0"), "made with the tokenizer b2:0", "詰め直す"),
        (set_("pack.json", vocab_size=70_000), "ids below 70,000", "埋め込み"),
        (set_("tokenizer_config.json", eos_token=None), "no EOS token", "EOS がなく"),
        (set_("config.json", max_position_embeddings=16), "longer than the 16 .*midtrain", "文脈長 16 を超える"),
        (set_("config.json", model_type="astro_net"), "'astro_net'", "知らない"),
        (set_("config.json", model_type="qwen2"), "replaces the rules", "置き換える"),
        (cut("model.safetensors"), r"model\.safetensors", "重みが不完全"),
        (cut("tokenizer.json"), "cannot be opened", "開けない"),
    ],
)
def test_what_would_fail_later_is_refused_now_in_both_languages(
    copies: tuple[Path, Path], change: Callable[[Path, Path], None], message: str, japanese: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    change(*copies)
    with pytest.raises(GnomonError, match=message) as caught:
        check_run(*copies, batch=4, fresh=True)
    assert caught.value.hint
    monkeypatch.setenv("GNOMON_LANG", "ja")
    with pytest.raises(GnomonError, match=japanese):
        check_run(*copies, batch=4, fresh=True)


def test_a_context_extended_in_the_same_step_is_no_fault(copies: tuple[Path, Path]) -> None:
    edit(copies[0] / "config.json", max_position_embeddings=16)
    check_run(*copies, batch=4, extended=CONTEXT)
    with pytest.raises(ConfigError, match="longer than the 31"):
        check_run(*copies, batch=4, extended=CONTEXT - 1)


def test_a_corpus_of_nothing_or_of_less_than_a_sequence_never_becomes_rows(
    start: tuple[Path, Path], tmp_path: Path
) -> None:
    for text in ("", "dust"):
        shelf = making.shelf(tmp_path / f"s{text}", [making.document("local:1", text)])
        with pytest.raises(DataError):
            run_pack(
                PackConfig(context=CONTEXT),
                {"tokenizer": start[0], "notes": shelf},
                making.output(tmp_path / f"p{text}"),
            )


def test_training_that_fits_passes_and_one_that_does_not_says_what_would() -> None:
    check_memory(9 * GIB, 10 * GIB)
    ways = [Way(en="micro_batch = 1", ja="micro_batch = 1", bytes=12 * GIB), Way(en="LoRA", ja="LoRA", bytes=4 * GIB)]
    with pytest.raises(ConfigError, match=r"about 20\.0 GiB, cuda:0 has 9\.5 GiB") as caught:
        check_memory(20 * GIB, 10 * GIB, ways, where="cuda:0")
    assert caught.value.hint == "What would fit: LoRA (4.0 GiB)."
    with pytest.raises(ConfigError, match="smaller base"):
        check_memory(20 * GIB, 10 * GIB)


@given(st.integers(0, 1 << 50), st.integers(0, 1 << 50), st.lists(st.integers(0, 1 << 50), max_size=4))
def test_a_way_is_offered_just_when_it_would_pass(needed: int, available: int, others: list[int]) -> None:
    ways = [Way(en=f"way {i}.", ja=f"方法 {i}。", bytes=size) for i, size in enumerate(others)]
    hint = refusal(needed, available, ways)
    for way in ways:
        offered, passes = way.en in hint, not refusal(way.bytes, available)
        assert offered == (bool(hint) and passes)


def refusal(needed: int, available: int, ways: Sequence[Way] = ()) -> str:
    try:
        check_memory(needed, available, ways)
    except ConfigError as error:
        return error.hint
    return ""


def test_a_container_s_limit_is_less_than_the_machine(tmp_path: Path) -> None:
    whole = free_memory(cgroup=tmp_path / "none")
    assert whole > 0
    for folder, names in ((tmp_path / "v2", ("memory.max", "memory.current", "memory.stat")),
                          (tmp_path / "v1/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"))):  # fmt: skip
        folder.mkdir(parents=True)
        key = "inactive_file" if "v2" in str(folder) else "total_inactive_file"
        for name, text in zip(names, ("5000", "3000", f"{key} 500\n"), strict=True):
            (folder / name).write_text(text)
    assert free_memory(cgroup=tmp_path / "v2") == 2_500
    assert free_memory(cgroup=tmp_path / "v1") == 2_500
    (tmp_path / "v2" / "memory.max").write_text("max\n")
    assert free_memory(cgroup=tmp_path / "v2") > 2_500


def test_a_damaged_checkpoint_is_named_with_what_to_delete(start: tuple[Path, Path], tmp_path: Path) -> None:
    import torch

    folder = Path(shutil.copytree(start[0], tmp_path / "checkpoint-10"))
    torch.save({"step": 10}, folder / "optimizer.pt")
    check_checkpoint(folder)
    for name in ("model.safetensors", "optimizer.pt", "config.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(CorruptArtifact, match=rf"{name}.*Delete that folder"):
            check_checkpoint(folder)
        (folder / name).write_bytes(whole)
    check_checkpoint(folder)
    for gone in (tmp_path / "nowhere", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(CorruptArtifact, match="it is empty"):
            check_checkpoint(gone)
