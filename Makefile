# Every target sets up .venv by itself the first time and is quick the second time.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
VECTORS ?= ../shared/conformance
ARGS   ?=
# Tests run in four processes, since most of them wait; the ones marked `serial` afterwards, alone.
JOBS   ?= 4

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-failed test-fast check format lint types contracts conformance mutants monkey release-check docs bench screenshots clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "hpatui needs Python 3.11 or newer: install it, or say which: make PYTHON=python3 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

setup: $(STAMP) ## set up .venv

demo: $(STAMP) ## the screen on an embedded sandbox cluster: press l for load, q to quit
	@$(BIN)/hpatui demo $(ARGS)

test: $(STAMP) ## all tests
	@status=0; \
	$(BIN)/python -m pytest -n $(JOBS) -m 'not serial' -q $(ARGS) || status=1; \
	$(BIN)/python -m pytest -m serial -q $(ARGS) || status=1; \
	exit $$status

test-failed: $(STAMP) ## the tests that failed last time, alone
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none -q $(ARGS)

test-fast: $(STAMP) ## tests without those that start the whole program
	$(BIN)/python -m pytest -n $(JOBS) -m 'not e2e and not serial' -q $(ARGS)

check: lint types contracts test ## format, lint, types, import contracts, tests

format: $(STAMP) ## format the code
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: $(STAMP)
	$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

conformance: $(STAMP) ## decisions against recorded ones: make conformance VECTORS=DIR [ARGS='--show ID']
	@$(BIN)/python -m tests.conformance $(VECTORS) $(ARGS)

mutants: $(STAMP) ## break one guard at a time; its tests must notice (ARGS='words of its name')
	@$(BIN)/python -m tests.mutants $(ARGS)

monkey: $(STAMP) ## random keys, texts, sizes and faults at the screen (ARGS='--runs 200 --keys 300 --seed 1')
	@$(BIN)/python -m tests.monkey $(ARGS)

release-check: $(STAMP) ## build the packages, install them in every way this machine can, and use them
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[release]'
	@$(BIN)/python -m tests.packaging $(ARGS)

docs: $(STAMP) ## reference from the code, and the site into site/
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@$(BIN)/python -m tests.docs.generate && NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(STAMP) ## measure; prints tables and writes bench/results.json
	@$(BIN)/python -m bench $(ARGS)

screenshots: $(STAMP) ## render screenshots/ from the real program on the sandbox
	@$(BIN)/python -m screenshots.make $(ARGS)

clean: ## remove what was built
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
