"""What handlers load, in a tree of its own."""

from pathlib import Path

import pytest

from ferryman_local.bench.loaded import handlers, loaded


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two handlers, of which each loads its own part of a layer whose names are not Ferryman's."""
    core = tmp_path / "layers" / "core"
    for path, source in {
        core / "house" / "__init__.py": "",
        core / "house" / "kitchen.py": "import house.stove\nSPOONS = 2\n",
        core / "house" / "stove.py": "# hot\n",
        core / "house" / "cellar.py": "import sqlite3\nimport markupsafe\n",
        tmp_path / "functions" / "cook" / "app.py": "import house.kitchen\n",
        tmp_path / "functions" / "store" / "app.py": "from house import cellar\n",
        tmp_path / "functions" / "no_handler" / "other.py": "",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path


def test_each_handler_loads_only_what_it_imports(tree: Path) -> None:
    assert handlers(tree) == ["cook", "store"]
    found = loaded(tree)
    assert set(found["cook"].modules) == {"house", "house.kitchen", "house.stove"}
    assert set(found["store"].modules) == {"house", "house.cellar"}
    assert [found[name].lines for name in ("cook", "store")] == [3, 2]
    assert found["store"].packages - found["cook"].packages == {"markupsafe"}


def test_a_handler_that_cannot_be_imported_is_named(tree: Path) -> None:
    (tree / "functions" / "store" / "app.py").write_text("import attic\n")
    with pytest.raises(RuntimeError, match=r"(?s)No module named 'attic'.*functions/store/app.py can't be imported"):
        loaded(tree)
