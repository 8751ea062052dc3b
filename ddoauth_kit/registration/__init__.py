"""What the Developer Platform knows of an OAuth client, and where it is read from."""

from ddoauth_kit.registration.client_registration import (
    MAX_FILE_BYTES,
    ClientRegistration,
    Kind,
    TokenEndpoint,
    registration_from_environment,
    registration_from_file,
    with_environment,
)
from ddoauth_kit.registration.redirect_uris import LOOPBACK, can_be_redirect_uri

__all__ = [
    "LOOPBACK",
    "MAX_FILE_BYTES",
    "ClientRegistration",
    "Kind",
    "TokenEndpoint",
    "can_be_redirect_uri",
    "registration_from_environment",
    "registration_from_file",
    "with_environment",
]
