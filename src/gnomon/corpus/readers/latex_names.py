"""Names of LaTeX macros and environments, and what a reader does with each."""

from typing import Any

SECTIONS = {"part": 0, "chapter": 0, "section": 1, "subsection": 2, "subsubsection": 3, "paragraph": 4}
CITATIONS = {
    "cite": "p", "citep": "p", "parencite": "p", "citealt": "a", "citealp": "a", "citet": "t", "textcite": "t",
    "citeauthor": "n", "citeyear": "y", "citeyearpar": "p", "citenum": "a", "Citet": "t", "Citep": "p",
    "autocite": "p", "footcite": "p", "onlinecite": "a", "citeA": "t", "shortcite": "p",
}  # fmt: skip
REFERENCES = {"ref": "{}", "eqref": "({})", "pageref": "{}", "autoref": "{}", "cref": "{}", "Cref": "{}", "vref": "{}"}
MATH_ENVIRONMENTS = frozenset(
    "equation equation* align align* eqnarray eqnarray* gather gather* multline multline* displaymath math"
    " alignat alignat* flalign flalign*".split()
)
FLOATS = {
    "figure": "Figure", "figure*": "Figure", "wrapfigure": "Figure", "SCfigure": "Figure", "sidewaysfigure": "Figure",
    "table": "Table", "table*": "Table", "deluxetable": "Table", "deluxetable*": "Table", "sidewaystable": "Table",
    "longtable": "Table", "splitdeluxetable": "Table", "splitdeluxetable*": "Table", "marginfigure": "Figure",
    "longrotatetable": "Table", "algorithm": "Algorithm", "listing": "Listing",
}  # fmt: skip
TABULARS = frozenset("tabular tabular* tabularx array longtable deluxetable deluxetable* splitdeluxetable".split())
DROPPED_ENVIRONMENTS = frozenset("comment CCSXML tikzpicture picture pgfpicture filecontents filecontents*".split())
NAMED_ENVIRONMENTS = {
    "abstract": "Abstract", "acknowledgments": "Acknowledgments", "acknowledgements": "Acknowledgements",
    "acks": "Acknowledgements", "ack": "Acknowledgments", "contribution": "Author contributions",
}  # fmt: skip
NAMED_MACROS = {
    "acknowledgments": "Acknowledgments", "acknowledgements": "Acknowledgements", "begin@abstract": "Abstract",
}  # fmt: skip
TEXT_MACROS = frozenset(
    "textbf textit emph textsc textrm textsf texttt textsl textup textmd textnormal text mbox hbox fbox underline uline"
    " bm boldsymbol mathrm code package normalsize centerline textsuperscript textsubscript makebox framebox added"
    " replaced edit1 edit2 rev hl MakeUppercase uppercase lowercase tablecomments tablenotetext colhead dataset object"
    " noopsort software facility facilities twocolhead".split()
)
"""Macros whose last argument is text to keep."""

ARGUMENTS = {
    "*[{": (
        *SECTIONS,
        *("includegraphics title subtitle").split(),
    ),
    "*[[{": tuple(CITATIONS),
    "*{": (
        *REFERENCES,
        *("vspace hspace nocite").split(),
    ),
    "[{": tuple(
        (
            "author affiliation affil address altaffiliation footnote footnotetext thanks email caption "
            "usepackage documentclass documentstyle keywords collaboration added edit1 edit2 tablenotetext "
            "tablenotemark dataset object orcidlink institute makebox framebox bibitem twocolhead todo cortext "
            "fntext nonumnote"
        ).split()
    ),
    "{": tuple(
        (
            "label url input include subfile bibliography bibliographystyle addbibresource pagestyle "
            "thispagestyle graphicspath hypersetup submitjournal received revised accepted published shorttitle "
            "shortauthors watermark correspondingauthor color inst plotone gridline date tablecaption tablehead "
            "tablewidth tabletypesize tablecolumns tablenum colhead phantom hphantom vphantom ensuremath software "
            "facility facilities tablecomments tablerefs pacs preprint orcid institution authorrunning "
            "titlerunning linespread pagenumbering keyword figurenum bibstyle pubyear volume stepcounter "
            "refstepcounter authornote newcounter usetikzlibrary input@path citestyle setcitestyle markright ead "
            "corref fnref tnotetext tnoteref lstset urlstyle bibpunct script variable showyourwork MakeUppercase "
            "uppercase lowercase code package texttt textsubscript textsuperscript uline hl rev noopsort text bm "
            "boldsymbol fbox hbox centerline"
        ).split()
    ),
    "{{": tuple(
        (
            "markboth href textcolor setlength addtolength setcounter addtocounter plottwo colorbox scalebox "
            "rotatebox replaced ion fontsize captionsetup texorpdfstring raisebox"
        ).split()
    ),
    "{{{": tuple(("fig leftfig rightfig resizebox multicolumn multirow definecolor fcolorbox").split()),
}
"""Macros by the arguments they take: ``*`` a star, ``[`` optional, ``{`` required."""
SYMBOLS = {
    "S": "§", "P": "¶", "arcsec": "″", "arcmin": "′", "degr": "°", "arcdeg": "°", "deg": "°", "micron": "µm",
    "sun": "☉",
    "farcs": ".″", "farcm": ".′", "fdg": ".°", "la": "≲", "ga": "≳", "lesssim": "≲", "gtrsim": "≳", "lsim": "≲",
    "gsim": "≳", "earth": "⊕", "nodata": "…", "diameter": "⌀", "slash": "/",
}  # fmt: skip
"""Symbols of journal classes that the parser does not know."""
SILENT = frozenset(
    "maketitle tableofcontents listoffigures listoftables checknextarg @ makeatletter makeatother".split()
)
"""Macros that print nothing of the paper's own."""
SECOND_IS_TEXT = frozenset(("href", "textcolor", "colorbox", "scalebox", "rotatebox", "replaced", "raisebox"))
"""Macros whose second argument is the text."""
THIRD_IS_TEXT = frozenset(("resizebox", "multicolumn", "multirow", "fcolorbox"))
"""Macros whose third argument is the text."""


def context() -> Any:
    """The parser's knowledge of LaTeX, with the macros of papers added."""
    from pylatexenc.latexwalker import get_default_latex_context_db
    from pylatexenc.macrospec import std_environment, std_macro

    known = get_default_latex_context_db()
    macros = [std_macro(name, spec) for spec, names in ARGUMENTS.items() for name in names]
    environments = [std_environment(name, "[") for name in FLOATS if "deluxetable" not in name and name != "longtable"]
    environments += [std_environment(name, "{") for name in FLOATS if "deluxetable" in name]
    environments += [std_environment("thebibliography", "{"), std_environment("minipage", "[{")]
    environments += [std_environment("longtable", "[{"), std_environment("wrapfigure", "[{[{")]
    environments += [std_environment("tabularx", "{{"), std_environment("tabular*", "{[{")]
    known.add_context_category("papers", prepend=True, macros=macros, environments=environments)
    return known
