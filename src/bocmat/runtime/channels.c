/* All channels, by their names: see channel.h. */
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "channel.h"

enum { FIRST_SIZE = 16 };

static rt_channel_table *
table_new(size_t size)
{
    rt_channel_table *table = malloc(sizeof(*table) + size * sizeof(table->cells[0]));
    if (!table)
        return NULL;
    table->size = size;
    for (size_t i = 0; i < size; ++i)
        atomic_init(&table->cells[i], NULL);
    return table;
}

static bool
has_name(const rt_channel *channel, const rt_name *name)
{
    return channel->name.hash == name->hash && channel->name.size == name->size && channel->name.form == name->form &&
           memcmp(channel->name.bytes, name->bytes, name->size) == 0;
}

/* The channel of that name, or NULL and the cell where it belongs. The acquire sees what is in the channel. */
static rt_channel *
find(rt_channel_table *table, const rt_name *name, _Atomic(rt_channel *) **cell)
{
    /* Neighbouring hashes are spread, and the upper bits count. */
    size_t at = (size_t)(name->hash * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (table->size - 1);
    rt_channel *channel;

    while ((channel = rt_load_acquire(&table->cells[at])) && !has_name(channel, name))
        at = (at + 1) & (table->size - 1);
    *cell = &table->cells[at];
    return channel;
}

rt_channels *
rt_channels_new(const rt_host *host)
{
    rt_channels *all = aligned_alloc(RT_CACHE_LINE, sizeof(*all));
    rt_channel_table *table = table_new(FIRST_SIZE);

    if (!all || !table) {
        free(all);
        free(table);
        return NULL;
    }
    memset(all, 0, sizeof(*all));
    all->host = host;
    atomic_init(&all->table, table);
    atomic_init(&all->stopped, 0);
    atomic_init(&all->order, 0);
    all->many_cores = rt_many_cores();
    return all;
}

/* Twice the table, with the lock held. False: no memory. */
static bool
grow(rt_channels *all)
{
    rt_channel_table *table = rt_load_relaxed(&all->table), *larger = table_new(table->size * 2);
    _Atomic(rt_channel *) *cell;

    if (!larger)
        return false;
    for (size_t i = 0; i < table->size; ++i) {
        rt_channel *channel = rt_load_relaxed(&table->cells[i]);
        if (channel) {
            find(larger, &channel->name, &cell);
            rt_store_relaxed(cell, channel);
        }
    }
    all->old[all->old_count++] = table;
    rt_store_release(&all->table, larger);
    return true;
}

static rt_channel *
channel_new(rt_channels *all, const rt_name *name)
{
    size_t size = (sizeof(rt_channel) + name->size + RT_CACHE_LINE - 1) / RT_CACHE_LINE * RT_CACHE_LINE;
    rt_channel *channel = aligned_alloc(RT_CACHE_LINE, size);

    if (!channel)
        return NULL;
    memset(channel, 0, sizeof(*channel));
    atomic_init(&channel->inbox, NULL);
    atomic_init(&channel->waiting, 0);
    atomic_init(&channel->patience, 0);
    atomic_init(&channel->first, NULL);
    channel->all = all;
    channel->place = all->count;
    channel->name = *name;
    channel->name.bytes = channel + 1;
    memcpy(channel + 1, name->bytes, name->size);
    return channel;
}

rt_channel *
rt_channel_named(rt_channels *all, rt_name name)
{
    _Atomic(rt_channel *) *cell;
    rt_channel *channel = find(rt_load_acquire(&all->table), &name, &cell);

    if (channel)
        return channel;
    rt_lock_take(&all->lock);
    channel = find(rt_load_relaxed(&all->table), &name, &cell);
    if (!channel && (all->count + 1) * 4 > rt_load_relaxed(&all->table)->size * 3) {
        if (!grow(all))
            goto done;
        find(rt_load_relaxed(&all->table), &name, &cell);
    }
    if (!channel && (channel = channel_new(all, &name))) {
        rt_store_release(cell, channel);
        ++all->count;
    }
done:
    rt_lock_drop(&all->lock);
    return channel;
}

/* Calls it with each channel. One made meanwhile may be left out. */
static void
for_each(rt_channels *all, void (*call)(rt_channel *channel))
{
    rt_channel_table *table;

    rt_lock_take(&all->lock); /* sees what was made before, and is seen by whoever makes one later */
    table = rt_load_relaxed(&all->table);
    rt_lock_drop(&all->lock);
    for (size_t i = 0; i < table->size; ++i) {
        rt_channel *channel = rt_load_acquire(&table->cells[i]);
        if (channel)
            call(channel);
    }
}

void
rt_channels_drain(rt_channels *all)
{
    for_each(all, rt_drain);
}

void
rt_channels_stop_waits(rt_channels *all)
{
    rt_store_seq_cst(&all->stopped, 1u);
    for_each(all, rt_channel_stop_waits);
}

void
rt_channels_allow_waits(rt_channels *all)
{
    rt_store_seq_cst(&all->stopped, 0u);
}

void
rt_channels_free(rt_channels *all)
{
    rt_channel_table *table = rt_load_relaxed(&all->table);

    rt_channels_drain(all);
    for (size_t i = 0; i < table->size; ++i)
        free(rt_load_relaxed(&table->cells[i]));
    for (uint32_t i = 0; i < all->old_count; ++i)
        free(all->old[i]);
    free(table);
    free(all);
}

void
rt_channels_forked(void)
{
    rt_blocks_forked();
}
