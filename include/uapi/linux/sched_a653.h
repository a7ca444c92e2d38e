/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * SCHED_A653: time windows for cgroup partitions; SCHED_RTDS: deferrable servers
 *
 * The whole ABI besides the cgroup files a653.* and the tracepoints: the
 * scheduling policy and the ioctls of /dev/a653.
 *
 * All times are in nanoseconds. Every structure that user space hands over
 * begins with its size, and every array comes with the size of its elements.
 * A kernel that knows a longer structure takes what is missing as zero; a
 * kernel that knows a shorter one accepts the rest only if it is zero (E2BIG
 * otherwise). Flags and padding that are not defined must be zero (EINVAL).
 *
 * A refused request tells why: errno says of which kind the error is, and the
 * buffer at @reason, if the caller gave one, holds a sentence.
 */
#ifndef _UAPI_LINUX_SCHED_A653_H
#define _UAPI_LINUX_SCHED_A653_H

#include <linux/const.h>
#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Scheduling policy: a process of a partition. The windows and the budgets of the
 * partition decide when it may run, sched_priority (1..99) in which order.
 */
#define SCHED_A653			16
/*
 * Scheduling policy: a thread that is its own deferrable server. It may run for
 * sched_runtime in each sched_period; with SCHED_FLAG_RECLAIM also longer, in
 * time that nobody claims (extratime). sched_deadline is 0 or sched_period.
 */
#define SCHED_RTDS			17

/* Names of modules, partitions and schedules: [A-Za-z0-9_.-], with the NUL */
#define A653_NAME_LEN			32
/* No sentence that the kernel writes to @reason is longer, NUL included */
#define A653_REASON_LEN			256

#define A653_MAX_PARTITIONS		256	/* in a module */
#define A653_MAX_SCHEDULES		16	/* in a module */
#define A653_MAX_WINDOWS		512	/* on a CPU, in a major frame */
#define A653_MAX_CPU_WORDS		1024	/* of a CPU mask */
#define A653_MIN_WINDOW_NS		100000ULL
/* Longest major frame: an hour */
#define A653_MAX_MAJOR_FRAME_NS		3600000000000ULL

/**
 * struct a653_partition - a partition of a module
 * @name: what cgroups write to a653.partition; unique on the machine
 * @period_ns: with @duration_ns, what the partition is entitled to; 0: nothing
 *	is declared. Divides the major frame of each schedule in which the
 *	partition has a window.
 * @duration_ns: in each period, counted from the start of the major frame, at
 *	least one of the partition's windows is open for this long in sum
 * @flags: none yet
 * @reserved: zero
 */
struct a653_partition {
	char		name[A653_NAME_LEN];
	__aligned_u64	period_ns;
	__aligned_u64	duration_ns;
	__u32		flags;
	__u32		reserved;
};

/* At any instant at most one partition has open windows in the module */
#define A653_SCHEDULE_EXCLUSIVE		_BITUL(0)

/**
 * struct a653_schedule - a module schedule: one frame table for each CPU
 * @name: unique in the module
 * @major_frame_ns: length of the frame that repeats
 * @flags: A653_SCHEDULE_*
 * @nr_windows: its windows are the next @nr_windows of the windows array,
 *	after those of the schedules before it
 */
struct a653_schedule {
	char		name[A653_NAME_LEN];
	__aligned_u64	major_frame_ns;
	__u32		flags;
	__u32		nr_windows;
};

/* Nothing else than the partition runs: time it does not use stays idle */
#define A653_WINDOW_STRICT		_BITUL(0)

/**
 * struct a653_window - a window of one partition on one CPU
 * @offset_ns: start, from the start of the major frame
 * @duration_ns: at least A653_MIN_WINDOW_NS; ends within the major frame
 * @cpu: a CPU of the module
 * @partition: index in the partitions array
 * @flags: A653_WINDOW_*
 * @reserved: zero
 */
struct a653_window {
	__aligned_u64	offset_ns;
	__aligned_u64	duration_ns;
	__u32		cpu;
	__u32		partition;
	__u32		flags;
	__u32		reserved;
};

/* With its budget gone it goes on in time that nobody claims */
#define A653_BUDGET_EXTRATIME		_BITUL(0)

/**
 * struct a653_budget - a deferrable server of a partition on one CPU
 * @budget_ns: the partition may run for so long in each period, besides its
 *	windows; 10 us to @period_ns
 * @period_ns: 100 us to 4 s
 * @partition: index in the partitions array
 * @cpu: a CPU of the module
 * @flags: A653_BUDGET_*
 * @reserved: zero
 *
 * All budgets of a partition are equal but for the CPU.
 */
struct a653_budget {
	__aligned_u64	budget_ns;
	__aligned_u64	period_ns;
	__u32		partition;
	__u32		cpu;
	__u32		flags;
	__u32		reserved;
};

/* @base_ns is given; without it the kernel takes the next possible instant */
#define A653_CONFIG_BASE		_BITUL(0)
/* Return only when the schedule is in force (or after a signal: EINTR) */
#define A653_CONFIG_WAIT		_BITUL(1)
/* Check only: everything that would refuse a load refuses it, nothing changes */
#define A653_CONFIG_DRY_RUN		_BITUL(2)

/**
 * struct a653_config - a module with its partitions, schedules and windows
 * @size: of this structure
 * @flags: A653_CONFIG_*
 * @module: name of the module; a module that is loaded is replaced, with the
 *	same CPUs and the same clock
 * @clock: CLOCK_MONOTONIC or CLOCK_TAI
 * @initial: index of the schedule to start with
 * @base_ns: with A653_CONFIG_BASE, an instant at which a major frame starts:
 *	the schedule takes effect at the first base_ns + k * major_frame_ns,
 *	k >= 0, that can still be reached. Without, a first load takes effect
 *	at once, and a replaced one at its next major-frame boundary.
 * @nr_partitions: elements at @partitions
 * @nr_schedules: elements at @schedules
 * @nr_windows: elements at @windows
 * @nr_cpu_words: 64-bit words at @cpus
 * @partition_size: sizeof(struct a653_partition)
 * @schedule_size: sizeof(struct a653_schedule)
 * @window_size: sizeof(struct a653_window)
 * @reason_len: size of the buffer at @reason
 * @cpus: the CPUs of the module, as a bit mask: CPU n is bit n % 64 of
 *	word n / 64
 * @partitions: array of struct a653_partition
 * @schedules: array of struct a653_schedule
 * @windows: array of struct a653_window
 * @reason: where a refusal is explained
 * @budgets: array of struct a653_budget. A load sets the budgets of the module's
 *	partitions to these; others end.
 * @nr_budgets: elements at @budgets
 * @budget_size: sizeof(struct a653_budget); may be 0 with @nr_budgets 0
 *
 * A653_IOC_LOAD reads it. A653_IOC_GET fills it: the caller sets the module's
 * name and, in nr_*, how many elements there is room for; the kernel stores
 * how many there are, and fails with ENOSPC if one array was too small. What
 * A653_IOC_GET returned can be given to A653_IOC_LOAD as it is.
 */
struct a653_config {
	__u32		size;
	__u32		flags;
	char		module[A653_NAME_LEN];
	__u32		clock;
	__u32		initial;
	__aligned_s64	base_ns;
	__u32		nr_partitions;
	__u32		nr_schedules;
	__u32		nr_windows;
	__u32		nr_cpu_words;
	__u32		partition_size;
	__u32		schedule_size;
	__u32		window_size;
	__u32		reason_len;
	__aligned_u64	cpus;
	__aligned_u64	partitions;
	__aligned_u64	schedules;
	__aligned_u64	windows;
	__aligned_u64	reason;
	__aligned_u64	budgets;
	__u32		nr_budgets;
	__u32		budget_size;
};

/* A653_IOC_UNLOAD: tasks that still are SCHED_A653 become SCHED_OTHER */
#define A653_REQUEST_FORCE		_BITUL(0)
/* A653_IOC_SWITCH: not before @at_ns */
#define A653_REQUEST_AT			_BITUL(1)
/* A653_IOC_SWITCH: return only when it has taken effect */
#define A653_REQUEST_WAIT		_BITUL(2)

/**
 * struct a653_request - switch a module's schedule, or unload the module
 * @size: of this structure
 * @flags: A653_REQUEST_*
 * @module: name of the module
 * @schedule: A653_IOC_SWITCH: name of the schedule to switch to, at the next
 *	major-frame boundary of the one in force
 * @at_ns: with A653_REQUEST_AT: the first major-frame boundary at or after it
 * @reason_len: size of the buffer at @reason
 * @reserved: zero
 * @reason: where a refusal is explained
 */
struct a653_request {
	__u32		size;
	__u32		flags;
	char		module[A653_NAME_LEN];
	char		schedule[A653_NAME_LEN];
	__aligned_s64	at_ns;
	__u32		reason_len;
	__u32		reserved;
	__aligned_u64	reason;
};

/* The partition's window is open on this CPU */
#define A653_STAT_OPEN			_BITUL(0)

/**
 * struct a653_stat - what a partition got on one CPU since it is in its module
 * @partition: index of the partition
 * @cpu: number of the CPU
 * @flags: A653_STAT_*
 * @nr_queued: its SCHED_A653 tasks that are ready here
 * @opened: windows opened
 * @missed: windows of which nothing was left when the CPU came to them
 * @run_ns: time its tasks ran
 * @open_ns: time its windows were open
 * @slack_ns: time of its open windows that it left to others
 * @late_min_ns: lateness of the opening, after the window's scheduled start
 * @late_max_ns: the same, largest
 * @late_sum_ns: the same, sum over @opened
 */
struct a653_stat {
	__u32		partition;
	__u32		cpu;
	__u32		flags;
	__u32		nr_queued;
	__aligned_u64	opened;
	__aligned_u64	missed;
	__aligned_u64	run_ns;
	__aligned_u64	open_ns;
	__aligned_u64	slack_ns;
	__aligned_u64	late_min_ns;
	__aligned_u64	late_max_ns;
	__aligned_u64	late_sum_ns;
};

/* A schedule waits for its time: @next and @next_ns are valid */
#define A653_STATUS_PENDING		_BITUL(0)
/* A first load whose base time has not come: @schedule is not in force yet */
#define A653_STATUS_IDLE		_BITUL(1)
/*
 * @next is an index in another configuration than @schedule: in one that was
 * loaded but is not in force yet
 */
#define A653_STATUS_RELOAD		_BITUL(2)

/**
 * struct a653_status - the state of a module
 * @size: of this structure
 * @flags: A653_STATUS_*, set by the kernel
 * @index: with an empty @module, the module to report: 0, 1, ... until ENOENT
 * @clock: CLOCK_MONOTONIC or CLOCK_TAI
 * @module: name of the module; empty: use @index; filled in
 * @now_ns: the module's clock
 * @base_ns: start of a major frame of the schedule in force
 * @next_ns: when the pending schedule takes effect
 * @schedule: index of the schedule in force
 * @next: index of the pending schedule; see A653_STATUS_RELOAD
 * @nr_partitions: of the configuration in force
 * @nr_schedules: the same
 * @nr_cpus: of the module
 * @nr_tasks: SCHED_A653 tasks in the module's partitions, asleep ones too
 * @switched: schedules that took effect, the first one included
 * @nr_stats: elements at @stats; in: how many there is room for, out: how many
 *	there are (nr_partitions * nr_cpus); ENOSPC if there was too little room
 * @stat_size: sizeof(struct a653_stat)
 * @stats: array of struct a653_stat; may be 0 with @nr_stats 0
 * @reason_len: size of the buffer at @reason
 * @reserved: zero
 * @reason: where a refusal is explained
 */
struct a653_status {
	__u32		size;
	__u32		flags;
	__u32		index;
	__u32		clock;
	char		module[A653_NAME_LEN];
	__aligned_s64	now_ns;
	__aligned_s64	base_ns;
	__aligned_s64	next_ns;
	__u32		schedule;
	__u32		next;
	__u32		nr_partitions;
	__u32		nr_schedules;
	__u32		nr_cpus;
	__u32		nr_tasks;
	__aligned_u64	switched;
	__u32		nr_stats;
	__u32		stat_size;
	__aligned_u64	stats;
	__u32		reason_len;
	__u32		reserved;
	__aligned_u64	reason;
};

/* It has something to run */
#define A653_SERVER_READY		_BITUL(0)
/* It is what its CPU runs */
#define A653_SERVER_RUNNING		_BITUL(1)
/* A653_BUDGET_EXTRATIME, or SCHED_FLAG_RECLAIM */
#define A653_SERVER_EXTRATIME		_BITUL(2)

/**
 * struct a653_server_stat - the state of a deferrable server
 * @name: of the partition, or of the thread
 * @pid: of the SCHED_RTDS thread, as the caller knows it; 0: a partition's server
 * @cpu: whose server it is, or where the thread is
 * @flags: A653_SERVER_*
 * @level: 0: on what it was promised; 1: on what it kept until too late to be
 *	promised; above: extratime
 * @budget_ns: in each period
 * @period_ns: length of a period
 * @left_ns: what is left for this period
 * @deadline_ns: end of this period, CLOCK_MONOTONIC
 * @run_ns: what it ran
 * @extra_ns: of that, extratime
 * @replenished: how often it got its budget
 * @depleted: how often it used it up
 */
struct a653_server_stat {
	char		name[A653_NAME_LEN];
	__u32		pid;
	__u32		cpu;
	__u32		flags;
	__u32		level;
	__aligned_u64	budget_ns;
	__aligned_u64	period_ns;
	__aligned_u64	left_ns;
	__aligned_s64	deadline_ns;
	__aligned_u64	run_ns;
	__aligned_u64	extra_ns;
	__aligned_u64	replenished;
	__aligned_u64	depleted;
};

/**
 * struct a653_cpu_stat - what a CPU has to give to servers
 * @cpu: its number
 * @flags: none yet
 * @major_ns: major frame of its table; 4 s if it has none
 * @free_ns: time that is free of windows in it
 * @util: utilisation of the servers that belong to this CPU, in 2^-32 of it
 * @global_util: the same, of the threads that may also run on other CPUs
 * @shortest_ns: shortest period among the former; 0: there are none
 * @picked: how often it took up a server
 * @due_timers: how often its timer of replenishments fired
 * @due_idle: of these, how often nothing was due
 * @budget_timers: how often the timer that enforces budgets fired
 */
struct a653_cpu_stat {
	__u32		cpu;
	__u32		flags;
	__aligned_u64	major_ns;
	__aligned_u64	free_ns;
	__aligned_u64	util;
	__aligned_u64	global_util;
	__aligned_u64	shortest_ns;
	__aligned_u64	picked;
	__aligned_u64	due_timers;
	__aligned_u64	due_idle;
	__aligned_u64	budget_timers;
};

/**
 * struct a653_servers - all deferrable servers, and the CPUs
 * @size: of this structure
 * @flags: none yet
 * @now_ns: CLOCK_MONOTONIC
 * @nr_servers: elements at @servers; in: how many there is room for, out: how many
 *	there are; ENOSPC if there was too little room
 * @server_size: sizeof(struct a653_server_stat)
 * @nr_cpus: elements at @cpus, likewise
 * @cpu_size: sizeof(struct a653_cpu_stat)
 * @servers: array of struct a653_server_stat; may be 0 with @nr_servers 0
 * @cpus: array of struct a653_cpu_stat; may be 0 with @nr_cpus 0
 * @reason_len: size of the buffer at @reason
 * @reserved: zero
 * @reason: where a refusal is explained
 */
struct a653_servers {
	__u32		size;
	__u32		flags;
	__aligned_s64	now_ns;
	__u32		nr_servers;
	__u32		server_size;
	__u32		nr_cpus;
	__u32		cpu_size;
	__aligned_u64	servers;
	__aligned_u64	cpus;
	__u32		reason_len;
	__u32		reserved;
	__aligned_u64	reason;
};

/* The structures carry their own size, so the numbers do not */
#define A653_IOC_MAGIC			0xA6
#define A653_IOC(nr)	_IOC(_IOC_READ | _IOC_WRITE, A653_IOC_MAGIC, (nr), 0)

#define A653_IOC_LOAD			A653_IOC(0)	/* struct a653_config */
#define A653_IOC_GET			A653_IOC(1)	/* struct a653_config */
#define A653_IOC_UNLOAD			A653_IOC(2)	/* struct a653_request */
#define A653_IOC_SWITCH			A653_IOC(3)	/* struct a653_request */
#define A653_IOC_STATUS			A653_IOC(4)	/* struct a653_status */
#define A653_IOC_SERVERS		A653_IOC(5)	/* struct a653_servers */

#endif /* _UAPI_LINUX_SCHED_A653_H */
