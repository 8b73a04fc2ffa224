# make run     set up, run the typical days of the default scenario, say where the report is
# make test    set up, run all checks
# make check   the text and the quick tests, in about a minute once all is set up
# make docs    the pages that are made from the code, then the site in site/ (open site/index.html)

# The first Python on the path that runs and is new enough; `make PYTHON=/path/to/python` chooses another.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$one $(NEW_ENOUGH) 2>/dev/null && echo $$one && break; done)
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test check quick kernels lint bench validate docs release-check lock clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "make lint | bench | validate | release-check | lock | clean"

.venv/.run: pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "heptagrid needs Python 3.11 or newer on the path"; exit 1; }
	@$(PYTHON) $(NEW_ENOUGH) || { echo "heptagrid needs Python 3.11 or newer; $(PYTHON) is older"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.test: .venv/.run requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.lock
	@touch $@

run: kernels
	$(BIN)/heptagrid run --typical

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The checks of the text take the core that the quick tests leave.
check: .venv/.test
	@$(MAKE) --no-print-directory -j 2 lint quick

quick: .venv/.test
	$(BIN)/python -m pytest -q -m "not slow and not long" -n 2 --dist worksteal

kernels: .venv/.run
	$(BIN)/heptagrid compile

# The checks of the text and the compilation keep one core each.
test: .venv/.test
	@$(MAKE) --no-print-directory -j 2 lint kernels
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal --durations=25

bench: .venv/.test
	$(BIN)/python benchmarks/radial_sweep.py
	$(BIN)/python benchmarks/city.py
	$(BIN)/python benchmarks/unbalanced.py
	$(BIN)/python benchmarks/message_kernel.py
	$(BIN)/python benchmarks/carry.py
	$(BIN)/python benchmarks/million_meters.py
	$(BIN)/python benchmarks/real_time.py
	$(BIN)/python benchmarks/bills.py
	$(BIN)/python benchmarks/devices.py
	$(BIN)/python benchmarks/whole_step.py
	$(BIN)/python benchmarks/live_ocpp.py

validate: .venv/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[validate]"
	$(BIN)/heptagrid validate --live
	$(BIN)/python -m pytest -m slow

docs: .venv/.test
	$(BIN)/python tools/reference_page.py docs/reference/parameters.md
	$(BIN)/python tools/technology_page.py docs/technologies.md
	$(BIN)/python tools/verdict_page.py docs/verdicts.md
	$(BIN)/python tools/topics_page.py docs/messages.md
	$(BIN)/python -m sphinx --fail-on-warning --keep-going -q docs site

# The archives of a release, in dist/, and a look into them; without network.
release-check: .venv/.test
	rm -rf dist
	$(BIN)/python tools/release_check.py dist

# Exact versions of what is installed, without naming any package index.
lock: .venv/.test
	$(BIN)/python tools/write_locks.py

clean:
	rm -rf .venv build dist site *.egg-info
