/* Every state that a cown's queue can get into in small cases: linking, granting and releasing as cown.c and behavior.c
 * do them, in every interleaving of their atomic operations.
 *
 * A behavior has two fibers: one links it, another, once it is ready, is inside and then releases it. All of them run
 * at once: any number of threads that schedule and of workers do nothing but run some of them one after the other.
 * What a fiber does from one atomic operation to the next is one step. The search is depth first over states: what is
 * in the blocks of the runtime and on the fibers' stacks, bit by bit; a state that was seen (128 bits of hash) is not
 * searched again, so nothing is left out and nothing is bounded, and the number of interleavings comes from the states
 * without walking each. A fiber that finds it must wait may go on once another has changed something, so a wait that
 * goes round in circles is a circle of states, and found.
 *
 * exhaustive_search.c takes the place of the seeded scheduler (rt_sys_step, rt_sys_pause), of os.c and of block.c:
 * freed blocks are poisoned for AddressSanitizer. Orders weaker than sequential consistency are not explored.
 */
#include "exhaustive.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)

/* No behavior of a case is spare. */

void
rt_result_want(rt_cown *result)
{
    (void)result;
    abort();
}

void
rt_result_unwant(rt_cown *result)
{
    (void)result;
    abort();
}

/* ---- a case ---- */

enum { NONE, READS, WRITES };

typedef struct {
    int behaviors;
    unsigned char uses[MOST_BEHAVIORS][COWNS];
    bool of_result; /* cown 1 is the result of behavior 0, which holds it from the start */
} small_case;

static small_case the_case;

static rt_cown *cowns[COWNS];
static rt_behavior *behaviors[MOST_BEHAVIORS];
static uint32_t slot_count[MOST_BEHAVIORS];

static void
print_case(FILE *to)
{
    fprintf(to, "%d behaviors%s:", the_case.behaviors, the_case.of_result ? ", the second cown a result" : "");
    for (int i = 0; i < the_case.behaviors; ++i)
        fprintf(to, " %c%c", "-rw"[the_case.uses[i][0]], "-rw"[the_case.uses[i][1]]);
}

void
model_print(FILE *to, const uint8_t *fibers, int steps)
{
    print_case(to);
    fprintf(to, "\nsteps (l: links, r: is inside and releases):");
    for (int i = 0; i < steps; ++i)
        fprintf(to, " %c%d", fibers[i] < the_case.behaviors ? 'l' : 'r', fibers[i] % the_case.behaviors);
    fprintf(to, "\n");
}

/* ---- what is demanded ---- */

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

/* With everybody linked, and nobody in the middle of a release: whose turn it is must be ready, readers together. */
void
model_check(void)
{
    int n = the_case.behaviors;
    for (int i = 0; i < n; ++i)
        if (!world.linked[i] || (world.left[i] && world.fibers[n + i].state != ENDED))
            return;
    for (int i = 0; i < n; ++i)
        check(world.ready[i] || must_wait(i), "not ready, and nobody to wait for");
}

void
model_check_end(void)
{
    for (int i = 0; i < 2 * the_case.behaviors; ++i)
        check(world.fibers[i].state == ENDED, "left waiting");
    for (int i = 0; i < block_count; ++i)
        check(world.freed[i], "a block is left over");
}

/* ---- fibers ---- */

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

void
model_run(int fiber)
{
    if (fiber < the_case.behaviors)
        link_behavior(fiber);
    else
        release_behavior(fiber - the_case.behaviors);
}

/* References are counted down where the step before ends: that changes nothing but the moment at which a block is
 * freed, and the earliest is the hardest for those that may still touch it. */
bool
model_passes_over(const volatile void *address)
{
    for (int c = 0; c < COWNS; ++c)
        if (cowns[c] && address == &cowns[c]->references)
            return true;
    for (int i = 0; i < the_case.behaviors; ++i)
        if (address == &behaviors[i]->result.references)
            return true;
    return false;
}

/* The step that made this slot the tail was its arrival. */
UNCHECKED void
model_note(void)
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

UNCHECKED void
model_blank(void)
{
    for (int c = 0; c < COWNS; ++c) {
        rt_cown *cown = cowns[c];
        if (world.freed[c])
            continue;
        /* Set before the step that registers, read after the one that found the registration. */
        if (!(*(volatile uint32_t *)(void *)&cown->readers & 1) && !somebody_is_at(&cown->readers) &&
            !somebody_is_at(&cown->writer))
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

bool
model_lets(int fiber)
{
    return !comes_later(fiber) && !comes_too_early(fiber);
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

/* ---- cases ---- */

static void
prepare(void)
{
    static const rt_host host; /* no value needs it */

    search_reset();
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
        search_prepare_fiber(i, READY);
    }
    for (int i = 0; i < the_case.behaviors; ++i)
        search_prepare_fiber(the_case.behaviors + i, WAITING);
    /* From here on the behaviors alone keep the cowns. */
    rt_cown_release(cowns[0]);
    if (!the_case.of_result)
        rt_cown_release(cowns[1]);
    model_note();
}

static uint64_t all_states, cases;
static double interleavings, most_interleavings;

static void
run_case(void)
{
    double paths;
    prepare();
    paths = search(2 * the_case.behaviors) * permutations();
    all_states += search_states;
    interleavings += paths;
    if (paths > most_interleavings)
        most_interleavings = paths;
    ++cases;
    if (getenv("VERBOSE")) {
        print_case(stdout);
        printf(": %" PRIu64 " states, %.4g interleavings\n", search_states, paths);
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
    if (argc > 2) { /* one case: cowns|result, then what each behavior uses */
        the_case = (small_case){.behaviors = argc - 2, .of_result = strcmp(argv[1], "result") == 0};
        check(argc - 2 <= MOST_BEHAVIORS, "too many behaviors");
        for (int i = 0; i < the_case.behaviors; ++i)
            use_text(i, argv[2 + i]);
        run_case();
        printf("%" PRIu64 " states\n", search_states);
        return 0;
    }
    /* One cown: everything that four or five readers and writers can do to it. */
    for (int n = 1; n <= MOST_BEHAVIORS; ++n) {
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
           all_states, search_steps, interleavings, most_interleavings, cases);
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
