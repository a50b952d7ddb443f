"""Each confirmed design's search figures are paired with those of its fresh seeds."""

from analysis.uncertainty.optimism import optimism


def figures(attacker: float, matching: float, split: str = "validation") -> dict[str, float]:
    return {f"attacker_auc_{split}": attacker, f"matching_auc_{split}": matching}


def test_each_confirmed_design_is_paired_with_its_search_trial(trials) -> None:
    search = [
        {"design_id": "a", **figures(0.6, 0.7)},
        {"design_id": "b", **figures(0.5, 0.6)},
        {"design_id": "a", **figures(0.6, 0.7)},
        {"design_id": "c", **figures(0.8, 0.9)},
    ]
    confirmed = [
        {
            "phase": "confirm",
            "design_id": design,
            "seed": seed,
            **figures(0.7, 0.7),
            **figures(0.6 + seed / 10, 0.8, "test"),
        }
        for design in "ab"
        for seed in (1, 2)
    ]
    found = optimism(trials(search + confirmed))
    assert found["design_id"].to_list() == ["b", "a"]
    assert found["seeds"].to_list() == [2, 2]
    assert found["attacker_search"].to_list() == [0.5, 0.6]
    assert found["matching_search"].to_list() == [0.6, 0.7]
    assert [round(value, 9) for value in found["attacker_test"]] == [0.75, 0.75]
    assert found["matching_test"].to_list() == [0.8, 0.8]


def test_without_confirmation_or_test_figures_there_is_none(trials) -> None:
    assert optimism(trials([figures(0.6, 0.7)])).is_empty()
    confirmed = {"phase": "confirm", "design_id": "d0000", **figures(0.6, 0.7)}
    assert optimism(trials([figures(0.6, 0.7), confirmed])).is_empty()
