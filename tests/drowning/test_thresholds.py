"""Thresholds: what they would have given, and which is proposed."""

from __future__ import annotations

from shouwang.systems.drowning.rules.thresholds import STEPS, Labelled, effects, proposed


def test_too_few_labels_show_nothing() -> None:
    assert effects([Labelled(0.4, is_false=True)] * 9) == ()
    assert proposed(()) is None


def test_the_highest_harmless_threshold_is_proposed() -> None:
    labels = [Labelled(0.42, is_false=True)] * 6 + [Labelled(0.62, is_false=False)] * 3 + [Labelled(0.9, is_false=True)]
    found = effects(labels)
    assert [each.least_score for each in found] == list(STEPS)
    best = proposed(found)
    assert best is not None
    assert (best.least_score, best.false_milder, best.true_milder) == (0.6, 6, 0)


def test_where_every_threshold_harms_none_is_proposed() -> None:
    labels = [Labelled(0.2, is_false=False)] * 5 + [Labelled(0.5, is_false=True)] * 5
    assert proposed(effects(labels)) is None
