// SPDX-License-Identifier: GPL-2.0
/* a653ctl rtds - list, set and clear budgets of partitions and threads */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "a653ctl.h"
#include "liba653.h"

/* Whose budget: a partition's, or that of a thread */
struct target {
	const char *partition;
	pid_t tid;
	char *cgroup;
	struct server now;
};

struct rtds_args {
	struct target *target;
	size_t nr;
	bool set;		/* not to clear */
	bool json;
	/* What to change, and to what */
	bool budget, period, extratime, cpus;
	struct server to;
};

enum { OPT_BUDGET = 256, OPT_PERIOD, OPT_EXTRATIME, OPT_CPUS };

static const struct argp_option list_options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ }
};

static const struct argp_option set_options[] = {
	{ "partition", 'p', "PARTITION", 0,
	  "A partition; may be given several times", 0 },
	{ "thread", 't', "PID", 0,
	  "A thread, as ps -L shows it; may be given several times", 0 },
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ "budget", OPT_BUDGET, "TIME", 0,
	  "Run for TIME, as \"2ms\", in each period", 0 },
	{ "period", OPT_PERIOD, "TIME", 0, "Length of a period", 0 },
	{ "extratime", OPT_EXTRATIME, "yes|no", OPTION_ARG_OPTIONAL,
	  "With the budget gone go on in time that nobody claims", 0 },
	{ "cpus", OPT_CPUS, "LIST", 0,
	  "A server on each of these CPUs; a thread: run on any of them", 0 },
	{ }
};

static const struct argp_option clear_options[] = {
	{ "partition", 'p', "PARTITION", 0,
	  "A partition; may be given several times", 0 },
	{ "thread", 't', "PID", 0,
	  "A thread, as ps -L shows it; may be given several times", 0 },
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ }
};

static struct target *add_target(struct rtds_args *args)
{
	args->target = xgrow(args->target, args->nr, sizeof(*args->target));
	args->target[args->nr] = (struct target){ };
	return &args->target[args->nr++];
}

static void parse_partition(const char *arg, struct rtds_args *args,
			    struct argp_state *state)
{
	if (strlen(arg) >= A653_NAME_LEN || !a653_name_ok(arg))
		argp_error(state, "\"%s\" is no name of a partition", arg);
	add_target(args)->partition = arg;
}

static void parse_thread(const char *arg, struct rtds_args *args,
			 struct argp_state *state)
{
	char *end;
	long value = strtol(arg, &end, 10);

	if (*end || end == arg || value < 1 || value > INT_MAX)
		argp_error(state, "\"%s\" is no PID", arg);
	add_target(args)->tid = value;
}

static void parse_length(const char *arg, u64 *ns, struct argp_state *state)
{
	__u64 value = 0;
	const char *wrong = parse_time(arg, &value);

	if (wrong)
		argp_error(state, "TIME \"%s\" %s", arg, wrong);
	*ns = value;
}

static void parse_extratime(const char *arg, struct rtds_args *args,
			    struct argp_state *state)
{
	if (arg && strcmp(arg, "yes") && strcmp(arg, "no"))
		argp_error(state, "--extratime is yes or no");
	args->to.par.extra = !arg || !strcmp(arg, "yes");
}

static void check_args(const struct rtds_args *args, struct argp_state *state)
{
	if (!args->nr)
		argp_error(state, "whose budget? Say -p PARTITION or -t PID");
	if (args->set && !args->budget && !args->period && !args->extratime &&
	    !args->cpus)
		argp_error(state, "what is to change? Say --budget, --period, --extratime or --cpus");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct rtds_args *args = state->input;
	const char *wrong;

	switch (key) {
	case 'p':
		parse_partition(arg, args, state);
		return 0;
	case 't':
		parse_thread(arg, args, state);
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case OPT_BUDGET:
		parse_length(arg, &args->to.par.budget_ns, state);
		args->budget = true;
		return 0;
	case OPT_PERIOD:
		parse_length(arg, &args->to.par.period_ns, state);
		args->period = true;
		return 0;
	case OPT_EXTRATIME:
		parse_extratime(arg, args, state);
		args->extratime = true;
		return 0;
	case OPT_CPUS:
		wrong = parse_cpus(arg, &args->to.cpus);
		if (wrong)
			argp_error(state, "\"%s\" %s", arg, wrong);
		args->cpus = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is \"%s\"?", arg);
		return 0;
	case ARGP_KEY_END:
		check_args(args, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_list_option(int key, char *arg, struct argp_state *state)
{
	struct rtds_args *args = state->input;

	switch (key) {
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\": say set, clear, or nothing", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp list_argp = {
	.options = list_options,
	.parser = parse_list_option,
	.args_doc = "\nset (-p PARTITION | -t PID)... [OPTION...]\nclear (-p PARTITION | -t PID)...",
	.doc = "List all deferrable servers, of partitions and threads (SCHED_RTDS), and what\n"
	       "each CPU has for them; set or clear some (\"a653ctl rtds set --help\").\n"
	       "\vleft, deadline in: of the budget, and of the period\n"
	       "level: 0 on what it was promised, 1 on what it kept until too late to be\n"
	       "  promised, above on extratime; a lower level runs first\n"
	       "ran, extra: time that it ran, and how much of that was extratime\n"
	       "replenished, depleted: how often it got its budget, and used it up\n"
	       "free: share of the CPU that windows leave\n"
	       "promised: share that servers of this CPU were given\n"
	       "global: the same, of threads that may also run on other CPUs",
};

static const struct argp set_argp = {
	.options = set_options,
	.parser = parse_option,
	.args_doc = "(-p PARTITION | -t PID)...",
	.doc = "Set the budgets of partitions and threads. What is not given stays as it is;\n"
	       "one that has none yet needs --budget and --period. Prints what is now in force.\n"
	       "\vA thread that has no budget yet becomes SCHED_RTDS. Without reset-on-fork\n"
	       "(chrt -R), fork() fails in such a thread with EAGAIN.\n"
	       "A larger budget counts from the next period, a smaller one at once.",
};

static const struct argp clear_argp = {
	.options = clear_options,
	.parser = parse_option,
	.args_doc = "(-p PARTITION | -t PID)...",
	.doc = "Take the budgets of partitions and threads away. A thread becomes SCHED_OTHER;\n"
	       "a partition has its windows only.",
};

/* As complaints call it; the caller frees it */
static char *target_name(const struct target *target)
{
	char *comm, *name;

	if (target->partition)
		return xasprintf("partition %s", target->partition);
	comm = thread_name(target->tid);
	if (*comm)
		name = xasprintf("thread %d (%s)", target->tid, comm);
	else
		name = xasprintf("thread %d", target->tid);
	free(comm);
	return name;
}

/* What the target has now */
static bool get_server(struct target *target)
{
	int err = target->partition ?
		  cgroup_get_server(target->cgroup, &target->now) :
		  thread_get_server(target->tid, &target->now);

	if (!err)
		return true;
	if (!target->partition)
		complain("cannot find thread %d: %s", target->tid,
			 strerror(-err));
	else if (err == -ENOENT)
		complain("the cgroup %s has no a653.rtds: this kernel knows no budgets",
			 target->cgroup);
	else
		complain("cannot read a653.rtds of the cgroup %s: %s",
			 target->cgroup, strerror(-err));
	return false;
}

/* Find the target, and what it has */
static bool find_target(struct target *target)
{
	const char *name = target->partition;

	if (name) {
		target->cgroup = journal_find_cgroup(name) ?: cgroup_find(name);
		if (!target->cgroup) {
			complain("no cgroup is bound to the partition \"%s\": load a configuration with it",
				 name);
			return false;
		}
	}
	return get_server(target);
}

/* What the target has after the change */
static struct server merge(const struct target *target,
			   const struct rtds_args *args)
{
	struct server server = target->now;

	if (args->budget)
		server.par.budget_ns = args->to.par.budget_ns;
	if (args->period)
		server.par.period_ns = args->to.par.period_ns;
	if (args->extratime)
		server.par.extra = args->to.par.extra;
	if (args->cpus)
		server.cpus = args->to.cpus;
	return server;
}

static bool check_target(const struct target *target,
			 const struct rtds_args *args)
{
	struct server server = merge(target, args);
	const char *wrong = server_wrong(&server);
	char *name;

	if (!target->now.par.budget_ns && !(args->budget && args->period))
		wrong = "it has no budget yet: give --budget and --period";
	if (!wrong)
		return true;
	name = target_name(target);
	complain("%s: %s", name, wrong);
	free(name);
	return false;
}

/* The module of a partition */
static bool find_module(const char *partition, struct table *table)
{
	struct module_name *names = NULL;
	int fd = device_open(), nr = fd < 0 ? 0 : device_modules(fd, &names);
	bool found = false;

	for (int i = 0; i < nr && !found; i++) {
		if (device_get(fd, names[i].text, table))
			continue;
		for (__u32 p = 0; p < table->cfg.nr_partitions; p++)
			found |= !strcmp(table->partition[p].name, partition);
		if (!found)
			table_free(table);
	}
	free(names);
	if (fd >= 0)
		close(fd);
	return found;
}

/* Why the kernel did not take the budget of a partition */
static void complain_partition(const struct target *target,
			       struct server server, int err)
{
	const char *name = target->partition;
	char *text = server_text(&server);
	struct table table;

	complain("cannot give the partition %s %s: %s", name, text,
		 err == -EBUSY ? "there is no room for it" : strerror(-err));
	free(text);
	if (err == -EPERM || err == -EACCES)
		return;
	if (!find_module(name, &table)) {
		complain("no module that is loaded has a partition \"%s\"", name);
		return;
	}
	if (!cpus_nr_words(&server.cpus))
		server.cpus = table.cpus;
	if (!cpus_subset(&server.cpus, &table.cpus)) {
		char *cpus = cpus_text(table.cpus.word, CPU_WORDS);

		complain("its module %s has only CPUs %s", table.cfg.module,
			 cpus);
		free(cpus);
	} else if (err == -EBUSY) {
		server_explain_busy(&server, name, 0);
	}
	table_free(&table);
}

static bool set_partition(const struct target *target,
			  const struct rtds_args *args)
{
	struct server server = merge(target, args);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int err;

	/* The kernel keeps the rest, whoever changed it meanwhile */
	if (args->budget)
		fprintf(out, "budget_ns=%llu ", server.par.budget_ns);
	if (args->period)
		fprintf(out, "period_ns=%llu ", server.par.period_ns);
	if (args->extratime)
		fprintf(out, "extratime=%d ", server.par.extra);
	if (args->cpus) {
		char *cpus = cpus_text(server.cpus.word, CPU_WORDS);

		fprintf(out, "cpus=%s", cpus);
		free(cpus);
	}
	fclose(out);
	err = cgroup_write(target->cgroup, "a653.rtds", text);
	free(text);
	if (err)
		complain_partition(target, server, err);
	return !err;
}

static bool set_thread(const struct target *target,
		       const struct rtds_args *args)
{
	struct server server = merge(target, args);
	int err;

	if (args->cpus) {
		err = thread_set_cpus(target->tid, &server.cpus);
		if (err) {
			complain("cannot bind thread %d to these CPUs: %s",
				 target->tid, strerror(-err));
			return false;
		}
	}
	err = thread_set_server(target->tid, &server.par, false);
	if (!err)
		return true;
	thread_complain(target->tid, &server, err);
	if (args->cpus)
		thread_set_cpus(target->tid, &target->now.cpus);
	return false;
}

static bool clear_target(const struct target *target)
{
	int err = target->partition ?
		  cgroup_write(target->cgroup, "a653.rtds", "none") :
		  thread_clear_server(target->tid);
	char *name;

	if (!err)
		return true;
	name = target_name(target);
	complain("cannot take the budget of %s away: %s", name, strerror(-err));
	free(name);
	return false;
}

static bool change_target(const struct target *target,
			  const struct rtds_args *args)
{
	if (!args->set)
		return clear_target(target);
	if (target->partition)
		return set_partition(target, args);
	return set_thread(target, args);
}

static struct json_object *target_json(const struct target *target)
{
	const struct server *server = &target->now;
	char *cpus = cpus_text(server->cpus.word, CPU_WORDS);
	struct json_object *obj = json_object_new_object();

	if (target->partition)
		json_add_text(obj, "partition", target->partition);
	else
		json_add_u64(obj, "pid", target->tid);
	json_add_u64(obj, "budget_ns", server->par.budget_ns);
	json_add_u64(obj, "period_ns", server->par.period_ns);
	json_add_bool(obj, "extratime", server->par.extra);
	json_add_text(obj, "cpus", cpus);
	free(cpus);
	return obj;
}

/* What is in force, whether it was changed or not */
static bool show_target(struct target *target, struct json_object *list)
{
	char *name, *text;

	if (!get_server(target))
		return false;
	if (list) {
		json_object_array_add(list, target_json(target));
		return true;
	}
	name = target_name(target);
	text = server_text(&target->now);
	printf("%s: %s\n", name, text);
	free(name);
	free(text);
	return true;
}

static bool show_targets(const struct rtds_args *args)
{
	struct json_object *list = args->json ? json_object_new_array() : NULL;
	bool ok = true;

	for (size_t i = 0; i < args->nr; i++)
		ok &= show_target(&args->target[i], list);
	if (list)
		json_print(list);
	return ok;
}

/* All are looked at before any is changed: seldom is one left over then */
static int change(const struct rtds_args *args)
{
	bool ok = true;

	for (size_t i = 0; i < args->nr; i++)
		ok &= find_target(&args->target[i]) &&
		      (!args->set || check_target(&args->target[i], args));
	if (!ok) {
		complain("nothing was changed");
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < args->nr; i++)
		ok &= change_target(&args->target[i], args);
	ok &= show_targets(args);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static void print_list(const struct servers *servers)
{
	if (!servers->nr)
		printf("there are no servers\n");
	servers_print(servers, NULL, stdout);
	putchar('\n');
	servers_print_cpus(servers, stdout);
}

static void print_list_json(const struct servers *servers)
{
	struct json_object *obj = json_object_new_object();

	json_add_s64(obj, "now_ns", servers->now_ns);
	json_object_object_add(obj, "servers", servers_json(servers, NULL));
	json_object_object_add(obj, "cpus", servers_cpus_json(servers));
	json_print(obj);
}

static int list(const struct rtds_args *args)
{
	int fd = device_open(), err;
	struct servers servers;

	if (fd < 0)
		return EXIT_REFUSED;
	err = device_servers(fd, &servers);
	close(fd);
	if (err == -ENOTTY)
		complain("this kernel knows no budgets");
	if (err)
		return EXIT_REFUSED;
	if (args->json)
		print_list_json(&servers);
	else
		print_list(&servers);
	servers_free(&servers);
	return EXIT_DONE;
}

/* argp says the name in --help and in front of errors */
static int run_verb(const struct argp *argp, int argc, char **argv,
		    struct rtds_args *args)
{
	char *name = xasprintf("a653ctl rtds %s", argv[0]);
	int status;

	argv[0] = name;
	argp_parse(argp, argc, argv, 0, NULL, args);
	status = change(args);
	for (size_t i = 0; i < args->nr; i++)
		free(args->target[i].cgroup);
	free(args->target);
	free(name);
	return status;
}

int cmd_rtds(int argc, char **argv)
{
	struct rtds_args args = { };

	if (argc > 1 && !strcmp(argv[1], "set")) {
		args.set = true;
		return run_verb(&set_argp, argc - 1, argv + 1, &args);
	}
	if (argc > 1 && !strcmp(argv[1], "clear"))
		return run_verb(&clear_argp, argc - 1, argv + 1, &args);
	argp_parse(&list_argp, argc, argv, 0, NULL, &args);
	return list(&args);
}
