/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deferrable servers: threads and budgets of partitions, a trace, and a verdict
 */
#ifndef SELFTEST_A653_SERVERS_H
#define SELFTEST_A653_SERVERS_H

#include "rtds_oracle.h"
#include "scene.h"

#define SERVERS_MAX	256
#define FLAG_RECLAIM	0x2	/* SCHED_FLAG_RECLAIM: extratime */
#define FLAG_RESET	0x1	/* SCHED_FLAG_RESET_ON_FORK */

/* Skip the test on a kernel that has no deferrable servers */
void need_rtds(void);
/* 0 or -errno; @flags: FLAG_* */
int set_rtds(pid_t pid, int64_t budget, int64_t period, uint64_t flags);
/* It sleeps now */
void worker_asleep(const struct worker *w);
/* What servers must leave to others, in percent; until the test ends. The old value. */
int min_slack(int pct);

/* What the kernel tells of its servers and CPUs */
struct server_list {
	struct a653_servers h;
	struct a653_server_stat s[SERVERS_MAX];
	struct a653_cpu_stat cpu[EV_CPUS];
};

void servers_read(struct server_list *l);
/* Of a thread, or with @pid 0 of a partition on a CPU; NULL if there is none */
const struct a653_server_stat *server_find(const struct server_list *l, pid_t pid,
					   const char *part, int cpu);
struct a653_server_stat server_stat(pid_t pid, const char *part, int cpu);

/* More that threads do */

/* Spins for w->work, sleeps for w->period, and so on */
void nibbler(struct worker *w);
/* The same, at random up to that; w->value is the seed */
void napper(struct worker *w);
/* Sleeps until somebody posts w->futex, then spins */
void gated(struct worker *w);

struct server {
	struct worker *w;	/* of a thread */
	const char *part;	/* or a partition's */
	int cpu;
	uint64_t cpus;
	int64_t budget, period, deadline;
	bool extra;
	unsigned int flags;	/* RTDS_ORA_* */
	int id;			/* rtds_ora_server() */
};

struct servers {
	struct scene s;		/* s.f: module and its partitions, or NULL */
	struct server v[SERVERS_MAX];
	int nr;
	struct server_list before, after;
	struct rtds_ora *o;
};

/* How long a short budget is: longer than what an emulator makes uncertain */
int64_t server_unit(void);
/*
 * A thread that waits for its start. @cpus: 0 for all. Ends the test if it is
 * refused. All periods lie on the grid that the kernel tells.
 */
struct worker *servers_thread(struct servers *v, int64_t budget, int64_t period, bool extra,
			      uint64_t cpus, void (*fn)(struct worker *w), unsigned int flags);
/* 0 or -errno: what the kernel says of it */
int servers_try(struct servers *v, int64_t budget, int64_t period, bool extra, uint64_t cpus,
		void (*fn)(struct worker *w), unsigned int flags);
/* A partition's servers that are there now; after scene_start(&v->s) */
void servers_of(struct servers *v, const char *part, unsigned int flags);
/* Trace from here on, all go; in between scene_pass() */
void servers_go(struct servers *v);
/* End of the trace; everybody ends; the checkers are ready to be asked for more */
void servers_end(struct servers *v);
/* What the checker has found of the @n-th server */
const struct rtds_ora_server *servers_result(const struct servers *v, int n);
void servers_judge(struct servers *v);
void servers_free(struct servers *v);
/* All from servers_go() on */
void servers_run(struct servers *v, int64_t ns, unsigned int with);

#endif /* SELFTEST_A653_SERVERS_H */
