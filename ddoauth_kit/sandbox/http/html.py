"""A small helper that writes HTML and escapes everything else."""

from __future__ import annotations

from html import escape

_STYLE = """
:root { color-scheme: light dark; --edge: #8884; --main: #632ca6; }
@media (prefers-color-scheme: dark) { :root { --main: #b79bdc; } }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem; }
body { background: Canvas; color: CanvasText; }
header { border-bottom: 1px solid var(--edge); margin-bottom: 1rem; }
nav a { margin-right: 1rem; }
section { border: 1px solid var(--edge); border-radius: .5rem; padding: .75rem 1rem; }
section { margin: 1rem 0; overflow-wrap: anywhere; }
form { display: inline-block; margin: .25rem .5rem .25rem 0; }
button, select { font: inherit; padding: .4rem .9rem; border-radius: .4rem; }
button, select { margin: 0 .5rem .25rem 0; }
button { border: 1px solid var(--main); color: var(--main); background: none; cursor: pointer; }
button.first { background: #632ca6; border-color: #632ca6; color: #fff; }
h2 { font-size: 1.1rem; margin: 0; }
.decision { position: sticky; bottom: 0; background: Canvas; border-top: 1px solid var(--edge); }
.decision { padding: .5rem 0; }
code { font-size: .9em; }
small { opacity: .8; }
a { color: var(--main); }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin-left: 0; }
"""

VOID = frozenset({"input", "meta", "br"})


class Markup(str):
    """Text that is already HTML; everything else is escaped."""

    __slots__ = ()


def el(tag: str, *children: str, **attributes: str) -> Markup:
    """Write one element; trailing underscores are dropped from attribute names."""
    marks = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )
    if tag in VOID:
        return Markup(f"<{tag}{marks}>")
    return Markup(f"<{tag}{marks}>{join(children)}</{tag}>")


def join(children: tuple[str, ...] | list[str]) -> Markup:
    """Join parts, and escape those that are not markup."""
    return Markup("".join(c if isinstance(c, Markup) else escape(c) for c in children))


def form(action: str, *children: str, **hidden: str) -> Markup:
    """Write a POST form with hidden fields; a relative `action` also works behind a prefix."""
    fields = [el("input", type="hidden", name=name, value=hidden[name]) for name in hidden]
    return el("form", *fields, *children, method="post", action=action)


def document(title: str, *children: str, trail: str = "") -> str:
    """Write a complete page without scripts that is readable on a phone and in dark mode."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"{title} - sandbox"),
        el("style", Markup(_STYLE)),
    )
    note = el(
        "small", ("Offline sandbox. Nothing here belongs to Datadog, and no credential is real.")
    )
    body = el("body", el("header", note, trail), el("main", el("h1", title), *children))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"
