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

CLOUD = re.compile(r"ecp::v0::(fleet|rbac|alarm|tenancy|identity|audit|platform|plane|api)::")

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


def install(options, prefix):
    for component in ("sdk", "ecpd", "ecp-edge"):
        run(options.cmake, "--install", options.build, "--prefix", prefix,
            "--component", component)
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


def build(options, what, prefix, folder):
    run(options.cmake, "-S", options.source / what, "-B", folder, "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={options.compiler}",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    run(options.cmake, "--build", folder)
    check(True, f"{what} builds against the installed package alone")


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
    symbols = run("nm", "-C", program)
    found = sorted({line for line in symbols.splitlines() if CLOUD.search(line)})
    check(not found, f"the agent's example links no cloud module {found[:3] or ''}")


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--compiler", default="c++")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecp-package-") as name:
        folder = pathlib.Path(name)
        install(options, folder / "prefix")
        build(options, "examples", folder / "prefix", folder / "build")
        build(options, "tests/package/consumer", folder / "prefix", folder / "consumer")
        check(run(folder / "consumer/other_asio", timeout=60) == "both work\n",
              "a program with an Asio of its own works with ours beside it")
        check(run(folder / "consumer/umbrella", timeout=60) == "both halves\n",
              "a program linked with ecp::ecp has the cloud's half and the edge's")
        build_as_subdirectory(options, folder / "subdirectory")
        check_agent_is_alone(folder / "build/embed_agent")
        check_value(options, folder / "build/embed_plane_and_agent", folder)
        check_not_enrolled(folder / "build/embed_agent", folder)


if __name__ == "__main__":
    main()
