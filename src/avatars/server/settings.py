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

from avatars.engine.errors import EngineError
from avatars.engine.machine import read_size

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


LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Addresses that only this machine itself can reach."""


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


def reachable(host: str) -> str:
    """Give the address, as URLs have it, at which this machine reaches what listens on ``host``."""
    # 0.0.0.0 and :: mean "every address of this machine" and cannot be connected to everywhere.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


_NEEDS_CERTIFICATES = (
    "needs AVATARS_CLUSTER_CA_FILE, AVATARS_CLUSTER_CERTIFICATE_FILE and AVATARS_CLUSTER_KEY_FILE: "
    "whoever reaches a scheduler can run code on its workers (avatars certificates makes them)"
)


def _check_scheduler(address: str, *, has_certificates: bool) -> None:
    """Refuse an address that strangers could reach as well; without encryption only this machine will do."""
    parsed = urlsplit(address)
    if parsed.scheme not in ("tls", "tcp") or not parsed.hostname or not parsed.port:
        raise ValueError("the address of a scheduler is like tls://scheduler:8786")
    if parsed.scheme == "tls" and not has_certificates:
        raise ValueError(f"a tls:// scheduler {_NEEDS_CERTIFICATES}")
    if parsed.scheme == "tcp" and parsed.hostname not in LOOPBACK:
        raise ValueError(f"tcp:// is for this machine alone: use tls://, which {_NEEDS_CERTIFICATES}")


def _files_in(validated: dict[str, Any]) -> str:
    return str(validated.get("data_dir", default_data_dir()) / "files")


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
        # The error of a refused value must not print the value: a database's address holds a password.
        hide_input_in_errors=True,
        extra="forbid",
        frozen=True,
    )

    data_dir: Path = Field(default_factory=default_data_dir)
    """Folder of everything that the platform keeps: tables, results and the embedded database. By default where this
    system keeps the data of a user's programs."""

    database_url: str = Field(default_factory=_database_in, repr=False)
    """Database, as ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``; by default a SQLite
    file in the data folder."""

    storage_url: str = Field(default_factory=_files_in)
    """Where tables and results are kept: a folder, by default ``files`` in the data folder, or a bucket, as
    ``s3://BUCKET/PREFIX``."""

    encryption_key_file: Path | None = None
    """File with the keys that tables and results are encrypted with, the newest first; ``avatars storage new-key``
    makes it. By default they are not encrypted."""

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

    job_deadline_hours: float = Field(default=24, gt=0)
    """A job that has been running for this many hours is stopped, and fails with a sentence that says so."""

    cluster_listen: str | None = None
    """Address and port of this machine, for example ``10.0.0.1:8786``, where ``avatars worker`` on other machines
    joins the platform. By default no machine can."""

    dask_scheduler: str | None = None
    """Address of a Dask scheduler, for example ``tls://scheduler:8786``, used instead of workers of the platform's
    own; for ``avatars worker`` that of the platform."""

    cluster_ca_file: Path | None = None
    """Certificates (PEM) that the machines of the cluster know each other by; ``avatars certificates`` makes it and
    the next two. Whoever has a certificate of it can run code on the workers."""

    cluster_certificate_file: Path | None = None
    """Certificate (PEM) that this machine shows to the others."""

    cluster_key_file: Path | None = None
    """Key (PEM) of that certificate."""

    monitoring_port: int | None = Field(default=None, ge=0, le=65535)
    """Port at which Prometheus reads how the platform does, without a login. None is open by default."""

    monitoring_host: str = "127.0.0.1"
    """Address that this port is on. The default can be reached from this machine only."""

    max_upload_bytes: int = Field(default=8 * GIB, ge=1)
    """Largest file that may be uploaded, in bytes."""

    user_quota_bytes: int | None = Field(default=None, ge=1)
    """Bytes that the datasets of one user may take, as they are kept: Parquet. No limit by default."""

    default_method: Literal["local", "avatar"] = "local"
    """How avatars are drawn where a job does not say: ``local``, which withstands attacks, or ``avatar``, the published
    draw."""

    release_policy: Literal["advise", "enforce"] = "advise"
    """What becomes of avatars whose assessment says BLOCK: with ``advise`` it is shown, with ``enforce`` nobody can
    download them until an admin releases them, nor before they are assessed."""

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

    report_language: Literal["en", "fr"] = "en"
    """Language of reports, where who asks for one does not say."""

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

    @field_validator("storage_url")
    @classmethod
    def _folder_or_bucket(cls, value: str) -> str:
        if "://" not in value:
            return str(Path(value).expanduser().absolute())
        from avatars.server.storage.bucket import check_url

        check_url(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("the public address must start with http:// or https://")
        return value.rstrip("/") if value is not None else None

    @field_validator("worker_memory_limit")
    @classmethod
    def _size(cls, value: str) -> str:
        if value != "auto":
            try:
                read_size(value)
            except EngineError as error:
                raise ValueError("a number of bytes is needed, for example 4GiB, or auto") from error
        return value

    @field_validator("cluster_listen")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is not None:
            parsed = urlsplit(f"//{value}")
            # Reading a port that is none raises; a free one would be found by nobody.
            if not parsed.hostname or not parsed.port or parsed.netloc != value:
                raise ValueError("an address and a port are needed, for example 10.0.0.1:8786")
        return value

    @model_validator(mode="after")
    def _cluster_is_closed_to_strangers(self) -> Settings:
        files = (self.cluster_ca_file, self.cluster_certificate_file, self.cluster_key_file)
        if any(files) and not all(files):
            raise ValueError("AVATARS_CLUSTER_CA_FILE, _CERTIFICATE_FILE and _KEY_FILE go together")
        for path in filter(None, files):
            if not os.access(path, os.R_OK):
                raise ValueError(f"the file {path} is not there, or is not this user's to read")
        if self.cluster_listen is not None and self.dask_scheduler is not None:
            raise ValueError("AVATARS_CLUSTER_LISTEN opens the platform's own scheduler: unset AVATARS_DASK_SCHEDULER")
        if self.cluster_listen is not None and not all(files):
            raise ValueError(f"AVATARS_CLUSTER_LISTEN {_NEEDS_CERTIFICATES}")
        if self.dask_scheduler is not None:
            _check_scheduler(self.dask_scheduler, has_certificates=all(files))
        return self

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
    def base_url(self) -> str:
        """What every link in an answer starts with; never taken from a request's ``Host`` header."""
        if self.public_url is not None:
            return self.public_url
        return f"http://{reachable(self.host)}:{self.port}"
