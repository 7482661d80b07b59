# The two commands that matter: `make demo` and `make test`. Neither needs anything before it but
# Python 3.11 or newer; what they install stays in .venv, and a second run needs no network.

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
comma := ,
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --require-hashes --no-deps -r

.PHONY: help demo test browser test-deps test-oldest test-newest test-steady bench docs lock clean build/deps/oldest build/deps/newest
.DELETE_ON_ERROR:

help:
	@echo "make demo   install what the demo needs, run it, write report.html"
	@echo "make test   install what the tests need; lint, types, layers and all tests"
	@echo "make browser  install Debian's Chromium for the tests of the pages (needs root and the network)"
	@echo "make test-deps    the tests with the oldest and with the newest allowed versions (needs the network)"
	@echo "make test-steady  the tests RUNS times, in random order, on a busy machine (hours)"
	@echo "make bench  speed and memory, side by side with the peer; then what training reaches (an hour)"
	@echo "make docs   the documentation as a site in docs/_build/html"
	@echo "make lock   resolve requirements/*.txt anew (needs the network)"
	@echo "make clean  remove .venv and everything that was generated"

demo: $(VENV)/demo.done $(VENV)/package.done
	$(BIN)/restock demo --out report.html

test: $(VENV)/test.done $(VENV)/package.done
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n $(JOBS)

# Python's registry has no browser. Without one the tests of the pages are skipped, and say so.
browser:
	@command -v chromium >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; }

# What users have is not what is pinned: the oldest versions that pyproject.toml allows, and the newest. Each gets
# an environment of its own, made anew every time; DEPS_TESTS names what is run there.
DEPS := build/deps
DEPS_EXTRAS := viz,data,server,llm
DEPS_TESTS ?= tests/core tests/demand tests/problems tests/envs tests/solvers tests/policies tests/evaluation \
  tests/published tests/conformance tests/report tests/cli tests/server tests/agents
# These need torch, openenv, schemathesis or moviepy, which are not installed there.
DEPS_LEFT_OUT := --ignore=tests/envs/test_checkers.py --ignore=tests/server/test_fuzz.py \
  --ignore=tests/server/test_openenv.py --deselect=tests/envs/test_render.py::test_record_video \
  --deselect=tests/report/test_training.py::test_explaining_another_problem_stops_before_anything_is_played
DEPS_RUN = RESTOCK_CACHE_DIR=$(abspath $@.cache) $@/bin/python -m pytest -n $(JOBS) -p no:cacheprovider \
  $(DEPS_LEFT_OUT) $(DEPS_TESTS)

test-deps: test-oldest test-newest
test-oldest: $(DEPS)/oldest
test-newest: $(DEPS)/newest

$(DEPS)/newest:
	$(PYTHON) -m venv --clear $@
	$@/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[$(DEPS_EXTRAS)]' -r requirements/deps.in
	$(DEPS_RUN)

# uv finds the oldest; pip cannot.
$(DEPS)/oldest: | $(VENV)/made.done
	$(PIP) install --quiet uv
	@mkdir -p $(DEPS)
	$(BIN)/uv pip compile --quiet --upgrade --resolution lowest-direct --only-binary :all: --python $(BIN)/python --no-header \
	  --no-emit-index-url --annotation-style line --extra $(subst $(comma), --extra ,$(DEPS_EXTRAS)) pyproject.toml \
	  --output-file $@.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $@
	$(BIN)/uv pip install --quiet --python $@/bin/python --constraints $@.txt -r $@.txt -r requirements/deps.in
	$(BIN)/uv pip install --quiet --python $@/bin/python --no-deps --editable .
	$(DEPS_RUN)

# Ten times in random order, with a busy loop on every core: what leans on time, on order or on another test falls.
RUNS ?= 10
STEADY_TESTS ?=

test-steady: $(VENV)/test.done $(VENV)/package.done
	$(BIN)/python -m tests.house.steady --runs $(RUNS) --jobs $(JOBS) $(STEADY_TESTS)

bench: $(VENV)/test.done $(VENV)/package.done
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks learning

# -W: a warning is a failure. The site needs no network, neither to be built nor to be read.
docs: $(VENV)/docs.done $(VENV)/package.done
	$(BIN)/python -m sphinx -W --keep-going -E -q -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

# Each step below leaves a file behind when it is done, so it is not done twice.
$(VENV)/made.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "restock needs Python 3.11 or newer, and '$(PYTHON)' is not. Name one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/demo.done: requirements/demo.txt | $(VENV)/made.done
	@echo "Installing what restock needs (requirements/demo.txt) into $(VENV) ..."
	$(INSTALL) requirements/demo.txt
	@touch $@

# Everything is named and hashed but torch, whose builds differ from machine to machine; what torch
# needs besides itself is in test.txt, so its step adds only torch where a CPU build is offered.
$(VENV)/test.done: requirements/test.txt requirements/torch.txt | $(VENV)/demo.done
	@echo "Installing what the tests need (requirements/test.txt, torch.txt) into $(VENV) ..."
	$(INSTALL) requirements/test.txt
	$(PIP) install --quiet -r requirements/torch.txt
	$(PIP) check
	@touch $@

$(VENV)/docs.done: requirements/docs.txt | $(VENV)/demo.done
	@echo "Installing what the documentation needs (requirements/docs.txt) into $(VENV) ..."
	$(INSTALL) requirements/docs.txt
	@touch $@

# Built with what requirements/demo.txt brought: no network.
$(VENV)/package.done: pyproject.toml | $(VENV)/demo.done
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --annotation-style line

lock: | $(VENV)/made.done
	$(PIP) install --quiet uv
	$(LOCK) pyproject.toml requirements/build.in requirements/test.in --extra viz --extra data --extra dev \
	  --excludes requirements/torch.txt --output-file requirements/test.txt
	$(LOCK) pyproject.toml requirements/build.in --extra viz \
	  --constraints requirements/test.txt --output-file requirements/demo.txt
	$(LOCK) pyproject.toml requirements/build.in --extra viz --extra docs \
	  --constraints requirements/test.txt --output-file requirements/docs.txt

clean:
	rm -rf $(VENV) build dist runs docs/_build report.html .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
