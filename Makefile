# SPDX-License-Identifier: Apache-2.0
# `make demo` and `make test` are all a newcomer needs; both install what is missing first.
.PHONY: help setup page build demo demo-check test sim soak bench format tidy asan tsan clang docs clean

BUILD := build/release
JOBS := $(shell nproc)
SEEDS := 20
FIRST := 1

help:
	@sed -n 's/^## //p' Makefile

## make demo        start the platform with a simulated plant and watch it work
demo: build
	/usr/bin/python3 demo/demo.py --build $(BUILD) --interactive
## make demo-check  the same demo by itself, every step asserted
demo-check: build
	/usr/bin/python3 demo/demo.py --build $(BUILD)
## make test        build and run every test
test: setup
	scripts/run-tests.sh
## make sim         the simulation: SEEDS=20 of them from FIRST=1 on; says how to run a failed one again
sim: setup
	@cmake --preset release -Wno-dev >/dev/null
	@cmake --build --preset release -j $(JOBS) --target ecp-sim
	@TMPDIR=$(if $(wildcard /dev/shm/.),/dev/shm,/tmp) $(BUILD)/tests/bin/ecp-sim $(SEEDS) $(FIRST)
## make soak        the long runs: 100 random kills, 10,000 seeds, 10,000 agents
soak: build
	scripts/soak.sh
## make bench       the benchmarks, beside their peers
bench: setup
	scripts/bench.sh
## make asan        unit and conformance tests under address and undefined-behaviour sanitizers
asan: setup
	scripts/run-tests.sh asan
## make tsan        the tests under the thread sanitizer; takes long
tsan: setup
	scripts/run-tests.sh tsan
## make clang       include/ and lib/ with clang 14
clang: setup
	scripts/run-tests.sh clang
## make tidy        clang-tidy over what changed since the main branch's head
tidy: setup
	scripts/tidy.sh
## make format      clang-format over all C++
format:
	git ls-files '*.cpp' '*.hpp' '*.c' '*.h' | xargs clang-format-14 -i
## make docs        regenerate docs/errors.md
docs: build
	$(BUILD)/bin/ecp-docs errors > docs/errors.md
## make clean       remove everything that was built
clean:
	rm -rf build apps/console/node_modules apps/console/dist

setup:
	@scripts/setup.sh
page: setup
	@scripts/build-page.sh
build: page
	@cmake --preset release -Wno-dev >/dev/null
	@cmake --build --preset release -j $(JOBS)
