"""Decoders as numbers: how many parameters a transformer of some dimensions has, all and active.

*Dimensions* are what a language model's shape says and what counts: layers, widths, heads, experts, vocabulary.
*Active* parameters are those one token passes through: of a mixture of experts only the experts chosen for it.
Pure arithmetic, equal to what torch counts in the model that transformers builds (``tests/training``), and to the
figures on the cards of published models (``tests/capacity``), so that a plan needs neither torch nor weights.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoder:
    """The dimensions of a decoder with grouped-query attention and gated feed-forward layers, without biases."""

    vocab_size: int
    """Rows of the embedding."""
    layers: int
    """Transformer blocks."""
    hidden: int
    """Width of the residual stream."""
    intermediate: int
    """Width inside the feed-forward layer, or inside one expert."""
    heads: int
    """Query heads."""
    kv_heads: int
    """Key and value heads."""
    head_dim: int
    """Width of a head."""
    tied: bool = False
    """Whether input and output embeddings are one matrix."""
    experts: int = 0
    """Experts a layer; 0 for a dense model."""
    experts_per_token: int = 0
    """Experts a token passes through."""
    qk_norm: bool = False
    """Whether queries and keys are normalised (two vectors of a head's width a layer)."""

    @property
    def queries(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_dim

    @property
    def keys(self) -> int:
        """Width of all key heads together; values have the same."""
        return self.kv_heads * self.head_dim

    @property
    def attention(self) -> int:
        """Parameters of one layer's four attention matrices."""
        return self.hidden * (2 * self.queries + 2 * self.keys)

    @property
    def gated(self) -> int:
        """Parameters of one gated feed-forward layer, or of one expert."""
        return 3 * self.hidden * self.intermediate

    @property
    def embedding(self) -> int:
        """Parameters of one embedding matrix."""
        return self.vocab_size * self.hidden

    @property
    def total(self) -> int:
        """All parameters."""
        feed_forward = self.gated * self.experts + self.hidden * self.experts if self.experts else self.gated
        return self._around + self.layers * feed_forward

    @property
    def active(self) -> int:
        """Parameters one token passes through; both embeddings count whole, as model cards count them."""
        if not self.experts:
            return self.total
        return self._around + self.layers * (self.gated * self.experts_per_token + self.hidden * self.experts)

    @property
    def multiplied(self) -> int:
        """Active parameters that are multiplied with, hence cost FLOPs: without norms and the looked-up embedding."""
        feed_forward = self.gated
        if self.experts:
            feed_forward = self.gated * self.experts_per_token + self.hidden * self.experts
        return self.embedding + self.layers * (self.attention + feed_forward)

    @property
    def _around(self) -> int:
        norms = 2 * self.hidden + (2 * self.head_dim if self.qk_norm else 0)
        embeddings = self.embedding if self.tied else 2 * self.embedding
        return embeddings + self.hidden + self.layers * (self.attention + norms)
