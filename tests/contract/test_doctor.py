"""What `ferryman doctor` looks for is what template.yaml has."""

import ast
import importlib
import inspect
import pkgutil

import ferryman_cli.doctor
from contract.machine import ROOT
from contract.template import functions, resources, template
from ferryman_cli.doctor import alarms, concurrency, examine, lists, pushes
from flow.doctor_cases import CASES


def test_the_lists_are_the_templates() -> None:
    wanted = {
        name: (parameter["Default"], parameter["Type"].endswith("Value<String>"))
        for name, parameter in template()["Parameters"].items()
        if parameter["Type"].startswith("AWS::SSM::Parameter::Value")
    }
    assert {name: (one.name, one.single) for name, one in lists.PARAMETERS.items()} == wanted


def test_the_alarms_are_the_templates() -> None:
    assert sorted(alarms.NAMES) == sorted(resources("AWS::CloudWatch::Alarm"))


def test_the_rule_is_the_templates() -> None:
    assert pushes.RULE == "ReceivePush" + "Pushed"
    assert "Pushed" in functions()["ReceivePush"]["Events"]


def test_what_is_reserved_is_what_the_public_functions_reserve_and_0_leaves_the_property_out() -> None:
    parameters, conditions = template()["Parameters"], template()["Conditions"]
    assert {name: parameters[name]["Default"] for name in concurrency.RESERVED} == concurrency.RESERVED
    assert {parameters[name]["MinValue"] for name in concurrency.RESERVED} == {0}
    public = [it for it in functions().values() if it.get("FunctionUrlConfig", {}).get("AuthType") == "NONE"]
    found = {}
    for properties in public:
        condition, value, otherwise = properties["ReservedConcurrentExecutions"]["If"]
        assert otherwise == {"Ref": "AWS::NoValue"}
        found[value["Ref"]] = conditions[condition]
    assert found == {name: {"Not": [{"Equals": [{"Ref": name}, "0"]}]} for name in concurrency.RESERVED}, (
        "a literal 0 would switch the function off"
    )


def test_the_operators_alarms_notify_the_topic_of_terraform_unless_another_is_named() -> None:
    own = {"If": ["HasOwnAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopicParameter"}]}
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["AlarmActions"] == {"If": ["HasAlarmTopic", [own], {"Ref": "AWS::NoValue"}]}, name
    # Stacks keep the value that they were given before there was a topic of Terraform.
    assert template()["Parameters"]["AlarmTopicArn"]["Type"] == "String"


def test_a_failed_first_deployment_leaves_no_name_that_the_next_one_needs() -> None:
    """The table stays, because it is protected; it has a name of its own each time."""
    table = template()["Resources"]["Table"]
    assert (table["DeletionPolicy"], "TableName" in table["Properties"]) == ("Retain", False)
    kept = [name for name, it in template()["Resources"].items() if it.get("DeletionPolicy", "Delete") != "Delete"]
    assert kept == ["Table"]
    first = next(line for line in (ROOT / "README.md").read_text().splitlines() if "sam deploy" in line)
    assert "--on-failure DELETE" in first, "a stack in ROLLBACK_COMPLETE blocks the next deployment"


def checks() -> set[str]:
    """Every function that judges what was read, and every problem that `examine` finds by itself."""
    found = set()
    for module in pkgutil.iter_modules(ferryman_cli.doctor.__path__):
        if module.name in ("checks", "eyes", "examine"):
            continue
        loaded = importlib.import_module(f"ferryman_cli.doctor.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            judges = "Check" in str(inspect.signature(function).return_annotation)
            if judges and not name.startswith("_") and function.__module__ == loaded.__name__:
                found.add(f"{module.name}.{name}")
    for node in ast.walk(ast.parse(inspect.getsource(examine))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("problem", "warning", "blind"):
            line = ast.unparse(node.args[0])
            found.add(f"examine.{'channels' if line.startswith('f') else line}")
    return found


def test_the_flow_test_breaks_each_check() -> None:
    assert {key.partition(" ")[0] for key in CASES} == checks(), "tests/flow/doctor_cases.py needs a case for each"
