"""Do the tests notice a wrong sign? Changes one operator or number at a time, and runs the tests of the pure part.

    .venv/bin/python -m benchmarks.mutants [--share 0.25] [--module transforms/numbers.py …]

Each change gets a process of its own: the code of the changed function takes the place of the old code, so that whoever
has imported it has the change. Prints each change that no test noticed, then the share that was noticed. ``--share``
tries a part, chosen at random with a fixed seed. What changes at import, as tables of limits, is not changed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import os
import random
import signal
import sys
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = [
    *(f"transforms/guards/{name}.py" for name in ("check", "compare", "limits", "measures", "rows", "broken_text")),
    *(f"transforms/{name}.py" for name in ("redirects", "goods_flow", "numbers", "carry_over", "matched", "absence")),
]
TESTS = ["tests/transforms", "tests/test_guards_declared.py"]
SECONDS = 240
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


class _Mutator(ast.NodeTransformer):
    """Changes the N-th thing that can be changed in functions; ``found`` counts them, ``line`` is where it was."""

    def __init__(self, at: int) -> None:
        self.at, self.found, self.depth = at, 0, 0
        self.line, self.what = 0, ""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.depth += 1
        for statement in node.body:
            self.visit(statement)
        self.depth -= 1
        return node

    def _take(self, node: ast.AST, what: str) -> bool:
        if not self.depth:
            return False
        self.found += 1
        if self.found - 1 != self.at:
            return False
        self.line, self.what = getattr(node, "lineno", 0), what
        return True

    def _swapped(self, holder: ast.AST, operator: Any) -> Any:
        to = _SWAPS.get(type(operator))
        if to is None or not self._take(holder, f"{type(operator).__name__} → {to.__name__ if to else ''}"):
            return operator
        return to()

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        node.ops = [self._swapped(node, op) for op in node.ops]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        node.op = self._swapped(node, node.op)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        node.op = self._swapped(node, node.op)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not | ast.Invert) and self._take(node, "not is gone"):
            return node.operand
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if self._take(node, "the branches of an if are exchanged"):
            node.body, node.orelse = node.orelse, node.body
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) is int and self._take(node, f"{node.value} → {node.value + 1}"):
            return ast.copy_location(ast.Constant(node.value + 1), node)
        if type(node.value) is bool and self._take(node, f"{node.value} → {not node.value}"):
            return ast.copy_location(ast.Constant(not node.value), node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)  # the annotation is never evaluated
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return node if node.arg == "strict" else self.generic_visit(node)  # of zip: lengths are the same

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node  # words of a message


def _count(module: str) -> int:
    mutator = _Mutator(-1)
    mutator.visit(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    return mutator.found


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield each
            yield from _codes(each)


def _functions(holder: Any, module: str) -> Iterator[types.FunctionType]:
    for value in list(vars(holder).values()):
        bare = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
        bare = getattr(bare, "__wrapped__", bare)
        if isinstance(bare, types.FunctionType) and bare.__module__ == module:
            yield bare
        elif isinstance(value, type) and value.__module__ == module:
            yield from _functions(value, module)


def _change(module: str, at: int) -> _Mutator:
    """Put the changed code into this process."""
    mutator = _Mutator(at)
    tree = mutator.visit(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    name = module.removesuffix(".py").replace("/", ".")
    new = {code.co_qualname: code for code in _codes(compile(ast.fix_missing_locations(tree), module, "exec"))}
    for function in _functions(importlib.import_module(name), name):
        code = new.get(function.__code__.co_qualname)
        if code is not None and code.co_freevars == function.__code__.co_freevars:
            function.__code__ = code
    return mutator


def _noticed(module: str, at: int) -> tuple[bool, str]:
    """Whether a test fails on the change. Forked, as it would stay."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)  # a change may make a loop endless: that is noticed, too
        mutator = _change(module, at)
        os.write(writer, f"{module}:{mutator.line}: {mutator.what}".encode())
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS])
        os._exit(int(code))
    os.close(writer)
    told = os.read(reader, 1000).decode()
    os.close(reader)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0, told


def main() -> None:
    """Try the changes, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1)
    parser.add_argument("--module", nargs="*", default=MODULES)
    parser.add_argument("--part", default="0/1", help="K/N: only every N-th change, from K on, for several at once")
    asked = parser.parse_args()
    part, parts = map(int, asked.part.split("/"))
    os.chdir(ROOT)
    with contextlib.redirect_stdout(io.StringIO()):
        assert pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS]) == 0, (
            "they pass without a change"
        )
    changes = [(module, at) for module in asked.module for at in range(_count(module))]
    chosen = sorted(random.Random(14).sample(changes, int(len(changes) * asked.share)))[part::parts]
    counts: dict[str, Counter[bool]] = {}
    for module, at in chosen:
        seen, told = _noticed(module, at)
        counts.setdefault(module, Counter())[seen] += 1
        if not seen:
            print("not noticed:", told, flush=True)
    for module, found in counts.items():
        print(f"{module}: {found[True]} of {found.total()} noticed")
    noticed = sum(found[True] for found in counts.values())
    print(f"{noticed} of {len(chosen)} changes noticed ({noticed / len(chosen):.1%}); {len(changes)} are possible")


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
