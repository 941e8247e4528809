"""What mails say: templates, one folder a letter and language, filled in."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from importlib.resources import files
from string import Template

from avatars.server.mail.models import Letter
from avatars.server.settings import Settings

_TEMPLATES = files("avatars.server.mail") / "templates"


def compose(settings: Settings, letter: Letter, address: str, **values: str) -> EmailMessage:
    """Write one mail, in the platform's language.

    Parameters
    ----------
    values
        What the letter's templates name, besides the recipient's ``email`` and the ``platform``'s address, which is the
        configured one and never that of a request.
    """
    folder = _TEMPLATES / letter.value / settings.mail_language
    values |= {"email": address, "platform": settings.base_url}
    message = EmailMessage()
    message["From"], message["To"] = settings.mail_from or "", address
    message["Subject"] = Template((folder / "subject.txt").read_text("utf-8").strip()).substitute(values)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=_domain(settings))
    # So that no holiday notice answers it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(Template((folder / "body.txt").read_text("utf-8")).substitute(values))
    return message


def _domain(settings: Settings) -> str:
    return (settings.mail_from or "").rpartition("@")[2].rstrip(">") or "localhost"
