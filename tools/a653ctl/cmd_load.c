// SPDX-License-Identifier: GPL-2.0
/* a653ctl load - load a configuration, with the cgroups that it names */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "a653ctl.h"
#include "liba653.h"

struct load_args {
	const char *file;
	const char *at;
	const char *base;
	bool no_wait;
	bool dry_run;
};

enum { OPT_AT = 256, OPT_BASE, OPT_NO_WAIT };

static const struct argp_option options[] = {
	{ "at", OPT_AT, "TIME", 0,
	  "Take effect at TIME, which has not come yet", 0 },
	{ "base", OPT_BASE, "TIME", 0,
	  "Major frames start at TIME plus multiples of their length; TIME may be over", 0 },
	{ "no-wait", OPT_NO_WAIT, NULL, 0,
	  "Do not wait until the schedule is in force", 0 },
	{ "dry-run", 'n', NULL, 0,
	  "Ask the kernel whether it would load it, and change nothing", 0 },
	{ }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct load_args *args = state->input;

	switch (key) {
	case OPT_AT:
		args->at = arg;
		return 0;
	case OPT_BASE:
		args->base = arg;
		return 0;
	case OPT_NO_WAIT:
		args->no_wait = true;
		return 0;
	case 'n':
		args->dry_run = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one FILE at a time");
		args->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FILE?");
		return 0;
	case ARGP_KEY_END:
		if (args->at && args->base)
			argp_error(state, "--at or --base, not both");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "FILE",
	.doc = "Load the configuration FILE: make the cgroups that it names, bind them to\n"
	       "their partitions, and hand the schedules to the kernel. If anything fails,\n"
	       "everything is as it was before.\n"
	       "\vTIME is a time on the module's clock, as \"12.5s\", or from now on, as\n"
	       "\"+500ms\". Without one, a module that is loaded already changes at its next\n"
	       "major frame, and another one starts at once.",
};

/* Options of the command line win over base_time of the file */
static int set_base(const struct load_args *args, struct table *table)
{
	const char *text = args->at ?: args->base;
	struct timespec now;
	const char *wrong;
	__s64 ns;

	if (!text)
		return EXIT_DONE;
	wrong = parse_when(text, table->cfg.clock, &ns);
	if (wrong) {
		complain("TIME \"%s\" %s", text, wrong);
		return EXIT_USAGE;
	}
	clock_gettime(table->cfg.clock, &now);
	if (args->at && ns <= (__s64)(now.tv_sec * NS_PER_S + now.tv_nsec)) {
		complain("%s is over on the clock %s: say a later TIME, or use --base",
			 text, clock_name(table->cfg.clock));
		return EXIT_REFUSED;
	}
	table->cfg.flags |= A653_CONFIG_BASE;
	table->cfg.base_ns = ns;
	return EXIT_DONE;
}

static bool read_and_check(const char *file, struct table *table)
{
	struct diag diag = { };
	struct a653_limits limits;
	bool ok = conf_read(file, table, &diag);

	if (ok) {
		/* Which CPUs there are, the kernel knows best */
		limits_default(&limits);
		ok = table_check(table, &limits, &diag);
	}
	diag_print(&diag, stderr);
	diag_free(&diag);
	return ok;
}

static bool enable(struct journal *journal, const char *path)
{
	return cgroup_controls(path) ||
	       journal_do(journal, STEP_ENABLE, path, NULL);
}

/* Make a cgroup, and those above it, such that it can be bound */
static bool make_cgroup(struct journal *journal, const char *path)
{
	char *prefix = xstrdup(path), *slash = prefix;
	bool ok = enable(journal, "");

	while (ok && slash) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		ok = cgroup_exists(prefix) ||
		     journal_do(journal, STEP_MKDIR, prefix, NULL);
		if (!slash)
			break;
		ok = ok && enable(journal, prefix);
		*slash++ = '/';
	}
	free(prefix);
	return ok;
}

/* Did an earlier load of this module bind @path to @partition? */
static bool is_ours(const struct journal *journal, const char *path,
		    const char *partition)
{
	for (size_t i = 0; i < journal->nr; i++) {
		const struct step *step = &journal->step[i];

		if (step->kind == STEP_BIND && !strcmp(step->path, path) &&
		    !strcmp(step->partition, partition))
			return true;
	}
	return false;
}

/* A partition that had another cgroup in the configuration before */
static bool release_partition(struct journal *journal, const char *partition,
			      const char *path)
{
	size_t nr = journal->nr;

	for (size_t i = 0; i < nr; i++) {
		const struct step *step = &journal->step[i];
		bool bound;
		char *name;

		if (step->kind != STEP_BIND ||
		    strcmp(step->partition, partition) ||
		    !strcmp(step->path, path))
			continue;
		name = cgroup_bound_to(step->path);
		bound = name && !strcmp(name, partition);
		free(name);
		if (bound && !journal_do(journal, STEP_UNBIND, step->path,
					 partition))
			return false;
	}
	return true;
}

/* A cgroup that had another partition in the configuration before */
static bool release_cgroup(struct journal *journal, const char *path,
			   const char *bound)
{
	if (is_ours(journal, path, bound))
		return journal_do(journal, STEP_UNBIND, path, bound);
	complain("the cgroup %s is bound to the partition %s: choose another one, or unbind it",
		 path, bound);
	complain("(unbinding is: echo > %s/%s/a653.partition)", CGROUP_ROOT, path);
	return false;
}

/*
 * Below a cgroup with processes of its own the controller can be enabled, as it
 * is a threaded one; but no process can be moved into what is made there.
 */
static bool is_usable(const char *path)
{
	char *type = cgroup_read(path, "cgroup.type");
	bool usable = !type || strncmp(type, "domain invalid", 14);

	free(type);
	if (!usable)
		complain("the cgroup %s takes no processes: move those of cgroups above elsewhere",
			 path);
	return usable;
}

static bool bind_cgroup(struct journal *journal, const char *path,
			const char *partition)
{
	char *bound = cgroup_bound_to(path);
	bool ok = true;

	if (bound && !strcmp(bound, partition)) {
		free(bound);
		return true;
	}
	if (bound && *bound)
		ok = release_cgroup(journal, path, bound);
	free(bound);
	return ok && is_usable(path) && release_partition(journal, partition, path) &&
	       journal_do(journal, STEP_BIND, path, partition);
}

static bool make_cgroups(struct journal *journal, const struct table *table)
{
	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++)
		if (!make_cgroup(journal, table->cgroup[i]) ||
		    !bind_cgroup(journal, table->cgroup[i],
				 table->partition[i].name))
			return false;
	return true;
}

/*
 * Cgroups first: when the first window opens, everything is in its place. The
 * kernel was asked before whether it would load the table, so what follows
 * seldom fails.
 */
static bool load(int fd, const struct table *table, struct journal *journal)
{
	size_t keep = journal->nr;

	if (make_cgroups(journal, table) && !device_load(fd, table, 0)) {
		journal_settle(journal);
		return true;
	}
	if (!journal_undo(journal, keep))
		complain("not everything could be undone: \"a653ctl unload %s\" tries again",
			 table->cfg.module);
	return false;
}

static bool load_locked(int fd, const struct table *table)
{
	struct journal journal = { };
	int lock = journal_lock();
	bool ok;

	if (lock < 0)
		return false;
	ok = journal_read(table->cfg.module, &journal) &&
	     load(fd, table, &journal);
	journal_free(&journal);
	close(lock);
	return ok;
}

static int load_table(int fd, const struct table *table,
		      const struct load_args *args)
{
	const char *module = table->cfg.module;

	if (device_load(fd, table, A653_CONFIG_DRY_RUN))
		return EXIT_REFUSED;
	if (args->dry_run) {
		printf("%s would be loaded\n", module);
		return EXIT_DONE;
	}
	if (!cgroup_check_mounted() || !load_locked(fd, table))
		return EXIT_REFUSED;
	/* Not under the lock: this may take as long as the user said */
	if (!args->no_wait && device_wait(fd, module))
		return EXIT_REFUSED;
	printf("%s is loaded%s\n", module, args->no_wait ? "" :
	       " and in force");
	return EXIT_DONE;
}

int cmd_load(int argc, char **argv)
{
	struct load_args args = { };
	int status = EXIT_REFUSED;
	struct table table;
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (read_and_check(args.file, &table)) {
		status = set_base(&args, &table);
		fd = status == EXIT_DONE ? device_open() : -1;
		if (fd >= 0) {
			status = load_table(fd, &table, &args);
			close(fd);
		} else if (status == EXIT_DONE) {
			status = EXIT_REFUSED;
		}
	}
	table_free(&table);
	return status;
}
