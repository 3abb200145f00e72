import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tokens_making as making
from hypothesis import given
from hypothesis import strategies as st

from gnomon.capacity.decoder import Decoder
from gnomon.capacity.hardware import hardware
from gnomon.capacity.training import needed
from gnomon.core.errors import ConfigError, DataError, GnomonError
from gnomon.core.settings import TrainingPlace
from gnomon.training.pack import PackConfig
from gnomon.training.pack import run as run_pack
from gnomon.training.preflight import GIB, Way, check_memory, check_run, with_inherited
from gnomon.training.recipe import LoRA, TrainConfig
from gnomon.training.room import check_room, decoder_of, free_memory, predicted, ways
from gnomon.training.wholeness import model_facts

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
    with pytest.raises(ConfigError, match=r"about 20\.0 GiB, cuda:0 has 10\.0 GiB") as caught:
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


MODELS: dict[str, dict[str, Any]] = {
    "llama": {}, "qwen3": {"head_dim": 16}, "mistral": {"tie_word_embeddings": True},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8, "head_dim": 8},
}  # fmt: skip


@pytest.mark.parametrize("model_type", MODELS)
def test_a_model_s_dimensions_are_read_so_that_its_parameters_come_out(
    start: tuple[Path, Path], tmp_path: Path, model_type: str
) -> None:
    folder = making.model_folder(tmp_path, start[0], model_type, **MODELS[model_type])
    assert decoder_of(folder).total == model_facts(folder).parameters


def test_a_training_without_room_is_told_settings_that_would_fit(
    start: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, place = TrainConfig(name="toy", batch=8), TrainingPlace(micro_batch=8)
    monkeypatch.setattr("gnomon.training.room.free_memory", lambda device: 64 * GIB)
    wanted = check_room(config, place, start[0], CONTEXT)
    monkeypatch.setattr("gnomon.training.room.free_memory", lambda device: wanted - 1)
    with pytest.raises(ConfigError, match="What would fit: micro_batch = 4"):
        check_room(config, place, start[0], CONTEXT)
    least = check_room(replace(config, lora=LoRA()), TrainingPlace(micro_batch=1), start[0], CONTEXT) - 1
    monkeypatch.setattr("gnomon.training.room.free_memory", lambda device: least // 2)
    with pytest.raises(ConfigError, match="smaller base"):
        check_room(config, place, start[0], CONTEXT)


def test_an_8b_model_that_one_gpu_cannot_hold_is_offered_what_it_can() -> None:
    decoder = Decoder(vocab_size=128_256, layers=32, hidden=4_096, intermediate=14_336, heads=32, kv_heads=8, head_dim=128)  # fmt: skip
    config, h100 = TrainConfig(name="big", batch=64, precision="bfloat16"), hardware("h100")
    training = predicted(config, TrainingPlace(micro_batch=2), decoder, 8_192, device="cuda")
    assert needed(training, h100) > h100.memory_bytes
    offered = [way.en for way in ways(training, config, h100.memory_bytes, h100)]
    assert offered
    assert all("LoRA" in text for text in offered), "all parameters in float32 with their states need 128 GB alone"
    for way in ways(training, config, h100.memory_bytes, h100):
        assert way.bytes <= h100.memory_bytes
    shared = predicted(
        config, TrainingPlace(micro_batch=1, gradient_checkpointing=True), decoder, 8_192, device="cuda", ranks=8
    )
    assert needed(shared, h100) < h100.memory_bytes


def test_a_duty_does_not_end_with_the_next_step() -> None:
    def record(*duties: str) -> Any:
        return SimpleNamespace(metrics={"duties": list(duties)} if duties else {})

    records = {"model": record("a", "b"), "model:two": record("c", "a"), "tokens": record("d"), "model:three": record()}
    assert with_inherited(("b", "e"), records) == ["b", "e", "a", "c"]
