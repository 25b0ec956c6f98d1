"""Collect the product's regular expressions from the syntax tree, and find those that take more than linear time."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from re import _compiler, _parser  # type: ignore[attr-defined]
from re import _constants as sre  # type: ignore[attr-defined]
from typing import Any

from ddc.fixed_settings import BASE_DIR

_FUNCTIONS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
_PACKAGES = (
    "agents",
    "arrangements",
    "casework",
    "collection",
    "communications",
    "contact",
    "creditors",
    "ddc",
    "debtors",
    "payments",
    "portal",
    "strategy",
)
_AT_START = {"match", "fullmatch"}
#: One of each kind of character that a pattern may distinguish.
ALPHABET = [chr(code) for code in range(128)] + ["é", "ß", "\u0660", "\u2028", "\ud800"]
_EVERY = frozenset(ALPHABET)


@dataclass(frozen=True)
class Pattern:
    """A regular expression of the product; ``is_anchored`` if it is only matched at the start of a text."""

    where: str
    text: str
    flags: int
    is_anchored: bool


@dataclass(frozen=True)
class Element:
    """A part of a pattern: the characters that it takes, and the lookahead that it belongs to.

    ``is_test`` if it takes no characters but must hold.
    """

    characters: frozenset[str]
    is_needed: bool
    is_unbounded: bool = False
    is_test: bool = False
    lookahead: int | None = None


class Nested(Exception):
    """A repeat without a bound contains a part that can match one text in several ways."""


def collect() -> list[Pattern]:
    """Return every regular expression of the product: calls of ``re``, validators, and path converters."""
    return [pattern for path in product_files() for pattern in _of_file(str(path.relative_to(BASE_DIR)))]


def product_files() -> list[Path]:
    """Return the product's Python files."""
    return sorted(path for package in _PACKAGES for path in Path(BASE_DIR, package).rglob("*.py"))


def _of_file(path: str) -> Iterator[Pattern]:
    tree = ast.parse((BASE_DIR / path).read_text())
    used: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    bound = {node.value: node.targets[0] for node in ast.walk(tree) if isinstance(node, ast.Assign)}
    for node in ast.walk(tree):
        expression: ast.expr | None = None
        flags: ast.expr | None = None
        methods = {"search"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_re(node.func):
            expression, methods = node.args[0], {node.func.attr}
            given = node.args[{"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(node.func.attr, 2) :]
            given += [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
            flags = given[0] if given else None
            if node.func.attr == "compile":
                target = bound.get(node)
                methods = used.get(target.id, {"search"}) if isinstance(target, ast.Name) else {"search"}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RegexValidator":
            expression = node.args[0]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "regex":
            expression, methods = node.value, {"match"}
        if expression is not None:
            text = _evaluated(expression, path)
            text = text if isinstance(text, str) else text.decode("latin-1")
            yield Pattern(
                f"{path}:{expression.lineno}", text, _evaluated(flags, path) if flags else 0, methods <= _AT_START
            )


def _is_re(function: ast.Attribute) -> bool:
    return isinstance(function.value, ast.Name) and function.value.id == "re" and function.attr in _FUNCTIONS


def _evaluated(expression: ast.expr, path: str) -> Any:
    """Evaluate an expression among the names of its module. A pattern made from local names must move to the module."""
    module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return eval(compile(ast.Expression(expression), path, "eval"), vars(module))


def parsed(pattern: Pattern) -> Any:
    """Return the syntax tree of a pattern."""
    return _parser.parse(pattern.text, pattern.flags)


def faults(pattern: Pattern) -> list[str]:
    """Return the reasons why a hostile text could take more than linear time; empty if there is none."""
    flags = re.compile(pattern.text, pattern.flags).flags
    try:
        found = [_fault(path, pattern.is_anchored) for path in paths(parsed(pattern), flags)]
    except Nested as error:
        return [str(error)]
    return sorted({fault for fault in found if fault})


def _fault(path: list[Element], is_anchored: bool) -> str | None:
    unbounded = [index for index, element in enumerate(path) if element.is_unbounded]
    for first, second in combinations(unbounded, 2):
        both = path[first].characters & path[second].characters
        if (
            path[first].lookahead == path[second].lookahead
            and both
            and all(each.characters & both for each in path[first + 1 : second] if each.is_needed)
        ):
            return "adjacent repeats without a bound"
    for index in unbounded if not is_anchored else []:
        before = [each for each in path[:index] if each.is_needed]
        can_fail = any(each.is_needed or each.is_test for each in path[index + 1 :])
        if can_fail and all(each.characters & path[index].characters for each in before):
            return "a repeat without a bound that a search starts at each of its characters"
    return None


def paths(sequence: Any, flags: int) -> list[list[Element]]:
    """Return every way through a pattern: with and without each optional part, and by each alternative.

    :raises Nested: if a repeat without a bound contains a repeat, or alternatives that begin alike
    """
    ways: list[list[Element]] = [[]]
    for part in sequence:
        steps = _steps(part, flags)
        ways = [way + step for way in ways for step in steps]
    return ways


def _steps(part: Any, flags: int) -> list[list[Element]]:
    kind, value = part
    if kind is sre.SUBPATTERN:
        return paths(value[-1], flags | value[1])
    if kind is sre.BRANCH:
        return [way for branch in value[1] for way in paths(branch, flags)]
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, most, body = value
        inside = paths(body, flags)
        if most == 1:
            return [[], *inside] if least == 0 else inside
        if most is not sre.MAXREPEAT:
            if any(element.is_unbounded for way in inside for element in way):
                raise Nested("a repeat without a bound inside another repeat")
            return [[Element(_taken(inside), least > 0)]]
        if _is_ambiguous(body, inside, flags):
            raise Nested("a repeat, or alternatives that begin alike, inside a repeat without a bound")
        return [[Element(_taken(inside), least > 0, is_unbounded=True)]]
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        direction, body = value
        inside = paths(body, flags)
        if direction < 0:
            if kind is sre.ASSERT:
                return [[replace(element, is_test=True) for element in way] for way in inside]
            barred = frozenset().union(*(way[0].characters for way in inside if len(way) == 1))
            return [[Element(_EVERY - barred, is_needed=True, is_test=True)]]
        ahead = [[*(replace(each, lookahead=id(body)) for each in way), _TEST] for way in inside if _has_unbounded(way)]
        return [*ahead, [_TEST]]
    if kind is sre.AT:
        if value is sre.AT_BEGINNING_STRING or (value is sre.AT_BEGINNING and not flags & re.MULTILINE):
            return [[Element(frozenset(), is_needed=True)]]
        return [[Element(frozenset("\n"), is_needed=True)]] if value is sre.AT_BEGINNING else [[_TEST]]
    return [[Element(_characters(kind, value, flags), is_needed=True)]]


_TEST = Element(frozenset(), False, is_test=True)


def _has_unbounded(way: list[Element]) -> bool:
    return any(element.is_unbounded for element in way)


def _taken(ways: list[list[Element]]) -> frozenset[str]:
    return frozenset().union(*(each.characters for way in ways for each in way if not each.is_test))


def _is_ambiguous(body: Any, inside: list[list[Element]], flags: int) -> bool:
    if any(not element.is_needed and not element.is_test for way in inside for element in way) or [] in inside:
        return True
    taking = [[element for element in way if element.characters and not element.is_test] for way in inside]
    firsts = [way[0].characters for way in taking if way]
    return any(_repeats(part) for part in body) or any(one & other for one, other in combinations(firsts, 2))


def _repeats(part: Any) -> bool:
    kind, value = part
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return bool(value[0] != value[1]) or any(map(_repeats, value[2]))
    if kind is sre.SUBPATTERN:
        return any(map(_repeats, value[-1]))
    if kind is sre.BRANCH:
        return any(_repeats(each) for branch in value[1] for each in branch)
    return False


def _characters(kind: Any, value: Any, flags: int) -> frozenset[str]:
    """Return the characters that one part takes, by asking the module ``re`` itself."""
    parsed = _parser.SubPattern(_parser.State(), [(kind, value)])
    parsed.state.flags, parsed.state.str = flags, ""
    one = _compiler.compile(parsed, flags)
    return frozenset(character for character in ALPHABET if one.fullmatch(character))
