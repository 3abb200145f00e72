"""The capacity estimates of row 1 against what torch really does."""

import contextlib

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gnomon.capacity.memory import Training, activation_bytes, lora_parameters
from gnomon.capacity.training import executed_flops_per_token, flops_per_token
from gnomon.training import shapes
from gnomon.training.loop import attention

VOCAB, CONTEXT, BATCH = 512, 128, 2
DENSE = {"layers": 4, "hidden": 64, "intermediate": 160, "heads": 4, "kv_heads": 2}
MIXED = {**DENSE, "intermediate": 48, "experts": 8, "experts_per_token": 2}
SHAPES = {
    "llama": shapes.Shape(**DENSE),
    "llama without grouping": shapes.Shape(**{**DENSE, "kv_heads": 4}),
    "qwen3": shapes.Shape(architecture="qwen3", **DENSE),
    "qwen3_moe": shapes.Shape(architecture="qwen3_moe", **MIXED),
    "mixtral": shapes.Shape(architecture="mixtral", **MIXED),
}


def asked(shape, **changes) -> Training:
    return Training(decoder=shape.decoder(VOCAB), context=CONTEXT, micro_batch=BATCH, **changes)


def fresh(shape, precision: str = "float32"):
    model = shapes.build(shape, shapes.TokenIds(vocab_size=VOCAB, eos=0), seed=0).train()
    return model.bfloat16() if precision == "bf16" else model


def batch() -> torch.Tensor:
    return torch.randint(0, VOCAB, (BATCH, CONTEXT), generator=torch.Generator().manual_seed(0))


def kept(model, precision: str = "float32", **inputs) -> float:
    """Bytes a token of what autograd keeps, without weights and without the weights autocast has cast."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    storages, held = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
            held.append(tensor)
        return tensor

    cast = contextlib.nullcontext()
    if precision == "autocast":
        cast = torch.autocast("cpu", dtype=torch.bfloat16)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), cast:
        model.model(**{"input_ids": batch(), **inputs}, use_cache=False)
    inner = (p.numel() for name, p in model.model.named_parameters() if p.dim() > 1 and "embed" not in name)
    return (sum(storages.values()) - (2 * sum(inner) if precision == "autocast" else 0)) / (BATCH * CONTEXT)


@pytest.mark.parametrize("precision", ["float32", "bf16", "autocast"])
@pytest.mark.parametrize("name", SHAPES)
def test_activations_are_what_autograd_keeps(name: str, precision: str) -> None:
    estimate = activation_bytes(asked(SHAPES[name], precision=precision))
    assert estimate == pytest.approx(kept(fresh(SHAPES[name], precision), precision), rel=0.03)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_compiled_activations_are_what_the_partitioner_keeps(precision: str) -> None:
    model = fresh(SHAPES["llama"], precision)
    for layer in model.model.layers:
        layer.compile(backend="aot_eager_decomp_partition")
    kept(model)
    estimate = activation_bytes(asked(SHAPES["llama"], precision=precision, compiled=True))
    assert estimate == pytest.approx(kept(model), rel=0.10)


@pytest.mark.parametrize("precision", ["float32", "autocast"])
def test_attention_on_the_processor_keeps_its_scores_too(precision: str) -> None:
    model, total = fresh(SHAPES["llama"]), BATCH * CONTEXT
    model.set_attn_implementation(attention.choose(model.config, "cpu"))
    borders = torch.tensor([0, CONTEXT, total], dtype=torch.int32)
    packed = {
        "input_ids": batch().reshape(1, -1),
        "position_ids": torch.arange(CONTEXT).repeat(BATCH)[None],
        "cu_seq_lens_q": borders,
        "cu_seq_lens_k": borders,
    }
    estimate = activation_bytes(asked(SHAPES["llama"], precision=precision, scores=CONTEXT))
    assert estimate == pytest.approx(kept(model, precision, **packed), rel=0.05)


@pytest.mark.parametrize("name", SHAPES)
def test_operations_are_what_torch_counts(name: str) -> None:
    training, model, ids = asked(SHAPES[name]), fresh(SHAPES[name]), batch()
    model.set_attn_implementation("eager")
    if SHAPES[name].mixture:
        model.set_experts_implementation("eager")
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()
    assert counter.get_total_flops() / ids.numel() == pytest.approx(executed_flops_per_token(training), rel=0.01)
    assert executed_flops_per_token(training) == flops_per_token(training.decoder, CONTEXT)


def test_recomputed_operations_are_counted_too() -> None:
    shape = SHAPES["llama"]
    training, model, ids = asked(shape, checkpointing="full"), fresh(shape), batch()
    model.set_attn_implementation("eager")
    model.activation_checkpointing_enable()
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()
    assert counter.get_total_flops() / ids.numel() == pytest.approx(executed_flops_per_token(training), rel=0.12)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:The following (rank|alpha)_pattern keys did not match:RuntimeWarning")
@pytest.mark.parametrize("name", ["llama", "qwen3_moe"])
def test_adapters_are_what_peft_makes(name: str) -> None:
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(fresh(SHAPES[name]), peft.LoraConfig(r=4, target_modules="all-linear"))
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained == lora_parameters(SHAPES[name].decoder(VOCAB), 4)
