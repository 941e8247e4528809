"""A real mail server for tests: it listens on a port, speaks SMTP, and keeps what it is sent."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOGIN, PASSWORD = "avatars", "of the mail server"


class Mailbox:
    """What the server was sent, and how it answers."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[bool] = []
        """Whether each login was right."""
        self.refusals = 0
        """So many of the next mails are refused for now."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - theirs
        """Take a mail."""
        if self.refusals:
            self.refusals -= 1
            return "451 Come back later"
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        assert envelope.rcpt_tos == [mail["To"]]
        self.mails.append(mail)
        return "250 Taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Check a login."""
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password) == (LOGIN.encode(), PASSWORD.encode()))
        return AuthResult(success=self.logins[-1])

    def wait(self, count: int, seconds: float = 60) -> list[EmailMessage]:
        """The mails, as soon as there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < deadline, [mail["Subject"] for mail in self.mails]
            time.sleep(0.02)
        return self.mails


class Server(Controller):
    """The server, by default on a free port."""

    def __init__(self, mailbox: Mailbox, port: int = 0, **more: Any) -> None:
        super().__init__(mailbox, hostname="127.0.0.1", port=port, **more)

    def _trigger_server(self) -> None:
        # It knocks at its own door, which it does not know the number of.
        server: Any = self.server
        self.port = int(server.sockets[0].getsockname()[1])
        super()._trigger_server()  # type: ignore[no-untyped-call]  # theirs


def start(mailbox: Mailbox, port: int = 0) -> Server:
    """A server without encryption."""
    server = Server(mailbox, port)
    server.start()
    return server


def start_encrypted(mailbox: Mailbox, folder: Path, security: str) -> tuple[Server, Path]:
    """A server that wants encryption, with the certificate that it can be known by."""
    certificate, key = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if security == "tls":
        # It does not see by itself that the whole connection is encrypted.
        server = Server(mailbox, ssl_context=context, authenticator=mailbox.authenticate, auth_require_tls=False)
    else:
        server = Server(mailbox, tls_context=context, require_starttls=True, authenticator=mailbox.authenticate)
    server.start()
    return server, certificate


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
