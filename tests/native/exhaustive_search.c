/* The search of the exhaustive test, and what it takes the place of: see exhaustive.h. Depth first over states: what is
 * in the blocks of the runtime and on the fibers' stacks, bit by bit; a state that was seen (128 bits of hash) is not
 * searched again.
 */
#if defined(__x86_64__)

#include "exhaustive.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/block.h"

enum { STACK = 256 * 1024, MOST_DEPTH = 1000, SNAPSHOT = 32 * 1024, TABLE_BITS = 22 };

struct world world;
int block_count;

static size_t memory_used;
static char *block_start[MOST_BLOCKS];
static size_t block_size[MOST_BLOCKS];
static bool poisoned[MOST_BLOCKS];

static _Alignas(16) char stacks[MOST_FIBERS][STACK];
static uint64_t *home; /* where the search goes on */
static int current;    /* the fiber that runs */
static int fiber_count;

/* ---- failing ---- */

static uint8_t trace[MOST_DEPTH];
static int depth;

void
check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "exhaustive: %s\n", what);
    model_print(stderr, trace, depth);
    abort();
}

void __asan_on_error(void);
void
__asan_on_error(void)
{
    model_print(stderr, trace, depth);
}

/* ---- fibers ---- */

/* Pushes what a call must preserve, leaves the stack's top in *from, goes on at `to`. */
void fiber_switch(uint64_t **from, uint64_t *to);
__asm__(".text\n"
        ".globl fiber_switch\n"
        ".type fiber_switch, @function\n"
        "fiber_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size fiber_switch, .-fiber_switch\n");

void
leave_to_search(fiber_state state)
{
    search_fiber *me = &world.fibers[current];
    me->state = state;
    if (state != READY)
        me->address = NULL;
    fiber_switch(&me->top, home);
}

void
rt_sys_step(const volatile void *address)
{
    if (!home || model_passes_over(address))
        return;
    world.fibers[current].address = address;
    leave_to_search(READY);
}

void
rt_sys_pause(void)
{
    leave_to_search(PAUSED);
}

void
rt_backoff(uint32_t *rounds)
{
    (void)rounds; /* a number that grew would make every round another state */
    rt_sys_pause();
}

static void
fiber_main(void)
{
    model_run(current);
    leave_to_search(ENDED);
}

static uint64_t *
stack_end(int i)
{
    return (uint64_t *)(void *)(stacks[i] + STACK);
}

void
search_prepare_fiber(int i, fiber_state state)
{
    uint64_t *top = stack_end(i) - 2; /* the alignment that a function finds where it was called */
    *top = (uint64_t)(uintptr_t)fiber_main;
    for (int saved = 0; saved < 6; ++saved)
        *--top = 0;
    world.fibers[i].top = top;
    world.fibers[i].state = state;
}

/* ---- blocks ---- */

void *
rt_block_new(size_t size)
{
    char *block = world.memory + memory_used;
    size = (size + 15) / 16 * 16;
    check(block_count < MOST_BLOCKS && memory_used + size <= MEMORY, "the case needs more memory");
    block_start[block_count] = block;
    block_size[block_count++] = size;
    memory_used += size;
    return block;
}

static void
poison(int i, bool freed)
{
    if (poisoned[i] == freed)
        return;
    poisoned[i] = freed;
    if (freed)
        ASAN_POISON_MEMORY_REGION(block_start[i], block_size[i]);
    else
        ASAN_UNPOISON_MEMORY_REGION(block_start[i], block_size[i]);
}

void
rt_block_free(void *block, size_t size)
{
    (void)size;
    for (int i = 0; i < block_count; ++i) {
        if (block_start[i] != block)
            continue;
        check(!world.freed[i], "freed twice");
        memset(block, 0xdd, block_size[i]); /* what was in it makes no difference between states */
        world.freed[i] = 1;
        poison(i, true);
        return;
    }
    check(false, "freed what is no block");
}

void
search_reset(void)
{
    for (int i = 0; i < block_count; ++i)
        poison(i, false);
    memset(&world, 0, sizeof(world));
    memory_used = 0;
    block_count = 0;
    home = NULL;
}

/* ---- snapshots ---- */

static UNCHECKED size_t
copy_words(void *to, const void *from, size_t bytes)
{
    uint64_t *t = to;
    const uint64_t *f = from;
    for (size_t i = 0; i < bytes / 8; ++i)
        t[i] = f[i];
    return bytes;
}

static UNCHECKED bool
same_words(const void *one, const void *other, size_t bytes)
{
    const uint64_t *a = one, *b = other;
    for (size_t i = 0; i < bytes / 8; ++i)
        if (a[i] != b[i])
            return false;
    return true;
}

static size_t
world_size(void)
{
    return offsetof(struct world, memory) + memory_used;
}

static size_t
take_snapshot(char *to)
{
    size_t at = copy_words(to, &world, world_size());
    for (int i = 0; i < fiber_count; ++i) {
        size_t live = (size_t)(stack_end(i) - world.fibers[i].top) * sizeof(uint64_t);
        check(at + live <= SNAPSHOT, "a stack is deeper than a snapshot");
        if (world.fibers[i].state != ENDED)
            at += copy_words(to + at, world.fibers[i].top, live);
    }
    return at;
}

static void
restore(const char *from)
{
    size_t at = copy_words(&world, from, world_size());
    for (int i = 0; i < fiber_count; ++i) {
        size_t live = (size_t)(stack_end(i) - world.fibers[i].top) * sizeof(uint64_t);
        if (world.fibers[i].state != ENDED)
            at += copy_words(world.fibers[i].top, from + at, live);
    }
    for (int i = 0; i < block_count; ++i)
        poison(i, world.freed[i]);
}

typedef struct {
    uint64_t low, high;
} hash;

static UNCHECKED hash
hash_words(const void *words, size_t bytes)
{
    const uint64_t *at = words;
    uint64_t a = UINT64_C(0x9e3779b97f4a7c15), b = UINT64_C(0xc2b2ae3d27d4eb4f);
    for (size_t i = 0; i < bytes / 8; ++i) {
        a = (a ^ at[i]) * UINT64_C(0xff51afd7ed558ccd);
        a ^= a >> 32;
        b = (b + at[i]) * UINT64_C(0xc4ceb9fe1a85ec53);
        b ^= b >> 29;
    }
    return (hash){a, b};
}

/* ---- states that were seen ---- */

typedef struct {
    hash key;
    double paths;     /* from here to the end; negative while the search is below it */
    uint64_t of_case; /* its number; other entries are empty */
} seen_state;

static seen_state *table;
uint64_t search_states, search_steps;
static uint64_t case_number;

static seen_state *
find(hash key)
{
    uint64_t mask = (UINT64_C(1) << TABLE_BITS) - 1, at = key.low & mask;
    while (table[at].of_case == case_number && (table[at].key.low != key.low || table[at].key.high != key.high))
        at = (at + 1) & mask;
    return &table[at];
}

/* ---- the search ---- */

typedef struct {
    char *snapshot;
    seen_state *state;
    uint32_t untried; /* fibers, a bit each */
    double paths;
} frame;

static frame frames[MOST_DEPTH];

static uint32_t
able(void)
{
    uint32_t fibers = 0;
    for (int i = 0; i < fiber_count; ++i)
        if (world.fibers[i].state == READY && model_lets(i))
            fibers |= UINT32_C(1) << i;
    return fibers;
}

static void
run_step(int i)
{
    const char *before = frames[depth - 1].snapshot + offsetof(struct world, memory);

    current = i;
    ++search_steps;
    fiber_switch(&home, world.fibers[i].top);
    home = NULL;
    model_note();
    if (same_words(before, world.memory, memory_used))
        return;
    for (int other = 0; other < fiber_count; ++other)
        if (other != i && world.fibers[other].state == PAUSED)
            world.fibers[other].state = READY;
}

/* Goes down into the state that the world is in. False: it was seen. */
static bool
descend(double *paths)
{
    frame *here = &frames[depth];
    if (!here->snapshot)
        here->snapshot = malloc(SNAPSHOT);
    model_blank();
    hash key = hash_words(here->snapshot, take_snapshot(here->snapshot));

    here->state = find(key);
    if (here->state->of_case == case_number) {
        check(here->state->paths >= 0, "waits in circles");
        *paths += here->state->paths;
        return false;
    }
    check(++search_states < UINT64_C(3) << (TABLE_BITS - 2), "more states than there is room for");
    here->state->key = key;
    here->state->of_case = case_number;
    here->state->paths = -1;
    here->paths = 0;
    here->untried = able();
    model_check();
    if (!here->untried) {
        model_check_end();
        here->paths = 1;
    }
    return true;
}

double
search(int fibers)
{
    double paths = 0;

    if (!table)
        table = calloc((size_t)1 << TABLE_BITS, sizeof(*table));
    ++case_number;
    search_states = 0;
    fiber_count = fibers;
    depth = 0;
    descend(&paths);
    for (bool there = true; depth >= 0;) {
        frame *here = &frames[depth];
        if (!here->untried) {
            here->state->paths = here->paths;
            *(depth ? &frames[depth - 1].paths : &paths) += here->paths;
            --depth;
            there = false;
            continue;
        }
        int next = __builtin_ctz(here->untried);
        here->untried &= here->untried - 1;
        if (!there)
            restore(here->snapshot);
        trace[depth] = (uint8_t)next;
        check(++depth < MOST_DEPTH, "no end");
        run_step(next);
        there = descend(&here->paths);
        depth -= !there;
    }
    return paths;
}

#else

typedef int search_is_for_x86_64;

#endif
