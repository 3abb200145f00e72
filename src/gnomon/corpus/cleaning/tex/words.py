"""LaTeX words: what each command stands for in plain text.

The thousand symbols are pylatexenc's; the tables below add what its defaults lack: commands of
astronomical journals, the private shorthands that authors leave in abstracts, and how a command
treats its arguments.
"""

import functools

_COMBINING = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "r": "\u030a", "k": "\u0328", "d": "\u0323",
    "b": "\u0331", "hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "dot": "\u0307", "ddot": "\u0308",
    "tilde": "\u0303", "widetilde": "\u0303", "vec": "\u20d7", "check": "\u030c", "breve": "\u0306",
    "acute": "\u0301", "grave": "\u0300", "mathring": "\u030a", "overline": "\u0304",
}  # fmt: skip
ACCENTS = _COMBINING
"""Accent commands, with the combining character each puts on its argument."""

SWITCHES = frozenset(
    "rm it bf em sc tt sl sf cal mit small large Large LARGE huge Huge tiny scriptsize footnotesize normalsize"
    " scriptstyle scriptscriptstyle displaystyle textstyle boldmath bold left right middle big Big bigg Bigg bigl"
    " bigr Bigl Bigr biggl biggr limits nolimits noindent protect nonumber null relax centering raggedright"
    " itshape bfseries upshape scshape rmfamily sffamily ttfamily mathstrut strut xspace selectfont smallskip"
    " medskip bigskip vfill hfill clearpage newpage indent phantom".split()
)
"""Commands that change how what follows looks; they leave nothing behind."""

DRESSES = frozenset(
    "text textrm textit textbf texttt textsc textsf textsl textup textmd textnormal textsubscript textsuperscript"
    " emph mathrm mathit mathbf mathsf mathtt mathcal mathbb mathbbm mathfrak mathscr mathnormal mathord mathop"
    " mathbin mathrel boldsymbol bm pmb mbox hbox vbox fbox makebox operatorname ensuremath underline uline ul"
    " overbrace underbrace overrightarrow code software package url nolinkurl path num si ce ch ac acs acl acp"
    " gls mathchoice smash rlap llap center centerline substack title section subsection subsubsection paragraph"
    " caption abstract sqrt".split()
)
"""Commands whose argument stays as it is."""

SILENT = frozenset(
    "label index vspace hspace vskip hskip kern bibliographystyle bibliography pagestyle thispagestyle"
    " usepackage documentclass hyphenation phantom vphantom hphantom".split()
)
"""Commands that leave nothing behind, with their argument."""

CITES = frozenset(
    "cite citep citet citealt citealp citeauthor citeyear citeyearpar Citet Citep nocite parencite textcite"
    " ref eqref pageref autoref cref Cref".split()
)
"""Commands whose argument is a key, shown in brackets so that no sentence loses its object."""

MATH_PLACES = frozenset(
    "equation eqnarray align aligned multline gather math displaymath array cases matrix pmatrix bmatrix".split()
)
"""Environments whose content is mathematics."""

_LESS, _GREATER = "≲", "≳"
_OURS = {
    "sun": "⊙", "Sun": "⊙", "earth": "⊕", "arcsec": "″", "arcmin": "′", "farcs": "″", "farcm": "′", "fdg": "°",
    "fs": "s", "degr": "°", "degree": "°", "arcdeg": "°", "deg": "°", "degrees": "°", "micron": "μm", "mum": "μm",
    "um": "μm", "textmu": "μ", "la": _LESS, "ga": _GREATER, "lsim": _LESS, "gsim": _GREATER, "simlt": _LESS,
    "simgt": _GREATER, "lta": _LESS, "gta": _GREATER, "ltorder": _LESS, "gtorder": _GREATER, "ltsim": _LESS,
    "gtsim": _GREATER, "ltsima": _LESS, "gtsima": _GREATER, "lapprox": _LESS, "gapprox": _GREATER,
    "lesssim": _LESS, "gtrsim": _GREATER, "lessapprox": _LESS, "gtrapprox": _GREATER, "lt": "<", "gt": ">",
    "le": "≤", "ge": "≥", "leqslant": "≤", "geqslant": "≥", "kms": "km s^-1", "kmps": "km s^-1",
    "msun": "M⊙", "Msun": "M⊙", "Msol": "M⊙", "msol": "M⊙", "Mo": "M⊙", "lsun": "L⊙", "Lsun": "L⊙", "rsun": "R⊙",
    "Rsun": "R⊙", "mearth": "M⊕", "rearth": "R⊕", "HI": "H I", "hi": "H I", "HII": "H II", "hii": "H II",
    "lya": "Lyα", "Lya": "Lyα", "ha": "Hα", "Ha": "Hα", "hb": "Hβ", "Hb": "Hβ", "oiii": "[O III]", "oii": "[O II]",
    "nii": "[N II]", "sii": "[S II]", "mgii": "Mg II", "civ": "C IV", "CII": "C II", "cii": "C II", "teff": "T_eff",
    "Teff": "T_eff", "logg": "log g", "etal": "et al.", "ie": "i.e.", "eg": "e.g.", "Mpc": "Mpc", "mpc": "Mpc",
    "hmpc": "h^-1 Mpc", "hkpc": "h^-1 kpc", "lq": "‘", "rq": "’", "ldots": "…", "dots": "…", "cdots": "…",
    "textdegree": "°", "circ": "∘", "mid": "|", "vert": "|", "Vert": "‖", "quad": " ", "qquad": "  ", "colon": ":",
    "newline": "\n", "par": "\n\n", "slash": "/",
    "sim": "∼", "prime": "′", "log": "log", "ln": "ln", "exp": "exp", "to": "→", "star": "⋆", "over": "/",
    "LambdaCDM": "ΛCDM", "LCDM": "ΛCDM", "lcdm": "ΛCDM", "maketitle": "", "tableofcontents": "", "item": "\n- ",
    "textasciitilde": "~", "texttildelow": "~", "setminus": "∖",
    "AA": "Å", "aa": "å", "i": "ı", "j": "ȷ", "bullet": "•",
}  # fmt: skip
SPACES = {",": " ", ";": " ", ":": " ", " ": " ", "!": "", "/": "", "-": "", "\\": " ", "\n": " ", "\t": " ", "@": ""}
"""Control symbols that are spaces, or nothing."""
FUNCTIONS = frozenset(
    "log ln exp sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh max min sup inf lim det dim arg ker"
    " gcd".split()
)
"""Names of functions: they need room on both sides."""


@functools.cache
def symbols() -> dict[str, str]:
    """Commands without arguments and the characters they stand for."""
    from pylatexenc.latex2text import get_default_latex_context_db

    database = get_default_latex_context_db()
    found: dict[str, str] = {}
    for category in reversed(database.categories()):
        for name, spec in database.d[category]["macros"].items():
            if isinstance(spec.simplify_repl, str) and len(spec.simplify_repl) == 1 != spec.simplify_repl.isascii():
                found[name] = spec.simplify_repl
    return found | _OURS | {name: name for name in FUNCTIONS}
