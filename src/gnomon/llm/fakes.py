"""Fakes: models that cost nothing and always say the same, for tests of the library and of its users."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gnomon.core.errors import NotFound
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.text import ngrams, terms
from gnomon.core.wording import say
from gnomon.llm.chat import ChatOptions, Conversation, Reply, check_conversation
from gnomon.llm.client import Completion, Generation, LogLikelihood
from gnomon.llm.requests import whole_reply
from gnomon.llm.vectors import unit_rows


class HashEmbedder:
    """Vectors made of hashed terms: texts that share words are near, and nothing is learned.

    Args:
        dimensions: Length of a vector.
    """

    languages: tuple[str, ...] = ()

    def __init__(self, dimensions: int = 64) -> None:
        self.dimensions = dimensions
        self.ref = ModelRef(name=f"fake-hash-{dimensions}", revision="2", kind="embedder/fake", licence="Apache-2.0")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            words = terms(text)
            for gram in [*ngrams(words, 1), *ngrams(words, 2)]:
                digest = hashlib.blake2b(" ".join(gram).encode("utf-8", "surrogatepass"), digest_size=8).digest()
                row[int.from_bytes(digest, "little") % self.dimensions] += 1  # no signs: shared words never cancel
        return unit_rows(vectors)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, made as those of passages."""
        return self.embed(texts)


def load_hash_embedder(ref: ModelRef, settings: Settings) -> HashEmbedder:
    """A ``HashEmbedder``, whatever is asked for: a loader for tests and offline trials."""
    return HashEmbedder()


# Language models ------------------------------------------------------------------------------


class Echo:
    """A ``Client`` that repeats the words of its prompt, and believes a continuation the more of its words it has read.

    A word of a continuation that stands in the context has log-probability -0.1, any other -2.0; words are runs of
    letters and digits, or single characters where words are not spaced.
    """

    def __init__(self, name: str = "fake-echo") -> None:
        self.ref = ModelRef(name=name, revision="1", kind="base", licence="Apache-2.0")

    def complete(self, prompts: Sequence[str], options: Generation) -> list[Completion]:
        """The words of each prompt again, from its first, with a space before each."""
        return [_shortened("".join(f" {word}" for word in prompt.split()), options) for prompt in prompts]

    def stream_complete(self, prompt: str, options: Generation) -> Iterator[Completion]:
        """The words of the prompt, one by one."""
        return _grown(self.complete([prompt], options)[0])

    def chat(self, conversations: Sequence[Conversation], options: ChatOptions) -> list[Reply]:
        """The words of each conversation's last turn again."""
        return [_reply(" ".join(turns[-1].text.split()), turns, options) for turns in conversations]

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The reply, word by word."""
        return _streamed(self.chat([conversation], options)[0])

    def log_likelihoods(self, pairs: Sequence[tuple[str, str]]) -> list[LogLikelihood]:
        """How many words of each continuation were read in its context."""
        found = []
        for context, continuation in pairs:
            read, words = set(terms(context)), terms(continuation)
            known = sum(word in read for word in words)
            total = -0.1 * known - 2.0 * (len(words) - known)
            found.append(LogLikelihood(total=total, tokens=len(words), greedy=known == len(words)))
        return found


class Scripted:
    """A ``Client`` that says what it was told to say, and remembers what it was asked.

    Args:
        replies: What to say: by prompt, in the order of asking, or as a function makes it of the prompt. A
            conversation's prompt is its last turn.
        likelihood: Total log-probability of (context, continuation); that of ``Echo`` when None.
        name: What the model is called.
    """

    def __init__(
        self,
        replies: Mapping[str, str] | Sequence[str] | Callable[[str], str] = (),
        likelihood: Callable[[str, str], float] | None = None,
        name: str = "fake-scripted",
    ) -> None:
        self.ref = ModelRef(name=name, revision="1", kind="base", licence="Apache-2.0")
        self.asked: list[str] = []
        """Every prompt, in order."""
        self._replies, self._likelihood = replies, likelihood

    def complete(self, prompts: Sequence[str], options: Generation) -> list[Completion]:
        """The replies, cut as the options say.

        Raises:
            NotFound: There is no reply to a prompt, or none is left.
        """
        return [_shortened(self._reply(prompt), options) for prompt in prompts]

    def stream_complete(self, prompt: str, options: Generation) -> Iterator[Completion]:
        """The reply, word by word."""
        return _grown(self.complete([prompt], options)[0])

    def chat(self, conversations: Sequence[Conversation], options: ChatOptions) -> list[Reply]:
        """The replies, read as a real model's text is: thinking apart, a schema held against them.

        Raises:
            NotFound: There is no reply to a last turn, or none is left.
        """
        return [_reply(self._reply(turns[-1].text), turns, options) for turns in conversations]

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The reply, word by word."""
        return _streamed(self.chat([conversation], options)[0])

    def _reply(self, prompt: str) -> str:
        self.asked.append(prompt)
        if callable(self._replies):
            return self._replies(prompt)
        try:
            key: Any = prompt if isinstance(self._replies, Mapping) else len(self.asked) - 1
            return self._replies[key]
        except (KeyError, IndexError) as error:
            raise NotFound(
                say(f"The script has no reply to {prompt[:200]!r}.", f"台本に {prompt[:200]!r} への返答がない。"),
                say("Add one to the replies of Scripted.", "Scripted の replies に加える。"),
            ) from error

    def log_likelihoods(self, pairs: Sequence[tuple[str, str]]) -> list[LogLikelihood]:
        """What the function says, of as many tokens as the continuation has words; never greedy unless total is 0."""
        if self._likelihood is None:
            return Echo().log_likelihoods(pairs)
        totals = [self._likelihood(context, after) for context, after in pairs]
        counts = [len(terms(after)) for _, after in pairs]
        return [LogLikelihood(total=t, tokens=n, greedy=t == 0) for t, n in zip(totals, counts, strict=True)]


def _reply(text: str, turns: Conversation, options: ChatOptions) -> Reply:
    check_conversation(turns)
    made = _shortened(text, Generation(max_tokens=options.max_tokens, stop=options.stop))
    read = sum(len(turn.text.split()) for turn in turns)
    return whole_reply(made.text, "", made.finish, (read, made.tokens), options)


def _streamed(reply: Reply) -> Iterator[Reply]:
    """The reply as it would grow, word by word, thinking first."""
    thought, said = (re.findall(r"\s*\S+", text) for text in (reply.thinking, reply.text))
    yield from (Reply(text="", thinking="".join(thought[: n + 1])) for n in range(len(thought)))
    yield from (Reply(text="".join(said[: n + 1]), thinking=reply.thinking) for n in range(len(said) - 1))
    yield reply


def _grown(whole: Completion) -> Iterator[Completion]:
    """The completion as it would grow, word by word."""
    said = re.findall(r"\s*\S+", whole.text)
    yield from (
        replace(whole, text="".join(said[: n + 1]), tokens=n + 1, finish="length") for n in range(len(said) - 1)
    )
    yield whole


def _shortened(text: str, options: Generation) -> Completion:
    """A text as ``Generation`` cuts it, with words for tokens."""
    words = re.findall(r"\s*\S+|\s+$", text)
    whole = "".join(words[: options.max_tokens])
    cuts = [at for stop in options.stop if (at := whole.find(stop)) >= 0]
    ended = bool(cuts) or len(words) <= options.max_tokens
    finish = "stop" if ended else "length"
    return Completion(text=whole[: min(cuts, default=None)], tokens=min(len(words), options.max_tokens), finish=finish)
