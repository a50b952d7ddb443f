"""The spec is complete and strict; a mistake gives one line that says what, where and what is expected."""

import json
import os
from pathlib import Path

import pytest

from analysis.tables.objectives import SEARCH_OBJECTIVES
from search_spaces.hyperparameters import resolve
from search_spaces.spaces import SPACES
from study.errors import SpecError, StudyError
from study.spec.files import load_spec, shipped_specs, to_toml, with_settings, with_values
from study.spec.settings import parse_settings, parse_value
from study.spec.spec import StudySpec, searched_space, with_defaults

SHIPPED = ("alpha-beta", "architecture", "code", "full", "paper", "paper-fig2", "paper-table1", "quick")


@pytest.fixture
def spec() -> StudySpec:
    return load_spec("alpha-beta")


def written(folder: Path, text: str, name: str = "mine.toml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_the_shipped_specs_are_there():
    assert shipped_specs() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_spec_survives_the_round_trip(name, tmp_path):
    spec = load_spec(name)
    assert spec.name == name
    assert load_spec(written(tmp_path, to_toml(spec))) == spec


def test_a_spec_far_from_its_defaults_survives_the_round_trip(spec, tmp_path):
    varied = (
        SPACES["full"]
        .with_private_attributes(2)
        .without(
            {
                "private_attributes": 2,
                "beta": 0.0,
                "erasure": False,
                "noise_sd": 0.3,
                "head": "code",
                **spec.fixed,
            }
        )
        .defaults()
    )
    design = "{" + ", ".join(f"{name} = {json.dumps(value)}" for name, value in varied.items()) + "}"
    far = with_settings(
        spec,
        [
            *(
                "name=x-1",
                "dataset=folder:/faces and more",
                "attack_dataset=folder:/other faces",
                'attribute=["Male", "Young"]',
                'positive=a "quoted" ü',
            ),
            *(
                "image_side=64",
                "data_fingerprint=0123",
                "attack_data_fingerprint=4567",
                "judge_version=7",
                "split_seed=3",
                "seed=9223372036854775806",
                "space=full",
                "sampler=nsga2",
                'constraints=["matching_auc_validation>=0.7", "margin < 2"]',
                "warm_start=/an earlier/study",
            ),
            *(
                "objectives=per_attribute",
                "trials=7",
                'baselines=["erasure"]',
                "fixed.beta=0",
                "fixed.erasure=false",
                "fixed.head=code",
            ),
            *("seeds=2", "confirm_seeds=2", f"designs=[{design}]"),
            *("fixed.noise_sd=0.30000000000000004", "training.stage1_epochs=1", "training.heads_epochs=1"),
            *("training.joint_epochs=3", "early_stopping.rule=mo_asha", "early_stopping.grace_epochs=2"),
            *("early_stopping.reduction_factor=2.5", "judge_each_epoch=true", "checkpoints_behind_front=all"),
            *("resources.cpus_per_trial=0.5", "resources.gpus_per_trial=0.25"),
            *("resources.dtype=bfloat16", "resources.memory_format=contiguous", 'loggers=["mlflow"]'),
        ],
    )
    again = load_spec(written(tmp_path, to_toml(far)))
    assert again == far
    assert again.fixed == {
        "beta": 0.0,
        "noise_sd": 0.30000000000000004,
        "erasure": False,
        "head": "code",
        "decoder_width": 32,
    }
    assert again.attributes == ("Male", "Young")
    assert again.positive == 'a "quoted" ü'
    assert again.resources.gpus_per_trial == 0.25
    for name in StudySpec.model_fields:
        if name != "fixed":
            assert getattr(again, name) != getattr(spec, name), f"{name} was not exercised"


def test_one_attribute_is_a_name_several_are_a_list(spec):
    assert with_settings(spec, ["attribute=Male"]).attributes == ("Male",)
    assert 'attribute = "Male"' in to_toml(with_settings(spec, ["attribute=Male"]))
    both = with_defaults(with_settings(spec, ['attribute=["Male", "Young"]']))
    assert both.fixed["private_attributes"] == 2
    assert "beta_2" in searched_space(both).parameters
    assert "beta_3" not in searched_space(both).parameters
    assert "beta_2" not in searched_space(spec).parameters


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (['attribute=["a", "a"]'], "a private attribute may occur only once"),
        (["attribute=[]"], "a list of up to four"),
        (['attribute=["a", "b", "c", "d", "e"]'], "a list of up to four"),
        (["attribute=[3]"], "a list of up to four"),
        (["fixed.private_attributes=2"], "private_attributes cannot be fixed: attribute names 1"),
        (["fixed.beta_2=0.5"], "beta_2 = 0.5 has no effect"),
        (["objectives=both"], "'maximum' over the private attributes or 'per_attribute'"),
    ],
)
def test_wrong_attributes_and_objectives_are_named(spec, settings, message):
    with pytest.raises(SpecError, match=message) as caught:
        with_settings(spec, settings)
    assert "\n" not in str(caught.value)


def test_objectives_are_the_worst_attribute_or_each(spec):
    two = ['attribute=["Male", "Young"]']
    assert with_settings(spec, two).search_objectives == SEARCH_OBJECTIVES
    each = with_settings(spec, [*two, "objectives=per_attribute"]).search_objectives
    assert [objective.column for objective in each] == [
        "attacker_auc_attribute_1_validation",
        "attacker_auc_attribute_2_validation",
        "matching_auc_validation",
    ]
    assert [objective.sign for objective in each] == [1, 1, -1]


def test_toml_writes_defaults_out_and_leaves_none_out(spec):
    text = to_toml(spec)
    for line in ('dataset = "synthetic"', "split_seed = 0", 'gpus_per_trial = "auto"', 'sampler = "tpe"'):
        assert line in text
    assert "positive" not in text


def test_the_default_baselines_are_all_of_them(spec):
    assert spec.baselines == ("original", "random", "aia_without_t", "erasure", "fisher")
    assert with_settings(spec, ["baselines=[]"]).baselines == ()


def test_a_file_without_a_name_takes_its_own(tmp_path):
    path = written(tmp_path, 'space = "paper"\ntrials = 3\n', "first-look.toml")
    assert load_spec(path).name == "first-look"


@pytest.mark.parametrize(
    ("designs", "message"),
    [
        ("3", "designs = 3 is wrong: designs that run before the search"),
        ("[3]", "designs"),
        ("[{alpha=0.5}]", "space paper: beta is missing"),
        ("[{alpha=0.5, beta=1.5}]", "beta = 1.5"),
        ("[{alpha=0.5, beta=0.5, margin=1}]", "space paper has no 'margin'"),
        ("[{alpha=0.5, bets=0.5}]", "did you mean 'beta'?"),
        ("[{alpha=0, beta=1}, {alpha=0.0, beta=1.0}]", "a design may occur only once"),
        ("[]", "trials = 0 is wrong"),
    ],
)
def test_designs_are_of_the_space_complete_and_distinct(designs, message):
    with pytest.raises(SpecError) as caught:
        with_settings(load_spec("paper"), [f"designs={designs}"])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_seeds_stay_within_what_a_table_holds():
    paper = load_spec("paper")
    assert with_settings(paper, [f"seed={2**63 - 3}"]).seeds == 3
    with pytest.raises(SpecError, match="seeds = 3 is wrong"):
        with_settings(paper, [f"seed={2**63 - 2}"])


def test_a_spec_with_designs_travels_as_json_without_a_warning(recwarn):
    paper = load_spec("paper")
    assert StudySpec.model_validate_json(paper.model_dump_json()) == paper
    assert not recwarn.list


def test_the_papers_specs_are_the_papers_design():
    for name in ("paper-table1", "paper-fig2"):
        fixed = load_spec(name).fixed
        assert fixed["channel"] == "none"
        assert fixed["erasure"] is False
        assert fixed["adversary"] == "cnn"
        assert fixed["decoder_width"] == 256
    assert searched_space(load_spec("paper-table1")).parameters == {}
    assert list(searched_space(load_spec("paper-fig2")).parameters) == ["alpha", "beta"]
    assert load_spec("paper-fig2").sampler == "random"


def test_space_is_what_the_fixed_ones_leave(spec):
    assert "noise_sd" in searched_space(spec).parameters
    assert "noise_sd" not in searched_space(with_settings(spec, ["fixed.channel=none"])).parameters


def test_a_spec_does_not_change(spec):
    with pytest.raises(ValueError, match="frozen"):
        spec.trials = 3
    before = to_toml(spec)
    with_settings(spec, ["fixed.beta=0", "training.joint_epochs=9"])
    assert to_toml(spec) == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trials=many", "trials = 'many' is wrong: search trials, a whole number of at least 1"),
        ("trials=0", "trials = 0 is wrong"),
        ("trials=2.0", "trials = 2.0 is wrong"),
        ("trials=true", "trials = True is wrong"),
        ("trails=3", "unknown key 'trails': did you mean 'trials'?"),
        ("beta=0", "unknown key 'beta': did you mean 'fixed.beta'?"),
        ("joint_epochs=3", "unknown key 'joint_epochs': did you mean 'training.joint_epochs'?"),
        ("training.joint=3", "unknown key 'training.joint': did you mean 'training.joint_epochs'?"),
        ("zzz.y=1", "unknown key 'zzz': known keys are name, dataset"),
        ("training=4", "training = 4 is wrong: a table"),
        ("training.joint_epochs=0", "training.joint_epochs = 0 is wrong"),
        ("space=qick", "no such space; needs one of code, alpha-beta"),
        ("sampler=bayes", "one of tpe, nsga2, nsga3, gp, qmc, random, grid"),
        ('constraints="alpha < 3"', "a list of 'NAME OP NUMBER'"),
        ('constraints=["alpha = 3"]', "needs NAME OP NUMBER, OP one of <=, >=, <, >"),
        ('constraints=["alpha < high"]', "needs NAME OP NUMBER"),
        ('constraints=["alpha < inf"]', "needs NAME OP NUMBER"),
        ('constraints=["alpha<3", "alpha  < 3.0"]', "a constraint may occur only once"),
        ('constraints=["matching_auc_test >= 0.7"]', "needs a figure on validation: matching_auc_validation"),
        ('constraints=["matching_auc >= 0.7"]', "did you mean 'matching_auc_validation'?"),
        ('constraints=["attacker_auc_attribute_2_validation < 0.7"]', "there is no such figure"),
        ('constraints=["attacker_auc_10_releases_validation < 0.7"]', "there is no such figure"),
        ('constraints=["channel <= 3"]', "channel is no number"),
        ('constraints=["decoder_width <= 32"]', "space alpha-beta varies no 'decoder_width'"),
        ("warm_start=", "directory of an earlier study"),
        ('baselines=["orignal"]', "a list of original, random, aia_without_t, erasure"),
        ('baselines=["random", "random"]', "a baseline may occur only once"),
        ("resources.cpus_per_trial=0", "a number above 0"),
        ("resources.cpus_per_trial=inf", "a number above 0"),
        ("image_side=30", "image_side = 30 is wrong"),
        ("seed=-1", "seed = -1 is wrong"),
        ("seed=9223372036854775808", "seed = 9223372036854775808 is wrong"),
        ("dataset=", "'KIND:PATH'"),
        ("attack_dataset=", "another data set with the same attributes"),
        ("name=a/b", "name = 'a/b' is wrong"),
        ("name=..", "name = '..' is wrong"),
        ("resources.gpus_per_trial=all", "'auto' or a number of at least 0"),
        ("resources.gpus_per_trial=-1", "'auto' or a number of at least 0"),
        ("resources.cpus_per_trial=0", "CPU cores of a trial, a number above 0"),
        ("resources.dtype=float16", "'float32' or 'bfloat16'"),
        ("fixed=3", "needs a table of hyperparameters"),
        ("fixed.bta=1", "unknown hyperparameter 'bta': did you mean 'beta'?"),
        ("fixed.beta=-1", "beta = -1 cannot be fixed: needs a number of at least 0"),
        ("fixed.alpha=nan", "alpha = nan cannot be fixed"),
        ("fixed.channel=loud", "needs one of none, noise, quantise"),
        ("fixed.channel=[1]", "needs one of none, noise, quantise"),
        ("fixed.codewords=16", "has no effect: it exists only where channel is codebook"),
        ("trials", "needs key=value"),
        ("trials=\n9\nx", "trials = "),
    ],
)
def test_a_wrong_setting_is_one_line_with_what_where_and_what_would_be_right(spec, setting, message):
    with pytest.raises(SpecError) as caught:
        with_settings(spec, [setting])
    line = str(caught.value)
    assert message in line
    assert "\n" not in line


@pytest.mark.parametrize("sampler", ["qmc", "random", "grid"])
def test_a_sampler_that_looks_at_no_results_takes_no_constraints(spec, sampler):
    with pytest.raises(
        SpecError, match=r"cannot use constraints: needs one of tpe, nsga2, nsga3, gp, or none"
    ):
        with_settings(spec, [f"sampler={sampler}", 'constraints=["alpha <= 3"]'])


def test_settings_are_judged_together_whatever_their_order(spec):
    settings = ["fixed.quantise_bits=3", "fixed.channel=quantise"]
    assert with_settings(spec, settings) == with_settings(spec, settings[::-1])


@pytest.mark.parametrize(
    "key", ["name", "dataset", "attack_dataset", "attribute", "positive", "warm_start", "data_fingerprint"]
)
@pytest.mark.parametrize("text", ["2024", "0.5", "true", "2024-01-31"])
def test_a_key_that_takes_a_string_gets_one_whatever_the_text_looks_like(spec, key, text):
    assert getattr(with_settings(spec, [f"{key}={text}"]), key) == text
    assert with_settings(spec, ["dataset=folder:a=b"]).dataset == "folder:a=b"


def test_texts_are_read_by_the_type_of_their_key():
    assert parse_value("attribute", '["Male", "2024"]') == ["Male", "2024"]
    assert parse_value("warm_start", '"a quoted/path"') == "a quoted/path"
    assert parse_value("warm_start", "[1]") == "[1]"
    assert parse_value("trials", "2024") == 2024
    assert parse_value("resources.gpus_per_trial", "0.25") == 0.25
    assert parse_value("resources.gpus_per_trial", "auto") == "auto"
    assert parse_value("fixed.erasure", "false") is False
    assert parse_value("fixed.channel", "none") == "none"
    assert parse_value("no.such_key", "3") == 3
    assert parse_settings(["trials=3", " name = x", "trials=4"]) == {"trials": 4, "name": " x"}


def test_values_of_python_types_change_a_spec(spec):
    changed = with_values(
        spec,
        {
            "fixed.channel": "none",
            "name": "2024",
            "trials": 7,
            "warm_start": None,
            "attribute": ("Male", "Young"),
            "resources.cpus_per_trial": 2.0,
            "fixed": {"beta": 0.5},
        },
    )
    assert (changed.name, changed.trials, changed.attributes) == ("2024", 7, ("Male", "Young"))
    assert changed.resources.cpus_per_trial == 2.0
    assert changed.fixed == {"beta": 0.5, "channel": "none"}, "a table comes before its keys"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trials": 0}, "trials = 0 is wrong: search trials, a whole number of at least 1"),
        ({"trials": "7"}, "trials = '7' is wrong"),
        ({"name": 2024}, "name = 2024 is wrong"),
        (
            {"resources.cpus_per_trial": -1.0},
            "resources.cpus_per_trial = -1.0 is wrong: CPU cores of a trial",
        ),
        (
            {"resources.cpu_per_trial": 1.0},
            "unknown key 'resources.cpu_per_trial': did you mean 'resources.cpus_per_trial'?",
        ),
        ({"fixed.channel": "loud"}, "needs one of none, noise, quantise"),
    ],
)
def test_a_wrong_value_is_one_line_with_key_value_and_what_would_be_right(spec, values, message):
    with pytest.raises(SpecError) as caught:
        with_values(spec, values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_setting_cannot_smuggle_in_further_keys(spec):
    with pytest.raises(SpecError, match="trials = "):
        with_settings(spec, ["trials=3\nseed = 7"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trials = 3", "space is missing: search space, one of code"),
        ('space = "code"', "trials is missing: search trials"),
        (
            'space = "code"\ntrials = "3"',
            "trials = '3' is wrong: search trials, a whole number of at least 1",
        ),
        ('space = "code"\ntrials = 3\n[trainings]', "unknown key 'trainings': did you mean 'training'?"),
        ("space = quick", "is not TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(caught.value).startswith(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_spec_that_is_nowhere_lists_those_that_ship(tmp_path):
    with pytest.raises(SpecError, match=r"no spec 'qick': needs a TOML file or .*alpha-beta, .*quick"):
        load_spec("qick")
    with pytest.raises(SpecError, match="no spec"):
        load_spec(str(tmp_path))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match=r"binary\.toml cannot be read"):
        load_spec(os.fspath(path))


def test_spec_errors_are_study_errors():
    assert issubclass(SpecError, StudyError)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_complete_spec_fixes_what_it_does_not_vary_and_is_a_spec_again(name, tmp_path):
    spec = with_defaults(load_spec(name))
    assert load_spec(written(tmp_path, to_toml(spec))) == spec
    assert with_defaults(spec) == spec
    assert searched_space(spec) == searched_space(load_spec(name))
    assert not set(searched_space(spec).parameters) & set(spec.fixed)
    values = resolve(searched_space(spec).defaults(), spec.fixed)
    assert values == resolve(searched_space(spec).defaults(), load_spec(name).fixed)
    assert {name for name, value in values.items() if value is not None} <= {
        *spec.fixed,
        *searched_space(spec).parameters,
    }


def test_completing_keeps_what_is_fixed_for_some_choices_only():
    spec = with_settings(load_spec("alpha-beta"), ["fixed.quantise_bits=4"])
    assert with_defaults(spec).fixed["quantise_bits"] == 4
    assert searched_space(with_defaults(spec)) == searched_space(spec)


def test_the_stem_of_templates_is_linear_and_that_of_images_is_searched():
    images = load_spec("code")
    assert "stem" in searched_space(images).parameters
    assert with_defaults(images).fixed["stem_blocks"] == 3
    templates = with_settings(images, ["dataset=templates:faces.parquet"])
    assert set(searched_space(templates).parameters) == set(searched_space(images).parameters) - {"stem"}
    frozen = with_defaults(templates)
    assert frozen.fixed["stem"] == "linear"
    assert "stem_blocks" not in frozen.fixed
    assert searched_space(frozen) == searched_space(templates)
    of_sizes = searched_space(with_settings(load_spec("architecture"), ["dataset=templates:faces.parquet"]))
    assert "stem_components" in of_sizes.parameters
    assert not [name for name in of_sizes.parameters if name in ("stem_blocks", "encoder_width")]


def test_a_setting_takes_out_what_it_deprives_of_effect_but_nothing_that_the_user_named():
    linear = with_settings(load_spec("code"), ["fixed.stem=linear"])
    assert "stem_blocks" not in linear.fixed
    assert "stem" not in searched_space(linear).parameters
    with pytest.raises(SpecError, match="stem_blocks = 4 has no effect"):
        with_settings(load_spec("code"), ["fixed.stem=linear", "fixed.stem_blocks=4"])
    with pytest.raises(SpecError, match="stem_kernel = 5 has no effect"):
        with_settings(load_spec("code"), ["dataset=templates:t.parquet", "fixed.stem_kernel=5"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["fixed.head=map"], "space code needs fixed.head = 'code'"),
        (["dataset=templates:t.parquet", "fixed.stem=convolutional"], "needs images"),
    ],
)
def test_spaces_of_codes_need_codes_and_templates_need_linear_stems(settings, message):
    with pytest.raises(SpecError, match=message):
        with_settings(load_spec("code"), settings)


def test_maps_of_templates_are_refused():
    with pytest.raises(SpecError, match=r"trains maps, and templates:t\.parquet holds no images"):
        with_settings(load_spec("alpha-beta"), ["dataset=templates:t.parquet"])
