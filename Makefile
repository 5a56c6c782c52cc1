# Calibrary: `make demo` shows it at work, `make test` runs the tests.
PYTHON ?= python3
BIN := .venv/bin

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Calibrary needs Python 3.11 or newer; try make PYTHON=python3.12" * (sys.version_info < (3, 11)))'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.PHONY: env lock
env: .venv/.installed  ## .venv with the locked dependencies and the package

lock: env  ## resolve the dependencies anew into requirements.lock
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --extra dev --output-file requirements.lock pyproject.toml
