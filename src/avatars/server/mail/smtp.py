"""Handing a mail to the mail server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from avatars.server.settings import Settings

TIMEOUT_SECONDS = 20.0
"""Of each step of the conversation."""


def send(settings: Settings, message: EmailMessage) -> None:
    """Send one mail; the server's certificate is checked. Raises ``OSError``, of which SMTP's own errors are."""
    with connect(settings) as server:
        server.send_message(message)


def connect(settings: Settings) -> smtplib.SMTP:
    """Connect, encrypt and log in, as the settings say; raises ``OSError``."""
    assert settings.smtp_host is not None
    context = ssl.create_default_context(cafile=settings.smtp_ca_file)
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_username is not None and settings.smtp_password is not None:
            server.login(settings.smtp_username, settings.smtp_password.get_secret_value())
    except BaseException:
        server.close()
        raise
    return server
