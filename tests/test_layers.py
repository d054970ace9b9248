"""Imports point down only: the order of the layers, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import seq2seq

ROOT = Path(seq2seq.__file__).parent

#: What a part may import beside itself. Base modules know nothing above them, and all may import them.
BASE = {"errors", "storage", "device", "allocator", "side_by_side", "recording", "team"}
DOWN: dict[str, set[str]] = {
    "errors": set(),
    "storage": {"errors"},
    "device": {"errors"},
    "allocator": set(),
    "side_by_side": set(),
    "recording": set(),
    "team": {"errors", "allocator"},
    "model_files": {"errors"},
    "recipe": {"errors"},  # not device, which imports torch
    "text": BASE,
    "nn": BASE,
    "search": BASE,
    "data": BASE | {"text"},
    "model": BASE | {"nn"},
}
DOWN["build"] = BASE | {"recipe", "text", "nn", "search", "data", "model"}
DOWN["shortlist"] = BASE
DOWN["model_directory"] = DOWN["build"] | {"build", "shortlist", "model_files"}
DOWN["machine"] = set()
DOWN["plots"] = {"errors"}  # takes numbers and labels, whoever made them
# Around the translator: what has to do with text only comes without torch.
DOWN["translation_options"] = {"errors", "recipe"}
DOWN["translation"] = {"errors", "text"}
DOWN["demands"] = {"errors", "text", "translation_options"}
DOWN["source_lines"] = {"errors", "text", "translation_options", "demands"}
DOWN["minimum_bayes_risk"] = {"errors"}
DOWN["scored"] = set()
DOWN["evaluation"] = {"errors", "recipe", "text"}
DOWN["held_out"] = {"errors", "recipe", "text", "evaluation"}
DOWN["tables"] = set()
DOWN["comparison"] = DOWN["held_out"] | {"held_out", "plots", "storage", "tables"}
DOWN["searching"] = {"errors", "text", "search", "translation_options", "demands", "source_lines"}
DOWN["rendering"] = DOWN["searching"] | {"searching", "translation"}
DOWN["members"] = DOWN["model_directory"] | {"source_lines"}
DOWN["pair_scoring"] = DOWN["members"] | DOWN["searching"] | {"members", "searching", "scored"}
DOWN["batch_search"] = DOWN["members"] | DOWN["searching"] | {"members", "searching"}
DOWN["translator"] = DOWN["pair_scoring"] | {
    "batch_search",
    "model_directory",
    "pair_scoring",
    "rendering",
    "translation",
    "minimum_bayes_risk",
}
DOWN["soft_alignment"] = DOWN["translator"] | {"translator", "plots"}
DOWN["model_evaluation"] = DOWN["translator"] | {"translator", "evaluation", "held_out"}
DOWN["benchmark"] = DOWN["model_evaluation"] | {"machine", "model_evaluation", "rendering"}
DOWN["training"] = DOWN["model_evaluation"] | DOWN["soft_alignment"] | {"machine", "model_evaluation", "soft_alignment"}
DOWN["serving"] = DOWN["training"] | {"training", "comparison", "tables", ""}  # "" is seq2seq itself, its public names
DOWN["runtime"] = {"errors", "text", "translation"}
DOWN["export"] = DOWN["model_directory"] | {"model_directory", "model_files", "runtime"}
DOWN["cli"] = DOWN["serving"] | {"serving", "benchmark", "export", "runtime"}

WITHOUT_TORCH = {
    "errors", "recipe", "text", "translation", "translation_options", "demands", "source_lines", "minimum_bayes_risk",
    "scored", "evaluation", "held_out", "plots", "tables", "comparison", "model_files", "runtime",
}  # fmt: skip

FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def part_of(path: Path) -> str:
    """The package or module directly under seq2seq that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    """The path under seq2seq."""
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, root: Path = ROOT) -> set[str]:
    """Full names of the modules, or names in modules, that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(root.parent).parent.parts
            prefix = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (prefix, node.module) if part)
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def own_parts(path: Path, root: Path = ROOT) -> set[str]:
    """The parts of seq2seq that a file imports; "" for the public names of seq2seq itself."""
    names = [name.split(".") for name in imports(path, root)]
    parts = {name[1] if len(name) > 1 else "" for name in names if name[0] == "seq2seq"}
    return {part if (root / part).is_dir() or (root / f"{part}.py").is_file() else "" for part in parts}


def test_every_part_has_its_layer() -> None:
    assert {part_of(path) for path in FILES} <= set(DOWN)
    assert len(FILES) > 50


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    part = part_of(path)
    assert own_parts(path) - {part} <= DOWN[part]


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) in WITHOUT_TORCH], ids=name_of)
def test_no_torch_where_only_text_is(path: Path) -> None:
    assert "torch" not in {name.split(".")[0] for name in imports(path)}


def test_no_recipe_below_build() -> None:
    for path in FILES:
        if part_of(path) in ("nn", "model", "search", "data", "text"):
            assert "recipe" not in own_parts(path)
        if part_of(path) == "search":
            assert not own_parts(path) & {"model", "text"}
        if part_of(path) == "translator":
            assert "training" not in own_parts(path)


def test_public_names_wait_until_they_are_used() -> None:
    """Neither importing seq2seq nor reading a recipe may load torch, which takes seconds."""
    script = (
        "import sys, seq2seq, seq2seq.errors, seq2seq.recipe; seq2seq.load_recipe; "
        "print([name for name in ('torch', 'numpy', 'datasets', 'sentencepiece') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_who_draws_waits_for_matplotlib() -> None:
    script = (
        "import sys, seq2seq.cli.translate, seq2seq.translator, seq2seq.training.run; "
        "print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True False"


@pytest.mark.parametrize(
    "text",
    [
        "import seq2seq.model.decoder",
        "from seq2seq.model import decoder",
        "from seq2seq import model",
        "def f():\n    from seq2seq.model.decoder import Decoder",
        "from ..model import decoder",
        "from .. import model",
        "if TYPE_CHECKING:\n    import seq2seq.model as m",
    ],
)
def test_every_way_to_import_is_seen(text: str, tmp_path: Path) -> None:
    root = tmp_path / "seq2seq"
    for folder in (root / "search", root / "model"):
        folder.mkdir(parents=True)
    file = root / "search" / "one.py"
    file.write_text(text)
    assert own_parts(file, root) == {"model"}
