"""A picked site is a value with hosts, in the view and in the text."""

from __future__ import annotations

import pytest
from support.panels import field

from ddoauth_kit import DATADOG_SITES
from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.panels import SitePicker


def test_the_picker_shows_the_hosts_of_a_site() -> None:
    """The selected site is the value, in the view and in the text."""
    picker = SitePicker("us1")
    field(picker, "Datadog site").value = "us3"
    assert picker.value == DATADOG_SITES.named("us3")
    assert "api.us3.datadoghq.com" in picker.status.value
    assert "api.us3.datadoghq.com" in repr(picker)
    assert "api.us3.datadoghq.com" in picker.html()


def test_every_site_can_be_picked_by_name_and_domain() -> None:
    """The field offers the nine sites, and starts with the given one."""
    picker = SitePicker("ap1")
    offered = dict(field(picker, "Datadog site").options)
    assert picker.value.name == "ap1"
    assert tuple(offered.values()) == DATADOG_SITES.names
    assert offered["eu1 (datadoghq.eu)"] == "eu1"


def test_an_unknown_site_is_refused() -> None:
    """A picker refuses a site that is not in the table."""
    with pytest.raises(InputError) as caught:
        SitePicker("mars1")
    assert caught.value.code == "unknown_site"
