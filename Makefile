# Needs GNU make, Python 3.11 to 3.14 with venv and pip, and access to a package index. `make` lists the targets.

PYTHON  ?= python3
VENV    ?= .venv
WORKERS ?= auto
ARGS    ?=

SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --no-builtin-rules

BIN     := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
LOCKED  := $(INSTALL) --require-hashes --only-binary :all:
SOURCES := $(wildcard gateway tests examples benchmarks scripts)
LOCK    := --universal --python-version 3.11 --generate-hashes --only-binary :all: --no-strip-extras \
           --no-emit-index-url --no-header --no-annotate --quiet

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# --- environment: each stamp is newer than what it was made from, so a second run does nothing ---

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || { \
	  echo "$(PYTHON) is not Python 3.11 to 3.14: name another one, as in 'make setup PYTHON=python3.13'." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment: on Debian and Ubuntu run 'apt-get install python3-venv'." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(LOCKED) -r requirements/build.txt -r requirements/runtime.txt
	$(INSTALL) --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(LOCKED) -r requirements/dev.txt
	@touch $@

.PHONY: setup
setup: $(VENV)/.dev ## make .venv with everything needed to work on the gateway

# --- using it ---

.PHONY: demo
demo: $(VENV)/.runtime ## serve a generated sample CRM at http://127.0.0.1:8000
	@$(BIN)/gateway demo $(ARGS)

.PHONY: bench
bench: setup ## run the benchmarks (ARGS="--help" for choices)
	@$(BIN)/python -m benchmarks $(ARGS)

# --- checking it ---

.PHONY: test
test: lint mariadb browser node ## everything: format, lint, types, then all tests and doctests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: test-unit
test-unit: setup ## the tests that need neither database nor browser
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not db and not browser" $(ARGS)

.PHONY: coverage
coverage: setup mariadb browser node ## all tests, with branch coverage
	@$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term $(ARGS)

.PHONY: mariadb
mariadb: setup # the server the database tests start; installed here so that its output is seen
	@$(BIN)/python -m tests.support.mariadb

.PHONY: browser
browser: setup # the browser that some tests look through, likewise
	@$(BIN)/python -m tests.support.browser

.PHONY: node
node: setup # the packages of the TypeScript client that tests run, likewise
	@$(BIN)/python -m tests.support.node

.PHONY: lint
lint: setup ## check format, lint and types
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy $(SOURCES)

.PHONY: format
format: setup ## rewrite the sources in the project's format
	@$(BIN)/ruff check --fix-only $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

# --- upkeep ---

.PHONY: lock
lock: setup ## choose versions anew (move exclude-newer in pyproject.toml first)
	@command -v uv >/dev/null || { echo "make lock needs uv on the path: 'pip install uv'." >&2; exit 1; }
	uv pip compile $(LOCK) --upgrade pyproject.toml --output-file requirements/runtime.txt >/dev/null
	uv pip compile $(LOCK) --upgrade pyproject.toml --group dev --constraint requirements/runtime.txt \
	  --output-file requirements/dev.txt >/dev/null
	uv pip compile $(LOCK) --upgrade requirements/build.in --constraint requirements/dev.txt \
	  --output-file requirements/build.txt >/dev/null
	@! grep -nE '://' requirements/*.txt

.PHONY: vendor
vendor: setup ## fetch the browser files of GraphiQL anew (needs npm)
	@$(BIN)/python -m scripts.vendor_graphiql

.PHONY: clean
clean: ## remove the environment and everything generated
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* htmlcov
	rm -rf tests/clients/node/node_modules tests/clients/node/generated tests/clients/node/build tests/clients/node/.lock
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
