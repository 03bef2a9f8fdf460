import json

import pytest
from traderagent_core.report.bounds import bounds
from traderagent_core.report.metrics import metrics
from traderagent_core.report.terminal import bounds_sentence
from traderagent_core.report.text import dumps


@pytest.fixture
def runs(curve_outcome):
    finals = {"nearer_first": 105.0, "pessimistic": 95.0, "optimistic": 120.0}
    return {path: curve_outcome([100.0, final]) for path, final in finals.items()}


def test_range_names_its_paths(runs):
    found = bounds(runs).ranges["roi"]
    assert (found.lowest_path, found.highest_path) == ("pessimistic", "optimistic")
    assert (found.lowest, found.highest) == (pytest.approx(-0.05), pytest.approx(0.2))


def test_metrics_and_outcomes_give_the_same(runs):
    assert bounds(runs) == bounds({path: metrics(outcome) for path, outcome in runs.items()})


def test_first_path_wins_a_tie(runs):
    found = bounds(runs).ranges["trades"]
    assert found.lowest_path == found.highest_path == "nearer_first"


def test_figure_that_no_path_defines_has_no_range(curve_outcome):
    assert "sharpe" not in bounds({"a": curve_outcome([100.0])}).ranges


def test_json_and_sentence_tell_the_range_and_the_note(runs):
    found = bounds(runs, note="It covers 9 of 10 runs on seconds.")
    content = json.loads(dumps(found.to_dict()))
    assert content["ranges"]["final_equity"]["lowest"] == "95.0"
    assert list(content["paths"]) == ["nearer_first", "optimistic", "pessimistic"]
    assert bounds_sentence(found) == (
        "ROI −5.00 % (pessimistic) to +20.00 % (optimistic) over 3 paths. It covers 9 of 10 runs on seconds."
    )


def test_no_path_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one path"):
        bounds({})
