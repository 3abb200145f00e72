"""Settings of ``corpus/clean``, apart from the code that reads them so that planning stays light."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """What is mended, and which texts are left out."""

    encoding: bool = True
    """Mend broken encodings, HTML entities and control characters (ftfy)."""
    characters: bool = True
    """NFC, and NFKC where it changes no meaning; invisible characters removed."""
    latex: bool = True
    """Replace LaTeX remnants by plain text."""
    furniture: bool = True
    """Remove page numbers, running heads, copyright, licence and stamp lines."""
    unwrap: bool = True
    """Join the lines of hard-wrapped paragraphs."""
    languages: tuple[str, ...] = ()
    """Languages that are kept (ISO 639-1); empty keeps every language, undetermined ones too."""
    off: tuple[str, ...] = ()
    """Names of quality rules that are not applied."""
    max_characters: int = 5_000_000
    """``too_long``: characters of a text before cleaning."""
    min_words: int = 3
    """``too_short``: words of a text in a spaced script."""
    min_characters: int = 12
    """``too_short``: characters of a text in an unspaced script (Japanese, Chinese)."""
    max_withdrawn_words: int = 60
    """``withdrawn``: words besides the notice; a longer text that mentions a withdrawal is kept."""
    max_symbol_share: float = 0.35
    """``symbols``: share of visible characters that are neither letters, digits nor usual punctuation."""
    max_digit_share: float = 0.45
    """``digits``: share of digits among letters and digits."""
    max_garbled_share: float = 0.05
    """``garbled``: share of visible characters that no text holds (replacement characters, private
    use, undefined glyphs)."""
    max_spelled_share: float = 0.2
    """``broken_words``: share of words that are single letters in a row, as where a PDF spaced them."""
    max_mean_word: float = 20.0
    """``broken_words``: mean length of words, as where a PDF lost its spaces (Gopher: 10)."""
    max_repeated_lines: float = 0.6
    """``repeated_lines``: share of characters in lines that stood before (Gopher: 0.2)."""
    max_repeated_ngrams: float = 0.6
    """``repeated_ngrams``: share of 8-grams of words (16 characters in unspaced scripts) that stood
    before (Gopher: 0.12 of the characters in 8-grams, for web pages)."""
    max_leader_lines: float = 0.5
    """``contents``: share of lines that lead to a page number by dots, as in tables of contents."""
    max_bullet_lines: float = 0.98
    """``bullets``: share of lines that are list items without a sentence end (Gopher: 0.9)."""
    min_sentence_words: int = 2
    """``no_sentence``: different function words of an English text (Gopher: 2)."""
