"""Store secrets that are shown only once: client secrets, refresh tokens and API keys.

Each secret has its own slot. The order of preference is the environment (read only), the operating
system's keyring, files that only this user can read, and memory. The kit does not use a store that
fails, loses values, or writes plain text that others can read, and it says why.
"""

from ddoauth_kit.store.choice import ChosenStore, open_store
from ddoauth_kit.store.environment import EnvironmentFirst
from ddoauth_kit.store.files import FileStore
from ddoauth_kit.store.keyrings import SERVICE, KeyringStore
from ddoauth_kit.store.memory import MemoryStore
from ddoauth_kit.store.slots import Slot, Store, refuse_unwritable

__all__ = [
    "SERVICE",
    "ChosenStore",
    "EnvironmentFirst",
    "FileStore",
    "KeyringStore",
    "MemoryStore",
    "Slot",
    "Store",
    "open_store",
    "refuse_unwritable",
]
