# Each target makes the virtual environment that it needs; Python 3.11+, venv and pip suffice.
# Overridable: PYTHON (the interpreter), VENV (where the environment goes), JOBS (test processes).

PYTHON ?= python3
VENV ?= .venv
# One more than two cores: tests of clusters and programs wait for other processes.
JOBS ?= 3
BIN := $(VENV)/bin
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --kernels $(abspath $(VENV)/kernels)

.PHONY: help demo test test-cluster lint bench soak docs clean

help:
	@echo "make demo   the headline computation at full size, then on real files"
	@echo "make test   all tests that this machine can run, examples in docstrings included"
	@echo "make test-cluster  those of arrays and frames on a cluster; of arrays make test runs one variant each"
	@echo "make lint   style, types, conda files, changelog fragments"
	@echo "make bench  the table of benchmarks, against the libraries of the field"
	@echo "make soak   a thousand computations, which leave nothing behind"
	@echo "make docs   the documentation, into docs/site"
	@echo "make clean  remove what the other targets made"

demo: $(VENV)/.with-zarr
	$(BIN)/python -m benchmarks.demo

test: $(VENV)/.with-dev
	rm -rf $(VENV)/kernels
	$(PYTEST) tests_cpu tests
	$(PYTEST) tests_cpu/array --backend fake --pool fifth
	$(PYTEST) tests_cpu/dataframe --backend fake
	$(PYTEST) tests_cpu/array --engine distributed --variants 1

test-cluster: $(VENV)/.with-dev
	$(BIN)/python -m pytest tests_cpu/array tests_cpu/dataframe --engine distributed

lint: $(VENV)/.with-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/yamllint --strict -c conda/.yamllint conda .pre-commit-config.yaml
	$(BIN)/python conda/check.py
	$(BIN)/pre-commit validate-config
	$(BIN)/towncrier build --draft --version next >$(VENV)/changelog.txt

bench: $(VENV)/.with-bench
	$(BIN)/python -m benchmarks run

soak: $(VENV)/.with-dev
	$(BIN)/python -m benchmarks.soak

docs: $(VENV)/.with-docs
	$(BIN)/mkdocs build --strict --config-file docs/mkdocs.yml

clean:
	rm -rf $(VENV) build dist docs/site *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# $(VENV)/.with-EXTRA stands for "gpuscale is installed from here, with this extra".
$(VENV)/.with-%: pyproject.toml setup.py | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "gpuscale needs Python 3.11 or newer, and $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>/dev/null || echo missing); name another: make PYTHON=python3.12 ..." >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment;" \
	    "on Debian and Ubuntu: apt install python3-venv" >&2; \
	  exit 1; }
