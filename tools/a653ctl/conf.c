// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration file
 *
 * libconfig reads the text. What a group may hold stands in a table of keys;
 * read_group() fills a structure from it and complains about the rest. All
 * complaints are collected, each with its line. What the numbers must obey is
 * the kernel's business: see table_check().
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libconfig.h>

#include "liba653.h"

/* More text than any table needs that the kernel takes */
#define CONF_MAX_SIZE		(16 * 1024 * 1024)
/* More windows, counted on each CPU, than such a table has */
#define CONF_MAX_WINDOWS	(1024 * 1024)

enum want {
	WANT_NAME,		/* const char *, short enough for the kernel */
	WANT_TEXT,		/* const char * */
	WANT_TIME,		/* __u64 */
	WANT_CPUS,		/* struct cpus */
	WANT_BOOL,		/* bool */
	WANT_GROUP,		/* config_setting_t * */
	WANT_LIST,		/* config_setting_t * */
	WANT_NOTHING,		/* comes with a later version */
};

/**
 * struct key - a setting that a group may have
 * @name: its name
 * @want: what its value must be
 * @required: the group is not complete without
 * @at: where in the group's structure the value goes
 */
struct key {
	const char *name;
	enum want want;
	bool required;
	size_t at;
};

/**
 * struct shape - a kind of group
 * @what: what it is called in complaints
 * @keys: the settings it may have; an empty one ends the list
 */
struct shape {
	const char *what;
	const struct key *keys;
};

struct file_group {
	const config_setting_t *module;
	const config_setting_t *partitions;
	const config_setting_t *schedules;
};

static const struct shape file_shape = {
	"a configuration", (const struct key[]) {
		{ "module", WANT_GROUP, true,
		  offsetof(struct file_group, module) },
		{ "partitions", WANT_LIST, true,
		  offsetof(struct file_group, partitions) },
		{ "schedules", WANT_LIST, true,
		  offsetof(struct file_group, schedules) },
		{ }
	},
};

struct module_group {
	const char *name;
	struct cpus cpus;
	const char *clock;
	const char *initial;
	__u64 base_time;
};

static const struct shape module_shape = {
	"the module", (const struct key[]) {
		{ "name", WANT_NAME, true,
		  offsetof(struct module_group, name) },
		{ "cpus", WANT_CPUS, true,
		  offsetof(struct module_group, cpus) },
		{ "clock", WANT_TEXT, false,
		  offsetof(struct module_group, clock) },
		{ "initial", WANT_NAME, false,
		  offsetof(struct module_group, initial) },
		{ "base_time", WANT_TIME, false,
		  offsetof(struct module_group, base_time) },
		{ }
	},
};

struct rtds_group {
	__u64 budget;
	__u64 period;
	struct cpus cpus;
	bool extratime;
};

static const struct shape rtds_shape = {
	"a budget", (const struct key[]) {
		{ "budget", WANT_TIME, true,
		  offsetof(struct rtds_group, budget) },
		{ "period", WANT_TIME, true,
		  offsetof(struct rtds_group, period) },
		{ "cpus", WANT_CPUS, false,
		  offsetof(struct rtds_group, cpus) },
		{ "extratime", WANT_BOOL, false,
		  offsetof(struct rtds_group, extratime) },
		{ }
	},
};

struct partition_group {
	const char *name;
	const char *cgroup;
	__u64 period;
	__u64 duration;
	const config_setting_t *rtds;
};

static const struct shape partition_shape = {
	"a partition", (const struct key[]) {
		{ "name", WANT_NAME, true,
		  offsetof(struct partition_group, name) },
		{ "cgroup", WANT_TEXT, false,
		  offsetof(struct partition_group, cgroup) },
		{ "period", WANT_TIME, false,
		  offsetof(struct partition_group, period) },
		{ "duration", WANT_TIME, false,
		  offsetof(struct partition_group, duration) },
		{ "rtds", WANT_GROUP, false,
		  offsetof(struct partition_group, rtds) },
		{ "contain", WANT_NOTHING, false, 0 },
		{ }
	},
};

struct schedule_group {
	const char *name;
	__u64 major_frame;
	bool exclusive;
	const config_setting_t *windows;
};

static const struct shape schedule_shape = {
	"a schedule", (const struct key[]) {
		{ "name", WANT_NAME, true,
		  offsetof(struct schedule_group, name) },
		{ "major_frame", WANT_TIME, true,
		  offsetof(struct schedule_group, major_frame) },
		{ "exclusive", WANT_BOOL, false,
		  offsetof(struct schedule_group, exclusive) },
		{ "windows", WANT_LIST, true,
		  offsetof(struct schedule_group, windows) },
		{ "lead", WANT_NOTHING, false, 0 },
		{ }
	},
};

struct window_group {
	const char *partition;
	struct cpus cpus;
	__u64 offset;
	__u64 duration;
	bool strict;
};

static const struct shape window_shape = {
	"a window", (const struct key[]) {
		{ "partition", WANT_NAME, true,
		  offsetof(struct window_group, partition) },
		{ "cpus", WANT_CPUS, true,
		  offsetof(struct window_group, cpus) },
		{ "offset", WANT_TIME, true,
		  offsetof(struct window_group, offset) },
		{ "duration", WANT_TIME, true,
		  offsetof(struct window_group, duration) },
		{ "strict", WANT_BOOL, false,
		  offsetof(struct window_group, strict) },
		{ }
	},
};

static unsigned int line_of(const config_setting_t *setting)
{
	return config_setting_source_line(setting);
}

static bool read_text(const config_setting_t *setting, const char **text,
		      struct diag *diag)
{
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		diag_error(diag, line_of(setting),
			   "\"%s\" must be a text in quotes",
			   config_setting_name(setting));
		return false;
	}
	*text = config_setting_get_string(setting);
	return true;
}

static bool read_name(const config_setting_t *setting, const char **name,
		      struct diag *diag)
{
	if (!read_text(setting, name, diag))
		return false;
	if (strlen(*name) < A653_NAME_LEN)
		return true;
	diag_error(diag, line_of(setting),
		   "\"%s\" is too long: a name has at most %d characters",
		   config_setting_name(setting), A653_NAME_LEN - 1);
	return false;
}

static bool read_time(const config_setting_t *setting, __u64 *ns,
		      struct diag *diag)
{
	const char *text, *wrong;

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
	case CONFIG_TYPE_FLOAT:
		diag_error(diag, line_of(setting),
			   "\"%s\" is a plain number: give a unit and quotes, as in \"3ms\"",
			   config_setting_name(setting));
		return false;
	}
	if (!read_text(setting, &text, diag))
		return false;
	wrong = parse_time(text, ns);
	if (wrong)
		diag_error(diag, line_of(setting), "%s \"%s\" %s",
			   config_setting_name(setting), text, wrong);
	return !wrong;
}

static bool read_cpus(const config_setting_t *setting, struct cpus *cpus,
		      struct diag *diag)
{
	const char *text, *wrong;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		diag_error(diag, line_of(setting),
			   "\"%s\" must be a list of CPUs in quotes, as in \"0-1,3\"",
			   config_setting_name(setting));
		return false;
	}
	text = config_setting_get_string(setting);
	wrong = parse_cpus(text, cpus);
	if (wrong)
		diag_error(diag, line_of(setting), "%s \"%s\" %s",
			   config_setting_name(setting), text, wrong);
	return !wrong;
}

static bool read_bool(const config_setting_t *setting, bool *value,
		      struct diag *diag)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL) {
		diag_error(diag, line_of(setting),
			   "\"%s\" must be true or false",
			   config_setting_name(setting));
		return false;
	}
	*value = config_setting_get_bool(setting);
	return true;
}

static bool read_aggregate(const config_setting_t *setting, int type,
			   const config_setting_t **value, struct diag *diag)
{
	if (config_setting_type(setting) != type) {
		diag_error(diag, line_of(setting), "\"%s\" must be %s",
			   config_setting_name(setting),
			   type == CONFIG_TYPE_GROUP ?
			   "a group: { ... }" : "a list of groups: ( {...}, ... )");
		return false;
	}
	*value = setting;
	return true;
}

static bool read_value(const config_setting_t *setting, enum want want,
		       void *value, struct diag *diag)
{
	switch (want) {
	case WANT_NAME:
		return read_name(setting, value, diag);
	case WANT_TEXT:
		return read_text(setting, value, diag);
	case WANT_TIME:
		return read_time(setting, value, diag);
	case WANT_CPUS:
		return read_cpus(setting, value, diag);
	case WANT_BOOL:
		return read_bool(setting, value, diag);
	case WANT_GROUP:
		return read_aggregate(setting, CONFIG_TYPE_GROUP, value, diag);
	case WANT_LIST:
		return read_aggregate(setting, CONFIG_TYPE_LIST, value, diag);
	case WANT_NOTHING:
		diag_error(diag, line_of(setting),
			   "\"%s\" is not supported by this version of a653ctl: remove it",
			   config_setting_name(setting));
		return false;
	}
	return false;
}

static char *list_keys(const struct shape *shape)
{
	char *list = xstrdup(""), *longer;

	for (const struct key *key = shape->keys; key->name; key++) {
		if (key->want == WANT_NOTHING)
			continue;
		longer = xasprintf("%s%s%s", list, *list ? ", " : "",
				   key->name);
		free(list);
		list = longer;
	}
	return list;
}

static const struct key *find_key(const struct shape *shape, const char *name)
{
	for (const struct key *key = shape->keys; key->name; key++)
		if (!strcmp(key->name, name))
			return key;
	return NULL;
}

static void complain_unknown(const config_setting_t *setting,
			     const struct shape *shape, struct diag *diag)
{
	char *list = list_keys(shape);

	diag_error(diag, line_of(setting),
		   "unknown key \"%s\": %s has %s",
		   config_setting_name(setting), shape->what, list);
	free(list);
}

static bool read_member(const config_setting_t *setting,
			const struct shape *shape, void *values,
			struct diag *diag)
{
	const struct key *key = find_key(shape, config_setting_name(setting));

	if (!key) {
		complain_unknown(setting, shape, diag);
		return false;
	}
	return read_value(setting, key->want, (char *)values + key->at, diag);
}

/**
 * read_group - read the settings of a group
 * @group: the group
 * @shape: what it may hold
 * @values: where that goes; what the file does not mention is left alone
 * @diag: where every error is noted
 *
 * Return: true if all went well.
 */
static bool read_group(const config_setting_t *group,
		       const struct shape *shape, void *values,
		       struct diag *diag)
{
	int nr = config_setting_length(group);
	bool ok = true;

	for (int i = 0; i < nr; i++)
		ok &= read_member(config_setting_get_elem(group, i), shape,
				  values, diag);
	for (const struct key *key = shape->keys; key->name; key++) {
		if (!key->required || config_setting_get_member(group, key->name))
			continue;
		diag_error(diag, line_of(group), "%s needs \"%s\"",
			   shape->what, key->name);
		ok = false;
	}
	return ok;
}

/* The elements of @list must be groups, and not more than @max */
static bool check_list(const config_setting_t *list, int max,
		       const struct shape *shape, struct diag *diag)
{
	int nr = config_setting_length(list);
	bool ok = true;

	if (nr > max) {
		diag_error(diag, line_of(list),
			   "\"%s\" has %d elements: there can be at most %d",
			   config_setting_name(list), nr, max);
		return false;
	}
	for (int i = 0; i < nr; i++) {
		const config_setting_t *elem = config_setting_get_elem(list, i);

		if (config_setting_type(elem) == CONFIG_TYPE_GROUP)
			continue;
		diag_error(diag, line_of(elem) ?: line_of(list),
			   "%s must be a group: { ... }", shape->what);
		ok = false;
	}
	return ok;
}

static bool read_clock(const struct module_group *module, unsigned int line,
		       struct table *table, struct diag *diag)
{
	if (!module->clock || !strcmp(module->clock, "monotonic")) {
		table->cfg.clock = CLOCK_MONOTONIC;
	} else if (!strcmp(module->clock, "tai")) {
		table->cfg.clock = CLOCK_TAI;
	} else {
		diag_error(diag, line,
			   "unknown clock \"%s\": say \"monotonic\" or \"tai\"",
			   module->clock);
		return false;
	}
	return true;
}

/* Where a member of the group stands; the group itself if it is not there */
static unsigned int member_line(const config_setting_t *group,
				const char *name)
{
	const config_setting_t *member = config_setting_get_member(group, name);

	return line_of(member ?: group);
}

static bool read_module(const config_setting_t *setting,
			struct module_group *module, struct table *table,
			struct diag *diag)
{
	table->module_line = line_of(setting);
	if (!read_group(setting, &module_shape, module, diag))
		return false;
	set_name(table->cfg.module, module->name);
	table->cpus = module->cpus;
	table->cfg.nr_cpu_words = cpus_nr_words(&table->cpus);
	if (config_setting_get_member(setting, "base_time")) {
		table->cfg.flags |= A653_CONFIG_BASE;
		table->cfg.base_ns = module->base_time;
	}
	return read_clock(module, member_line(setting, "clock"), table, diag);
}

/* A cgroup is bound to one partition */
static bool cgroup_taken(const struct table *table, const char *cgroup)
{
	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++)
		if (!strcmp(table->cgroup[i], cgroup))
			return true;
	return false;
}

static void add_budget(struct table *table, const struct a653_budget *budget,
		       unsigned int line)
{
	unsigned int nr = table->cfg.nr_budgets++;

	table->budget = xgrow(table->budget, nr, sizeof(*budget));
	table->budget_line = xgrow(table->budget_line, nr, sizeof(line));
	table->budget[nr] = *budget;
	table->budget_line[nr] = line;
}

/* A budget on several CPUs is, for the kernel, a server on each of them */
static bool read_rtds(const config_setting_t *setting, u32 partition,
		      struct table *table, struct diag *diag)
{
	struct a653_budget budget = { .partition = partition };
	struct rtds_group group = { .cpus = table->cpus };

	if (!read_group(setting, &rtds_shape, &group, diag))
		return false;
	budget.budget_ns = group.budget;
	budget.period_ns = group.period;
	if (group.extratime)
		budget.flags |= A653_BUDGET_EXTRATIME;
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
		budget.cpu = cpu;
		if (cpus_test(&group.cpus, cpu))
			add_budget(table, &budget, line_of(setting));
	}
	return true;
}

static bool read_partition(const config_setting_t *setting,
			   struct table *table, struct diag *diag)
{
	unsigned int nr = table->cfg.nr_partitions;
	struct partition_group group = { };
	struct a653_partition *part = &table->partition[nr];
	const char *wrong;

	if (!read_group(setting, &partition_shape, &group, diag))
		return false;
	if (!group.cgroup)
		group.cgroup = group.name;
	wrong = cgroup_path_wrong(group.cgroup);
	if (wrong) {
		diag_error(diag, member_line(setting, "cgroup"),
			   "cgroup \"%s\" %s", group.cgroup, wrong);
		return false;
	}
	if (cgroup_taken(table, group.cgroup)) {
		diag_error(diag, member_line(setting, "cgroup"),
			   "cgroup \"%s\" belongs to another partition: give each its own",
			   group.cgroup);
		return false;
	}
	set_name(part->name, group.name);
	part->period_ns = group.period;
	part->duration_ns = group.duration;
	table->partition_line[nr] = line_of(setting);
	table->cgroup[nr] = xstrdup(group.cgroup);
	table->cfg.nr_partitions++;
	return !group.rtds || read_rtds(group.rtds, nr, table, diag);
}

static bool read_partitions(const config_setting_t *list, struct table *table,
			    struct diag *diag)
{
	int nr = config_setting_length(list);
	bool ok = true;

	if (!check_list(list, A653_MAX_PARTITIONS, &partition_shape, diag))
		return false;
	table->partition = xcalloc(nr, sizeof(*table->partition));
	table->partition_line = xcalloc(nr, sizeof(*table->partition_line));
	table->cgroup = xcalloc(nr, sizeof(*table->cgroup));
	for (int i = 0; i < nr; i++)
		ok &= read_partition(config_setting_get_elem(list, i), table,
				     diag);
	return ok;
}

static bool find_partition(const struct table *table, const char *name,
			   u32 *index)
{
	for (*index = 0; *index < table->cfg.nr_partitions; ++*index)
		if (!strcmp(table->partition[*index].name, name))
			return true;
	return false;
}

static bool add_window(struct table *table, const struct a653_window *window,
		       unsigned int line, struct diag *diag)
{
	unsigned int nr = table->cfg.nr_windows;

	if (nr >= CONF_MAX_WINDOWS) {
		diag_error(diag, line,
			   "too many windows: there can be at most %d on all CPUs together",
			   CONF_MAX_WINDOWS);
		return false;
	}
	table->window = xgrow(table->window, nr, sizeof(*window));
	table->window_line = xgrow(table->window_line, nr, sizeof(line));
	table->window[nr] = *window;
	table->window_line[nr] = line;
	table->cfg.nr_windows++;
	table->schedule[table->cfg.nr_schedules].nr_windows++;
	return true;
}

/* A window on several CPUs is, for the kernel, one on each of them */
static bool read_window(const config_setting_t *setting, struct table *table,
			struct diag *diag)
{
	unsigned int line = line_of(setting);
	struct window_group group = { };
	struct a653_window window = { };

	if (!read_group(setting, &window_shape, &group, diag))
		return false;
	if (!find_partition(table, group.partition, &window.partition)) {
		diag_error(diag, member_line(setting, "partition"),
			   "no partition \"%s\": declare it in \"partitions\"",
			   group.partition);
		return false;
	}
	window.offset_ns = group.offset;
	window.duration_ns = group.duration;
	if (group.strict)
		window.flags |= A653_WINDOW_STRICT;
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
		window.cpu = cpu;
		if (cpus_test(&group.cpus, cpu) &&
		    !add_window(table, &window, line, diag))
			return false;
	}
	return true;
}

static bool read_windows(const config_setting_t *list, struct table *table,
			 struct diag *diag)
{
	int nr = config_setting_length(list);
	bool ok = true;

	if (!check_list(list, CONF_MAX_WINDOWS, &window_shape, diag))
		return false;
	for (int i = 0; i < nr; i++)
		ok &= read_window(config_setting_get_elem(list, i), table,
				  diag);
	return ok;
}

static bool read_schedule(const config_setting_t *setting,
			  struct table *table, struct diag *diag)
{
	unsigned int nr = table->cfg.nr_schedules;
	struct a653_schedule *schedule = &table->schedule[nr];
	struct schedule_group group = { };
	bool ok;

	ok = read_group(setting, &schedule_shape, &group, diag);
	if (group.windows)
		ok &= read_windows(group.windows, table, diag);
	if (!ok)
		return false;
	set_name(schedule->name, group.name);
	schedule->major_frame_ns = group.major_frame;
	if (group.exclusive)
		schedule->flags |= A653_SCHEDULE_EXCLUSIVE;
	table->schedule_line[nr] = line_of(setting);
	table->cfg.nr_schedules++;
	return true;
}

static bool read_schedules(const config_setting_t *list, struct table *table,
			   struct diag *diag)
{
	int nr = config_setting_length(list);
	bool ok = true;

	if (!check_list(list, A653_MAX_SCHEDULES, &schedule_shape, diag))
		return false;
	table->schedule = xcalloc(nr, sizeof(*table->schedule));
	table->schedule_line = xcalloc(nr, sizeof(*table->schedule_line));
	for (int i = 0; i < nr; i++)
		ok &= read_schedule(config_setting_get_elem(list, i), table,
				    diag);
	return ok;
}

static bool set_initial(const char *name, unsigned int line,
			struct table *table, struct diag *diag)
{
	int initial = name ? table_find_schedule(table, name) : 0;

	if (initial < 0) {
		diag_error(diag, line,
			   "no schedule \"%s\": \"initial\" names one of \"schedules\"",
			   name);
		return false;
	}
	table->cfg.initial = initial;
	return true;
}

static bool read_settings(const config_setting_t *root, struct table *table,
			  struct diag *diag)
{
	struct file_group file = { };
	struct module_group module = { };
	bool ok;

	ok = read_group(root, &file_shape, &file, diag);
	if (file.module)
		ok &= read_module(file.module, &module, table, diag);
	/* Windows name partitions, so without these they cannot be read */
	if (!file.partitions || !read_partitions(file.partitions, table, diag))
		return false;
	if (file.schedules)
		ok &= read_schedules(file.schedules, table, diag);
	return ok && set_initial(module.initial,
				 member_line(file.module, "initial"), table,
				 diag);
}

/* libconfig would read any file that the text names */
static bool check_include(const char *text, struct diag *diag)
{
	unsigned int line = 1;

	while (text) {
		text += strspn(text, " \t");
		if (!strncmp(text, "@include", strlen("@include"))) {
			diag_error(diag, line,
				   "@include is not supported: put everything into one file");
			return false;
		}
		text = strchr(text, '\n');
		if (text)
			text++;
		line++;
	}
	return true;
}

static void complain_syntax(const config_t *config, struct diag *diag)
{
	const char *text = config_error_text(config), *hint = "";

	/* libconfig says no more than this */
	if (!strcmp(text, "syntax error"))
		hint = ": is a \"=\", a quote or a bracket missing, or a \",\" too many?";
	diag_error(diag, config_error_line(config), "%s%s", text, hint);
}

/**
 * conf_parse - read a configuration
 * @text: the text of the file
 * @table: what it says; the caller frees it, whatever the result is
 * @diag: where every error is noted
 *
 * Return: true if the text could be understood. That says nothing about the
 * rules that table_check() applies.
 */
bool conf_parse(const char *text, struct table *table, struct diag *diag)
{
	config_t config;
	bool ok = false;

	memset(table, 0, sizeof(*table));
	table->cfg.size = sizeof(table->cfg);
	table->cfg.partition_size = sizeof(*table->partition);
	table->cfg.schedule_size = sizeof(*table->schedule);
	table->cfg.window_size = sizeof(*table->window);
	table->cfg.budget_size = sizeof(*table->budget);
	if (!check_include(text, diag))
		return false;
	config_init(&config);
	if (config_read_string(&config, text))
		ok = read_settings(config_root_setting(&config), table, diag);
	else
		complain_syntax(&config, diag);
	config_destroy(&config);
	return ok;
}

/* The whole file as text, or NULL */
static char *read_file(const char *file, struct diag *diag)
{
	FILE *f = fopen(file, "re");
	char *text = NULL;
	size_t len;

	if (!f) {
		diag_error(diag, 0, "cannot open it: %s", strerror(errno));
		return NULL;
	}
	text = xcalloc(CONF_MAX_SIZE + 1, 1);
	len = fread(text, 1, CONF_MAX_SIZE + 1, f);
	if (ferror(f)) {
		diag_error(diag, 0, "cannot read it: %s", strerror(errno));
	} else if (len > CONF_MAX_SIZE) {
		diag_error(diag, 0, "is larger than %d bytes: no table needs that",
			   CONF_MAX_SIZE);
	} else if (memchr(text, '\0', len)) {
		diag_error(diag, 0, "is no text file");
	} else {
		fclose(f);
		return text;
	}
	fclose(f);
	free(text);
	return NULL;
}

/* Like conf_parse(), from a file */
bool conf_read(const char *file, struct table *table, struct diag *diag)
{
	char *text;
	bool ok;

	memset(table, 0, sizeof(*table));
	diag->file = file;
	text = read_file(file, diag);
	if (!text)
		return false;
	ok = conf_parse(text, table, diag);
	free(text);
	return ok;
}
