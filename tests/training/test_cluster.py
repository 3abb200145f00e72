"""Files for clusters: what is written can be read by those it is for, as far as that can be known here."""

import ast
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import loop_kit as kit
import pytest
import yaml

from gnomon.core.errors import ConfigError
from gnomon.training.cluster import Allocation, accelerate_config, batch_script
from gnomon.training.recipe import LoRA, TrainConfig
from gnomon.training.titan import Titan, export_torchtitan

CONFIG = TrainConfig(name="big", batch=32, steps=10, precision="bfloat16", schedule="wsd", learning_rate=1e-5)
LLAMA_70B = {
    "model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "intermediate_size": 28672, "vocab_size": 128256, "rope_theta": 500000.0,
}  # fmt: skip


@pytest.mark.parametrize("scheduler", ["slurm", "pbs"])
def test_a_batch_script_is_shell_and_says_what_gnomon_toml_must_say(scheduler: str, tmp_path: Path) -> None:
    text = batch_script(
        scheduler, Allocation(nodes=4, gpus=8, cores=96, hours=12), "gnomon run llmjp_4 --scale cluster"
    )
    script = tmp_path / "job.sh"
    script.write_text(text, encoding="utf-8")
    subprocess.run(["bash", "-n", script], check=True)
    assert "@{" not in text
    assert text.rstrip().endswith("exec gnomon run llmjp_4 --scale cluster")
    assert "#   nodes = 4\n#   processes = 8\n" in text
    assert ("--nodes=4" in text and "--gpus-per-node=8" in text) or "select=4:ncpus=96:ngpus=8" in text


def test_a_batch_script_for_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="No batch script for 'lsf'"):
        batch_script("lsf", Allocation(), "gnomon run x")
    with pytest.raises(ConfigError, match="No batch script"):
        batch_script("slurm", Allocation(nodes=0), "gnomon run x")


def test_accelerate_understands_the_configuration() -> None:
    from accelerate.commands.config.config_args import ClusterConfig

    row = yaml.safe_load(accelerate_config(processes=16, nodes=2, block="LlamaDecoderLayer", offload=True))
    read = ClusterConfig(**row)
    assert (read.num_processes, read.num_machines, str(read.distributed_type)) == (16, 2, "DistributedType.FSDP")
    assert read.fsdp_config["fsdp_version"] == 2
    assert read.fsdp_config["fsdp_offload_params"] is True


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.rows(tmp_path_factory.mktemp("rows"))


def llama(folder: Path, **changed: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(LLAMA_70B | changed), encoding="utf-8")
    return folder


def values(file: Path) -> dict[str, object]:
    """Every keyword of every call in a Python file whose value is a constant."""
    found = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            found[node.arg] = node.value.value
    return found


def test_a_run_of_torchtitan_says_what_the_recipe_says(tokens: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, precision="float8")
    file = export_torchtitan(tmp_path, config, llama(tmp_path / "model"), tokens, Titan(nodes=4, tensor_parallel=8))
    found, text = values(file), file.read_text(encoding="utf-8")
    assert 'model_registry("70B"' in text
    assert "Float8LinearConverter" in text
    assert (found["global_batch_size"], found["local_batch_size"], found["seq_len"]) == (32, 1, kit.CONTEXT)
    assert (found["tensor_parallel_degree"], found["max_norm"], found["warmup_steps"]) == (8, 1.0, 0)
    assert (found["decay_ratio"], found["decay_type"], found["min_lr_factor"]) == (0.2, "linear", 0.1)
    assert (found["initial_load_in_hf"], found["last_save_in_hf"], found["export_dtype"]) == (True, True, "bfloat16")


def test_torchtitan_gets_the_rows_of_each_step_as_one_process_would(tokens: Path, tmp_path: Path) -> None:
    """Its loader, taken out of the file that is written, over 4 ranks: the rows of a step, each once, shifted."""
    import torch

    from gnomon.training.packed import NO_TARGET, PackedTokens

    file = export_torchtitan(tmp_path, CONFIG, llama(tmp_path / "model"), tokens, Titan(nodes=4, rows=2))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    wanted = [n for n in tree.body if isinstance(n, ast.Assign) or (isinstance(n, ast.ClassDef) and n.name == "Rows")]
    names = {"IterableDataset": type("A", (), {}), "Stateful": type("B", (), {}), "torch": torch, "PackedTokens": PackedTokens,
             "NO_TARGET": NO_TARGET}  # fmt: skip
    exec(compile(ast.Module(wanted, []), str(file), "exec"), names)
    packed = PackedTokens(tokens)
    ranks = [names["Rows"](rank, 4, 2) for rank in range(4)]
    seen = [list(rank) for rank in ranks]
    assert [len(rows) for rows in seen] == [8 * names["ROWS"] // 32] * 4
    numbers = sorted(ranks[0].number(i) for i in range(8)), sorted(n for r in ranks for n in map(r.number, range(8)))
    assert numbers[1] == list(range(32))
    batch, labels = seen[1][0]
    row = packed.row(ranks[1].number(0))
    assert batch["input"].tolist() == row.ids.tolist()
    assert batch["positions"].tolist() == row.positions.tolist()
    assert labels.tolist() == [*row.labels[1:].tolist(), NO_TARGET]
    targets = sum(int((labels != NO_TARGET).sum()) for rows in seen for _, labels in rows)
    assert targets == packed.rows(range(len(packed))).targets
    again = names["Rows"](2, 4, 2)
    again.load_state_dict({"next": 3})
    assert next(iter(again))[0]["input"].tolist() == seen[2][3][0]["input"].tolist()


@pytest.mark.parametrize(
    ("config", "model", "titan", "said"),
    [
        (CONFIG, {"hidden_size": 4096}, Titan(), "is none that it knows by name"),
        (CONFIG, {"model_type": "qwen3"}, Titan(), "is none that it knows by name"),
        (replace(CONFIG, lora=LoRA()), {}, Titan(), "not an adapter"),
        (CONFIG, {}, Titan(tensor_parallel=3), "8 GPUs a machine are not shared by 3"),
        (replace(CONFIG, batch=30), {}, Titan(), "batch of 30 rows cannot be shared by 4"),
    ],
)
def test_what_torchtitan_cannot_do_is_refused(config, model, titan, said: str, tokens: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        export_torchtitan(tmp_path, config, llama(tmp_path / "model", **model), tokens, titan)
