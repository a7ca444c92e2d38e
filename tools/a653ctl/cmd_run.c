// SPDX-License-Identifier: GPL-2.0
/* a653ctl run - run a command as a process of a partition */
#include <argp.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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
	char **command;
};

enum { OPT_CPU = 256 };

static const struct argp_option options[] = {
	{ "partition", 'p', "PARTITION", 0, "The partition", 0 },
	{ "priority", 'P', "PRIO", 0,
	  "Priority in it, 1 to 99; else 50", 0 },
	{ "cpu", OPT_CPU, "LIST", 0, "Run only on these CPUs, as \"0-1,3\"", 0 },
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
	case ARGP_KEY_ARG:
		/* The rest belongs to the command, options too */
		args->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!args->partition)
			argp_error(state, "in which partition? Say -p PARTITION");
		if (!args->command)
			argp_error(state, "which COMMAND?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "-p PARTITION [--] COMMAND [ARGUMENT...]",
	.doc = "Run a command as a process of a partition: in the partition's cgroup, and\n"
	       "SCHED_A653. Both are done before the command starts, so nothing that it does\n"
	       "or forks escapes.\n"
	       "\vExit status: that of COMMAND; 127 if it is not found, 126 if it cannot be\n"
	       "run, 1 if it could not join the partition, 2 wrong usage.",
};

static bool set_affinity(const struct cpus *cpus)
{
	size_t size = sizeof(cpus->word);

	if (!sched_setaffinity(0, size, (const cpu_set_t *)cpus->word))
		return true;
	complain("cannot run on these CPUs: %s%s", strerror(errno),
		 errno == EINVAL ? " (none of them is there, or allowed by the cpuset)" : "");
	return false;
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

/* The C library has no wrapper, and its headers may not know the structure */
struct attr {
	__u32 size;
	__u32 policy;
	__u64 flags;
	__s32 nice;
	__u32 priority;
	__u64 runtime;
	__u64 deadline;
	__u64 period;
};

static bool set_policy(const char *partition, int priority)
{
	struct attr attr = {
		.size = sizeof(attr),
		.policy = SCHED_A653,
		.priority = priority,
	};
	const char *hint = "";

	if (!syscall(SYS_sched_setattr, 0, &attr, 0))
		return true;
	if (errno == EPERM)
		hint = " (it takes CAP_SYS_NICE or RLIMIT_RTPRIO)";
	else if (errno == EINVAL)
		hint = " (is a module with it loaded, with a window on the CPUs allowed?)";
	complain("cannot become a process of the partition %s: %s%s",
		 partition, strerror(errno), hint);
	return false;
}

int cmd_run(int argc, char **argv)
{
	struct run_args args = { .priority = PRIORITY };
	int status;

	/* In order: options behind COMMAND are its own */
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	if (args.pin && !set_affinity(&args.cpus))
		return EXIT_REFUSED;
	if (!join_cgroup(args.partition) ||
	    !set_policy(args.partition, args.priority))
		return EXIT_REFUSED;
	execvp(args.command[0], args.command);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	complain("cannot run %s: %s", args.command[0],
		 errno == ENOENT ? "no such command" : strerror(errno));
	return status;
}
