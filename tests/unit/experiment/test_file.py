"""Experiments as files: the examples can be read, and what is wrong is one line with the place and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.experiment.collect import at_speed
from hpatui.experiment.file import read_experiment
from hpatui.experiment.ground import inverse, sandbox_options
from hpatui.experiment.series import order

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))
LOAD = '[[load.stage]]\nname = "spike"\nrate = 30\nfor = "60s"\n'


def read(tmp_path: Path, text: str) -> str:
    """What is said of an experiment."""
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_experiment(path)
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(str(tmp_path) + "/", "")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_can_be_read(path: Path) -> None:
    experiment = read_experiment(path)
    assert experiment.expectations and experiment.about
    sandbox_options(experiment)


def test_there_are_five_examples() -> None:
    assert [path.stem for path in EXAMPLES] == ["scale-to-zero", "slow-start", "spike", "variants", "walkthrough"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f'nme = "x"\n{LOAD}', 1, "did you mean 'name'"),
        (f'name = "x"\n[sandbox]\nsped = 3\n{LOAD}', 3, "did you mean 'speed'"),
        (f'name = "x"\n{LOAD}rte = 3\n', 6, "did you mean 'rate'"),
        (f"{LOAD}\n[[fault]]\nfault = 'metrics-down'\nat = 'start'\nfro = '3s'\n", 9, "did you mean 'for'"),
        (f"repeat = 0\n{LOAD}", 1, "1 or more"),
        (f"repeat = 'two'\n{LOAD}", 1, "a whole number"),
        (f"observe = 'soon'\n{LOAD}", 1, "write 30s"),
        (f"{LOAD}\n[[fault]]\nfault = 'metrics-gone'\nat = 'start'\n", 7, "metrics-down"),
        (f"{LOAD}\n[[fault]]\nfault = 'metrics-down'\nat = 'stage spkie'\n", 8, "did you mean 'spike'"),
        (f"{LOAD}\n[[fault]]\nfault = 'node-gone'\nat = 'start'\n", 7, "no target"),
        (f"{LOAD}\n[[fault]]\nfault = 'metrics-down'\nat = 'sometimes'\n", 8, "20s after stage"),
        (f"expect = [\n  'errors < 1%',\n  'p95 < 20',\n]\n{LOAD}", 3, "says no unit"),
        (f"expect = ['replicas >= 3 within 9s of stage spkie']\n{LOAD}", 1, "did you mean 'spike'"),
        (f"expect = ['errors < 0%']\n{LOAD}", 1, "can never hold"),
        (f"objects = [\n'a.yaml',\n]\n{LOAD}", 2, "cannot read"),
        ("[load]\nconcurrency = 3\n", 1, "no end"),
        ("[[load.stage]]\nrate = 3\nuntil = 'stable'\n", 1, "no end"),
        ("[[load.stage]]\nrate = 3000\nfor = '9s'\n", 0, "more than the limit"),
        ("[[load.stage]]\nrate = 3\nfor = '9s'\nshape = 'round'\n", 4, "steady, ramp"),
        (
            "[[load.stage]]\nname='a'\nrate = 3\nfor = '9s'\n[[load.stage]]\nname='a'\nrate = 9\nfor = '9s'\n",
            1,
            "two stages",
        ),
        (f"[[variant]]\nname = 'a'\n[[variant]]\nname = 'a'\n{LOAD}", 1, "its own name"),
        (f"duration = '9s'\n{LOAD}", 0, "stands beside [load]"),
        ("duration = '9s'\nexpect = ['p95 < 9ms']\n", 2, "sends nothing"),
        ("name = 'x'\n", 0, "there is no load"),
        ("", 0, "is empty"),
        ("name = \n", 0, "Invalid value"),
        (f"[load]\nplan = 'p.toml'\n{LOAD}", 3, "both say what to send"),
        (f"[load]\nvia = 'train'\n{LOAD}", 2, "proxy, port-forward, cluster"),
        (f"hpa = 'a/b/c'\n{LOAD}", 1, "a/b/c"),
    ],
)
def test_what_is_wrong_names_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    said = read(tmp_path, text)
    assert words in said
    assert said.startswith(f"x.toml:{line}: " if line else "x.toml"), said


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("a: [", "no YAML"), ("- 3\n", "no Kubernetes object"), ("kind: Pod\nmetadata: {name: x}\n", "kind Pod"),
        ("", "holds no object"),
        ("kind: Service\nmetadata: {}\n", "no name"), ("kind: ScaledObject\nmetadata: {name: x}\n", "apply it before"),
        ("kind: Deployment\nmetadata: {name: '\\e[31m'}\n", "no name"),
    ],
)  # fmt: skip
def test_objects_that_cannot_be_created(tmp_path: Path, yaml: str, words: str) -> None:
    (tmp_path / "a.yaml").write_text(yaml)
    said = read(tmp_path, f"objects = ['a.yaml']\n{LOAD}")
    assert said.startswith("x.toml:1: ") and words in said


def test_what_the_hpa_among_the_objects_excludes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "kind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {minReplicas: 2, maxReplicas: 4}\n"
    )
    said = read(tmp_path, f"objects = ['a.yaml']\nexpect = ['replicas >= 5 within 9s of end']\n{LOAD}")
    assert "x.toml:2: " in said and "minReplicas 2 and maxReplicas 4" in said
    variant = "[[variant]]\nname = 'small'\nspec = {maxReplicas = 3}\n[[variant]]\nname = 'big'\n"
    said = read(tmp_path, f"objects = ['a.yaml']\nexpect = ['replicas >= 4 within 9s of end']\n{variant}{LOAD}")
    assert "variant small" in said


def test_stages_keep_their_names_at_speed(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("[[load.stage]]\nrate = 3\nfor = '60s'\n")
    plan = at_speed(read_experiment(path).plan, 10.0)
    assert (plan.stages[0].duration, plan.stages[0].text(), plan.stages[0].start) == (6.0, "3/s for 60s", 3.0)


def test_variants_take_turns_in_an_order_that_the_seed_tells(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("repeat = 9\n" + "".join(f"[[variant]]\nname = '{n}'\n" for n in "abc") + LOAD)
    experiment = read_experiment(path)
    turns = order(experiment, 3)
    assert turns == order(experiment, 3) != order(experiment, 4)
    for block in range(9):
        assert sorted(turn.variant.name for turn in turns[3 * block : 3 * block + 3]) == ["a", "b", "c"]
    assert len({tuple(turn.variant.name for turn in turns[3 * b : 3 * b + 3]) for b in range(9)}) > 1


def test_the_inverse_of_a_merge_patch() -> None:
    before = {"maxReplicas": 5, "behavior": {"scaleDown": {"window": 300}}, "metrics": [1]}
    patch = {"maxReplicas": 9, "minReplicas": 2, "behavior": {"scaleDown": {"window": 0, "policy": 1}}, "metrics": [2]}
    assert inverse(before, patch) == {
        "maxReplicas": 5, "minReplicas": None, "behavior": {"scaleDown": {"window": 300, "policy": None}}, "metrics": [1],
    }  # fmt: skip
