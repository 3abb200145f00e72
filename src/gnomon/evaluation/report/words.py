"""Names that reports use, in both languages."""

from gnomon.evaluation.report.markup import Markup, both

STEPS = {
    "ingest": ("Read", "読み込み"), "withhold": ("Remove", "利用者の除外"),
    "clean": ("Clean", "整形"), "dedup": ("Deduplicate", "重複除去"),
    "decontaminate": ("For models", "モデル向け"), "chunk": ("Cut into passages", "分割"),
    "index": ("Index", "索引"), "vectors": ("Vectors", "ベクトル"), "trace": ("Trace", "トレース"),
}  # fmt: skip
LANGUAGES = {
    "en": ("English", "英語"), "ja": ("Japanese", "日本語"), "zh": ("Chinese", "中国語"), "de": ("German", "ドイツ語"),
    "fr": ("French", "フランス語"), "es": ("Spanish", "スペイン語"), "it": ("Italian", "イタリア語"),
    "ru": ("Russian", "ロシア語"), "ko": ("Korean", "韓国語"), "pt": ("Portuguese", "ポルトガル語"),
    "la": ("Latin", "ラテン語"), "und": ("undetermined", "不明"),
}  # fmt: skip
SUBJECTS = {
    "astro-ph.CO": ("Cosmology and extragalactic", "宇宙論・銀河系外"),
    "astro-ph.EP": ("Earth and planets", "地球・惑星"),
    "astro-ph.GA": ("Galaxies", "銀河"),
    "astro-ph.HE": ("High energy", "高エネルギー"),
    "astro-ph.IM": ("Instruments and methods", "装置・手法"),
    "astro-ph.SR": ("Sun and stars", "太陽・恒星"),
    "astro-ph": ("Astrophysics", "天体物理"), "gr-qc": ("General relativity", "一般相対論"),
    "hep-ph": ("Particle phenomenology", "素粒子現象論"), "hep-th": ("Particle theory", "素粒子理論"),
    "hep-ex": ("Particle experiment", "素粒子実験"), "nucl-th": ("Nuclear theory", "原子核理論"),
    "physics.space-ph": ("Space physics", "宇宙空間物理"), "physics.plasm-ph": ("Plasma physics", "プラズマ物理"),
    "quant-ph": ("Quantum physics", "量子物理"), "": ("none stated", "記載なし"),
}  # fmt: skip
REASONS = {
    "too_short": ("too short", "短すぎる"), "too_long": ("too long", "長すぎる"), "empty": ("empty", "空"),
    "no_text": ("no text", "本文なし"), "no_text_layer": ("no text layer", "テキスト層なし"),
    "broken_line": ("broken line", "壊れた行"), "broken_entry": ("broken entry", "壊れた項目"),
    "line_too_long": ("line too long", "長すぎる行"), "unreadable": ("unreadable", "読めない"),
    "link_loop": ("link that leads in a circle", "循環リンク"), "no_records": ("no records", "レコードなし"),
    "no_permission": ("no permission", "権限なし"), "not_a_file": ("not a file", "ファイルでない"),
    "not_a_record": ("not a record", "レコードでない"), "encrypted": ("encrypted", "暗号化"),
    "unknown_format": ("unknown format", "未知の形式"), "binary": ("binary", "バイナリ"),
    "duplicate_exact": ("exact copy", "完全な重複"), "duplicate_near": ("near copy", "ほぼ同じ"),
    "duplicate_id": ("same id", "同じ ID"), "contaminated": ("gives away an exam question", "試験問題を含む"),
    "withheld": ("removed by the user", "利用者が除外"), "removed": ("removed by the user", "利用者が除外"),
    "language": ("language the model cannot read", "モデルが読めない言語"),
}  # fmt: skip
KINDS = {"drop": ("leaves out", "除外"), "change": ("mends", "修正")}


def named(code: str, names: dict[str, tuple[str, str]]) -> Markup:
    """A code's name in both languages; the code itself as words when it has none."""
    en, ja = names.get(code, (code.replace("_", " "), code.replace("_", " ")))
    return both(en, ja)


def plural(value: int, one: str, many: str = "") -> str:
    """A count with its English noun."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def number(value: int) -> str:
    """A count with its thousands set apart by thin spaces."""
    return f"{value:,}".replace(",", "\u202f")


def share(part: float, whole: float) -> str:
    """A share in per cent: whole numbers from ten, one decimal below, ``<0.1`` for the rest."""
    percent = 100 * part / whole if whole else 0.0
    if percent == 0 or percent >= 10:
        return f"{percent:.0f}\u202f%"
    return f"{percent:.1f}\u202f%" if percent >= 0.1 else "<0.1\u202f%"
