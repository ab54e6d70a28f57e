"""The form of trial edits: what it shows of a spec, and what edits it makes of typed text."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.errors import UsageError
from hpatui.model import ControllerFlags
from hpatui.state.trial_form import edit_of, fields_of
from hpatui.state.whatif import Edit

FLAGS = ControllerFlags()


def _hpa(**behavior: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "maxReplicas": 3,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 30}},
            },
            {
                "type": "Pods",
                "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "5"}},
            },
        ],
    }
    if behavior:
        spec["behavior"] = behavior
    return {"spec": spec}


def _values(**changes: str) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in changes.items()}


def test_the_form_shows_the_spec_and_the_defaults() -> None:
    shown = {field.id: (field.label, field.value) for field in fields_of(_hpa(), FLAGS)}
    assert shown == {
        "min": ("minReplicas", "1"),
        "max": ("maxReplicas", "3"),
        "target.0": ("cpu target", "30"),
        "target.1": ("rps target", "5"),
        "tolerance": ("tolerance %", "10"),
        "up.window": ("scale-up window s", "0"),
        "up.policies": ("scale-up policies", "100%/15s, 4/15s"),
        "down.window": ("scale-down window s", "300"),
        "down.policies": ("scale-down policies", "100%/15s"),
    }


def test_the_form_shows_behavior() -> None:
    up = {"selectPolicy": "Disabled"}
    down = {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}
    shown = {field.id: field.value for field in fields_of(_hpa(scaleUp=up, scaleDown=down), FLAGS)}
    assert (shown["up.policies"], shown["down.window"], shown["down.policies"]) == ("off", "60", "1/30s")


def test_what_is_not_changed_is_no_edit() -> None:
    values = {field.id: field.value for field in fields_of(_hpa(), FLAGS)}
    assert edit_of(_hpa(), FLAGS, values) == Edit()
    assert edit_of(_hpa(), FLAGS, {}) == Edit()


def test_each_field_becomes_its_edit() -> None:
    values = _values(min="2", max="9", target_0="50%", target_1="7500m", tolerance="5")
    assert edit_of(_hpa(), FLAGS, values) == Edit(2, 9, {0: 50, 1: "7500m"}, None, 0.05)


def test_behavior_is_changed_where_it_was_typed_and_kept_elsewhere() -> None:
    hpa = _hpa(scaleDown={"selectPolicy": "Min", "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]})
    edit = edit_of(hpa, FLAGS, _values(down_window="30", up_policies="2 pods/30s, 50%/60"))
    assert edit.behavior == {
        "scaleDown": {
            "selectPolicy": "Min",
            "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}],
            "stabilizationWindowSeconds": 30,
        },
        "scaleUp": {
            "policies": [
                {"type": "Pods", "value": 2, "periodSeconds": 30},
                {"type": "Percent", "value": 50, "periodSeconds": 60},
            ]
        },
    }
    assert edit_of(hpa, FLAGS, _values(down_policies="off")).behavior == {
        "scaleDown": {**hpa["spec"]["behavior"]["scaleDown"], "selectPolicy": "Disabled"}
    }


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"min": "-1"}, "minReplicas is '-1'"),
        ({"max": "0"}, "maxReplicas is '0'"),
        ({"target.0": "much"}, "cpu target is 'much'"),
        ({"target.1": "5 apples"}, "rps target is '5 apples'; write a quantity"),
        ({"tolerance": "200"}, "tolerance % is '200'"),
        ({"down.window": "4000"}, "scale-down window s is '4000'.*0 to 3600"),
        ({"up.policies": "fast"}, "scale-up policies: 'fast'"),
        ({"up.policies": "100%/15s, 4/9999s"}, "'4/9999s'.*at most 1800 s"),
    ],
)
def test_what_cannot_be_is_named(values: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        edit_of(_hpa(), FLAGS, values)
