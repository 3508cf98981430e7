# `make demo` and `make test` need Python 3.11 or later and nothing else; they make .venv-demo and .venv themselves.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help demo test lint types unit test-system bench bench-launcher docs lock dist clean python

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: .venv-demo/installed ## Watch a whole job run on this machine: no AWS, no Docker
	PYTHONPATH="$(CURDIR)" .venv-demo/bin/python -m orchestrator demo

test: lint types unit ## Lint, types and tests

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cfn-lint orchestrator/stack/stack.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/zizmor --offline --quiet --no-progress .github
	$(BIN)/pre-commit validate-config .pre-commit-config.yaml
	$(BIN)/python -m tests.commit_subjects

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

docs: $(INSTALLED) ## Write docs/commands.md and the man page anew from the commands' help, and docs/scale.md's figures
	$(BIN)/python -m tests.command_docs > docs/commands.md
	$(BIN)/python -m tests.man_page > docs/s3reclass.1
	$(BIN)/python -m tests.scale_docs > docs/scale.md

dist: .venv-release/installed ## Build the sdist and, from it, the wheel; check both
	rm -rf dist
	.venv-release/bin/python -m build --no-isolation
	.venv-release/bin/twine check --strict dist/*

# One resolution for Python 3.11 and later on every system; the smaller locks agree with dev.txt where they may.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
  --upgrade -c requirements/wheels.in

lock: ## Pin the newest versions that pyproject.toml allows, and see that each has a wheel everywhere (needs uv)
	$(COMPILE) --extra dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --extra demo -c requirements/dev.txt pyproject.toml -o requirements/demo.txt
	$(COMPILE) -c requirements/dev.txt requirements/worker.in -o requirements/worker.txt
	$(COMPILE) -c requirements/dev.txt requirements/release.in -o requirements/release.txt
	$(COMPILE) requirements/system.in -o requirements/system.txt
	$(COMPILE) requirements/bench.in -o requirements/bench.txt
	for python in 3.11 3.12 3.13 3.14; do for machine in x86_64 aarch64; do for system in unknown-linux-gnu apple-darwin; do \
	  for lock in demo dev release; do uv pip install --quiet --dry-run --only-binary :all: --no-deps --require-hashes \
	    --python-version $$python --python-platform $$machine-$$system --target .venv/none -r requirements/$$lock.txt || exit 1; \
	done; done; done; done

clean: ## Remove what make made
	rm -rf .venv .venv-demo .venv-release dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Each asks every time, which takes a moment: an environment may have been made by another lock or Python, or moved.
$(INSTALLED): python
	@$(PYTHON) requirements/install.py .venv requirements/dev.txt --project

.venv-demo/installed: python
	@$(PYTHON) requirements/install.py .venv-demo requirements/demo.txt

.venv-release/installed: python
	@$(PYTHON) requirements/install.py .venv-release requirements/release.txt

python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed, and $(PYTHON) is %d.%d: name another, as in `make PYTHON=python3.13 demo`" % sys.version_info[:2])'
