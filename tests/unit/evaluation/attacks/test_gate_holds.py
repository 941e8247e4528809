"""The gate as a whole: what everybody knows to be bad is blocked, people who were never there pass."""

from __future__ import annotations

import pytest
from tests.unit.evaluation.attacks.people import known_bad, parted

import avatars
from avatars.engine.errors import AvatarsWarning
from avatars.evaluation.attacks.figure import Verdict

BAD = ["copies", "redrawn cells", "noise"]


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("seed", [0, 1])
def test_known_bad_releases_are_blocked(kind: str, seed: int) -> None:
    members, others = parted(600, seed, 2)
    found = avatars.attack(members, known_bad(kind, members, seed), holdout=others, thoroughness="quick")
    assert found.verdict is Verdict.BLOCK
    assert found.reasons
    assert found.advice


@pytest.mark.parametrize("seed", [0, 1])
def test_fresh_people_pass(seed: int) -> None:
    members, others, fresh = parted(700, seed, 3)
    found = avatars.attack(members, fresh, holdout=others)
    assert found.verdict is Verdict.PASS, str(found)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_in_twenty_of_twenty_seeds() -> None:
    for seed in range(20):
        members, others, fresh = parted(1000, seed, 3)
        for kind in BAD:
            bad = avatars.attack(members, known_bad(kind, members, seed), holdout=others, thoroughness="quick")
            assert bad.verdict is Verdict.BLOCK, f"{kind}, seed {seed}: {bad}"
        good = avatars.attack(members, fresh, holdout=others)
        assert good.verdict is Verdict.PASS, f"fresh people, seed {seed}: {good}"


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_the_published_draw_is_blocked_and_ours_is_not() -> None:
    (people,) = parted(2000, 3, 1)
    ours = avatars.anonymize(people, 100, seed=1, assess="thorough").assessment
    with pytest.warns(AvatarsWarning, match="Do not publish"):
        published = avatars.anonymize(people, 20, seed=1, method="avatar", assess="thorough").assessment
    assert ours is not None
    assert published is not None
    assert ours.verdict is not Verdict.BLOCK, str(ours)
    assert published.verdict is Verdict.BLOCK, str(published)
    for name in ("nearest_auc", "density_auc", "shadow_auc", "linkage_regenerated"):
        theirs, here = published[name].value, ours[name].value
        assert theirs is not None
        assert here is not None
        assert theirs > here, name
