# Every target here is what CI runs. Two of them set everything up by themselves: demo and test.

PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 200
SEED ?= 0
PYTEST ?= -n 2

.DEFAULT_GOAL := help
.PHONY: help demo setup test crashes cycle lint types schema simulate bench coverage requirements clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
		awk -F'|' '{printf "  make %-14s %s\n", $$1, $$2}'

# Installing: from hashed lists, core alone or everything. A stamp makes a second call free.

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo 'Python 3.11 to 3.13 is needed; name one: make PYTHON=python3.12 ...' >&2; exit 2; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/core: .venv/created requirements.txt pyproject.toml
	@echo 'installing the core into .venv (once) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q executor
	@touch $@

.venv/everything: .venv/core requirements-dev.txt requirements-contracts.txt
	@echo 'installing what tests and checks need into .venv (once) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-contracts.txt
	@touch $@

setup: .venv/everything ## install everything into .venv
	@$(BIN)/python -m compileall -q executor

demo: .venv/core ## run the whole cycle on the embedded exchange (installs the core only)
	@$(BIN)/autoinvestor demo

# Checking.

# Tracing slows down what it traces: only the tests that are to cover the pure folders are traced.
PURE := tests/model tests/checks tests/decisions tests/reports
# What runs over the loopback GitHub is a suite of its own.
GITHUB := tests/forge tests/attacks tests/on_github tests/workflows tests/repo/test_github_verbs.py \
	tests/commands/test_propose.py tests/commands/test_validate_pull_request.py \
	tests/commands/test_tick.py tests/commands/test_setup.py tests/commands/test_doctor.py

test: setup ## run the tests, with branch coverage of the pure folders by their own tests
	@$(BIN)/pytest $(PYTEST) $(PURE) --cov --cov-report=term-missing:skip-covered --cov-fail-under=100
	@$(BIN)/pytest $(PYTEST) tests $(PURE:%=--ignore=%) $(GITHUB:%=--ignore=%) --ignore=tests/simulation

cycle: setup ## run the tests over a loopback GitHub, and the workflow files under act
	@$(BIN)/pytest $(PYTEST) $(GITHUB)

lint: setup ## check format, lint and schemas
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/autoinvestor schema --check

types: setup ## check types
	@$(BIN)/mypy

crashes: setup ## run the crash matrix: a death at every effect, races, guards
	@$(BIN)/pytest $(PYTEST) tests/simulation

simulate: setup ## run SEEDS schedules from SEED on, with crashes and faults
	@$(BIN)/python -m tests.simulation.simulate --seeds $(SEEDS) --seed $(SEED)

bench: setup ## measure, each figure as a ratio in one run
	@$(BIN)/python -m tests.bench

# Keeping.

schema: setup ## write the JSON Schemas from the models
	@$(BIN)/autoinvestor schema

requirements: ## resolve the hashed requirement lists anew (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--extra build pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--extra build --extra dev pyproject.toml -o requirements-dev.txt
	echo 'alpaca-mcp-server==2.4.0' | uv pip compile --quiet --universal --generate-hashes --no-header \
		--python-version 3.11 --constraint requirements-dev.txt - -o requirements-contracts.txt

clean: ## remove what was installed and made
	rm -rf .venv .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
