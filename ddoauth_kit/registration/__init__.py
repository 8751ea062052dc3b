"""Represent an OAuth client's registration, and read it from files or the environment."""

from ddoauth_kit.registration.client_registration import (
    MAX_FILE_BYTES,
    ClientRegistration,
    Kind,
    TokenEndpoint,
    registration_from_environment,
    registration_from_file,
    with_environment,
)

__all__ = [
    "MAX_FILE_BYTES",
    "ClientRegistration",
    "Kind",
    "TokenEndpoint",
    "registration_from_environment",
    "registration_from_file",
    "with_environment",
]
