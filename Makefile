# Calibrary: `make demo` shows it at work, `make test` runs the tests.
PYTHON ?= python3
BIN := .venv/bin

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Calibrary needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

.venv/.dev: requirements-dev.lock .venv/.installed
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@

.PHONY: env dev lock wheel
env: .venv/.installed  ## .venv with the locked dependencies and the package

dev: .venv/.dev  ## the same, with what tests and checks need

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --extra slurm --extra build
lock:  ## resolve the dependencies anew into requirements.lock and requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) uv
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

wheel: env  ## dist/calibrary-….whl, which holds all
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

.PHONY: demo
demo: env  ## simulate one small night, run the workflow on it, show what it made
	$(BIN)/calibrary demo demo

.PHONY: test test-slow
test: dev  ## the tests of every day, below 10 minutes
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: dev  ## the tests that take longer
	$(BIN)/pytest -m slow

.PHONY: lint format
lint: dev  ## style, types, workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32
	$(BIN)/mypy --platform darwin
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/pytest tests/workflow/test_lint.py
	$(BIN)/python -m calibrary.config --check

format: dev  ## put all files into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

.PHONY: bench bench-scale bench-report
bench: dev  ## time headers, pixels and the engine beside its peers; writes benchmarks/RESULTS.md
	$(BIN)/python benchmarks/headers.py
	$(BIN)/python benchmarks/pixels.py
	$(BIN)/python -m benchmarks

bench-report: dev  ## time the report of 500 masters in a browser; prints it
	$(BIN)/python -m benchmarks.report

bench-scale: dev  ## time the DAG with 100,000 frames; appends to benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.scale

.PHONY: clean help
clean:  ## remove the demo and the environment
	rm -rf demo .venv

help:
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
