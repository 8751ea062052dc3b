"""An attempt has one result: the first redirect that ends it, whichever caller waits for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.scene import Scene

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.callback.awaited_redirect import AwaitedRedirect
from ddoauth_kit.oauth.redirect import read_redirect
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit import Http


@pytest.fixture
def scene(http: Http) -> Iterator[Scene]:
    """Give a sandbox and a client bound to it."""
    with Sandbox() as sandbox:
        yield Scene(sandbox, http)


def bring(answer: AwaitedRedirect[Any], redirect: str, *, spent: bool = True) -> Any:
    """Deliver a redirect in the session that started the attempt."""
    return answer.take(read_redirect(redirect), session="s", spent=lambda _redirect: spent)


def test_the_first_answer_stays(scene: Scene) -> None:
    """A second redirect changes nothing, and neither does a late end."""
    answer = AwaitedRedirect(scene.oauth, finish=scene.oauth.exchange)
    first, second = (visit_consent(scene.begin()) for _ in "ab")
    assert bring(answer, first)
    assert not answer.wait(0), "the page about it is not sent yet"
    assert not bring(answer, second)
    answer.end(AuthorizationError("wait_cancelled", "too late"))
    assert answer.outcome.result().site.name == "us1"
    assert sum(each.purpose == "token exchange" for each in scene.http.transcript) == 1


def test_two_redirects_at_once_make_one_exchange(scene: Scene) -> None:
    """Both browsers come at the same time; one code is exchanged."""
    answer = AwaitedRedirect(scene.oauth, finish=scene.oauth.exchange)
    redirects = [visit_consent(scene.begin()) for _ in range(8)]
    outcomes: list[Any] = []
    threads = [
        threading.Thread(target=lambda each=each: outcomes.append(bring(answer, each)))
        for each in redirects
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len([outcome for outcome in outcomes if outcome]) == 1
    assert sum(each.purpose == "token exchange" for each in scene.http.transcript) == 1


def test_what_is_no_answer_leaves_the_wait(scene: Scene) -> None:
    """The wrong redirect is refused to its sender, and the right one still counts."""
    answer = AwaitedRedirect(scene.oauth, finish=scene.oauth.exchange)
    with pytest.raises(AuthorizationError, match="state"):
        bring(answer, "http://127.0.0.1:1/cb?code=c&state=forged", spent=False)
    assert not answer.outcome.done()
    assert bring(answer, visit_consent(scene.begin()))
    assert answer.outcome.result(0).access_token


def test_a_denial_and_an_unexpected_failure_are_heard_by_whoever_waits(scene: Scene) -> None:
    """The error comes out of the outcome, without the frames that held the redirect."""
    denied = AwaitedRedirect(scene.oauth, finish=scene.oauth.exchange)
    bring(denied, visit_consent(scene.begin(), decision="deny"))
    with pytest.raises(AuthorizationError) as caught:
        denied.outcome.result()
    assert caught.value.code == "access_denied"
    failed = AwaitedRedirect(scene.oauth, finish=lambda _response: {}["nothing"])
    bring(failed, visit_consent(scene.begin()))
    with pytest.raises(KeyError) as unexpected:
        failed.outcome.result()
    frames = [entry.frame for entry in unexpected.traceback]
    code = [
        value for frame in frames for value in frame.f_locals.values() if "code=" in repr(value)
    ]
    assert not code
