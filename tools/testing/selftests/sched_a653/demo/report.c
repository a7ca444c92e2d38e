// SPDX-License-Identifier: GPL-2.0
/*
 * What the demo tells
 */
#include <ctype.h>
#include <stdarg.h>

#include "demo.h"

/*
 * How long a CPU may take from the end of a window until another task runs.
 * Emulated CPUs take turns; where time is not that of instructions, the host
 * takes as long as it likes, and only the order of events is judged.
 */
#define LATENCY		(200 * US)
/* What a task that never sleeps must have of its windows */
#define SHARE		0.97

#define MARGIN		"              "

static char letter_of(const struct demo *d, int owner)
{
	char taken[A653_MAX_PARTITIONS] = "";
	const char *name;
	int i;

	switch (owner) {
	case OWNER_FIFO:
		return '#';
	case OWNER_HOG:
		return 'o';
	case OWNER_OTHER:
		return '+';
	case OWNER_IDLE:
		return '.';
	}
	for (i = 0; i <= owner; i++) {
		for (name = d->f->part[i].name; *name; name++)
			if (isalpha((unsigned char)*name) &&
			    !strchr(taken, toupper((unsigned char)*name)))
				break;
		taken[i] = *name ? toupper((unsigned char)*name) : '?';
	}
	return taken[owner];
}

/* Marks at so many ms that their numbers have room */
static void ruler(const struct demo *d)
{
	char line[2][DEMO_COLUMNS + 16];
	int64_t step = MS, t;
	int i;

	while (d->major / step > 10)
		step *= 2;
	memset(line, ' ', sizeof(line));
	memset(line[1], '-', DEMO_COLUMNS);
	for (t = 0; t <= d->major; t += step) {
		char text[8];
		int n = snprintf(text, sizeof(text), "%lld", (long long)(t / MS));

		i = t * DEMO_COLUMNS / d->major;
		memcpy(line[0] + i, text, n);
		line[1][i] = '|';
	}
	i = d->major / step * step * DEMO_COLUMNS / d->major + 2;
	printf("%s%.*s ms\n", MARGIN, i, line[0]);
	i = d->major % step ? DEMO_COLUMNS : DEMO_COLUMNS + 1;
	printf("%s%.*s\n", MARGIN, i, line[1]);
}

static void row(const struct demo *d, const struct account *a, int cpu, bool plan)
{
	int64_t best, end;
	int i, k, owner;

	for (i = 0; i < DEMO_COLUMNS; i++) {
		if (plan) {
			/* the middle of the column */
			owner = planned(d, cpu, a->frame + d->major * (2 * i + 1) /
					(2 * DEMO_COLUMNS), &end);
			putchar(owner < 0 ? ' ' : letter_of(d, owner));
			continue;
		}
		for (owner = OWNER_IDLE, best = 0, k = 0; k < NR_OWNERS; k++) {
			if (a->column[cpu][i][k] <= best)
				continue;
			best = a->column[cpu][i][k];
			owner = k;
		}
		putchar(letter_of(d, owner));
	}
	putchar('\n');
}

static void chart(const struct demo *d, const struct account *a)
{
	unsigned int i;
	int c;

	printf("Major frame %lld, in which a window opened latest:\n\n",
	       (long long)((a->frame - d->from) / d->major + 1));
	ruler(d);
	for (c = 0; c < d->cpus; c++) {
		if (!(d->f->cpus[0] >> c & 1))
			continue;
		printf("CPU %d planned ", c);
		row(d, a, c, true);
		printf("      as run  ");
		row(d, a, c, false);
	}
	printf("%s", MARGIN);
	for (i = 0; i < d->f->c.nr_partitions; i++)
		printf("%s%c %s", i ? ", " : "", letter_of(d, i), d->f->part[i].name);
	printf("\n%s# SCHED_FIFO 99, o ordinary hog, + other tasks, . idle\n\n", MARGIN);
}

static double percent(const struct demo *d, int64_t ns)
{
	return 100.0 * ns / (d->to - d->from);
}

static void table_others(const struct demo *d, const struct account *a)
{
	static const char *const name[] = {
		[OWNER_FIFO] = "SCHED_FIFO 99",
		[OWNER_HOG] = "ordinary hogs",
		[OWNER_OTHER] = "other tasks",
		[OWNER_IDLE] = "idle",
	};
	int i;

	for (i = OWNER_FIFO; i < NR_OWNERS; i++)
		printf("%-14s        -  %7.2f %%\n", name[i], percent(d, a->ran[i]));
}

static void table(const struct demo *d, const struct account *a)
{
	unsigned int i, k;

	printf("%-14s CPU time            windows     late by (us)                 ran on\n", "");
	puts("partition      entitled  received  open   miss   min  median    p99    max  (us)");
	for (i = 0; i < d->f->c.nr_partitions; i++) {
		const struct ora_part *p = ora_part(d->o, d->f->part[i].name);
		struct ora_series late = p->late;
		unsigned int w = conf_first_win(d->f, d->sched);
		int64_t entitled = 0;

		for (k = 0; k < d->f->sched[d->sched].nr_windows; k++, w++)
			if (d->f->win[w].partition == i)
				entitled += d->f->win[w].duration_ns;
		printf("%-14s %6.2f %%  %6.2f %%  ", d->f->part[i].name,
		       100.0 * entitled / d->major, percent(d, a->ran[i]));
		printf("%4llu   %4llu ", (unsigned long long)p->windows,
		       (unsigned long long)p->missed);
		printf("%5.1f  %6.1f %6.1f %6.1f %6.1f%s\n",
		       ora_quantile(&late, 0) / 1e3, ora_quantile(&late, 0.5) / 1e3,
		       ora_quantile(&late, 0.99) / 1e3, ora_quantile(&late, 1) / 1e3,
		       a->outside[i] / 1e3, d->waker[i] ? "  sleeps" : "");
	}
	table_others(d, a);
	printf("(CPU time is in percent of one CPU; ran on: at most, after a window's end)\n\n");
}

__attribute__((format(printf, 2, 3)))
static int violated(int n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%s", n ? "" : "NOT as planned:\n");
	printf("  ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	return n + 1;
}

static int judge(const struct demo *d, const struct account *a)
{
	bool exclusive = d->f->sched[d->sched].flags & A653_SCHEDULE_EXCLUSIVE;
	bool exact = time_is_exact();
	uint64_t missed = 0;
	unsigned int i;
	int n = 0, k;

	if (d->l->lost)
		n = violated(n, "%llu events are lost", (unsigned long long)d->l->lost);
	if (exclusive && a->overlap)
		n = violated(n, "two partitions ran at once for %lld ns",
			     (long long)a->overlap);
	for (i = 0; i < d->f->c.nr_partitions; i++) {
		missed += ora_part(d->o, d->f->part[i].name)->missed;
		if (exact && a->outside[i] > LATENCY)
			n = violated(n, "%s ran outside its windows for %lld ns",
				     d->f->part[i].name, (long long)a->outside[i]);
	}
	if (exact && missed)
		n = violated(n, "windows were missed");
	for (k = 0; k < NR_ORA; k++)
		if (ora_count(d->o, k))
			n = violated(n, "%s, %u times, first: %s", ora_kind_name(k),
				     ora_count(d->o, k), ora_first(d->o, k));
	return n;
}

int report(const struct demo *d, const struct account *a)
{
	const struct a653_schedule *s = &d->f->sched[d->sched];
	int64_t longest = 0;
	unsigned int i;
	bool all;
	int n;

	for (i = 0; i < d->f->c.nr_partitions; i++) {
		if (!d->waker[i])
			ora_share(d->o, d->f->part[i].name, SHARE);
		if (a->outside[i] > longest)
			longest = a->outside[i];
	}
	all = !ora_run(d->o);

	printf("\nSchedule %s, %lld major frames of %g ms:\n\n", s->name,
	       (long long)((d->to - d->from) / d->major), d->major / 1e6);
	table(d, a);
	if (s->flags & A653_SCHEDULE_EXCLUSIVE)
		printf("Overlap of partitions: %lld ns. ", (long long)a->overlap);
	printf("Events: %zu, lost: %llu.\n\n", d->l->nr, (unsigned long long)d->l->lost);
	chart(d, a);

	n = judge(d, a);
	if (!n && all)
		printf("As planned: every window opened; no task ran on for more than %.1f us.\n",
		       longest / 1e3);
	return n || !all;
}
