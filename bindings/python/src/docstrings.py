#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make the table of docstrings.hpp from the comments of public headers.

  docstrings.py OUTPUT.cpp HEADER...

Keys are C++ names without `ecp` and without template arguments: "fleet::EdgeNodeRegistry::get".
Of overloads the first with a comment counts.
"""
import pathlib
import re
import sys

NAMESPACE = re.compile(r"^namespace (?:ecp::inline v0(?:::)?)?([\w:]*) ?\{")
TYPE = re.compile(r"^\s*(?:class|struct|enum class) (?:ECP_EXPORT |\[\[nodiscard\]\] )*(\w+)[^;(]*\{(?!.*\})")
ONE_LINE_TYPE = re.compile(r"^\s*(?:class|struct|enum class) (?:ECP_EXPORT )?(\w+)[^;(]*\{.*\}")
FUNCTION = re.compile(r"(\w+|operator\W+)\(")
MEMBER = re.compile(r"(\w+)(?:\{.*\}| = [^;]*)?;\s*(?:///<\s*(.*))?$")


def entries(text):
    """Pairs of a key and its comment, in the order of the file."""
    scope, depths, depth, comment = [], [], 0, []
    for line in text.split("\n"):
        bare = line.strip()
        if bare.startswith("///") and not bare.startswith("///<"):
            comment.append(bare[3:].strip())
            continue
        if bare.startswith("template ") or bare.startswith("requires"):
            continue
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])
        name, said = None, " ".join(comment).replace("  ", "\n\n")
        if found := NAMESPACE.match(line):
            scope.append([part for part in found[1].split("::") if part])
            depths.append(depth)
        elif found := TYPE.match(code) or ONE_LINE_TYPE.match(code):
            name = found[1]
            if TYPE.match(code):
                scope.append([name])
                depths.append(depth)
                yield key(scope[:-1], name), said
                name = None
        elif "(" in code and (found := FUNCTION.search(code.replace("ECP_EXPORT", ""))):
            name = found[1]
        elif found := MEMBER.search(bare):
            name, said = found[1], (found[2] or said)
        if name:
            yield key(scope, name), said
        depth += code.count("{") - code.count("}")
        while depths and depth <= depths[-1]:
            scope.pop()
            depths.pop()
        comment = []


def key(scope, name):
    return "::".join([part for parts in scope for part in parts] + [name])


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main():
    output, *headers = sys.argv[1:]
    table = {}
    for header in headers:
        for name, said in entries(pathlib.Path(header).read_text()):
            if said and not table.get(name):
                table[name] = said
    rows = "".join(f"    {{{quoted(name)}, {quoted(said)}}},\n" for name, said in sorted(table.items()))
    pathlib.Path(output).write_text(
        "// Made by docstrings.py from the public headers.\n"
        '#include "docstrings.hpp"\n\n#include <map>\n\n'
        "namespace ecp_python {\n\n"
        "const char* docstring(std::string_view name) {\n"
        "  static const std::map<std::string_view, const char*> table = {\n" + rows + "  };\n"
        "  const auto found = table.find(name);\n"
        '  return found == table.end() ? "" : found->second;\n}\n\n}  // namespace ecp_python\n')


if __name__ == "__main__":
    main()
