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
/* How much of a CPU it may get more or less than its budget */
#define SHARE_ERR	0.005

#define MARGIN		"              "

static char letter_of(const struct demo *d, int owner)
{
	char taken[A653_MAX_PARTITIONS + 2] = "";
	const char *name;
	int i, k;

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
	/* in turn, the thread last: the first letter that is not taken */
	for (i = 0; i <= (int)d->f->c.nr_partitions; i++) {
		k = i < (int)d->f->c.nr_partitions ? i : OWNER_RTDS;
		for (name = name_of(d, k); *name; name++)
			if (isalpha((unsigned char)*name) &&
			    !strchr(taken, toupper((unsigned char)*name)))
				break;
		taken[i] = *name ? toupper((unsigned char)*name) : '?';
		if (k == owner)
			break;
	}
	return taken[i];
}

static bool windowed(const struct demo *d, unsigned int part)
{
	unsigned int w = conf_first_win(d->f, d->sched), i;

	for (i = 0; i < d->f->sched[d->sched].nr_windows; i++, w++)
		if (d->f->win[w].partition == part)
			return true;
	return false;
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

/* It may sleep, and so leave something of what is its own */
static bool sleeps(const struct demo *d, int owner)
{
	return owner < A653_MAX_PARTITIONS && d->waker[owner];
}

static bool extratime(const struct demo_server *s)
{
	return s->stat.flags & A653_SERVER_EXTRATIME;
}

/* When they run is for them to decide: that is not planned */
static void legend_servers(const struct demo *d)
{
	int i;

	for (i = 0; i < d->nr_servers; i++) {
		const struct demo_server *s = &d->server[i];

		printf("%s%c budget: %g ms in each %g ms%s, on CPU %u%s\n", MARGIN,
		       letter_of(d, s->owner), s->stat.budget_ns / 1e6,
		       s->stat.period_ns / 1e6, extratime(s) ? " and more" : "", s->stat.cpu,
		       s->stat.pid ? " (SCHED_RTDS)" : "");
	}
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
	if (d->task[d->nr_tasks - 1].owner == OWNER_RTDS)
		printf(", %c %s", letter_of(d, OWNER_RTDS), name_of(d, OWNER_RTDS));
	printf("\n");
	legend_servers(d);
	printf("%s# SCHED_FIFO 99, o ordinary hog, + other tasks, . idle\n\n", MARGIN);
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

static double entitled_ns(const struct demo *d, int server)
{
	const struct a653_server_stat *s = &d->server[server].stat;

	return (double)(d->to - d->from) * s->budget_ns / s->period_ns;
}

/* Periods in which it ran for longer than that */
static size_t count_above(const struct ora_series *got, int64_t ns)
{
	size_t i, n = 0;

	for (i = 0; i < got->nr; i++)
		n += got->v[i] > ns;
	return n;
}

static void table_servers(const struct demo *d, const struct account *a)
{
	char name[A653_NAME_LEN + 8];
	int i;

	if (!d->nr_servers)
		return;
	printf("%-14s                     periods     ran in each (us)             budget\n", "");
	puts("server/CPU     entitled  received  all   less   min  median    p99    max  (us)");
	for (i = 0; i < d->nr_servers; i++) {
		const struct demo_server *s = &d->server[i];
		struct ora_series got = a->server[i].got;
		int64_t budget = s->stat.budget_ns;

		snprintf(name, sizeof(name), "%s/%u", name_of(d, s->owner), s->stat.cpu);
		printf("%-14s %6.2f %%  %6.2f %%  ", name, percent(d, entitled_ns(d, i)),
		       percent(d, a->server[i].ran));
		printf("%4zu   %4zu ", got.nr, got.nr - count_above(&got, budget - LATENCY));
		printf("%5.0f  %6.1f %6.1f %6.1f %6.1f%s\n", ora_quantile(&got, 0) / 1e3,
		       ora_quantile(&got, 0.5) / 1e3, ora_quantile(&got, 0.99) / 1e3,
		       ora_quantile(&got, 1) / 1e3, budget / 1e3,
		       sleeps(d, s->owner) ? "  sleeps" : "");
	}
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

		if (!windowed(d, i))
			continue;
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
	table_servers(d, a);
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

/* Was each budget honoured, and not exceeded? */
static int judge_servers(const struct demo *d, const struct account *a, int n)
{
	int i;

	for (i = 0; i < d->nr_servers; i++) {
		const struct demo_server *s = &d->server[i];
		const struct ora_series *got = &a->server[i].got;
		int64_t budget = s->stat.budget_ns;
		size_t more = count_above(got, budget + LATENCY);
		size_t less = got->nr - count_above(got, budget - LATENCY);
		double diff = a->server[i].ran - entitled_ns(d, i);
		double err = SHARE_ERR * (d->to - d->from);
		const char *name = name_of(d, s->owner);

		/* the first period and the last one are in part outside */
		err += budget;
		if (!sleeps(d, s->owner) && (less || diff < -err))
			n = violated(n, "%s did not get its budget on CPU %u: less in %zu periods, %.3f ms in sum",
				     name, s->stat.cpu, less, -diff / 1e6);
		if (!extratime(s) && (more || diff > err))
			n = violated(n, "%s exceeded its budget on CPU %u: in %zu periods, by %.3f ms in sum",
				     name, s->stat.cpu, more, diff / 1e6);
	}
	return n;
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
	if (exact)
		n = judge_servers(d, a, n);
	for (k = 0; k < NR_ORA; k++)
		if (ora_count(d->o, k))
			n = violated(n, "%s, %u times, first: %s", ora_kind_name(k),
				     ora_count(d->o, k), ora_first(d->o, k));
	for (k = 0; k < NR_RTDS_ORA; k++)
		if (rtds_ora_count(d->rtds, k))
			n = violated(n, "budgets: %s, %u times, first: %s", rtds_ora_kind_name(k),
				     rtds_ora_count(d->rtds, k), rtds_ora_first(d->rtds, k));
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
		if (!d->waker[i] && windowed(d, i))
			ora_share(d->o, d->f->part[i].name, SHARE);
		if (a->outside[i] > longest)
			longest = a->outside[i];
	}
	rtds_ora_tolerance(d->rtds, LATENCY);
	all = !ora_run(d->o) && !rtds_ora_run(d->rtds);

	printf("\nSchedule %s, %lld major frames of %g ms:\n\n", s->name,
	       (long long)((d->to - d->from) / d->major), d->major / 1e6);
	table(d, a);
	if (s->flags & A653_SCHEDULE_EXCLUSIVE)
		printf("Overlap of partitions: %lld ns. ", (long long)a->overlap);
	printf("Events: %zu, lost: %llu.\n\n", d->l->nr, (unsigned long long)d->l->lost);
	chart(d, a);

	n = judge(d, a);
	if (n || !all)
		return 1;
	printf("As planned: every window opened; no task ran on for more than %.1f us.\n",
	       longest / 1e3);
	if (d->nr_servers)
		printf("%s had its budget in every period, and no more.\n",
		       d->nr_servers > 1 ? "Every server" : "The server");
	return 0;
}
