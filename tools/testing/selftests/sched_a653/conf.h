/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module's configuration, built step by step in memory
 *
 * No system calls here: the tests hand it to the kernel (lib.h), the trace
 * checker (oracle.h) reads it to know what was planned.
 */
#ifndef SELFTEST_A653_CONF_H
#define SELFTEST_A653_CONF_H

#include <linux/sched_a653.h>
#include <stdbool.h>
#include <stdint.h>

#define US	1000LL
#define MS	1000000LL
#define SEC	1000000000LL

/* Room for one more than allowed, so that tests can go beyond */
#define CONF_PARTITIONS	(A653_MAX_PARTITIONS + 1)
#define CONF_SCHEDULES	(A653_MAX_SCHEDULES + 1)
#define CONF_WINDOWS	8192
#define CONF_CPU_WORDS	2
#define CONF_BUDGETS	256

struct conf {
	struct a653_config c;
	uint64_t cpus[CONF_CPU_WORDS];
	struct a653_partition part[CONF_PARTITIONS];
	struct a653_schedule sched[CONF_SCHEDULES];
	struct a653_window win[CONF_WINDOWS];
	struct a653_budget budget[CONF_BUDGETS];
	char reason[A653_REASON_LEN];
};

void set_name(char *to, const char *name);
struct conf *conf_new(const char *module, uint64_t cpus);
struct conf *conf_dup(const struct conf *from);
int conf_part(struct conf *f, const char *name, uint64_t period, uint64_t duration);
int conf_sched(struct conf *f, const char *name, uint64_t major, uint32_t flags);
/* Windows belong to the schedule that was added last */
struct a653_window *conf_win(struct conf *f, int part, int cpu, uint64_t offset,
			     uint64_t duration, uint32_t flags);
/* A deferrable server of a partition on one CPU */
struct a653_budget *conf_budget(struct conf *f, int part, int cpu, uint64_t budget,
				uint64_t period, uint32_t flags);

/* Index of the first window of a schedule in the windows array */
unsigned int conf_first_win(const struct conf *f, unsigned int sched);

#endif /* SELFTEST_A653_CONF_H */
