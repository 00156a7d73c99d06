"""The core stays headless, and torch is loaded by those who train only."""

import ast
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import epochtop.core
import epochtop.tui

SCREEN = {"textual", "rich", "plotext", "epochtop.tui"}
TRAINING = {"torch", "sklearn"}
READ = {".json", ".tcss", ".typed"}
CORE = Path(next(iter(epochtop.core.__path__)))
TUI = Path(next(iter(epochtop.tui.__path__)))

core_modules = [
    module.name for module in pkgutil.walk_packages(epochtop.core.__path__, "epochtop.core.")
]


def test_every_package_is_installed_and_what_it_reads_with_it() -> None:
    """A regression: an installation that is not editable had no `epochtop.core.verdict`."""
    declared = tomllib.loads((CORE.parent / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {file.parent for top in (CORE, TUI) for file in top.rglob("*.py")}
    names = {".".join(["epochtop", *each.relative_to(CORE.parent).parts]) for each in folders}
    assert set(declared["packages"]) == names
    read = {file for top in (CORE, TUI) for file in top.rglob("*") if file.suffix in READ}
    installed = {
        file
        for package, patterns in declared["package-data"].items()
        for pattern in patterns
        for file in CORE.parent.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    assert read <= installed


def packages_loaded_by(code: str, directory: Path) -> set[str]:
    """Run code in a fresh process; the names of the packages that it has loaded at its end."""
    report = "import sys; print('\\nloaded:', *sys.modules)"
    result = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}\n{report}"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    modules = result.stdout.rpartition("loaded:")[2].split()
    return {part for name in modules for part in (name.partition(".")[0], _two_parts(name))}


def _two_parts(name: str) -> str:
    return ".".join(name.split(".")[:2])


def imports_of(source: Path) -> Iterator[str]:
    """Every module that a file imports, with the names that it takes from it."""
    package = ["epochtop", *source.relative_to(CORE.parent).parent.parts]
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = [*base, *([node.module] if node.module else [])]
            yield from (".".join([*module, alias.name]) for alias in node.names)


def belongs_to(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_the_core_has_the_modules_that_these_tests_are_about() -> None:
    assert {
        "epochtop.core.engine.process",
        "epochtop.core.training.trainer",
        "epochtop.core.data.load",
    } <= set(core_modules)


def test_all_of_the_core_runs_without_anything_of_the_screen(tmp_path: Path) -> None:
    # scikit-learn itself loads rich where there is one, so here there is none.
    no_rich = "import sys; sys.modules['rich'] = None"
    code = "\n".join([no_rich, *(f"import {module}" for module in core_modules)])
    loaded = packages_loaded_by(code, tmp_path)
    assert loaded >= TRAINING
    assert loaded & SCREEN == {"rich"}  # which is None


@pytest.mark.parametrize(
    "source", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE))
)
def test_no_file_of_the_core_imports_anything_of_the_screen(source: Path) -> None:
    assert [module for module in imports_of(source) if belongs_to(module, SCREEN)] == []


@pytest.mark.parametrize("top", [CORE, TUI], ids=["core", "tui"])
def test_packages_import_each_other_downwards_only(top: Path) -> None:
    imported = {
        package: {other for other in packages_imported_by(top, package) if other != package}
        for package in (path.name for path in top.iterdir() if path.is_dir())
    }
    while lowest := [package for package, others in imported.items() if not others & set(imported)]:
        for package in lowest:
            del imported[package]
    assert imported == {}  # what is left imports each other in a circle


def packages_imported_by(top: Path, package: str) -> set[str]:
    """What of core or tui a package needs to be imported."""
    modules = [module for path in (top / package).rglob("*.py") for module in imports_of(path)]
    inside = {f"epochtop.{top.name}"}
    return {module.split(".")[2] for module in modules if belongs_to(module, inside)}


def test_importing_the_core_loads_neither_torch_nor_sklearn(tmp_path: Path) -> None:
    loaded = packages_loaded_by("import epochtop.core", tmp_path)
    assert "epochtop.core" in loaded
    assert not loaded & TRAINING


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("Trainer", "training.trainer"),
        ("JournalReader", "run.journal"),
        ("load_dataset", "data"),
        ("read_settings", "settings.toml_file"),
    ],
)
def test_what_the_core_offers_lazily_is_the_modules_own(name: str, module: str) -> None:
    own = getattr(import_module(f"epochtop.core.{module}"), name)
    assert getattr(epochtop.core, name) is own


def test_what_the_core_does_not_offer_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Trainr'"):
        getattr(epochtop.core, "Trainr")  # noqa: B009 - mypy knows that it is not there


@pytest.mark.parametrize(
    "arguments", [["--help"], ["runs"], ["runs", "--json"], ["train", "--help"]]
)
def test_commands_that_do_not_train_load_neither_torch_nor_sklearn(
    arguments: list[str], tmp_path: Path
) -> None:
    code = f"from epochtop.tui.cli import run_command\nassert run_command({arguments!r}) == 0"
    loaded = packages_loaded_by(code, tmp_path)
    assert "epochtop.tui" in loaded
    assert not loaded & TRAINING
