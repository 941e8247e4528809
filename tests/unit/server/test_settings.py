"""The settings: their names, their defaults, what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from avatars.server.certificates import make
from avatars.server.settings import Settings


def test_the_database_is_in_the_data_folder_by_default(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).database_url == f"sqlite:///{tmp_path}/avatars.db"


def test_the_data_folder_is_where_the_user_keeps_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().data_dir == tmp_path / "open-avatars"


def test_environment_variables_are_read_and_empty_ones_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AVATARS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("AVATARS_WORKERS", "7")
    monkeypatch.setenv("AVATARS_DATABASE_URL", "")
    settings = Settings()
    assert (settings.data_dir, settings.workers) == (tmp_path, 7)
    assert settings.database_url.startswith("sqlite:///")


def test_a_relative_data_folder_is_made_absolute() -> None:
    assert Settings(data_dir=Path("here")).data_dir == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("host", "port", "public_url", "base_url"),
    [
        ("127.0.0.1", 8000, None, "http://127.0.0.1:8000"),
        ("0.0.0.0", 80, None, "http://127.0.0.1:80"),
        ("::1", 80, None, "http://[::1]:80"),
        ("::", 80, None, "http://[::1]:80"),
        ("127.0.0.1", 80, "https://avatars.example.org/api/", "https://avatars.example.org/api"),
    ],
)
def test_links_start_with_an_address_that_clients_can_reach(
    host: str, port: int, public_url: str | None, base_url: str
) -> None:
    assert Settings(host=host, port=port, public_url=public_url).base_url == base_url


@pytest.mark.parametrize(
    "wrong",
    [{"port": 70_000}, {"workers": 0}, {"public_url": "example.org"}, {"token_idle_hours": 1_000}],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_password_of_the_database_is_shown_nowhere() -> None:
    settings = Settings(database_url="postgresql://ada:canary@localhost/avatars")
    assert "canary" not in repr(settings)
    with pytest.raises(ValidationError) as refused:
        Settings(database_url="postgresql://ada:canary@localhost/avatars", token_idle_hours=1_000)
    assert "canary" not in str(refused.value)


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "AVATARS_DATABASE_URL").write_text("postgresql://ada:canary@localhost/avatars\n")
    monkeypatch.setenv("AVATARS_SECRETS_DIR", str(tmp_path))
    assert Settings().database_url == "postgresql://ada:canary@localhost/avatars"
    # What is nearer comes first.
    monkeypatch.setenv("AVATARS_DATABASE_URL", "sqlite:////a.db")
    assert Settings().database_url == "sqlite:////a.db"
    assert Settings(database_url="sqlite:////b.db").database_url == "sqlite:////b.db"


MAIL = {"smtp_host": "mail.example.org", "mail_from": "a@example.org", "public_url": "https://example.org"}


def test_mail_is_off_until_there_is_a_server() -> None:
    assert Settings().smtp_host is None
    assert Settings.model_validate(MAIL).smtp_security == "starttls"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mail_from": None}, "AVATARS_MAIL_FROM"),
        ({"public_url": None}, "AVATARS_PUBLIC_URL"),
        ({"smtp_username": "ada"}, "go together"),
        ({"smtp_password": "of the server"}, "go together"),
        ({"smtp_username": "ada", "smtp_password": "of the server", "smtp_security": "none"}, "in the open"),
        ({"smtp_username": "ada", "smtp_password": "ChangeMe"}, "is a placeholder"),
        ({"database_url": "postgresql://ada:secret@localhost/avatars"}, "is a placeholder"),
    ],
    ids=str,
)
def test_mail_and_secrets_that_cannot_be_meant_are_refused(change: dict[str, str | None], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        Settings.model_validate(MAIL | change)
    assert "of the server" not in str(refused.value)


def test_the_password_of_the_mail_server_is_shown_nowhere() -> None:
    settings = Settings.model_validate(MAIL | {"smtp_username": "ada", "smtp_password": "canary"})
    assert "canary" not in repr(settings)


# --- other machines -------------------------------------------------------------------------------------


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, str]:
    files = make(tmp_path / "certificates")
    return {
        "cluster_ca_file": str(files.ca),
        "cluster_certificate_file": str(files.certificate),
        "cluster_key_file": str(files.key),
    }


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"cluster_listen": "10.0.0.1:8786"}, "AVATARS_CLUSTER_LISTEN needs AVATARS_CLUSTER_CA_FILE"),
        ({"cluster_listen": "127.0.0.1:8786"}, "AVATARS_CLUSTER_LISTEN needs AVATARS_CLUSTER_CA_FILE"),
        ({"dask_scheduler": "tls://scheduler:8786"}, "a tls:// scheduler needs AVATARS_CLUSTER_CA_FILE"),
        ({"dask_scheduler": "tcp://scheduler:8786"}, "tcp:// is for this machine alone"),
        ({"dask_scheduler": "tcp://10.0.0.1:8786"}, "tcp:// is for this machine alone"),
        ({"dask_scheduler": "ucx://127.0.0.1:8786"}, "is like tls://scheduler:8786"),
        ({"dask_scheduler": "scheduler:8786"}, "is like tls://scheduler:8786"),
        ({"worker_memory_limit": "plenty"}, "for example 4GiB"),
        ({"job_deadline_hours": 0}, "greater than 0"),
    ],
    ids=str,
)
def test_a_cluster_that_strangers_could_reach_is_refused(told: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate(told)


def test_with_certificates_a_cluster_may_be_anywhere(certificates: dict[str, str]) -> None:
    for told in ({"cluster_listen": "10.0.0.1:8786"}, {"dask_scheduler": "tls://scheduler:8786"}):
        assert Settings.model_validate(certificates | told).cluster_key_file is not None
    # Within one machine it needs none.
    assert Settings(dask_scheduler="tcp://127.0.0.1:8786").cluster_key_file is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cluster_key_file": None}, "go together"),
        ({"cluster_key_file": "/nowhere"}, "is not there"),
        ({"cluster_listen": "10.0.0.1"}, "an address and a port are needed"),
        ({"cluster_listen": "10.0.0.1:0"}, "an address and a port are needed"),
        ({"cluster_listen": "tls://10.0.0.1:8786"}, "an address and a port are needed"),
        ({"cluster_listen": "10.0.0.1:port"}, "Port"),
        ({"cluster_listen": "10.0.0.1:8786", "dask_scheduler": "tls://a:1"}, "unset AVATARS_DASK_SCHEDULER"),
    ],
    ids=str,
)
def test_half_a_cluster_is_refused(certificates: dict[str, str], change: dict[str, str | None], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate(certificates | change)
