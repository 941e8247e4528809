"""Logging in and out, and telling who a token belongs to."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from avatars.server import security
from avatars.server.accounts import limits
from avatars.server.accounts.limits import Limit, Use
from avatars.server.accounts.models import Token, User, username_key
from avatars.server.audit.models import Action
from avatars.server.audit.service import record, record_alone
from avatars.server.db import Database, utc_now
from avatars.server.errors import ApiError
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

LOGIN_WINDOW = timedelta(minutes=15)
"""How long failed logins are remembered, and so the longest that anyone is kept out by them."""

ACCOUNT_FAILURES = Limit("account", 10, LOGIN_WINDOW, "logins failed", "too_many_logins")
"""Per account name. People mistype less than that; and 40 guesses an hour are nothing against twelve characters.
Higher would help guessing, lower would let others lock a person out more easily. Names that do not exist are counted
alike, so that the limit does not tell which do."""

ADDRESS_FAILURES = Limit("address", 100, LOGIN_WINDOW, "logins failed", "too_many_logins")
"""Per address. A hospital may stand behind one address, so it is well above a person's limit; it is there against one
password tried on many names."""

TOUCH_INTERVAL = timedelta(minutes=1)
"""``last_used_at`` is written at most this often: reading must not turn into writing."""

LOGINS_AT_ONCE = 4
"""Logins that are looked at at the same time; others wait. Hashing a password takes 19 MiB and a processor, and
every login under way counts as failed until it is known to be right: a class of thirty that logs in with one
account at the same moment must not lock itself out."""

_LOGIN = (
    select(User, Token.expires_at, Token.last_used_at)
    .join(Token, Token.user_id == User.id)
    .where(Token.hash == bindparam("hash"), User.is_active)
)
"""What every request asks first; made once."""

_turns = threading.BoundedSemaphore(LOGINS_AT_ONCE)


class WrongCredentials(ApiError):
    """401: the name and the password do not belong together; the same for every reason."""

    def __init__(self) -> None:
        super().__init__(401, "wrong_credentials", "The username or the password is wrong: check both, and try again.")


def log_in(database: Database, settings: Settings, username: str, password: str, address: str) -> str:
    """Check the password and give a new token.

    The attempt is counted as a failure first and forgiven after a right password: attempts that are made at
    the same time, by whatever process, cannot slip through together.

    Parameters
    ----------
    username
        Or the e-mail address, where people log in with that.
    address
        Where the request comes from, for the limit.

    Raises
    ------
    TooManyRequests
        Too many failed logins lately, for this name or from this address.
    WrongCredentials
        The name is unknown or disabled, or the password is not its password.
    """
    with _turns:
        return _log_in(database, settings, username, password, address)


def _log_in(database: Database, settings: Settings, username: str, password: str, address: str) -> str:
    # PostgreSQL has no NUL in texts; a name with one is nobody's.
    name = username_key(username).replace("\x00", "\ufffd")
    by_account, by_address = Use(ACCOUNT_FAILURES, name), Use(ADDRESS_FAILURES, address)
    limits.count(database, [by_account, by_address])
    with database.read() as session:
        user = _find(session, settings, name)
    correct = security.verify_password(user.password_hash if user is not None else None, password)
    if user is None or not user.is_active or not correct:
        # Without the name: people type passwords into that field.
        log.warning("login.failed", address=address, user_id=str(user.id) if user is not None else None)
        record_alone(database, Action.LOGIN_FAILED, None, user.id if user is not None else None)
        raise WrongCredentials
    new_hash = security.hash_password(password) if security.needs_new_hash(user.password_hash) else None
    token = security.new_token()
    now = utc_now()
    with database.write() as session:
        # The address keeps what it has but this attempt: who owns one account must not be able to clear the counter
        # between guesses at others.
        limits.forgive(session, once=by_address, wholly=by_account)
        # Read again, and locked: who is disabled at this moment, or has just set another password, must not come out of
        # it with a token. A hash that another login has just renewed is of the same password.
        fresh = session.get(User, user.id, with_for_update=True)
        if fresh is None or not fresh.is_active:
            raise WrongCredentials
        is_same = fresh.password_hash == user.password_hash
        if not is_same and not security.verify_password(fresh.password_hash, password):
            raise WrongCredentials
        if is_same and new_hash is not None:
            fresh.password_hash = new_hash
        idle_since = now - timedelta(hours=settings.token_idle_hours)
        limits.purge(session, Token, Token.hash, (Token.expires_at <= now) | (Token.last_used_at <= idle_since))
        expires_at = now + timedelta(hours=settings.token_absolute_hours)
        session.add(
            Token(
                hash=security.token_hash(token),
                user_id=user.id,
                created_at=now,
                last_used_at=now,
                expires_at=expires_at,
            )
        )
        record(session, Action.LOGGED_IN, user.id, user.id)
    log.info("login.succeeded", user_id=str(user.id))
    return token


def log_out(database: Database, user: User, token: str) -> None:
    """End the login that a token stands for."""
    with database.write() as session:
        session.execute(delete(Token).where(Token.hash == security.token_hash(token)))
        record(session, Action.LOGGED_OUT, user.id, user.id)
    log.info("logged_out", user_id=str(user.id))


def authenticate(database: Database, settings: Settings, token: str) -> User | None:
    """The user that a token belongs to; ``None`` where it is unknown, over, or its user is disabled."""
    hashed = security.token_hash(token)
    now = utc_now()
    with database.read() as session:
        found = session.execute(_LOGIN, {"hash": hashed}).one_or_none()
    if found is None:
        return None
    user, expires_at, last_used_at = found
    if now >= expires_at or now >= last_used_at + timedelta(hours=settings.token_idle_hours):
        return None
    if now >= last_used_at + TOUCH_INTERVAL:
        with database.write() as session:
            session.execute(update(Token).where(Token.hash == hashed).values(last_used_at=now))
    return user


def _find(session: Session, settings: Settings, name: str) -> User | None:
    if settings.use_email_authentication and "@" in name:
        by_email = session.scalars(select(User).where(User.email == name)).one_or_none()
        if by_email is not None:
            return by_email
    return session.scalars(select(User).where(User.username_key == name)).one_or_none()
