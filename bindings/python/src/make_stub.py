#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Print the stub _ecp.pyi from what the extension says of itself.

  PYTHONPATH=build/release/python bindings/python/src/make_stub.py > bindings/python/ecp/_ecp.pyi
"""
import re
import types

from ecp import _ecp

HEAD = '''# SPDX-License-Identifier: Apache-2.0
# Made by make_stub.py; a test compares it with the extension.
import datetime
from typing import Any, ClassVar, Dict, Generic, Iterator, List, Optional, Tuple, TypeVar, Union, overload

_T = TypeVar("_T")
'''
ERROR_FIELDS = (("code", "ErrorCode"), ("reason", "str"), ("params", "Dict[str, str]"), ("message", "str"),
                ("context", "str"), ("is_retryable", "bool"))
SIGNATURE = re.compile(r"^(?:\d+\. )?(\w*)(\(.*\)) -> (.*)$")
# What says more in Python than the extension can know.
SPECIAL = {
    "Page": {"items": "List[_T]", "__iter__": "Iterator[_T]", "__getitem__": "_T"},
}


def type_text(text):
    text = re.sub(r"\becp\._ecp\.", "", text)
    assert "::" not in text, f"an unbound C++ type in {text}"
    for builtin, shown in (("Dict", "Dict"), ("List", "List")):
        text = re.sub(rf"\b{builtin}\b", shown, text)
    return text.replace("handle", "Any").replace("-> object", "-> Any")


def signatures(function):
    """What pybind11 wrote into the docstring: one signature, or one for each overload."""
    lines = (function.__doc__ or "").split("\n")
    if "Overloaded function." in function.__doc__:
        lines = [line for line in lines if re.match(r"\d+\. ", line)]
    else:
        lines = lines[:1]
    for line in lines:
        found = SIGNATURE.match(line)
        assert found, f"no signature in {line!r}"
        yield parameters(found[2][1:-1]), type_text(found[3])


def parameters(text):
    """`self: ecp._ecp.X, limit: int = 50` without the types' module and the defaults' values."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += letter in "[(<{"
        depth -= letter in "])>}"
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    shown = []
    for part in parts:
        part = part.strip()
        name, colon, rest = part.partition(":")
        if not part or not colon:
            shown.append(part)
        elif name in ("self",):
            shown.append("self")
        else:
            kind, equals, _ = rest.partition(" = ")
            kind = type_text(kind.strip())
            if kind == "Secret":
                kind = "Union[Secret, str]"
            shown.append(f"{name}: {kind}" + (" = ..." if equals else ""))
    return ", ".join(part for part in shown if part)


def function_lines(name, function, indent, static=False):
    found = list(signatures(function))
    for arguments, result in found:
        arguments = arguments.replace("*args", "*args: Any").replace("**kwargs", "**kwargs: Any")
        if not static and indent:  # Operators have no names for their operands.
            other = "other: object" if name == "__eq__" else r"other: \1"
            arguments = re.sub(r"\barg\d: (\w+)", other, arguments)
            if not arguments.startswith("self"):
                arguments = re.sub(r"^other: \w+", "self", arguments)
        if len(found) > 1:
            yield f"{indent}@overload"
        if static:
            yield f"{indent}@staticmethod"
        yield f"{indent}def {name}({arguments}) -> {result}: ..."


def property_type(value):
    return next(signatures(value.fget))[1]


def enum_lines(name, kind):
    yield f"class {name}:"
    yield f"    __members__: ClassVar[Dict[str, {name}]]"
    yield "    def __init__(self, value: int) -> None: ..."
    yield "    def __int__(self) -> int: ..."
    yield "    def __hash__(self) -> int: ..."
    yield "    @property\n    def name(self) -> str: ..."
    yield "    @property\n    def value(self) -> int: ..."
    for member in kind.__members__:
        yield f"    {member}: ClassVar[{name}]"


def exception_lines(name, kind):
    yield f"class {name}({kind.__base__.__name__}):"
    if name == "Error":
        yield from (f"    {field}: {shown}" for field, shown in ERROR_FIELDS)
    else:
        yield "    pass"


def class_lines(name, kind):
    special = SPECIAL.get(name, {})
    yield f"class {name}(Generic[_T]):" if special else f"class {name}:"
    body = []
    for member, value in sorted(vars(kind).items()):
        if member in special and isinstance(value, property):
            body.append(f"    @property\n    def {member}(self) -> {special[member]}: ...")
        elif member in special:
            arguments = "self" if member == "__iter__" else "self, place: int"
            body.append(f"    def {member}({arguments}) -> {special[member]}: ...")
        elif member == "_fields":
            body.append("    _fields: ClassVar[Tuple[str, ...]]")
        elif isinstance(value, property):
            shown = property_type(value)
            body.append(f"    @property\n    def {member}(self) -> {shown}: ...")
            if value.fset:
                body.append(f"    @{member}.setter\n    def {member}(self, value: {shown}) -> None: ...")
        elif isinstance(value, staticmethod):
            body += function_lines(member, value.__func__, "    ", static=True)
        elif member in ("__enter__",):
            body.append(f"    def __enter__(self) -> {name}: ...")
        elif member in ("__repr__", "__str__"):
            body.append(f"    def {member}(self) -> str: ...")
        elif member == "__exit__":
            body.append("    def __exit__(self, *problem: Any) -> None: ...")
        elif isinstance(value, types.FunctionType) or type(value).__name__ == "instancemethod":
            body += function_lines(member, value, "    ")
    yield from body or ["    pass"]


def main():
    lines = [HEAD]
    for name, value in sorted(vars(_ecp).items()):
        if name.startswith("_"):
            continue
        if isinstance(value, type) and issubclass(value, Exception):
            shown = exception_lines(name, value)
        elif isinstance(value, type) and hasattr(value, "__members__"):
            shown = enum_lines(name, value)
        elif isinstance(value, type):
            shown = class_lines(name, value)
        else:
            shown = function_lines(name, value, "")
        lines += ["", *shown]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
