"""Embeddings from an OpenAI-compatible endpoint (``POST {url}/embeddings``).

The address, the name of the key's environment variable, the price and the batch stand in
``gnomon.toml`` under the model's name, because where a model runs is no part of what it is. Busy
or failing servers are asked again (tenacity), after the time they name in ``Retry-After``. Every
request leaves a ``Call``.
"""

import email.utils
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np

from gnomon.core.calls import Call
from gnomon.core.errors import ConfigError, MissingExtra, RunError
from gnomon.core.hashing import combined_hash
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.core.wording import say
from gnomon.llm.vectors import unit_rows, well_formed

CHARACTERS = 8_000
"""Characters sent of a text: what a window of 8,192 tokens holds in nearly any script."""
ATTEMPTS = 6
LONGEST_WAIT = 120.0
"""Seconds; a server that asks for more patience ends the run with its words."""
IN_FLIGHT = 4
TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class _Busy(Exception):
    """A response worth asking again for; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None) -> None:
        super().__init__(reason)
        self.wait = wait


class EndpointEmbedder:
    """A model behind an endpoint as an ``Embedder``.

    One short text is embedded at once: it tells the dimensions, and a wrong address or key is
    known before any work is done.

    Args:
        ref: The model; its name is sent as ``model``.
        settings: The machine, with a place under the model's name.
        log: Receives one ``Call`` a request, in order.

    Raises:
        OfflineError: ``offline = true``.
        ConfigError: The place is incomplete, or the server refuses the request.
        RunError: The server stays busy or its answer cannot be used.
    """

    languages: tuple[str, ...] = ()

    def __init__(self, ref: ModelRef, settings: Settings, log: Callable[[Call], None] | None = None) -> None:
        self.ref, self._settings, self._log = ref, settings, log
        self._place = settings.models[ref.name]
        self._url = self._place.url.rstrip("/") + "/embeddings"
        settings.may_call(self._url)
        self._client = httpx.Client(timeout=self._place.timeout_seconds, headers=_headers(ref, self._place))
        self.dimensions = 0
        self.dimensions = int(self.embed(["dimensions"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages; the first 8,000 characters of each are sent."""
        clean = [well_formed(text, CHARACTERS) or " " for text in texts]  # an empty input is refused by many
        size = max(1, self._place.batch)
        batches = [clean[i : i + size] for i in range(0, len(clean), size)]
        parts: list[Vectors] = []
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for vectors, call in pool.map(self._request, batches):
                parts.append(vectors)
                if self._log is not None:
                    self._log(call)
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), dtype=np.float32)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, sent as passages are: the protocol has no place for a prompt."""
        return self.embed(texts)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, texts: Sequence[str]) -> tuple[Vectors, Call]:
        started = time.perf_counter()
        body = {"model": self.ref.name, "input": list(texts), "encoding_format": "float"}
        answer = self._patiently(body)
        vectors = self._read(answer, len(texts))
        usage = answer.get("usage") or {}
        tokens, price = int(usage.get("prompt_tokens") or 0), self._place.usd_per_million_tokens
        call = Call(
            key=combined_hash([self.ref.name, self.ref.revision, *texts]),
            model=self.ref.name,
            tokens_in=tokens,
            cost_usd=None if price is None or not usage else tokens * price / 1e6,
            seconds=time.perf_counter() - started,
        )
        return vectors, call

    def _patiently(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            import tenacity
        except ImportError as error:
            purpose = say("An embedding endpoint", "埋め込みのエンドポイント")
            raise MissingExtra("tenacity", "embed", purpose) from error

        growing = tenacity.wait_exponential(multiplier=0.5, max=30)

        def wait(state: tenacity.RetryCallState) -> float:
            asked = getattr(state.outcome.exception() if state.outcome else None, "wait", None)
            return float(growing(state)) if asked is None else float(asked)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Busy),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=wait,
            reraise=True,
        )
        try:
            return retrying(self._post, body)
        except _Busy as error:
            message = say(
                f"{self._url} gave no vectors after {ATTEMPTS} attempts: {error}.",
                f"{self._url} は {ATTEMPTS} 回試しても応答しなかった: {error}。",
            )
            raise RunError(message, say("Run again later; finished shards are kept.", "後で再実行する。")) from error

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        self._settings.may_call(self._url)
        try:
            response = self._client.post(self._url, json=body)
        except httpx.TransportError as error:
            raise _Busy(f"{type(error).__name__}: {error}", None) from error
        if response.status_code in TRY_AGAIN:
            reason = f"HTTP {response.status_code} {response.text[:200]}"
            asked = _retry_after(response.headers.get("retry-after", ""))
            if asked is not None and asked > LONGEST_WAIT:
                raise RunError(
                    say(
                        f"{self._url} asks to wait {asked:.0f} s: {reason}.",
                        f"{self._url} は {asked:.0f} 秒の待機を求めている: {reason}。",
                    ),
                    say("Run again later; finished shards are kept.", "後で再実行する。"),
                )
            raise _Busy(reason, asked)
        if response.is_error:
            raise self._refused(response)
        return self._object(response)

    def _object(self, response: httpx.Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise RunError(say(f"{self._url} did not answer in JSON.", f"{self._url} の応答は JSON ではない。"))
        return answer

    def _refused(self, response: httpx.Response) -> ConfigError:
        cure = say(
            f'Check url and model name under [models."{self.ref.name}"] in gnomon.toml.',
            f'gnomon.toml の [models."{self.ref.name}"] の url と名前を確かめる。',
        )
        if response.status_code in {401, 403}:
            key = self._place.key_env or "key_env"
            cure = say(f"Check the key in the variable {key}.", f"変数 {key} のキーを確かめる。")
        text = f"{self._url}: HTTP {response.status_code} {response.text[:300]}"
        return ConfigError(say(f"The endpoint refused: {text}", f"エンドポイントが拒否した: {text}"), cure)

    def _read(self, answer: dict[str, Any], wanted: int) -> Vectors:
        try:
            items = sorted(answer["data"], key=lambda item: item["index"])
            places = [item["index"] for item in items]
            rows = np.array([item["embedding"] for item in items], dtype=np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unusable(f"{type(error).__name__}: {error}") from error
        if places != list(range(wanted)) or rows.ndim != 2 or not np.isfinite(rows).all():
            raise self._unusable(f"{len(items)} vectors of shape {rows.shape} for {wanted} texts")
        if self.dimensions and rows.shape[1] != self.dimensions:
            raise self._unusable(f"{rows.shape[1]} dimensions after {self.dimensions}")
        return unit_rows(rows)

    def _unusable(self, reason: str) -> RunError:
        return RunError(
            say(f"The answer of {self._url} cannot be used: {reason}.", f"{self._url} の応答は使えない: {reason}。"),
            say("Is this an embedding model?", "埋め込みモデルかどうか確かめる。"),
        )


def _headers(ref: ModelRef, place: ModelPlace) -> dict[str, str]:
    if not place.key_env:
        return {}
    key = os.environ.get(place.key_env, "")
    if not key:
        raise ConfigError(
            say(
                f"The variable {place.key_env} with the key of {ref.name!r} is not set.",
                f"{ref.name!r} のキーを入れる変数 {place.key_env} がない。",
            ),
            say(f"export {place.key_env}=…", f"export {place.key_env}=…"),
        )
    return {"Authorization": f"Bearer {key}"}


def _retry_after(value: str) -> float | None:
    """Seconds to wait by a ``Retry-After`` header (RFC 9110, seconds or a date); None without one."""
    if value.strip().isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())
