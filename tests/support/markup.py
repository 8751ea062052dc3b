"""Read HTML as strictly as XML, and as GitHub shows it: without any style."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"br", "col", "img", "link", "meta", "wbr"})


@dataclass
class Element:
    """A tag with its attributes, its own text and its content."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return all of the element's text, without styles."""
        return "" if self.tag == "style" else "".join(self.texts)

    def all(self, tag: str) -> list[Element]:
        """Return all elements with a tag, in document order."""
        found = [self] if self.tag == tag else []
        return found + [match for element in self.inside for match in element.all(tag)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open[-1].tag != "style":
            for element in self.open:
                element.texts.append(data)


def read_html(text: str) -> Element:
    """Return the document; fail if a tag is not closed in its place."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert [element.tag for element in reader.open] == ["document"]
    return reader.open[0]
