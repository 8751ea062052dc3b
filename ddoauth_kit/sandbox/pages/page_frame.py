"""The parts that all pages of the web application share: session cookie, form checks and frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.html import Markup, document, el, form, join
from ddoauth_kit.sandbox.http.messages import Answer, html_answer
from ddoauth_kit.sandbox.http.refusals import page_refusal

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.sessions import Session
    from ddoauth_kit.sandbox.state.state import Twin

_LINKS = (
    ("integrations", "Integrations"),
    ("developer", "Developer Platform"),
    ("organization-settings/api-keys", "API Keys"),
    ("organization-settings/authorized-apps", "Authorized Apps"),
    ("organization-settings/app-scopes", "App Scopes"),
)


@dataclass(frozen=True)
class Visit:
    """A browser's session on one site, and the header that sets a new session's cookie."""

    session: Session
    cookie: tuple[tuple[str, str], ...] = ()


def enter(twin: Twin, incoming: Incoming) -> Visit:
    """Return the session from the browser's cookie, or a new session in the site's first org."""
    session = twin.sessions.find(incoming.cookies.get(twin.cookie), site=incoming.site.name)
    if session is not None:
        return Visit(session)
    return entered(twin, twin.sessions.open(org=twin.org(incoming.site)))


def entered(twin: Twin, session: Session) -> Visit:
    """Start a new session for the browser."""
    # Behind a proxy the browser sees a longer path, and no header reliably says so.
    paths = dict.fromkeys(f"{prefix}/{session.site}" for prefix in ("", *twin.prefixes))
    cookie = f"{twin.cookie}={session.id}; HttpOnly; SameSite=Lax"
    return Visit(session, tuple(("Set-Cookie", f"{cookie}; Path={path}") for path in paths))


def submitted(twin: Twin, incoming: Incoming) -> tuple[Session, dict[str, str]]:
    """Return a form's session and fields, if it comes from one of that session's own pages."""
    session = twin.sessions.find(incoming.cookies.get(twin.cookie), site=incoming.site.name)
    fields = dict(incoming.form())
    if session is None or not session.accepts(fields.get("csrf", "")):
        raise page_refusal(
            "form-csrf", "This form is not from a page in this session. Go back.", status=403
        )
    return session, fields


def root(incoming: Incoming) -> str:
    """Return the relative path from this page to the application's root."""
    return "../" * (incoming.path.count("/") - 1)


def frame(twin: Twin, incoming: Incoming, visit: Visit, title: str, *children: str) -> Answer:
    """Return a page of the application, with links at the top and the org switch at the bottom."""
    session = visit.session
    up = root(incoming)
    links = [el("a", label, href=f"{up}{path}") for path, label in _LINKS]
    signed_in = el("p", f"Signed in to {session.org.name} as {session.org.admin.name}.")
    page = document(
        title,
        signed_in,
        *children,
        org_switch(twin, session, action=f"{up}switch-org"),
        trail=el("nav", *links),
    )
    return html_answer(200, page, *visit.cookie)


def org_switch(twin: Twin, session: Session, *, action: str, **hidden: str) -> Markup:
    """Write the form for signing in to another org of the site."""
    options = [
        el("option", org.name, value=org.id, **({"selected": ""} if org == session.org else {}))
        for org in twin.orgs[session.site]
    ]
    choice = el("select", *options, name="org", aria_label="Organization")
    return form(action, choice, button("Switch organization"), csrf=session.csrf, **hidden)


def button(label: str, **attributes: str) -> Markup:
    """Write a submit button."""
    return el("button", label, type="submit", **attributes)


def section(title: str, *children: str) -> Markup:
    """Write a titled box."""
    return el("section", el("h2", title), *children)


def facts(**entries: str) -> Markup:
    """Write names and values, replacing the underscores in names with spaces."""
    parts: list[str] = []
    for name, value in entries.items():
        parts += [el("dt", name.replace("_", " ")), el("dd", el("code", value))]
    return el("dl", join(parts))
