"""Passwords and tokens."""

from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from avatars.server import security


def test_a_password_is_kept_as_argon2id_with_the_costs_of_the_guide() -> None:
    parameters = extract_parameters(security.hash_password("strong_password"))
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19 * 1024, 2, 1)


def test_the_same_password_gives_another_hash_each_time() -> None:
    assert security.hash_password("strong_password") != security.hash_password("strong_password")


def test_only_the_right_password_is_right() -> None:
    kept = security.hash_password("strong_password")
    assert security.verify_password(kept, "strong_password")
    assert not security.verify_password(kept, "strong_passwore")
    assert not security.verify_password("not a hash", "strong_password")


def test_an_unknown_user_costs_one_verification_like_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str | bytes] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            verified.append(hash)
            return super().verify(hash, password)

    watched = Watched(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    kept = security.hash_password("strong_password")
    monkeypatch.setattr(security, "_hasher", watched)
    security._hash_of_nobody.cache_clear()
    security.verify_password(kept, "some password")
    assert not security.verify_password(None, "some password")
    assert len(verified) == 2
    assert extract_parameters(str(verified[0])) == extract_parameters(str(verified[1]))


def test_the_same_text_in_other_code_points_is_the_same_password() -> None:
    assert security.verify_password(security.hash_password("pass phrase \u00e9"), "pass phrase e\u0301")


@pytest.mark.parametrize("length", [12, 128])
def test_passwords_of_12_to_128_characters_are_accepted(length: int) -> None:
    security.check_password_rules("é" * length)


@pytest.mark.parametrize(("length", "words"), [(0, "too short"), (11, "too short"), (129, "too long")])
def test_other_lengths_are_refused_with_a_reason(length: int, words: str) -> None:
    with pytest.raises(security.WeakPassword, match=words):
        security.check_password_rules("x" * length)


def test_a_hash_of_other_costs_is_noticed() -> None:
    assert security.needs_new_hash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert not security.needs_new_hash(security.hash_password("strong_password"))


def test_tokens_have_256_bits_and_are_kept_as_sha256() -> None:
    token = security.new_token()
    assert len(token) == 43
    assert token != security.new_token()
    assert len(security.token_hash(token)) == 64
    assert token not in security.token_hash(token)
