"""Weights: what each suspicion of the rule judge counts, fitted on the development half of the labelled pairs.

``python bench/judges.py --fit`` prints them: a logistic model without positive weights (a suspicion never speaks for a
pair), both classes weighed alike, with an L2 term. Those of ``BY_HAND`` are set by hand: the labelled pairs hold too
few such faults to fit them.
"""

from collections.abc import Mapping

INTERCEPT = 2.98
WEIGHTS: Mapping[str, float] = {
    "leaning": -2.77, "unnamed": -1.06, "definite": -0.3, "subject": -2.89, "premise": -1.81, "usurped": -0.84,
    "leak": -5.37, "words": -4.01, "figures": -5.16, "names": -1.56, "opposite": -2.69, "unbacked": -0.98,
    "denial": -1.31, "rival": -2.47,
}  # fmt: skip
BY_HAND: Mapping[str, float] = {"quote": -8.0, "evasive": -1.5, "foreign": -3.0}
THRESHOLD = 0.5
"""Of the probability: nine in ten sound pairs of the development half are accepted."""
