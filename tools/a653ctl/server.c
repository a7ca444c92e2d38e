// SPDX-License-Identifier: GPL-2.0
/* Deferrable servers: the state of all, the parameters of one */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "liba653.h"

void servers_free(struct servers *servers)
{
	free(servers->server);
	free(servers->cpu);
	memset(servers, 0, sizeof(*servers));
}

static double util_share(__u64 util)
{
	return (double)util / RTDS_UNIT;
}

static __u64 stat_util(const struct a653_server_stat *stat)
{
	struct rtds_params par = {
		.budget_ns = stat->budget_ns,
		.period_ns = stat->period_ns,
	};

	return par.period_ns ? rtds_util(&par) : 0;
}

/* Is it a server of a partition of @table? Without a table every server is */
static bool is_of(const struct a653_server_stat *stat, const struct table *table)
{
	if (!table)
		return true;
	for (unsigned int i = 0; i < table->cfg.nr_partitions && !stat->pid; i++)
		if (!strcmp(table->partition[i].name, stat->name))
			return true;
	return false;
}

static void add_head(struct grid *grid, bool threads)
{
	static const char *const columns[] = {
		"CPU", "state", "budget", "period", "of a CPU", "extratime",
		"left", "deadline in", "level", "ran", "extra", "replenished",
		"depleted",
	};

	grid_add(grid, threads ? "server" : "budget of");
	if (threads)
		grid_add(grid, "PID");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		grid_add(grid, "%s", columns[i]);
}

static const char *state_name(const struct a653_server_stat *stat)
{
	if (stat->flags & A653_SERVER_RUNNING)
		return "running";
	return stat->flags & A653_SERVER_READY ? "ready" : "-";
}

static void add_stat(struct grid *grid, const struct servers *servers,
		     const struct a653_server_stat *stat, bool threads)
{
	char text[TIME_TEXT];

	grid_add(grid, "%s", stat->name);
	if (threads && stat->pid)
		grid_add(grid, "%u", stat->pid);
	else if (threads)
		grid_add(grid, "-");
	grid_add(grid, "%u", stat->cpu);
	grid_add(grid, "%s", state_name(stat));
	grid_add(grid, "%s", time_text(text, stat->budget_ns));
	grid_add(grid, "%s", time_text(text, stat->period_ns));
	grid_add(grid, "%.1f %%", 100 * util_share(stat_util(stat)));
	grid_add(grid, "%s", stat->flags & A653_SERVER_EXTRATIME ? "yes" : "no");
	grid_add(grid, "%s", time_brief(text, stat->left_ns));
	/* One that has nothing to run may have slept through */
	if (stat->deadline_ns > servers->now_ns)
		grid_add(grid, "%s", time_brief(text, stat->deadline_ns -
						      servers->now_ns));
	else
		grid_add(grid, "-");
	grid_add(grid, "%u", stat->level);
	grid_add(grid, "%s", time_brief(text, stat->run_ns));
	grid_add(grid, "%s", time_brief(text, stat->extra_ns));
	grid_add(grid, "%llu", stat->replenished);
	grid_add(grid, "%llu", stat->depleted);
}

/**
 * servers_print - show the state of servers
 * @servers: all servers
 * @table: show those of its partitions only; NULL: all, threads too
 * @out: where to
 *
 * Nothing is printed if there is none.
 */
void servers_print(const struct servers *servers, const struct table *table,
		   FILE *out)
{
	struct grid grid = { .align = table ? "lrlrrrlrrrrrrr" :
					      "lrrlrrrlrrrrrrr" };
	bool any = false;

	for (__u32 i = 0; i < servers->nr; i++) {
		if (!is_of(&servers->server[i], table))
			continue;
		if (!any)
			add_head(&grid, !table);
		any = true;
		add_stat(&grid, servers, &servers->server[i], !table);
	}
	grid_print(&grid, "  ", out);
}

static __u64 free_util(const struct a653_cpu_stat *cpu)
{
	return cpu->major_ns ?
	       (double)cpu->free_ns / cpu->major_ns * RTDS_UNIT : RTDS_UNIT;
}

/* What each CPU has for servers, and what it has promised */
void servers_print_cpus(const struct servers *servers, FILE *out)
{
	struct grid grid = { .align = "rrrrr" };
	char text[TIME_TEXT];

	grid_add(&grid, "CPU");
	grid_add(&grid, "free");
	grid_add(&grid, "promised");
	grid_add(&grid, "global");
	grid_add(&grid, "shortest period");
	for (__u32 i = 0; i < servers->nr_cpus; i++) {
		const struct a653_cpu_stat *cpu = &servers->cpu[i];

		grid_add(&grid, "%u", cpu->cpu);
		grid_add(&grid, "%.1f %%", 100 * util_share(free_util(cpu)));
		grid_add(&grid, "%.1f %%", 100 * util_share(cpu->util));
		grid_add(&grid, "%.1f %%", 100 * util_share(cpu->global_util));
		grid_add(&grid, "%s", cpu->shortest_ns ?
			 time_text(text, cpu->shortest_ns) : "-");
	}
	grid_print(&grid, "  ", out);
}

static struct json_object *stat_json(const struct servers *servers,
				     const struct a653_server_stat *stat)
{
	struct json_object *obj = json_object_new_object();

	json_add_text(obj, "server", stat->name);
	/* null: of a partition */
	if (stat->pid)
		json_add_u64(obj, "pid", stat->pid);
	else
		json_object_object_add(obj, "pid", NULL);
	json_add_u64(obj, "cpu", stat->cpu);
	json_add_bool(obj, "ready", stat->flags & A653_SERVER_READY);
	json_add_bool(obj, "running", stat->flags & A653_SERVER_RUNNING);
	json_add_u64(obj, "budget_ns", stat->budget_ns);
	json_add_u64(obj, "period_ns", stat->period_ns);
	json_add_bool(obj, "extratime", stat->flags & A653_SERVER_EXTRATIME);
	json_add_share(obj, "utilisation", util_share(stat_util(stat)));
	json_add_u64(obj, "left_ns", stat->left_ns);
	json_add_s64(obj, "deadline_ns", stat->deadline_ns);
	json_add_s64(obj, "deadline_in_ns", stat->deadline_ns - servers->now_ns);
	json_add_u64(obj, "level", stat->level);
	json_add_u64(obj, "run_ns", stat->run_ns);
	json_add_u64(obj, "extra_ns", stat->extra_ns);
	json_add_u64(obj, "replenished", stat->replenished);
	json_add_u64(obj, "depleted", stat->depleted);
	return obj;
}

/* Like servers_print(), as a list */
struct json_object *servers_json(const struct servers *servers,
				 const struct table *table)
{
	struct json_object *list = json_object_new_array();

	for (__u32 i = 0; i < servers->nr; i++)
		if (is_of(&servers->server[i], table))
			json_object_array_add(list, stat_json(servers, &servers->server[i]));
	return list;
}

/* Like servers_print_cpus(), as a list */
struct json_object *servers_cpus_json(const struct servers *servers)
{
	struct json_object *list = json_object_new_array(), *obj;

	for (__u32 i = 0; i < servers->nr_cpus; i++) {
		const struct a653_cpu_stat *cpu = &servers->cpu[i];

		obj = json_object_new_object();
		json_add_u64(obj, "cpu", cpu->cpu);
		json_add_u64(obj, "major_frame_ns", cpu->major_ns);
		json_add_u64(obj, "free_ns", cpu->free_ns);
		json_add_share(obj, "free", util_share(free_util(cpu)));
		json_add_share(obj, "promised", util_share(cpu->util));
		json_add_share(obj, "global", util_share(cpu->global_util));
		json_add_u64(obj, "shortest_period_ns", cpu->shortest_ns);
		json_add_u64(obj, "picked", cpu->picked);
		json_add_u64(obj, "due_timers", cpu->due_timers);
		json_add_u64(obj, "due_idle", cpu->due_idle);
		json_add_u64(obj, "budget_timers", cpu->budget_timers);
		json_object_array_add(list, obj);
	}
	return list;
}

/* What is wrong with the parameters, or NULL */
const char *server_wrong(const struct server *server)
{
	const struct rtds_params *par = &server->par;

	if (par->period_ns < RTDS_MIN_PERIOD_NS ||
	    par->period_ns > RTDS_MAX_PERIOD_NS)
		return "the period must be from 100us to 4s";
	if (par->budget_ns < RTDS_MIN_BUDGET_NS)
		return "the budget must be at least 10us";
	if (par->budget_ns > par->period_ns)
		return "the budget must not be longer than the period";
	return NULL;
}

/* For people; the caller frees it */
char *server_text(const struct server *server)
{
	char budget[TIME_TEXT], period[TIME_TEXT], *cpus, *text;

	if (!server->par.budget_ns)
		return xstrdup("no budget");
	cpus = cpus_text(server->cpus.word, CPU_WORDS);
	text = xasprintf("%s in each %s%s%s%s",
			 time_text(budget, server->par.budget_ns),
			 time_text(period, server->par.period_ns),
			 *cpus ? ", CPUs " : "", cpus,
			 server->par.extra ? ", extratime" : "");
	free(cpus);
	return text;
}

static bool parse_number(const char *text, u64 *value)
{
	char *end;

	*value = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end;
}

static bool parse_member(char *word, struct server *server)
{
	char *value = strchr(word, '=');
	u64 number;

	if (!value)
		return false;
	*value++ = '\0';
	if (!strcmp(word, "budget_ns"))
		return parse_number(value, &server->par.budget_ns);
	if (!strcmp(word, "period_ns"))
		return parse_number(value, &server->par.period_ns);
	if (!strcmp(word, "cpus"))
		return !parse_cpus(value, &server->cpus);
	/* Later kernels may tell more */
	if (strcmp(word, "extratime"))
		return true;
	if (!parse_number(value, &number))
		return false;
	server->par.extra = number;
	return true;
}

/**
 * server_parse - read what the file a653.rtds of a cgroup says
 * @text: the text: KEY=VALUE, ...; nothing: there is no budget
 * @server: what it says
 *
 * Return: true if the text could be understood.
 */
bool server_parse(const char *text, struct server *server)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	bool ok = true, any = false;

	memset(server, 0, sizeof(*server));
	while (ok && (word = strsep(&rest, "\n "))) {
		if (!*word)
			continue;
		any = true;
		ok = parse_member(word, server);
	}
	free(copy);
	return ok && !any == !server->par.budget_ns &&
	       !any == !server->par.period_ns;
}

/*
 * Admission: the kernel only says EBUSY
 */

/**
 * struct asked - what was not admitted
 * @server: the parameters
 * @partition: for which partition, or NULL
 * @tid: for which thread, or 0
 * @util: its utilisation, on each CPU
 * @reserve: utilisation that is not promised to anybody
 */
struct asked {
	const struct server *server;
	const char *partition;
	pid_t tid;
	__u64 util;
	__u64 reserve;
};

static bool is_asker(const struct a653_server_stat *stat,
		     const struct asked *asked)
{
	if (asked->partition)
		return !stat->pid && !strcmp(stat->name, asked->partition);
	return stat->pid && stat->pid == (__u32)asked->tid;
}

/* What the asker has already on a CPU */
static __u64 had_util(const struct servers *servers, __u32 cpu,
		      const struct asked *asked)
{
	for (__u32 i = 0; i < servers->nr; i++) {
		const struct a653_server_stat *stat = &servers->server[i];

		if (is_asker(stat, asked) &&
		    (!asked->partition || stat->cpu == cpu))
			return stat_util(stat);
	}
	return 0;
}

static __u64 sub_floor(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

static void explain(const char *where, const struct asked *asked, __u64 free,
		    __u64 may, __u64 others)
{
	complain("%s: %.1f %% is asked; windows leave %.1f %%, of which %.1f %% may be promised and %.1f %% is promised to others",
		 where, 100 * util_share(asked->util), 100 * util_share(free),
		 100 * util_share(may), 100 * util_share(others));
}

/* Those that have too little on average, or all; returns if there is any */
static bool explain_cpus(const struct servers *servers,
			 const struct asked *asked, bool all)
{
	bool any = false;

	for (__u32 i = 0; i < servers->nr_cpus; i++) {
		const struct a653_cpu_stat *cpu = &servers->cpu[i];
		__u64 free = free_util(cpu);
		__u64 may = sub_floor(free, asked->reserve);
		__u64 others = sub_floor(cpu->util + cpu->global_util,
					 had_util(servers, cpu->cpu, asked));
		char where[32];

		if (!cpus_test(&asked->server->cpus, cpu->cpu) ||
		    (!all && others + asked->util <= may))
			continue;
		any = true;
		snprintf(where, sizeof(where), "CPU %u", cpu->cpu);
		explain(where, asked, free, may, others);
	}
	return any;
}

/* A thread that may run on several CPUs */
static void explain_global(const struct servers *servers,
			   const struct asked *asked)
{
	char *cpus = cpus_text(asked->server->cpus.word, CPU_WORDS);
	char *where = xasprintf("CPUs %s together", cpus);
	__u64 free_sum = 0, may = 0, others = 0, global = 0;

	for (__u32 i = 0; i < servers->nr_cpus; i++) {
		const struct a653_cpu_stat *cpu = &servers->cpu[i];

		if (!cpus_test(&asked->server->cpus, cpu->cpu))
			continue;
		free_sum += free_util(cpu);
		may += sub_floor(free_util(cpu), asked->reserve);
		others += cpu->util;
		/* Mostly the same threads on each CPU */
		global = max(global, cpu->global_util);
	}
	others += sub_floor(global, had_util(servers, 0, asked));
	explain(where, asked, free_sum, may, others);
	complain("(of several CPUs together less can be promised than of each: it may fit on one)");
	free(where);
	free(cpus);
}

static unsigned int cpus_count(const struct cpus *cpus)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < CPU_WORDS; i++)
		nr += __builtin_popcountll(cpus->word[i]);
	return nr;
}

/**
 * server_explain_busy - say why a server was not admitted
 * @server: what was asked
 * @partition: for which partition; NULL: for a thread
 * @tid: for which thread; 0: one that has no budget yet
 */
void server_explain_busy(const struct server *server, const char *partition,
			 pid_t tid)
{
	struct asked asked = {
		.server = server,
		.partition = partition,
		.tid = tid,
		.util = rtds_util(&server->par),
	};
	struct a653_limits limits;
	struct servers servers;
	int fd = device_open();

	if (fd < 0)
		return;
	limits_default(&limits);
	asked.reserve = RTDS_UNIT * min(limits.min_slack_pct, 100u) / 100;
	if (!device_servers(fd, &servers)) {
		if (!partition && cpus_count(&server->cpus) > 1)
			explain_global(&servers, &asked);
		else if (!explain_cpus(&servers, &asked, false) &&
			 explain_cpus(&servers, &asked, true))
			complain("(it would fit on average, but not in each interval between windows, or not beside threads that use several CPUs)");
		servers_free(&servers);
	}
	close(fd);
}
