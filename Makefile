# Everything the project does, by name: `make` lists it.

MANIFEST ?= manifests/posenet.toml

VENV := .venv
PY   := $(VENV)/bin/python
PIP  := $(PY) -m pip --quiet --disable-pip-version-check install --constraint constraints.txt
NODE := tests/node/node_modules

# Folders or files of tests, and options of pytest: `make test T=tests/link`, `make quick T="-k dtype"`.
T ?=
# What `make quick` runs: the rooms that mostly work without TensorFlow, Node.js or another program.
QUICK := artifacts disk ir link manifest ops outputs report rewrites serving soundness tfjs
# Processes that run the test suite; a file of tests stays in one of them.
P ?= 2
PYTEST := -m pytest --numprocesses $(P) --dist loadfile
# Python and TensorFlow of `make matrix`, the oldest and the newest that we support.
MATRIX ?= 3.10-2.16 3.11-2.19 3.13-newest

# The first Python that runs, can make an environment, and has a TensorFlow. A `python3.12` on the path proves nothing:
# version managers leave stand-ins there that only fail.
USABLE := import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.10; do \
	"$$name" -c '$(USABLE)' 2>/dev/null && echo "$$name" && break; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help build quick test test-all matrix check format fuzz fuzz-coverage kills bundles bench clean distclean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z%\/-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(VENV)/core ## build MANIFEST (manifests/posenet.toml) into dist
	$(PY) -m bundler build $(MANIFEST)

dist/%: manifests/%.toml $(VENV)/core FORCE ## build manifests/NAME.toml into dist/NAME
	$(PY) -m bundler build $< --output $@

bundles: $(patsubst manifests/%.toml,dist/%,$(wildcard manifests/*.toml)) ## build every manifest

quick: $(VENV)/dev ## what can be tested in seconds: no TensorFlow, no Node.js
	$(PY) -m pytest --quick -r fE $(or $(T),$(QUICK:%=tests/%))

test: $(VENV)/all $(NODE)/.done ## the test suite, or the part T: make test T=tests/link
	$(PY) $(PYTEST) $(T)

test-all: test ## the test suite, then its slow part
	$(PY) $(PYTEST) -m slow $(T)

# An environment holds what a user without the extra `layers` has: tests that need it say that they are skipped.
matrix: ## the test suite, or its part T, on each Python and TensorFlow of MATRIX
	$(MAKE) --no-print-directory --keep-going $(MATRIX:%=matrix/%)

matrix/%: .matrix/%/done $(NODE)/.done FORCE
	.matrix/$*/bin/python $(PYTEST) $(T)

check: $(VENV)/dev ## lint, format, spelling, words, types, direction of imports
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/typos
	$(PY) -m mypy
	$(PY) -m pytest --quiet tests/test_architecture.py tests/test_words.py

format: $(VENV)/dev ## put the code in order
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(VENV)/all $(NODE)/.done ## measure time and memory
	$(PY) -m bench

fuzz: $(VENV)/all ## build and look at N (30000) inputs that mean harm; SEED=… repeats a run
	$(PY) -m tests.fuzz.run --count $(or $(N),30000) $(if $(SEED),--seed $(SEED))

kills: $(VENV)/all ## kill builds at N (200) points in time
	KILLS=$(or $(N),200) $(PY) -m pytest -m slow tests/verbs/test_kills.py

# atheris and the libFuzzer in it are wanted for this alone: they are installed beside the rest, not with it.
fuzz-coverage: $(VENV)/all ## fuzz the reader by coverage for MINUTES (10)
	$(PIP) atheris
	mkdir -p fuzz-failures
	$(PY) -m tests.fuzz.coverage $(VENV)/fuzz-corpus -artifact_prefix=fuzz-failures/ -max_len=8192 \
		-max_total_time=$$(($(or $(MINUTES),10) * 60)) -timeout=10 -rss_limit_mb=2048

clean: ## remove what was built
	rm -rf dist build fuzz-failures *.egg-info .pytest_cache .ruff_cache .mypy_cache bench/results
	find . \( -path ./$(VENV) -o -name node_modules \) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove what was installed, too
	rm -rf $(VENV) .matrix $(NODE)

# Installed in four steps, each with a file that says it was finished: a step that was interrupted is done again, and
# one that is done costs nothing. --no-compile: Python compiles what it imports, and a build imports next to nothing of
# TensorFlow.

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "no Python 3.10 to 3.13 with venv was found: name one, PYTHON=…" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(VENV)/core: pyproject.toml constraints.txt | $(VENV)/made
	$(PIP) --no-compile --editable .
	@touch $@

$(VENV)/dev: pyproject.toml constraints.txt $(VENV)/core
	$(PIP) --no-compile --editable '.[dask,dev]'
	@touch $@

$(VENV)/all: pyproject.toml constraints.txt $(VENV)/dev
	$(PIP) --no-compile --editable '.[layers,onnx,dask,dev]'
	@touch $@

.matrix/%/done: pyproject.toml
	python$(word 1,$(subst -, ,$*)) -m venv --clear .matrix/$*
	.matrix/$*/bin/python -m pip --quiet --disable-pip-version-check install --no-compile \
		--editable '.[onnx,dask,dev]' 'tensorflow$(patsubst %,==%.*,$(filter-out newest,$(word 2,$(subst -, ,$*))))'
	@touch $@

$(NODE)/.done: tests/node/package.json tests/node/package-lock.json
	cd tests/node && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
