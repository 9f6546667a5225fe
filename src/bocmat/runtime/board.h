/* The noticeboard: a row of immutable snapshots, of which the last one is published.
 *
 *   snapshot    by                                          then
 *   BUILT       the writer, who holds the board's cown      published; shares every node that did not change
 *   CURRENT     the writer, exchanging `current`            any thread may take a reference
 *   RETIRED     the next writer, exchanging `current`       lives as long as somebody has a reference
 *   FREED       whoever gives back the last reference       lets go of its root, so of what no other one has
 *
 *   word            holds                                             changed by
 *   current         the snapshot's address, and in its low 16 bits    a reader: + 1, which takes a reference and tells
 *                   how many references were taken through it         of what in one step; a writer: exchange
 *   refs, CURRENT   BOARD_HOLDS, - references given back              a reader: - 1
 *   refs, RETIRED   references not yet given back                     its retirer: + taken - BOARD_HOLDS; a reader: - 1
 *
 * A reader never looks at a snapshot that it has no reference to, so nobody waits for anybody. Long before the low bits
 * are full a reader moves their count into `refs` and takes it off `current` by compare-and-swap.
 *
 * Entries and nodes are counted too: references of the nodes and snapshots above them. They are written before they are
 * published (release, by the exchange) and never again.
 *
 * The tree: a node has up to 16 children, by 4 bits of the key's hash, each an entry or a node; after 64 bits the key
 * is hashed anew, so any two keys part somewhere. A node below the root never has a single entry and nothing else.
 */
#ifndef BOCMAT_RT_BOARD_H
#define BOCMAT_RT_BOARD_H

#include "runtime.h"

#ifdef RT_CHECKS
/* Aborts unless the tree is as said above and has as many entries as the snapshot says. */
void rt_snapshot_check(const rt_snapshot *snapshot);
#else
#define rt_snapshot_check(snapshot) ((void)0)
#endif

#endif
