"""The table of mails that are to be sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from avatars.server.db import Base, utc_now


class Letter(StrEnum):
    """The kinds of mail; each has its folder of templates."""

    FORGOTTEN_PASSWORD = "forgotten_password"  # noqa: S105 - a name of a template
    """A token to set a new password with."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name of a template
    """Says that a new password was set."""


class Mail(Base):
    """One mail that waits; the row goes when it is sent, or given up.

    It holds no text and no token: both are made at the moment of sending, so that a copy of the database opens nothing.
    """

    __tablename__ = "mails"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    letter: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(254))
    """Where it goes. For a forgotten password whatever somebody typed: whether that is anybody's is seen when it
    is sent, so that the answer to the request cannot tell."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    """Not before then: later with each attempt that failed."""
