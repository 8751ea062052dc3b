"""Start an attempt that a panel can wait for, however the redirect arrives."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth.callback.attempts import ANOTHER
from ddoauth_kit.oauth.callback.awaited_redirect import AwaitedRedirect
from ddoauth_kit.oauth.callback.listener import CallbackListener
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.oauth.redirect import Redirect, pasted_redirect
from ddoauth_kit.printable import counted
from ddoauth_kit.workbook.lab.backend import Mode
from ddoauth_kit.workbook.lab.in_process import is_in_process
from ddoauth_kit.workbook.lab.listen_or_paste import comes_back_here
from ddoauth_kit.workbook.lab.shared_sandbox import ports_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.lab.lab import Lab

    Check = Callable[[AuthorizationResponse], None]

LISTENS: Final = (
    "Waiting for your decision on that page. If the page you end up on does not open, paste its "
    "address into the field."
)
PASTES: Final = (
    "Decide on that page, then paste the address of the page you end up on into the field, even "
    "if it does not open."
)
CLICKS: Final = "Decide on the page below, as a customer would."


class Attempt(Protocol):
    """Tells a panel which address to open, what to do there, and how to end the attempt."""

    url: str
    advice: str

    def wait(self, timeout: float) -> TokenSet:
        """Return the tokens, or raise the error that prevented them; `timeout` is in seconds."""

    def take(self, redirect: str) -> None:
        """Accept a pasted redirect; if it belongs to another attempt, raise and keep waiting."""

    def cancel(self) -> None:
        """Stop waiting; any thread may call this."""


def begin_attempt(lab: Lab, *, check: Check = lambda _response: None) -> Attempt:
    """Return an attempt whose redirect reaches the listener or must be pasted.

    A sandbox in this process shows its pages in the notebook, which also sends the redirect.

    The listener is used for the sandbox, and for a registered loopback redirect URI if its port is
    free and the browser is on this machine, unless `DDOAUTH_CONSENT` is `paste`. `check` receives
    the checked redirect, with the organization, before the code is exchanged or anything is stored;
    if it raises an error, the attempt ends.

    Raises:
        InputError: the registration cannot be used.
    """
    if is_in_process(lab.site.app_url):
        return PastedAttempt(lab, check=check, advice=CLICKS)
    if lab.backend.mode is Mode.LIVE and not comes_back_here(lab.registration.redirect_uris):
        return PastedAttempt(lab, check=check)
    try:
        return ListenedAttempt(lab, listener_of(lab, check=check, onboarding=False).open())
    except InputError as error:
        if lab.backend.mode is not Mode.LIVE or error.code != "port_not_opened":
            raise
        return PastedAttempt(lab, check=check, why=f"{error.what} ")


class ListenedAttempt:
    """An attempt that waits at the listener; a redirect that can't reach it can still be pasted."""

    advice = LISTENS

    def __init__(self, lab: Lab, listener: CallbackListener[TokenSet]) -> None:
        self.url = listener.begin_url(domain=lab.site.domain)
        self.wait = listener.wait
        self.take = listener.take
        self.cancel = listener.cancel


class PastedAttempt:
    """An attempt that waits for a paste, because redirects can't reach this machine directly."""

    def __init__(
        self,
        lab: Lab,
        *,
        check: Check = lambda _response: None,
        why: str = "",
        advice: str = PASTES,
    ) -> None:
        self._pending = lab.oauth.pending
        self._request = lab.authorization_request()
        self._answer = AwaitedRedirect(lab.oauth, finish=_checked(lab, check))
        self.url = self._request.url
        self.advice = f"{why}{advice}"

    def wait(self, timeout: float) -> TokenSet:
        """Return the tokens for the pasted redirect.

        Raises:
            AuthorizationError: `no_redirect_in_time`, `wait_cancelled`, or an error from the pasted
            redirect. TokenError, AnswerError, NetworkError: the code was not exchanged.
        """
        try:
            if not self._answer.wait(timeout):
                what = f"Nothing was pasted within {counted(f'{timeout:g}', 'second')}."
                self._answer.end(AuthorizationError("no_redirect_in_time", what))
        finally:
            with suppress(AuthorizationError):
                self._pending.take(self._request.state.reveal(), session=ONE_PERSON)
        return self._answer.outcome.result()

    def take(self, redirect: str | Redirect) -> None:
        """Check a pasted redirect and exchange its code.

        Raises:
            AuthorizationError: it doesn't belong to this attempt, which stays pending.
        """
        redirect = pasted_redirect(redirect)
        redirect.refuse_fault()
        if self._request.state != redirect.state:
            raise AuthorizationError("wrong_state", ANOTHER)
        self._answer.take(redirect, session=ONE_PERSON, spent=self._is_spent)
        self._answer.release()

    def cancel(self) -> None:
        """Stop waiting."""
        what = "The wait was cancelled before the redirect arrived."
        self._answer.end(AuthorizationError("wait_cancelled", what))

    def _is_spent(self, _redirect: Redirect) -> bool:
        return not self._pending.waits(self._request)


def listener_of(
    lab: Lab, *, check: Check = lambda _response: None, onboarding: bool = True
) -> CallbackListener[TokenSet]:
    """Return the listener for a lab's two URLs; entering it opens the port.

    Without `onboarding`, it serves only the redirect URI. `check` works as in `begin_attempt`.

    In live mode, the port is the registered one. In the sandbox, a free port is added to the
    client's registration, and browsers use Jupyter's proxy if there is one. Codes are exchanged and
    grants are stored as in `lab.exchange`.

    Raises:
        InputError: `no_loopback_redirect_uri`, or `port_not_opened` when the block is entered.
    """
    register = lab.backend.register
    return CallbackListener(
        lab.oauth,
        finish=_checked(lab, check),
        register=register,
        proxy_path=ports_path() if register else "",
        onboarding=onboarding,
    )


def _checked(lab: Lab, check: Check) -> Callable[[AuthorizationResponse], TokenSet]:
    """Pass a redirect to `check` before `lab.exchange` uses its code and stores the grant."""

    def finish(response: AuthorizationResponse) -> TokenSet:
        check(response)
        return lab.exchange(response)

    return finish
