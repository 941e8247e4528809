"""The tables of accounts."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, validates

from avatars.server.db import Base, utc_now


class Role(StrEnum):
    """What a user may do."""

    ADMIN = "admin"
    """Manages accounts; sees no one else's data for that."""
    USER = "user"
    """Works with their own datasets and jobs."""


def username_key(username: str) -> str:
    """The form that usernames are compared in: "Ada" and "ada" are one person."""
    return unicodedata.normalize("NFKC", username).casefold()


class User(Base):
    """A person (or a program) with a login."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('admin', 'user')", name="role"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    username: Mapped[str] = mapped_column(String(150))
    username_key: Mapped[str] = mapped_column(String(600), unique=True)
    """Kept in step with ``username``; unique, so that names cannot differ by case only."""
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    """In lower case."""
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default=Role.USER.value)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @validates("username")
    def _keep_key_in_step(self, _: str, username: str) -> str:
        self.username_key = username_key(username)
        return username


class Token(Base):
    """One login. The token itself is known to its owner only; here is its SHA-256."""

    __tablename__ = "tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime] = mapped_column(default=utc_now)
    """Written at most once a minute."""
    expires_at: Mapped[datetime]
    """The absolute end, however much the token is used."""


class PasswordReset(Base):
    """Leave to set a new password once. The token itself is known to whoever was sent it; here is its SHA-256.

    The row goes when it is used: one DELETE that finds it or not, so it cannot be used twice.
    """

    __tablename__ = "password_resets"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]


class Counter(Base):
    """How often something happened lately: logins that failed for an account name, mails asked for by an address ..."""

    __tablename__ = "counters"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of what is counted: people type passwords into the wrong field."""
    times: Mapped[int]
    window_ends_at: Mapped[datetime] = mapped_column(index=True)
