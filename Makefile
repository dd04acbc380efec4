# imgtrust: everything that a developer types. `make demo` and `make test` set up what they need.
#
# PYTHON   the interpreter that makes the virtual environment (3.11, 3.12 or 3.13)
# VENV     where it goes
# DIR      where `make demo` works
# TESTS    what `make test` runs (default: all but the slow ones)

PYTHON ?= python3
VENV ?= .venv
DIR ?= demo
TESTS ?= -m "not slow"
JOBS ?= auto

bin := $(VENV)/bin
python := $(bin)/python
# The pure core: every branch of it is covered by tests.
core := $(wildcard imgtrust/formats imgtrust/trust imgtrust/predicates imgtrust/rules imgtrust/policy imgtrust/reports)
core_files := imgtrust/errors.py,imgtrust/reference.py,imgtrust/content.py,imgtrust/evidence.py,imgtrust/refusals.py,imgtrust/strict_json.py
comma := ,
empty :=
space := $(empty) $(empty)
core_globs := $(core_files),$(subst $(space),$(comma),$(addsuffix /*,$(core)))
# What demos leave behind: the folder, and those with a number that `imgtrust demo` makes beside one that exists.
demos := $(foreach name,demo imgtrust-demo,$(name) $(name)-[0-9] $(name)-[0-9][0-9] $(name)-[0-9][0-9][0-9])
# A demo needs only what imgtrust needs to run, unless the whole is there already.
runnable := $(if $(wildcard $(VENV)/.developer),$(VENV)/.developer,$(VENV)/.runtime)

.DEFAULT_GOAL := help
.PHONY: help setup demo test covered slow check bench peers mutants fuzz lock clean

help:  ## this list
	@echo "usage: make TARGET [NAME=VALUE]"; echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.developer  ## the virtual environment, from the lock file, with every tool

demo: $(runnable)  ## the whole story, offline, narrated (DIR=demo)
	@$(python) -m imgtrust demo $(DIR)

test: $(VENV)/.developer  ## all tests but the slow ones, in parallel; every branch of the core covered
	@rm -f .coverage .coverage.*
	$(bin)/pytest -n $(JOBS) --dist worksteal --cov=imgtrust --cov-report= $(PYTEST) $(TESTS)
	@$(MAKE) --no-print-directory covered

covered: $(VENV)/.developer  ## whether the last `make test` came by every branch of the core
	@$(bin)/coverage report --include='$(core_globs)' --fail-under=100
	@echo "the core is covered, every branch"

slow: $(VENV)/.developer  ## the tests that take minutes
	$(bin)/pytest -n $(JOBS) --dist worksteal $(PYTEST) -m slow

check: $(VENV)/.developer  ## format, lint, types, docstrings, architecture, documents; all are run, then one fails
	@status=0; \
	step() { echo "-- $$*"; "$$@" || status=1; }; \
	step $(bin)/ruff check .; \
	step $(bin)/ruff format --check .; \
	step $(bin)/mypy --strict; \
	step $(bin)/interrogate -q imgtrust; \
	step $(bin)/pytest -q -n 0 tests/test_architecture.py $(wildcard tests/docs); \
	exit $$status

bench: $(VENV)/.developer  ## speed against the peers, side by side; writes docs/reference/benchmarks.md
	$(python) -m tests.benchmarks $(BENCH)

peers:  ## cosign, crane, oras, regctl and two registries, built with Go into a cache outside the tree
	@tests/peers/build.sh

mutants: $(VENV)/.developer  ## remove each check of the core in turn; a test must notice
	$(python) -m tests.mutants $(MUTANTS)

fuzz: $(VENV)/.developer  ## a million cases of bad input: none may raise, none may be believed (FUZZ="--seed 7")
	$(python) -m tests.fuzz $(FUZZ)

lock: $(VENV)/.developer  ## the two lock files anew, from pyproject.toml (UPGRADE=--upgrade)
	@$(python) tests/fixtures/locking.py $(UPGRADE)

clean:  ## what was made here, but not the caches outside the tree
	rm -rf $(VENV) $(demos) dist build .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(python):
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(python)
	$(python) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.developer: requirements-dev.txt pyproject.toml | $(python)
	$(python) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(python) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
