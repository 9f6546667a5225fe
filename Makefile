# make demo | test | native | tsan | asan | seeded | exhaustive | lint | bench | docs | clean
#
# Each works as the first thing run in a fresh clone: it makes .venv, installs what it needs from PyPI, compiles, runs.
# PYTHON=python3.12 chooses the interpreter, ARGS= is handed on to what is run, BOCMAT_BLAS=system uses the system's
# OpenBLAS.
SHELL := bash
VENV ?= .venv
PYTHON ?=
ARGS ?=
SEEDS ?= 1000
RUN := $(VENV)/bin/python
ENV := tools/env.sh $(VENV)

.PHONY: help demo test native tsan asan seeded exhaustive lint format bench docs clean

help:
	@sed -n '1,5s/^# \{0,1\}//p' Makefile

demo:
	@$(ENV) demo "$(PYTHON)"
	@$(RUN) -m bocmat.examples.digits $(ARGS)

test:
	@$(ENV) test "$(PYTHON)"
	@$(RUN) -m pytest -n auto --maxprocesses=4 $(ARGS)

# C programs that drive kernels/ and runtime/ without Python.
native:
	@$(ENV) test "$(PYTHON)"
	@$(MAKE) --no-print-directory -C tests/native run PYTHON=$(abspath $(RUN))

tsan asan exhaustive:
	@$(MAKE) --no-print-directory -C tests/native $@

seeded:
	@$(MAKE) --no-print-directory -C tests/native seeded SEEDS=$(SEEDS)

lint:
	@$(ENV) lint "$(PYTHON)"
	@VENV=$(VENV) tools/lint.sh

format:
	@$(ENV) lint "$(PYTHON)"
	@$(VENV)/bin/clang-format -i $$(tools/c-files.sh)
	@$(VENV)/bin/ruff format .

bench:
	@$(ENV) test,bench "$(PYTHON)"
	@VENV=$(VENV) tools/bench.sh $(ARGS)

docs:
	@$(ENV) docs "$(PYTHON)"
	@$(VENV)/bin/sphinx-build -q -W -b html docs docs/_build/html
	@echo docs/_build/html/index.html

clean:
	rm -rf .venv build dist docs/_build src/bocmat/_core*.so src/*.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	@if [ -f tests/native/Makefile ]; then $(MAKE) --no-print-directory -C tests/native clean; fi
	find . -name __pycache__ -prune -exec rm -rf {} +
