"""Metrics as a notebook shows them; everything is escaped, and nothing but plain HTML is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_REACHED = {True: "✓", False: "✗", None: ""}
_LEFT = 'style="text-align: left"'


def metrics_html(title: str, metrics: Sequence[Mapping[str, Any]], remarks: Iterable[str] = ()) -> str:
    """Return metrics, as ``Metric.to_dict`` or the wire has them, as a table; those without a value below it."""
    computed = [metric for metric in metrics if metric["value"] is not None]
    rows = "".join(
        f"<tr><td {_LEFT}>{escape(metric['name'])}</td><td>{metric['value']:.3f}</td>"
        f"<td>{escape(metric['target'] or '')} {_REACHED[metric['reaches_target']]}</td>"
        f"<td {_LEFT}>{escape(_beside(metric['baseline']))}</td></tr>"
        for metric in computed
    )
    reasons: dict[str, list[str]] = {}
    for metric in metrics:
        if metric["value"] is None:
            reasons.setdefault(metric["reason"] or "nobody said why", []).append(metric["name"])
    lacks = "".join(
        f"<p>Not computed: {escape(', '.join(names))}: {escape(reason)}.</p>" for reason, names in reasons.items()
    )
    head = f"<tr><th {_LEFT}>metric</th><th>value</th><th>target</th><th {_LEFT}>read beside</th></tr>"
    doubts = "".join(f"<p><b>{escape(remark)}</b></p>" for remark in remarks)
    return (
        f"<div><p><b>{escape(title)}</b></p>{doubts}"
        f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>{lacks}</div>"
    )


def attacks_found(verdict: str | None, reasons: Sequence[str]) -> list[str]:
    """Return what attacks found as a remark on the metrics: the verdict, and what weighs most; none without one."""
    return [] if verdict is None else [" ".join([f"What attacks found: {verdict}.", *reasons[:1], "See .assessment."])]


def _beside(baseline: Mapping[str, Any] | None) -> str:
    if baseline is None:
        return ""
    alike = baseline["same_rows"]
    said = f"{baseline['what']}: {baseline['value']:.3f}"
    return said if alike is None else f"{said}; avatars on as few rows: {alike:.3f}"
