"""The README offers the published site exactly when its address is set."""

from __future__ import annotations

from ddoauth_kit.maintenance.site.address import README, main, site_address, with_offer


def test_the_readme_is_fresh() -> None:
    """`--check` passes on the committed README."""
    assert main(["--check"]) == 0


def test_the_link_comes_and_goes_with_the_setting() -> None:
    """With an address the row offers it, without one nothing is left of it."""
    text = README.read_text("utf-8")
    bare = with_offer(text, address="")
    offered = with_offer(text, address="https://example.com/kit/")
    assert "[open it in your browser](https://example.com/kit/), or " in offered
    assert "open it in your browser" not in bare
    assert with_offer(offered, address="") == bare


def test_the_address_is_one_setting() -> None:
    """The address is in pyproject.toml, and nowhere else."""
    assert site_address('[tool.ddoauth-kit]\nsite = "https://example.com/"') == (
        "https://example.com/"
    )
