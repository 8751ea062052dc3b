"""Turn a matplotlib figure into SVG that is the same in every run, small, and can be read aloud."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

# Whatever a machine's matplotlibrc says, these hold; texts stay texts, in the reader's own font.
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.hashsalt": "ddoauth-kit",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,
}
_NO_ORIGIN: Final = {"Date": None, "Creator": None}
_FONTS: Final = "Arial, Helvetica, 'DejaVu Sans', sans-serif"
# Each text repeats what holds for all of them, and ids would clash with those of a second picture.
_REPEATED: Final = (
    (re.compile(r"<metadata>.*?</metadata>", re.DOTALL), ""),
    (re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL), ""),
    (re.compile(r' id="[a-z0-9]+_\d+"'), ""),
    (re.compile(r"font-family: [^;]*; "), ""),
    (re.compile(r"; text-anchor: start"), ""),
    (re.compile(r' transform="rotate\(-?0 [^"]*\)"'), ""),
    (re.compile(r"\s+"), " "),
    (re.compile(r"> <(?!/text)"), "><"),
    (re.compile(r"<g>(<(?:text|path) [^<>]*(?:/>|>[^<]*</text>))</g>"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold a picture as SVG, and in words for whoever does not see it."""

    svg: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        return {"text/plain": self.text, "image/svg+xml": self.svg}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with matplotlib's defaults and this module's settings, then put back what was set."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def as_svg(figure: Figure, *, title: str, description: str) -> str:
    """Return a figure as an SVG element with a title and a description; call within `drawing`."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(file, metadata=_NO_ORIGIN)
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg ") :]
    for repeated, once in _REPEATED:
        drawn = repeated.sub(once, drawn)
    head, _, rest = drawn.partition(">")
    said = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return f'{head} role="img" font-family="{_FONTS}">{said}{rest.strip()}\n'
