"""A page's blocks, sections and images have the lines that an editor shows."""

from __future__ import annotations

import pytest

from ddoauth_kit.publishing.integration_files import TextFile
from ddoauth_kit.publishing.markdown import MarkdownPage, anchor, parse_page

TEXT = """\
# Title

## Setup ##

1. One
2. Two ![a](images/a.png)
   and <img alt="x" src="images/b.png">

```text
## Not a heading
```

    ## Not either

<!-- ## Nor this -->

> ## Quoted

Uninstallation
--------------

### Details

See [it][1].

[1]: https://example.com
"""


def _page(text: str = TEXT) -> MarkdownPage:
    return parse_page(TextFile("README.md", text))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_headings_have_lines_and_levels(newline: str) -> None:
    """Both kinds of headings count, and text in code, comments and quotes does not."""
    page = _page(TEXT.replace("\n", newline))
    found = [(heading.text, heading.level, heading.line) for heading in page.headings]
    assert found == [
        ("Title", 1, 1),
        ("Setup", 2, 3),
        ("Uninstallation", 2, 19),
        ("Details", 3, 22),
    ]


def test_sections_end_at_the_next_heading_of_their_level() -> None:
    """A section has its subsections; what is its own ends before the first of them."""
    page = _page()
    setup, rest = (page.section(page.named(name)[0]) for name in ("Setup", "Uninstallation"))
    assert [block.kind for block in setup.content] == [
        "ordered_list",
        "fence",
        "code_block",
        "blockquote",
    ]
    assert rest.text == "Details See it."
    assert rest.own_end == rest.heading
    assert setup.own_end.kind == "blockquote"


def test_images_have_lines() -> None:
    """Images in Markdown and in HTML are found, each with its line."""
    page = _page(TEXT + '\n<div>\n<img src="c.png">\n</div>\n')
    assert [(image.source, image.line) for image in page.images] == [
        ("images/a.png", 6),
        ("images/b.png", 7),
        ("c.png", 29),
    ]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Uninstallation", "uninstallation"),
        ("Data Collected", "data-collected"),
        ("What's new?", "whats-new"),
        (" Uninstallation: ", "uninstallation"),
    ],
)
def test_anchors(heading: str, name: str) -> None:
    """An anchor is the heading in lower case, without punctuation, with hyphens for blanks."""
    assert anchor(heading) == name


@pytest.mark.parametrize("text", ["", "\n", "\x00", "<!--", "[[[[", "```", "* * *\n\n---"])
def test_any_text_is_a_page(text: str) -> None:
    """No text is refused; such texts have no heading."""
    assert _page(text).headings == ()


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("<h2>Setup</h2>\n\nText\n", [("Setup", 2, 1)]),
        ('Text\n\n<h2 id="x">Set <em>up</em> &amp; go</h2>\n', [("Set up & go", 2, 3)]),
        ("<div>\n<h2>A</h2>\n<p>a</p>\n<H3\n>B</H3 >\n</div>\n", [("A", 2, 2), ("B", 3, 4)]),
        ("<!-- <h2>No</h2> -->\n\n## Yes\n", [("Yes", 2, 3)]),
        ("<h2>open\n", []),
        ("`<h2>No</h2>`\n", []),
    ],
)
def test_headings_in_html_are_headings(text: str, headings: list[tuple[str, int, int]]) -> None:
    """GitHub shows them like any other heading, so the check also sees them."""
    page = parse_page(TextFile("README.md", text))
    assert [(each.text, each.level, each.line) for each in page.headings] == headings


def test_a_heading_in_html_begins_a_section() -> None:
    """Everything after the heading, even in the same block of HTML, is its content."""
    page = parse_page(TextFile("README.md", "<h2>A</h2>\n<p>one</p>\n\ntwo\n\n## B\n\nthree\n"))
    (heading,) = page.named("A")
    assert page.section(heading).text == "<p>one</p> two"
