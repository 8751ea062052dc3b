"""A page made from a notebook can't navigate or capture clicks, whatever the notebook shows."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from itertools import product

import nbformat
import pytest

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks
from ddoauth_kit.workbook.runs.clean_html import STYLES, TAGS, TOO_DEEP, clean_html
from ddoauth_kit.workbook.runs.notebook_pages import notebook_page

pytestmark = pytest.mark.checklist("N8")
EVIL = "https://evil.example.com/"
ELEMENTS = (
    '<meta http-equiv="refresh" content="0; url={0}">',
    '<META HTTP-EQUIV=Refresh CONTENT="0;{0}">',
    '<meta http-equiv="set-cookie" content="a=b">',
    '<base href="{0}">',
    '<link rel="stylesheet" href="{0}">',
    '<script>location="{0}"</script>',
    '<form action="{0}"><button>go</button></form>',
    '<form id=f action="{0}"></form><input form=f type=image>',
    '<button formaction="{0}">go</button>',
    '<iframe src="{0}"></iframe>',
    '<iframe srcdoc="&lt;meta http-equiv=refresh content=0;url={0}&gt;"></iframe>',
    '<frameset><frame src="{0}"></frameset>',
    '<object data="{0}"></object>',
    '<embed src="{0}">',
    '<portal src="{0}"></portal>',
    '<video src="{0}" autoplay></video>',
    '<audio controls src="{0}"></audio>',
    '<map name=m><area shape=default href="{0}"></map><img usemap="#m" src="data:image/png;,x">',
    '<img src="{0}">',
    "<img src=x onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    '<svg><a xlink:href="{0}"><rect width=100% height=100% /></a></svg>',
    "<svg><animate onbegin=alert(1)></svg>",
    '<math><mtext><a href="{0}" style="position:fixed">x</a></mtext></math>',
    '<a href="{0}" style="position:fixed;inset:0;opacity:0;z-index:9">x</a>',
    '<a href="{0}" style="position:absolute;top:0;left:0;width:100vw;height:100vh">x</a>',
    '<a href="{0}" style="display:block;margin:-900px;padding:900px">x</a>',
    '<a href="{0}" target="_top" ping="{0}" download>x</a>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<meta http-equiv=refresh content=0;url={0}>">x</a>',
    '<a href="//evil.example.com/">x</a>',
    '<a href="/\\evil.example.com/">x</a>',
    '<a href="../../../etc/passwd">x</a>',
    '<a href="file:///etc/passwd">x</a>',
    '<div style="position:fixed;inset:0;background-image:url({0})">x</div>',
    '<div style="position:sticky;transform:scale(99)">x</div>',
    '<div style="background:url({0});content:url({0});cursor:url({0})">x</div>',
    '<style>*{{position:fixed}} @import "{0}";</style>',
    "<details open ontoggle=alert(1)>x</details>",
    "<div onclick=alert(1) onpointerenter=alert(1) tabindex=0 contenteditable autofocus>x</div>",
    "<dialog open popover>x</dialog><div popover id=p>x</div><label for=p>x</label>",
    '<template><meta http-equiv=refresh content="0;url={0}"></template>',
    '<noscript><meta http-equiv=refresh content="0;url={0}"></noscript>',
    "<plaintext>x",
    "</main></body><meta http-equiv=refresh content='0;url={0}'>",
    "<!--><meta http-equiv=refresh content='0;url={0}'>-->",
    "<![CDATA[><meta http-equiv=refresh content='0;url={0}'>]]>",
    "<table><meta http-equiv=refresh content='0;url={0}'><tr><td>x",
    "<xmp><meta http-equiv=refresh content='0;url={0}'></xmp>",
)
WRAPS = (
    "{}",
    "<b>{}",
    "<table><tr><td>{}</td></tr></table>",
    "<!-- {}",
    "<p title='{}'>",
    "<pre>{}",
)


class _Elements(HTMLParser):
    """Collect the elements of a page's main part, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _page(kind: str, text: str) -> str:
    if kind == "prose":
        cell = nbformat.v4.new_markdown_cell(text)
    else:
        output = nbformat.v4.new_output("display_data", {f"text/{kind}": text})
        cell = nbformat.v4.new_code_cell("show()", outputs=[output])
    return notebook_page(nbformat.v4.new_notebook(cells=[cell]), title="t", siblings={"01_a"})


def _assert_harmless(page: str) -> None:
    main = page[page.index("<main>") :]
    assert main.count("<main>") == main.count("</main>") == 1
    for tag, given in _Elements(main).found:
        assert tag in TAGS | {"main"}, tag
        assert not [name for name in given if name.startswith("on")]
        assert not {"id", "name", "target", "popover", "usemap", "for"} & set(given)
        assert given.get("tabindex", "0") == "0", "it joins the order of the page"
        properties = re.findall(r"([\w-]+)\s*:", given.get("style") or "")
        assert set(properties) <= STYLES
        assert "url(" not in (given.get("style") or "")
        if tag == "a":
            assert set(given) <= {"href"}
            assert re.match(r"https?://[^/]|[\w.-]+\.html$", given.get("href") or "https://x")
        if tag == "img":
            assert re.match(r"data:image/", given.get("src") or "data:image/")


@pytest.mark.parametrize("kind", ["html", "markdown", "prose"])
@pytest.mark.parametrize("element", ELEMENTS, ids=range(len(ELEMENTS)))
def test_elements_that_act(element: str, kind: str) -> None:
    """In outputs and prose, whatever is around it, no active content is left."""
    for wrap in WRAPS:
        _assert_harmless(_page(kind, wrap.format(element.format(EVIL))))


def test_pairs_of_them() -> None:
    """An element cannot be hidden in what is taken away of another one."""
    for first, second in product(ELEMENTS, ELEMENTS):
        halves = first.format(EVIL)
        middle = len(halves) // 2
        text = halves[:middle] + second.format(EVIL) + halves[middle:]
        _assert_harmless(f"<main>{clean_html(text)}</main>")


def test_what_lessons_show_is_kept() -> None:
    """The tables, links and texts of the stored lessons are on their pages, with alignment."""
    for path in find_notebooks():
        notebook = nbformat.read(path, as_version=4)
        page = notebook_page(notebook, title="t")
        _assert_harmless(page)
        html = "".join(
            "".join(output.get("data", {}).get("text/html", ""))
            for cell in notebook.cells
            for output in cell.get("outputs", ())
        )
        for tag in ("table", "details", "td", "wbr", "code"):
            assert page.count(f"<{tag}") >= html.count(f"<{tag}"), (path.name, tag)
        assert page.count('text-align:left"') >= html.count('style="text-align:left"')


def test_a_verdict_table_has_its_colours() -> None:
    """The style that a table brings along is taken away, and the page has it instead."""
    page = _page("html", '<div class="ddoauth-verdicts"><style>x</style><p>y</p></div>')
    assert ".ddoauth-verdicts" in page.partition("<body>")[0]
    assert ".ddoauth-verdicts" not in _page("html", "<p>y</p>")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "<",
            "</",
            "<b>",
            "<!--",
            "<a href='",
            "</p>",
            "<table>",
            " ",
            "<p>",
            "<li>",
            "<?",
            "]]>",
        ),
        *("&", "&#", "&a", "&lt;", "&#60;", "&amp", "& ", "&\n", "&#x"),
        *("\xa0", "\xa0 ", "&nbsp;", "<p>\xa0</p>", "\u202f"),
        *(f"<{tag}>" for tag in ("div", "ol", "ul", "pre", "rp", "summary", "nobr", "svg")),
        *("<b></p>", "<i></b>", "<b><a>", "<div><b>", "<svg></a>", "<form><div>", "<p><div>"),
        *("<div>" * 250 + "</div>" * 250, "<td><div>", "<b>" * 200 + "</b>" * 200),
    ],
)
def test_it_is_linear(text: str) -> None:
    """A quarter of a megabyte of one kind takes a fraction of a second of processor time."""
    began = time.thread_time()
    clean_html(text * (250_000 // len(text)))
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("tag", ["div", "b", "span", "ul", "a", "table", "nobr", "DIV"])
def test_what_nests_deeper_than_anybody_reads_is_left_out(tag: str) -> None:
    """A sentence replaces it; two hundred levels are shown."""
    assert clean_html(f"<{tag}>" * 300) == TOO_DEEP
    assert clean_html(f"<{tag}>x</{tag}>" * 300) != TOO_DEEP
    assert clean_html(f"<{tag}>" * 200 + "x") != TOO_DEEP


@pytest.mark.parametrize("reference", ["&lt;", "&#60;", "&#x3c;", "&nbsp;", "&eacute;", "&amp;"])
def test_references_are_text(reference: str) -> None:
    """They read as before, and none of them becomes markup or part of an address."""
    assert clean_html(f"a {reference} b") == f"a {reference} b"
    assert clean_html(f"{reference}img src=x>") == f"{reference}img src=x&gt;"
    for address in (
        f"java{reference}script:x",
        f"data{reference}text/html,x",
        f"https{reference}//x",
    ):
        assert "href" not in clean_html(f'<a href="{address}">x</a>')
