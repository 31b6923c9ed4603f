"""Tokens at rest: encrypted with the keys of the setting, so that a copy of the database is none.

Fernet of the cryptography package: AES-128-CBC and HMAC-SHA256. The first key encrypts, all of them
decrypt; so a key is replaced by putting the new one in front and dropping the old one later.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ...exceptions import ConfigurationError
from .configuration import SETTING, configuration

_HOW = (
    'Make one with: python -c "from cryptography.fernet import Fernet; '
    'print(Fernet.generate_key().decode())" and keep it out of the repository.'
)


def ring() -> MultiFernet:
    """The keys of the setting.

    Raises:
        ConfigurationError: There is none, or one of them is no key. None is quoted.
    """
    keys = configuration().keys
    if not keys:
        raise ConfigurationError(f'{SETTING}["KEYS"] is empty: tokens cannot be kept. {_HOW}')
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ConfigurationError(f'{SETTING}["KEYS"] holds what is no key. {_HOW}') from error


def seal(secret: str) -> str:
    """Encrypt a token."""
    return ring().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt a token.

    Raises:
        ConfigurationError: None of the keys fits.
    """
    try:
        return ring().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ConfigurationError(
            f'None of {SETTING}["KEYS"] decrypts the token of Saleor. Put the key that was used '
            "back into the list, or install the app in Saleor again."
        ) from error
