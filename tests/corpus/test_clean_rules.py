import pytest

from gnomon.corpus.cleaning import rules
from gnomon.corpus.cleaning.config import CleanConfig
from gnomon.corpus.cleaning.language import decide, identify

CONFIG = CleanConfig()
ABSTRACT = (
    "We measured the radial velocities of 212 giants in the outer disc and find that their dispersion falls from"
    " 45 to 28 km/s between 8 and 16 kpc. The slope agrees with a disc that was heated by spiral arms and not by mergers."
)
JAPANESE = "銀河系の外側の円盤にある巨星212個の視線速度を測定し、速度分散が外側ほど小さいことを見いだした。"


def reason(text: str, lang: str = "en", config: CleanConfig = CONFIG) -> str:
    return rules.failed(rules.subject(text, "A title", lang), config)[0]


@pytest.mark.parametrize(
    "text",
    [
        ABSTRACT,
        "A note of seven words is kept.",
        "We give $x^2 + y^2 = 1$ for 12 cases: 1.2, 3.4, 5.6, 7.8 and 9.0 solar masses, in (a) and (b).",
        "Comment on a paper: the distance modulus in Table 3 should read 18.49 mag.",
        "- first point of the plan\n- second point\n- third point",
        "The instrument was withdrawn from the telescope in 2011 and the paper has three parts about it. " + ABSTRACT,
        "Let P be a polynomial in n complex variables x 1, x 2 and x 3, so that P ( x ) = c x y z for all x and y in C. " * 2,
    ],
)  # fmt: skip
def test_a_short_scholarly_text_is_kept(text: str) -> None:
    assert reason(text) == ""


@pytest.mark.parametrize(
    "text", [JAPANESE, "星の一生を決めるのは質量である。", "M31までの距離は約250万光年である。\n" + JAPANESE]
)
def test_a_short_japanese_text_is_kept(text: str) -> None:
    assert reason(text, "ja") == ""


@pytest.mark.parametrize(
    ("rule", "text", "lang"),
    [
        ("too_short", "Two words.", "en"), ("too_short", "", "und"), ("too_short", "星の話。", "ja"),
        ("placeholder", "No abstract available.", "en"), ("placeholder", "TBD", "en"), ("placeholder", "要旨なし", "ja"),
        ("placeholder", "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.", "la"),
        ("withdrawn", "This paper has been withdrawn by the author due to an error in equation 3.", "en"),
        ("withdrawn", "This article was temporarily retracted because two figures were exchanged.", "en"),
        ("withdrawn", "この論文は取り下げられた。著者の計算に誤りが見つかったためである。", "ja"),
        ("symbols", "∫∫ ∂ = ∇ ⊗ ∇ ≡ ∮ ∑ ∏ ± ∓ → ← ↔ a ⇒ ⇐ ∀ ∃ b ∈ ∉ c ⊂ ⊃ ∪ d ∩ e ∧ f ∨ g", "en"),
        ("digits", "12.4 13.5 11.8 12.2 9.7 10.3 15.5 the 14.1 13.3 12.9 10.1 11.2 and 13.6 of 12.7", "en"),
        ("garbled", "T\ufffde st\ufffdrs \ufffdn th\ufffd cl\ufffdst\ufffdr \ufffdr\ufffd \ufffdld \ufffdnd r\ufffdd th\ufffdre", "en"),
        ("garbled", "(cid:12)(cid:45)(cid:3) the (cid:77)(cid:12) of a (cid:45)(cid:3)(cid:77) star in the sky", "en"),
        ("broken_words", "T h e s t a r s i n t h e c l u s t e r a r e o l d a n d r e d a n d m e t a l p o o r", "en"),
        ("broken_words", " ".join(["thestarsintheclusterareoldandred"] * 20 + ["the of and"]), "en"),
        ("repeated_lines", "Click here to see the next page of the list\n" * 20, "en"),
        ("repeated_ngrams", "the distance to the cluster is the same as the distance to the star " * 12, "en"),
        ("contents", "\n".join(f"{i} The chapter about stars ........ {i * 7}" for i in range(9)), "en"),
        ("bullets", "\n".join(f"- keyword number {chr(97 + i)} and more" for i in range(14)), "en"),
        ("no_sentence", "Abell Bullock Chandrasekhar Doppler Eddington Fowler Gamow Hubble Iben Jeans Kuiper Lemaitre"
                        " Minkowski Newton Oort Payne", "en"),
        ("no_sentence", "太陽系 惑星 衛星 小惑星 彗星 流星 隕石 銀河系 恒星 星雲 星団", "ja"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_left_out_for_its_reason(rule: str, text: str, lang: str) -> None:
    name, detail = rules.failed(rules.subject(text, "", lang), CONFIG)
    assert name == rule
    assert detail
    assert reason(text, lang, CleanConfig(off=tuple(rules.NAMES))) == ""


def test_every_rule_has_a_test_a_docstring_and_a_place_in_the_settings() -> None:
    marks = test_what_is_no_text_is_left_out_for_its_reason.pytestmark[0].args[1]
    assert {rule.__name__ for rule in rules.RULES} - {"language"} == {case[0] for case in marks}
    assert all(rule.__doc__ for rule in rules.RULES)
    settings = "".join(CleanConfig.__annotations__)
    assert all(word in settings for word in ("words", "digit", "symbol", "garbled", "spelled", "languages"))


def test_languages_are_kept_unless_some_are_asked_for() -> None:
    german = "Wir haben die Geschwindigkeiten der Sterne in der äußeren Scheibe gemessen und finden, dass sie abnehmen."
    assert identify(german)[0] == "de"
    assert reason(german, "de") == ""
    assert reason(german, "de", CleanConfig(languages=("en", "ja"))) == "language"
    assert reason(ABSTRACT, "en", CleanConfig(languages=("en", "ja"))) == ""


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        (ABSTRACT, "en"), (JAPANESE, "ja"), ("ダークマターの謎", "ja"), ("은하의 회전 곡선은 바깥쪽에서도 평평하다", "ko"),
        ("我们测量了银河系外盘中二百一十二颗巨星的视向速度，发现它们的速度弥散随着半径的增大而减小，这与旋臂加热的结果一致。", "zh"),
        ("Nous avons mesuré les vitesses des étoiles du disque et trouvé que leur dispersion diminue.", "fr"),
        ("Мы измерили лучевые скорости звёзд во внешнем диске и нашли, что их дисперсия уменьшается.", "ru"),
        ("", "und"), ("12 345 +/- 6", "und"), ("x", "und"), ("超新星残骸", "und"), ("\ud800\x00", "und"),
    ],
)  # fmt: skip
def test_a_language_is_named_or_left_open(text: str, lang: str) -> None:
    assert identify(text)[0] == lang


def test_the_language_a_source_states_stands_unless_the_script_denies_it() -> None:
    assert decide("it", ABSTRACT) == ("it", 0.0)
    assert decide("en", ABSTRACT)[0] == "en"
    assert decide("en", JAPANESE) == ("ja", 1.0)
    assert decide("ja", "超新星残骸") == ("ja", 0.0)
    assert decide("und", JAPANESE) == ("ja", 1.0)
