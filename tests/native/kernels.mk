# The kernels' own tests, alone or included: from the root, make -f tests/native/kernels.mk test-kernels
# OPENBLAS is a folder with lib/; by default that of the scipy-openblas32 wheel of $(PYTHON).
PYTHON ?= python3
OPENBLAS ?= $(shell $(PYTHON) -c 'import scipy_openblas32 as s, os; print(os.path.dirname(s.__file__))')
KERNELS_OUT ?= build/native
KERNELS_FLAGS ?= -std=c11 -pthread -O3 -g -ffp-contract=off -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes
KERNELS_SANITIZE = -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
KERNELS_LIBS = -L$(OPENBLAS)/lib -Wl,-rpath,$(OPENBLAS)/lib -lscipy_openblas -lm
KERNELS_HEADERS = $(wildcard kernels/*.h kernels/*.def tests/native/kernels_*.h)
KERNELS_NAMES = $(notdir $(basename $(wildcard kernels/*.c)))
# A program a family, each built twice; and the first once more with products cut short.
KERNELS_PROGRAMS = test_kernels $(notdir $(basename $(wildcard tests/native/kernels_*.c)))
KERNELS_TESTS = $(KERNELS_PROGRAMS:%=$(KERNELS_OUT)/%) $(KERNELS_OUT)/test_kernels_split \
    $(KERNELS_PROGRAMS:%=$(KERNELS_OUT)/%_asan)

.PHONY: test-kernels
.SECONDARY:
test-kernels: $(KERNELS_TESTS)
	for test in $^; do $$test || exit 1; done

$(KERNELS_OUT)/kernels/%.o: kernels/%.c $(KERNELS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) -c $< -o $@

$(KERNELS_OUT)/kernels/%.o: tests/native/%.c $(KERNELS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) -c $< -o $@

$(KERNELS_OUT)/kernels-asan/%.o: kernels/%.c $(KERNELS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) $(KERNELS_SANITIZE) -c $< -o $@

$(KERNELS_OUT)/kernels-asan/%.o: tests/native/%.c $(KERNELS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) $(KERNELS_SANITIZE) -c $< -o $@

$(KERNELS_OUT)/%_asan: $(KERNELS_OUT)/kernels-asan/%.o $(KERNELS_NAMES:%=$(KERNELS_OUT)/kernels-asan/%.o)
	$(CC) $(KERNELS_FLAGS) $(KERNELS_SANITIZE) $^ -o $@ $(KERNELS_LIBS)

# Products are cut where BLAS's 32-bit sizes end; here, as if they ended at 24.
$(KERNELS_OUT)/kernels/gemm_split.o: kernels/gemm.c $(KERNELS_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(KERNELS_FLAGS) -DMK_BLAS_LIMIT=24 -c $< -o $@

$(KERNELS_OUT)/test_kernels_split: $(KERNELS_OUT)/kernels/test_kernels.o \
        $(patsubst %/gemm.o,%/gemm_split.o,$(KERNELS_NAMES:%=$(KERNELS_OUT)/kernels/%.o))
	$(CC) $(KERNELS_FLAGS) $^ -o $@ $(KERNELS_LIBS)

$(KERNELS_OUT)/%: $(KERNELS_OUT)/kernels/%.o $(KERNELS_NAMES:%=$(KERNELS_OUT)/kernels/%.o)
	$(CC) $(KERNELS_FLAGS) $^ -o $@ $(KERNELS_LIBS)
