"""Passwords and tokens: what is kept of them, and how they are checked."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_MIN = 12
"""Characters; what existing clients ask for too."""
PASSWORD_MAX = 128
"""Characters; long enough for every pass phrase, short enough to be hashed at no cost to others."""

# The first choice of the OWASP password storage guide for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class WeakPassword(ValueError):
    """The password is too short or too long; the text is one sentence for the person."""


def check_password_rules(password: str) -> None:
    """Refuse a new password that breaks the rules: 12 to 128 characters, any characters.

    Raises
    ------
    WeakPassword
    """
    length = len(_normal(password))
    if length < PASSWORD_MIN:
        raise WeakPassword(f"The password is too short: use at least {PASSWORD_MIN} characters.")
    if length > PASSWORD_MAX:
        raise WeakPassword(f"The password is too long: use at most {PASSWORD_MAX} characters.")


def hash_password(password: str) -> str:
    """The argon2id hash to keep, with its salt and costs; about 20 ms."""
    return _hasher.hash(_normal(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. ``None`` stands for an unknown user.

    An unknown user costs the same work as a known one, so that the time of the answer tells nothing.
    """
    try:
        _hasher.verify(_hash_of_nobody() if password_hash is None else password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_new_hash(password_hash: str) -> bool:
    """Whether the hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(password_hash)


def new_token() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of a token. It has 256 random bits: one round of SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def _normal(password: str) -> str:
    # The same password typed on another keyboard may arrive as other code points.
    return unicodedata.normalize("NFKC", password)
