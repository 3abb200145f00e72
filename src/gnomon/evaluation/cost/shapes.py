"""Shapes: the few things a chart is drawn from, and painters that put them on paper, as SVG and as PNG.

One list of shapes feeds both painters, so that the two pictures are one. Lengths are in pixels of the SVG. Text is
measured with the font that Pillow brings along, and SVG texts are told their length, so that no viewer's font can make
labels overlap that do not overlap here.
"""

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gnomon.core.errors import MissingExtra

FONTS = ("NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "ipaexg.ttf", "ipag.ttf", "TakaoGothic.ttf",
         "Hiragino Sans GB.ttc", "YuGothM.ttc", "msgothic.ttc", "DejaVuSans.ttf", "Arial.ttf")  # fmt: skip
"""Fonts of systems that are tried, in order, for letters that Pillow's own font has not."""
FAMILY = "Helvetica, Arial, 'Hiragino Sans', 'Noto Sans CJK JP', 'Yu Gothic', sans-serif"
SAMPLES = 3
"""Pixels each way of which one of the PNG is made."""
Place = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line through some places."""

    places: tuple[Place, ...]
    """From place to place."""
    color: str
    """``#rrggbb``."""
    width: float = 1.0
    """Its width."""
    dash: float = 0.0
    """Length of dashes; 0 for none."""
    group: str = ""
    """Class of its SVG element."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A filled outline: a mark, or the ground of a text."""

    places: tuple[Place, ...]
    """Its corners; one corner is the centre of a circle."""
    radius: float = 0.0
    """Of a circle."""
    fill: str = "#ffffff"
    """``#rrggbb``."""
    stroke: str = ""
    """Colour of its edge, empty for none."""
    width: float = 1.5
    """Width of its edge."""
    group: str = ""
    """Class of its SVG element."""
    tip: str = ""
    """What is said when it is pointed at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """One line of text."""

    place: Place
    """Where its baseline begins, ends or has its middle."""
    text: str
    """What it says."""
    size: float
    """Its size."""
    color: str = "#222222"
    """``#rrggbb``."""
    anchor: str = "start"
    """``start``, ``middle`` or ``end``."""
    turned: bool = False
    """Whether it runs upwards."""
    group: str = ""
    """Class of its SVG element."""


Drawn = Line | Shape | Text


def text_width(text: str, size: float) -> float:
    """The width of a text."""
    return float(_font(text, 100).getlength(text)) * size / 100


@cache
def _font(text: str, size: int) -> Any:
    try:
        from PIL import ImageFont
    except ImportError as error:
        raise MissingExtra("PIL", "chart", "Drawing charts") from error
    own = ImageFont.load_default(size)
    if not text.isascii() and any(not _has(letter) for letter in set(text)):
        for name in FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return own


@cache
def _has(letter: str) -> bool:
    """Whether the font that Pillow brings along can draw a letter."""
    from PIL import ImageFont

    font = ImageFont.load_default(20)
    return letter.isascii() or bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))


# SVG -----------------------------------------------------------------------------------------


def svg(drawn: Sequence[Drawn], width: int, height: int, title: str) -> str:
    """The picture as SVG.

    Args:
        drawn: What is on it, from the back.
        width: Its width.
        height: Its height.
        title: What it shows, for readers who cannot see it.
    """
    body = "\n".join(_element(one) for one in drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{html.escape(title, quote=True)}" font-family="{html.escape(FAMILY, quote=True)}">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _element(one: Drawn) -> str:
    group = f' class="{one.group}"' if one.group else ""
    if isinstance(one, Line):
        dash = f' stroke-dasharray="{one.dash:g} {one.dash:g}"' if one.dash else ""
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in one.places)
        return (
            f'<polyline{group} points="{points}" fill="none" stroke="{one.color}" stroke-width="{one.width:g}"{dash}/>'
        )
    if isinstance(one, Text):
        x, y = one.place
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if one.turned else ""
        return (
            f'<text{group} x="{x:.1f}" y="{y:.1f}" font-size="{one.size:g}" fill="{one.color}"'
            f' text-anchor="{one.anchor}" textLength="{text_width(one.text, one.size):.1f}"'
            f' lengthAdjust="spacingAndGlyphs"{turn}>{html.escape(one.text)}</text>'
        )
    edge = f' stroke="{one.stroke}" stroke-width="{one.width:g}"' if one.stroke else ""
    tip = f"<title>{html.escape(one.tip)}</title>" if one.tip else ""
    data = f' data-tip="{html.escape(one.tip, quote=True)}"' if one.tip else ""
    if len(one.places) == 1:
        x, y = one.places[0]
        outline = f'<circle{group}{data} cx="{x:.1f}" cy="{y:.1f}" r="{one.radius:g}" fill="{one.fill}"{edge}'
        return f"{outline}>{tip}</circle>"
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in one.places)
    return f'<polygon{group}{data} points="{points}" fill="{one.fill}"{edge}>{tip}</polygon>'


# PNG -----------------------------------------------------------------------------------------


def png(drawn: Sequence[Drawn], width: int, height: int, scale: int = 2) -> bytes:
    """The picture as PNG, drawn larger and made smaller so that its edges are smooth.

    Args:
        drawn: What is on it, from the back.
        width: Its width, in pixels of the SVG.
        height: Its height.
        scale: Pixels of the PNG for one of these, each way.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra("PIL", "chart", "Drawing charts") from error
    large = scale * SAMPLES
    image = Image.new("RGB", (width * large, height * large), "#ffffff")
    brush = ImageDraw.Draw(image)
    for one in drawn:
        if isinstance(one, Line):
            _line(brush, one, large)
        elif isinstance(one, Shape):
            _shape(brush, one, large)
        elif one.turned:
            _turned(image, one, large)
        else:
            x, y = one.place
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[one.anchor]
            font = _font(one.text, round(one.size * large))
            brush.text((x * large, y * large), one.text, fill=one.color, font=font, anchor=anchor)
    image = image.resize((width * scale, height * scale), Image.Resampling.LANCZOS)
    kept = io.BytesIO()
    image.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _line(brush: Any, one: Line, large: int) -> None:
    width = max(1, round(one.width * large))
    for (x1, y1), (x2, y2) in zip(one.places, one.places[1:], strict=False):
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        step = 2 * one.dash if one.dash else length or 1.0
        start = 0.0
        while start < length:
            a, b = start / length, min(length, start + (one.dash or length)) / length
            ends = [(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t) for t in (a, b)]
            brush.line([(x * large, y * large) for x, y in ends], fill=one.color, width=width)
            start += step


def _shape(brush: Any, one: Shape, large: int) -> None:
    edge, width = one.stroke or None, round(one.width * large) if one.stroke else 0
    if len(one.places) == 1:
        x, y = one.places[0]
        r = one.radius + (one.width / 2 if one.stroke else 0)  # an SVG edge lies half outside
        box = [(x - r) * large, (y - r) * large, (x + r) * large, (y + r) * large]
        brush.ellipse(box, fill=one.fill, outline=edge, width=width)
        return
    corners = [(x * large, y * large) for x, y in one.places]
    brush.polygon(corners, fill=one.fill)
    if edge:
        brush.line([*corners, corners[0], corners[1]], fill=edge, width=width, joint="curve")


def _turned(image: Any, one: Text, large: int) -> None:
    """A text that runs upwards, around its place."""
    from PIL import Image, ImageDraw

    size = round(one.size * large)
    wide = round(text_width(one.text, one.size) * large) + size
    strip = Image.new("RGB", (wide, 2 * size), "#ffffff")
    ImageDraw.Draw(strip).text(
        (wide / 2, 1.5 * size), one.text, fill=one.color, font=_font(one.text, size), anchor="ms"
    )
    turned = strip.rotate(90, expand=True)
    x, y = one.place
    image.paste(turned, (round(x * large - 1.5 * size), round(y * large - wide / 2)))
