"""Language: which one a text is written in, and how sure that is.

Scripts decide where they can: kana is Japanese, hangul Korean. Elsewhere py3langid's naive Bayes
over byte n-grams decides (its model is inside its wheel), among the languages in which papers
are written, because a short title full of star names looks like a rare language otherwise.
"""

import copy
import functools
import re
from typing import Any

from gnomon.core.errors import MissingExtra

UNDETERMINED = "und"
CANDIDATES = (
    "en", "ja", "zh", "ko", "de", "fr", "es", "it", "pt", "nl", "ru", "uk", "pl", "cs", "sv", "da", "no", "fi", "el",
    "tr", "hu", "ro", "ar", "he", "fa", "hi", "id", "vi", "th", "la",
)  # fmt: skip
"""Languages a scholarly text may be in."""
SHORT_CANDIDATES = ("en", "ja", "zh", "ko", "de", "fr", "es", "it", "pt", "nl", "ru", "pl", "el")
"""The candidates for a text too short for more."""
_SHORT, _SAMPLE, _LONG_SAMPLE, _LEAST_LETTERS, _SURE = 120, 200, 2_000, 8, 0.95
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_WORDS = re.compile(r"[^\W\d_]+(?:[ '’\-,.]+[^\W\d_]+)*")
_KANA_SHARE, _HANGUL_SHARE, _HAN_SHARE, _LEAST_HAN = 0.05, 0.3, 0.5, 40


def identify(text: str) -> tuple[str, float]:
    """ISO 639-1 code of a text and the confidence in it, ``("und", 0.0)`` when nothing can be said."""
    sample = _sample(text)
    letters = sum(map(str.isalpha, sample))
    if letters < _LEAST_LETTERS:
        return ("ja", 1.0) if letters and 2 * len(_KANA.findall(sample)) > letters else (UNDETERMINED, 0.0)
    script = "" if sample.isascii() else _by_script(sample, letters)
    if script:
        return script, float(script != UNDETERMINED)
    language, confidence = _identifier(short=letters < _SHORT).classify(sample)
    if len(text) > _SAMPLE and (language != "en" or confidence < _SURE):
        sample = _sample(text, _LONG_SAMPLE)  # a rare or unsure finding is worth a longer look
        letters = sum(map(str.isalpha, sample))
        language, confidence = _identifier(short=letters < _SHORT).classify(sample)
    if language in {"ja", "zh"} and 10 * len(_HAN.findall(sample)) < letters:
        return UNDETERMINED, 0.0
    return language, round(confidence, 3)


def _by_script(sample: str, letters: int) -> str:
    """The language that a script gives away, empty when none does."""
    kana, hangul, han = (len(p.findall(sample)) / letters for p in (_KANA, _HANGUL, _HAN))
    if kana >= _KANA_SHARE:
        return "ja"
    if hangul > _HANGUL_SHARE:
        return "ko"
    # A few ideographs may be Chinese or a Japanese title.
    return UNDETERMINED if han > _HAN_SHARE and letters < _LEAST_HAN else ""


def _sample(text: str, size: int = _SAMPLE) -> str:
    """The letters of a text's beginning, and of its middle for a long look."""
    middle = len(text) // 2
    parts = (text[:size], text[middle : middle + size]) if size == _LONG_SAMPLE < middle else (text[:size],)
    return " ".join(word for part in parts for word in _WORDS.findall(part))


@functools.cache
def _identifier(*, short: bool) -> Any:
    identifier = copy.copy(_model())
    identifier.set_languages(list(SHORT_CANDIDATES if short else CANDIDATES))
    return identifier


@functools.cache
def _model() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise MissingExtra("py3langid", "corpus", "Telling languages apart") from error
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def decide(stated: str, text: str) -> tuple[str, float]:
    """The language of a document: what its source states, unless its script says otherwise.

    Args:
        stated: ISO code of the source, ``""`` or ``"und"`` when it states none.
        text: The cleaned text.
    """
    found, confidence = identify(text)
    if stated in {"", UNDETERMINED} or (found in {"ja", "ko"} and confidence == 1.0):
        return found, confidence
    return stated, confidence if stated == found else 0.0
