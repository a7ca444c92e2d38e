/* SPDX-License-Identifier: GPL-2.0 */
/*
 * liba653: what the subcommands of a653ctl share
 *
 *   units.c	times and CPU lists, to and from text
 *   diag.c	complaints about a configuration file, with their lines
 *   table.c	a module with its partitions, budgets, schedules and windows
 *   conf.c	the configuration file
 *   usage.c	what a table gives to whom
 *   fit.c	do the budgets fit into the time that a table leaves free?
 *   grid.c	columns of text
 *   json.c	values of JSON objects
 *   chart.c	a major frame as a picture of letters
 *   show.c	a table for people, as JSON, as a configuration file
 *   device.c	/dev/a653
 *   server.c	deferrable servers: the state of all, the parameters of one
 *   thread.c	the scheduling of a thread
 *   cgroup.c	the cgroup file system
 *   journal.c	what load made, so that unload can take it down
 */
#ifndef _LIBA653_H
#define _LIBA653_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <json-c/json.h>
#include <linux/types.h>
#include <sys/types.h>

#include "../../kernel/sched/a653_frame.h"
#include "../../kernel/sched/rtds_server.h"

#define NS_PER_US		1000ULL
#define NS_PER_MS		1000000ULL
#define NS_PER_S		1000000000ULL

/*
 * Memory that cannot be had ends the program: there is nothing that a small
 * command could do about it.
 */
void *xcalloc(size_t nr, size_t size);
void *xgrow(void *array, size_t nr, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __printf(1, 2);

/* What does not fit is cut off; all that follows the name is zero */
void set_name(char name[static A653_NAME_LEN], const char *text);

/* What came from elsewhere must not steer the terminal, nor spoil the JSON */
void make_printable(char *text);

/* "a653ctl: ..." on stderr */
void complain(const char *fmt, ...) __printf(1, 2);

/* units.c */

#define TIME_TEXT		32	/* room for any time as text */
#ifndef MAX_CPUS
#define MAX_CPUS		8192	/* of any Linux machine there is */
#endif
#define CPU_WORDS		(MAX_CPUS / 64)

struct cpus {
	u64 word[CPU_WORDS];
};

const char *parse_time(const char *text, __u64 *ns);
const char *time_text(char buf[static TIME_TEXT], __u64 ns);
const char *time_brief(char buf[static TIME_TEXT], __u64 ns);
const char *parse_cpus(const char *text, struct cpus *cpus);
char *cpus_text(const u64 *word, size_t nr_words);
void cpus_set(struct cpus *cpus, unsigned int cpu);
bool cpus_test(const struct cpus *cpus, unsigned int cpu);
unsigned int cpus_nr_words(const struct cpus *cpus);
bool cpus_subset(const struct cpus *some, const struct cpus *all);
bool machine_cpus(const char *which, struct cpus *cpus);

/* diag.c */

enum severity { DIAG_ERROR, DIAG_WARNING };

/**
 * struct diag - what is wrong with a configuration file
 * @file: its name
 * @note: the complaints, in the order in which they were found
 * @nr: how many
 * @errors: how many errors there were, those left out too
 * @left_out: complaints that are not in @note, because there are too many
 */
struct diag {
	const char *file;
	struct diag_note {
		enum severity severity;
		unsigned int line;
		unsigned int other_line;
		const char *other;
		char *text;
	} *note;
	size_t nr;
	size_t errors;
	size_t left_out;
};

void diag_add(struct diag *diag, enum severity severity, unsigned int line,
	      unsigned int other_line, const char *other,
	      const char *fmt, ...) __printf(6, 7);
#define diag_error(diag, line, ...) \
	diag_add(diag, DIAG_ERROR, line, 0, NULL, __VA_ARGS__)
#define diag_warning(diag, line, ...) \
	diag_add(diag, DIAG_WARNING, line, 0, NULL, __VA_ARGS__)
void diag_print(const struct diag *diag, FILE *out);
struct json_object *diag_json(const struct diag *diag, enum severity severity);
void diag_free(struct diag *diag);

/* table.c */

/**
 * struct server - the parameters of a server
 * @par: budget, period, extratime; all zero: it is none
 * @cpus: a partition has a server on each of them, a thread runs on any
 */
struct server {
	struct rtds_params par;
	struct cpus cpus;
};

/**
 * struct table - a module with all that belongs to it
 * @cfg: as the kernel takes it, without the pointers
 * @cpus: the module's CPUs
 * @partition: cfg.nr_partitions of them
 * @schedule: cfg.nr_schedules of them
 * @window: cfg.nr_windows of them
 * @budget: cfg.nr_budgets of them
 * @cgroup: the cgroup of each partition, relative to the cgroup file system;
 *	NULL where it is not known
 * @module_line: line of the configuration file; 0 if it came from elsewhere
 * @partition_line: likewise, of each partition; NULL if it came from elsewhere
 * @schedule_line: likewise
 * @window_line: likewise
 * @budget_line: likewise
 */
struct table {
	struct a653_config cfg;
	struct cpus cpus;
	struct a653_partition *partition;
	struct a653_schedule *schedule;
	struct a653_window *window;
	struct a653_budget *budget;
	char **cgroup;
	unsigned int module_line;
	unsigned int *partition_line;
	unsigned int *schedule_line;
	unsigned int *window_line;
	unsigned int *budget_line;
};

void table_free(struct table *table);
bool table_check(const struct table *table, const struct a653_limits *limits,
		 struct diag *diag);
void limits_default(struct a653_limits *limits);
size_t table_first_window(const struct table *table, unsigned int schedule);
int table_find_schedule(const struct table *table, const char *name);
void table_conf(const struct table *table, struct a653_conf *conf);
struct a653_frame *table_frame(void);
bool table_server(const struct table *table, unsigned int partition,
		  struct server *server);

/* conf.c */

bool conf_read(const char *file, struct table *table, struct diag *diag);
bool conf_parse(const char *text, struct table *table, struct diag *diag);

/* usage.c */

/**
 * struct usage - what a schedule gives to whom, in one major frame
 * @major_ns: length of the major frame
 * @nr_cpus: elements of @cpu
 * @cpu: each CPU of the module
 * @part: each partition; @cpu_ns is the sum over all CPUs, @blackout_ns the
 *	longest time, frames repeating, without any of its windows
 */
struct usage {
	__u64 major_ns;
	unsigned int nr_cpus;
	struct usage_cpu {
		unsigned int cpu;
		unsigned int nr_windows;
		__u64 used_ns;
	} *cpu;
	struct usage_part {
		unsigned int nr_windows;
		__u64 cpu_ns;
		__u64 blackout_ns;
	} *part;
};

void usage_count(const struct table *table, unsigned int schedule,
		 struct usage *usage);
void usage_free(struct usage *usage);

/* fit.c */

/**
 * struct fit - the servers of a CPU, and the time that a schedule leaves them
 * @cpu: its number
 * @nr_servers: servers that belong to it
 * @free: share of the CPU that is free of windows, in units of RTDS_UNIT
 * @asked: share of it that they ask for
 * @fits: they do: on average, and in any interval
 * @margin: the interval in which this is tightest, or the first in which it
 *	fails; of no length if they do not even fit on average
 */
struct fit {
	unsigned int cpu;
	unsigned int nr_servers;
	__u64 free;
	__u64 asked;
	bool fits;
	struct rtds_margin margin;
};

size_t fit_count(const struct table *table, unsigned int schedule,
		 struct fit **fits);

/* grid.c */

/**
 * struct grid - columns of text
 * @align: 'l' or 'r' for each column
 * @cell: row by row
 * @nr: cells so far
 */
struct grid {
	const char *align;
	char **cell;
	size_t nr;
};

void grid_add(struct grid *grid, const char *fmt, ...) __printf(2, 3);
void grid_print(struct grid *grid, const char *indent, FILE *out);

/* json.c */

void json_add_text(struct json_object *obj, const char *key, const char *text);
void json_add_u64(struct json_object *obj, const char *key, __u64 value);
void json_add_s64(struct json_object *obj, const char *key, __s64 value);
void json_add_bool(struct json_object *obj, const char *key, bool value);
void json_add_share(struct json_object *obj, const char *key, double share);
void json_print(struct json_object *obj);

/* chart.c */

#define CHART_MIN		40u
#define CHART_MAX		10000u
#define CHART_WIDTH_WRONG	"the width must be a number from 40 to 10000"

bool chart_parse_width(const char *text, unsigned int *width);
unsigned int chart_width(FILE *out);
void chart_print(const struct table *table, unsigned int schedule,
		 unsigned int width, FILE *out);

/* show.c */

void show_head(const struct table *table, FILE *out);
void show_usage(const struct table *table, unsigned int schedule, FILE *out);
void show_windows(const struct table *table, unsigned int schedule, FILE *out);
void show_conf(const struct table *table, FILE *out);
struct json_object *show_json(const struct table *table);
const char *clock_name(__u32 clock);

/*
 * A run of windows that are alike but for their CPU, which ascends: what one
 * entry of a configuration file expands to.
 */
size_t windows_run(const struct table *table, size_t first, size_t end,
		   struct cpus *cpus);

/* device.c */

#define A653_DEVICE		"/dev/a653"

int device_open(void);
int device_load(int fd, const struct table *table, __u32 flags);
int device_get(int fd, const char *module, struct table *table);
int device_unload(int fd, const char *module, __u32 flags);
int device_switch(int fd, const char *module, const char *schedule,
		  __u32 flags, __s64 at_ns);
int device_status(int fd, const char *module, struct a653_status *status,
		  struct a653_stat **stats);
int device_wait(int fd, const char *module);
struct module_name {
	char text[A653_NAME_LEN];
};

int device_modules(int fd, struct module_name **names);
bool device_pick_module(int fd, const char *name,
			char module[static A653_NAME_LEN]);
const char *parse_when(const char *text, __u32 clock, __s64 *ns);

/**
 * struct servers - all deferrable servers, and the CPUs
 * @now_ns: CLOCK_MONOTONIC
 * @nr: elements of @server
 * @server: the servers
 * @nr_cpus: elements of @cpu
 * @cpu: what each CPU has to give
 */
struct servers {
	__s64 now_ns;
	__u32 nr;
	struct a653_server_stat *server;
	__u32 nr_cpus;
	struct a653_cpu_stat *cpu;
};

int device_servers(int fd, struct servers *servers);

/* server.c */

void servers_free(struct servers *servers);
void servers_print(const struct servers *servers, const struct table *table,
		   FILE *out);
void servers_print_cpus(const struct servers *servers, FILE *out);
struct json_object *servers_json(const struct servers *servers,
				 const struct table *table);
struct json_object *servers_cpus_json(const struct servers *servers);

const char *server_wrong(const struct server *server);
char *server_text(const struct server *server);
bool server_parse(const char *text, struct server *server);
void server_explain_busy(const struct server *server, const char *partition,
			 pid_t tid);

/* thread.c: functions return 0 or a negative errno */

/* The C library has no wrapper, and its headers may not know the structure */
struct thread_attr {
	__u32 size;
	__u32 policy;
	__u64 flags;
	__s32 nice;
	__u32 priority;
	__u64 runtime;
	__u64 deadline;
	__u64 period;
};

int thread_get_attr(pid_t tid, struct thread_attr *attr);
int thread_set_attr(pid_t tid, struct thread_attr *attr);
int thread_get_cpus(pid_t tid, struct cpus *cpus);
int thread_set_cpus(pid_t tid, const struct cpus *cpus);
int thread_get_server(pid_t tid, struct server *server);
int thread_set_server(pid_t tid, const struct rtds_params *par, bool reset);
int thread_clear_server(pid_t tid);
void thread_complain(pid_t tid, const struct server *server, int err);
char *thread_name(pid_t tid);

/* cgroup.c: paths are relative to the cgroup file system */

#define CGROUP_ROOT		"/sys/fs/cgroup"

const char *cgroup_path_wrong(const char *path);
bool cgroup_check_mounted(void);
bool cgroup_exists(const char *path);
int cgroup_mkdir(const char *path);
int cgroup_rmdir(const char *path);
int cgroup_write(const char *path, const char *file, const char *text);
char *cgroup_read(const char *path, const char *file);
bool cgroup_controls(const char *path);
char *cgroup_bound_to(const char *path);
char *cgroup_find(const char *partition);
char *cgroup_bound_child(const char *path);
int cgroup_get_server(const char *path, struct server *server);
bool path_is_below(const char *path, const char *dir);

/* journal.c */

#define JOURNAL_DIR		"/run/a653"

enum step_kind {
	STEP_MKDIR,		/* made the cgroup @path */
	STEP_ENABLE,		/* enabled a653 in its cgroup.subtree_control */
	STEP_BIND,		/* bound it to @partition */
	STEP_UNBIND,		/* unbound it from @partition */
};

/**
 * struct journal - what load did to the cgroups, in this order
 * @module: name of the module
 * @step: the steps
 * @nr: how many
 */
struct journal {
	char module[A653_NAME_LEN];
	struct step {
		enum step_kind kind;
		char *path;
		char *partition;
	} *step;
	size_t nr;
};

int journal_lock(void);
bool journal_read(const char *module, struct journal *journal);
bool journal_write(const struct journal *journal);
bool journal_do(struct journal *journal, enum step_kind kind,
		const char *path, const char *partition);
bool journal_undo(struct journal *journal, size_t keep);
void journal_settle(struct journal *journal);
char *journal_find_cgroup(const char *partition);
void journal_free(struct journal *journal);

#endif /* _LIBA653_H */
