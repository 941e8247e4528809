"""The gate: from figures to a verdict.

A figure passes where it is about as small as for fresh people, and blocks where its 95 % bound is beyond what anybody
should publish; between the two somebody must look. The limits are ours, and conventions: from about 115 configurations
of AIDS, Adult and breast cancer data, such that copies, noise and redrawn cells are blocked, fresh people pass, and the
published draw at its usual k does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from avatars.evaluation.assessment import Assessment, Thoroughness
from avatars.evaluation.attacks.figure import Figure, Verdict, auc_error
from avatars.evaluation.attacks.membership import Exposure
from avatars.evaluation.floor import KEEP_MORE, KEEP_MORE_AND_TELL_LESS, UTILITY, below_floor
from avatars.evaluation.wording import Said, said

SMALL_TABLE = 300
"""Rows under which a release is never passed: such tables leak more than the figures of so few people can show."""
LEAST_TO_PASS = 100
"""Members, and others, without whom nothing passes: chance moves an AUC of fewer by more than the gate allows."""
_ODD = 3.3
"""Standard errors by which the null may miss .5: one split in a thousand does by chance."""


@dataclass(frozen=True)
class Limits:
    """What one figure may be.

    Attributes
    ----------
    passes
        The value up to which it passes.
    blocks
        The lower bound above which it blocks; None where the figure never does.
    high
        The upper bound up to which it passes; None where only the value counts.
    """

    passes: float
    blocks: float | None
    high: float | None = None


# An AUC of .55 is a bet won 11 times in 20. Of rates at few false alarms, .01 and .05 are due to chance.
LIMITS = {
    "nearest_auc": Limits(0.55, 0.58, high=0.58),
    "nearest_tpr": Limits(0.025, 0.05),
    "nearest_tpr5": Limits(0.08, 0.12),
    "density_auc": Limits(0.58, 0.62),
    "isolated_auc": Limits(0.61, 0.62),
    "shadow_auc": Limits(0.61, 0.67),
    "shadow_tpr": Limits(0.04, 0.07),
    "linkage_nearest": Limits(0.05, 0.08),
    "linkage_regenerated": Limits(0.05, 0.08),
    "inference_mean": Limits(0.10, 0.15),
    "inference_worst": Limits(0.12, None),
    "singling_out": Limits(0.05, 0.08),
    "singling_out_values": Limits(0.05, 0.08),
    "copies": Limits(0.02, 0.10),
    "unique_copies": Limits(0.02, 0.10),
}
_BEYOND_CHANCE = ("linkage_nearest", "linkage_regenerated")
_ON_THE_LOWER_BOUND = ("inference_worst",)
_NAMED = 3
"""Columns that drove a figure, in a sentence."""
_CORE = ("nearest_auc",)
"""Without these nothing passes."""


def judged(figure: Figure) -> Figure:
    """Return the figure with its verdict; as it is where there are no limits for it."""
    limits = LIMITS.get(figure.name)
    if limits is None:
        return figure
    if figure.value is None or figure.low is None or figure.high is None:
        return replace(figure, verdict=Verdict.INCONCLUSIVE)
    chance = (figure.null or 0.0) if figure.name in _BEYOND_CHANCE else 0.0
    if limits.blocks is not None and figure.low - chance > limits.blocks:
        return replace(figure, verdict=Verdict.BLOCK)
    if figure.name.startswith("nearest") and min(figure.people, figure.others) < LEAST_TO_PASS:
        reason = said(
            "{members:,} members and {others:,} others were measured: {needed} of each are needed",
            members=figure.people,
            others=figure.others,
            needed=LEAST_TO_PASS,
        )
        return replace(figure, verdict=Verdict.INCONCLUSIVE, reason=reason)
    value = figure.low if figure.name in _ON_THE_LOWER_BOUND else figure.value
    passes = value - chance <= limits.passes and (limits.high is None or figure.high <= limits.high)
    return replace(figure, verdict=Verdict.PASS if passes else Verdict.REVIEW)


_RAISE_K = said("Raise k.")


def gate(
    figures: Sequence[Figure],
    exposure: Exposure | None,
    *,
    about: str,
    rows: int,
    members: int,
    others: int,
    thoroughness: Thoroughness | None = None,
    raise_k: str = _RAISE_K,
    remarks: Sequence[str] = (),
) -> Assessment:
    """Return the assessment that figures come to; ``raise_k`` is what to say of k where that would help."""
    figures = [judged(figure) for figure in figures]
    ranked = [figure for verdict in _ORDER for figure in figures if figure.verdict is verdict]
    attacks = [figure for figure in ranked if figure.attack != UTILITY]
    reasons = [_sentence(figure) for figure in attacks if figure.verdict in (Verdict.BLOCK, Verdict.REVIEW)]
    floor = [below_floor(figure) for figure in figures if figure.attack == UTILITY and figure.verdict is Verdict.REVIEW]
    reasons += floor
    odd = _odd_null(figures)
    # What tells members from others who are unlike them anyway is no fault of the release.
    verdict = _verdict([figure for figure in ranked if odd is None or figure.attack not in ("membership", UTILITY)])
    if odd is not None:
        reasons.insert(0, odd)
    if verdict is Verdict.PASS and rows < SMALL_TABLE:
        verdict = Verdict.REVIEW
        small = said(
            "The table has {rows:,} rows: under {fewest} no release passes without somebody's look.",
            rows=rows,
            fewest=SMALL_TABLE,
        )
        reasons.insert(0, small)
    unknown = [figure for figure in figures if figure.verdict is Verdict.INCONCLUSIVE]
    for reason in dict.fromkeys(figure.reason for figure in unknown):
        names = [figure.name for figure in unknown if figure.reason == reason]
        reasons.append(said("Not judged: {names}: {reason}.", names=names, reason=reason))
    if verdict is Verdict.PASS:
        reasons.insert(0, _passed(attacks))
    return Assessment(
        verdict,
        tuple(reasons),
        tuple(_advice(attacks, raise_k, is_below_floor=bool(floor))),
        tuple(figures),
        exposure,
        thoroughness,
        about,
        rows,
        members,
        others,
        tuple(remarks),
    )


_ORDER = [Verdict.BLOCK, Verdict.REVIEW, Verdict.INCONCLUSIVE, Verdict.PASS]


def _verdict(ranked: Sequence[Figure]) -> Verdict:
    verdicts = {figure.name: figure.verdict for figure in ranked}
    if Verdict.BLOCK in verdicts.values():
        return Verdict.BLOCK
    if any(verdicts.get(name, Verdict.INCONCLUSIVE) is Verdict.INCONCLUSIVE for name in _CORE):
        return Verdict.INCONCLUSIVE
    return Verdict.REVIEW if Verdict.REVIEW in verdicts.values() else Verdict.PASS


def _odd_null(figures: Sequence[Figure]) -> Said | None:
    """Return what to say where others are not people like the members: where the null tells them apart already."""
    for figure in figures:
        if figure.name == "nearest_auc" and figure.null is not None:
            error = auc_error(figure.people, max(1, figure.others // 2))
            if abs(figure.null - 0.5) > _ODD * error:
                return said(
                    "The held-out people are not like the members (AUC {null:.3f} without any avatars, where 0.5 is "
                    "due): hold out people at random, and attack again.",
                    null=figure.null,
                )
    return None


def _sentence(figure: Figure) -> Said:
    limits = LIMITS[figure.name]
    parts = {
        "verdict": figure.verdict,
        "attack": figure.attack,
        "name": figure.name,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "limit": limits.blocks if figure.verdict is Verdict.BLOCK else limits.passes,
        "people": figure.people,
        "says": figure.says,
        "attacker": figure.attacker,
    }
    found = (
        said(
            "{verdict}, {attack}: {name} is {value:.3f} ({low:.3f} to {high:.3f}, limit {limit}, on {people:,} against "
            "{others:,}): {says}. The attacker {attacker}.",
            others=figure.others,
            **parts,
        )
        if figure.others
        else said(
            "{verdict}, {attack}: {name} is {value:.3f} ({low:.3f} to {high:.3f}, limit {limit}, on {people:,} against "
            "chance): {says}. The attacker {attacker}.",
            **parts,
        )
    )
    if not figure.columns:
        return found
    named = list(figure.columns.items())[:_NAMED]
    driving = [said("{column} ({share:.0f} %)", column=column, share=100 * share) for column, share in named]
    return said("{found} Driven by {columns}.", found=found, columns=driving)


def _passed(ranked: Sequence[Figure]) -> Said:
    attacks = dict.fromkeys(figure.attack for figure in ranked if figure.verdict is Verdict.PASS)
    return said("Within the limits: {attacks}. Attacks that were not tried are not ruled out.", attacks=list(attacks))


def _advice(ranked: Sequence[Figure], raise_k: str, *, is_below_floor: bool) -> list[str]:
    bad = [figure for figure in ranked if figure.verdict in (Verdict.BLOCK, Verdict.REVIEW)]
    advice = []
    if any(figure.attack != "singling out" for figure in bad):
        advice.append(KEEP_MORE_AND_TELL_LESS if is_below_floor else raise_k)
    elif is_below_floor:
        advice.append(KEEP_MORE)
    if any(figure.attack == "singling out" for figure in bad):
        advice.append(said("Look at the extremes and the rare levels: cap or group them."))
    driving = next((figure for figure in bad if figure.columns), None)
    if driving is not None:
        names = [repr(name) for name in list(driving.columns)[:_NAMED]]
        advice.append(said("If that is not enough, remove or coarsen {names}.", names=names))
    return advice
