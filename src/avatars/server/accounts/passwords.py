"""Forgotten passwords: a token by mail, or from an operator, and a new password for it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from avatars import models as wire
from avatars.server import security
from avatars.server.accounts import limits
from avatars.server.accounts.limits import Limit, Use
from avatars.server.accounts.logins import ACCOUNT_FAILURES
from avatars.server.accounts.models import Counter, PasswordReset, Token, User, username_key
from avatars.server.accounts.service import is_email
from avatars.server.audit.models import Action
from avatars.server.audit.service import record
from avatars.server.db import Database, utc_now
from avatars.server.errors import BadRequest, Forbidden
from avatars.server.mail.models import Letter, Mail
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

VALID_FOR = timedelta(hours=24)
"""What the tutorial promises."""

MAILS_TO_ONE = Limit("mails-to", 5, timedelta(hours=1), "mails were asked for", "too_many_mails")
"""Per address that mails go to, anybody's or nobody's: others must not be able to flood somebody's inbox."""

MAILS_FROM_ONE = Limit("mails-from", 50, timedelta(hours=1), "mails were asked for", "too_many_mails")
"""Per address that asks: a hospital may stand behind one."""

RESETS = Limit("resets", 100, timedelta(hours=1), "resets were tried", "too_many_resets")
"""Per address that asks. A token cannot be guessed; this saves the work of trying."""

_MAIL_OFF = "This platform sends no mail: ask the person who runs it for a token to set a new password with."


def ask_for_mail(database: Database, settings: Settings, email: str, address: str) -> None:
    """Queue the mail with a token.

    Whether the address is anybody's is looked up when the mail is sent, so that neither the answer nor its time can
    tell.

    Raises
    ------
    Forbidden
        The platform sends no mail (``mail_off``).
    TooManyRequests
        For this e-mail address or from this network address.
    """
    if settings.smtp_host is None:
        raise Forbidden("mail_off", _MAIL_OFF)
    email = email.lower()
    limits.count(database, [Use(MAILS_TO_ONE, email), Use(MAILS_FROM_ONE, address)])
    if is_email(email):
        with database.write() as session:
            session.add(Mail(letter=Letter.FORGOTTEN_PASSWORD, address=email))


def new_token(session: Session, user_id: UUID) -> UUID:
    """Make the token that sets a new password, and end all earlier ones.

    128 random bits in the form of a UUID, which is what clients check it for: the 122 of a UUID of version 4 would do
    as well. Of the 256 that other tokens here have, a UUID cannot hold more. It is valid once, for a day, for one
    account, and guesses are limited.
    """
    token = UUID(bytes=secrets.token_bytes(16))
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))
    session.add(PasswordReset(hash=_hash(token), user_id=user_id, expires_at=utc_now() + VALID_FOR))
    return token


def reset(database: Database, settings: Settings, request: wire.ResetPasswordRequest, address: str) -> None:
    """Set a new password for a token; all logins end, and a mail says so.

    Parameters
    ----------
    request
        Its ``email`` may be a username too: operators make tokens for accounts without an address.

    Raises
    ------
    BadRequest
        The token is not valid (any more) for this account (``invalid_token``), or the password breaks the rules.
    Forbidden
        It is not, and the platform could not send another one either (``mail_off``).
    """
    limits.count(database, [Use(RESETS, address)])
    try:
        security.check_password_rules(request.new_password)
    except security.WeakPassword as error:
        raise BadRequest("weak_password", str(error)) from None
    password_hash = security.hash_password(request.new_password)
    with database.write() as session:
        user = _use_token(session, request)
        if user is not None:
            user.password_hash = password_hash
            for model in (Token, PasswordReset):
                session.execute(delete(model).where(model.user_id == user.id))
            # Who has mistyped the old password ten times is not kept waiting with the new one.
            names = [user.username_key, *([user.email] if user.email else [])]
            keys = [Use(ACCOUNT_FAILURES, name).key for name in names]
            session.execute(delete(Counter).where(Counter.key.in_(keys)))
            if settings.smtp_host is not None and user.email is not None:
                session.add(Mail(letter=Letter.PASSWORD_CHANGED, address=user.email))
            record(session, Action.PASSWORD_CHANGED, user.id, user.id)
            log.info("password.changed", user_id=str(user.id))
            return
    log.warning("password.reset_refused", address=address)
    if settings.smtp_host is None:
        raise Forbidden("mail_off", f"The token is not valid, or not any more. {_MAIL_OFF}")
    raise BadRequest(
        "invalid_token",
        "The token is not valid, or not any more, for this e-mail address: a token works once and for 24 hours, and "
        "only the newest one does. Ask for another mail.",
    )


def _use_token(session: Session, request: wire.ResetPasswordRequest) -> User | None:
    """Give the user that the token is for, and end it: of two requests at once, one finds it."""
    name = username_key(request.email).replace("\x00", "\ufffd")
    mine = select(User.id).where(or_(User.email == name, User.username_key == name), User.is_active)
    user_id = session.scalar(
        delete(PasswordReset)
        .where(
            PasswordReset.hash == _hash(request.token),
            PasswordReset.expires_at > utc_now(),
            PasswordReset.user_id.in_(mine),
        )
        .returning(PasswordReset.user_id),
        execution_options={"synchronize_session": False},
    )
    return None if user_id is None else session.get(User, user_id, with_for_update=True)


def _hash(token: UUID) -> str:
    return security.token_hash(str(token))
