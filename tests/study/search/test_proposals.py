"""Ask and tell: what each status of a trial means for Optuna, and what the journal holds afterwards."""

import math
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from search_spaces.grid import Grid
from search_spaces.spaces import SPACES
from study.search.proposals import Proposals
from study.search.samplers import GENERATION_TRIALS, MAX_FINISHED_TRIALS
from study.search.warm_start import Measurement
from study.spec.choices import GUIDED, SAMPLERS, UNGUIDED, Sampler
from study.spec.constraints import parse

SPACE = SPACES["maps"]
FIGURES = {ATTACKER.column: 0.6, MATCHING.column: 0.7}
KNOWN = len(SPACE.known_designs())


def proposals(
    directory: Path | None, sampler: Sampler = "tpe", seed: int = 0, constraints: Sequence[str] = ()
) -> Proposals:
    parsed = [parse(text) for text in constraints]
    return Proposals(directory, "study", SPACE, sampler, seed, SEARCH_OBJECTIVES, parsed)


def judged(values) -> dict[str, float]:
    """Return figures that depend only on α and β, with a trade-off between the objectives."""
    alpha, beta = math.log(values["alpha"]), math.log(values["beta"])
    return {
        ATTACKER.column: 0.7 - 0.02 * beta + 0.01 * alpha,
        MATCHING.column: 0.7 + 0.02 * alpha - 0.02 * beta,
    }


def both_lower_with_alpha(values) -> dict[str, float]:
    """Return figures that improve in both objectives with α, and have a trade-off by β."""
    alpha, beta = math.log(values["alpha"]), math.log(values["beta"])
    return {
        ATTACKER.column: 0.7 - 0.02 * beta - 0.03 * alpha,
        MATCHING.column: 0.7 - 0.02 * beta + 0.03 * alpha,
    }


def run(search: Proposals, trials: int, figures: Callable = judged) -> list[dict]:
    """Ask for `trials` designs one by one, tell each as complete before the next, and return them."""
    designs = []
    for _ in range(trials):
        proposal = search.ask()
        search.tell(proposal.optuna_number, "complete", figures(proposal.values))
        designs.append(dict(proposal.values))
    return designs


def recorded(directory: Path) -> list[optuna.trial.FrozenTrial]:
    storage = JournalStorage(JournalFileBackend(str(directory / "search.journal")))
    trials = optuna.load_study(study_name="study", storage=storage).trials
    return [trial for trial in trials if trial.state != TrialState.WAITING]


@pytest.mark.parametrize(
    ("status", "figures", "state"),
    [
        ("complete", FIGURES, TrialState.COMPLETE),
        ("complete", {ATTACKER.column: 0.6}, TrialState.FAIL),
        ("complete", FIGURES | {MATCHING.column: None}, TrialState.FAIL),
        ("complete", FIGURES | {MATCHING.column: math.nan}, TrialState.FAIL),
        ("complete", FIGURES | {ATTACKER.column: math.inf}, TrialState.FAIL),
        ("failed", {}, TrialState.FAIL),
        ("diverged", FIGURES, TrialState.FAIL),
        ("stopped_early", FIGURES, TrialState.PRUNED),
    ],
)
def test_each_way_to_end_is_told_and_none_stays_running(tmp_path, status, figures, state):
    search = proposals(tmp_path)
    number = search.ask().optuna_number
    search.tell(number, status, figures)
    (trial,) = recorded(tmp_path)
    assert trial.state == state
    assert trial.values == ([0.6, 0.7] if state == TrialState.COMPLETE else None)
    assert search.running() == []


def test_the_sampler_goes_on_after_every_kind_of_end(tmp_path):
    search = proposals(tmp_path)
    ends = ["complete", "stopped_early", "failed", "diverged"]
    for step in range(24):
        proposal = search.ask()
        SPACE.check(proposal.values)
        figures = {ATTACKER.column: 0.5 + step / 100, MATCHING.column: 0.9 - step / 100}
        search.tell(proposal.optuna_number, ends[step % 4], figures)  # type: ignore[arg-type]
    assert len(recorded(tmp_path)) == 24


def test_directions_are_minimise_attacker_maximise_matching(tmp_path):
    search = proposals(tmp_path)
    better, worse = search.ask(), search.ask()
    search.tell(better.optuna_number, "complete", {ATTACKER.column: 0.55, MATCHING.column: 0.8})
    search.tell(worse.optuna_number, "complete", {ATTACKER.column: 0.6, MATCHING.column: 0.7})
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "search.journal")))
    best = optuna.load_study(study_name="study", storage=storage).best_trials
    assert [trial.number for trial in best] == [better.optuna_number]


def test_a_dead_drivers_designs_are_found_again(tmp_path):
    search = proposals(tmp_path)
    told, left = search.ask(), search.ask()
    search.tell(told.optuna_number, "complete", FIGURES)
    assert proposals(tmp_path).running() == [left]


def test_a_trial_told_twice_keeps_its_first_end(tmp_path):
    search = proposals(tmp_path)
    number = search.ask().optuna_number
    search.tell(number, "complete", FIGURES)
    search.tell(number, "failed", {})
    assert recorded(tmp_path)[0].state == TrialState.COMPLETE


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_same_seed_same_designs_other_seed_others(tmp_path, sampler):
    # The runs go beyond the random start of each sampler; a proposal of `gp` takes about a second.
    trials = 11 if sampler == "gp" else GENERATION_TRIALS + KNOWN + 4
    first = run(proposals(tmp_path, sampler, 3), trials)
    assert run(proposals(None, sampler, 3), trials) == first
    assert run(proposals(None, sampler, 4), trials)[KNOWN:] != first[KNOWN:]
    for design in first:
        SPACE.check(design)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3"])
def test_a_sampler_learns(sampler):
    """Late designs have a larger α than random ones: both costs fall with α, whatever β is."""

    def late_cost(name: Sampler, seed: int) -> float:
        designs = run(proposals(None, name, seed), 100, both_lower_with_alpha)[-40:]
        return sum(-math.log(design["alpha"]) for design in designs) / len(designs)

    # ln α spans 5.7; the mean of 40 random values has a standard deviation of 0.26.
    assert all(late_cost(sampler, seed) < late_cost("random", seed) - 0.8 for seed in range(3))


def test_the_known_designs_come_first_and_once(tmp_path):
    search = proposals(tmp_path)
    first = search.ask()
    assert first.values == SPACE.defaults()
    search.tell(first.optuna_number, "complete", FIGURES)
    # A new object reads the journal, as after a driver's death.
    second = proposals(tmp_path).ask()
    assert (second.values["channel"], second.values["erasure"], second.values["beta"]) == (
        "none",
        False,
        0.01,
    )
    assert proposals(tmp_path).ask().values not in SPACE.known_designs()


def test_a_space_without_parameters_asks_for_its_one_design(tmp_path):
    search = Proposals(
        tmp_path,
        "study",
        SPACES["paper"].without({"alpha": 0.5, "beta": 0.5}),
        "random",
        0,
        SEARCH_OBJECTIVES,
    )
    assert search.ask().values == {}


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3", "qmc", "random", "grid"])
def test_after_a_resume_it_draws_designs_that_it_has_not_drawn(tmp_path, sampler):
    def alphas() -> list[float]:
        search, drawn = proposals(tmp_path, sampler, 2**63 - 1), []
        for _ in range(6):
            proposal = search.ask()
            search.tell(proposal.optuna_number, "complete", FIGURES)
            drawn.append(proposal.values["alpha"])
        return drawn

    drawn = alphas() + alphas() + alphas()
    assert len(drawn) == 18
    # The grid repeats levels of α, but no designs.
    if sampler != "grid":
        assert len(set(drawn) - {design["alpha"] for design in SPACE.known_designs()}) == 16
    designs = [tuple(sorted(trial.params.items())) for trial in recorded(tmp_path)]
    assert len(set(designs)) == 18


@pytest.mark.parametrize("sampler", UNGUIDED)
def test_an_unguided_sampler_goes_on_where_it_was(tmp_path, sampler):
    parts = [run(proposals(tmp_path, sampler, 5), trials) for trials in (1, 4, 70, 3)]
    assert [design for part in parts for design in part] == run(proposals(None, sampler, 5), 78)


def test_the_grid_is_every_design_once_then_random_ones():
    space = SPACES["paper"]
    search = Proposals(None, "study", space, "grid", 0, SEARCH_OBJECTIVES)
    known, size = len(space.known_designs()), Grid(space).size
    drawn = [tuple(search.ask().values.items()) for _ in range(known + size + 5)]
    levels = {tuple(Grid(space).design(number).items()) for number in range(size)}
    assert set(drawn[known : known + size]) == levels
    assert not levels & set(drawn[known + size :])
    assert len(set(drawn)) == len(drawn)


def test_the_grid_leaves_out_what_an_earlier_study_measured():
    space = SPACES["paper"]
    grid = Grid(space)
    measured = [grid.design(number) for number in range(0, grid.size, 2)]
    search = Proposals(None, "study", space, "grid", 0, SEARCH_OBJECTIVES)
    search.warm_start(Measurement(f"trial-{n:05d}", design, FIGURES) for n, design in enumerate(measured))
    known, left = len(space.known_designs()), grid.size - len(measured)
    drawn = [dict(search.ask().values) for _ in range(known + left)][known:]
    assert all(design not in measured for design in drawn)
    assert {tuple(design.items()) for design in drawn} == {
        tuple(grid.design(number).items()) for number in range(1, grid.size, 2)
    }


def test_sobol_points_fill_the_space_more_evenly_than_random_ones():
    def empty_cells(sampler: Sampler) -> int:
        search = Proposals(None, "study", SPACES["paper"], sampler, 0, SEARCH_OBJECTIVES)
        drawn = [search.ask().values for _ in range(2 + 256)][2:]
        return 256 - len({(int(d["alpha"] * 16), int(d["beta"] * 16)) for d in drawn})  # type: ignore[operator]

    assert empty_cells("qmc") < 0.5 * empty_cells("random")


def test_the_journal_holds_every_trial_and_the_sampler_sees_the_newest_and_best(tmp_path):
    search = proposals(tmp_path)
    trials = 2 * MAX_FINISHED_TRIALS["tpe"]
    run(search, trials)
    there = recorded(tmp_path)
    assert [trial.number for trial in there] == list(range(trials))
    assert all(trial.distributions.keys() == trial.params.keys() for trial in there)
    assert len(search._guided._finished) <= 1.25 * MAX_FINISHED_TRIALS["tpe"]  # type: ignore[union-attr]


def test_constraints_are_in_the_journal_and_outlive_a_resume(tmp_path):
    texts = ["matching_auc_validation >= 0.7", "noise_sd < 0.015"]
    search = proposals(tmp_path, constraints=texts)
    first, second, pruned, failed = (search.ask() for _ in range(4))
    search.tell(first.optuna_number, "complete", {ATTACKER.column: 0.6, MATCHING.column: 0.65})
    search = proposals(tmp_path, constraints=texts)
    search.tell(second.optuna_number, "complete", {ATTACKER.column: 0.6, MATCHING.column: 0.75})
    search.tell(pruned.optuna_number, "stopped_early", {ATTACKER.column: 0.6, MATCHING.column: 0.5})
    search.tell(failed.optuna_number, "failed", {})
    trials = recorded(tmp_path)
    assert trials[0].constraints[texts[0]] == pytest.approx(0.05)
    # The default, 0.015, is not below the limit.
    assert trials[0].constraints[texts[1]] > 0
    # This design has no noise.
    assert trials[1].constraints == pytest.approx({texts[0]: -0.05, texts[1]: 0.0})
    assert trials[2].constraints[texts[0]] == pytest.approx(0.2)
    assert trials[3].constraints == {}
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "search.journal")))
    best = optuna.load_study(study_name="study", storage=storage).best_trials
    assert [trial.number for trial in best] == [second.optuna_number]


def test_a_constrained_figure_that_is_missing_makes_no_measurement(tmp_path):
    search = proposals(tmp_path, constraints=["matching_auc_same_gender_validation >= 0.6"])
    search.tell(search.ask().optuna_number, "complete", FIGURES)
    assert recorded(tmp_path)[0].state == TrialState.FAIL


@pytest.mark.parametrize("sampler", GUIDED)
def test_under_constraints_a_sampler_survives_every_end(sampler):
    texts = ["matching_auc_validation >= 0.7", "noise_sd <= 0.05"]
    search = proposals(None, sampler, constraints=texts)
    ends = ["complete", "complete", "complete", "stopped_early", "failed"]
    for step in range(16 if sampler == "gp" else 2 * GENERATION_TRIALS + 8):
        proposal = search.ask()
        SPACE.check(proposal.values)
        end = ends[step % len(ends)]
        search.tell(proposal.optuna_number, end, judged(proposal.values) if end != "failed" else {})  # type: ignore[arg-type]
    assert search.running() == []


def test_constraints_steer_tpe():
    def share(constraints: list[str]) -> float:
        designs = run(proposals(None, "tpe", 2, constraints), 120)[-40:]
        return sum(design["alpha"] <= 0.3 for design in designs) / len(designs)

    assert share(["alpha <= 0.3"]) > share([]) + 0.25


def earlier(trials: int) -> list[Measurement]:
    """Return the measurements of a random search."""
    designs = islice(run(proposals(None, "random", 9), trials + KNOWN), KNOWN, None)
    return [Measurement(f"trial-{n:05d}", design, judged(design)) for n, design in enumerate(designs)]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_warm_start_is_taken_once_though_the_driver_dies_in_it(tmp_path, sampler):
    measurements = earlier(12)

    def dying():
        yield from measurements[:5]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        proposals(tmp_path, sampler).warm_start(dying())
    assert not proposals(tmp_path, sampler).warm_started
    search = proposals(tmp_path, sampler)
    assert search.warm_start(measurements) == 12
    assert search.warm_started
    assert proposals(tmp_path, sampler).warm_started
    assert search.ask().optuna_number == 12
    trials = recorded(tmp_path)
    assert [trial.params for trial in trials[:12]] == [measurement.values for measurement in measurements]
    assert all(trial.state == TrialState.COMPLETE for trial in trials[:12])
    assert trials[3].values == [measurements[3].figures[o.column] for o in SEARCH_OBJECTIVES]


def test_an_earlier_trial_without_every_figure_is_left(tmp_path):
    whole, broken = earlier(2)
    search = proposals(tmp_path)
    assert search.warm_start([whole, Measurement("trial-x", broken.values, {ATTACKER.column: 0.5})]) == 1
    assert search.ask().optuna_number == 1


def test_a_known_design_that_was_measured_earlier_is_not_measured_again(tmp_path):
    search = proposals(tmp_path)
    search.warm_start([Measurement("trial-00000", SPACE.defaults(), FIGURES)])
    assert search.ask().values == SPACE.known_designs()[1]


def test_a_genetic_algorithm_breeds_from_an_earlier_study():
    """After two earlier generations no design is random: a child has the α of a parent or mutates."""
    measurements = earlier(2 * GENERATION_TRIALS)
    search = proposals(None, "nsga2")
    search.warm_start(measurements)
    children = run(search, KNOWN + 12)[KNOWN:]
    inherited = [child["alpha"] in {m.values["alpha"] for m in measurements} for child in children]
    # The other children are mutants.
    assert sum(inherited) >= 6
