"""All privacy metrics of a pair: which are asked, which can be computed, and what each is read beside."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from avatars.engine.columns import Kind
from avatars.engine.features import Floats
from avatars.engine.progress import Progress, advance
from avatars.evaluation.catalogue import PRIVACY
from avatars.evaluation.metric import Baseline, Metric, not_computed
from avatars.evaluation.pair import Pair, Side
from avatars.evaluation.privacy import inference
from avatars.evaluation.privacy.categorical import categorical_hidden_rate
from avatars.evaluation.privacy.closeness import measure_closeness, percentile_between
from avatars.evaluation.privacy.direct import column_direct_match, row_direct_match
from avatars.evaluation.privacy.known import correlation_protection_rate
from avatars.evaluation.privacy.link import STEP, measure_link
from avatars.evaluation.request import Request
from avatars.evaluation.rows import cells
from avatars.evaluation.wording import said

_NO_LINK = said("it needs the unshuffled avatars, and these are shuffled")
_NO_KNOWN = said("say what the attacker knows: known_variables")
_HELD_OUT = said("held-out people")


def measure_privacy(pair: Pair, request: Request, progress: Progress) -> list[Metric]:
    """Return all privacy metrics, in the catalogue's order. Cost: O(n log n) time, O(n) memory."""
    if pair.linked:
        metrics = [
            *_link(pair, progress),
            _column_direct_match(pair),
            _categorical(pair, request),
            _correlation(pair, request),
        ]
    else:
        metrics = [not_computed(name, _NO_LINK) for name, definition in PRIVACY.items() if definition.needs_link]
    metrics += [
        *_closeness(pair, request, progress),
        _row_direct_match(pair),
        _inference("inference_continuous", pair, request),
        _inference("inference_categorical", pair, request),
    ]
    order = list(PRIVACY)
    return sorted(metrics, key=lambda metric: order.index(metric.name))


def _link(pair: Pair, progress: Progress) -> Iterator[Metric]:
    link = measure_link(pair.original.spots, pair.avatars.spots, progress)
    yield Metric("hidden_rate", link.hidden_rate, baseline=_guessing(pair))
    note = None
    if link.around < len(pair.avatars):
        note = said("median of {people:,} people, spread evenly", people=link.around)
    yield Metric("local_cloaking", link.local_cloaking, note=note)


def _guessing(pair: Pair) -> Baseline:
    return Baseline(said("guessing"), 100.0 * (1.0 - 1.0 / len(pair.avatars)))


def _closeness(pair: Pair, request: Request, progress: Progress) -> Iterator[Metric]:
    near = percentile_between(pair.original.spots, request.closest_rate_percentage_threshold)
    close = [pair.closeness]
    if pair.held_out is not None:
        close.append(measure_closeness(pair.original.spots, pair.held_out.spots))
    advance(progress, STEP, 1, 1)
    for name, figures in (
        ("distance_to_closest", [each.distance_to_closest for each in close]),
        ("closest_distances_ratio", [each.closest_distances_ratio for each in close]),
        ("closest_rate", [each.closest_rate(near, request.closest_rate_ratio_threshold) for each in close]),
    ):
        yield Metric(name, figures[0], baseline=Baseline(_HELD_OUT, figures[1]) if len(figures) > 1 else None)


def _column_direct_match(pair: Pair) -> Metric:
    parts = column_direct_match(pair.original.cells, pair.avatars.cells)
    worst_first = dict(sorted(parts.items(), key=lambda part: part[1]))
    return Metric("column_direct_match_protection", min(parts.values()), parts=worst_first)


def _row_direct_match(pair: Pair) -> Metric:
    avatars, held_out = pair.avatars.cells, pair.held_out
    baseline = None if held_out is None else Baseline(_HELD_OUT, row_direct_match(held_out.cells, avatars))
    return Metric("row_direct_match_protection", row_direct_match(pair.original.cells, avatars), baseline=baseline)


def _categorical(pair: Pair, request: Request) -> Metric:
    name = "categorical_hidden_rate"
    names = request.categorical_hidden_rate_variables or [
        column.name for column in pair.original.cells.categorical_columns
    ]
    if not names:
        return not_computed(name, said("the table has no categorical column"))
    value = categorical_hidden_rate(pair.original.cells, pair.avatars.cells, names)
    return Metric(name, value, baseline=_guessing(pair), note=said("by {columns}", columns=", ".join(map(repr, names))))


def _correlation(pair: Pair, request: Request) -> Metric:
    name = "correlation_protection_rate"
    if not request.known_variables:
        return not_computed(name, _NO_KNOWN)
    return Metric(name, correlation_protection_rate(pair.original.cells, pair.avatars.cells, request.known_variables))


def _inference(name: str, pair: Pair, request: Request) -> Metric:
    if not request.known_variables:
        return not_computed(name, _NO_KNOWN)
    if request.target is None:
        return not_computed(name, said("say what the attacker wants to know: target"))
    (column,) = (column for column in pair.original.cells.columns if column.name == request.target)
    if column.is_numeric != (name == "inference_continuous"):
        if column.is_numeric:
            return not_computed(name, said("the target {column!r} is numbers", column=column.name))
        return not_computed(name, said("the target {column!r} is categories", column=column.name))
    if column.kind is Kind.DATETIME:
        return not_computed(
            name, said("the target {column!r} is dates, of which a relative error says nothing", column=column.name)
        )
    people, source = _known(pair.original, request), _known(pair.avatars, request)
    if np.isnan(people.target).all():
        return not_computed(name, said("the target {column!r} is missing in all originals", column=column.name))
    if np.isnan(source.target).all():
        return not_computed(name, said("the target {column!r} is missing in all avatars", column=column.name))
    value = inference.attack(people, source, is_number=column.is_numeric)
    held_out = _known(pair.held_out, request) if pair.held_out is not None else None
    if held_out is not None and not np.isnan(held_out.target).all():
        beside = Baseline(_HELD_OUT, inference.attack(people, held_out, is_number=column.is_numeric))
    else:
        guess = said("the avatars' median") if column.is_numeric else said("the avatars' mode")
        beside = Baseline(guess, inference.constant_guess(people, source, is_number=column.is_numeric))
    return Metric(name, value, baseline=beside)


def _known(side: Side, request: Request) -> inference.Known:
    assert request.target is not None
    return inference.known_columns(side.complete, set(request.known_variables), _target(side, request.target))


def _target(side: Side, name: str) -> Floats:
    """Return (n,) a column's own numbers, or its levels, NaN for missing."""
    column = next(column for column in side.cells.columns if column.name == name)
    values = cells(side.cells, name).astype(np.float64)
    return values + column.origin if column.is_numeric else np.where(values < 0, np.nan, values)
