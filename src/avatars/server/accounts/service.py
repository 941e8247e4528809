"""Users: made, found, disabled."""

from __future__ import annotations

import re
import secrets
import unicodedata
from uuid import UUID

import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server import security
from avatars.server.accounts.models import PasswordReset, Role, Token, User, username_key
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.db import Database
from avatars.server.errors import NotFound

log = structlog.get_logger(__name__)

ORGANIZATION = UUID(int=0)
"""Later clients expect one; here all users of a platform belong together."""

_USERNAME = re.compile(r"[\w.@+-]{1,150}")
# What HTML calls a valid e-mail address: no blanks, quotes or line ends that could reach into a mail's header.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
MAX_EMAIL = 254


class AccountError(ValueError):
    """The account cannot be made like this; the text is one sentence for the person."""


class UsernameTaken(AccountError):
    """Somebody has this name (or e-mail address) already."""


def create_user(
    database: Database,
    username: str,
    password: str | None,
    *,
    role: Role = Role.USER,
    email: str | None = None,
    by: UUID | None = None,
) -> User:
    """Make an account that can log in at once, or, without a password, after a reset of its password.

    ``by`` is the admin who makes it; none where an operator does.

    Raises
    ------
    AccountError
        The name or the e-mail address cannot be used, or is taken (:class:`UsernameTaken`).
    WeakPassword
        The password breaks the rules of ``security.check_password_rules``.
    """
    check_new_names(database, username, email)
    if password is None:
        # Nobody's: not even whoever reads the database could log in with it.
        password = secrets.token_urlsafe(32)
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
            session.flush()
            record(session, Action.USER_CREATED, by, user.id)
    except IntegrityError:
        # Somebody took the name between the check and now; the same check finds out which.
        check_new_names(database, username, email)
        raise
    log.info("user.created", user_id=str(user.id), role=user.role)
    return user


def is_email(text: str) -> bool:
    """Whether this may be an e-mail address."""
    return len(text) <= MAX_EMAIL and _EMAIL.fullmatch(text) is not None


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
    if email is not None and not is_email(email):
        raise AccountError("The e-mail address is not valid: write it as name@example.org.")
    # Names and addresses are one set: where people log in with either, one must not pass for another.
    with database.read() as session:
        if _is_taken(session, username_key(username)):
            raise UsernameTaken(f"The username {username} is taken: choose another one.")
        if email is not None and _is_taken(session, email.lower()):
            raise UsernameTaken("The e-mail address is taken: choose another one.")


def set_active(database: Database, user_id: UUID, active: bool) -> None:
    """Disable a user, which ends all of their logins for good, or enable them again."""
    with database.write() as session:
        session.execute(update(User).where(User.id == user_id).values(is_active=active))
        if not active:
            for model in (Token, PasswordReset):
                session.execute(delete(model).where(model.user_id == user_id))
        record(session, Action.USER_ENABLED if active else Action.USER_DISABLED, None, user_id)
    log.info("user.enabled" if active else "user.disabled", user_id=str(user_id))


def find_all(database: Database) -> list[User]:
    """Give all users by name; for operators."""
    with database.read() as session:
        return list(session.scalars(select(User).order_by(User.username_key)))


def find_by_name(database: Database, name: str) -> User | None:
    """Give the user of this name; for operators."""
    with database.read() as session:
        return session.scalars(select(User).where(User.username_key == username_key(name))).one_or_none()


def find_users(database: Database, asking: User, email: str, username: str) -> list[wire.User]:
    """Give the users with this e-mail address and this name, each unless empty.

    Admins find everybody, others themselves.
    """
    wanted = select(User).order_by(User.username_key)
    if email:
        wanted = wanted.where(User.email == email.lower())
    if username:
        wanted = wanted.where(User.username_key == _storable(username_key(username)))
    if asking.role != Role.ADMIN:
        wanted = wanted.where(User.id == asking.id)
    with database.read() as session:
        return [describe(user) for user in session.scalars(wanted)]


def find_user(database: Database, asking: User, name_or_id: str) -> wire.User:
    """Give one user, by name as clients up to 0.2 ask, or by id.

    Raises
    ------
    NotFound
        There is none, or it is somebody else and the one who asks is no admin: the answer does not tell which.
    """
    with database.read() as session:
        user = _find(session, name_or_id)
    if user is None or (asking.role != Role.ADMIN and user.id != asking.id):
        raise NotFound("There is no user of this name or id that you may see: check its spelling.")
    return describe(user)


def describe(user: User) -> wire.User:
    """Give the wire's form of a user."""
    return wire.User(
        id=user.id,
        organization_id=ORGANIZATION,
        username=user.username,
        email=user.email,
        role=wire.UserRole(user.role),
        is_active=user.is_active,
        created_at=user.created_at,
    )


def _is_taken(session: Session, name: str) -> bool:
    return session.scalar(select(User.id).where(or_(User.username_key == name, User.email == name))) is not None


def _find(session: Session, name_or_id: str) -> User | None:
    by_name = select(User).where(User.username_key == _storable(username_key(name_or_id)))
    user = session.scalars(by_name).one_or_none()
    if user is None:
        try:
            user = session.get(User, UUID(name_or_id))
        except ValueError:
            user = None
    return user


def _storable(text: str) -> str:
    # PostgreSQL has no NUL in texts, and nobody has one in a name.
    return text.replace("\x00", "\ufffd")
