// SPDX-License-Identifier: GPL-2.0
/* a653ctl show - show the configuration that is loaded */
#include <argp.h>
#include <stdlib.h>
#include <unistd.h>

#include "a653ctl.h"
#include "liba653.h"

struct show_args {
	const char *module;
	bool conf;
	bool json;
	unsigned int width;
};

static const struct argp_option options[] = {
	{ "conf", 'c', NULL, 0,
	  "Print a configuration file, which loads again", 0 },
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ "width", 'w', "COLUMNS", 0,
	  "Columns for the chart; else as the terminal has, or 100", 0 },
	{ }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct show_args *args = state->input;

	switch (key) {
	case 'c':
		args->conf = true;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case 'w':
		if (!chart_parse_width(arg, &args->width))
			argp_error(state, CHART_WIDTH_WRONG);
		return 0;
	case ARGP_KEY_ARG:
		if (args->module)
			argp_error(state, "one MODULE at a time");
		args->module = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->conf && args->json)
			argp_error(state, "--conf or --json, not both");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[MODULE]",
	.doc = "Show the configuration of a module as the kernel has it; of all modules if\n"
	       "none is named.",
};

/* The kernel does not know which cgroup a partition has: look for it */
static void find_cgroups(struct table *table)
{
	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++) {
		const char *name = table->partition[i].name;

		table->cgroup[i] = journal_find_cgroup(name) ?:
				   cgroup_find(name);
	}
}

static void show_partition(const struct table *table, unsigned int partition)
{
	struct server server;
	char *text;

	printf("  partition %s: cgroup %s", table->partition[partition].name,
	       table->cgroup[partition] ?: "none, its windows are slack");
	if (table_server(table, partition, &server)) {
		text = server_text(&server);
		printf("; budget %s", text);
		free(text);
	}
	putchar('\n');
}

static void show_human(const struct table *table, unsigned int width)
{
	show_head(table, stdout);
	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++)
		show_partition(table, i);
	for (unsigned int i = 0; i < table->cfg.nr_schedules; i++) {
		show_windows(table, i, stdout);
		chart_print(table, i, width ?: chart_width(stdout), stdout);
	}
}

static bool show_module(int fd, const char *module,
			const struct show_args *args, struct json_object *list)
{
	struct table table;

	if (device_get(fd, module, &table))
		return false;
	find_cgroups(&table);
	if (args->json)
		json_object_array_add(list, show_json(&table));
	else if (args->conf)
		show_conf(&table, stdout);
	else
		show_human(&table, args->width);
	table_free(&table);
	return true;
}

static int show_modules(int fd, struct module_name *names, int nr,
			const struct show_args *args)
{
	struct json_object *list = json_object_new_array();
	bool ok = true;

	for (int i = 0; i < nr; i++) {
		if (i && !args->json)
			putchar('\n');
		ok &= show_module(fd, names[i].text, args, list);
	}
	if (args->json)
		json_print(json_object_get(list));
	json_object_put(list);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

/* A configuration file holds one module */
static int show_all(int fd, const struct show_args *args)
{
	struct module_name *names;
	int nr = device_modules(fd, &names), status = EXIT_REFUSED;

	if (nr == 0 && !args->json)
		printf("no module is loaded\n");
	if (nr >= 0)
		status = show_modules(fd, names, nr, args);
	free(names);
	return status;
}

int cmd_show(int argc, char **argv)
{
	struct module_name name;
	struct show_args args = { };
	int status = EXIT_REFUSED, fd;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	fd = device_open();
	if (fd < 0)
		return status;
	if (!args.module && !args.conf)
		status = show_all(fd, &args);
	else if (device_pick_module(fd, args.module, name.text))
		status = show_modules(fd, &name, 1, &args);
	close(fd);
	return status;
}
