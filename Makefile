# Needs Python 3.11 to 3.14 and make. Everything lands in this folder: .venv, and .venv-tools for `make lock`.
# `make help` lists what there is; PYTHON=/path/to/python chooses another interpreter.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# The newest interpreter that the locks are made for and that can make virtual environments.
USABLE = import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
PYTHON ?= $(shell for candidate in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	if $$candidate -c '$(USABLE)' >/dev/null 2>&1; then echo $$candidate; break; fi; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
LOCKED := install --require-hashes --only-binary :all: --no-compile -r
# pip compiles on one core, this on all; some packages bring files that are no Python of today.
COMPILED = $(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null || true
TOOLS := .venv-tools
COPULA := .venv-copula
UV := $(TOOLS)/bin/uv
COMPILE := $(UV) --quiet --cache-dir $(TOOLS)/cache pip compile pyproject.toml --universal -p 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate $(LOCK_FLAGS)

# Compiled modules are kept: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

# Nothing of ours is written outside of this folder.
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/matplotlib

.PHONY: help demo test soak lint format bench evidence lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.package  ## the quickstart, end to end, on a platform of its own
	@$(BIN)/python demo/run.py

test: lint  ## everything that CI checks: format, lint, types, imports, tests
	@$(BIN)/pytest --quiet

soak: $(VENV)/.test  ## the tests that take minutes: kills, outages, hundreds of jobs
	@$(BIN)/pytest --quiet -n 0 -m soak --hypothesis-profile=default

lint: $(VENV)/.test  ## the checks without the tests
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tests/contract/type_completeness.py

format: $(VENV)/.test  ## format the code and mend what can be mended by itself
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

bench: $(VENV)/.bench $(COPULA)/.installed  ## time this project beside a reference stack
	@COPULA_PYTHON=$(COPULA)/bin/python $(BIN)/python -m bench

evidence: $(VENV)/.test  ## attack avatars, simpler methods and bad releases; write docs/evidence.md
	@$(BIN)/python -m evidence

lock: $(UV)  ## resolve the requirements again (LOCK_FLAGS=--upgrade for newer versions)
	@$(COMPILE) --extra server --group build -o requirements/platform.txt
	@$(COMPILE) --extra server --extra postgres --group test -c requirements/platform.txt -o requirements/test.txt
	@$(COMPILE) --extra server --extra postgres --group bench -c requirements/test.txt -o requirements/bench.txt
	@$(subst pyproject.toml,,$(COMPILE)) --group pyproject.toml:copula -o requirements/copula.txt

clean:  ## remove everything that was made here
	@rm -rf $(VENV) $(TOOLS) $(COPULA) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf demo/avatars.csv demo/avatars.png bench/results
	@find src tests demo bench fixtures -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A file in it stands for each step that is done, so that a second run has nothing to install.

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python from 3.11 to 3.14 with its venv module was found." >&2; \
		echo "Install one (on Debian or Ubuntu: python3 and python3-venv) or say make PYTHON=/path/to/python3." >&2; \
		exit 1; fi
	@$(PYTHON) -c '$(USABLE)' || { echo "$(PYTHON) is not a Python from 3.11 to 3.14 with its venv module." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.platform: requirements/platform.txt | $(VENV)/.made
	@echo "Installing the platform's requirements"
	@$(PIP) $(LOCKED) $<
	@$(COMPILED)
	@touch $@

$(VENV)/.package: pyproject.toml | $(VENV)/.platform
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.package
	@echo "Installing the requirements of the tests"
	@$(PIP) $(LOCKED) $<
	@$(COMPILED)
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.package
	@echo "Installing the requirements of the benchmarks"
	@$(PIP) $(LOCKED) $<
	@touch $@

$(COPULA)/.installed: requirements/copula.txt
	@echo "Installing the peer that the benchmarks measure"
	@$(PYTHON) -m venv $(COPULA)
	@$(COPULA)/bin/python -m pip -qq --disable-pip-version-check --no-input $(LOCKED) $<
	@touch $@

$(UV): | $(TOOLS)/.made
	@$(TOOLS)/bin/python -m pip -qq --disable-pip-version-check --no-input install 'uv>=0.9,<1'

$(TOOLS)/.made:
	@$(PYTHON) -m venv $(TOOLS)
	@touch $@
