"""Let all of a server's processes share the attempts that are waiting for their redirects.

Each attempt is a JSON record, stored under the hash of its `state`. A place for the records needs
only three methods, so it can be a folder, a database table or Redis.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
from ddoauth_kit.oauth.pending import LIFETIME
from ddoauth_kit.oauth.pkce import pkce_pair
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, SiteTable

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION: Final = 1
_SECONDS: Final = int(LIFETIME)


class RecordPlace(Protocol):
    """What a place for pending records must do; `FileRecords` is one such place.

    `key` consists of 64 hexadecimal digits. A record is secret ASCII text of a few kilobytes at
    most.
    """

    def put(self, key: str, record: str, *, seconds: int) -> None:
        """Store a record; it may be deleted after the given number of seconds."""

    def get(self, key: str) -> str | None:
        """Return a record, or None if it does not exist."""

    def delete(self, key: str) -> bool:
        """Delete a record; of several concurrent callers, exactly one gets True."""


class SharedPending:
    """Remember attempts for ten minutes, in a place that all of a server's processes can reach.

    `sites` is your `OAuthClient`'s table. `clock` returns Unix time; the machines' clocks must
    agree within a few seconds. This class is thread-safe if `place` is.
    """

    def __init__(
        self,
        place: RecordPlace,
        *,
        sites: SiteTable = DATADOG_SITES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._sites = sites
        self._clock = clock

    def add(self, request: AuthorizationRequest, *, session: str) -> None:
        """Remember an attempt."""
        state = request.state.reveal()
        record = _written(request, session=session, ends=self._clock() + LIFETIME)
        self._place.put(_digest(state), record, seconds=_SECONDS)

    def waits(self, request: AuthorizationRequest) -> bool:
        """Return whether an attempt is still waiting for its redirect."""
        return self._record(request.state.reveal()) is not None

    def take(self, state: str, *, session: str) -> AuthorizationRequest:
        """Return the attempt for a `state`, and forget it.

        A `state` from another session is refused and leaves the attempt waiting.

        Raises:
            AuthorizationError: `wrong_state`, if the state is unknown, used up, too old or from
            another session.
        """
        record = self._record(state)
        if (
            record is not None
            and hmac.compare_digest(record["session"], _session(state, session))
            and self._place.delete(_digest(state))
        ):
            return self._request(record, state)
        raise AuthorizationError("wrong_state", "No attempt of this session expects this redirect.")

    def _record(self, state: str) -> dict[str, Any] | None:
        """Return the record of an attempt, unless it is too old."""
        text = self._place.get(_digest(state))
        record = None if text is None else _read(text)
        return record if record is not None and record["ends"] > self._clock() else None

    def _request(self, record: dict[str, Any], state: str) -> AuthorizationRequest:
        try:
            site = self._sites.named(record["site"])
        except InputError:
            what = f"The attempt began on {record['site']}, a site that this server does not know."
            raise AuthorizationError("wrong_state", what) from None
        return AuthorizationRequest(
            site=site,
            app_url=record["app_url"],
            client_id=record["client_id"],
            redirect_uri=record["redirect_uri"],
            scopes=tuple(record["scopes"]),
            state=Secret(state, label="state"),
            pkce=pkce_pair(record["code_verifier"]),
            bound=record["bound"],
        )


def _written(request: AuthorizationRequest, *, session: str, ends: float) -> str:
    """Return an attempt's record, which contains the state and the session only as hashes."""
    return json.dumps(
        {
            "version": VERSION,
            "ends": ends,
            "session": _session(request.state.reveal(), session),
            "site": request.site.name,
            "app_url": request.app_url,
            "client_id": request.client_id,
            "redirect_uri": request.redirect_uri,
            "scopes": list(request.scopes),
            "code_verifier": request.pkce.verifier.reveal(),
            "bound": request.bound,
        }
    )


_FIELDS: Final[dict[str, type | tuple[type, ...]]] = {
    "ends": (int, float),
    "session": str,
    "site": str,
    "app_url": str,
    "client_id": str,
    "redirect_uri": str,
    "scopes": list,
    "code_verifier": str,
    "bound": bool,
}


def _read(text: str) -> dict[str, Any] | None:
    """Return a record, or None if no compatible version of the kit wrote it."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("version") != VERSION:
        return None
    whole = all(isinstance(record.get(name), kind) for name, kind in _FIELDS.items())
    return record if whole and all(isinstance(s, str) for s in record["scopes"]) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _session(state: str, session: str) -> str:
    """Return a hash of the session that differs from attempt to attempt."""
    return _digest(f"{state}\n{session}")
