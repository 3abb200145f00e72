# Six words: setup, demo, test, test-slow, check, bench. Each sets itself up; none needs root.
# `make demo` ends with the expert open in a browser, until Ctrl-C; GNOMON_DEMO_SERVE=0 make demo ends before that.
# Without a GPU on Linux, spare yourself torch's CUDA packages:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
TORCH_INDEX ?=
TORCH_FROM := $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
WORKSPACE ?= .gnomon

.PHONY: setup setup-test setup-dev setup-bench demo test test-slow check bench clean
.DEFAULT_GOAL := setup

setup: $(VENV)/.ready-all
setup-test: $(VENV)/.ready-test
setup-dev: $(VENV)/.ready-dev
setup-bench: $(VENV)/.ready-bench

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Gnomon needs Python 3.11 or newer; give one with: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "No virtual environment could be made; on Debian: apt install python3-venv" >&2; exit 2; }

# torch first: what comes after is then satisfied with this build of it.
$(VENV)/.ready-%: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Setting up $(VENV) ($*); this takes a few minutes the first time."
	@$(PIP) install -c constraints.txt pip
	@$(PIP) install -c constraints.txt $(TORCH_FROM) torch
	@$(PIP) install -c constraints.txt -e '.[$*]'
	@touch $@

demo: setup
	@BIN=$(BIN) WORKSPACE=$(WORKSPACE) sh demo.sh

test: setup-test
	@$(BIN)/python -m pytest -n 2 --dist worksteal

# What is too long for every day: launchers, two machines, the whole specialist; one at a time, since they use all cores.
test-slow: setup-test
	@$(BIN)/python -m pytest -m slow --timeout 1800

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/house

bench: setup-bench
	@$(BIN)/python -m bench

clean:
	rm -rf $(VENV) $(WORKSPACE) .pytest_cache .mypy_cache .ruff_cache
