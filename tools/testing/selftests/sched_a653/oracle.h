/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace checker: did what ran agree with what was planned?
 *
 * It knows the configuration and a list of events, and nothing of the kernel's
 * own frame code. What it decides, and from what:
 *
 * By the order of events on one CPU, which the kernel records under rq->lock
 * and which no noise of an emulator can change: who was picked while which
 * window was open (OUTSIDE, UNUSED, STRICT, ORDER), and which window followed
 * which (GRID, SEQUENCE, EARLY).
 *
 * By scheduled times, which are exact: no two partitions at once (OVERLAP),
 * no two schedules at once (SPLIT).
 *
 * By the order of events and a count of interrupts: whether a CPU did what it
 * had to do promptly (STAYED, IGNORED, INVERSION). Time alone cannot tell: a
 * virtual CPU that the host does not run records nothing and is not to blame.
 * But a CPU that took five interrupts and still goes on with what it should
 * have stopped is; those that come in the middle of a softirq, which has to end
 * first, do not count. Where time can be trusted, ora_hard_limit() bounds it too.
 *
 * By sums of times between events (SHARE).
 */
#ifndef SELFTEST_A653_ORACLE_H
#define SELFTEST_A653_ORACLE_H

#include <stdio.h>

#include "conf.h"
#include "event.h"

enum ora_kind {
	ORA_TRACE,	/* events were lost or contradict each other */
	ORA_OUTSIDE,	/* a task was picked outside its partition's window */
	ORA_STAYED,	/* a task ran on after its window closed */
	ORA_EARLY,	/* a window opened or closed before its time */
	ORA_GRID,	/* a window that the table does not have */
	ORA_SEQUENCE,	/* windows left out, doubled, or not accounted as missed */
	ORA_OVERLAP,	/* two partitions at once in an exclusive schedule */
	ORA_UNUSED,	/* something else picked though the partition is ready */
	ORA_IGNORED,	/* something else went on though the partition is ready */
	ORA_STRICT,	/* something else picked in a strict window */
	ORA_INVERSION,	/* a lower priority went on though a higher waited */
	ORA_ORDER,	/* picked out of turn: priority, or FIFO among equals */
	ORA_SHARE,	/* less than the entitled share */
	ORA_SPLIT,	/* two schedules of a module at one instant */
	ORA_LATE,	/* windows open late, or are missed, more often than may be */
	ORA_WAKEUP,	/* a closed wake-up in an open partition */
	NR_ORA
};

/* Priority or affinity of the task changes while the trace runs */
#define ORA_DYNAMIC	1
/* It gives its place up: its turn among equals cannot be told from events */
#define ORA_YIELDS	2
/* It is moved between partitions: it counts for whichever is open */
#define ORA_MOVES	4

struct ora_series {
	int64_t *v;
	size_t nr, room;
	bool sorted;
};

struct ora_part {
	char name[A653_NAME_LEN];
	int mod;
	double share;		/* must be received, 0: none */
	double may_miss;	/* share of windows that may be missed, 0: any */
	unsigned int nr_wait;	/* tasks that are ready and do not run */
	/* result */
	uint64_t windows, missed;
	uint64_t open_ns, run_ns;		/* between actual open and close */
	uint64_t entitled_ns, received_ns;	/* between scheduled start and end */
	struct ora_series late;		/* of the opening */
	struct ora_series first;	/* of the first switch to one of its tasks */
};

struct ora;

struct ora *ora_new(const struct evlist *l);
void ora_free(struct ora *o);
/* A module, and further configurations that replace its first one */
int ora_module(struct ora *o, const struct conf *f);
void ora_reload(struct ora *o, int mod, const struct conf *f);
/* The schedule in force when the trace begins; without: none */
void ora_start(struct ora *o, int mod, const char *sched, int64_t base);
void ora_task(struct ora *o, pid_t pid, const char *part, uint64_t allowed,
	      unsigned int flags);
/* Always ready: the partition must receive this share of its open windows */
void ora_share(struct ora *o, const char *part, double share);
/* Nobody is bound to it: its strict windows are not strict */
void ora_unbound(struct ora *o, const char *part);
/* It has budgets too: its tasks may run outside its windows, see rtds_oracle.h */
void ora_budgeted(struct ora *o, const char *part);
/* No transition may take longer than this; where time can be trusted */
void ora_hard_limit(struct ora *o, int64_t ns);
/* Half of a partition's windows must open within this time */
void ora_late_limit(struct ora *o, int64_t ns);
/* No larger part of a partition's windows may be missed */
void ora_missed_limit(struct ora *o, const char *part, double share);
/* Nor may one in a hundred inversions take longer than this */
void ora_p99_limit(struct ora *o, int64_t ns);
/* Tolerance for partitions overlapping by actual time; default: not judged */
void ora_overlap_limit(struct ora *o, int64_t ns);

/* Number of violations */
unsigned int ora_run(struct ora *o);
unsigned int ora_count(const struct ora *o, enum ora_kind kind);
const char *ora_first(const struct ora *o, enum ora_kind kind);
const char *ora_kind_name(enum ora_kind kind);
const struct ora_part *ora_part(const struct ora *o, const char *name);
/* Longest time that two partitions were open at once, by actual times */
int64_t ora_actual_overlap(const struct ora *o);
uint64_t ora_switches(const struct ora *o);
void ora_report(struct ora *o, FILE *to, const char *prefix);

void ora_series_add(struct ora_series *s, int64_t v);
/* @q in 0..1; 0 when empty */
int64_t ora_quantile(struct ora_series *s, double q);

#endif /* SELFTEST_A653_ORACLE_H */
