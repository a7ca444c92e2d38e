/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The demo: partitions in their windows, budgets in the gaps, beside hogs, and a
 * report of it
 *
 *   demo.c	sets the scene, lets it run, records it
 *   work.c	what runs in the partitions, and on the budget
 *   account.c	who ran when, by the trace
 *   report.c	tells it, and judges
 */
#ifndef SELFTEST_A653_DEMO_H
#define SELFTEST_A653_DEMO_H

#include "servers.h"

#define DEMO_TASKS	64
#define DEMO_COLUMNS	70

/* Who a CPU can belong to, besides the partitions by their index */
enum {
	OWNER_RTDS = A653_MAX_PARTITIONS,	/* the SCHED_RTDS thread */
	OWNER_FIFO,
	OWNER_HOG,
	OWNER_OTHER,
	OWNER_IDLE,
	NR_OWNERS
};

/* A process of a partition, or the SCHED_RTDS thread, started with a653ctl run */
struct demo_task {
	pid_t pid;
	int owner;
};

/* A deferrable server: a partition's on one CPU, or that of the thread */
struct demo_server {
	int owner;
	struct a653_server_stat stat;
};

struct demo {
	/* what is loaded */
	struct conf *f;
	int sched;
	int64_t base;
	int64_t major;
	int cpus;
	bool waker[A653_MAX_PARTITIONS];	/* its task sleeps most of the time */
	struct demo_task task[DEMO_TASKS];
	int nr_tasks;
	struct demo_server server[SERVERS_MAX];
	int nr_servers;
	struct worker *fifo[EV_CPUS], *hog[EV_CPUS];
	/* what happened, from the start of a major frame to the end of another */
	struct evlist *l;
	int64_t from, to;
	struct ora *o;
	struct rtds_ora *rtds;
};

/* Between the demo and its processes in the partitions */
struct demo_page {
	_Atomic int ready;
	_Atomic int go;
	_Atomic int stop;
};

#define DEMO_PAGE_FD	3

/* demo.c */
const char *name_of(const struct demo *d, int owner);
/* Who pays when it runs there outside its windows; -1: nobody */
int server_of(const struct demo *d, int owner, int cpu);

/* work.c */
int work(const char *name, const char *interval_us);
void demo_hog(struct worker *w);

/* account.c */
struct account {
	int64_t ran[NR_OWNERS];			/* without what servers paid */
	struct {
		int64_t ran;
		int64_t used, end;		/* of the period that goes on */
		struct ora_series got;		/* in each whole period */
	} server[SERVERS_MAX];
	int64_t outside[A653_MAX_PARTITIONS];	/* longest stretch outside its windows */
	int64_t overlap;	/* time in which two ran at once, not on budgets */
	int64_t frame;		/* start of the major frame of the chart */
	int64_t column[EV_CPUS][DEMO_COLUMNS][NR_OWNERS];
};

struct account *account(const struct demo *d);
/* The partition that has a window open on a CPU then; -1: none. @end: until when */
int planned(const struct demo *d, int cpu, int64_t t, int64_t *end);

/* report.c */
int report(const struct demo *d, const struct account *a);

#endif /* SELFTEST_A653_DEMO_H */
