// SPDX-License-Identifier: GPL-2.0
/* A module with its partitions, budgets, schedules and windows */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liba653.h"

#define MIN_SLACK_SYSCTL	"/proc/sys/kernel/sched_a653_min_slack_pct"
#define MIN_SLACK_PCT		5

void table_free(struct table *table)
{
	if (table->cgroup)
		for (size_t i = 0; i < table->cfg.nr_partitions; i++)
			free(table->cgroup[i]);
	free(table->cgroup);
	free(table->partition);
	free(table->schedule);
	free(table->window);
	free(table->budget);
	free(table->partition_line);
	free(table->schedule_line);
	free(table->window_line);
	free(table->budget_line);
	memset(table, 0, sizeof(*table));
}

/* Index of the schedule's first window */
size_t table_first_window(const struct table *table, unsigned int schedule)
{
	size_t first = 0;

	for (unsigned int i = 0; i < schedule; i++)
		first += table->schedule[i].nr_windows;
	return first;
}

int table_find_schedule(const struct table *table, const char *name)
{
	for (unsigned int i = 0; i < table->cfg.nr_schedules; i++)
		if (!strcmp(table->schedule[i].name, name))
			return i;
	return -1;
}

/**
 * table_server - the budget of a partition
 * @table: the table
 * @partition: index of the partition
 * @server: its parameters, which are the same on each CPU; all zero: none
 *
 * Return: true if it has one.
 */
bool table_server(const struct table *table, unsigned int partition,
		  struct server *server)
{
	bool found = false;

	memset(server, 0, sizeof(*server));
	for (unsigned int i = 0; i < table->cfg.nr_budgets; i++) {
		const struct a653_budget *budget = &table->budget[i];

		if (budget->partition != partition)
			continue;
		if (budget->cpu < MAX_CPUS)
			cpus_set(&server->cpus, budget->cpu);
		server->par.budget_ns = budget->budget_ns;
		server->par.period_ns = budget->period_ns;
		server->par.extra = budget->flags & A653_BUDGET_EXTRATIME;
		found = true;
	}
	return found;
}

/* The table as the kernel's rules look at it */
void table_conf(const struct table *table, struct a653_conf *conf)
{
	conf->cfg = table->cfg;
	conf->cpus = table->cpus.word;
	conf->partitions = table->partition;
	conf->schedules = table->schedule;
	conf->windows = table->window;
	conf->budgets = table->budget;
}

/* What a machine allows of which nothing is known but its sysctl, if that */
void limits_default(struct a653_limits *limits)
{
	FILE *f = fopen(MIN_SLACK_SYSCTL, "re");
	unsigned int pct;

	limits->nr_cpus = MAX_CPUS;
	limits->min_slack_pct = MIN_SLACK_PCT;
	if (!f)
		return;
	if (fscanf(f, "%u", &pct) == 1)
		limits->min_slack_pct = pct;
	fclose(f);
}

/* Room for the frame table of a CPU; the caller frees it */
struct a653_frame *table_frame(void)
{
	struct a653_frame *frame;

	return xcalloc(1, sizeof(*frame) + A653_MAX_SEGS * sizeof(*frame->seg));
}

struct check {
	const struct table *table;
	struct diag *diag;
};

static unsigned int line_of(const unsigned int *line, u32 index)
{
	return line && index != A653_NOBODY ? line[index] : 0;
}

/* Where the most special thing stands that a violation is about */
static unsigned int violation_line(const struct table *table,
				   const struct a653_violation *v)
{
	return line_of(table->window_line, v->window) ?:
	       line_of(table->budget_line, v->budget) ?:
	       line_of(table->schedule_line, v->schedule) ?:
	       line_of(table->partition_line, v->partition) ?:
	       table->module_line;
}

/* Where else to look: what a schedule lacks may be declared too generously */
static unsigned int other_line(const struct table *table,
			       const struct a653_violation *v,
			       const char **other)
{
	*other = "other window";
	if (v->other != A653_NOBODY)
		return line_of(table->window_line, v->other);
	*other = "schedule";
	if (v->budget != A653_NOBODY)
		return line_of(table->schedule_line, v->schedule);
	*other = "partition";
	if (v->schedule != A653_NOBODY && v->window == A653_NOBODY)
		return line_of(table->partition_line, v->partition);
	return 0;
}

static bool note_violation(void *ctx, const struct a653_violation *v)
{
	struct check *check = ctx;
	const char *other;
	unsigned int line = other_line(check->table, v, &other);

	diag_add(check->diag, DIAG_ERROR, violation_line(check->table, v),
		 line, other, "%s", v->text);
	return true;
}

/**
 * table_check - hold a table against the kernel's rules
 * @table: the table
 * @limits: what the machine allows
 * @diag: where every violation is noted
 *
 * Return: true if no rule is violated.
 */
bool table_check(const struct table *table, const struct a653_limits *limits,
		 struct diag *diag)
{
	struct check check = { .table = table, .diag = diag };
	u32 *scratch = xcalloc(a653_conf_scratch(&table->cfg),
			       sizeof(*scratch));
	struct a653_frame *frame = table_frame();
	struct rtds_supply supply;
	struct a653_conf conf;
	int err;

	table_conf(table, &conf);
	err = a653_conf_check(&conf, limits, scratch, note_violation, &check) ||
	      rtds_conf_check(&conf, limits, scratch, frame, &supply,
			      note_violation, &check);
	free(frame);
	free(scratch);
	return !err;
}
