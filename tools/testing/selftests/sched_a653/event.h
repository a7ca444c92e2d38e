/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scheduling events as the trace checker sees them, in the order of time
 *
 * They come from the kernel's trace buffers (trace.c) or are made up
 * (oracle_test.c).
 */
#ifndef SELFTEST_A653_EVENT_H
#define SELFTEST_A653_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define EV_CPUS		64
#define EV_PIDS		65536
#define EV_COMM		16

enum ev_type {
	EV_SWITCH,
	EV_WAKEUP,
	EV_MIGRATE,
	EV_IRQ,
	EV_NESTED_IRQ,		/* returns to a softirq, not to what runs: ev_sort() */
	EV_SOFTIRQ_ENTRY,
	EV_SOFTIRQ_EXIT,
	EV_OPEN,
	EV_CLOSE,
	EV_MISSED,
	EV_SCHEDULE,
	EV_CLOSED_WAKEUP,
	EV_MARK,
	EV_REPLENISH,
	EV_DEPLETE,
	EV_LEVEL,
	EV_BURN,
	EV_PICK,
	EV_TICKLE,
	NR_EV
};

struct ev {
	uint64_t ts;
	uint16_t cpu;
	uint16_t type;
	int name;		/* of the partition or schedule: ev_name() */
	union {
		struct {
			pid_t prev, next;
			int prev_prio, next_prio;
			int prev_state;		/* 0: it is still ready */
		} sw;
		struct {
			pid_t pid;
			int prio;
			int cpu;		/* where it is queued */
		} task;
		struct {
			int64_t sched, end, now;
			uint32_t queued;
			bool strict;
		} open;
		struct {
			int64_t sched, now;
			uint64_t run;
		} close;
		struct {
			int64_t from, now;
			uint64_t windows;
		} missed;
		struct {
			int64_t sched, now;
			int module;		/* ev_name() */
		} schedule;
		struct {
			pid_t pid;	/* 0: of the partition ev_name() */
			int cpu;
			int64_t now, deadline;
			uint64_t ran, left;
			int level;
		} server;
		struct {
			pid_t pid;
			int cpu, target;
		} tickle;
		uint64_t mark;
	};
};

struct evlist {
	struct ev *ev;
	size_t nr, room;
	uint64_t lost;			/* events the kernel had no room for */
	char (*names)[32];
	int nr_names;
	struct ev_comm {
		uint64_t ts;
		char comm[EV_COMM];
	} *comm;			/* by pid, the latest */
};

struct evlist *ev_new(void);
void ev_free(struct evlist *l);
struct ev *ev_add(struct evlist *l, uint64_t ts, int cpu, enum ev_type type);
/* Stable by time: what a CPU recorded stays in its order. Finds nested interrupts. */
void ev_sort(struct evlist *l);
int ev_intern(struct evlist *l, const char *name);
const char *ev_name(const struct evlist *l, int name);
void ev_set_comm(struct evlist *l, pid_t pid, const char *comm, uint64_t ts);
const char *ev_comm(const struct evlist *l, pid_t pid);
/* A line for people */
void ev_format(const struct evlist *l, const struct ev *e, char *buf, size_t len);
/* Of the stop class, which comes before everything */
bool ev_is_stop(const struct evlist *l, pid_t pid);
/* @v, or what it has become with room for one more than @nr elements of @size */
void *ev_room(void *v, size_t nr, size_t *room, size_t size);

/* What a checker found against one rule */
struct ev_verdict {
	unsigned int count;
	const struct ev *where;		/* the first */
	char first[256];
};

/* @e: where, NULL: nowhere in particular */
__attribute__((format(printf, 4, 5)))
void ev_violation(const struct evlist *l, struct ev_verdict *v, const struct ev *e,
		  const char *fmt, ...);
unsigned int ev_violations(const struct ev_verdict *v, int nr);
/* With what happened before and after */
void ev_report(const struct evlist *l, const struct ev_verdict *v, int nr,
	       const char *const *rule, FILE *to, const char *prefix);

#endif /* SELFTEST_A653_EVENT_H */
