"""Runs the code cells of the notebook in docs/ one after another. `python -m` writes what they print into it."""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any, Final

NOTEBOOK: Final = Path(__file__).parents[3] / "docs" / "workbench.ipynb"


def cells() -> list[dict[str, Any]]:
    """The cells with code."""
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def run(sources: list[str]) -> list[str]:
    """Run cells as a notebook does; return what each prints, the value of its last expression included."""
    space: dict[str, Any] = {"__name__": "__main__"}
    printed = []
    for source in sources:
        tree = ast.parse(source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(tree, "cell", "exec"), space)  # noqa: S102  our own notebook
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), "cell", "eval"), space)  # noqa: S307  as above
                if value is not None:
                    print(repr(value))  # noqa: T201
        printed.append(out.getvalue())
    return printed


def write() -> None:
    """Run the notebook and keep what it prints."""
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    for number, (cell, text) in enumerate(zip(code, run(["".join(cell["source"]) for cell in code]), strict=True), 1):
        cell["execution_count"] = number
        stream = {"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)}
        cell["outputs"] = [stream] if text else []
    NOTEBOOK.write_text(json.dumps(book, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
