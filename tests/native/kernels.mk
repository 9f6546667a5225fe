# The kernels' own test, alone or included: from the root, make -f tests/native/kernels.mk test-kernels
# OPENBLAS is a folder with lib/; by default that of the scipy-openblas32 wheel of $(PYTHON).
PYTHON ?= python3
OPENBLAS ?= $(shell $(PYTHON) -c 'import scipy_openblas32 as s, os; print(os.path.dirname(s.__file__))')
KERNELS_OUT ?= build/native
KERNELS_FLAGS ?= -std=c11 -O3 -g -ffp-contract=off -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes
KERNELS_SANITIZE = -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
KERNELS_LIBS = -L$(OPENBLAS)/lib -Wl,-rpath,$(OPENBLAS)/lib -lscipy_openblas -lm
KERNELS_SOURCES = $(wildcard kernels/*.c) tests/native/test_kernels.c
KERNELS_HEADERS = $(wildcard kernels/*.h kernels/*.def) $(wildcard tests/native/kernels_*.h)
# Families whose tests are programs of their own.
KERNELS_FAMILIES = kernels_gather kernels_linalg kernels_vectors
KERNELS_TESTS = $(KERNELS_OUT)/test_kernels $(KERNELS_OUT)/test_kernels_asan $(KERNELS_OUT)/test_kernels_split \
    $(KERNELS_FAMILIES:%=$(KERNELS_OUT)/%) $(KERNELS_FAMILIES:%=$(KERNELS_OUT)/%_asan)

.PHONY: test-kernels
test-kernels: $(KERNELS_TESTS)
	for test in $^; do $$test || exit 1; done

$(KERNELS_OUT)/test_kernels: $(KERNELS_SOURCES) $(KERNELS_HEADERS)
	mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) $(KERNELS_SOURCES) -o $@ $(KERNELS_LIBS)

$(KERNELS_OUT)/test_kernels_asan: $(KERNELS_SOURCES) $(KERNELS_HEADERS)
	mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) $(KERNELS_SANITIZE) $(KERNELS_SOURCES) -o $@ $(KERNELS_LIBS)

# Products are cut where BLAS's 32-bit sizes end; here, as if they ended at 24. Sorting gives pivots up at once.
$(KERNELS_OUT)/test_kernels_split: $(KERNELS_SOURCES) $(KERNELS_HEADERS)
	mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) -DMK_BLAS_LIMIT=24 -DMK_SORT_PATIENCE=0 $(KERNELS_SOURCES) -o $@ $(KERNELS_LIBS)

$(KERNELS_OUT)/kernels_%_asan: tests/native/kernels_%.c $(wildcard kernels/*.c) $(KERNELS_HEADERS)
	mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) $(KERNELS_SANITIZE) $(filter %.c,$^) -o $@ $(KERNELS_LIBS)

$(KERNELS_OUT)/kernels_%: tests/native/kernels_%.c $(wildcard kernels/*.c) $(KERNELS_HEADERS)
	mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) $(filter %.c,$^) -o $@ $(KERNELS_LIBS)
