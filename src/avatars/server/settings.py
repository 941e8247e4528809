"""The settings of the platform, read from ``AVATARS_*`` environment variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

GIB = 1024**3


PLACEHOLDERS = {
    "change-me",
    "changeme",
    "change_me",
    "example",
    "password",
    "postgres",
    "secret",
    "strong_password",
}
"""What stands for a secret in somebody's example; the platform does not start with one."""


def default_data_dir() -> Path:
    """Where this operating system keeps the data of a user's programs."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "open-avatars"


def _database_in(validated: dict[str, Any]) -> str:
    # `data_dir` is absent here when it did not validate itself; that error is the one to show.
    return f"sqlite:///{validated.get('data_dir', default_data_dir()) / 'avatars.db'}"


def _password_of(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        # Whatever it is, it is no address; that is noticed where it is used.
        return None


class Settings(BaseSettings):
    """Every setting; the variable of ``data_dir`` is ``AVATARS_DATA_DIR``, and so on.

    An empty variable counts as absent. The values are checked here and nowhere else.
    """

    model_config = SettingsConfigDict(
        env_prefix="AVATARS_",
        env_ignore_empty=True,
        use_attribute_docstrings=True,
        # The error of a refused value must not print the value: a database's address holds a password.
        hide_input_in_errors=True,
        extra="forbid",
        frozen=True,
    )

    data_dir: Path = Field(default_factory=default_data_dir)
    """Folder of everything that the platform keeps: tables, results and the embedded database."""

    database_url: str = Field(default_factory=_database_in, repr=False)
    """Database, as ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``; by default a SQLite
    file in the data folder."""

    host: str = "127.0.0.1"
    """Address to listen on. The default can be reached from this machine only."""

    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""

    public_url: str | None = None
    """Address that clients reach the platform under, when it stands behind a proxy; the links in answers
    start with it. By default ``http://HOST:PORT``."""

    trusted_proxies: str = ""
    """Addresses, separated by commas, of proxies whose ``X-Forwarded-*`` headers are believed."""

    workers: int = Field(default=2, ge=1)
    """Worker processes of the embedded cluster: that many jobs run at the same time."""

    worker_memory_limit: str = "auto"
    """Memory that one worker may use, for example ``4GiB``; ``auto`` shares the machine's memory out."""

    dask_scheduler: str | None = None
    """Address of an external Dask scheduler, for example ``tls://scheduler:8786``, used instead of the
    embedded cluster."""

    max_upload_bytes: int = Field(default=8 * GIB, ge=1)
    """Largest file that may be uploaded, in bytes."""

    user_quota_bytes: int | None = Field(default=None, ge=1)
    """Bytes that the datasets of one user may take, as they are kept: Parquet. No limit by default."""

    token_idle_hours: float = Field(default=24, gt=0)
    """A login ends after this many hours without a request."""

    token_absolute_hours: float = Field(default=7 * 24, gt=0)
    """A login ends after this many hours, whatever happens."""

    use_email_authentication: bool = False
    """Whether people may log in with their e-mail address as well as with their username."""

    smtp_host: str | None = None
    """Mail server. By default the platform sends no mail, and passwords are reset by operators."""

    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Port of the mail server: usually 587 for ``starttls``, 465 for ``tls``, 25 for ``none``."""

    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection to the mail server is encrypted."""

    smtp_username: str | None = None
    """Login at the mail server."""

    smtp_password: SecretStr | None = None
    """Password of that login."""

    smtp_ca_file: Path | None = None
    """Certificates (PEM) that the mail server's is checked against, where it is not one of the usual ones."""

    mail_from: str | None = None
    """Sender of mails, as ``avatars@example.org``."""

    mail_language: Literal["en", "fr"] = "en"
    """Language of mails."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then variables, then files: one a setting, named like its variable, as systemd and containers do."""
        folder = os.environ.get("AVATARS_SECRETS_DIR")
        files = [SecretsSettingsSource(settings_cls, secrets_dir=folder)] if folder else []
        return init_settings, env_settings, *files

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("the public address must start with http:// or https://")
        return value.rstrip("/") if value is not None else None

    @model_validator(mode="after")
    def _mail_is_complete(self) -> Settings:
        if self.smtp_host is None:
            return self
        if self.mail_from is None:
            raise ValueError("AVATARS_SMTP_HOST needs AVATARS_MAIL_FROM, the sender of mails")
        if self.public_url is None:
            raise ValueError("AVATARS_SMTP_HOST needs AVATARS_PUBLIC_URL, the address that mails name")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("AVATARS_SMTP_USERNAME and AVATARS_SMTP_PASSWORD go together")
        if self.smtp_username is not None and self.smtp_security == "none":
            raise ValueError("a password must not cross the network in the open: set AVATARS_SMTP_SECURITY")
        return self

    @model_validator(mode="after")
    def _secrets_are_no_placeholders(self) -> Settings:
        password = self.smtp_password.get_secret_value() if self.smtp_password is not None else None
        if password is not None and password.lower() in PLACEHOLDERS:
            raise ValueError("AVATARS_SMTP_PASSWORD is a placeholder: set the real one")
        if (database := _password_of(self.database_url)) is not None and database.lower() in PLACEHOLDERS:
            raise ValueError("the password in AVATARS_DATABASE_URL is a placeholder: set a strong one")
        return self

    @model_validator(mode="after")
    def _idle_within_absolute(self) -> Settings:
        if self.token_idle_hours > self.token_absolute_hours:
            raise ValueError("token_idle_hours must not be longer than token_absolute_hours")
        return self

    @property
    def files_dir(self) -> Path:
        """Where tables and results are."""
        return self.data_dir / "files"

    @property
    def base_url(self) -> str:
        """What every link in an answer starts with; never taken from a request's ``Host`` header."""
        if self.public_url is not None:
            return self.public_url
        # 0.0.0.0 and :: mean "every address of this machine" and cannot be connected to everywhere.
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}"
