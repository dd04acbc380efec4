"""What can be broken in a module: one small change each, as a person who forgets a check would make it.

Knows syntax trees; knows nothing of tests. Annotations, docstrings, messages and type-checking imports are left alone.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

__all__ = ["Mutant", "mutants"]

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COUNTED: Final[dict[type[ast.operator], type[ast.operator]]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_SHOWN: Final = 100


@dataclass(frozen=True)
class Mutant:
    """One change: the module, the line and its text, what stood there and what stands there now, the broken module.

    ``nth``: which of those in the module with the same text and change it is, from 1.
    """

    path: str
    line: int
    text: str
    nth: int
    kind: str
    was: str
    now: str
    code: CodeType = field(repr=False, compare=False)

    def __str__(self) -> str:
        """The place and the difference, in three lines."""
        return f"{self.path}:{self.line}  {self.kind}\n  - {self.was}\n  + {self.now}"


@dataclass(frozen=True)
class _Change:
    """A replacement of one child of a node."""

    parent: ast.AST
    name: str
    index: int | None
    kind: str
    new: ast.AST


def mutants(source: str, path: str) -> Iterator[Mutant]:
    """Every mutant of a module, one after the other. Each compiles."""
    tree = ast.parse(source)
    lines = source.splitlines()
    seen: Counter[tuple[str, str, str]] = Counter()
    for change in list(_changes(tree)):
        old = getattr(change.parent, change.name)
        whole = old if change.index is None else old[change.index]
        was, now = _text(whole), _text(change.new)
        if was == now:
            continue
        if change.index is None:
            setattr(change.parent, change.name, change.new)
        else:
            old[change.index] = change.new
        code = compile(ast.fix_missing_locations(tree), path, "exec")
        if change.index is None:
            setattr(change.parent, change.name, whole)
        else:
            old[change.index] = whole
        line = getattr(whole, "lineno", getattr(change.parent, "lineno", 1))
        text = lines[line - 1].strip()
        seen[text, was, now] += 1
        yield Mutant(path, line, text, seen[text, was, now], change.kind, was, now, code)


def _text(node: ast.AST) -> str:
    """The code of a node, on one line."""
    if isinstance(node, ast.cmpop | ast.operator | ast.boolop):
        return type(node).__name__
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}: {' '.join(ast.unparse(node.body[-1]).split())}"[:_SHOWN]
    return " ".join(ast.unparse(node).split())[:_SHOWN]


def _changes(node: ast.AST) -> Iterator[_Change]:
    """All changes of the children of a node, and below."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or _is_left_alone(child):
                continue
            for kind, new in _replacements(child, node):
                yield _Change(node, name, index, kind, ast.copy_location(new, child))
            yield from _changes(child)


def _is_left_alone(node: ast.AST) -> bool:
    """What no test should have to notice: imports, messages, names that a module offers, texts for people.

    Whether a field is shown in a ``repr`` is for people who debug, and decides nothing.
    """
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Assert():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.keyword(arg="repr"):
            return True
        case ast.Assign(targets=[ast.Name(id="message" | "__all__")]) | ast.Expr(value=ast.Constant()):
            return True
        case _:
            return False


def _replacements(node: ast.AST, parent: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may stand in the place of a node."""
    match node:
        case ast.If(body=[*_, ast.Raise()], orelse=[]):
            yield "check dropped", ast.Pass()
        case ast.Expr(value=ast.Call() | ast.YieldFrom()):
            yield "call dropped", ast.Pass()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not removed", operand
        case ast.cmpop() if type(node) in _COMPARED:
            yield "comparison", _COMPARED[type(node)]()
        case ast.BinOp(op=op) if type(op) in _COUNTED:
            yield "arithmetic", ast.BinOp(node.left, _COUNTED[type(op)](), node.right)
        case ast.Return(value=ast.Call() | ast.Name() | ast.Attribute()):
            yield "returned", ast.Return(ast.Constant(None))
        case ast.BoolOp():
            yield from _conditions(node)
        case ast.Constant():
            yield from _constants(node, parent)
        case _:
            pass
    yield from _negated(node, parent)


def _conditions(node: ast.BoolOp) -> Iterator[tuple[str, ast.AST]]:
    """The other connective, and each condition left out."""
    yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for n in range(len(node.values)):
        kept = node.values[:n] + node.values[n + 1 :]
        yield "condition dropped", kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)


def _constants(node: ast.Constant, parent: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """True for False; one more, and where it is compared one less."""
    if isinstance(node.value, bool):
        yield "constant", ast.Constant(not node.value)
    elif isinstance(node.value, int) and not isinstance(parent, ast.FormattedValue):
        yield "constant", ast.Constant(node.value + 1)
        if isinstance(parent, ast.Compare) and node.value:
            yield "constant", ast.Constant(node.value - 1)


def _negated(node: ast.AST, parent: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A condition that is neither compared nor negated already."""
    if not isinstance(node, ast.expr) or not isinstance(parent, ast.If | ast.IfExp | ast.While | ast.comprehension):
        return
    tests = [getattr(parent, "test", None), *getattr(parent, "ifs", [])]
    if any(node is test for test in tests) and not isinstance(node, ast.Compare | ast.UnaryOp | ast.BoolOp):
        yield "condition negated", ast.UnaryOp(ast.Not(), node)
