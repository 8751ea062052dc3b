"""Offer panels; the only folder that knows ipywidgets.

A panel shows what a cell can ask for with the same method, and carries the text of it, so that a
page without a kernel says as much.
"""

from ddoauth_kit.workbook.widgets.api_key import ApiKeyPanel
from ddoauth_kit.workbook.widgets.authorize import AuthorizePanel
from ddoauth_kit.workbook.widgets.checklist import ChecklistPanel
from ddoauth_kit.workbook.widgets.exchanges import TranscriptPanel
from ddoauth_kit.workbook.widgets.matrix import FilterableMatrix
from ddoauth_kit.workbook.widgets.probes import ProbePanel
from ddoauth_kit.workbook.widgets.register import RegistrationForm
from ddoauth_kit.workbook.widgets.sites import SitePicker
from ddoauth_kit.workbook.widgets.tokens import TokenPanel

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
