"""The panels; only this folder imports ipywidgets.

A panel shows what a cell can get with the same method. It also has a text form, so a page without a
kernel shows the same information.
"""

from ddoauth_kit.workbook.panels.api_key_panel import ApiKeyPanel
from ddoauth_kit.workbook.panels.authorize_panel import AuthorizePanel
from ddoauth_kit.workbook.panels.checklist_panel import ChecklistPanel
from ddoauth_kit.workbook.panels.matrix_filter import FilterableMatrix
from ddoauth_kit.workbook.panels.probe_panel import ProbePanel
from ddoauth_kit.workbook.panels.registration_form import RegistrationForm
from ddoauth_kit.workbook.panels.site_picker import SitePicker
from ddoauth_kit.workbook.panels.token_panel import TokenPanel
from ddoauth_kit.workbook.panels.transcript_panel import TranscriptPanel

__all__ = [
    "ApiKeyPanel",
    "AuthorizePanel",
    "ChecklistPanel",
    "FilterableMatrix",
    "ProbePanel",
    "RegistrationForm",
    "SitePicker",
    "TokenPanel",
    "TranscriptPanel",
]
