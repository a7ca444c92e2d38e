// SPDX-License-Identifier: GPL-2.0
/* a653ctl switch - switch a module to another schedule */
#include <argp.h>
#include <unistd.h>

#include "a653ctl.h"
#include "liba653.h"

struct switch_args {
	const char *arg[2];
	int nr;
	const char *at;
	bool no_wait;
};

enum { OPT_AT = 256, OPT_NO_WAIT };

static const struct argp_option options[] = {
	{ "at", OPT_AT, "TIME", 0,
	  "At the first major frame that starts at TIME or later", 0 },
	{ "no-wait", OPT_NO_WAIT, NULL, 0,
	  "Do not wait until the schedule is in force", 0 },
	{ }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct switch_args *args = state->input;

	switch (key) {
	case OPT_AT:
		args->at = arg;
		return 0;
	case OPT_NO_WAIT:
		args->no_wait = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->nr == 2)
			argp_error(state, "too many arguments");
		args->arg[args->nr++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "to which SCHEDULE?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[MODULE] SCHEDULE",
	.doc = "Switch a module to another of its schedules, at the next start of a major\n"
	       "frame. MODULE can be left out if only one is loaded.\n"
	       "\vTIME is a time on the module's clock, as \"12.5s\", or from now on, as\n"
	       "\"+500ms\".",
};

static int switch_schedule(int fd, const char *module, const char *schedule,
			   const struct switch_args *args)
{
	__u32 flags = args->no_wait ? 0 : A653_REQUEST_WAIT;
	struct a653_status status;
	const char *wrong;
	__s64 at_ns = 0;

	if (args->at) {
		if (device_status(fd, module, &status, NULL))
			return EXIT_REFUSED;
		wrong = parse_when(args->at, status.clock, &at_ns);
		if (wrong) {
			complain("TIME \"%s\" %s", args->at, wrong);
			return EXIT_USAGE;
		}
		flags |= A653_REQUEST_AT;
	}
	return device_switch(fd, module, schedule, flags, at_ns) ?
	       EXIT_REFUSED : EXIT_DONE;
}

int cmd_switch(int argc, char **argv)
{
	char module[A653_NAME_LEN];
	struct switch_args args = { };
	int status = EXIT_REFUSED, fd;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	fd = device_open();
	if (fd < 0)
		return status;
	if (device_pick_module(fd, args.nr == 2 ? args.arg[0] : NULL, module))
		status = switch_schedule(fd, module, args.arg[args.nr - 1],
					 &args);
	close(fd);
	return status;
}
