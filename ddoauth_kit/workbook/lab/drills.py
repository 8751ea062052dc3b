"""Make mistakes on purpose, each in its own sandbox, and show the responses.

A drill is a sandbox fault (`denied-consent`, `html-error`), the same fault once the client has
tokens (`api:html-error`), or one of the client mistakes listed here. Drills never touch Datadog.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec

from ddoauth_kit.api.api_keys import ApiKey
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.api.telemetry import metric_request
from ddoauth_kit.errors import DdoauthError, InputError
from ddoauth_kit.http.sender import Http
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.oauth.pkce import new_pkce_pair
from ddoauth_kit.oauth.tokens import current_user_request, monitor_list_request
from ddoauth_kit.secret import Secret
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent
from ddoauth_kit.workbook.show.cards import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.sites import Site
    from ddoauth_kit.workbook.lab.lab import Lab

AT_API: Final = "api:"
NEW_REGION: Final = "rehearsal1"
IMPATIENT: Final = 0.5
Arguments = ParamSpec("Arguments")


def run_drill(name: str, *, open_lab: Callable[..., Lab], site: str) -> DdoauthError | Skipped:
    """Return the error that a fault or a mistake causes.

    Raises:
        InputError: `unknown_drill`, for any other name.
    """
    steps, faults = _planned(name)
    with open_lab(site, faults=faults) as lab:
        try:
            steps(lab)
        except DdoauthError as error:
            return error
    return Skipped(f"The drill {name} did not fail.", state="no error")


def _planned(name: str) -> tuple[Callable[[Lab], None], tuple[str, ...]]:
    """Return a drill's steps, and the faults that its sandbox starts with."""
    if name in MISTAKES:
        return MISTAKES[name], ()
    fault = name.removeprefix(AT_API)
    _refuse_unknown(fault, drill=name)
    if fault != name:
        return partial(_faulty_api, fault=fault), ()
    return _whole_flow, (fault,)


def _refuse_unknown(fault: str, *, drill: str) -> None:
    from ddoauth_kit.sandbox import SandboxError
    from ddoauth_kit.sandbox.state.faults import parse_fault

    try:
        parse_fault(fault)
    except SandboxError as error:
        known = ", ".join(MISTAKES)
        what = f"{drill!r} is neither a mistake ({known}) nor a sandbox fault: {error}."
        raise InputError("unknown_drill", what) from None


def _whole_flow(lab: Lab) -> None:
    tokens = lab.exchange(lab.authorize())
    lab.send_data(lab.create_api_key(tokens))
    lab.read_data(lab.oauth.refresh(tokens))


def _faulty_api(lab: Lab, *, fault: str) -> None:
    """Inject a fault after the exchange, so it affects the API but not the token endpoint."""
    tokens = lab.exchange(lab.authorize())
    lab.inject(fault)
    lab.read_data(tokens)


def _impatient_client(lab: Lab) -> None:
    """Wait half a second for a response that takes three seconds."""
    tokens = lab.exchange(lab.authorize())
    lab.inject("slow:1")
    with Http(timeout=IMPATIENT) as http:
        refuse_failure(http.send(current_user_request(tokens)))


def _second_callback(lab: Lab) -> None:
    """Send a redirect twice, as a reloaded page or a link scanner does."""
    redirect = visit_consent(lab.authorization_request())
    lab.oauth.receive(redirect, session=ONE_PERSON)
    lab.oauth.receive(redirect, session=ONE_PERSON)


def _reused_code(lab: Lab) -> None:
    response = lab.authorize()
    lab.exchange(response)
    lab.exchange(response)


def _wrong_verifier(lab: Lab) -> None:
    response = lab.authorize()
    other = replace(response.request, pkce=new_pkce_pair())
    lab.exchange(replace(response, request=other))


def _other_redirect_uri(lab: Lab) -> None:
    response = lab.authorize()
    other = replace(response.request, redirect_uri="https://elsewhere.example/callback")
    lab.exchange(replace(response, request=other))


def _wrong_site(lab: Lab) -> None:
    response = lab.authorize()
    lab.exchange(replace(response, site=_another_site(lab)))


def _wrong_secret(lab: Lab) -> None:
    response = lab.authorize()
    _change_registration(lab, client_secret=Secret("not-the-secret", label="client_secret"))
    lab.exchange(response)


def _missing_secret(lab: Lab) -> None:
    response = lab.authorize()
    _change_registration(lab, client_secret=Secret("", label="client_secret"))
    lab.exchange(response)


def _bad_scope(lab: Lab) -> None:
    request = lab.authorization_request()
    lab.authorize(replace(request, scopes=(*request.scopes, "status_pages_notice_write")))


def _token_of_another_site(lab: Lab) -> None:
    tokens = replace(lab.exchange(lab.authorize()), site=_another_site(lab))
    refuse_failure(lab.oauth.http.send(monitor_list_request(tokens)))


def _second_key(lab: Lab) -> None:
    tokens = lab.exchange(lab.authorize())
    lab.create_api_key(tokens)
    lab.create_api_key(tokens)


def _refresh_after_revocation(lab: Lab) -> None:
    tokens = lab.exchange(lab.authorize())
    lab.oauth.revoke(tokens)
    lab.oauth.refresh(tokens)


def _call_after_revocation(lab: Lab) -> None:
    tokens = lab.exchange(lab.authorize())
    lab.oauth.revoke(tokens)
    lab.current_user(tokens)


def _refresh_after_uninstall(lab: Lab) -> None:
    tokens = lab.exchange(lab.authorize())
    lab.customer.uninstall(tokens.client_id)
    lab.refresh(tokens)


def _key_after_uninstall(lab: Lab) -> None:
    """Send data with an uninstalled app's key, because keys outlive grants."""
    tokens = lab.exchange(lab.authorize())
    api_key = lab.create_api_key(tokens)
    lab.customer.uninstall(tokens.client_id)
    lab.send_data(api_key)


def _metric_with_token(lab: Lab) -> None:
    tokens = lab.exchange(lab.authorize())
    stand_in = ApiKey(key=tokens.access_token, key_id="", name="", site=tokens.site)
    request = metric_request(stand_in, sample=lab.sample())
    bearer = (("authorization", tokens.access_token),)
    refuse_failure(lab.oauth.http.send(replace(request, headers=bearer)))


def _monitors_with_key(lab: Lab) -> None:
    tokens = lab.exchange(lab.authorize())
    api_key = lab.create_api_key(tokens)
    request = monitor_list_request(tokens)
    if isinstance(api_key, ApiKey):
        request = replace(request, headers=(("dd-api-key", api_key.key),))
    refuse_failure(lab.oauth.http.send(request))


def _new_region(lab: Lab) -> None:
    """Consent in a region that is missing from the table of sites."""
    lab.oauth.complete(_consented_in(lab, NEW_REGION), session=ONE_PERSON)


def _region_without_credentials(lab: Lab) -> None:
    """Consent in a region other than the one where the client is valid."""
    lab.oauth.registration = replace(lab.registration, sites=(lab.site.name,))
    lab.oauth.complete(_consented_in(lab, _another_site(lab).name), session=ONE_PERSON)


def _consented_in(lab: Lab, region: str) -> str:
    """Start outside the tile, before the region is known, and let the customer choose one."""
    return visit_consent(lab.oauth.begin(session=ONE_PERSON), region=region)


def _another_site(lab: Lab) -> Site:
    return next(site for site in lab.oauth.sites if site != lab.site)


def _change_registration(lab: Lab, *, client_secret: Secret) -> None:
    changed: ClientRegistration = replace(lab.registration, client_secret=client_secret)
    lab.oauth.registration = changed


MISTAKES: Final[dict[str, Callable[[Lab], None]]] = {
    "bad-scope": _bad_scope,
    "call-after-revocation": _call_after_revocation,
    "impatient-client": _impatient_client,
    "key-after-uninstall": _key_after_uninstall,
    "metric-with-token": _metric_with_token,
    "missing-secret": _missing_secret,
    "monitors-with-key": _monitors_with_key,
    "new-region": _new_region,
    "other-redirect-uri": _other_redirect_uri,
    "refresh-after-revocation": _refresh_after_revocation,
    "refresh-after-uninstall": _refresh_after_uninstall,
    "region-without-credentials": _region_without_credentials,
    "reused-code": _reused_code,
    "second-callback": _second_callback,
    "second-key": _second_key,
    "token-of-another-site": _token_of_another_site,
    "wrong-secret": _wrong_secret,
    "wrong-site": _wrong_site,
    "wrong-verifier": _wrong_verifier,
}


def provoke(
    call: Callable[Arguments, object], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> DdoauthError:
    """Call a function that should fail, and return its error.

    Raises:
        AssertionError: nothing failed.
    """
    try:
        call(*args, **kwargs)
    except DdoauthError as error:
        return error
    raise AssertionError("This was expected to fail, but it did not.")
