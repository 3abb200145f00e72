"""The ``astrosage_8b`` recipe: AstroSage-Llama-3.1-8B (de Haan et al. 2024, arXiv 2411.09012).

Published, and kept at ``node`` and ``cluster``: base Llama-3.1-8B; full continued pre-training on papers (3.3 billion
tokens there, with encyclopaedia pages and textbooks); questions on every paper by one model, judged by another;
fine-tuning on them, summaries and metadata beside filtered Infinity-Instruct-7M (2.0 billion tokens); the merge of
75 % tuned model with 25 % Llama-3.1-8B-Instruct. The papers its exam was made from were held out (``exam`` does that
here, question by question). Not found, and so choices: context, rates, batches, passes, the share of general data, the
threshold of the judges. It ships no chat template; this model does. At ``laptop`` the same steps run on nano models,
the writer and the judge are rules, and the weight of the merge is chosen among three by the development exam.
"""

from collections.abc import Mapping
from typing import Any

from gnomon.runs import Recipe
from gnomon_recipes import sage
from gnomon_recipes.teach import Blend

SCALES, FILES, MODELS = sage.SCALES, sage.FILES, sage.MODELS
KINDS = ("choice", "metadata", "open", "summary")
PUBLISHED = (Blend(name="linear-75", tuned=0.75),)
SWEEP = (Blend(name="linear-50", tuned=0.5), *PUBLISHED, Blend(name="linear-90", tuned=0.9))
NODE = sage.Size(
    base="meta-llama/Llama-3.1-8B", instruct="meta-llama/Llama-3.1-8B-Instruct", context=8_192, passes=1.0, replay=0.05,
    train={"learning_rate": 2e-5, "batch": 128, "warmup": 0.03, "precision": "bfloat16"},
    tune={"learning_rate": 1e-5, "batch": 128, "warmup": 0.03, "precision": "bfloat16"},
    chat=0.3, kinds=KINDS, exam={"orders": 4},
)  # fmt: skip
SAGE = sage.Sage(
    name="astrosage_8b", title="astrosage-8b", sizes={"laptop": sage.LAPTOP, "node": NODE, "cluster": NODE},
    blends={"laptop": SWEEP, "node": PUBLISHED, "cluster": PUBLISHED},
    sets=("BAAI/Infinity-Instruct",),
)  # fmt: skip


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """Papers and an exam to an expert of 8 billion parameters, or its laptop twin; arguments as in ``sage.build``."""
    return sage.build(SAGE, arguments)
