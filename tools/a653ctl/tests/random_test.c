// SPDX-License-Identifier: GPL-2.0
/*
 * random_test - random configurations that keep the rules, by construction
 *
 * Each must be read and pass all rules; printed as a configuration file and
 * read again it must be the same; and what usage_count() and fit_count() say of
 * it must be what one gets by looking at each instant of the frame.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../liba653.h"

#define ROUNDS		300
#define CPUS		6
#define PARTS		5
#define SCHEDULES	3

/* Everything starts and ends on a multiple of this */
#define STEP_NS		125000ULL
#define STEPS		160

static unsigned int seed = 1;

static unsigned int pick(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

static void put_windows(FILE *out, const char *cpus)
{
	unsigned int at = pick(10), len;
	const char *comma = "";

	/* Gaps of a third and more: no rule about slack is near */
	while (at < STEPS - 30) {
		char offset[TIME_TEXT], duration[TIME_TEXT];

		len = 1 + pick(10);
		fprintf(out, "%s\n  { partition = \"p%u\"; cpus = \"%s\";",
			comma, pick(PARTS), cpus);
		fprintf(out, " offset = \"%s\"; duration = \"%s\"; strict = %s; }",
			time_text(offset, at * STEP_NS),
			time_text(duration, len * STEP_NS),
			pick(2) ? "true" : "false");
		comma = ",";
		at += len + 5 + pick(20);
	}
}

/* All of them together ask for a tenth of a CPU at most */
static void put_budget(FILE *out)
{
	static const char *const cpus[] = {
		"", " cpus = \"2\";", " cpus = \"0,3-5\";",
	};
	char budget[TIME_TEXT], period[TIME_TEXT];

	if (!pick(3))
		return;
	fprintf(out, " rtds = { budget = \"%s\"; period = \"%s\";%s%s };",
		time_text(budget, (1 + pick(40)) * 10000),
		time_text(period, (STEPS + pick(STEPS)) * STEP_NS),
		cpus[pick(ARRAY_SIZE(cpus))],
		pick(2) ? " extratime = true;" : "");
}

static char *make_conf(void)
{
	static const char *const sets[][2] = {
		{ "0-5", "" }, { "0,2-3", "1,4" }, { "5", "0-4" },
	};
	size_t size, which;
	char *text;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "module: { name = \"m\"; cpus = \"0-%u\";", CPUS - 1);
	fprintf(out, " clock = \"%s\"; initial = \"s%u\"; };\n",
		pick(2) ? "tai" : "monotonic", pick(SCHEDULES));
	fputs("partitions = (", out);
	for (unsigned int i = 0; i < PARTS; i++) {
		fprintf(out, "%s { name = \"p%u\"; cgroup = \"some/p-%u\";",
			i ? "," : "", i, i);
		put_budget(out);
		fputs(" }", out);
	}
	fputs(");\nschedules = (", out);
	for (unsigned int i = 0; i < SCHEDULES; i++) {
		which = pick(ARRAY_SIZE(sets));
		fprintf(out, "%s { name = \"s%u\"; major_frame = \"20ms\";",
			i ? "," : "", i);
		fprintf(out, " exclusive = %s; windows = (",
			*sets[which][1] ? "false" : "true");
		put_windows(out, sets[which][0]);
		if (*sets[which][1]) {
			fputc(',', out);
			put_windows(out, sets[which][1]);
		}
		fputs(" ); }", out);
	}
	fputs(");\n", out);
	fclose(out);
	return text;
}

static bool read_conf(const char *text, struct table *table)
{
	struct diag diag = { .file = "random" };
	struct a653_limits limits = { .nr_cpus = CPUS, .min_slack_pct = 5 };
	bool ok = conf_parse(text, table, &diag) &&
		  table_check(table, &limits, &diag) && !diag.nr;

	if (!ok) {
		diag_print(&diag, stdout);
		fputs(text, stdout);
	}
	diag_free(&diag);
	return ok;
}

static bool same_table(const struct table *a, const struct table *b)
{
	const struct a653_config *x = &a->cfg, *y = &b->cfg;

	return !memcmp(x, y, sizeof(*x)) &&
	       !memcmp(&a->cpus, &b->cpus, sizeof(a->cpus)) &&
	       !memcmp(a->partition, b->partition,
		       x->nr_partitions * sizeof(*a->partition)) &&
	       !memcmp(a->schedule, b->schedule,
		       x->nr_schedules * sizeof(*a->schedule)) &&
	       !memcmp(a->window, b->window,
		       x->nr_windows * sizeof(*a->window)) &&
	       (!x->nr_budgets ||
		!memcmp(a->budget, b->budget,
			x->nr_budgets * sizeof(*a->budget)));
}

static bool survives_printing(const struct table *table)
{
	struct table again;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	bool ok;

	show_conf(table, out);
	fclose(out);
	ok = read_conf(text, &again) && same_table(table, &again);
	for (unsigned int i = 0; ok && i < PARTS; i++)
		ok = !strcmp(table->cgroup[i], again.cgroup[i]);
	table_free(&again);
	free(text);
	return ok;
}

static bool is_open(const struct table *table, unsigned int schedule,
		    unsigned int partition, unsigned int cpu, unsigned int step)
{
	size_t i = table_first_window(table, schedule);
	size_t end = i + table->schedule[schedule].nr_windows;
	__u64 ns = step % STEPS * STEP_NS;

	for (; i < end; i++) {
		const struct a653_window *w = &table->window[i];

		if (w->partition == partition && w->cpu == cpu &&
		    w->offset_ns <= ns && ns < w->offset_ns + w->duration_ns)
			return true;
	}
	return false;
}

static bool right_usage(const struct table *table, unsigned int schedule,
			unsigned int partition, const struct usage_part *part)
{
	unsigned int dark = 0, darkest = 0, open = 0;

	/* Twice around: a blackout may span the end of the frame */
	for (unsigned int step = 0; step < 2 * STEPS; step++) {
		bool any = false;

		for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
			bool is = is_open(table, schedule, partition, cpu, step);

			any |= is;
			open += is && step < STEPS;
		}
		dark = any ? 0 : dark + 1;
		darkest = max(darkest, dark);
	}
	if (open != part->cpu_ns / STEP_NS)
		return false;
	return !open || darkest * STEP_NS == part->blackout_ns;
}

static bool right_usages(const struct table *table)
{
	struct usage usage;
	bool ok = true;

	for (unsigned int i = 0; i < table->cfg.nr_schedules; i++) {
		usage_count(table, i, &usage);
		for (unsigned int p = 0; p < PARTS; p++)
			ok &= right_usage(table, i, p, &usage.part[p]);
		usage_free(&usage);
	}
	return ok;
}

static bool is_free(const struct table *table, unsigned int schedule,
		    unsigned int cpu, unsigned int step)
{
	for (unsigned int p = 0; p < PARTS; p++)
		if (is_open(table, schedule, p, cpu, step))
			return false;
	return true;
}

/* The least free time in any interval of this length: try all of them */
static __u64 least_free(const bool *free, unsigned int steps)
{
	unsigned int least, count = 0;

	for (unsigned int step = 0; step < steps; step++)
		count += free[step % STEPS];
	least = count;
	for (unsigned int start = 0; start < STEPS; start++) {
		count += free[(start + steps) % STEPS];
		count -= free[start];
		least = min(least, count);
	}
	return least * STEP_NS;
}

static bool right_fit(const struct table *table, unsigned int schedule,
		      const struct fit *fit)
{
	const struct rtds_margin *margin = &fit->margin;
	__u64 shortest = U64_MAX, supply, spare, least = U64_MAX;
	unsigned int nr = 0, total = 0;
	bool free[STEPS];
	double asked = 0;

	for (unsigned int step = 0; step < STEPS; step++)
		total += free[step] = is_free(table, schedule, fit->cpu, step);
	for (unsigned int i = 0; i < table->cfg.nr_budgets; i++) {
		const struct a653_budget *budget = &table->budget[i];

		if (budget->cpu != fit->cpu)
			continue;
		nr++;
		asked += (double)budget->budget_ns / budget->period_ns;
		shortest = min(shortest, budget->period_ns);
	}
	if (fit->nr_servers != nr || !fit->fits ||
	    (fit->free * STEPS >> RTDS_UNIT_SHIFT) > total)
		return false;
	for (__u64 len = shortest; len <= shortest + STEPS * STEP_NS;
	     len += STEP_NS) {
		supply = least_free(free, len / STEP_NS);
		spare = supply - (__u64)(asked * len);
		least = min(least, spare);
		if (len == margin->len_ns && supply != margin->supply_ns)
			return false;
	}
	/* What is asked is rounded up */
	spare = margin->supply_ns - margin->demand_ns;
	return spare <= least && least - spare <= 10;
}

static bool right_fits(const struct table *table)
{
	struct fit *fits;
	bool ok = true;
	size_t nr;

	for (unsigned int i = 0; i < table->cfg.nr_schedules; i++) {
		nr = fit_count(table, i, &fits);
		if (table->cfg.nr_budgets && !nr)
			ok = false;
		for (size_t f = 0; f < nr; f++)
			ok &= right_fit(table, i, &fits[f]);
		free(fits);
	}
	return ok;
}

static bool same_server(const struct server *a, const struct server *b)
{
	return a->par.budget_ns == b->par.budget_ns &&
	       a->par.period_ns == b->par.period_ns &&
	       a->par.extra == b->par.extra &&
	       !memcmp(&a->cpus, &b->cpus, sizeof(a->cpus));
}

/* What the kernel says in a653.rtds, and what it never says */
static bool servers_understood(void)
{
	static const char *const wrong[] = {
		"budget_ns", "budget_ns=", "budget_ns=2", "period_ns=2",
		"budget_ns=2ms period_ns=10ms", "extratime=1", "cpus=0",
		"budget_ns=-2 period_ns=10", "budget_ns=2 period_ns=10 cpus=x",
		"budget_ns=2 period_ns=10 cpus=", "none", "max 10000000",
	};
	struct server server, none = { }, wanted = {
		.par = { 2000000, 10000000, true }, .cpus.word[0] = 0xa,
	};
	bool ok;

	ok = server_parse("", &server) && same_server(&server, &none) &&
	     server_parse("\n", &server) && same_server(&server, &none) &&
	     server_parse("budget_ns=2000000 period_ns=10000000 extratime=1 cpus=1,3\n",
			  &server) && same_server(&server, &wanted) &&
	     server_parse("budget_ns=2000000 later=x period_ns=10000000 extratime=1 cpus=1,3",
			  &server) && same_server(&server, &wanted);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (!server_parse(wrong[i], &server))
			continue;
		printf("# understands \"%s\"\n", wrong[i]);
		ok = false;
	}
	return ok;
}

static bool times_survive(void)
{
	static const __u64 some[] = { 0, 1, 10, 999, 1000, 1001, 100000, 999999,
		1000000, 1000001, 123456789, 1000000000, 60000000001,
		S64_MAX, S64_MAX - 1 };
	char text[TIME_TEXT];
	__u64 ns;

	for (size_t i = 0; i < ARRAY_SIZE(some) + ROUNDS; i++) {
		__u64 t = i < ARRAY_SIZE(some) ? some[i] :
			  ((__u64)pick(65536) << 32 | pick(65536)) >> pick(48);

		if (parse_time(time_text(text, t), &ns) || ns != t) {
			printf("# %llu becomes %s\n", t, text);
			return false;
		}
	}
	return true;
}

static void result(bool ok, const char *name)
{
	static int nr;

	printf("%sok %d %s\n", ok ? "" : "not ", ++nr, name);
}

int main(void)
{
	bool pass = true, prints = true, usage = true, fits = true, times, reads;
	struct table table;

	for (int i = 0; i < ROUNDS; i++) {
		char *text = make_conf();

		pass &= read_conf(text, &table);
		if (pass) {
			prints &= survives_printing(&table);
			usage &= right_usages(&table);
			fits &= right_fits(&table);
		}
		table_free(&table);
		free(text);
	}
	result(pass, "random configurations that keep the rules pass");
	result(prints, "printed as a file they are read again unchanged");
	result(usage, "shares and blackouts as found by looking at each instant");
	result(fits, "margins of budgets as found by looking at each interval");
	times = times_survive();
	result(times, "times are the same after printing and reading");
	reads = servers_understood();
	result(reads, "a653.rtds is understood");
	printf("1..6\n");
	return !(pass && prints && usage && fits && times && reads);
}
