// SPDX-License-Identifier: GPL-2.0
/* a653ctl status - show what the partitions got */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "a653ctl.h"
#include "liba653.h"

struct status_args {
	const char *module;
	bool json;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct status_args *args = state->input;

	switch (key) {
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->module)
			argp_error(state, "one MODULE at a time");
		args->module = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[MODULE]",
	.doc = "Show which schedule is in force, what each partition got on each CPU since it\n"
	       "was loaded, and the state of its budget; of all modules if none is named.\n"
	       "\vqueued: its tasks that are ready\n"
	       "opened, missed: its windows; missed are those of which nothing was left when\n"
	       "  the CPU came to them\n"
	       "entitled: time its windows were open\n"
	       "ran: time its tasks ran, and how much of what it was entitled to that is\n"
	       "slack: time of its windows that it left to others\n"
	       "late: how long after its scheduled start a window opened\n"
	       "Columns of budgets: as in \"a653ctl rtds --help\"",
};

/* A module: its state, and the names that the state refers to by number */
struct state {
	struct a653_status status;
	struct a653_stat *stat;
	struct table table;
};

static bool state_consistent(const struct state *state)
{
	const struct a653_config *cfg = &state->table.cfg;

	for (__u32 i = 0; i < state->status.nr_stats; i++)
		if (state->stat[i].partition >= cfg->nr_partitions)
			return false;
	if (!(state->status.flags & A653_STATUS_RELOAD) &&
	    state->status.next >= cfg->nr_schedules)
		return false;
	return state->status.schedule < cfg->nr_schedules;
}

static void state_free(struct state *state)
{
	free(state->stat);
	table_free(&state->table);
}

/* The module may be loaded anew between the two requests: then ask again */
static bool state_read(int fd, const char *module, struct state *state)
{
	for (int attempt = 0; attempt < 5; attempt++) {
		if (device_get(fd, module, &state->table))
			return false;
		if (device_status(fd, module, &state->status, &state->stat)) {
			table_free(&state->table);
			return false;
		}
		if (state_consistent(state))
			return true;
		state_free(state);
	}
	complain("cannot read the state of %s: it changes too fast", module);
	return false;
}

/* How far the major frame is */
static __u64 position(const struct state *state)
{
	const struct a653_status *status = &state->status;
	__u64 major_ns = state->table.schedule[status->schedule].major_frame_ns;
	__u64 distance;

	if (!major_ns)
		return 0;
	if (status->now_ns >= status->base_ns)
		return ((__u64)status->now_ns - status->base_ns) % major_ns;
	distance = ((__u64)status->base_ns - status->now_ns) % major_ns;
	return distance ? major_ns - distance : 0;
}

/* What is pending may be a schedule of another configuration */
static const char *next_name(const struct state *state)
{
	__u32 next = state->status.next;

	if (state->status.flags & A653_STATUS_RELOAD)
		return "another configuration";
	return state->table.schedule[next].name;
}

static const char *schedule_name(const struct state *state, __u32 index)
{
	return state->table.schedule[index].name;
}

static void print_pending(const struct state *state)
{
	const struct a653_status *status = &state->status;
	char text[TIME_TEXT];

	if (!(status->flags & A653_STATUS_PENDING))
		return;
	if (status->next_ns > status->now_ns)
		printf(", %s in %s", next_name(state),
		       time_brief(text, status->next_ns - status->now_ns));
	else
		printf(", %s now", next_name(state));
}

static void print_head(const struct state *state)
{
	const struct a653_status *status = &state->status;
	char at[TIME_TEXT], major[TIME_TEXT];

	printf("module %s: ", state->table.cfg.module);
	if (status->flags & A653_STATUS_IDLE)
		fputs("no schedule in force yet", stdout);
	else
		printf("schedule %s, %s of %s",
		       schedule_name(state, status->schedule),
		       time_brief(at, position(state)),
		       time_text(major, state->table.schedule[status->schedule].major_frame_ns));
	print_pending(state);
	printf("; %llu schedule%s so far, %u task%s\n",
	       status->switched, status->switched == 1 ? "" : "s",
	       status->nr_tasks, status->nr_tasks == 1 ? "" : "s");
}

static const char *const columns[] = {
	"partition", "CPU", "open", "queued", "opened", "missed", "entitled",
	"ran", "", "slack", "late min", "avg", "max",
};

static bool had_window(const struct state *state, const struct a653_stat *stat)
{
	const struct table *table = &state->table;

	for (__u32 i = 0; i < table->cfg.nr_windows; i++)
		if (table->window[i].cpu == stat->cpu &&
		    table->window[i].partition == stat->partition)
			return true;
	return stat->opened || stat->missed || stat->nr_queued;
}

static void add_stat(struct grid *grid, const struct state *state,
		     const struct a653_stat *stat)
{
	char text[TIME_TEXT];

	grid_add(grid, "%s", state->table.partition[stat->partition].name);
	grid_add(grid, "%u", stat->cpu);
	grid_add(grid, "%s", stat->flags & A653_STAT_OPEN ? "open" : "-");
	grid_add(grid, "%u", stat->nr_queued);
	grid_add(grid, "%llu", stat->opened);
	grid_add(grid, "%llu", stat->missed);
	grid_add(grid, "%s", time_brief(text, stat->open_ns));
	grid_add(grid, "%s", time_brief(text, stat->run_ns));
	if (stat->open_ns)
		grid_add(grid, "%.1f %%", 100.0 * stat->run_ns / stat->open_ns);
	else
		grid_add(grid, "-");
	grid_add(grid, "%s", time_brief(text, stat->slack_ns));
	if (!stat->opened) {
		for (int i = 0; i < 3; i++)
			grid_add(grid, "-");
		return;
	}
	grid_add(grid, "%s", time_brief(text, stat->late_min_ns));
	grid_add(grid, "%s", time_brief(text, stat->late_sum_ns / stat->opened));
	grid_add(grid, "%s", time_brief(text, stat->late_max_ns));
}

static void print_human(const struct state *state,
			const struct servers *servers)
{
	struct grid grid = { .align = "lrlrrrrrrrrrr" };

	print_head(state);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		grid_add(&grid, "%s", columns[i]);
	/* Rows in which nothing ever happens would only hide the others */
	for (__u32 i = 0; i < state->status.nr_stats; i++)
		if (had_window(state, &state->stat[i]))
			add_stat(&grid, state, &state->stat[i]);
	grid_print(&grid, "  ", stdout);
	servers_print(servers, &state->table, stdout);
}

static struct json_object *stat_json(const struct state *state,
				     const struct a653_stat *stat)
{
	struct json_object *obj = json_object_new_object();

	json_add_text(obj, "partition",
		      state->table.partition[stat->partition].name);
	json_add_u64(obj, "cpu", stat->cpu);
	json_add_bool(obj, "open", stat->flags & A653_STAT_OPEN);
	json_add_u64(obj, "queued", stat->nr_queued);
	json_add_u64(obj, "opened", stat->opened);
	json_add_u64(obj, "missed", stat->missed);
	json_add_u64(obj, "run_ns", stat->run_ns);
	json_add_u64(obj, "open_ns", stat->open_ns);
	json_add_u64(obj, "slack_ns", stat->slack_ns);
	json_add_u64(obj, "late_min_ns", stat->late_min_ns);
	json_add_u64(obj, "late_max_ns", stat->late_max_ns);
	json_add_u64(obj, "late_sum_ns", stat->late_sum_ns);
	return obj;
}

static struct json_object *state_json(const struct state *state,
				      const struct servers *servers)
{
	const struct a653_status *status = &state->status;
	struct json_object *obj = json_object_new_object();
	struct json_object *list = json_object_new_array();
	bool idle = status->flags & A653_STATUS_IDLE;
	bool pending = status->flags & A653_STATUS_PENDING;

	json_add_text(obj, "module", state->table.cfg.module);
	json_add_text(obj, "clock", clock_name(status->clock));
	json_add_text(obj, "schedule",
		      idle ? NULL : schedule_name(state, status->schedule));
	json_add_s64(obj, "now_ns", status->now_ns);
	json_add_s64(obj, "base_ns", status->base_ns);
	json_add_u64(obj, "position_ns", idle ? 0 : position(state));
	json_add_text(obj, "next", pending ? next_name(state) : NULL);
	if (pending)
		json_add_s64(obj, "next_ns", status->next_ns);
	json_add_u64(obj, "switched", status->switched);
	json_add_u64(obj, "tasks", status->nr_tasks);
	for (__u32 i = 0; i < status->nr_stats; i++)
		json_object_array_add(list, stat_json(state, &state->stat[i]));
	json_object_object_add(obj, "stats", list);
	json_object_object_add(obj, "budgets",
			       servers_json(servers, &state->table));
	return obj;
}

static bool show_module(int fd, const char *module, bool json,
			struct json_object *list)
{
	struct servers servers;
	struct state state;
	int err;

	if (!state_read(fd, module, &state))
		return false;
	err = device_servers(fd, &servers);
	if (json)
		json_object_array_add(list, state_json(&state, &servers));
	else
		print_human(&state, &servers);
	servers_free(&servers);
	state_free(&state);
	/* A kernel may have none */
	return !err || err == -ENOTTY;
}

static int show_modules(int fd, struct module_name *names, int nr, bool json)
{
	struct json_object *list = json_object_new_array();
	bool ok = true;

	for (int i = 0; i < nr; i++) {
		if (i && !json)
			putchar('\n');
		ok &= show_module(fd, names[i].text, json, list);
	}
	if (json)
		json_print(json_object_get(list));
	json_object_put(list);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static int show_all(int fd, bool json)
{
	struct module_name *names;
	int nr = device_modules(fd, &names), status = EXIT_REFUSED;

	if (nr == 0 && !json)
		printf("no module is loaded\n");
	if (nr >= 0)
		status = show_modules(fd, names, nr, json);
	free(names);
	return status;
}

int cmd_status(int argc, char **argv)
{
	struct module_name name;
	struct status_args args = { };
	int status = EXIT_REFUSED, fd;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	fd = device_open();
	if (fd < 0)
		return status;
	if (!args.module)
		status = show_all(fd, args.json);
	else if (device_pick_module(fd, args.module, name.text))
		status = show_modules(fd, &name, 1, args.json);
	close(fd);
	return status;
}
