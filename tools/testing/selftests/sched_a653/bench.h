/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the benchmark share
 */
#ifndef SELFTEST_A653_BENCH_H
#define SELFTEST_A653_BENCH_H

#include "lib.h"

void print_goal(const char *what, double got, double limit);

/* bench_load.c: threads with reservations, and what they cost */

#define LOAD_MAX	1000

struct load {
	const char *name;
	int policy;		/* SCHED_RTDS or SCHED_DEADLINE */
	int n;			/* threads; 0: the hogs alone */
	int64_t budget[LOAD_MAX];
	int64_t period[LOAD_MAX];
	int64_t step;		/* the periods of two threads begin so far apart */
	double work;		/* a job in each period, of this share of a budget; 0: spin */
	bool fifo;		/* a SCHED_FIFO hog besides the ordinary one */
	int64_t length;		/* how long to measure */
};

/* Rates are per second */
struct load_result {
	const char *name;
	int n;
	double received;	/* of what it was entitled to, or its jobs wanted: the least */
	double worst;		/* of its budget, in a period; the least */
	long jobs, missed;
	double replenished;
	double switches;
	double lost;		/* share of all time in which no thread was in user mode */
	/* What the kernel tells of SCHED_RTDS */
	double due_timers, due_idle, budget_timers, picked;
};

void load_init(void);
struct load_result load_run(const struct load *l);

/* bench_servers.c: servers beside SCHED_DEADLINE, many of them, and a scan */

void bench_servers(const char *dir);
/* Timers and picks; @scan: on a kernel that scans, beside what the other one had */
void bench_entries(const char *dir, bool scan);

#endif /* SELFTEST_A653_BENCH_H */
