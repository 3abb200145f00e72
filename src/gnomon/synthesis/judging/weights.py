"""Weights: what each suspicion of the rule judge counts, fitted on the development half of the labelled pairs.

``python bench/judges.py --fit`` prints them: a logistic model without positive weights (a suspicion never speaks for a
pair), both classes weighed alike, with an L2 term. Those of ``BY_HAND`` are set by hand: the labelled pairs hold too
few such faults to fit them.
"""

from collections.abc import Mapping

INTERCEPT = 2.8
WEIGHTS: Mapping[str, float] = {
    "leaning": -2.59, "unnamed": -0.92, "definite": -0.54, "subject": -3.05, "premise": -1.84, "usurped": -0.88,
    "leak": -5.14, "words": -3.87, "figures": -5.08, "names": -2.55, "opposite": -2.86, "unbacked": -1.0,
    "denial": -1.27, "rival": -2.23,
}  # fmt: skip
BY_HAND: Mapping[str, float] = {"quote": -8.0, "evasive": -1.5, "foreign": -3.0}
THRESHOLD = 0.8
"""Of the probability: nine in ten sound pairs of the development half are accepted."""
