/* Every state that a cown's queue can get into in small cases: linking, granting and releasing as cown.c and behavior.c
 * do them, in every interleaving of their atomic operations.
 *
 * A behavior has two fibers: one links it, another, once it is ready, is inside and then releases it. All of them run
 * at once: any number of threads that schedule and of workers does nothing but run some of them one after the other.
 * What a fiber does from one atomic operation to the next is one step. The search is depth first over states: what is
 * in the blocks of the runtime and on the fibers' stacks, bit by bit; a state that was seen (128 bits of hash) is not
 * searched again, so nothing is left out and nothing is bounded, and the number of interleavings comes from the states
 * without walking each. A fiber that finds it must wait may go on once another has changed something, so a wait that
 * goes round in circles is a circle of states, and found.
 *
 * It takes the place of the seeded scheduler (rt_sys_step, rt_sys_pause), of os.c and of block.c: freed blocks are
 * poisoned for AddressSanitizer. Orders weaker than sequential consistency are not explored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/behavior.h"
#include "runtime/block.h"

#if defined(__x86_64__)

#include <sanitizer/asan_interface.h>

#define UNCHECKED __attribute__((no_sanitize_address))

enum {
    MOST_BEHAVIORS = 5,
    COWNS = 2,
    MOST_FIBERS = 2 * MOST_BEHAVIORS,
    MOST_BLOCKS = MOST_BEHAVIORS + COWNS,
    MEMORY = 4096,
    STACK = 256 * 1024,
    MOST_DEPTH = 1000,
    SNAPSHOT = 32 * 1024,
    TABLE_BITS = 22
};

/* ---- a case ---- */

enum { NONE, READS, WRITES };

typedef struct {
    int behaviors;
    unsigned char uses[MOST_BEHAVIORS][COWNS];
    bool of_result; /* cown 1 is the result of behavior 0, which holds it from the start */
} small_case;

static small_case the_case;

/* ---- the state: what a snapshot holds, besides the stacks ---- */

typedef enum { READY, PAUSED, WAITING, ENDED } fiber_state; /* WAITING: its behavior is not ready yet */

typedef struct {
    uint64_t *top;                /* of its stack, where it goes on */
    const volatile void *address; /* READY: the word it is about to use, NULL if none */
    uint64_t state;
} fiber;

static struct world {
    fiber fibers[MOST_FIBERS]; /* those that link, then those that release */
    /* What the model knows, of behaviors and of cowns. */
    uint8_t came[MOST_BEHAVIORS]; /* to its first cown */
    uint8_t linked[MOST_BEHAVIORS], ready[MOST_BEHAVIORS], inside[MOST_BEHAVIORS], left[MOST_BEHAVIORS];
    uint8_t arrived[COWNS][MOST_BEHAVIORS], arrivals[COWNS];
    uint8_t freed[MOST_BLOCKS];
    _Alignas(16) char memory[MEMORY]; /* the runtime's blocks */
} world;

/* The same in every state of a case. */
static size_t memory_used;
static char *block_start[MOST_BLOCKS]; /* the cowns' (that of behavior 0, if its result is one), the others */
static size_t block_size[MOST_BLOCKS];
static int block_count;
static rt_cown *cowns[COWNS];
static rt_behavior *behaviors[MOST_BEHAVIORS];
static uint32_t slot_count[MOST_BEHAVIORS];

static _Alignas(16) char stacks[MOST_FIBERS][STACK];
static uint64_t *home; /* where the search goes on */
static int current;    /* the fiber that runs */
static bool poisoned[MOST_BLOCKS];

/* ---- failing ---- */

static uint8_t trace[MOST_DEPTH];
static int depth;

static void
print_case(FILE *to)
{
    fprintf(to, "%d behaviors%s:", the_case.behaviors, the_case.of_result ? ", the second cown a result" : "");
    for (int i = 0; i < the_case.behaviors; ++i)
        fprintf(to, " %c%c", "-rw"[the_case.uses[i][0]], "-rw"[the_case.uses[i][1]]);
}

static void
print_trace(void)
{
    print_case(stderr);
    fprintf(stderr, "\nsteps (l: links, r: is inside and releases):");
    for (int i = 0; i < depth; ++i)
        fprintf(stderr, " %c%d", trace[i] < the_case.behaviors ? 'l' : 'r', trace[i] % the_case.behaviors);
    fprintf(stderr, "\n");
}

static void
check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "exhaustive: %s\n", what);
    print_trace();
    abort();
}

void __asan_on_error(void);
void
__asan_on_error(void)
{
    print_trace();
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

static void
leave_to_search(fiber_state state)
{
    fiber *me = &world.fibers[current];
    me->state = state;
    if (state != READY)
        me->address = NULL;
    fiber_switch(&me->top, home);
}

/* References are counted down where the step before ends: that changes nothing but the moment at which a block is freed,
 * and the earliest is the hardest for those that may still touch it. */
static bool
counts_references(const volatile void *address)
{
    for (int c = 0; c < COWNS; ++c)
        if (cowns[c] && address == &cowns[c]->references)
            return true;
    for (int i = 0; i < the_case.behaviors; ++i)
        if (address == &behaviors[i]->result.references)
            return true;
    return false;
}

void
rt_sys_step(const volatile void *address)
{
    if (!home || counts_references(address))
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

/* ---- what the model demands ---- */

static int
use_of(int behavior, int cown)
{
    if (the_case.of_result && cown == 1 && behavior == 0)
        return WRITES;
    return the_case.uses[behavior][cown];
}

/* Whether a behavior must wait for another one that came before it to this cown. */
static bool
conflict(int one, int other, int cown)
{
    return use_of(one, cown) == WRITES || use_of(other, cown) == WRITES;
}

/* Somebody who came earlier and must have left before this one may be inside. */
static bool
must_wait(int behavior)
{
    for (int c = 0; c < COWNS; ++c) {
        if (use_of(behavior, c) == NONE)
            continue;
        for (int i = 0; i < world.arrivals[c] && world.arrived[c][i] != behavior; ++i) {
            int other = world.arrived[c][i];
            if (conflict(behavior, other, c))
                return true;
        }
    }
    return false;
}

static void
enter(int behavior)
{
    check(!must_wait(behavior), "inside before its turn");
    for (int c = 0; c < COWNS; ++c)
        for (int other = 0; other < the_case.behaviors; ++other)
            if (use_of(behavior, c) && use_of(other, c) && world.inside[other] && conflict(behavior, other, c))
                check(false, "a writer beside somebody else");
    world.inside[behavior] = 1;
}

static void
leave(int behavior)
{
    world.inside[behavior] = 0;
    world.left[behavior] = 1;
    /* Who was here before makes no difference between states. */
    for (int c = 0; c < COWNS; ++c) {
        int kept = 0;
        for (int i = 0; i < world.arrivals[c]; ++i)
            if (world.arrived[c][i] != behavior)
                world.arrived[c][kept++] = world.arrived[c][i];
        memset(&world.arrived[c][kept], 0, (size_t)(world.arrivals[c] - kept));
        world.arrivals[c] = (uint8_t)kept;
    }
}

static void
hand_out(rt_chain *ready)
{
    rt_link *item;
    while ((item = rt_chain_take(ready)) != NULL) {
        int i = 0;
        while (i < the_case.behaviors && &behaviors[i]->owner.link != item)
            ++i;
        check(i < the_case.behaviors && !world.ready[i], "ready twice");
        world.ready[i] = 1;
        world.fibers[the_case.behaviors + i].state = READY;
    }
}

static void
link_behavior(int i)
{
    rt_chain ready = {0};
    rt_behavior_link(behaviors[i], &ready);
    world.linked[i] = 1;
    hand_out(&ready);
}

static void
release_behavior(int i)
{
    rt_chain ready = {0};
    enter(i);
    rt_sys_step(NULL);
    leave(i);
    rt_behavior_release(behaviors[i], &ready);
    hand_out(&ready);
}

static void
fiber_main(void)
{
    if (current < the_case.behaviors)
        link_behavior(current);
    else
        release_behavior(current - the_case.behaviors);
    leave_to_search(ENDED);
}

/* The step that made this slot the tail was its arrival. */
static UNCHECKED void
note_arrivals(void)
{
    for (int c = 0; c < COWNS; ++c) {
        if (world.freed[c])
            continue;
        rt_slot *tail = *(rt_slot *volatile *)(void *)&cowns[c]->tail;
        for (int i = 0; tail && i < the_case.behaviors; ++i)
            if (tail->owner == &behaviors[i]->owner && !world.left[i] &&
                !memchr(world.arrived[c], i, world.arrivals[c])) {
                world.arrived[c][world.arrivals[c]++] = (uint8_t)i;
                world.came[i] = 1;
            }
    }
}

/* With everybody linked, and nobody in the middle of a release: whose turn it is must be ready, readers together. */
static void
check_at_rest(void)
{
    int n = the_case.behaviors;
    for (int i = 0; i < n; ++i)
        if (!world.linked[i] || (world.left[i] && world.fibers[n + i].state != ENDED))
            return;
    for (int i = 0; i < n; ++i)
        check(world.ready[i] || must_wait(i), "not ready, and nobody to wait for");
}

static void
check_end(void)
{
    for (int i = 0; i < 2 * the_case.behaviors; ++i)
        check(world.fibers[i].state == ENDED, "left waiting");
    for (int i = 0; i < block_count; ++i)
        check(world.freed[i], "a block is left over");
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

static uint64_t *
stack_end(int i)
{
    return (uint64_t *)(void *)(stacks[i] + STACK);
}

static size_t
take_snapshot(char *to)
{
    size_t at = copy_words(to, &world, world_size());
    for (int i = 0; i < 2 * the_case.behaviors; ++i) {
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
    for (int i = 0; i < 2 * the_case.behaviors; ++i) {
        size_t live = (size_t)(stack_end(i) - world.fibers[i].top) * sizeof(uint64_t);
        if (world.fibers[i].state != ENDED)
            at += copy_words(world.fibers[i].top, from + at, live);
    }
    for (int i = 0; i < block_count; ++i)
        poison(i, world.freed[i]);
}

/* Words that nobody will read any more must not make two states of one. */
static void
blank(void *word)
{
    *(uint64_t *)word = 0;
}

static bool
somebody_is_at(const volatile void *address)
{
    for (int i = 0; i < 2 * the_case.behaviors; ++i)
        if (world.fibers[i].address == address)
            return true;
    return false;
}

static UNCHECKED void
blank_what_is_dead(void)
{
    for (int c = 0; c < COWNS; ++c) {
        rt_cown *cown = cowns[c];
        if (world.freed[c])
            continue;
        /* Set just before the step that registers, read just after the one that found the registration. */
        if (!(*(volatile uint32_t *)(void *)&cown->readers & 1) && !somebody_is_at(&cown->readers))
            blank((void *)&cown->writer);
    }
    for (int i = 0; i < the_case.behaviors; ++i) {
        rt_behavior *behavior = behaviors[i];
        if (world.freed[block_count - the_case.behaviors + i])
            continue;
        if (world.ready[i])
            blank((void *)&behavior->owner.link.next);
        for (uint32_t k = 0; world.linked[i] && k < slot_count[i]; ++k)
            blank((void *)&behavior->slots[k].before);
    }
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
static uint64_t states, all_states, steps, case_number;

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

static bool
alike(int one, int other)
{
    return !(the_case.of_result && one == 0) && memcmp(the_case.uses[one], the_case.uses[other], COWNS) == 0;
}

/* Its next step is its arrival at its first cown, and it is not its turn: behaviors with the same uses arrive in order.
 * Any other order is the same with other numbers, and counted by `permutations`. */
static bool
comes_later(int i)
{
    const volatile void *next = world.fibers[i].address;
    return i > 0 && i < the_case.behaviors && alike(i - 1, i) && !world.came[i] && !world.came[i - 1] &&
           (next == &cowns[0]->tail || next == &cowns[1]->tail);
}

/* It uses a result, which nobody has before the behavior that it is of has been scheduled. */
static bool
comes_too_early(int i)
{
    return the_case.of_result && i > 0 && i < the_case.behaviors && the_case.uses[i][1] != NONE && !world.linked[0];
}

/* Which fibers may go on. */
static uint32_t
able(void)
{
    uint32_t fibers = 0;
    for (int i = 0; i < 2 * the_case.behaviors; ++i)
        if (world.fibers[i].state == READY && !comes_later(i) && !comes_too_early(i))
            fibers |= UINT32_C(1) << i;
    return fibers;
}

static double
permutations(void)
{
    double product = 1;
    for (int i = 1, row = 1; i < the_case.behaviors; ++i) {
        row = alike(i - 1, i) ? row + 1 : 1;
        product *= row;
    }
    return product;
}

static void
run_step(int i)
{
    int n = the_case.behaviors;
    const char *before = frames[depth - 1].snapshot + offsetof(struct world, memory);

    current = i;
    ++steps;
    fiber_switch(&home, world.fibers[i].top);
    home = NULL;
    note_arrivals();
    if (same_words(before, world.memory, memory_used))
        return;
    for (int other = 0; other < 2 * n; ++other)
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
    blank_what_is_dead();
    hash key = hash_words(here->snapshot, take_snapshot(here->snapshot));

    here->state = find(key);
    if (here->state->of_case == case_number) {
        check(here->state->paths >= 0, "waits in circles");
        *paths += here->state->paths;
        return false;
    }
    check(++states < UINT64_C(3) << (TABLE_BITS - 2), "more states than there is room for");
    here->state->key = key;
    here->state->of_case = case_number;
    here->state->paths = -1;
    here->paths = 0;
    here->untried = able();
    check_at_rest();
    if (!here->untried) {
        check_end();
        here->paths = 1;
    }
    return true;
}

/* The number of interleavings. */
static double
search(void)
{
    double paths = 0;

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

/* ---- cases ---- */

static void
prepare_fiber(int i)
{
    uint64_t *top = stack_end(i) - 2; /* the alignment that a function finds where it was called */
    *top = (uint64_t)(uintptr_t)fiber_main;
    for (int saved = 0; saved < 6; ++saved)
        *--top = 0;
    world.fibers[i].top = top;
    world.fibers[i].state = i < the_case.behaviors ? READY : WAITING;
}

static void
prepare(void)
{
    static const rt_host host; /* no value needs it */

    for (int i = 0; i < block_count; ++i)
        poison(i, false);
    memset(&world, 0, sizeof(world));
    memory_used = 0;
    block_count = 0;
    home = NULL;
    cowns[0] = rt_cown_new(&host, (rt_value){0, 0});
    cowns[1] = the_case.of_result ? NULL : rt_cown_new(&host, (rt_value){0, 0});
    for (int i = 0; i < the_case.behaviors; ++i) {
        uint32_t count = 0, argument = 0;
        for (int c = 0; c < COWNS; ++c)
            count += the_case.uses[i][c] != NONE;
        slot_count[i] = count;
        behaviors[i] = rt_behavior_new(&host, count, 0);
        if (the_case.of_result && i == 0)
            cowns[1] = rt_behavior_result(behaviors[0]);
        for (int c = 0; c < COWNS; ++c)
            if (the_case.uses[i][c] != NONE)
                rt_behavior_set(behaviors[i], argument++, cowns[c], the_case.uses[i][c] == READS ? RT_READ : RT_WRITE);
        prepare_fiber(i);
    }
    for (int i = 0; i < the_case.behaviors; ++i)
        prepare_fiber(the_case.behaviors + i);
    /* From here on the behaviors alone keep the cowns. */
    rt_cown_release(cowns[0]);
    if (!the_case.of_result)
        rt_cown_release(cowns[1]);
    note_arrivals();
}

static double interleavings, most_interleavings;

static void
run_case(void)
{
    double paths;
    ++case_number;
    states = 0;
    prepare();
    paths = search() * permutations();
    all_states += states;
    interleavings += paths;
    if (paths > most_interleavings)
        most_interleavings = paths;
    if (getenv("VERBOSE")) {
        print_case(stdout);
        printf(": %" PRIu64 " states, %.4g interleavings\n", states, paths);
        fflush(stdout);
    }
}

/* All choices of uses for behaviors `from` and later: they are alike, so in one order only. Uses are numbered 1 to 8:
 * 3 times that of the second cown, plus that of the first. */
static void
run_choices(int from, int least, int most)
{
    if (from == the_case.behaviors) {
        run_case();
        return;
    }
    for (int uses = least; uses <= most; ++uses) {
        the_case.uses[from][0] = (unsigned char)(uses % 3);
        the_case.uses[from][1] = (unsigned char)(uses / 3);
        run_choices(from + 1, uses, most);
    }
}

/* Uses of both cowns, as they are printed. */
static void
use_text(int behavior, const char *text)
{
    for (int c = 0; c < COWNS && text[c]; ++c)
        the_case.uses[behavior][c] = text[c] == 'r' ? READS : text[c] == 'w' ? WRITES : NONE;
}

int
main(int argc, char **argv)
{
    table = calloc((size_t)1 << TABLE_BITS, sizeof(*table));
    if (argc > 2) { /* one case: cowns|result, then what each behavior uses */
        the_case = (small_case){.behaviors = argc - 2, .of_result = strcmp(argv[1], "result") == 0};
        check(argc - 2 <= MOST_BEHAVIORS, "too many behaviors");
        for (int i = 0; i < the_case.behaviors; ++i)
            use_text(i, argv[2 + i]);
        run_case();
        printf("%" PRIu64 " states\n", states);
        return 0;
    }
    /* One cown: everything that four or five readers and writers can do to it. */
    for (int n = 1; n <= 4; ++n) {
        the_case = (small_case){.behaviors = n};
        run_choices(0, READS, WRITES);
    }
    /* Two cowns. */
    for (int n = 2; n <= 3; ++n) {
        the_case = (small_case){.behaviors = n};
        run_choices(0, 1, 8);
    }
    /* A cown, and the result of the first behavior. */
    for (int uses = NONE; uses <= WRITES; ++uses) {
        the_case = (small_case){.behaviors = 3, .of_result = true, .uses = {{(unsigned char)uses}}};
        run_choices(1, 1, 8);
    }
    printf("exhaustive: %" PRIu64 " states, %" PRIu64 " steps, %.3g interleavings (of one case up to %.3g), "
           "%" PRIu64 " passed, 0 failed\n",
           all_states, steps, interleavings, most_interleavings, case_number);
    free(table);
    return 0;
}

#else

int
main(void)
{
    printf("exhaustive: for x86-64 only\n");
    return 0;
}

#endif
