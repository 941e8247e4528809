"""Creating users, logging in, and telling who a token belongs to."""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from avatars.server import security
from avatars.server.accounts.models import LoginFailures, Role, Token, User, username_key
from avatars.server.db import Base, Database, utc_now
from avatars.server.errors import ApiError, TooManyRequests
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

LOGIN_WINDOW = timedelta(minutes=15)
"""How long failed logins are remembered, and so the longest that anyone is kept out by them."""

ACCOUNT_FAILURES = 10
"""Failed logins per account name and window. People mistype less than that; and 40 guesses an hour are
nothing against twelve characters. Higher would help guessing, lower would let others lock a person out more
easily. Names that do not exist are counted alike, so that the limit does not tell which do."""

ADDRESS_FAILURES = 100
"""Failed logins per address and window. A hospital may stand behind one address, so it is well above a
person's limit; it is there against one password tried on many names."""

TOUCH_INTERVAL = timedelta(minutes=1)
"""``last_used_at`` is written at most this often: reading must not turn into writing."""

LOGINS_AT_ONCE = 4
"""Logins that are looked at at the same time; others wait. Hashing a password takes 19 MiB and a processor, and
every login under way counts as failed until it is known to be right: a class of thirty that logs in with one
account at the same moment must not lock itself out."""

_turns = threading.BoundedSemaphore(LOGINS_AT_ONCE)

_USERNAME = re.compile(r"[\w.@+-]{1,150}")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,189}")


class AccountError(ValueError):
    """The account cannot be made like this; the text is one sentence for the person."""


class UsernameTaken(AccountError):
    """Somebody has this name (or e-mail address) already."""


class WrongCredentials(ApiError):
    """401: the name and the password do not belong together; the same for every reason."""

    def __init__(self) -> None:
        super().__init__(401, "wrong_credentials", "The username or the password is wrong: check both, and try again.")


def create_user(
    database: Database, username: str, password: str, *, role: Role = Role.USER, email: str | None = None
) -> User:
    """Make an account that can log in at once.

    Raises
    ------
    AccountError
        The name or the e-mail address cannot be used, or is taken (:class:`UsernameTaken`).
    WeakPassword
        The password breaks the rules of ``security.check_password_rules``.
    """
    check_new_names(database, username, email)
    security.check_password_rules(password)
    user = User(
        username=unicodedata.normalize("NFKC", username),
        email=email.lower() if email is not None else None,
        password_hash=security.hash_password(password),
        role=role.value,
    )
    try:
        with database.write() as session:
            session.add(user)
    except IntegrityError:
        # Somebody took the name between the check and now; the same check finds out which.
        check_new_names(database, username, email)
        raise
    log.info("user.created", user_id=str(user.id), role=user.role)
    return user


def check_new_names(database: Database, username: str, email: str | None = None) -> None:
    """Refuse names that a new account cannot have.

    Raises
    ------
    AccountError
        The username or the e-mail address is not valid.
    UsernameTaken
        Somebody has it already.
    """
    username = unicodedata.normalize("NFKC", username)
    if not _USERNAME.fullmatch(username):
        raise AccountError("A username has 1 to 150 characters: letters, digits and . _ - @ + are allowed.")
    if email is not None and not _EMAIL.fullmatch(email):
        raise AccountError("The e-mail address is not valid: write it as name@example.org.")
    with database.read() as session:
        if session.scalar(select(User.id).where(User.username_key == username_key(username))) is not None:
            raise UsernameTaken(f"The username {username} is taken: choose another one.")
        if email is not None and session.scalar(select(User.id).where(User.email == email.lower())) is not None:
            raise UsernameTaken("The e-mail address is taken: choose another one.")


def set_active(database: Database, user_id: UUID, active: bool) -> None:
    """Disable a user, which ends all of their logins for good, or enable them again."""
    with database.write() as session:
        session.execute(update(User).where(User.id == user_id).values(is_active=active))
        if not active:
            session.execute(delete(Token).where(Token.user_id == user_id))
    log.info("user.enabled" if active else "user.disabled", user_id=str(user_id))


def log_in(database: Database, settings: Settings, username: str, password: str, address: str) -> str:
    """Check the password and give a new token.

    The attempt is counted as a failure first and forgiven after a right password: attempts that are made at
    the same time, by whatever process, cannot slip through together.

    Parameters
    ----------
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
        return _log_in(database, settings, _Attempt.of(username, address), password)


def _log_in(database: Database, settings: Settings, attempt: _Attempt, password: str) -> str:
    _count(database, attempt)
    with database.read() as session:
        user = session.scalars(select(User).where(User.username_key == attempt.username_key)).one_or_none()
    correct = security.verify_password(user.password_hash if user is not None else None, password)
    if user is None or not user.is_active or not correct:
        # Without the name: people type passwords into that field.
        log.warning("login.failed", address=attempt.came_from, user_id=str(user.id) if user is not None else None)
        raise WrongCredentials
    new_hash = security.hash_password(password) if security.needs_new_hash(user.password_hash) else None
    token = security.new_token()
    now = utc_now()
    with database.write() as session:
        _forgive(session, attempt)
        # Read again, and locked: who is disabled at this moment must not come out of it with a token.
        fresh = session.get(User, user.id, with_for_update=True)
        if fresh is None or not fresh.is_active:
            raise WrongCredentials
        if new_hash is not None and fresh.password_hash == user.password_hash:
            fresh.password_hash = new_hash
        idle_since = now - timedelta(hours=settings.token_idle_hours)
        _purge(session, Token, Token.hash, (Token.expires_at <= now) | (Token.last_used_at <= idle_since))
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
    log.info("login.succeeded", user_id=str(user.id))
    return token


def authenticate(database: Database, settings: Settings, token: str) -> User | None:
    """The user that a token belongs to; ``None`` where it is unknown, over, or its user is disabled."""
    hashed = security.token_hash(token)
    now = utc_now()
    with database.read() as session:
        found = session.execute(
            select(User, Token).join(Token, Token.user_id == User.id).where(Token.hash == hashed, User.is_active)
        ).one_or_none()
    if found is None:
        return None
    user, login = found
    if now >= login.expires_at or now >= login.last_used_at + timedelta(hours=settings.token_idle_hours):
        return None
    if now >= login.last_used_at + TOUCH_INTERVAL:
        with database.write() as session:
            session.execute(update(Token).where(Token.hash == hashed).values(last_used_at=now))
    return user


@dataclass(frozen=True)
class _Attempt:
    """One try to log in, and the two counters that it moves."""

    username_key: str
    came_from: str
    account: str
    address: str

    @classmethod
    def of(cls, username: str, address: str) -> _Attempt:
        # PostgreSQL has no NUL in texts; a name with one is nobody's.
        key = username_key(username).replace("\x00", "\ufffd")
        return cls(key, address, _counter("account", key), _counter("address", address))


def _counter(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode(errors="replace")).hexdigest()


def _count(database: Database, attempt: _Attempt) -> None:
    limits = {attempt.account: ACCOUNT_FAILURES, attempt.address: ADDRESS_FAILURES}
    now = utc_now()
    blocked_until: list[datetime] = []
    with database.write() as session:
        # Always in the same order: two logins that lock the same rows must not wait for each other.
        for key in sorted(limits):
            counter = session.execute(_add_failure(session, key, now)).one()
            if counter.failures > limits[key]:
                blocked_until.append(counter.window_ends_at)
        _purge(session, LoginFailures, LoginFailures.key, LoginFailures.window_ends_at <= now)
    if blocked_until:
        seconds = max(1, round((max(blocked_until) - now).total_seconds()))
        log.warning("login.limited", retry_after=seconds)
        minutes = -(-seconds // 60)
        raise TooManyRequests(
            "too_many_logins",
            f"Too many logins failed: wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.",
            retry_after=seconds,
        )


def _add_failure(session: Session, key: str, now: datetime) -> Any:
    """One statement that starts a window or counts within it; atomic on both databases."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = {"failures": 1, "window_ends_at": now + LOGIN_WINDOW}
    over = LoginFailures.window_ends_at <= now
    return (
        insert(LoginFailures)
        .values(key=key, **fresh)
        .on_conflict_do_update(
            index_elements=[LoginFailures.key],
            set_={
                "failures": case((over, 1), else_=LoginFailures.failures + 1),
                "window_ends_at": case((over, fresh["window_ends_at"]), else_=LoginFailures.window_ends_at),
            },
        )
        .returning(LoginFailures.failures, LoginFailures.window_ends_at)
    )


def _purge(session: Session, model: type[Base], key: InstrumentedAttribute[str], over: ColumnElement[bool]) -> None:
    """Delete rows that are over; those that another login is deleting at the same moment are left to it."""
    rows = select(key).where(over).with_for_update(skip_locked=True)
    session.execute(delete(model).where(key.in_(rows)), execution_options={"synchronize_session": False})


def _forgive(session: Session, attempt: _Attempt) -> None:
    # The address keeps what it has but this attempt: who owns one account must not be able to clear the
    # counter between guesses at others.
    address = (
        update(LoginFailures)
        .where(LoginFailures.key == attempt.address, LoginFailures.failures > 0)
        .values(failures=LoginFailures.failures - 1)
    )
    account = delete(LoginFailures).where(LoginFailures.key == attempt.account)
    # In the same order as they are counted in, for the same reason.
    for statement in (account, address) if attempt.account < attempt.address else (address, account):
        session.execute(statement)
