# The kernels' own test, alone or included: from the root, make -f tests/native/kernels.mk test-kernels
# OPENBLAS is a folder with lib/; by default that of the scipy-openblas32 wheel of $(PYTHON).
PYTHON ?= python3
OPENBLAS ?= $(shell $(PYTHON) -c 'import scipy_openblas32 as s, os; print(os.path.dirname(s.__file__))')
KERNELS_OUT ?= build/native
KERNELS_FLAGS ?= -std=c11 -O3 -g -ffp-contract=off -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes
KERNELS_SANITIZE = -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
KERNELS_LIBS = -L$(OPENBLAS)/lib -Wl,-rpath,$(OPENBLAS)/lib -lscipy_openblas -lm
KERNELS_SOURCES = $(notdir $(wildcard kernels/*.c))
KERNELS_HEADERS = $(wildcard kernels/*.h kernels/*.def) $(wildcard tests/native/kernels_*.h)
# Families whose tests are programs of their own.
KERNELS_FAMILIES = kernels_gather kernels_linalg kernels_vectors
KERNELS_PROGRAMS = test_kernels $(KERNELS_FAMILIES)
KERNELS_TESTS = $(KERNELS_PROGRAMS:%=$(KERNELS_OUT)/%) $(KERNELS_PROGRAMS:%=$(KERNELS_OUT)/%_asan) \
    $(KERNELS_OUT)/test_kernels_split

.PHONY: test-kernels
test-kernels: $(KERNELS_TESTS)
	for test in $^; do $$test || exit 1; done

# The kernels are compiled once a variant: as they are; with sanitizers; and with products, which are cut where BLAS's
# 32-bit sizes end, cut as if they ended at 24, and sorting that gives pivots up at once.
kernels_plain_FLAGS =
kernels_asan_FLAGS = $(KERNELS_SANITIZE)
kernels_split_FLAGS = -DMK_BLAS_LIMIT=24 -DMK_SORT_PATIENCE=0

define kernels_variant
.SECONDARY: $$(KERNELS_SOURCES:%.c=$$(KERNELS_OUT)/kernels_$(1)/%.o)

$$(KERNELS_OUT)/kernels_$(1)/%.o: kernels/%.c $$(KERNELS_HEADERS)
	mkdir -p $$(@D)
	$$(CC) $$(KERNELS_FLAGS) $$(kernels_$(1)_FLAGS) -c $$< -o $$@

$$(KERNELS_OUT)/%$(2): tests/native/%.c $$(KERNELS_SOURCES:%.c=$$(KERNELS_OUT)/kernels_$(1)/%.o)
	$$(CC) $$(KERNELS_FLAGS) $$(kernels_$(1)_FLAGS) $$^ -o $$@ $$(KERNELS_LIBS)
endef
$(eval $(call kernels_variant,asan,_asan))
$(eval $(call kernels_variant,split,_split))
$(eval $(call kernels_variant,plain,))
