// SPDX-License-Identifier: GPL-2.0
/* a653ctl run - run a command as a process of a partition, or with a budget */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "a653ctl.h"
#include "liba653.h"

/* As a shell says it */
#define EXIT_CANNOT_RUN		126
#define EXIT_NOT_FOUND		127

#define PRIORITY		50

struct run_args {
	const char *partition;
	int priority;
	struct cpus cpus;
	bool pin;
	struct rtds_params budget;
	char **command;
};

enum { OPT_CPU = 256, OPT_BUDGET, OPT_PERIOD, OPT_EXTRATIME };

static const struct argp_option options[] = {
	{ "partition", 'p', "PARTITION", 0, "The partition", 0 },
	{ "priority", 'P', "PRIO", 0,
	  "Priority in it, 1 to 99; else 50", 0 },
	{ "cpu", OPT_CPU, "LIST", 0, "Run only on these CPUs, as \"0-1,3\"", 0 },
	{ "budget", OPT_BUDGET, "TIME", 0,
	  "Be SCHED_RTDS: run for TIME, as \"2ms\", in each period", 0 },
	{ "period", OPT_PERIOD, "TIME", 0, "Length of a period", 0 },
	{ "extratime", OPT_EXTRATIME, NULL, 0,
	  "With the budget gone go on in time that nobody claims", 0 },
	{ }
};

static void parse_priority(const char *arg, struct run_args *args,
			   struct argp_state *state)
{
	char *end;
	long value = strtol(arg, &end, 10);

	if (*end || end == arg || value < 1 || value > 99)
		argp_error(state, "the priority must be a number from 1 to 99");
	args->priority = value;
}

static void parse_length(const char *arg, u64 *ns, struct argp_state *state)
{
	__u64 value = 0;
	const char *wrong = parse_time(arg, &value);

	if (wrong)
		argp_error(state, "TIME \"%s\" %s", arg, wrong);
	else if (!value)
		argp_error(state, "TIME \"%s\" is no time to run", arg);
	*ns = value;
}

static void check_args(const struct run_args *args, struct argp_state *state)
{
	const struct server server = { .par = args->budget };
	bool budget = args->budget.budget_ns;

	if (budget != !!args->budget.period_ns)
		argp_error(state, "--budget and --period, both or none");
	else if (budget && server_wrong(&server))
		argp_error(state, "%s", server_wrong(&server));
	else if (!budget && args->budget.extra)
		argp_error(state, "--extratime goes with --budget and --period");
	else if (budget && args->priority)
		argp_error(state, "--priority or --budget, not both");
	else if (!budget && !args->partition)
		argp_error(state, "in which partition? Say -p PARTITION, or give a --budget");
	else if (!args->command)
		argp_error(state, "which COMMAND?");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;
	const char *wrong;

	switch (key) {
	case 'p':
		args->partition = arg;
		return 0;
	case 'P':
		parse_priority(arg, args, state);
		return 0;
	case OPT_CPU:
		wrong = parse_cpus(arg, &args->cpus);
		if (wrong)
			argp_error(state, "\"%s\" %s", arg, wrong);
		args->pin = true;
		return 0;
	case OPT_BUDGET:
		parse_length(arg, &args->budget.budget_ns, state);
		return 0;
	case OPT_PERIOD:
		parse_length(arg, &args->budget.period_ns, state);
		return 0;
	case OPT_EXTRATIME:
		args->budget.extra = true;
		return 0;
	case ARGP_KEY_ARG:
		/* The rest belongs to the command, options too */
		args->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		check_args(args, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "-p PARTITION [--] COMMAND [ARGUMENT...]\n"
		    "--budget TIME --period TIME [--] COMMAND [ARGUMENT...]",
	.doc = "Run a command as a process of a partition: in the partition's cgroup, and\n"
	       "SCHED_A653. Both are done before the command starts, so nothing that it does\n"
	       "or forks escapes. With --budget and --period, run it as a deferrable server\n"
	       "of its own instead: SCHED_RTDS, and with -p in the partition's cgroup.\n"
	       "\vThe budget is that of one thread, the command's first. SCHED_RTDS threads\n"
	       "cannot have children that are SCHED_RTDS too: threads and processes that the\n"
	       "command makes are ordinary ones (SCHED_FLAG_RESET_ON_FORK is set); give them\n"
	       "budgets with \"a653ctl rtds set -t\".\n\n"
	       "Exit status: that of COMMAND; 127 if it is not found, 126 if it cannot be\n"
	       "run, 1 if it could not join the partition or got no budget, 2 wrong usage.",
};

static bool set_affinity(const struct cpus *cpus)
{
	int err = thread_set_cpus(0, cpus);

	if (err)
		complain("cannot run on these CPUs: %s%s", strerror(-err),
			 err == -EINVAL ? " (none of them is there, or allowed by the cpuset)" : "");
	return !err;
}

static bool join_cgroup(const char *partition)
{
	char *path = journal_find_cgroup(partition) ?: cgroup_find(partition);
	int err;

	if (!path) {
		complain("no cgroup is bound to the partition \"%s\": load a configuration with it",
			 partition);
		return false;
	}
	err = cgroup_write(path, "cgroup.procs", "0");
	if (err)
		complain("cannot move into the cgroup %s: %s", path,
			 strerror(-err));
	free(path);
	return !err;
}

static bool set_policy(const char *partition, int priority)
{
	struct thread_attr attr = {
		.policy = SCHED_A653,
		.priority = priority,
	};
	int err = thread_set_attr(0, &attr);
	const char *hint = "";

	if (!err)
		return true;
	if (err == -EPERM)
		hint = " (it takes CAP_SYS_NICE or RLIMIT_RTPRIO)";
	else if (err == -EINVAL)
		hint = " (is a module with it loaded, with time on the CPUs allowed?)";
	complain("cannot become a process of the partition %s: %s%s",
		 partition, strerror(-err), hint);
	return false;
}

static bool set_budget(const struct rtds_params *par)
{
	struct server server = { };
	int err;

	thread_get_cpus(0, &server.cpus);
	server.par = *par;
	err = thread_set_server(0, par, true);
	if (err)
		thread_complain(0, &server, err);
	return !err;
}

static bool join(const struct run_args *args)
{
	if (args->pin && !set_affinity(&args->cpus))
		return false;
	if (args->partition && !join_cgroup(args->partition))
		return false;
	if (args->budget.budget_ns)
		return set_budget(&args->budget);
	return set_policy(args->partition, args->priority ?: PRIORITY);
}

int cmd_run(int argc, char **argv)
{
	struct run_args args = { };
	int status;

	/* In order: options behind COMMAND are its own */
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	if (!join(&args))
		return EXIT_REFUSED;
	execvp(args.command[0], args.command);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	complain("cannot run %s: %s", args.command[0],
		 errno == ENOENT ? "no such command" : strerror(errno));
	return status;
}
