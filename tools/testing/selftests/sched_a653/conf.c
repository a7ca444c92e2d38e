// SPDX-License-Identifier: GPL-2.0
/*
 * A module's configuration, built step by step in memory
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf.h"

/* Without a NUL at the end if it is too long: what tests of names need */
void set_name(char *to, const char *name)
{
	memcpy(to, name, strnlen(name, A653_NAME_LEN));
}

/* The structure points into itself */
static void aim(struct conf *f)
{
	f->c.cpus = (uintptr_t)f->cpus;
	f->c.partitions = (uintptr_t)f->part;
	f->c.schedules = (uintptr_t)f->sched;
	f->c.windows = (uintptr_t)f->win;
	f->c.reason = (uintptr_t)f->reason;
	/* a kernel without budgets takes a longer structure only if it is zero there */
	if (f->c.budget_size)
		f->c.budgets = (uintptr_t)f->budget;
}

struct conf *conf_new(const char *module, uint64_t cpus)
{
	struct conf *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->c.size = sizeof(f->c);
	set_name(f->c.module, module);
	f->c.clock = CLOCK_MONOTONIC;
	f->c.nr_cpu_words = 1;
	f->c.partition_size = sizeof(f->part[0]);
	f->c.schedule_size = sizeof(f->sched[0]);
	f->c.window_size = sizeof(f->win[0]);
	f->c.reason_len = sizeof(f->reason);
	f->cpus[0] = cpus;
	aim(f);
	return f;
}

struct conf *conf_dup(const struct conf *from)
{
	struct conf *f = malloc(sizeof(*f));

	if (!f)
		abort();
	*f = *from;
	aim(f);
	return f;
}

int conf_part(struct conf *f, const char *name, uint64_t period, uint64_t duration)
{
	struct a653_partition *p = &f->part[f->c.nr_partitions];

	if (f->c.nr_partitions >= CONF_PARTITIONS)
		abort();
	set_name(p->name, name);
	p->period_ns = period;
	p->duration_ns = duration;
	return f->c.nr_partitions++;
}

int conf_sched(struct conf *f, const char *name, uint64_t major, uint32_t flags)
{
	struct a653_schedule *s = &f->sched[f->c.nr_schedules];

	if (f->c.nr_schedules >= CONF_SCHEDULES)
		abort();
	set_name(s->name, name);
	s->major_frame_ns = major;
	s->flags = flags;
	return f->c.nr_schedules++;
}

struct a653_window *conf_win(struct conf *f, int part, int cpu, uint64_t offset,
			     uint64_t duration, uint32_t flags)
{
	struct a653_window *w = &f->win[f->c.nr_windows];

	if (f->c.nr_windows >= CONF_WINDOWS || !f->c.nr_schedules)
		abort();
	f->sched[f->c.nr_schedules - 1].nr_windows++;
	f->c.nr_windows++;
	w->offset_ns = offset;
	w->duration_ns = duration;
	w->cpu = cpu;
	w->partition = part;
	w->flags = flags;
	return w;
}

struct a653_budget *conf_budget(struct conf *f, int part, int cpu, uint64_t budget,
				uint64_t period, uint32_t flags)
{
	struct a653_budget *b = &f->budget[f->c.nr_budgets];

	if (f->c.nr_budgets >= CONF_BUDGETS)
		abort();
	f->c.budget_size = sizeof(f->budget[0]);
	aim(f);
	f->c.nr_budgets++;
	b->budget_ns = budget;
	b->period_ns = period;
	b->partition = part;
	b->cpu = cpu;
	b->flags = flags;
	return b;
}

unsigned int conf_first_win(const struct conf *f, unsigned int sched)
{
	unsigned int i, n = 0;

	for (i = 0; i < sched; i++)
		n += f->sched[i].nr_windows;
	return n;
}
