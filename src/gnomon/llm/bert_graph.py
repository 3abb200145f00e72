"""A BERT encoder as an ONNX graph, built straight from its safetensors.

*Export* here means writing down the layers of a known architecture with the fused operators of
ONNX Runtime (``Attention``, ``SkipLayerNormalization``, ``BiasGelu``). It takes a second and needs
no torch, whose import and tracer would cost more than the whole build of a small library. *int8*
means dynamic quantisation: weights are stored as 8-bit integers per output channel, activations
are rounded while the model runs. Weights take 7 bits of the 8 (``reduce_range``): on processors
without VNNI the sums of products would overflow otherwise, and a text would get another vector.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Weights = Mapping[str, npt.NDArray[np.float32]]
OPSET = 17
IR_VERSION = 10
VERSION = 2
"""Part of a model's revision: raised whenever the graph or its quantisation changes, since vectors then change."""


def write_graph(model: Path, target: Path, *, int8: bool) -> None:
    """Write the ONNX file of a BERT model folder (``config.json``, ``model.safetensors``).

    The graph takes ``ids`` and ``mask`` (int32, batch x tokens) and gives the last hidden state.
    """
    import onnx
    from safetensors.numpy import load_file

    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    graph = _graph(load_file(model / "model.safetensors"), config)
    if not int8:
        onnx.save(graph, target)
        return
    whole = target.with_suffix(".fp32.onnx")
    try:
        onnx.save(graph, whole)
        _quantise(whole, target)
    finally:
        whole.unlink(missing_ok=True)


def _quantise(source: Path, target: Path) -> None:
    import logging

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)  # it advises pre-processing for shape inference, which this graph does not need
    try:
        float_type = {"DefaultTensorType": onnx.TensorProto.FLOAT}
        quantize_dynamic(
            source, target, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8, extra_options=float_type
        )
    finally:
        logger.setLevel(before)


def _graph(weights: Weights, config: Mapping[str, Any]) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    values: dict[str, npt.NDArray[np.float32]] = {}
    _embeddings(nodes, values, weights, config)
    layers = int(config["num_hidden_layers"])
    for layer in range(layers):
        _layer(nodes, values, weights, config, layer)
    ids = helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "tokens"])
    mask = helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"])
    shape = ["batch", "tokens", config["hidden_size"]]
    out = helper.make_tensor_value_info(f"hidden_{layers}", TensorProto.FLOAT, shape)
    tensors = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "bert", [ids, mask], [out], tensors)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="gnomon")


def _embeddings(nodes: list[Any], values: dict[str, Any], weights: Weights, config: Mapping[str, Any]) -> None:
    from onnx import helper

    names = {
        "words": "word_embeddings.weight",
        "positions": "position_embeddings.weight",
        "norm_scale": "LayerNorm.weight",
        "norm_shift": "LayerNorm.bias",
    }
    for name, key in names.items():
        values[name] = weights[f"embeddings.{key}"]
    # One segment only: its embedding is a constant, added to every position.
    values["positions"] = values["positions"] + weights["embeddings.token_type_embeddings.weight"][0]
    inputs = ["ids", "", "words", "positions", "", "norm_scale", "norm_shift", "mask"]
    epsilon = float(config["layer_norm_eps"])
    node = helper.make_node(
        "EmbedLayerNormalization", inputs, ["hidden_0", "lengths"], domain="com.microsoft", epsilon=epsilon
    )
    nodes.append(node)


def _layer(nodes: list[Any], values: dict[str, Any], weights: Weights, config: Mapping[str, Any], layer: int) -> None:
    from onnx import helper

    for name, value in _layer_values(weights, layer):
        values[f"{name}_{layer}"] = value

    def add(kind: str, inputs: str, output: str, **attributes: Any) -> None:
        named = [i if i == "lengths" or i[-1].isdigit() else f"{i}_{layer}" for i in inputs.split()]
        domain = "" if kind == "MatMul" else "com.microsoft"
        nodes.append(helper.make_node(kind, named, [f"{output}_{layer}"], domain=domain, **attributes))

    epsilon = float(config["layer_norm_eps"])
    heads = int(config["num_attention_heads"])
    add("Attention", f"hidden_{layer} qkv qkv_bias lengths", "attended", num_heads=heads)
    add("MatMul", "attended out", "projected")
    norm = "norm_scale norm_shift out_bias"
    add("SkipLayerNormalization", f"projected hidden_{layer} {norm}", "middle", epsilon=epsilon)
    add("MatMul", "middle up", "wide")
    add("BiasGelu", "wide up_bias", "active")
    add("MatMul", "active down", "narrow")
    nodes.append(
        helper.make_node(
            "SkipLayerNormalization",
            [f"{n}_{layer}" for n in ("narrow", "middle", "last_scale", "last_shift", "down_bias")],
            [f"hidden_{layer + 1}"],
            domain="com.microsoft",
            epsilon=epsilon,
        )
    )


def _layer_values(weights: Weights, layer: int) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    at = f"encoder.layer.{layer}."
    parts = [f"{at}attention.self.{part}" for part in ("query", "key", "value")]
    yield "qkv", np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1)
    yield "qkv_bias", np.concatenate([weights[f"{part}.bias"] for part in parts])
    linear = {"out": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense"}
    for name, key in linear.items():
        yield name, weights[f"{at}{key}.weight"].T
        yield f"{name}_bias", weights[f"{at}{key}.bias"]
    for name, key in {"norm": "attention.output.LayerNorm", "last": "output.LayerNorm"}.items():
        yield f"{name}_scale", weights[f"{at}{key}.weight"]
        yield f"{name}_shift", weights[f"{at}{key}.bias"]
