"""Reading a causal language model from its files, with a plain word for everything that can be wrong with them.

transformers fills a tensor that a file lacks with random numbers and goes on; here that is an error, and so is
a tokenizer with more tokens than the model knows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError, MissingExtra, NotFound
from gnomon.core.wording import say
from gnomon.llm.tokens import Tokens, load_tokens
from gnomon.llm.weights import Weights

DTYPES = ("float32", "bfloat16", "float16", "auto")


def load_causal(weights: Weights, dtype: str, device: str) -> tuple[Any, Tokens]:
    """A model in evaluation mode on its device, and its tokenizer.

    Args:
        weights: Where the files are.
        dtype: ``float32``, ``bfloat16``, ``float16``, or ``auto`` for that of the file.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``…

    Raises:
        NotFound: There is no such folder.
        ConfigError: The architecture, the dtype or the device is not there.
        DataError: A file is missing, damaged, or does not fit the others.
        MissingExtra: torch or transformers is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra("transformers", "train", say("A local language model", "手元の言語モデル")) from error
    place = _device(torch, device)
    _check_dtype(dtype)
    where = weights.name_or_folder
    config = _config(transformers, weights)
    tokens = load_tokens(weights)
    options = {"dtype": dtype, "use_safetensors": True, "output_loading_info": True}
    with _reading(where), _no_bars(transformers):
        model, info = transformers.AutoModelForCausalLM.from_pretrained(**weights.keywords(), config=config, **options)
    _check_whole(where, info)
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokens.tokenizer) > rows:
        message = f"{len(tokens.tokenizer)} tokens in the tokenizer, {rows} in the model"
        raise _damaged(where, message)
    model = model.eval().requires_grad_(False)
    _check_causal(torch, where, model)
    ends = _ends(model.generation_config) | _ends(config)
    model.generation_config = transformers.GenerationConfig()  # its sampling settings are no part of a measurement
    return model.to(place), Tokens(tokens.tokenizer, sorted(ends))


def _device(torch: Any, device: str) -> Any:
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA raises AssertionError
        raise ConfigError(
            say(f"The device {device!r} cannot be used: {error}.", f"装置 {device!r} は使えない: {error}。"),
            say('Use "auto" or "cpu".', '"auto" か "cpu" を使う。'),
        ) from error
    return place


def _check_dtype(dtype: str) -> None:
    if dtype not in DTYPES:
        known = ", ".join(DTYPES)
        raise ConfigError(
            say(f"There is no dtype {dtype!r}.", f"dtype {dtype!r} はない。"),
            say(f"Known: {known}.", f"候補: {known}。"),
        )


def _config(transformers: Any, weights: Weights) -> Any:
    folder = Path(weights.name_or_folder)
    if not folder.is_dir():
        raise NotFound(
            say(f"{folder} is not a folder.", f"{folder} はフォルダではない。"),
            say("Name a folder with config.json.", "config.json のあるフォルダを指定する。"),
        )
    if not (folder / "config.json").is_file():
        if any(folder.glob("*.gguf")):
            raise _quantised(folder)
        raise _damaged(str(folder), say("there is no config.json", "config.json がない"))
    with _reading(str(folder)):
        config = transformers.AutoConfig.from_pretrained(**weights.keywords())
    if type(config) not in transformers.AutoModelForCausalLM._model_mapping:
        raise _unknown(str(folder), config.model_type)
    return config


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Say in our words what went wrong while files were read."""
    from safetensors import SafetensorError

    try:
        yield
    except ValueError as error:
        if "model type" in str(error) or "Unrecognized model" in str(error):
            raise _unknown(where, str(error).partition(".")[0]) from error
        raise _damaged(where, str(error)) from error
    except (OSError, RuntimeError, ImportError, KeyError, TypeError, SafetensorError) as error:
        raise _damaged(where, f"{type(error).__name__}: {error}") from error


@contextmanager
def _no_bars(transformers: Any) -> Iterator[None]:
    """Reading weights takes a second and needs no progress bar; bars of downloads stay as they were."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _check_whole(where: str, info: Any) -> None:
    missing = sorted(info["missing_keys"])
    if missing:
        raise _damaged(where, f"{len(missing)} tensors are missing, the first is {missing[0]}")
    if info.get("mismatched_keys"):
        raise _damaged(where, f"tensors of another shape: {sorted(info['mismatched_keys'])[0]}")


def _check_causal(torch: Any, where: str, model: Any) -> None:
    """Refuse an encoder: transformers would run one as a decoder whose every token sees what it should predict."""
    with torch.inference_mode():
        one, other = model.base_model(torch.tensor([[1, 0], [1, 2]])).last_hidden_state[:, 0].float()
    if not torch.allclose(one, other, rtol=1e-3, atol=1e-3):
        raise _unknown(where, say(f"{model.config.model_type} reads ahead", f"{model.config.model_type} は先読みする"))


def _ends(config: Any) -> set[int]:
    found = getattr(config, "eos_token_id", None)
    return set() if found is None else {found} if isinstance(found, int) else set(found)


def _damaged(where: str, why: str) -> DataError:
    return DataError(
        say(f"The model in {where} cannot be read: {why}.", f"{where} のモデルを読めない: {why}。"),
        say(
            "Copy or fetch it again: config.json, *.safetensors, tokenizer.json, tokenizer_config.json.",
            "config.json、*.safetensors、tokenizer.json、tokenizer_config.json をもう一度取得する。",
        ),
    )


def _quantised(folder: Path) -> ConfigError:
    return ConfigError(
        say(f"{folder} holds GGUF files, which llama.cpp reads.", f"{folder} にあるのは llama.cpp 用の GGUF である。"),
        say(
            "Serve it with llama-server and name the endpoint in gnomon.toml, or name the folder of its safetensors.",
            "llama-server で動かして gnomon.toml に登録するか、safetensors のフォルダを指定する。",
        ),
    )


def _unknown(where: str, kind: str) -> ConfigError:
    return ConfigError(
        say(
            f"{where} holds no causal language model that this transformers knows: {kind}.",
            f"{where} には、この版の transformers が扱える因果言語モデルがない: {kind}。",
        ),
        say(
            "Update transformers, or serve it with vLLM and name the endpoint in gnomon.toml.",
            "transformers を更新するか、vLLM で動かして gnomon.toml に登録する。",
        ),
    )
