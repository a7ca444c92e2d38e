// SPDX-License-Identifier: GPL-2.0
/* A table for people, as JSON, as a configuration file */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "liba653.h"

const char *clock_name(__u32 clock)
{
	return clock == CLOCK_TAI ? "tai" : "monotonic";
}

static const char *plural(unsigned int nr)
{
	return nr == 1 ? "" : "s";
}

/**
 * windows_run - windows that differ only in their CPU, which ascends
 * @table: the table
 * @first: index of the first window
 * @end: where to stop looking
 * @cpus: their CPUs
 *
 * Return: how many there are. A configuration file can say them in one entry
 * that expands to the same windows in the same order.
 */
size_t windows_run(const struct table *table, size_t first, size_t end,
		   struct cpus *cpus)
{
	const struct a653_window *a = &table->window[first], *b = a;
	size_t nr = 0;

	memset(cpus, 0, sizeof(*cpus));
	do {
		if (b->cpu < MAX_CPUS)
			cpus->word[b->cpu / 64] |= 1ULL << (b->cpu % 64);
		nr++;
		b++;
	} while (first + nr < end && b->cpu > b[-1].cpu &&
		 b->offset_ns == a->offset_ns &&
		 b->duration_ns == a->duration_ns &&
		 b->partition == a->partition && b->flags == a->flags);
	return nr;
}

void show_head(const struct table *table, FILE *out)
{
	const struct a653_config *cfg = &table->cfg;
	char *cpus = cpus_text(table->cpus.word, CPU_WORDS);
	char text[TIME_TEXT];

	fprintf(out, "module %s: CPUs %s, clock %s", cfg->module, cpus,
		clock_name(cfg->clock));
	if (cfg->flags & A653_CONFIG_BASE)
		fprintf(out, ", base time %s", time_text(text, cfg->base_ns));
	fprintf(out, ", %u partition%s, %u schedule%s", cfg->nr_partitions,
		plural(cfg->nr_partitions), cfg->nr_schedules,
		plural(cfg->nr_schedules));
	if (cfg->nr_schedules > 1 && cfg->initial < cfg->nr_schedules)
		fprintf(out, ", starts with %s",
			table->schedule[cfg->initial].name);
	fputc('\n', out);
	free(cpus);
}

static void show_schedule_head(const struct table *table,
			       unsigned int schedule, FILE *out)
{
	const struct a653_schedule *s = &table->schedule[schedule];
	char text[TIME_TEXT];

	fprintf(out, "\nschedule %s: major frame %s%s\n", s->name,
		time_text(text, s->major_frame_ns),
		s->flags & A653_SCHEDULE_EXCLUSIVE ? ", exclusive" : "");
}

static double share(__u64 part, __u64 whole)
{
	return whole ? (double)part / whole : 0;
}

static void show_cpus(const struct usage *usage, FILE *out)
{
	struct grid grid = { .align = "lrrrrr" };
	char used[TIME_TEXT], slack[TIME_TEXT];

	grid_add(&grid, "CPU");
	grid_add(&grid, "windows");
	grid_add(&grid, "used");
	grid_add(&grid, "%s", "");
	grid_add(&grid, "slack");
	grid_add(&grid, "%s", "");
	for (unsigned int i = 0; i < usage->nr_cpus; i++) {
		const struct usage_cpu *cpu = &usage->cpu[i];
		__u64 free_ns = usage->major_ns > cpu->used_ns ?
				usage->major_ns - cpu->used_ns : 0;

		grid_add(&grid, "%u", cpu->cpu);
		grid_add(&grid, "%u", cpu->nr_windows);
		grid_add(&grid, "%s", time_text(used, cpu->used_ns));
		grid_add(&grid, "%.1f %%",
			 100 * share(cpu->used_ns, usage->major_ns));
		grid_add(&grid, "%s", time_text(slack, free_ns));
		grid_add(&grid, "%.1f %%",
			 100 * share(free_ns, usage->major_ns));
	}
	grid_print(&grid, "  ", out);
}

static void add_declared(struct grid *grid, const struct a653_partition *part)
{
	char duration[TIME_TEXT], period[TIME_TEXT];

	if (part->period_ns)
		grid_add(grid, "%s in each %s",
			 time_text(duration, part->duration_ns),
			 time_text(period, part->period_ns));
	else
		grid_add(grid, "-");
}

static void add_partition(struct grid *grid, const struct usage *usage,
			  const struct usage_part *part, bool budget)
{
	char text[TIME_TEXT];

	grid_add(grid, "%u", part->nr_windows);
	if (part->nr_windows) {
		grid_add(grid, "%s", time_text(text, part->cpu_ns));
		grid_add(grid, "%.1f %%",
			 100 * share(part->cpu_ns, usage->major_ns));
		grid_add(grid, "%s", time_text(text, part->blackout_ns));
	} else {
		grid_add(grid, "-");
		grid_add(grid, "-");
		grid_add(grid, budget ? "-" : "always");
	}
}

static void show_partitions(const struct table *table,
			    const struct usage *usage, FILE *out)
{
	struct grid grid = { .align = table->cfg.nr_budgets ? "lrrrrll" :
							      "lrrrrl" };
	struct server server;
	char *text;

	grid_add(&grid, "partition");
	grid_add(&grid, "windows");
	grid_add(&grid, "CPU time");
	grid_add(&grid, "of a CPU");
	grid_add(&grid, "longest blackout");
	grid_add(&grid, "declared");
	if (table->cfg.nr_budgets)
		grid_add(&grid, "budget");
	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++) {
		bool budget = table_server(table, i, &server);

		grid_add(&grid, "%s", table->partition[i].name);
		add_partition(&grid, usage, &usage->part[i], budget);
		add_declared(&grid, &table->partition[i]);
		if (!table->cfg.nr_budgets)
			continue;
		text = server_text(&server);
		grid_add(&grid, "%s", budget ? text : "-");
		free(text);
	}
	grid_print(&grid, "  ", out);
}

static double util_share(__u64 util)
{
	return (double)util / RTDS_UNIT;
}

static void add_fit(struct grid *grid, const struct fit *fit)
{
	const struct rtds_margin *margin = &fit->margin;
	char text[TIME_TEXT];

	grid_add(grid, "%u", fit->cpu);
	grid_add(grid, "%u", fit->nr_servers);
	grid_add(grid, "%.1f %%", 100 * util_share(fit->asked));
	grid_add(grid, "%.1f %%", 100 * util_share(fit->free));
	if (margin->len_ns) {
		grid_add(grid, "%s", time_text(text, margin->len_ns));
		grid_add(grid, "%s", time_brief(text, margin->demand_ns));
		grid_add(grid, "%s", time_brief(text, margin->supply_ns));
	} else {
		/* It does not even fit on average */
		for (int i = 0; i < 3; i++)
			grid_add(grid, "-");
	}
	if (fit->fits)
		grid_add(grid, "%s", time_brief(text, margin->supply_ns -
						      margin->demand_ns));
	else
		grid_add(grid, "none");
}

/* How the budgets fit into the time that the schedule leaves free */
static void show_fits(const struct table *table, unsigned int schedule,
		      FILE *out)
{
	static const char *const columns[] = {
		"CPU", "servers", "asked", "free", "tightest in",
		"asked there", "free there", "margin",
	};
	struct grid grid = { .align = "lrrrrrrr" };
	struct fit *fits;
	size_t nr = fit_count(table, schedule, &fits);

	for (size_t i = 0; nr && i < ARRAY_SIZE(columns); i++)
		grid_add(&grid, "%s", columns[i]);
	for (size_t i = 0; i < nr; i++)
		add_fit(&grid, &fits[i]);
	if (nr)
		fputc('\n', out);
	grid_print(&grid, "  ", out);
	free(fits);
}

/* What the schedule gives to CPUs and partitions */
void show_usage(const struct table *table, unsigned int schedule, FILE *out)
{
	struct usage usage;

	usage_count(table, schedule, &usage);
	show_schedule_head(table, schedule, out);
	show_cpus(&usage, out);
	fputc('\n', out);
	show_partitions(table, &usage, out);
	show_fits(table, schedule, out);
	fputc('\n', out);
	usage_free(&usage);
}

/* The windows of a schedule, one by one */
void show_windows(const struct table *table, unsigned int schedule, FILE *out)
{
	size_t i = table_first_window(table, schedule);
	size_t end = i + table->schedule[schedule].nr_windows;
	struct grid grid = { .align = "rrlll" };
	char text[TIME_TEXT];
	struct cpus cpus;
	char *list;

	show_schedule_head(table, schedule, out);
	grid_add(&grid, "offset");
	grid_add(&grid, "duration");
	grid_add(&grid, "CPUs");
	grid_add(&grid, "partition");
	grid_add(&grid, "%s", "");
	while (i < end) {
		const struct a653_window *window = &table->window[i];

		i += windows_run(table, i, end, &cpus);
		list = cpus_text(cpus.word, CPU_WORDS);
		grid_add(&grid, "%s", time_text(text, window->offset_ns));
		grid_add(&grid, "%s", time_text(text, window->duration_ns));
		grid_add(&grid, "%s", list);
		grid_add(&grid, "%s", table->partition[window->partition].name);
		grid_add(&grid, "%s", window->flags & A653_WINDOW_STRICT ?
			 "strict" : "");
		free(list);
	}
	grid_print(&grid, "  ", out);
	fputc('\n', out);
}

/* Configuration file */

static void put_text(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_time(const char *key, __u64 ns, FILE *out)
{
	char text[TIME_TEXT];

	fprintf(out, "%s = \"%s\";", key, time_text(text, ns));
}

static void put_module(const struct table *table, FILE *out)
{
	const struct a653_config *cfg = &table->cfg;
	char *cpus = cpus_text(table->cpus.word, CPU_WORDS);

	fprintf(out, "module: {\n\tname = \"%s\";\n\tcpus = \"%s\";\n",
		cfg->module, cpus);
	fprintf(out, "\tclock = \"%s\";\n", clock_name(cfg->clock));
	if (cfg->flags & A653_CONFIG_BASE) {
		fputc('\t', out);
		put_time("base_time", cfg->base_ns, out);
		fputc('\n', out);
	}
	if (cfg->initial < cfg->nr_schedules)
		fprintf(out, "\tinitial = \"%s\";\n",
			table->schedule[cfg->initial].name);
	fputs("};\n\n", out);
	free(cpus);
}

static void put_rtds(const struct server *server, FILE *out)
{
	char *cpus = cpus_text(server->cpus.word, CPU_WORDS);

	fputs(" rtds = {", out);
	put_time(" budget", server->par.budget_ns, out);
	put_time(" period", server->par.period_ns, out);
	fprintf(out, " cpus = \"%s\";%s };", cpus,
		server->par.extra ? " extratime = true;" : "");
	free(cpus);
}

static void put_partition(const struct table *table, unsigned int i, FILE *out)
{
	const struct a653_partition *part = &table->partition[i];
	struct server server;

	fprintf(out, "\t{ name = \"%s\";", part->name);
	if (table->cgroup && table->cgroup[i]) {
		fputs(" cgroup = ", out);
		put_text(table->cgroup[i], out);
		fputc(';', out);
	}
	if (part->period_ns) {
		put_time(" period", part->period_ns, out);
		put_time(" duration", part->duration_ns, out);
	}
	if (table_server(table, i, &server))
		put_rtds(&server, out);
	fputs(" }", out);
}

static size_t put_window(const struct table *table, size_t first, size_t end,
			 FILE *out)
{
	const struct a653_window *window = &table->window[first];
	struct cpus cpus;
	size_t nr = windows_run(table, first, end, &cpus);
	char *list = cpus_text(cpus.word, CPU_WORDS);

	fprintf(out, "\t\t\t{ partition = \"%s\"; cpus = \"%s\";",
		table->partition[window->partition].name, list);
	put_time(" offset", window->offset_ns, out);
	put_time(" duration", window->duration_ns, out);
	fputs(window->flags & A653_WINDOW_STRICT ? " strict = true; }" : " }",
	      out);
	free(list);
	return nr;
}

static void put_schedule(const struct table *table, unsigned int schedule,
			 FILE *out)
{
	const struct a653_schedule *s = &table->schedule[schedule];
	size_t i = table_first_window(table, schedule);
	size_t end = i + s->nr_windows;

	fprintf(out, "\t{\n\t\tname = \"%s\";\n\t\t", s->name);
	put_time("major_frame", s->major_frame_ns, out);
	fprintf(out, "\n\t\texclusive = %s;\n\t\twindows = (\n",
		s->flags & A653_SCHEDULE_EXCLUSIVE ? "true" : "false");
	while (i < end) {
		i += put_window(table, i, end, out);
		fputs(i < end ? ",\n" : "\n", out);
	}
	fputs("\t\t);\n\t}", out);
}

void show_conf(const struct table *table, FILE *out)
{
	unsigned int nr = table->cfg.nr_partitions;

	put_module(table, out);
	fputs("partitions = (\n", out);
	for (unsigned int i = 0; i < nr; i++) {
		put_partition(table, i, out);
		fputs(i + 1 < nr ? ",\n" : "\n", out);
	}
	fputs(");\n\nschedules = (\n", out);
	nr = table->cfg.nr_schedules;
	for (unsigned int i = 0; i < nr; i++) {
		put_schedule(table, i, out);
		fputs(i + 1 < nr ? ",\n" : "\n", out);
	}
	fputs(");\n", out);
}

/* JSON */

static struct json_object *module_json(const struct table *table)
{
	const struct a653_config *cfg = &table->cfg;
	char *cpus = cpus_text(table->cpus.word, CPU_WORDS);
	struct json_object *obj = json_object_new_object();

	json_add_text(obj, "name", cfg->module);
	json_add_text(obj, "cpus", cpus);
	json_add_text(obj, "clock", clock_name(cfg->clock));
	if (cfg->flags & A653_CONFIG_BASE)
		json_object_object_add(obj, "base_time_ns",
				       json_object_new_int64(cfg->base_ns));
	if (cfg->initial < cfg->nr_schedules)
		json_add_text(obj, "initial", table->schedule[cfg->initial].name);
	free(cpus);
	return obj;
}

static struct json_object *rtds_json(const struct server *server)
{
	char *cpus = cpus_text(server->cpus.word, CPU_WORDS);
	struct json_object *obj = json_object_new_object();

	json_add_u64(obj, "budget_ns", server->par.budget_ns);
	json_add_u64(obj, "period_ns", server->par.period_ns);
	json_add_text(obj, "cpus", cpus);
	json_add_bool(obj, "extratime", server->par.extra);
	free(cpus);
	return obj;
}

static struct json_object *partitions_json(const struct table *table)
{
	struct json_object *list = json_object_new_array(), *obj;
	struct server server;

	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++) {
		const struct a653_partition *part = &table->partition[i];

		obj = json_object_new_object();
		json_add_text(obj, "name", part->name);
		if (table->cgroup && table->cgroup[i])
			json_add_text(obj, "cgroup", table->cgroup[i]);
		json_add_u64(obj, "period_ns", part->period_ns);
		json_add_u64(obj, "duration_ns", part->duration_ns);
		if (table_server(table, i, &server))
			json_object_object_add(obj, "rtds", rtds_json(&server));
		json_object_array_add(list, obj);
	}
	return list;
}

static struct json_object *windows_json(const struct table *table,
					unsigned int schedule)
{
	size_t i = table_first_window(table, schedule);
	size_t end = i + table->schedule[schedule].nr_windows;
	struct json_object *list = json_object_new_array(), *obj;

	for (; i < end; i++) {
		const struct a653_window *window = &table->window[i];

		obj = json_object_new_object();
		json_add_text(obj, "partition",
			      table->partition[window->partition].name);
		json_add_u64(obj, "cpu", window->cpu);
		json_add_u64(obj, "offset_ns", window->offset_ns);
		json_add_u64(obj, "duration_ns", window->duration_ns);
		json_add_bool(obj, "strict", window->flags & A653_WINDOW_STRICT);
		json_object_array_add(list, obj);
	}
	return list;
}

static struct json_object *usage_cpus_json(const struct usage *usage)
{
	struct json_object *list = json_object_new_array(), *obj;

	for (unsigned int i = 0; i < usage->nr_cpus; i++) {
		const struct usage_cpu *cpu = &usage->cpu[i];

		obj = json_object_new_object();
		json_add_u64(obj, "cpu", cpu->cpu);
		json_add_u64(obj, "windows", cpu->nr_windows);
		json_add_u64(obj, "used_ns", cpu->used_ns);
		json_add_u64(obj, "slack_ns", usage->major_ns > cpu->used_ns ?
			usage->major_ns - cpu->used_ns : 0);
		json_add_share(obj, "utilisation",
			       share(cpu->used_ns, usage->major_ns));
		json_object_array_add(list, obj);
	}
	return list;
}

static struct json_object *usage_parts_json(const struct table *table,
					    const struct usage *usage)
{
	struct json_object *list = json_object_new_array(), *obj;

	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++) {
		const struct usage_part *part = &usage->part[i];

		obj = json_object_new_object();
		json_add_text(obj, "name", table->partition[i].name);
		json_add_u64(obj, "windows", part->nr_windows);
		json_add_u64(obj, "cpu_time_ns", part->cpu_ns);
		json_add_share(obj, "utilisation",
			       share(part->cpu_ns, usage->major_ns));
		/* null: it never has a window */
		if (part->nr_windows)
			json_add_u64(obj, "longest_blackout_ns", part->blackout_ns);
		else
			json_object_object_add(obj, "longest_blackout_ns", NULL);
		json_object_array_add(list, obj);
	}
	return list;
}

static struct json_object *fits_json(const struct table *table,
				     unsigned int schedule)
{
	struct json_object *list = json_object_new_array(), *obj;
	struct fit *fits;
	size_t nr = fit_count(table, schedule, &fits);

	for (size_t i = 0; i < nr; i++) {
		const struct fit *fit = &fits[i];

		obj = json_object_new_object();
		json_add_u64(obj, "cpu", fit->cpu);
		json_add_u64(obj, "servers", fit->nr_servers);
		json_add_share(obj, "asked", util_share(fit->asked));
		json_add_share(obj, "free", util_share(fit->free));
		json_add_bool(obj, "fits", fit->fits);
		/* As struct fit has it: 0 if it does not even fit on average */
		json_add_u64(obj, "interval_ns", fit->margin.len_ns);
		json_add_u64(obj, "demand_ns", fit->margin.demand_ns);
		json_add_u64(obj, "supply_ns", fit->margin.supply_ns);
		json_object_array_add(list, obj);
	}
	free(fits);
	return list;
}

static struct json_object *schedule_json(const struct table *table,
					 unsigned int schedule)
{
	const struct a653_schedule *s = &table->schedule[schedule];
	struct json_object *obj = json_object_new_object();
	struct usage usage;

	usage_count(table, schedule, &usage);
	json_add_text(obj, "name", s->name);
	json_add_u64(obj, "major_frame_ns", s->major_frame_ns);
	json_add_bool(obj, "exclusive", s->flags & A653_SCHEDULE_EXCLUSIVE);
	json_object_object_add(obj, "cpus", usage_cpus_json(&usage));
	json_object_object_add(obj, "partitions",
			       usage_parts_json(table, &usage));
	if (table->cfg.nr_budgets)
		json_object_object_add(obj, "budgets",
				       fits_json(table, schedule));
	json_object_object_add(obj, "windows", windows_json(table, schedule));
	usage_free(&usage);
	return obj;
}

/* All that is known about the table */
struct json_object *show_json(const struct table *table)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_object_object_add(obj, "module", module_json(table));
	json_object_object_add(obj, "partitions", partitions_json(table));
	for (unsigned int i = 0; i < table->cfg.nr_schedules; i++)
		json_object_array_add(list, schedule_json(table, i));
	json_object_object_add(obj, "schedules", list);
	return obj;
}
