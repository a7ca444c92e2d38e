// SPDX-License-Identifier: GPL-2.0
/* a653ctl unload - unload a module and take down what load made */
#include <argp.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "a653ctl.h"
#include "liba653.h"

struct unload_args {
	const char *module;
	bool force;
};

static const struct argp_option options[] = {
	{ "force", 'f', NULL, 0,
	  "Even if tasks depend on the module: they become SCHED_OTHER", 0 },
	{ }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct unload_args *args = state->input;

	switch (key) {
	case 'f':
		args->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->module)
			argp_error(state, "one MODULE at a time");
		if (strlen(arg) >= A653_NAME_LEN || !a653_name_ok(arg))
			argp_error(state, "\"%s\" is no name of a module", arg);
		args->module = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[MODULE]",
	.doc = "Unload a module, and take down what load made: the bindings and the cgroups.\n"
	       "MODULE can be left out if only one is loaded.\n"
	       "\vA cgroup in which processes still are stays; \"a653ctl unload MODULE\" takes\n"
	       "it down later.",
};

static bool is_loaded(int fd, const char *module)
{
	struct module_name *names;
	int nr = device_modules(fd, &names);
	bool found = false;

	for (int i = 0; i < nr; i++)
		found |= !strcmp(names[i].text, module);
	free(names);
	return found;
}

static int take_down(const char *module, struct journal *journal)
{
	/* Every step that could not be undone was explained: it is no failure */
	journal_undo(journal, 0);
	if (journal->nr)
		complain("the rest of %s stays until \"a653ctl unload %s\" finds it unused",
			 module, module);
	return EXIT_DONE;
}

/* Of a module that is not in the kernel, cgroups may be left */
static int unload_module(int fd, const char *module, bool force,
			 struct journal *journal)
{
	if (!is_loaded(fd, module)) {
		if (!journal->nr) {
			complain("no module \"%s\" is loaded", module);
			return EXIT_REFUSED;
		}
	} else if (device_unload(fd, module, force ? A653_REQUEST_FORCE : 0)) {
		if (!force)
			complain("--force unloads it even if tasks depend on it");
		return EXIT_REFUSED;
	}
	return take_down(module, journal);
}

static int unload_locked(int fd, const char *module, bool force)
{
	struct journal journal = { };
	int status = EXIT_REFUSED, lock = journal_lock();

	if (lock < 0)
		return status;
	if (journal_read(module, &journal))
		status = unload_module(fd, module, force, &journal);
	journal_free(&journal);
	close(lock);
	return status;
}

int cmd_unload(int argc, char **argv)
{
	char module[A653_NAME_LEN] = "";
	struct unload_args args = { };
	int status = EXIT_REFUSED, fd;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	fd = device_open();
	if (fd < 0)
		return status;
	if (args.module)
		set_name(module, args.module);
	if (args.module || device_pick_module(fd, NULL, module))
		status = unload_locked(fd, module, args.force);
	close(fd);
	return status;
}
