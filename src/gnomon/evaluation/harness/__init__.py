"""Other people's harnesses: lm-evaluation-harness run as a step, and questions exported for it and for llm-jp-eval."""
