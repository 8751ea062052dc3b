"""A newcomer clicks through the panels, and the saved widget state contains no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.jupyter_lab import LabServer, Notebook

SETUP = """\
from ddoauth_kit.workbook import open_lab, panels
lab = open_lab()
tokens = lab.connect()
panel = panels.{panel}
panel"""
# Probing takes a second or two, and a busy browser might come too late to cancel it.
SLOWED = (
    "panel.__dict__.update(_watch=lambda progress: (type(panel)._watch(panel, progress), "
    "panel._cancelled or __import__('time').sleep(0.1)))"
)
TYPED = "typed-client-secret-0123456789"


@pytest.fixture
def show(
    serve_lab: Callable[..., LabServer], open_notebook: Callable[..., Notebook]
) -> Callable[[str], Notebook]:
    """Show one panel in a notebook that saves the state of its widgets."""

    def shown(panel: str) -> Notebook:
        server = serve_lab("widgets")
        server.save_widgets()
        server.write("panel.ipynb", SETUP.format(panel=panel))
        notebook = open_notebook(server, "panel.ipynb")
        notebook.run_all()
        return notebook

    return shown


def press(notebook: Notebook, name: str) -> None:
    """Press a button of the panel."""
    notebook.panel.get_by_role("button", name=name, exact=True).click()


def decide(context: Any, notebook: Notebook, button: str) -> Any:
    """Follow the panel's link in a new tab, and decide there."""
    with context.expect_page() as opened:
        notebook.panel.get_by_role("link", name="Authorize on us1").click()
    opened.value.get_by_role("button", name=button).click()
    return opened.value


def assert_saved_without(notebook: Notebook, *secrets: str) -> None:
    """Save, see that widget state is in the file, and look for secrets."""
    issued = notebook.issued()
    saved = notebook.save()
    assert saved.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    text = notebook.saved_text
    assert not [secret for secret in (*issued, *secrets) if readable(secret, text)]


def test_deny_then_approve(context: Any, show: Callable[[str], Notebook]) -> None:
    """Both decisions show on the page and in the panel; after a no you can retry; a yes reloads."""
    notebook = show("AuthorizePanel(lab)")
    press(notebook, "Authorize")
    page = decide(context, notebook, "Deny")
    page.get_by_text("Reason: access denied.").wait_for()
    notebook.panel.get_by_role("cell", name="access_denied", exact=True).wait_for()
    press(notebook, "Authorize")
    page = decide(context, notebook, "Authorize")
    page.get_by_text("You may now close this tab.").wait_for()
    notebook.panel.get_by_text("<access_token>").wait_for()
    page.reload()
    page.get_by_text("You may now close this tab.").wait_for()
    assert "code=" not in page.url
    assert_saved_without(notebook)


def test_the_countdown_runs_and_the_grant_is_renewed_and_ended(
    show: Callable[[str], Notebook],
) -> None:
    """The seconds go down without a cell, and both buttons reach the sandbox."""
    notebook = show("TokenPanel(lab, tokens)")
    countdown = notebook.panel.locator(".ddoauth-countdown", has_text="expires in")
    before = countdown.inner_text()
    notebook.page.wait_for_function(
        "before => document.querySelector('.ddoauth-countdown').innerText !== before", arg=before
    )
    press(notebook, "Refresh")
    notebook.panel.get_by_text("Refreshed: the new access token").wait_for()
    assert "token refresh" in notebook.ask("repr(lab.transcript)")
    press(notebook, "Revoke")
    press(notebook, "Yes, end the grant")
    notebook.panel.get_by_text("This grant has ended").wait_for()
    assert_saved_without(notebook)


def test_the_key_is_created_once(show: Callable[[str], Notebook]) -> None:
    """A click creates the key, and shows its last four characters and its store."""
    notebook = show("ApiKeyPanel(lab, tokens)")
    press(notebook, "Create the API key")
    notebook.panel.get_by_text("stored in memory").wait_for()
    assert_saved_without(notebook)


def test_probes_run_and_one_run_is_cancelled(show: Callable[[str], Notebook]) -> None:
    """The table appears automatically; a cancelled run says how far it got."""
    notebook = show("ProbePanel(open_lab(every_scope=True))")
    press(notebook, "Run probes")
    notebook.panel.get_by_text("Done:").wait_for()
    notebook.panel.locator(".ddoauth-matrix").wait_for()
    sites = notebook.panel.get_by_role("group", name="Sites")
    for name in ("us3", "us5", "eu1", "ap1"):
        sites.get_by_label(name, exact=True).check()
    assert sites.get_by_label("us1", exact=True).is_checked()
    sites.get_by_text("Sites (5 chosen)").wait_for()
    notebook.ask(SLOWED)
    press(notebook, "Run probes")
    press(notebook, "Cancel")
    notebook.panel.get_by_text("Cancelled:").wait_for()
    assert_saved_without(notebook)


@pytest.mark.checklist("N1")
def test_the_form_forgets_what_was_typed(show: Callable[[str], Notebook]) -> None:
    """By keyboard alone, and while a cell runs: the secret goes to the store, and to no file."""
    notebook = show("RegistrationForm('us1', store=lab.store)")
    panel = notebook.panel
    panel.get_by_label("Client name").fill("Acme")
    panel.get_by_label("Client id").fill("acme-typed-id")
    panel.get_by_label("Client secret").fill(TYPED)
    panel.get_by_label("Redirect URIs").fill("http://127.0.0.1:8484/oauth/callback")
    panel.get_by_label("Onboarding URL").fill("https://acme.example.com/start")
    panel.get_by_label("Scopes").fill("api_keys_write metrics_read")
    assert_saved_without(notebook, TYPED, "acme-typed-id")
    with notebook.busy():
        panel.get_by_role("button", name="Check", exact=True).press("Enter")
        assert panel.get_by_label("Client secret").input_value() == ""
        assert panel.get_by_text("Waiting for the kernel.").is_visible()
        notebook.save()
        assert not readable(TYPED, notebook.saved_text)
    panel.get_by_text("You don't need to correct anything.").wait_for()
    panel.get_by_role("button", name="Keep").press("Enter")
    panel.get_by_text("<client_secret> in memory").wait_for()
    assert panel.get_by_label("Client name").input_value() == ""
    assert_saved_without(notebook, TYPED)
    notebook.restart()
    gone = notebook.panel.locator(".ddoauth-panel.jupyter-widgets-disconnected").first
    gone.wait_for()
    assert "Run the cell again." in gone.evaluate("it => getComputedStyle(it, '::before').content")
    panel.get_by_label("Client secret").fill(TYPED)
    panel.get_by_role("button", name="Check", exact=True).press("Enter")
    panel.get_by_text("Not sent: the kernel that showed this form is gone.").wait_for()


@pytest.mark.checklist("N1")
def test_a_redirect_is_pasted(context: Any, show: Callable[[str], Notebook]) -> None:
    """If the listener's page does not open, its address can be pasted; none of it is saved."""
    redirects: list[str] = []

    def get_stuck(route: Any) -> None:
        """Handle consent as the sandbox does, without following its redirect."""
        if route.request.method == "GET":
            route.continue_()
            return
        redirects.append(route.fetch(max_redirects=0).headers["location"])
        route.fulfill(body="This site can't be reached")

    notebook = show("AuthorizePanel(lab)")
    press(notebook, "Authorize")
    context.route("**/authorize**", get_stuck)
    page = decide(context, notebook, "Authorize")
    page.get_by_text("can't be reached").wait_for()
    (redirect,) = redirects
    field = notebook.panel.get_by_label("Address of the page")
    field.fill(redirect.partition("?")[0])
    press(notebook, "Use this address")
    notebook.panel.get_by_role("cell", name="not_a_redirect", exact=True).wait_for()
    assert field.input_value() == ""
    field.fill(redirect)
    field.press("Enter")
    notebook.panel.get_by_text("<access_token>").wait_for()
    code = redirect.partition("code=")[2].partition("&")[0]
    assert_saved_without(notebook, code)


def test_a_kernel_that_is_restarted_in_the_middle(
    context: Any, show: Callable[[str], Notebook]
) -> None:
    """The old link leads nowhere; after another run, the flow works again."""
    notebook = show("AuthorizePanel(lab)")
    press(notebook, "Authorize")
    old = notebook.panel.get_by_role("link", name="Authorize on us1").get_attribute("href")
    notebook.restart()
    answer = context.request.get(f"{notebook.page.url.partition('/lab/')[0]}{old}")
    assert not answer.ok
    notebook.run_all()
    press(notebook, "Authorize")
    decide(context, notebook, "Authorize").get_by_text("You may now close this tab.").wait_for()
    notebook.panel.get_by_text("<access_token>").wait_for()
