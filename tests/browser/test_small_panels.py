"""The small panels work by keyboard, beside a busy kernel and in both themes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.jupyter_lab import LabServer, Notebook

PANELS = (
    """\
from ddoauth_kit.workbook import open_lab, panels
lab = open_lab()
tokens = lab.connect()
panels.TranscriptPanel(lab)""",
    "panels.SitePicker()",
    "panels.ChecklistPanel('app')",
    "panels.TokenPanel(lab, tokens)",
    "panels.ApiKeyPanel(lab, tokens)",
    "panels.RegistrationForm('us1', store=lab.store)",
)
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
# As on a page that came by plain HTTP from another machine, and as where the user says no.
INSECURE = "() => { Object.defineProperty(navigator, 'clipboard', {configurable: true}) }"
SECURE = "() => { delete navigator.clipboard }"
REFUSED = """() => {
  navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
  document.execCommand = () => false;
}"""
MENDED = "() => { delete navigator.clipboard.writeText; delete document.execCommand }"
# WCAG 2.2, 1.4.3: text against the nearest background that is not transparent.
CONTRAST = """element => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => parts(colour).slice(0, 3).map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  let behind = element;
  const colour = () => getComputedStyle(behind).backgroundColor;
  while (behind.parentElement && parts(colour())[3] === 0) behind = behind.parentElement;
  const both = [light(getComputedStyle(element).color), light(colour())].sort((a, b) => b - a);
  return (both[0] + 0.05) / (both[1] + 0.05);
}"""
# A theme's colours may fade in.
STILL = """() => document.getAnimations()
  .every(each => each.effect.getComputedTiming().endTime === Infinity)"""
HIDE_SIDES = """async () => {
  const app = window.jupyterapp;
  if (!app.shell.leftCollapsed) await app.commands.execute('application:toggle-left-area');
}"""
# What is cut off or scrolls sideways; a hidden label and a button's ripple are no text.
CUT = """() => [...document.querySelectorAll(
    '.ddoauth-panel .ddoauth-countdown, .ddoauth-typed p, .ddoauth-panel select, '
    + '.ddoauth-panel td, .ddoauth-panel summary, .ddoauth-panel button')]
  .filter(part => part.offsetWidth && (part.scrollWidth > part.clientWidth + 2
    || part.getBoundingClientRect().right
      > part.closest('.jp-OutputArea-output').getBoundingClientRect().right + 1))
  .map(part => part.tagName + ' ' + part.className + ' ' + part.textContent.slice(0, 40))"""
READ = (
    "[role=status], .ddoauth-countdown, .ddoauth-exchange summary, .ddoauth-exchange pre, "
    ".ddoauth-exchange textarea, .ddoauth-exchange button, [class*=panel] th, [class*=panel] td, "
    ".widget-checkbox label span, .ddoauth-typed p"
)


@pytest.fixture
def server(serve_lab: Callable[..., LabServer]) -> LabServer:
    """Serve notebooks that are saved with the state of their widgets."""
    server = serve_lab("widgets")
    server.save_widgets()
    return server


@pytest.fixture
def notebook(server: LabServer, open_notebook: Callable[..., Notebook], context: Any) -> Notebook:
    """Show the panels in one tall tab, which may use the clipboard."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    server.write("small.ipynb", *PANELS)
    notebook = open_notebook(server, "small.ipynb")
    notebook.page.set_viewport_size({"width": 1280, "height": 2400})
    notebook.run_all()
    return notebook


def clipboard(notebook: Notebook) -> str:
    """Return the clipboard's content."""
    return str(notebook.page.evaluate("navigator.clipboard.readText()"))


def value(notebook: Notebook, expression: str) -> str:
    """Return a text that the kernel has."""
    return str(ast.literal_eval(notebook.ask(expression)))


def test_ticks_by_keyboard_survive_a_restart(notebook: Notebook) -> None:
    """Two ticked boxes stay ticked after a reload of the page and a restart of the kernel."""
    boxes = notebook.panel.get_by_role("checkbox")
    boxes.nth(1).focus()
    for key in ("Space", "Tab", "Space"):
        notebook.page.keyboard.press(key)
    notebook.panel.get_by_text("2 of 9 done; saved in").wait_for()
    notebook.save()
    notebook.reload()
    notebook.restart()
    notebook.run_all()
    notebook.panel.get_by_text("2 of 9 done; saved in").wait_for()
    boxes = notebook.panel.get_by_role("checkbox")
    assert [boxes.nth(i).is_checked() for i in range(4)] == [False, True, True, False]


def test_a_request_is_copied_beside_a_busy_kernel(notebook: Notebook) -> None:
    """By keyboard: unfolded, copied as both kinds of code, and masked, in the file as well."""
    first = notebook.panel.locator(".ddoauth-exchange").first
    first.locator("summary").first.press("Enter")
    first.get_by_role("button", name="Copy as cURL").press("Enter")
    first.get_by_text("Copied: the cURL command.").wait_for()
    curl = value(notebook, "lab.curl('token exchange').code")
    assert clipboard(notebook).endswith(f"\n{curl}")
    assert clipboard(notebook).startswith("# Set these variables first")
    assert "${DDOAUTH_CLIENT_SECRET:?}" in curl
    httpx = value(notebook, "lab.httpx('token exchange').code")
    with notebook.busy():
        first.get_by_role("button", name="Copy as httpx").press("Space")
        first.get_by_text("Copied: the httpx code.").wait_for()
        assert clipboard(notebook).endswith(f"\n{httpx}")
    issued = notebook.issued()
    assert notebook.save().metadata.widgets
    assert issued
    assert not [secret for secret in issued if readable(secret, notebook.saved_text)]


def test_without_the_clipboard_the_code_is_selected(notebook: Notebook) -> None:
    """The older command copies it; keys pressed in the field are not the notebook's."""
    first = notebook.panel.locator(".ddoauth-exchange").first
    first.locator("summary").first.click()
    notebook.page.evaluate(INSECURE)
    first.get_by_role("button", name="Copy as cURL").click()
    first.get_by_text("Copied: the cURL command.").wait_for()
    notebook.page.evaluate(SECURE)
    assert clipboard(notebook).endswith(value(notebook, "lab.curl('token exchange').code"))
    notebook.page.evaluate(REFUSED)
    first.get_by_role("button", name="Copy as httpx").click()
    first.get_by_text("Not copied: the httpx code is selected").wait_for()
    cells = notebook.panel.locator(".jp-Cell").count()
    for key in ("d", "d", "ArrowDown"):
        notebook.page.keyboard.press(key)
    assert notebook.panel.locator(".jp-Cell").count() == cells
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.press("Control+c")
    notebook.page.evaluate(MENDED)
    assert clipboard(notebook).endswith(value(notebook, "lab.httpx('token exchange').code"))


def test_newer_exchanges_fold_nothing_and_a_site_is_picked_by_keyboard(notebook: Notebook) -> None:
    """Arrow keys reach the field, not the notebook; open parts stay open."""
    exchanges = notebook.panel.locator(".ddoauth-exchange")
    exchanges.first.locator("summary").first.click()
    notebook.ask("lab.current_user(tokens)")
    notebook.panel.get_by_role("button", name="Show the newest").press("Enter")
    notebook.panel.get_by_text("2 exchanges.").wait_for()
    exchanges.nth(1).wait_for()
    assert [each.evaluate("e => e.open") for each in exchanges.all()] == [True, False]
    field = notebook.panel.get_by_label("Datadog site")
    field.focus()
    for _ in "ab":
        notebook.page.keyboard.press("ArrowDown")
    notebook.panel.get_by_role("cell", name="https://api.us5.datadoghq.com").wait_for()
    assert field.evaluate("e => e === document.activeElement")


def test_text_can_be_read_in_both_themes(notebook: Notebook) -> None:
    """Every text that the panels colour or inherit has a contrast of 4.5 or more."""
    notebook.panel.get_by_role("button", name="Create the API key").click()
    notebook.panel.get_by_text("Stored in memory").wait_for()
    notebook.panel.locator(".ddoauth-exchange summary").first.click()
    notebook.panel.get_by_role("button", name="Check", exact=True).click()
    notebook.panel.get_by_text("This field is empty.").first.wait_for()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.page.evaluate(THEME, theme)
        notebook.page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
        notebook.page.wait_for_function(STILL)
        texts = notebook.panel.locator(READ).all()
        ratios = [(each.evaluate(CONTRAST), each.text_content()) for each in texts]
        assert len(ratios) > 40
        assert not [each for each in ratios if each[0] < 4.5]


def test_on_a_phone_nothing_is_cut(notebook: Notebook) -> None:
    """At 390 px no part of a panel is wider than the place that it has."""
    page = notebook.page
    form = notebook.panel.locator(".ddoauth-typed")
    form.get_by_label("Redirect URIs").fill("http://integrations.acme.example.com/oauth/callback")
    form.get_by_role("button", name="Check", exact=True).click()
    form.get_by_text("A redirect URI starts with").wait_for()
    page.evaluate(HIDE_SIDES)
    page.set_viewport_size({"width": 390, "height": 2400})
    page.wait_for_function("() => document.querySelector('.jp-Notebook').clientWidth < 390")
    assert page.evaluate(CUT) == []
