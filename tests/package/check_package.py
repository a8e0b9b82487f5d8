#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Install the SDK into an empty folder, build the examples against it alone, and run them.

  check_package.py --source TREE --build BUILT_TREE [--cmake cmake] [--compiler c++]
"""
import argparse
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

import other_asio

CLOUD = re.compile(r"ecp::v0::(fleet|rbac|alarm|tenancy|identity|audit|platform|plane|api)::")

# What a shared library may show: its own namespace, and what the compiler makes for its classes.
SHOWN = re.compile(r"(?:(?:typeinfo|typeinfo name|vtable|VTT) for |(?:non-virtual|virtual) thunk to "
                   r"|guard variable for )?ecp::v0::")
LIBRARIES = {"libecp.so", "libecp_http.so", "libecp_mqtt.so", "libecp_programs.so"}

PROGRAMS = ["bin/ecpd", "bin/ecp-edge", "lib/ecp/ecp_mosquitto_plugin.so",
            "lib/systemd/system/ecpd.service", "lib/systemd/system/ecp-edge.service",
            "lib/sysusers.d/ecpd.conf", "lib/sysusers.d/ecp-edge.conf",
            "share/ecp/ecpd.example.yaml", "share/ecp/ecp-edge.example.yaml"]


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n"
                 f"{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def check(fine, what):
    print(("ok: " if fine else "FAILED: ") + what, flush=True)
    if not fine:
        sys.exit(1)


def install_components(options, prefix, *components):
    for component in components:
        run(options.cmake, "--install", options.build, "--prefix", prefix,
            "--component", component)


def install(options, prefix):
    install_components(options, prefix, "sdk", "ecpd", "ecp-edge")
    shown = {path.relative_to(prefix / "include") for path in (prefix / "include").rglob("*.hpp")}
    wanted = {path.relative_to(options.source / "include")
              for path in (options.source / "include").rglob("*.hpp")}
    missing = sorted(map(str, wanted - shown))
    check(not missing, f"every public header is installed {missing or ''}")
    absent = [name for name in PROGRAMS if not (prefix / name).is_file()]
    check(not absent, f"the programs are installed with their units and samples {absent or ''}")
    exported = (prefix / "lib").rglob("ecpTargets*.cmake")
    check(not any(re.search(r"ecp_build_flags|-Werror|-Wall|" + re.escape(str(options.source)),
                            file.read_text()) for file in exported),
          "our warnings and paths stay ours")


def install_shared(options, prefix):
    run(options.cmake, "--build", options.build, "--target", "ecp_shared")
    install_components(options, prefix, "sdk-shared")
    check(not list((prefix / "lib").glob("*.a")), "no static library is among the shared ones")
    libraries = sorted((prefix / "lib").glob("libecp*.so"))
    check(LIBRARIES <= {library.name for library in libraries}, "the shared libraries are installed")
    for library in libraries:
        names = re.findall(r"SONAME.*\[(.*)\]", run("readelf", "-d", library))
        check(names == [f"{library.name}.0.1"], f"{library.name} is known as {names}")
        check_exports(library)


def check_exports(library):
    rows = [line.split(maxsplit=2) for line in
            run("nm", "-D", "-C", "--defined-only", "--with-symbol-versions", library).splitlines()]
    foreign = [name for _, kind, name in rows if kind != "A" and not SHOWN.match(name)]
    check(len(rows) > 2 and not foreign,
          f"{library.name} shows nothing but ecp::v0 ({len(rows)} symbols) {foreign[:3] or ''}")
    check(all(name.endswith("@@ECP_0.1") for _, kind, name in rows if kind != "A"),
          f"every symbol of {library.name} has a version")
    unique = [name for _, kind, name in rows if kind == "u"]
    check(not unique, f"none of {library.name} is one for the whole process {unique[:3] or ''}")


def check_renamed_asio(prefix):
    for library in (prefix / "lib").rglob("*.a"):
        symbols = run("nm", "-C", "--defined-only", library)
        found = re.search(r"(?<![\w:])asio::.*", symbols)
        if found:
            check(False, f"{library.name} has {found[0]}")
    check(True, "no library holds anything of Asio under its own name")


def build(options, what, prefix, folder):
    run(options.cmake, "-S", options.source / what, "-B", folder, "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={options.compiler}",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", f"-DECP_OTHER_ASIO={options.other_asio}",
        f"-DECP_OTHER_ASIO_VERSION={other_asio.VERSION}", "--no-warn-unused-cli")
    run(options.cmake, "--build", folder)
    check(True, f"{what} builds against the package in {prefix.name} alone")


def build_as_subdirectory(options, folder):
    run(options.cmake, "-S", options.source / "tests/package/subdirectory", "-B", folder,
        "-G", "Ninja", f"-DECP_SOURCE={options.source}", f"-DCMAKE_CXX_COMPILER={options.compiler}",
        "-DCMAKE_CXX_FLAGS=-O0")
    targets = run("ninja", "-C", folder, "-t", "targets", "all")
    check(not re.search(r"test_core|bin/ecpd", targets),
          "as a subdirectory it brings neither tests nor programs")
    run(options.cmake, "--build", folder, "--target", "subdirectory")
    check(run(folder / "subdirectory", timeout=60) == "holding register at offset 10\n",
          "a program that adds the source tree as a subdirectory works")


def check_agent_is_alone(program):
    """Neither linked nor asked of a shared library."""
    symbols = run("nm", "-C", program)
    found = sorted({line for line in symbols.splitlines() if CLOUD.search(line)})
    check("ecp::v0::agent::" in symbols, "the agent's example uses the agent")
    check(not found, f"and links no cloud module {found[:3] or ''}")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def check_value(options, program, folder):
    port = free_port()
    plant = subprocess.Popen(
        ["/usr/bin/python3", options.source / "tools/plant/plant.py", "--port", str(port)],
        stdout=subprocess.PIPE, text=True)
    try:
        check("ready" in plant.stdout.readline(), "the plant is ready")
        said = run(program, folder / "embedded", "127.0.0.1", port, timeout=60)
    finally:
        plant.terminate()
        plant.wait()
    print(said, end="")
    check(re.fullmatch(r"plc/fast/temperature = \d+\.\d+\n", said) is not None,
          "plane and agent in one process print a value read from the Modbus server")


def check_not_enrolled(program, folder):
    (folder / "nobody").mkdir(mode=0o700)
    done = subprocess.run([program, folder / "nobody", "1"], capture_output=True, text=True,
                          check=False, timeout=60)
    check(done.returncode == 1 and "agent.not_enrolled" in done.stderr,
          "the agent's example says that its folder is not enrolled")


def check_kind(options, folder, kind):
    """Build the examples and other people's programs against one kind of library, and run them."""
    built = {what: folder / f"{kind}-{pathlib.Path(what).name}"
             for what in ("examples", "tests/package/consumer")}
    for what, place in built.items():
        build(options, what, folder / kind, place)
    examples, consumer = built.values()
    check(run(consumer / "other_asio", timeout=60) == "both work\n",
          "a program with an Asio of another version and layout works with ours beside it")
    check(run(consumer / "umbrella", timeout=60) == "both halves\n",
          "a program linked with ecp::ecp has the cloud's half and the edge's")
    loaded = run("ldd", consumer / "umbrella")
    check(("libecp.so.0.1" in loaded) == (kind == "shared"), f"it is {kind}")
    check_agent_is_alone(examples / "embed_agent")
    work = folder / f"{kind}-work"
    work.mkdir()
    check_value(options, examples / "embed_plane_and_agent", work)
    check_not_enrolled(examples / "embed_agent", work)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--compiler", default="c++")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecp-package-") as name:
        folder = pathlib.Path(name)
        options.other_asio = folder / "other"
        other_asio.make(options.other_asio)
        install(options, folder / "static")
        check_renamed_asio(folder / "static")
        install_shared(options, folder / "shared")
        for kind in ("static", "shared"):
            check_kind(options, folder, kind)
        build_as_subdirectory(options, folder / "subdirectory")


if __name__ == "__main__":
    main()
