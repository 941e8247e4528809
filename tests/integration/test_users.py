"""Making accounts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from avatars.server.accounts.models import Role, User
from avatars.server.accounts.service import AccountError, UsernameTaken, create_user
from avatars.server.security import WeakPassword

if TYPE_CHECKING:
    from avatars.server.db import Database

PASSWORD = "strong_password"


def test_a_user_is_kept_with_a_hash_and_without_special_rights(database: Database) -> None:
    made = create_user(database, "ada", PASSWORD, email="Ada@Example.org")
    with database.read() as session:
        user = session.scalars(select(User)).one()
    assert user.id == made.id
    assert (user.username, user.email, user.role, user.is_active) == ("ada", "ada@example.org", "user", True)
    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD not in user.password_hash


def test_an_admin_is_made_by_saying_so(database: Database) -> None:
    assert create_user(database, "ada", PASSWORD, role=Role.ADMIN).role == "admin"


@pytest.mark.parametrize("name", ["ada", "a.b-c_d+e@example.org", "Zo\u00eb", "x" * 150, "\u5b89"])
def test_usual_names_are_accepted(database: Database, name: str) -> None:
    assert create_user(database, name, PASSWORD).username == name


@pytest.mark.parametrize("name", ["", " ", "a b", "a\x00", "a\n", "x" * 151, "<script>", "a/b", "\u202eada"])
def test_names_that_could_be_mistaken_are_refused(database: Database, name: str) -> None:
    with pytest.raises(AccountError, match="A username has 1 to 150 characters"):
        create_user(database, name, PASSWORD)


@pytest.mark.parametrize("name", ["ada", "ADA", "\uff41da"])
def test_a_name_is_taken_in_every_spelling(database: Database, name: str) -> None:
    create_user(database, "Ada", PASSWORD)
    with pytest.raises(UsernameTaken, match="is taken: choose another one"):
        create_user(database, name, PASSWORD)


def test_an_e_mail_address_belongs_to_one_user(database: Database) -> None:
    create_user(database, "ada", PASSWORD, email="ada@example.org")
    with pytest.raises(UsernameTaken, match="e-mail address is taken"):
        create_user(database, "bob", PASSWORD, email="ADA@example.org")
    with pytest.raises(AccountError, match=r"name@example\.org"):
        create_user(database, "bob", PASSWORD, email="ada")


def test_a_weak_password_makes_no_user(database: Database) -> None:
    with pytest.raises(WeakPassword):
        create_user(database, "ada", "short")
    with database.read() as session:
        assert session.scalars(select(User)).all() == []


def test_of_two_who_take_a_name_at_the_same_moment_one_gets_it(database: Database) -> None:
    def take(_: int) -> str:
        try:
            create_user(database, "ada", PASSWORD)
        except UsernameTaken:
            return "taken"
        return "made"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == ["made", "taken", "taken", "taken"]
