// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/a653
 *
 * Every function here says itself on stderr what went wrong; the kernel's
 * reason if it gave one. They return 0 or a negative errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "liba653.h"

int device_open(void)
{
	int fd = open(A653_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		complain("there is no %s: this kernel was built without CONFIG_SCHED_A653",
			 A653_DEVICE);
	else if (errno == EACCES || errno == EPERM)
		complain("cannot open %s: %s: try as root", A653_DEVICE,
			 strerror(errno));
	else
		complain("cannot open %s: %s", A653_DEVICE, strerror(errno));
	return -1;
}

static __u64 to_u64(const void *p)
{
	return (uintptr_t)p;
}

static int refused(const char *what, const char *module, const char *reason)
{
	int err = errno;

	complain("%s %s: %s", what, module, *reason ? reason : strerror(err));
	return -err;
}

int device_load(int fd, const struct table *table, __u32 flags)
{
	char reason[A653_REASON_LEN] = "";
	struct a653_config cfg = table->cfg;

	cfg.size = sizeof(cfg);
	cfg.flags |= flags;
	cfg.partition_size = sizeof(*table->partition);
	cfg.schedule_size = sizeof(*table->schedule);
	cfg.window_size = sizeof(*table->window);
	cfg.cpus = to_u64(table->cpus.word);
	cfg.partitions = to_u64(table->partition);
	cfg.schedules = to_u64(table->schedule);
	cfg.windows = to_u64(table->window);
	/* A kernel without budgets takes what has none */
	cfg.budget_size = cfg.nr_budgets ? sizeof(*table->budget) : 0;
	cfg.budgets = cfg.nr_budgets ? to_u64(table->budget) : 0;
	cfg.reason = to_u64(reason);
	cfg.reason_len = sizeof(reason);
	if (ioctl(fd, A653_IOC_LOAD, &cfg) < 0)
		return refused("cannot load", cfg.module, reason);
	return 0;
}

static void make_room(struct table *table)
{
	struct a653_config *cfg = &table->cfg;

	free(table->partition);
	free(table->schedule);
	free(table->window);
	free(table->budget);
	table->partition = xcalloc(cfg->nr_partitions,
				   sizeof(*table->partition));
	table->schedule = xcalloc(cfg->nr_schedules, sizeof(*table->schedule));
	table->window = xcalloc(cfg->nr_windows, sizeof(*table->window));
	table->budget = xcalloc(cfg->nr_budgets, sizeof(*table->budget));
	cfg->partitions = to_u64(table->partition);
	cfg->schedules = to_u64(table->schedule);
	cfg->windows = to_u64(table->window);
	/* These a kernel without budgets does not know */
	cfg->budget_size = cfg->nr_budgets ? sizeof(*table->budget) : 0;
	cfg->budgets = cfg->nr_budgets ? to_u64(table->budget) : 0;
}

/* What the kernel returned is used to index arrays: do not trust it blindly */
static bool table_consistent(const struct table *table)
{
	const struct a653_config *cfg = &table->cfg;
	__u64 nr = 0;

	for (__u32 i = 0; i < cfg->nr_schedules; i++)
		nr += table->schedule[i].nr_windows;
	for (__u32 i = 0; i < cfg->nr_windows; i++)
		if (table->window[i].partition >= cfg->nr_partitions)
			return false;
	for (__u32 i = 0; i < cfg->nr_budgets; i++)
		if (table->budget[i].partition >= cfg->nr_partitions)
			return false;
	return nr == cfg->nr_windows &&
	       cfg->nr_partitions <= A653_MAX_PARTITIONS;
}

/**
 * device_get - read back the configuration of a module
 * @fd: of /dev/a653
 * @module: its name
 * @table: the configuration; the caller frees it if this function returns 0
 *
 * Return: 0 or a negative errno.
 */
int device_get(int fd, const char *module, struct table *table)
{
	char reason[A653_REASON_LEN] = "";
	struct a653_config *cfg = &table->cfg;

	memset(table, 0, sizeof(*table));
	cfg->size = sizeof(*cfg);
	cfg->nr_cpu_words = CPU_WORDS;
	cfg->partition_size = sizeof(*table->partition);
	cfg->schedule_size = sizeof(*table->schedule);
	cfg->window_size = sizeof(*table->window);
	cfg->cpus = to_u64(table->cpus.word);
	cfg->reason = to_u64(reason);
	set_name(cfg->module, module);
	/* The first try learns the sizes; more if it is replaced meanwhile */
	cfg->reason_len = sizeof(reason);
	for (;;) {
		if (!ioctl(fd, A653_IOC_GET, cfg))
			break;
		if (errno != ENOSPC || cfg->nr_cpu_words > CPU_WORDS) {
			int err = refused("cannot read back", module, reason);

			/* cgroups were never looked up */
			table_free(table);
			return err;
		}
		make_room(table);
		cfg->nr_cpu_words = CPU_WORDS;
	}
	if (!table_consistent(table)) {
		complain("cannot read back %s: the kernel's answer makes no sense",
			 module);
		table_free(table);
		return -EPROTO;
	}
	table->cgroup = xcalloc(cfg->nr_partitions, sizeof(*table->cgroup));
	return 0;
}

static void init_request(struct a653_request *req, const char *module,
			 __u32 flags, char reason[static A653_REASON_LEN])
{
	memset(req, 0, sizeof(*req));
	req->size = sizeof(*req);
	req->flags = flags;
	set_name(req->module, module);
	req->reason = to_u64(reason);
	req->reason_len = A653_REASON_LEN;
}

int device_unload(int fd, const char *module, __u32 flags)
{
	char reason[A653_REASON_LEN] = "";
	struct a653_request req;

	init_request(&req, module, flags, reason);
	if (ioctl(fd, A653_IOC_UNLOAD, &req) < 0)
		return refused("cannot unload", module, reason);
	return 0;
}

int device_switch(int fd, const char *module, const char *schedule,
		  __u32 flags, __s64 at_ns)
{
	char reason[A653_REASON_LEN] = "";
	struct a653_request req;

	init_request(&req, module, flags, reason);
	req.at_ns = at_ns;
	if (strlen(schedule) >= sizeof(req.schedule)) {
		complain("%s has no schedule \"%s\"", module, schedule);
		return -ENOENT;
	}
	set_name(req.schedule, schedule);
	if (ioctl(fd, A653_IOC_SWITCH, &req) < 0)
		return refused("cannot switch", module, reason);
	return 0;
}

static void init_status(struct a653_status *status,
			char reason[static A653_REASON_LEN])
{
	memset(status, 0, sizeof(*status));
	status->size = sizeof(*status);
	status->stat_size = sizeof(struct a653_stat);
	status->reason = to_u64(reason);
	status->reason_len = A653_REASON_LEN;
}

/**
 * device_status - read the state of a module
 * @fd: of /dev/a653
 * @module: its name
 * @status: its state
 * @stats: what each partition got on each CPU, status->nr_stats elements that
 *	the caller frees; NULL if that is not wanted
 *
 * Return: 0 or a negative errno.
 */
int device_status(int fd, const char *module, struct a653_status *status,
		  struct a653_stat **stats)
{
	char reason[A653_REASON_LEN] = "";
	struct a653_stat *stat = NULL;
	__u32 room = 0;

	init_status(status, reason);
	set_name(status->module, module);
	/* The first try learns how many there are */
	for (;;) {
		bool ok;

		status->flags = 0;
		status->nr_stats = room;
		status->stats = to_u64(stat);
		ok = !ioctl(fd, A653_IOC_STATUS, status);
		if (!ok && errno != ENOSPC) {
			free(stat);
			return refused("cannot read the state of", module,
				       reason);
		}
		if (!stats)
			return 0;
		if (ok && status->nr_stats <= room)
			break;
		room = status->nr_stats;
		free(stat);
		stat = xcalloc(room, sizeof(*stat));
	}
	*stats = stat;
	return 0;
}

/**
 * device_wait - wait until no schedule is pending in a module
 * @fd: of /dev/a653
 * @module: its name
 *
 * Return: 0 or a negative errno.
 */
int device_wait(int fd, const char *module)
{
	const struct timespec ms = { .tv_nsec = NS_PER_MS };
	struct a653_status status;
	struct timespec until;
	int err;

	for (;;) {
		err = device_status(fd, module, &status, NULL);
		if (err)
			return err;
		if (!(status.flags & (A653_STATUS_PENDING | A653_STATUS_IDLE)))
			return 0;
		if (status.flags & A653_STATUS_PENDING &&
		    status.next_ns > status.now_ns) {
			until.tv_sec = status.next_ns / NS_PER_S;
			until.tv_nsec = status.next_ns % NS_PER_S;
			clock_nanosleep(status.clock, TIMER_ABSTIME, &until,
					NULL);
		}
		/* Some CPUs may still be on their way */
		nanosleep(&ms, NULL);
	}
}

/**
 * device_modules - which modules are loaded?
 * @fd: of /dev/a653
 * @names: their names; the caller frees the array
 *
 * Return: how many there are, or a negative errno.
 */
int device_modules(int fd, struct module_name **names)
{
	char reason[A653_REASON_LEN] = "";
	struct a653_status status;
	int nr = 0, err;

	*names = NULL;
	for (;;) {
		init_status(&status, reason);
		status.index = nr;
		if (ioctl(fd, A653_IOC_STATUS, &status) < 0 &&
		    errno != ENOSPC) {
			if (errno == ENOENT)
				return nr;
			err = refused("cannot list", "the modules", reason);
			free(*names);
			*names = NULL;
			return err;
		}
		*names = xgrow(*names, nr, sizeof(**names));
		set_name((*names)[nr++].text, status.module);
	}
}

static void complain_several(struct module_name *names, int nr)
{
	fputs("a653ctl: several modules are loaded, name one:", stderr);
	for (int i = 0; i < nr; i++)
		fprintf(stderr, " %s", names[i].text);
	fputc('\n', stderr);
}

/**
 * device_pick_module - the module that a user means
 * @fd: of /dev/a653
 * @name: what the user said; NULL: nothing, so there must be only one
 * @module: the module
 *
 * Return: true, or false after saying why not.
 */
bool device_pick_module(int fd, const char *name,
			char module[static A653_NAME_LEN])
{
	struct module_name *names;
	int nr = device_modules(fd, &names), found = -1;

	if (nr < 0)
		return false;
	for (int i = 0; i < nr; i++)
		if (!name || !strcmp(names[i].text, name))
			found = i;
	if (!nr && !name)
		complain("no module is loaded");
	else if (found < 0)
		complain("no module \"%s\" is loaded", name);
	else if (!name && nr > 1)
		complain_several(names, nr);
	else
		set_name(module, names[found].text);
	free(names);
	return found >= 0 && (name || nr == 1);
}

/**
 * parse_when - read an instant on a module's clock
 * @text: a time since the clock's zero, or "+" and a time from now on
 * @clock: the clock
 * @ns: the instant
 *
 * Return: NULL, or what is wrong with the text.
 */
const char *parse_when(const char *text, __u32 clock, __s64 *ns)
{
	struct timespec now = { };
	const char *wrong;
	__u64 time;

	wrong = parse_time(*text == '+' ? text + 1 : text, &time);
	if (wrong)
		return wrong;
	if (*text == '+')
		clock_gettime(clock, &now);
	if (__builtin_add_overflow(now.tv_sec * NS_PER_S + now.tv_nsec, time,
				   ns))
		return "is too late for the clock";
	return NULL;
}

/**
 * device_servers - read the state of all deferrable servers
 * @fd: of /dev/a653
 * @servers: their state; the caller frees it if this function returns 0
 *
 * Return: 0 or a negative errno; -ENOTTY, and nothing was said, if the kernel
 * has none.
 */
int device_servers(int fd, struct servers *servers)
{
	char reason[A653_REASON_LEN] = "";
	struct a653_servers req = {
		.size = sizeof(req),
		.server_size = sizeof(*servers->server),
		.cpu_size = sizeof(*servers->cpu),
		.reason = to_u64(reason),
		.reason_len = sizeof(reason),
	};
	__u32 room = 0, cpu_room = 0;

	memset(servers, 0, sizeof(*servers));
	/* The first try learns how many there are */
	for (;;) {
		bool ok = !ioctl(fd, A653_IOC_SERVERS, &req);

		if (!ok && errno != ENOSPC) {
			int err = -errno;

			if (err != -ENOTTY)
				refused("cannot read the state of",
					"the servers", reason);
			servers_free(servers);
			return err;
		}
		if (ok && req.nr_servers <= room && req.nr_cpus <= cpu_room)
			break;
		room = req.nr_servers;
		cpu_room = req.nr_cpus;
		servers_free(servers);
		servers->server = xcalloc(room, sizeof(*servers->server));
		servers->cpu = xcalloc(cpu_room, sizeof(*servers->cpu));
		req.servers = to_u64(servers->server);
		req.cpus = to_u64(servers->cpu);
	}
	servers->now_ns = req.now_ns;
	servers->nr = req.nr_servers;
	servers->nr_cpus = req.nr_cpus;
	for (__u32 i = 0; i < servers->nr; i++) {
		servers->server[i].name[A653_NAME_LEN - 1] = '\0';
		make_printable(servers->server[i].name);
	}
	return 0;
}
