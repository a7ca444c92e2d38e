/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checker of deferrable servers: who ran at whose cost, and was it due?
 *
 * It knows the servers' parameters and the instant at which one of their periods
 * begins. From who was switched to, who woke up and which windows were open, it
 * works out by itself, with nothing of the kernel's code: when each server's
 * periods begin, what it used of each budget, at which level it is. With that it
 * judges what the CPUs did, and what the kernel's own events say.
 *
 * What it works out is a little uncertain: a trace tells of a switch some time
 * after the kernel looked at the clock. Where events show how long that took, it
 * is known; for the rest there is a tolerance. Only what is wrong either way
 * is a violation.
 *
 * A window's partition goes before all servers; oracle.h sees to that. Whether
 * something was done soon enough is judged like there: by a count of interrupts,
 * and where time can be trusted by rtds_ora_limit(), too.
 */
#ifndef SELFTEST_A653_RTDS_ORACLE_H
#define SELFTEST_A653_RTDS_ORACLE_H

#include "oracle.h"

enum rtds_ora_kind {
	RTDS_ORA_TRACE,		/* events were lost or contradict each other */
	RTDS_ORA_OVERRUN,	/* it ran on with its budget gone */
	RTDS_ORA_UNPAID,	/* picked with no budget, no window, no server */
	RTDS_ORA_MISS,		/* it was ready, and did not get its budget in time */
	RTDS_ORA_ORDER,		/* picked while a more urgent one waited there */
	RTDS_ORA_LOWER,		/* a lower class picked while a server waited there */
	RTDS_ORA_TIE,		/* the runner gave way to its equal */
	RTDS_ORA_IGNORED,	/* a lower class went on while a server waited */
	RTDS_ORA_INVERSION,	/* a server went on while a more urgent one waited */
	RTDS_ORA_PRIORITY,	/* of a partition, not the first task was picked */
	RTDS_ORA_CHARGE,	/* it was charged for more or less than what it ran */
	RTDS_ORA_GRID,		/* a period that does not lie on the grid */
	RTDS_ORA_LATE,		/* it got its budget long after the period began */
	RTDS_ORA_LEVEL,		/* a level that it has not come to */
	RTDS_ORA_EARLY,		/* told that it is depleted before it was */
	NR_RTDS_ORA
};

/* It slept from before the trace began, and its budget is full */
#define RTDS_ORA_FRESH		1
/* It must get its budget in every period in which it is ready all the time */
#define RTDS_ORA_PROMISED	2
/* What it has may change while the trace runs: not judged */
#define RTDS_ORA_DYNAMIC	4

struct rtds_ora_server {
	char name[A653_NAME_LEN];
	pid_t pid;		/* of the thread, or 0 */
	int cpu;		/* whose server it is; of a thread, where it is */
	uint64_t allowed;
	int64_t budget, period;
	bool extra;
	unsigned int flags;
	/* result */
	uint64_t run_ns, extra_ns;	/* what it used, and of that extratime */
	uint64_t periods;		/* in which it was ready all the time */
	uint64_t missed;
	int64_t miss_max, over_max;
	uint64_t wakeups, replenished, depleted, picked;
	/* where it is */
	bool known;
	bool ready;
	bool whole;		/* since this period began */
	int64_t deadline;
	int64_t told;		/* the latest deadline the kernel told */
	uint64_t told_at;
	int64_t used;		/* in this period */
	int64_t promise;	/* what it may use of it at level 0 */
	int64_t unsure;		/* by how much @used may be wrong, besides */
	int64_t burnt;		/* used since the kernel last told of a charge */
	bool counted;		/* @burnt is all of it */
	int on;			/* which CPU it runs on, or -1 */
	uint64_t since;
	int over_irqs;
	bool over_told;
};

/* What a CPU's time went to */
struct rtds_ora_cpu {
	uint64_t window_ns;	/* tasks in their windows */
	uint64_t server_ns;
	uint64_t extra_ns;	/* of that, extratime */
	uint64_t lower_ns;	/* other tasks */
	uint64_t idle_ns;
	uint64_t tickles;
};

struct rtds_ora;

struct rtds_ora *rtds_ora_new(const struct evlist *l);
void rtds_ora_free(struct rtds_ora *o);
/*
 * Servers: a thread, a partition's on one CPU. @deadline: any end of a period, or 0:
 * to be learnt from the kernel's events. Return a number for rtds_ora_server().
 */
int rtds_ora_thread(struct rtds_ora *o, pid_t pid, uint64_t allowed, int64_t budget,
		    int64_t period, bool extra, int64_t deadline, unsigned int flags);
int rtds_ora_budget(struct rtds_ora *o, const char *part, int cpu, int64_t budget,
		    int64_t period, bool extra, int64_t deadline, unsigned int flags);
/* A SCHED_A653 task of a partition */
void rtds_ora_task(struct rtds_ora *o, pid_t pid, const char *part, unsigned int flags);
/* CPUs with windows: what is open there is known from the first event on */
void rtds_ora_windows(struct rtds_ora *o, uint64_t cpus);
/* How wrong the time of an event may be */
void rtds_ora_tolerance(struct rtds_ora *o, int64_t ns);
/* Where time can be trusted: how long anything may take */
void rtds_ora_limit(struct rtds_ora *o, int64_t ns);
/* Nor may one in a hundred waits for the CPU, if there are 400, take longer */
void rtds_ora_p99_limit(struct rtds_ora *o, int64_t ns);
/* How much of a promised budget may be missing; default: not judged */
void rtds_ora_miss_limit(struct rtds_ora *o, int64_t ns);

/* Number of violations */
unsigned int rtds_ora_run(struct rtds_ora *o);
unsigned int rtds_ora_count(const struct rtds_ora *o, enum rtds_ora_kind kind);
const char *rtds_ora_first(const struct rtds_ora *o, enum rtds_ora_kind kind);
const char *rtds_ora_kind_name(enum rtds_ora_kind kind);
const struct rtds_ora_server *rtds_ora_server(const struct rtds_ora *o, int server);
const struct rtds_ora_cpu *rtds_ora_cpu(const struct rtds_ora *o, int cpu);
void rtds_ora_report(struct rtds_ora *o, FILE *to, const char *prefix);

#endif /* SELFTEST_A653_RTDS_ORACLE_H */
