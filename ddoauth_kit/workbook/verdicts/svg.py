"""Draw rectangles and text as SVG that is accessible and the same in every run."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

INK: Final = "#1f2328"
_FONTS: Final = "Arial, Helvetica, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as SVG, and as text for people who can't see it."""

    svg: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        return {"text/plain": self.text, "image/svg+xml": self.svg}


class Drawing:
    """Shapes on a white background; all lengths are in points, from the top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self._size = (width, height)
        self._shapes: list[str] = []
        self.rectangle(0, 0, width, height, colour="#ffffff")

    def rectangle(
        self, left: float, top: float, width: float, height: float, *, colour: str
    ) -> None:
        """Add a rectangle without a border."""
        place = f'x="{left:.5g}" y="{top:.5g}" width="{width:.5g}" height="{height:.5g}"'
        self._shapes.append(f'<rect {place} fill="{colour}"/>')

    def text(  # noqa: PLR0913 - what a text looks like
        self, left: float, base: float, said: str, *, size: float, colour: str = INK, more: str = ""
    ) -> None:
        """Add a line of text with its baseline at `base`; `more` are SVG attributes."""
        place = f'x="{left:.5g}" y="{base:.5g}" font-size="{size:g}" fill="{colour}"{more}'
        self._shapes.append(f"<text {place}>{escape(said, quote=False)}</text>")

    def svg(self, *, title: str, description: str) -> str:
        """Return the drawing as an SVG element with a title and a description."""
        width, height = (f"{length:.6g}" for length in self._size)
        size = f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}"'
        head = f'xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_FONTS}"'
        said = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        return f"<svg {head}>{said}{''.join(self._shapes)}</svg>\n"
