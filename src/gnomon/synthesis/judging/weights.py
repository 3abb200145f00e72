"""Weights: what each suspicion of the rule judge counts, fitted on the development half of the labelled pairs.

``python bench/judges.py --fit`` prints them: a logistic model without positive weights (a suspicion never speaks for a
pair), both classes weighed alike, with an L2 term. Those of ``BY_HAND`` are set by hand: the labelled pairs hold too
few such faults to fit them.
"""

from collections.abc import Mapping

INTERCEPT = 2.68
WEIGHTS: Mapping[str, float] = {
    "leaning": -2.77, "unnamed": -1.99, "definite": 0.0, "subject": -2.46, "aside": -1.16, "premise": -2.05,
    "usurped": -1.26, "leak": -5.09, "words": -3.74, "figures": -4.67, "names": -3.09, "opposite": -3.29,
    "unbacked": -0.75, "denial": -1.56, "rival": -1.84,
}  # fmt: skip
BY_HAND: Mapping[str, float] = {"quote": -8.0, "evasive": -1.5, "foreign": -3.0}
THRESHOLD = 0.75
"""Of the probability: at it nine in ten of the sound pairs and of the composed ones (see the bench) are accepted."""
