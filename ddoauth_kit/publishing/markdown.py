"""Read a Markdown page: its top-level blocks with their lines, its sections, images and HTML.

markdown-it-py reads CommonMark and keeps the line numbers of each block; mistune, the parser that
comes with JupyterLab, doesn't. Only this module uses markdown-it-py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

    from ddoauth_kit.publishing.integration_files import TextFile

_HEADING: Final = re.compile(r"<h([1-6])\b[^<>]*>([^\0]{0,500}?)</h\1\s*>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
# The parser's time grows with the square of the number of brackets in a paragraph.
_MOST_BRACKETS: Final = 500
_LONGEST: Final = 256 * 1024
_PARAGRAPHS: Final = re.compile(r"(\n[ \t]*\n)")


def as_html(text: str) -> str:
    """Return a page as HTML, including HTML in it, with tables and strikethrough as on GitHub."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(parser.render(text))


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block: its first line (counted from 1), the line after it, and its text.

    `level` is 1 to 6 for a heading and 0 for everything else.
    """

    kind: str
    line: int
    after: int
    text: str
    level: int = 0

    @property
    def is_content(self) -> bool:
        """Return whether a reader would see anything other than a rule or a comment."""
        return bool(self.text) or self.kind not in {"hr", "html_block"}


@dataclass(frozen=True, slots=True)
class Image:
    """The source that an image is loaded from, and the line that names it."""

    source: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the blocks up to the next heading of the same or a higher level."""

    heading: Block
    blocks: tuple[Block, ...]

    @property
    def content(self) -> tuple[Block, ...]:
        """Return the visible content, without headings and comments."""
        return tuple(block for block in self.blocks if not block.level and block.is_content)

    @property
    def text(self) -> str:
        """Return the section's text on one line."""
        return " ".join(" ".join(block.text for block in self.blocks).split())

    @property
    def own_end(self) -> Block:
        """Return the last block before the section's first subheading."""
        last = self.heading
        for block in self.blocks:
            if block.level:
                break
            last = block
        return last


@dataclass(frozen=True, slots=True)
class MarkdownPage:
    """A page's top-level blocks and its images."""

    blocks: tuple[Block, ...]
    images: tuple[Image, ...]

    @property
    def headings(self) -> tuple[Block, ...]:
        """Return the headings in order."""
        return tuple(block for block in self.blocks if block.level)

    def named(self, name: str) -> tuple[Block, ...]:
        """Return the headings that have the same anchor as this name."""
        return tuple(block for block in self.headings if anchor(block.text) == anchor(name))

    def section(self, heading: Block) -> Section:
        """Return the section that starts with this heading."""
        after = self.blocks[self.blocks.index(heading) + 1 :]
        ends = (i for i, block in enumerate(after) if 0 < block.level <= heading.level)
        return Section(heading, after[: next(ends, len(after))])


def parse_page(file: TextFile) -> MarkdownPage:
    """Parse a README; any text is valid Markdown, so nothing is refused.

    Only the first 256 KB of a long text are read.
    """
    return _parsed(file.text[:_LONGEST])


@lru_cache(maxsize=4)
def _parsed(start: str) -> MarkdownPage:
    """Parse the start of a README, which most edits of the folder leave as it is."""
    text = "".join(map(_few_brackets, _PARAGRAPHS.split(start)))
    tokens = MarkdownIt("commonmark").parse(text)
    return MarkdownPage(tuple(_blocks(tokens)), tuple(_images(tokens)))


def _few_brackets(paragraph: str) -> str:
    """Return a paragraph, without its brackets if there are too many for them to be links."""
    many = paragraph.count("[") > _MOST_BRACKETS
    return paragraph.replace("[", "(") if many else paragraph


def _without_comments(html: str) -> str:
    """Return HTML without comments; an unterminated comment is kept."""
    kept, position = [], 0
    while (begin := html.find("<!--", position)) >= 0:
        end = html.find("-->", begin)
        if end < 0:
            break
        kept.append(html[position:begin])
        position = end + len("-->")
    return "".join([*kept, html[position:]])


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub derives it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    first = 0
    for at, token in enumerate(tokens):
        if token.level or token.nesting == 1:
            continue
        start = tokens[first]
        if start.type == "html_block" and start.map is not None:
            yield from _html_blocks(start.content, start.map[0] + 1, start.map[1] + 1)
        elif start.map is not None:
            text = " ".join(_words(each) for each in tokens[first : at + 1])
            level = int(start.tag[1]) if start.type == "heading_open" else 0
            kind = start.type.removesuffix("_open")
            yield Block(kind, start.map[0] + 1, start.map[1] + 1, text.strip(), level)
        first = at + 1


def _html_blocks(html: str, first: int, end: int) -> Iterator[Block]:
    """Yield the headings written as HTML, and the text between them."""
    if "</h" not in html.lower():
        yield Block("html_block", first, end, _without_comments(html).strip(), 0)
        return
    html, done, line = _blank_comments(html), 0, first
    for found in _HEADING.finditer(html):
        if text := html[done : found.start()].strip():
            yield Block("html_block", line, line + html.count("\n", done, found.start()), text, 0)
        line = first + html.count("\n", 0, found.start())
        words = " ".join(unescape(_TAG.sub("", found[2])).split())
        after = first + html.count("\n", 0, found.end()) + 1
        yield Block("heading", line, after, words, int(found[1]))
        done, line = found.end(), after
    if html[done:].strip() or not done:
        yield Block("html_block", line, end, html[done:].strip(), 0)


def _blank_comments(html: str) -> str:
    """Remove comments from HTML but keep their line breaks, so that line numbers don't change."""
    pieces, position = [], 0
    while (begin := html.find("<!--", position)) >= 0:
        end = html.find("-->", begin)
        if end < 0:
            break
        pieces += [html[position:begin], "\n" * html.count("\n", begin, end)]
        position = end + len("-->")
    return "".join([*pieces, html[position:]])


def _words(token: Token) -> str:
    """Return a token's visible text."""
    if token.children is None:
        shown = token.content if token.type in {"fence", "code_block", "html_block"} else ""
        return _without_comments(shown)
    parts = (
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in token.children
        if child.type != "html_inline"
    )
    return "".join(parts)


def _images(tokens: Sequence[Token]) -> Iterator[Image]:
    for token in tokens:
        line = token.map[0] + 1 if token.map else 1
        if token.type == "html_block":
            yield from _html_images(token.content, line)
        for child in token.children or ():
            if child.type in {"softbreak", "hardbreak"}:
                line += 1
            elif child.type == "image":
                yield Image(str(child.attrs.get("src", "")), line)
            elif child.type == "html_inline":
                yield from _html_images(child.content, line)


def _html_images(html: str, line: int) -> list[Image]:
    reader = _ImageReader(line)
    reader.feed(html)
    return reader.images


class _ImageReader(HTMLParser):
    """Collects the sources of `img` elements."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.images: list[Image] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Store the source of an image; the argument names come from the base class."""
        source = dict(attrs).get("src")
        if tag == "img" and source:
            self.images.append(Image(source, self.line + self.getpos()[0] - 1))
