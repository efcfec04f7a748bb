# yujing: `make demo` shows it, `make test` proves it. Both need only Python >= 3.11, make and a network for packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PACKAGES := ingest detectors gateway_sim dashboards benchmarks tests

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast check bench soak servers lock screenshots

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## .venv with everything, from the lock file

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "yujing needs Python >= 3.11; found " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv $(VENV) || { echo "python venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## three simulated plants, faults on a timetable, console in the browser (ARGS="--for 60s ...")
	@exec $(BIN)/yujing demo $(ARGS)

test: install servers check ## lint, imports, types, and every test against real servers (several workers)
	@$(BIN)/python -m compileall -q -x '/test_[^/]*$$' $(PACKAGES) # once, and not by each worker at the same time
	$(BIN)/pytest --numprocesses auto --dist worksteal $(ARGS)

test-fast: install ## the inner loop, in less than a minute: detectors, rules, alarms, wire format, settings; no servers
	$(BIN)/pytest --numprocesses auto --dist worksteal -k "not conformance and not postgresql" tests/detectors \
	  $(addprefix tests/ingest/,base domain plants intake/wire runtime/settings) $(ARGS)

check: install ## lint, import contracts, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m tests.module_sizes

bench: install servers ## every benchmark, as JSON (DATA=folder with the public data sets)
	$(BIN)/python -m benchmarks.detectors --json
	$(BIN)/python -m benchmarks.plants --json
	$(BIN)/python -m benchmarks.steady --json
	$(BIN)/python -m benchmarks.alarm_cost --json
	$(BIN)/python -m benchmarks.steady --hours 8 --json
	$(BIN)/python -m benchmarks.cycle --json
	$(BIN)/python -m benchmarks.intake --json
	$(BIN)/python -m benchmarks.history --json
	$(BIN)/python -m benchmarks.duck --json
	$(BIN)/python -m benchmarks.alarms --json
	$(BIN)/python -m benchmarks.growth --json
	$(BIN)/python -m benchmarks.ledgers --json
	$(BIN)/python -m benchmarks.registers --json
	$(BIN)/python -m benchmarks.abuse --json
	$(BIN)/python -m benchmarks.memory --json
	@if [ -n "$(DATA)" ]; then for set in skab nab tep process; do $(BIN)/python -m benchmarks.$$set --data "$(DATA)" --json || exit 1; done; \
	else echo "Public sets: make bench DATA=folder with skab/ nab/ tep/ cranfield/ batadal/ boiler/ (docs/benchmarks.md)"; fi

soak: install servers ## every promise of reliability at its full count; writes docs/reliability.md (ARGS="--resume" goes on)
	$(BIN)/python -m tests.reliability.soak $(ARGS)

servers: ## the servers and the browser the tests run against (installs them on Debian as root)
	@sh tests/install-servers.sh

lock: ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --output-file requirements.lock

screenshots: install servers ## take the README's pictures anew from the running demonstration
	SCREENSHOTS=docs/images $(BIN)/pytest tests/e2e/test_demo.py -k console
