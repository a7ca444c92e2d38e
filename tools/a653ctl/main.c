// SPDX-License-Identifier: GPL-2.0
/* a653ctl - time windows and budgets for cgroup partitions: check, load, watch, run */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "a653ctl.h"
#include "liba653.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *does;
} commands[] = {
	{ "check", cmd_check, "check a configuration file; needs no kernel support" },
	{ "load", cmd_load, "load a configuration, with the cgroups that it names" },
	{ "show", cmd_show, "show the configuration that is loaded" },
	{ "status", cmd_status, "show what the partitions got" },
	{ "switch", cmd_switch, "switch a module to another schedule" },
	{ "run", cmd_run, "run a command as a process of a partition, or with a budget" },
	{ "rtds", cmd_rtds, "list, set and clear budgets of partitions and threads" },
	{ "unload", cmd_unload, "unload a module and take down what load made" },
};

static void print_help(FILE *out)
{
	fputs("Usage: a653ctl COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name,
			commands[i].does);
	fputs("\n\"a653ctl COMMAND --help\" tells more.\n"
	      "Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n",
	      out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool is_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h") ||
	       !strcmp(arg, "help");
}

/* A command that shows something is not done before it is written */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	complain("cannot write the output");
	return status ?: EXIT_REFUSED;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char *name = xasprintf("a653ctl %s", command->name);
	int status;

	/* argp says it in --help and in front of errors */
	argv[0] = name;
	status = finish(command->run(argc, argv));
	free(name);
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command;
	char help[] = "--help";

	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (is_help(argv[1]) && argc == 2) {
		print_help(stdout);
		return finish(EXIT_DONE);
	}
	if (is_help(argv[1])) {
		/* "help check" is "check --help" */
		argv[1] = argv[2];
		argv[2] = help;
		argc = 3;
	}
	command = find_command(argv[1]);
	if (!command) {
		complain("there is no command \"%s\"; \"a653ctl help\" lists them",
			 argv[1]);
		return EXIT_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
