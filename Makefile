# On a fresh machine with Python 3.11 or newer and make: `make play` and `make test` do all the
# set-up that they need, from the committed locks.

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help play test lint check bench soak lock picture clean

help:
	@echo "make play     open the game"
	@echo "make test     run the tests        make lint    style, types, imports"
	@echo "make check    check the missions   make bench   measure speed, as ratios"
	@echo "make soak     the long tests: every track by keys, the whole gate, the class view"

play: $(VENV)/.play
	@if [ -t 0 ] && [ -t 1 ]; then $(RUN)/python -m mission_tui; else \
	  echo "No terminal here: the reference bot plays, and this is the ledger that it sealed." >&2; \
	  $(RUN)/python -m mission_tui autoplay vol2-11-edge-intelligence --track edge --bot reference; fi

test: $(VENV)/.dev
	$(RUN)/python -m pytest -n auto $(ARGS)

soak: $(VENV)/.dev
	$(RUN)/python -m pytest -n auto -m soak $(ARGS)

lint: $(VENV)/.dev
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache

check: $(VENV)/.play
	$(RUN)/python -m mission_tui check $(ARGS)

bench: $(VENV)/.dev
	@$(RUN)/python -m pip install -q --disable-pip-version-check datasketch 2>/dev/null || \
	  echo "datasketch can't be had: no ratio to it" >&2
	$(RUN)/python -m benchmarks $(ARGS)

picture: $(VENV)/.dev
	$(RUN)/python -m benchmarks.picture docs/workbench.svg

lock: $(VENV)/.dev
	$(RUN)/python -m pip install -q uv
	$(RUN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	  pyproject.toml -o locks/play.txt
	$(RUN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	  -c locks/play.txt --group pyproject.toml:dev pyproject.toml -o locks/dev.txt

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# A stamp is as good as the lock it was made from: a changed lock, or another Python, makes it anew.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Making the environment in $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.play: locks/play.txt $(VENV)/.made
	@$(RUN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/play.txt
	@touch $@

$(VENV)/.dev: locks/dev.txt $(VENV)/.made
	@$(RUN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/dev.txt
	@touch $@ $(VENV)/.play
