"""The thread that sends queued mails, again and again until the mail server takes them or a day is over."""

from __future__ import annotations

import threading
from datetime import timedelta
from email.message import EmailMessage

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from avatars.server.accounts import passwords
from avatars.server.accounts.models import User
from avatars.server.db import Database, utc_now
from avatars.server.mail import letters, smtp
from avatars.server.mail.models import Letter, Mail
from avatars.server.settings import Settings

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""How long a mail that is being sent is left alone by others; a process that dies over it delays it by that much."""

FIRST_PAUSE = timedelta(seconds=10)
"""After the first attempt that failed; twice as long after each further one."""

LONGEST_PAUSE = timedelta(minutes=15)

GIVE_UP_AFTER = timedelta(hours=24)
"""Who has waited for a mail that long has asked again."""

IDLE_SECONDS = 10.0
"""How often the queue is looked at though nobody woke the thread."""


class Outbox:
    """Sends the mails of a database; several processes may do so at the same time."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Send in the background; nothing happens where the platform sends no mail."""
        if self._settings.smtp_host is not None:
            self._thread.start()

    def stop(self) -> None:
        """Stop after the mail at hand; the others wait in the database."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Say that there is a new mail; from any thread."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                while (mail := self._take()) is not None:
                    self._send(mail)
            except SQLAlchemyError as error:
                log.error("outbox.database_away", error=type(error).__name__)
            except Exception:
                # This thread has to outlive whatever one mail does to it.
                log.exception("outbox.failed")
            self._wake.wait(IDLE_SECONDS)

    def _take(self) -> Mail | None:
        """Take the mail that is due the longest, and keep others from it for a while; none where we are to stop."""
        if self._stopping:
            return None
        due = select(Mail.id).where(Mail.due_at <= utc_now()).order_by(Mail.due_at).limit(1)
        with self._database.read() as session:
            # Asked without taking the writer's place: most of the time there is nothing to do.
            if session.scalar(due) is None:
                return None
        with self._database.write() as session:
            mail_id = session.scalar(due.with_for_update(skip_locked=True))
            mail = None if mail_id is None else session.get(Mail, mail_id)
            if mail is not None:
                mail.attempts, mail.due_at = mail.attempts + 1, utc_now() + LEASE
            return mail

    def _send(self, mail: Mail) -> None:
        named = log.bind(mail_id=str(mail.id), letter=mail.letter, attempt=mail.attempts)
        message = self._compose(mail)
        try:
            if message is not None:
                smtp.send(self._settings, message)
                named.info("mail.sent")
        except OSError as error:
            # SMTP's errors are such; their text may hold addresses.
            over = utc_now() >= mail.created_at + GIVE_UP_AFTER
            named.error("mail.given_up" if over else "mail.not_sent", error=type(error).__name__)
            if not over:
                self._put_back(mail)
                return
        with self._database.write() as session:
            session.execute(delete(Mail).where(Mail.id == mail.id))

    def _put_back(self, mail: Mail) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(mail.attempts - 1, 10), LONGEST_PAUSE)
        with self._database.write() as session:
            session.execute(update(Mail).where(Mail.id == mail.id).values(due_at=utc_now() + pause))

    def _compose(self, mail: Mail) -> EmailMessage | None:
        """Write the mail; None where the address is nobody's."""
        letter = Letter(mail.letter)
        if letter is Letter.PASSWORD_CHANGED:
            when = mail.created_at.strftime("%Y-%m-%d %H:%M")
            return letters.compose(self._settings, letter, mail.address, when=when)
        with self._database.write() as session:
            user = session.scalars(select(User).where(User.email == mail.address, User.is_active)).one_or_none()
            if user is None:
                return None
            token = passwords.new_token(session, user.id)
        return letters.compose(self._settings, letter, mail.address, token=str(token))
