// SPDX-License-Identifier: GPL-2.0
/* a653ctl check - check a configuration file */
#include <argp.h>
#include <stdlib.h>

#include "a653ctl.h"
#include "liba653.h"

struct check_args {
	const char *file;
	bool json;
	unsigned int width;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ "width", 'w', "COLUMNS", 0,
	  "Columns for the chart; else as the terminal has, or 100", 0 },
	{ }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct check_args *args = state->input;

	switch (key) {
	case 'j':
		args->json = true;
		return 0;
	case 'w':
		if (!chart_parse_width(arg, &args->width))
			argp_error(state, CHART_WIDTH_WRONG);
		return 0;
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one FILE at a time");
		args->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FILE?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "FILE",
	.doc = "Check a configuration file as the kernel would, and show what each\n"
	       "schedule gives to CPUs and partitions, and how budgets fit in its gaps.\n"
	       "\vNeeds no kernel support and no privileges. Every violated rule is named on\n"
	       "stderr, as FILE:LINE: rule.\n\n"
	       "Budgets fit on a CPU if on average some time stays free beside them, and if in\n"
	       "an interval of any length its servers ask for no more than windows leave free\n"
	       "in each interval of this length, wherever in the frame that starts. \"tightest\n"
	       "in\" is the length in which the difference is least, with what is asked and\n"
	       "free in it; or the first in which it fails.",
};

static void warn_cpus(const struct table *table, struct diag *diag)
{
	struct cpus here;
	char *text;

	if (!machine_cpus("present", &here) ||
	    cpus_subset(&table->cpus, &here))
		return;
	text = cpus_text(here.word, CPU_WORDS);
	diag_warning(diag, table->module_line,
		     "this machine has only CPUs %s: the module cannot be loaded on it",
		     text);
	free(text);
}

static void warn_unused(const struct table *table, struct diag *diag)
{
	bool used[A653_MAX_PARTITIONS] = { };

	for (unsigned int i = 0; i < table->cfg.nr_windows; i++)
		used[table->window[i].partition] = true;
	for (unsigned int i = 0; i < table->cfg.nr_budgets; i++)
		used[table->budget[i].partition] = true;
	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++)
		if (!used[i])
			diag_warning(diag, table->partition_line[i],
				     "partition %s has no window in any schedule, and no budget: it never runs",
				     table->partition[i].name);
}

static void print_human(const struct table *table,
			const struct check_args *args)
{
	unsigned int width = args->width ?: chart_width(stdout);

	show_head(table, stdout);
	for (unsigned int i = 0; i < table->cfg.nr_schedules; i++) {
		show_usage(table, i, stdout);
		chart_print(table, i, width, stdout);
	}
}

static void print_json(const struct table *table, bool parsed,
		       const struct diag *diag)
{
	struct json_object *obj = parsed ? show_json(table) :
					   json_object_new_object();

	json_object_object_add(obj, "file",
			       json_object_new_string(diag->file));
	json_object_object_add(obj, "ok",
			       json_object_new_boolean(!diag->errors));
	json_object_object_add(obj, "errors", diag_json(diag, DIAG_ERROR));
	json_object_object_add(obj, "warnings",
			       diag_json(diag, DIAG_WARNING));
	json_print(obj);
}

int cmd_check(int argc, char **argv)
{
	struct check_args args = { };
	struct a653_limits limits;
	struct table table;
	struct diag diag = { };
	bool parsed;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	parsed = conf_read(args.file, &table, &diag);
	if (parsed) {
		limits_default(&limits);
		table_check(&table, &limits, &diag);
		warn_cpus(&table, &diag);
		warn_unused(&table, &diag);
	}
	diag_print(&diag, stderr);
	if (args.json)
		print_json(&table, parsed, &diag);
	else if (parsed)
		print_human(&table, &args);
	status = diag.errors ? EXIT_REFUSED : EXIT_DONE;
	diag_free(&diag);
	table_free(&table);
	return status;
}
