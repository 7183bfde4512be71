"""Which statements of the package reach outside: a call of AWS, GitHub or Slack, or of something that makes one.

Calls are followed by name: through the modules that a file imports, and through `self`. What is called on a name that
ends with `store` is a call of the table.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

from mutants.mutant import ROOT

OUTSIDE = {
    "transact_write_items", "get_item", "update_item", "delete_item", "query", "put_image", "batch_get_image",
    "describe_images", "describe_image_scan_findings", "get_download_url_for_layer", "update_service", "run_task",
    "stop_task", "register_task_definition", "describe_services", "describe_tasks", "describe_task_definition",
    "list_tasks", "start_execution", "describe_execution", "send_task_success", "send_message", "send_email", "publish",
    "invoke", "get_parameter", "get_secret_value", "put_targets", "update_schedule", "get_schedule",
    "list_targets_by_rule", "get_log_events", "nudge",
}  # fmt: skip
"""Operations of the clients, and the two names under which handlers pass them on."""
_NOT_OUTSIDE = {"attempts"}
"""Methods of the store that call nothing."""

Function = tuple[str, str]
"""A file and the name of a function in it, as `Store.write`."""


class Effects:
    """Knows of each function of the package whether it reaches outside."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._imports: dict[str, dict[str, tuple[str, str]]] = {}
        calls: dict[Function, set[Function]] = {}
        self._outside: set[Function] = set()
        for path in files:
            file = path.relative_to(ROOT).as_posix()
            tree = ast.parse(path.read_bytes())
            self._imports[file] = _imports(tree)
            for inside, node in _functions(tree):
                name = (file, f"{inside}.{node.name}" if inside else node.name)
                calls[name] = set()
                for call in (part for part in ast.walk(node) if isinstance(part, ast.Call)):
                    target = self._target(file, inside, call)
                    if target is True:
                        self._outside.add(name)
                    elif target:
                        calls[name].add(target)
        changed = True
        while changed:
            more = {name for name, found in calls.items() if found & self._outside} - self._outside
            self._outside |= more
            changed = bool(more)

    def acts(self, file: str, inside: str, statement: ast.stmt) -> bool:
        """Tell whether a statement reaches outside. `inside`: the class that it stands in."""
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            return False
        found = (self._target(file, inside, part) for part in ast.walk(statement) if isinstance(part, ast.Call))
        return any(target is True or target in self._outside for target in found)

    def _target(self, file: str, inside: str, call: ast.Call) -> Function | bool:
        function = call.func
        if isinstance(function, ast.Name):
            return self._imports[file].get(function.id) or (file, function.id)
        if not isinstance(function, ast.Attribute):
            return False
        owner = function.value
        name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if function.attr in OUTSIDE or (name.strip("_").endswith("store") and function.attr not in _NOT_OUTSIDE):
            return True
        if name == "self":
            return file, f"{inside}.{function.attr}"
        if name in self._imports[file]:
            return self._imports[file][name][0], function.attr
        return False


def _imports(tree: ast.AST) -> dict[str, tuple[str, str]]:
    """Return what each imported name is: the file of its module, and its name there."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ferryman"):
            base = f"layers/core/{(node.module or '').replace('.', '/')}"
            for alias in node.names:
                own = f"{base}/{alias.name}.py"
                package = (ROOT / base).is_dir()
                file = own if package and (ROOT / own).exists() else f"{base}/__init__.py" if package else f"{base}.py"
                found[alias.asname or alias.name] = (file, alias.name)
    return found


def _functions(tree: ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    found = [("", node) for node in tree.body if isinstance(node, ast.FunctionDef)]
    for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found += [(kind.name, node) for node in kind.body if isinstance(node, ast.FunctionDef)]
    return found
