#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the source tree itself: who includes whom, where vendors and SQL may stand, licence lines.

Each check returns the places that break its rule; the program prints them and exits 1.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.M)

# Modules that the public headers and the sources of a module may include, besides its own.
CHAIN = ["core", "storage", "access", "audit", "tenancy", "identity", "rbac", "platform", "fleet"]
ALLOWED = {name: set(CHAIN[:place]) for place, name in enumerate(CHAIN)}
for name in ("audit", "tenancy", "identity", "rbac", "platform"):
    ALLOWED[name] |= {"pki", "http"}
for name in ("link", "series", "pki", "http"):
    ALLOWED[name] = {"core"}
ALLOWED["transport"] = {"core", "link", "http"}
ALLOWED["kind"] = {"core", "link", "http"}
ALLOWED["fleet"] |= {"pki", "http", "link", "series", "transport", "kind"}
for name in ("alarm", "monitor", "cluster", "uns"):
    ALLOWED[name] = ALLOWED["fleet"] | {"fleet"}
EDGE = {"core", "storage", "transport", "http", "link", "series", "pki", "kind"}
ALLOWED["pipeline"] = EDGE
ALLOWED["agent"] = EDGE | {"pipeline"}
CLOUD = set(CHAIN) | {"link", "series", "pki", "http", "transport", "kind", "alarm"}
ALLOWED["plane"] = CLOUD
ALLOWED["api"] = CLOUD
ALLOWED["server"] = CLOUD | {"plane", "api"}
# The adapters see ports and domain; the series adapter runs on the SQLite driver.
EXTRA_FOR_SOURCES = {"series": {"storage"}}
APPS = {"ecpd": {"server", "core"}, "ecp-edge": {"agent", "core"},
        "ecp-docs": {"plane", "api", "agent", "pipeline"}}

VENDORS = {
    "boost/": ["lib/http/beast/"],
    "asio": ["lib/core/", "lib/pipeline/", "include/ecp/asio_executor.hpp"],
    "rapidjson/": ["lib/core/json.cpp"],
    "yaml-cpp/": ["lib/core/config_tree.cpp"],
    "sqlite3.h": ["lib/storage/sqlite/"],
    "libpq-fe.h": ["lib/storage/postgres/"],
    "mosquitto": ["lib/transport/mqtt/"],
    "sodium": ["lib/core/", "lib/identity/", "lib/pki/", "lib/platform/"],
    "openssl/": ["lib/pki/", "lib/http/", "lib/transport/mqtt/", "lib/alarm/"],
    "curl/": ["lib/http/curl/"],
    "fmt/": ["lib/"],
}


def tracked(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".h", ".c") and path.is_file():
                yield path, path.relative_to(ROOT).as_posix()


def module_of(place):
    parts = place.split("/")
    if place.startswith("include/ecp/"):
        return parts[2] if len(parts) > 3 else None
    if place.startswith("lib/storage/sql/"):
        return parts[3] if len(parts) > 4 else "storage"
    return parts[1]


def check_layers():
    for path, place in tracked("include", "lib"):
        module = module_of(place)
        if module is None:
            continue
        allowed = ALLOWED.get(module)
        if allowed is None:
            yield f"{place}: {module} is no known module"
            continue
        allowed = allowed | {module}
        if place.startswith("lib/"):
            allowed = allowed | EXTRA_FOR_SOURCES.get(module, set())
        if place.startswith(("lib/storage/sql/", "include/ecp/storage/sql/")):
            allowed = allowed | {"storage"}
            if place.startswith("include/"):
                continue
        for name in INCLUDE.findall(path.read_text()):
            if not name.startswith("ecp/"):
                continue
            target = name.split("/")[1]
            if name.startswith("ecp/storage/sql/") and name != "ecp/storage/sql/driver.hpp":
                target = "storage" if module in ("plane", "agent", "pipeline", "storage") else target
            if target not in allowed:
                yield f"{place}: {module} must not include {name}"
    for app, allowed in APPS.items():
        for path, place in tracked(f"apps/{app}"):
            for name in INCLUDE.findall(path.read_text()):
                if name.startswith("ecp/") and name.split("/")[1] not in allowed:
                    yield f"{place}: the program {app} must not include {name}"


def check_vendors():
    for path, place in tracked("include", "lib"):
        for name in INCLUDE.findall(path.read_text()):
            for vendor, places in VENDORS.items():
                if name.startswith(vendor) and not place.startswith(tuple(places)):
                    yield f"{place}: {name} belongs to {', '.join(places)} alone"


def check_licence():
    for path, place in tracked("include", "lib", "apps", "bindings", "tests", "examples",
                               "bench"):
        if "node_modules" not in place and "SPDX-License-Identifier: Apache-2.0" not in path.read_text()[:200]:
            yield f"{place}: no SPDX line at its head"


def check_sql():
    statement = re.compile(r'"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE) ')
    for path, place in tracked("include", "lib", "apps"):
        if place.startswith(("lib/storage/", "lib/series/")):
            continue
        if statement.search(path.read_text()):
            yield f"{place}: SQL outside lib/storage and lib/series"


def check_forbidden():
    rules = [
        (re.compile(r"\busing namespace\b"), "using namespace", ("include/", "lib/", "apps/")),
        (re.compile(r"\b(system_clock|steady_clock)::now\b"), "reads a clock", ("include/", "lib/", "apps/")),
        (re.compile(r"\bgetenv\b"), "getenv", ("include/", "lib/")),
        (re.compile(r"\b\w*(Manager|Helper|Utils?)\b"), "a name without meaning", ("include/", "lib/", "apps/")),
        (re.compile(r"\b(TODO|FIXME|XXX)\b"), "a left-over marker", ("include/", "lib/", "apps/")),
        (re.compile(r"\bstd::system\(|\bpopen\("), "runs a shell [R25]", ("include/", "lib/", "apps/")),
    ]
    allowed_clock = "lib/core/"
    for path, place in tracked("include", "lib", "apps"):
        text = re.sub(r"//[^\n]*", "", path.read_text())  # Comments may speak of anything.
        for pattern, what, folders in rules:
            if what == "reads a clock" and place.startswith(allowed_clock):
                continue
            if place.startswith(folders) and (match := pattern.search(text)):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{place}:{line}: {what} ({match.group(0)})"


def check_topics():
    for path, place in tracked("include", "lib"):
        if "lib/transport/mqtt/" in place:
            continue
        if re.search(r'"[^"\n]*(ecp/v1/|\$share/|\$CONTROL)[^"\n]*"', path.read_text()):
            yield f"{place}: a topic string outside lib/transport/mqtt"


def check_reasons():
    documented = (ROOT / "docs/errors.md").read_text()
    for path, place in tracked("include", "lib"):
        for symbol in re.findall(r'\bReason \w+\{\s*\d+,\s*"([^"]+)"', path.read_text()):
            if f"`{symbol}`" not in documented:
                yield f"{place}: {symbol} is in no catalogue, or docs/errors.md is old (make docs)"


def check_benchmarks():
    """They run seldom; that their modules still fit each other shows at once."""
    for path in sorted((ROOT / "bench").glob("*.py")):
        if "__main__" not in path.read_text():
            continue
        load = f"import sys, runpy; sys.path.insert(0, {str(path.parent)!r}); runpy.run_path({str(path)!r})"
        loaded = subprocess.run([sys.executable, "-B", "-c", load], capture_output=True, text=True, timeout=60)
        if loaded.returncode:
            yield f"bench/{path.name}: {loaded.stderr.strip().splitlines()[-1]}"


def main():
    broken = 0
    for check in (check_layers, check_vendors, check_licence, check_sql, check_forbidden, check_topics,
                  check_reasons, check_benchmarks):
        found = list(check())
        print(f"{check.__name__}: {'ok' if not found else str(len(found)) + ' broken'}")
        for place in found:
            print("  " + place)
        broken += len(found)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
