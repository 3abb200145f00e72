"""The ``astrosage_70b`` recipe: AstroSage-Llama-3.1-70B (de Haan et al. 2025, arXiv 2505.17592).

Published, and kept at ``node`` and ``cluster``: base Llama-3.1-70B; rows of 8,192 tokens; continued pre-training, then
fine-tuning with chains of reasoning among the questions, so that a reader can switch between a direct answer and a
visible chain of thought; OpenHermes-2.5 and Llama-Nemotron's post-training data among the general conversations;
a merge by DARE-TIES (its model card). Not found, and so choices: rates, batches, passes, weights and densities of the
merge, the share of general data. Training and exam are kept strictly apart, there and here. At ``node`` an adapter is
trained, since eight GPUs do not hold the optimizer of 70 billion parameters. At ``laptop`` the same steps run on nano
models with rules as writer and judge; rules write no reasoning.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gnomon.runs import Recipe
from gnomon.training.recipe import LoRA
from gnomon_recipes import sage
from gnomon_recipes.teach import Blend

SCALES, FILES, MODELS = sage.SCALES, sage.FILES, sage.MODELS
KINDS = ("choice", "dialogue", "metadata", "open", "reasoning", "summary")
DARE = Blend(name="dare-ties-75", method="dare_ties", tuned=0.75, density=0.7, seed=0)
SWEEP = (replace(DARE, name="dare-ties-60", tuned=0.6), DARE, replace(DARE, name="dare-ties-90", tuned=0.9))
CLUSTER = sage.Size(
    base="meta-llama/Llama-3.1-70B", instruct="meta-llama/Llama-3.1-70B-Instruct", context=8_192, passes=1.0,
    replay=0.05, train={"learning_rate": 1e-5, "batch": 256, "warmup": 0.03, "precision": "bfloat16"},
    tune={"learning_rate": 5e-6, "batch": 256, "warmup": 0.03, "precision": "bfloat16"}, chat=0.3, kinds=KINDS,
    exam={"orders": 4},
)  # fmt: skip
ADAPTER = {"learning_rate": 1e-4, "lora": LoRA(rank=64, alpha=128.0)}
NODE = replace(CLUSTER, train={**CLUSTER.train, **ADAPTER}, tune={**CLUSTER.tune, **ADAPTER})
SAGE = sage.Sage(
    name="astrosage_70b", title="astrosage-70b", sizes={"laptop": sage.LAPTOP, "node": NODE, "cluster": CLUSTER},
    blends={"laptop": SWEEP, "node": (DARE,), "cluster": (DARE,)},
    sets=("teknium/OpenHermes-2.5", "nvidia/Llama-Nemotron-Post-Training-Dataset"),
)  # fmt: skip


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """Papers and an exam to an expert of 70 billion parameters, or its laptop twin; arguments as in ``sage.build``."""
    return sage.build(SAGE, arguments)
