// SPDX-License-Identifier: GPL-2.0
/*
 * Deferrable servers: beside SCHED_DEADLINE, many of them, and against a scan
 */
#include <limits.h>
#include <stdlib.h>

#include "bench.h"

/* Of virtual time under --icount */
#define INSN_NS		4
/* In sum */
#define UTIL		0.8
/* Threads beside as many of SCHED_DEADLINE */
#define BESIDE		8

static struct load load;

static FILE *json_open(const char *dir, const char *name)
{
	char path[PATH_MAX];
	FILE *f;

	if (!dir)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

/* A mix of periods, all of which divide 400 ms; each has the same utilisation */
static void mix(const char *name, int policy, int n, double work, int64_t length)
{
	static const int period_ms[] = { 20, 10, 50, 25, 100, 40, 200, 80 };
	int i;

	load.name = name;
	load.policy = policy;
	load.n = n;
	load.step = 1300 * US;
	load.work = work;
	load.fifo = true;
	load.length = length;
	for (i = 0; i < n; i++) {
		load.period[i] = period_ms[i % ARRAY_SIZE(period_ms)] * MS;
		load.budget[i] = load.period[i] * (UTIL / n);
	}
}

/* Instructions for a replenishment, besides what the CPU loses without servers */
static double cost(const struct load_result *r, const struct load_result *none)
{
	return (r->lost - none->lost) * 1e9 / INSN_NS / r->replenished;
}

/* Without it SCHED_DEADLINE enforces budgets with the tick */
static void set_hrtick(bool on)
{
	FILE *f = fopen("/sys/kernel/debug/sched/features", "w");

	if (f) {
		fputs(on ? "HRTICK_DL" : "NO_HRTICK_DL", f);
		fclose(f);
	}
}

static struct load_result none(bool fifo)
{
	mix("no servers", SCHED_RTDS, 0, 0, 4 * SEC);
	load.fifo = fifo;
	return load_run(&load);
}

static void json_row(FILE *f, const struct load_result *r, double cost, bool last)
{
	if (!f)
		return;
	fprintf(f, "    {\"name\": \"%s\", \"servers\": %d, \"received\": %.4f,", r->name, r->n,
		r->received);
	if (!r->jobs)
		fprintf(f, " \"received_in_worst_period\": %.4f,", r->worst);
	fprintf(f, " \"jobs\": %ld, \"missed\": %ld, \"switches_per_s\": %.1f,", r->jobs,
		r->missed, r->switches);
	fprintf(f, " \"replenishments_per_s\": %.1f,", r->replenished);
	fprintf(f, " \"instructions_per_replenishment\": %.0f}%s\n", cost, last ? "" : ",");
}

static struct load_result beside(FILE *f, const char *name, int policy, double work,
				 const struct load_result *base)
{
	struct load_result r;

	mix(name, policy, BESIDE, work, 4 * SEC);
	r = load_run(&load);
	printf("%-34s %8.4f ", name, r.received);
	if (work)
		printf("%8s %5ld %6ld", "", r.jobs, r.missed);
	else
		printf("%8.4f %12s", r.worst, "");
	printf(" %8.0f %8.0f %9.0f\n", r.switches, r.replenished, cost(&r, base));
	fflush(stdout);
	json_row(f, &r, cost(&r, base), false);
	return r;
}

/*
 * @n servers with a thousand replenishments a second. Their periods are equal, and
 * begin one after the other; or all are different (@spread), so that many wait.
 */
static double growth(FILE *f, int policy, int n, bool spread, const struct load_result *base,
		     bool last)
{
	char name[64];
	struct load_result r;
	double c;
	int i;

	snprintf(name, sizeof(name), "%s, %s periods",
		 policy == SCHED_RTDS ? "RTDS" : "DEADLINE, HRTICK_DL",
		 spread ? "different" : "equal");
	load.name = name;
	load.policy = policy;
	load.n = n;
	load.step = MS;
	load.work = 0;
	load.fifo = false;
	load.length = 4 * SEC;
	for (i = 0; i < n; i++) {
		load.period[i] = n * MS;
		/* Their harmonic mean is about that */
		if (spread)
			load.period[i] = load.period[i] * (0.75 + 0.6 * (i * 7 % n) / n);
		load.budget[i] = load.period[i] * (UTIL / n);
	}
	r = load_run(&load);
	c = cost(&r, base);
	printf("%-34s %8d %9.0f %9.0f %10.0f\n", name, n, r.replenished, r.switches, c);
	fflush(stdout);
	json_row(f, &r, c, last);
	return c;
}

static void print_ratio(const char *what, const struct load_result *a,
			const struct load_result *b, const struct load_result *base)
{
	printf("%-60s %8.4f\n", what, cost(a, base) / cost(b, base));
}

void bench_servers(const char *dir)
{
	static const int numbers[] = { 10, 100, 1000 };
	struct load_result hogs, hog, rj, dj, hj, rs, hs;
	FILE *f = json_open(dir, "servers.json");
	double c[3][2];
	int i, spread;

	hogs = none(true);
	printf("\n%d threads with reservations of 0.8 of the CPU in sum, beside a SCHED_FIFO and an\n"
	       "ordinary hog. Received in user mode, of the budgets: in all, in the worst period.\n"
	       "Instructions of the kernel, besides what it needs without them.\n\n", BESIDE);
	printf("%-34s %8s %8s %5s %6s %8s %8s %9s\n", "", "received", "worst", "jobs", "missed",
	       "switch/s", "replen/s", "insn/repl");
	if (f)
		fprintf(f, "{\n  \"rows\": [\n");
	rj = beside(f, "jobs, RTDS", SCHED_RTDS, 0.9, &hogs);
	dj = beside(f, "jobs, DEADLINE", SCHED_DEADLINE, 0.9, &hogs);
	set_hrtick(true);
	hj = beside(f, "jobs, DEADLINE, HRTICK_DL", SCHED_DEADLINE, 0.9, &hogs);
	set_hrtick(false);
	rs = beside(f, "backlogged, RTDS", SCHED_RTDS, 0, &hogs);
	beside(f, "backlogged, DEADLINE", SCHED_DEADLINE, 0, &hogs);
	set_hrtick(true);
	hs = beside(f, "backlogged, DEADLINE, HRTICK_DL", SCHED_DEADLINE, 0, &hogs);
	set_hrtick(false);

	hog = none(false);
	puts("\nMore of them, all backlogged, beside an ordinary hog:\n");
	printf("%-34s %8s %9s %9s %10s\n", "", "n", "replen/s", "switch/s", "insn/repl");
	for (spread = 0; spread < 2; spread++)
		for (i = 0; i < 3; i++)
			c[i][spread] = growth(f, SCHED_RTDS, numbers[i], spread, &hog, false);
	set_hrtick(true);
	growth(f, SCHED_DEADLINE, 10, false, &hog, false);
	growth(f, SCHED_DEADLINE, 1000, false, &hog, true);
	set_hrtick(false);

	printf("\n");
	print_goal("RTDS: jobs that missed their deadline", rj.missed, 0);
	print_goal("1000 servers / 10, instructions, equal periods", c[2][0] / c[0][0], 3);
	print_goal("1000 servers / 10, instructions, different periods", c[2][1] / c[0][1], 3);
	print_ratio("RTDS / DEADLINE, instructions, jobs", &rj, &dj, &hogs);
	print_ratio("RTDS / DEADLINE with HRTICK_DL, instructions, jobs", &rj, &hj, &hogs);
	print_ratio("RTDS / DEADLINE with HRTICK_DL, instructions, backlogged", &rs, &hs, &hogs);
	if (f) {
		fprintf(f, "  ]\n}\n");
		fclose(f);
	}
}

/* Scheduler entries of a kernel, per second */
struct entries {
	char name[32];
	int n;
	double timers, picked, switches;
	double worst;		/* what a backlogged one got of its budget in a period */
};

static struct entries entries_of(const char *name, int n, double work)
{
	struct entries e = { .n = n };
	struct load_result r;

	mix(name, SCHED_RTDS, n, work, 2 * SEC);
	r = load_run(&load);
	snprintf(e.name, sizeof(e.name), "%s", name);
	e.timers = r.due_timers + r.budget_timers;
	e.picked = r.picked;
	e.switches = r.switches;
	e.worst = work ? 1 : r.worst;
	return e;
}

#define ENTRIES_ROW \
	"    {\"name\": \"%31[^\"]\", \"servers\": %d, \"timers_per_s\": %lf," \
	" \"picks_per_s\": %lf, \"switches_per_s\": %lf," \
	" \"received_in_worst_period\": %lf}"

/* What the other kernel had, from its file */
static struct entries entries_read(FILE *f, const struct entries *like)
{
	struct entries e = { .worst = 1 };
	char line[256];

	if (f)
		rewind(f);
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, ENTRIES_ROW, e.name, &e.n, &e.timers, &e.picked, &e.switches,
			   &e.worst) >= 5 && e.n == like->n && !strcmp(e.name, like->name))
			return e;
	}
	fprintf(stderr, "no row of %d servers, %s: run it on the other kernel first\n", like->n,
		like->name);
	exit(1);
}

static void entries_columns(const struct entries *e)
{
	printf(" %7.0f %7.0f %8.0f", e->timers, e->picked, e->switches);
	if (e->worst < 1)
		printf(" %6.2f", e->worst);
	else
		printf(" %6s", "");
}

static void entries_print(const struct entries *e, const struct entries *other)
{
	printf("%-16s %4d", e->name, e->n);
	if (other)
		entries_columns(other);
	entries_columns(e);
	if (other)
		printf(" %7.2f", (other->timers + other->picked) / (e->timers + e->picked));
	printf("\n");
	fflush(stdout);
}

void bench_entries(const char *dir, bool scan)
{
	static const char * const names[] = { "mostly asleep", "backlogged" };
	static const int numbers[] = { 1, 8, 64 };
	FILE *f = json_open(dir, scan ? "entries-scan.json" : "entries.json"), *other = NULL;
	struct entries e, o;
	char path[PATH_MAX];
	int i, k;

	if (scan) {
		snprintf(path, sizeof(path), "%s/entries.json", dir);
		other = fopen(path, "r");
	}
	printf("\nScheduler entries per second, and of the budget received in the worst\n"
	       "period if backlogged%s:\n\n", scan ?
	       ", with the event timer and with a scan each millisecond" : "");
	if (scan)
		printf("%-16s %4s %31s %31s %7s\n", "", "", "event", "scan", "event/");
	printf("%-16s %4s", "", "n");
	for (i = 0; i <= scan; i++)
		printf(" %7s %7s %8s %6s", "timers", "picks", "switches", "worst");
	printf("%s\n", scan ? "    scan" : "");
	if (f)
		fprintf(f, "{\n  \"rows\": [\n");
	for (k = 0; k < 2; k++) {
		for (i = 0; i < 3; i++) {
			e = entries_of(names[k], numbers[i], k ? 0 : 0.2);
			if (scan)
				o = entries_read(other, &e);
			entries_print(&e, scan ? &o : NULL);
			if (!f)
				continue;
			fprintf(f, "    {\"name\": \"%s\", \"servers\": %d,", e.name, e.n);
			fprintf(f, " \"timers_per_s\": %.1f, \"picks_per_s\": %.1f,", e.timers,
				e.picked);
			fprintf(f, " \"switches_per_s\": %.1f", e.switches);
			if (k)
				fprintf(f, ", \"received_in_worst_period\": %.4f", e.worst);
			fprintf(f, "}%s\n", k == 1 && i == 2 ? "" : ",");
		}
	}
	if (other)
		fclose(other);
	if (f) {
		fprintf(f, "  ]\n}\n");
		fclose(f);
	}
}
