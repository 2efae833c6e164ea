"""Turns a parsed expression into nested Python functions of the event. Reading order: compiled, then from `_expr` down the grammar.

An error in one branch of `&&` or `||` does not matter when the other decides, as CEL has it; in `all` and `exists` likewise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from lark import Token, Tree

from aggregates.rules.cel import operators
from aggregates.rules.cel.functions import FUNCTIONS, METHODS, READERS
from aggregates.rules.cel.text import literal_text, literal_whole
from aggregates.rules.cel.values import Unusable
from aggregates.written.problem import nearest

Scope = Mapping[str, Any]
Compiled = Callable[[Scope], Any]
Parsed = Tree[Token]

VARIABLES = ("data", "type", "source", "id", "time")
"""What an expression knows of an event."""

MACROS = ("all", "exists", "exists_one", "filter", "map")


class NotUnderstood(Exception):
    """The text is no expression, or names what is not there. `code` and `words` are those of a problem."""

    def __init__(self, code: str, suggestion: str = "", **words: str) -> None:
        super().__init__(code)
        self.code = code
        self.suggestion = suggestion
        self.words = words


def compiled(tree: Parsed, names: frozenset[str] = frozenset(VARIABLES)) -> Compiled:
    """The function that an expression is. Raises `NotUnderstood`."""
    return _BY_RULE[str(tree.data)](tree, names)


class Unreadable(NamedTuple):
    """A text of which the function that it is given to can make nothing."""

    function: str
    text: str


def unreadable(tree: Parsed) -> Iterator[Unreadable]:
    """Where what stands in the expression never has a value: `duration('7d')`, a pattern that is none, a zone that nobody knows."""
    name = str(tree.children[_NAME[tree.data]]) if tree.data in _NAME else ""
    arguments = _arguments(tree, _NAME[tree.data] + 1) if name in READERS else []
    last = _only(arguments[-1]) if arguments else None
    given = last.children[0] if last is not None and last.data == "literal" else None
    if isinstance(given, Token) and given.type in {"STRING_LIT", "MLSTRING_LIT"}:
        text = literal_text(given)
        try:
            READERS[name](text)
        except Unusable:
            yield Unreadable(name, text)
    for child in tree.children:
        if isinstance(child, Tree):
            yield from unreadable(child)


def fields(tree: Parsed) -> Iterator[str]:
    """The fields of an event's data that an expression names."""
    if tree.data == "member_dot" and _variable(_child(tree, 0)) == "data":
        yield _word(tree, 1)
    for child in tree.children:
        if isinstance(child, Tree):
            yield from fields(child)


_NAME = {"member_dot_arg": 1, "dot_ident_arg": 0, "ident_arg": 0}
"""Where the name of a function stands; what it is given stands after it."""


def _inner(tree: Parsed, names: frozenset[str]) -> Compiled:
    return compiled(_child(tree, 0), names)


def _child(tree: Parsed, index: int) -> Parsed:
    child = tree.children[index]
    assert isinstance(child, Tree)  # noqa: S101 - the grammar says so
    return child


def _word(tree: Parsed, index: int) -> str:
    return str(tree.children[index])


def _expr(tree: Parsed, names: frozenset[str]) -> Compiled:
    if len(tree.children) == 1:
        return _inner(tree, names)
    test, yes, no = (compiled(_child(tree, index), names) for index in range(3))
    return lambda scope: yes(scope) if _truth(test(scope)) else no(scope)


def _or(tree: Parsed, names: frozenset[str]) -> Compiled:
    return _either(tree, names, decides=True)


def _and(tree: Parsed, names: frozenset[str]) -> Compiled:
    return _either(tree, names, decides=False)


def _either(tree: Parsed, names: frozenset[str], *, decides: bool) -> Compiled:
    if len(tree.children) == 1:
        return _inner(tree, names)
    left, right = compiled(_child(tree, 0), names), compiled(_child(tree, 1), names)

    def both(scope: Scope) -> bool:
        try:
            if _truth(left(scope)) is decides:
                return decides
        except Unusable:
            if _truth(right(scope)) is decides:
                return decides
            raise
        return _truth(right(scope))

    return both


def _truth(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise Unusable("this is neither true nor false")


_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "relation_eq": operators.equal,
    "relation_ne": lambda left, right: not operators.equal(left, right),
    "relation_lt": operators.less,
    "relation_le": operators.less_or_equal,
    "relation_gt": lambda left, right: operators.less(right, left),
    "relation_ge": lambda left, right: operators.less_or_equal(right, left),
    "relation_in": operators.contains,
    "addition_add": operators.plus,
    "addition_sub": operators.minus,
    "multiplication_mul": operators.times,
    "multiplication_div": operators.over,
    "multiplication_mod": operators.remainder,
}


def _binary(tree: Parsed, names: frozenset[str]) -> Compiled:
    """`relation`, `addition` and `multiplication`: the first child holds the operator and the left side."""
    if len(tree.children) == 1:
        return _inner(tree, names)
    operation = _child(tree, 0)
    act = _RELATIONS[str(operation.data)]
    left, right = compiled(_child(operation, 0), names), compiled(_child(tree, 1), names)
    return lambda scope: act(left(scope), right(scope))


def _unary(tree: Parsed, names: frozenset[str]) -> Compiled:
    if len(tree.children) == 1:
        return _inner(tree, names)
    value = compiled(_child(tree, 1), names)
    if _child(tree, 0).data == "unary_not":
        return lambda scope: not _truth(value(scope))
    return lambda scope: operators.negative(value(scope))


def _member_dot(tree: Parsed, names: frozenset[str]) -> Compiled:
    whole, name = compiled(_child(tree, 0), names), _word(tree, 1)

    def select(scope: Scope) -> Any:
        value = whole(scope)
        if isinstance(value, Mapping) and name in value:
            return value[name]
        raise Unusable("there is no such field")

    return select


def _member_index(tree: Parsed, names: frozenset[str]) -> Compiled:
    whole, place = compiled(_child(tree, 0), names), compiled(_child(tree, 1), names)

    def select(scope: Scope) -> Any:
        value, at = whole(scope), place(scope)
        if isinstance(value, Mapping) and isinstance(at, str) and at in value:
            return value[at]
        if isinstance(value, list) and type(at) is int and 0 <= at < len(value):
            return value[at]
        raise Unusable("there is nothing at this place")

    return select


def _arguments(tree: Parsed, index: int) -> list[Parsed]:
    given = tree.children[index] if len(tree.children) > index else None
    return [child for child in given.children if isinstance(child, Tree)] if isinstance(given, Tree) else []


def _method(tree: Parsed, names: frozenset[str]) -> Compiled:
    name, arguments = _word(tree, 1), _arguments(tree, 2)
    if name in MACROS:
        return _macro(tree, name, arguments, names)
    if name not in METHODS:
        raise NotUnderstood("cel_method", nearest(name, (*METHODS, *MACROS)), word=name)
    act, least, most = METHODS[name]
    if not least <= len(arguments) <= most:
        raise NotUnderstood("cel_count", word=name, count=str(least))
    value = compiled(_child(tree, 0), names)
    given = [compiled(argument, names) for argument in arguments]
    return lambda scope: act(value(scope), *(one(scope) for one in given))


def _function(tree: Parsed, names: frozenset[str]) -> Compiled:
    name, arguments = _word(tree, 0), _arguments(tree, 1)
    if name == "has":
        return _has(arguments, names)
    if name not in FUNCTIONS:
        raise NotUnderstood("cel_function", nearest(name, (*FUNCTIONS, "has")), word=name)
    act, count = FUNCTIONS[name]
    if len(arguments) != count:
        raise NotUnderstood("cel_count", word=name, count=str(count))
    given = [compiled(argument, names) for argument in arguments]
    return lambda scope: act(*(one(scope) for one in given))


def _has(arguments: Sequence[Parsed], names: frozenset[str]) -> Compiled:
    """`has(data.campaign)`: whether the field is there; the rest of the path must be."""
    member = _only(arguments[0]) if len(arguments) == 1 else None
    if member is None or member.data != "member_dot":
        raise NotUnderstood("cel_has")
    whole, name = compiled(_child(member, 0), names), _word(member, 1)

    def has(scope: Scope) -> bool:
        value = whole(scope)
        if not isinstance(value, Mapping):
            raise Unusable("this has no fields")
        return name in value

    return has


def _only(tree: Parsed) -> Parsed | None:
    """The innermost part of an expression that is nothing but this part."""
    while len(tree.children) == 1 and isinstance(tree.children[0], Tree) and tree.data != "member_dot":
        tree = tree.children[0]
    return tree


def _macro(tree: Parsed, name: str, arguments: Sequence[Parsed], names: frozenset[str]) -> Compiled:
    variable = _variable(arguments[0]) if len(arguments) in ((2, 3) if name == "map" else (2,)) else ""
    if not variable:
        raise NotUnderstood("cel_macro", word=name)
    whole = compiled(_child(tree, 0), names)
    *tests, last = (compiled(argument, names | {variable}) for argument in arguments[1:])

    def scopes(scope: Scope) -> list[Scope]:
        value = whole(scope)
        if not isinstance(value, list | Mapping):
            raise Unusable("only lists and maps can be gone through")
        return [{**scope, variable: item} for item in value]

    match name:
        case "map":
            return lambda scope: [last(one) for one in scopes(scope) if all(_truth(test(one)) for test in tests)]
        case "filter":
            return lambda scope: [one[variable] for one in scopes(scope) if _truth(last(one))]
        case "exists_one":
            return lambda scope: sum(_truth(last(one)) for one in scopes(scope)) == 1
        case _:
            return lambda scope: _any(last, scopes(scope), decides=name == "exists")


def _any(test: Compiled, scopes: Sequence[Scope], *, decides: bool) -> bool:
    """Whether one decides; an error counts only when none does."""
    failed: Unusable | None = None
    for scope in scopes:
        try:
            if _truth(test(scope)) is decides:
                return decides
        except Unusable as error:
            failed = error
    if failed:
        raise failed
    return not decides


def _variable(tree: Parsed) -> str:
    while len(tree.children) == 1 and isinstance(tree.children[0], Tree):
        tree = tree.children[0]
    return _word(tree, 0) if tree.data == "ident" else ""


def _ident(tree: Parsed, names: frozenset[str]) -> Compiled:
    name = _word(tree, 0)
    if name in names:
        return lambda scope: scope[name]
    if name in _TYPES:
        return lambda _: _TYPES[name]
    raise NotUnderstood("cel_name", nearest(name, names) or f"data.{name}", word=name, names=", ".join(VARIABLES))


_TYPES = {"int": "int", "uint": "int", "double": "double", "string": "string", "bool": "bool", "list": "list", "map": "map"}


def _list(tree: Parsed, names: frozenset[str]) -> Compiled:
    items = [compiled(item, names) for item in _arguments(tree, 0)]
    return lambda scope: [item(scope) for item in items]


def _map(tree: Parsed, names: frozenset[str]) -> Compiled:
    parts = [compiled(part, names) for part in _arguments(tree, 0)]
    return lambda scope: {_name(key(scope)): value(scope) for key, value in zip(parts[::2], parts[1::2], strict=True)}


def _name(key: Any) -> str | int:
    if isinstance(key, str | int):
        return key
    raise Unusable("this names nothing")


def _literal(tree: Parsed, _: frozenset[str]) -> Compiled:
    given = tree.children[0]
    assert isinstance(given, Token)  # noqa: S101 - the grammar says so
    value: Any
    match given.type:
        case "INT_LIT" | "UINT_LIT":
            value = literal_whole(given)
        case "FLOAT_LIT":
            value = _decimal(given)
        case "STRING_LIT" | "MLSTRING_LIT":
            value = literal_text(given)
        case "BOOL_LIT":
            value = given == "true"
        case "NULL_LIT":
            value = None
        case _:
            raise NotUnderstood("cel_unknown", word=str(given))
    return lambda _: value


def _decimal(given: Token) -> Decimal:
    try:
        return operators.EXACT.create_decimal(str(given))
    except ArithmeticError:
        raise NotUnderstood("cel_unknown", word=str(given)) from None


def _unknown(tree: Parsed, _: frozenset[str]) -> Compiled:
    raise NotUnderstood("cel_unknown", word=str(tree.data))


_BY_RULE: Mapping[str, Callable[[Parsed, frozenset[str]], Compiled]] = {
    "expr": _expr,
    "conditionalor": _or,
    "conditionaland": _and,
    "relation": _binary,
    "addition": _binary,
    "multiplication": _binary,
    "unary": _unary,
    "member": _inner,
    "member_dot": _member_dot,
    "member_dot_arg": _method,
    "member_index": _member_index,
    "member_object": _unknown,
    "primary": _inner,
    "paren_expr": _inner,
    "ident": _ident,
    "dot_ident": _ident,
    "ident_arg": _function,
    "dot_ident_arg": _function,
    "list_lit": _list,
    "map_lit": _map,
    "literal": _literal,
}
