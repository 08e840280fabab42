# withstand
#   make demo    the whole chain on the bundled example; says where the report is
#   make test    every check, as CI runs it
# Both make their own environment in .venv. Needs only make and Python 3.11 or newer.

PYTHON ?= python3
UV     ?= $(shell command -v uv 2>/dev/null)# uv is quicker; `make UV= ...` insists on pip
JOBS   ?= logical

VENV   := .venv
PEERS  := .bench-venv
BIN    := $(VENV)/bin
PYTEST  = $(BIN)/pytest

ifneq ($(strip $(UV)),)
install = $(UV) pip install --quiet --python $(1)/bin/python
else
install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check
endif

.PHONY: help demo test docs audit sbom check test-quick test-slow test-thorough test-uncompiled test-benchmarks bench format lock \
        clean clean-all
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:
	@sed -n '1,4s/^# \{0,1\}//p' Makefile
	@echo "Also: docs, audit, sbom, check, test-quick, test-slow, test-thorough, test-benchmarks, bench, format, lock, clean, clean-all"

# --- environments --------------------------------------------------------------------------------

define make_environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "withstand needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(1) || { rm -rf $(1); exit 1; }
endef

$(BIN)/python:
	$(call make_environment,$(VENV))

$(PEERS)/bin/python:
	$(call make_environment,$(PEERS))

$(VENV)/.run-stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	$(call install,$(VENV)) --require-hashes -r requirements/run.txt
	$(call install,$(VENV)) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(call install,$(VENV)) --require-hashes -r requirements/dev.txt
	$(call install,$(VENV)) --no-deps --no-build-isolation -e .
	@touch $@

$(PEERS)/.stamp: requirements/bench.txt | $(PEERS)/bin/python
	$(call install,$(PEERS)) --require-hashes -r requirements/bench.txt
	@touch $@

# --- what a newcomer wants -----------------------------------------------------------------------

demo: $(VENV)/.run-stamp
	$(BIN)/withstand demo

test: check test-quick test-slow test-uncompiled test-benchmarks

# The documentation as a site in docs/_build, without a network.
docs: $(VENV)/.dev-stamp
	$(BIN)/python docs/build.py

# --- checks --------------------------------------------------------------------------------------

check: $(VENV)/.dev-stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-quick: $(VENV)/.dev-stamp
	$(PYTEST) -m "not slow" -n $(JOBS) --maxprocesses 8

# pytest says 5 when nothing was selected, which is no fault here.
test-slow: $(VENV)/.dev-stamp
	$(PYTEST) -m slow -n $(JOBS) --maxprocesses 8 || [ $$? -eq 5 ]

# All cases of the long rows of random ones, of which the other targets play a part.
test-thorough: export WITHSTAND_THOROUGH = 1
test-thorough: test-slow

# Kernels as plain Python: line coverage sees them, and a traceback names the line. Without the
# comparisons with the twins, which take minutes uncompiled and cover no further line.
test-uncompiled: $(VENV)/.dev-stamp
ifneq ($(wildcard tests/kernels/test_*.py),)
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest tests/kernels -m "not slow" -k "not twin"
	$(BIN)/coverage report --include "*/withstand/kernels/*"
endif

# Each benchmark runs once: does it still work? Timing never decides.
test-benchmarks: $(VENV)/.dev-stamp
ifneq ($(wildcard benchmarks/test_*.py),)
	$(PYTEST) benchmarks --benchmark-disable -n 0
endif

# The timed run. Other tools live in an environment of their own and run as sub-processes.
bench: $(VENV)/.dev-stamp $(PEERS)/.stamp
	WITHSTAND_PEERS="$(CURDIR)/$(PEERS)/bin/python" $(PYTEST) benchmarks -n 0 --benchmark-autosave

format: $(VENV)/.dev-stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Known faults in what withstand runs on (asks the advisory database), and a list of all parts of the
# environment; the list names paths of this machine and is no part of the repository.
audit: $(VENV)/.dev-stamp
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements/run.txt

sbom: $(VENV)/.dev-stamp
	mkdir -p dist
	$(BIN)/cyclonedx-py environment $(BIN)/python --of JSON -o dist/sbom.json

# --- locks ---------------------------------------------------------------------------------------

# Keeps the pinned versions that still fit; `make lock UPGRADE=--upgrade` takes the newest.
LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" $(or $(UV),uv) pip compile --quiet --universal \
       --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
       $(UPGRADE)

lock:
	$(LOCK) pyproject.toml requirements/run.in -o requirements/run.txt
	$(LOCK) pyproject.toml requirements/dev.in --extra db --extra cluster --extra sdmx --extra graphs --extra docs \
	  -o requirements/dev.txt
	$(LOCK) requirements/bench.in -o requirements/bench.txt

clean:
	rm -rf demo-out dist build docs/_build .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	       .import_linter_cache .benchmarks
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean
	rm -rf $(VENV) $(PEERS)
