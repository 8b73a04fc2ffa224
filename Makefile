# make run     set up, run the typical days of the default scenario, say where the report is
# make test    set up, run all checks

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test lint bench validate docs lock clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "make lint | bench | validate | docs | lock | clean"

.venv/.run: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("heptagrid needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.test: .venv/.run requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.lock
	@touch $@

run: .venv/.run
	$(BIN)/heptagrid compile
	$(BIN)/heptagrid run --typical

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/heptagrid compile
	$(BIN)/python -m pytest -m "not slow" -n 2

bench: .venv/.test
	$(BIN)/python benchmarks/radial_sweep.py
	$(BIN)/python benchmarks/message_kernel.py

validate: .venv/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[validate]"
	$(BIN)/python -m pytest -m slow

docs: .venv/.run
	$(BIN)/python tools/reference_page.py docs/reference/parameters.md

# Exact versions of what is installed, without naming any package index.
lock: .venv/.test
	$(BIN)/python tools/write_locks.py

clean:
	rm -rf .venv build dist *.egg-info
