# `make demo` and `make test` need Python 3.11 or later and nothing else; they make .venv themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: help demo test lint types unit test-system bench bench-launcher docs lock clean

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: $(INSTALLED) ## Watch a whole job run on this machine: no AWS, no Docker
	$(BIN)/s3reclass demo

test: lint types unit ## Lint, types and tests

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cfn-lint orchestrator/stack.yaml

types: $(INSTALLED)
	$(BIN)/mypy

unit: $(INSTALLED)
	$(BIN)/pytest -m "not system" -n 2 --dist loadfile

test-system: $(INSTALLED) ## The four commands with real containers: needs a Docker engine
	$(BIN)/pytest -m system -n 2 --dist loadgroup tests/system tests/fidelity/test_box.py tests/faults

bench: $(INSTALLED) ## The worker beside other clients, on a stub S3 (under 10 minutes; QUICK=1: a look, written nowhere)
	$(BIN)/python -m benchmarks.bench $(if $(QUICK),--quick)

bench-launcher: $(INSTALLED) ## Measure the launcher with 10 to 2,000 lots: calls, memory, time (some 20 minutes)
	$(BIN)/python -m benchmarks.launcher

docs: $(INSTALLED) ## Write docs/commands.md anew from the commands' help, and docs/scale.md's figures
	$(BIN)/python -m tests.command_docs > docs/commands.md
	$(BIN)/python -m tests.scale_docs > docs/scale.md

lock: ## Pin the newest versions that pyproject.toml allows (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
	  --upgrade --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
	  --upgrade -c requirements/dev.txt requirements/worker.in -o requirements/worker.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
	  --upgrade requirements/system.in -o requirements/system.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
	  --upgrade requirements/bench.in -o requirements/bench.txt

clean: ## Remove what make made
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Pinned with hashes, and --no-deps: with a newer release about, pip would resolve a requirement that has an extra again.
# No isolation, so that nothing outside the pins is fetched. --no-compile, as most of what is installed is never
# imported: a third of the time.
$(INSTALLED): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
