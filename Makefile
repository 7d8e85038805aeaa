# make demo: a picture in a minute.  make wheel: dist/.  make test: everything that has to pass.  make bench, bench-..., fuzz, mutate, soak: numbers.
# make operations, reliability: tables.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt

.PHONY: demo wheel test bench bench-networks bench-estimators bench-accelerator bench-limits bench-page fuzz mutate soak operations reliability clean

demo: $(VENV)/.installed
	$(BIN)/splineviz slice demo -o demo.png -o demo.svg
	@echo "The pictures are $(CURDIR)/demo.png and $(CURDIR)/demo.svg"

# with the kernels of a slice, compiled for all processors of the level x86-64-v3; only for the numba of constraints.txt
wheel: $(VENV)/.installed
	rm -rf build/kernels splineviz/kernels
	mkdir -p build/kernels
	NUMBA_CACHE_DIR=build/kernels NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES= $(BIN)/splineviz slice demo -o build/demo.png
	mkdir splineviz/kernels
	cp build/kernels/*/*.nbi build/kernels/*/*.nbc splineviz/kernels
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist .
	rm -rf splineviz/kernels

test: $(VENV)/.installed-dev
ifdef CI
	@! $(BIN)/python -m pip list --format=freeze --disable-pip-version-check | grep '^nvidia-' \
	  || { echo "CI must run on the CPU build of torch, and the nvidia-* packages above came with another one"; exit 1; }
endif
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

bench: $(VENV)/.installed-bench
	$(BIN)/python bench/run.py

bench-networks: $(VENV)/.installed-bench
	$(BIN)/python bench/networks.py
	$(BIN)/python bench/proofs.py

bench-estimators: $(VENV)/.installed-bench
	$(BIN)/python bench/estimators.py

bench-accelerator: $(VENV)/.installed
	$(BIN)/python bench/accelerator.py

bench-limits: $(VENV)/.installed
	$(BIN)/python bench/limits.py

bench-page: $(VENV)/.installed-dev
	$(BIN)/python bench/page.py

# CASES=50000, MINUTES=30, JOBS=2; a run goes on where the last one of the same code ended
fuzz: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz \
	  $(if $(CASES),--cases $(CASES)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(JOBS),--jobs $(JOBS))

# MUTANTS=200, MINUTES=60, SEED=1; what tests have found is not tried again while its file is as it was
mutate: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.mutation \
	  $(if $(MUTANTS),--mutants $(MUTANTS)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

# MINUTES=60, TRIALS=1000, JOBS=2; a run goes on where the last one of the same code ended
soak: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak \
	  $(if $(TRIALS),--trials $(TRIALS),--minutes $(or $(MINUTES),60)) $(if $(JOBS),--jobs $(JOBS))

operations: $(VENV)/.installed
	$(BIN)/python docs/write_operations.py

reliability: $(VENV)/.installed-dev
	$(BIN)/python -m tests.soak.page

clean:
	rm -rf $(VENV) build demo.png demo.svg

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "splineviz needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV) (torch is large; the first time takes a few minutes)"
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV) (torch is large; the first time takes a few minutes)"
	$(PIP) -e '.[dev,dask,onnx,parquet,safetensors,video]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/.installed
	$(PIP) -e '.[bench]'
	@touch $@
