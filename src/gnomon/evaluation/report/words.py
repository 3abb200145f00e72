"""Names that reports use, in both languages."""

from gnomon.evaluation.report.markup import Markup, both, thousands

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
    "empty_file": ("empty file", "空のファイル"),
    "no_text": ("no text", "本文なし"),
    "no_text_column": ("no column of text", "本文の列がない"),
    "no_records": ("no records", "レコードなし"),
    "broken_line": ("broken line", "壊れた行"),
    "broken_entry": ("broken entry", "壊れた項目"),
    "broken_json": ("broken JSON", "壊れた JSON"),
    "broken_latex": ("broken LaTeX", "壊れた LaTeX"),
    "broken_packing": ("broken archive", "壊れた圧縮"),
    "broken_parquet": ("broken Parquet", "壊れた Parquet"),
    "broken_pdf": ("broken PDF", "壊れた PDF"),
    "broken_xml": ("broken XML", "壊れた XML"),
    "truncated": ("cut short", "途中で切れている"),
    "line_too_long": ("line too long", "長すぎる行"),
    "too_large": ("file too large", "大きすぎる"),
    "packed_bomb": ("unpacks without end", "展開後が大きすぎる"),
    "encrypted_pdf": ("encrypted PDF", "暗号化された PDF"),
    "pdf_without_text": ("PDF without text", "本文のない PDF"),
    "binary": ("binary file", "バイナリ"),
    "unknown_format": ("unknown format", "未知の形式"),
    "reader_crashed": ("reader crashed", "読み取りが異常終了"),
    "reader_failed": ("reader failed", "読み取り失敗"),
    "unreadable": ("unreadable", "読めない"),
    "not_a_record": ("not a record", "レコードでない"),
    "deleted_record": ("deleted at its source", "出典で削除済み"),
    "same_work": ("the same work twice", "同じ著作"),
    "link_loop": ("link in a circle", "循環リンク"),
    "no_permission": ("no permission", "権限なし"),
    "not_a_file": ("not a file", "ファイルでない"),
    "placeholder": ("placeholder", "仮の文"),
    "withdrawn": ("withdrawn", "取り下げ"),
    "too_short": ("too short", "短すぎる"),
    "too_long": ("too long", "長すぎる"),
    "garbled": ("garbled", "文字化け"),
    "symbols": ("mostly symbols", "記号ばかり"),
    "digits": ("mostly digits", "数字ばかり"),
    "broken_words": ("broken words", "壊れた語"),
    "repeated_lines": ("repeated lines", "行の繰り返し"),
    "repeated_ngrams": ("repeated phrases", "語句の繰り返し"),
    "contents": ("table of contents", "目次"),
    "bullets": ("mostly bullets", "箇条書きばかり"),
    "no_sentence": ("no sentence", "文がない"),
    "language": ("language not wanted", "対象外の言語"),
    "encoding": ("encoding", "文字コード"),
    "characters": ("character forms", "文字の形"),
    "spacing": ("spacing", "空白"),
    "furniture": ("page furniture", "ページの飾り"),
    "unwrapping": ("line breaks", "改行"),
    "latex": ("LaTeX remnants", "LaTeX の残り"),
    "duplicate_exact": ("exact copy", "完全な重複"),
    "duplicate_near": ("near copy", "ほぼ同じ"),
    "contaminated": ("gives away an exam question", "試験問題を含む"),
    "removed": ("removed by the user", "利用者が除外"),
    "no_tokens": ("gives no token", "トークンにならない"),
    "repeated_id": ("an id for the second time", "重複した ID"),
    "not_jsonl": ("no JSON Lines", "JSON Lines でない"),
    "not_drawn": ("not drawn for the mixture", "混合に選ばれなかった"),
    "series": ("parts of a series", "連作"),
    "identifiers": ("different identifiers", "異なる識別子"),
    "titles": ("different titles", "異なる題"),
}
"""Why something was left out, what was mended, and why like texts stayed apart."""
KINDS = {"drop": ("leaves out", "除外"), "change": ("mends", "修正")}


def named(code: str, names: dict[str, tuple[str, str]]) -> Markup:
    """A code's name in both languages; the code itself as words when it has none."""
    en, ja = names.get(code, (code.replace("_", " "), code.replace("_", " ")))
    return both(en, ja)


def plural(value: int, one: str, many: str = "") -> str:
    """A count with its English noun."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def number(value: int) -> str:
    """A count with its thousands set apart."""
    return f"{value:,}".replace(",", thousands())


def share(part: float, whole: float) -> str:
    """A share in per cent: whole numbers from ten, one decimal below, ``<0.1`` for the rest."""
    percent = 100 * part / whole if whole else 0.0
    if part < whole and percent >= 99.5:
        return f"{min(percent, 99.9):.1f}\u202f%"
    if percent == 0 or percent >= 10:
        return f"{percent:.0f}\u202f%"
    return f"{percent:.1f}\u202f%" if percent >= 0.1 else "<0.1\u202f%"
