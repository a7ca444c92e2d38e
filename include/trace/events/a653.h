/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of SCHED_A653
 *
 * Times are in nanoseconds of the module's clock. "sched" is when the frame
 * table wants a thing to happen, "now" is when the CPU came to it; with
 * trace_clock=mono (for CLOCK_MONOTONIC modules) both compare with the
 * timestamps of all events.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM a653

#if !defined(_TRACE_A653_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_A653_H

#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <uapi/linux/sched_a653.h>

/**
 * a653_window_open - a partition's window opens on this CPU
 * @partition: name of the partition
 * @sched: scheduled start of the window
 * @end: scheduled end of the window
 * @now: the clock when it opened
 * @strict: nothing else runs in it
 * @queued: tasks of the partition that are ready on this CPU
 */
TRACE_EVENT(a653_window_open,

	TP_PROTO(const char *partition, s64 sched, s64 end, s64 now,
		 bool strict, unsigned int queued),

	TP_ARGS(partition, sched, end, now, strict, queued),

	TP_STRUCT__entry(
		__array(char,		partition, A653_NAME_LEN)
		__field(s64,		sched)
		__field(s64,		end)
		__field(s64,		now)
		__field(unsigned int,	queued)
		__field(bool,		strict)
	),

	TP_fast_assign(
		memcpy(__entry->partition, partition, A653_NAME_LEN);
		__entry->sched	= sched;
		__entry->end	= end;
		__entry->now	= now;
		__entry->queued	= queued;
		__entry->strict	= strict;
	),

	TP_printk("partition=%s sched=%lld end=%lld now=%lld strict=%d queued=%u",
		  __entry->partition, __entry->sched, __entry->end,
		  __entry->now, __entry->strict, __entry->queued)
);

/**
 * a653_window_close - a partition's window closes on this CPU
 * @partition: name of the partition
 * @sched: scheduled end of the window
 * @now: the clock when it closed
 * @run: for how long the partition's tasks ran in it
 */
TRACE_EVENT(a653_window_close,

	TP_PROTO(const char *partition, s64 sched, s64 now, u64 run),

	TP_ARGS(partition, sched, now, run),

	TP_STRUCT__entry(
		__array(char,		partition, A653_NAME_LEN)
		__field(s64,		sched)
		__field(s64,		now)
		__field(u64,		run)
	),

	TP_fast_assign(
		memcpy(__entry->partition, partition, A653_NAME_LEN);
		__entry->sched	= sched;
		__entry->now	= now;
		__entry->run	= run;
	),

	TP_printk("partition=%s sched=%lld now=%lld run=%llu",
		  __entry->partition, __entry->sched, __entry->now,
		  __entry->run)
);

/**
 * a653_missed - this CPU came too late to open some windows at all
 * @from: scheduled end of the last segment that it did see
 * @now: the clock when it went on
 * @windows: how many windows it did not open
 */
TRACE_EVENT(a653_missed,

	TP_PROTO(s64 from, s64 now, u64 windows),

	TP_ARGS(from, now, windows),

	TP_STRUCT__entry(
		__field(s64,		from)
		__field(s64,		now)
		__field(u64,		windows)
	),

	TP_fast_assign(
		__entry->from		= from;
		__entry->now		= now;
		__entry->windows	= windows;
	),

	TP_printk("from=%lld now=%lld windows=%llu",
		  __entry->from, __entry->now, __entry->windows)
);

/**
 * a653_schedule_switch - this CPU goes over to another schedule
 * @module: name of the module
 * @schedule: name of the schedule; empty when the module is unloaded
 * @sched: the boundary at which all CPUs of the module go over
 * @now: the clock when this one did
 */
TRACE_EVENT(a653_schedule_switch,

	TP_PROTO(const char *module, const char *schedule, s64 sched, s64 now),

	TP_ARGS(module, schedule, sched, now),

	TP_STRUCT__entry(
		__array(char,		module, A653_NAME_LEN)
		__array(char,		schedule, A653_NAME_LEN)
		__field(s64,		sched)
		__field(s64,		now)
	),

	TP_fast_assign(
		memcpy(__entry->module, module, A653_NAME_LEN);
		memcpy(__entry->schedule, schedule, A653_NAME_LEN);
		__entry->sched	= sched;
		__entry->now	= now;
	),

	TP_printk("module=%s schedule=%s sched=%lld now=%lld",
		  __entry->module, __entry->schedule, __entry->sched,
		  __entry->now)
);

/**
 * a653_wakeup_closed - a task woke up where its partition has no open window
 * @p: the task; it waits in its partition's queue
 * @partition: name of the partition
 * @cpu: on which CPU
 */
TRACE_EVENT(a653_wakeup_closed,

	TP_PROTO(struct task_struct *p, const char *partition, int cpu),

	TP_ARGS(p, partition, cpu),

	TP_STRUCT__entry(
		__array(char,		comm, TASK_COMM_LEN)
		__array(char,		partition, A653_NAME_LEN)
		__field(pid_t,		pid)
		__field(int,		prio)
		__field(int,		target_cpu)
	),

	TP_fast_assign(
		memcpy(__entry->comm, p->comm, TASK_COMM_LEN);
		memcpy(__entry->partition, partition, A653_NAME_LEN);
		__entry->pid		= p->pid;
		__entry->prio		= p->prio;
		__entry->target_cpu	= cpu;
	),

	TP_printk("comm=%s pid=%d prio=%d partition=%s target_cpu=%d",
		  __entry->comm, __entry->pid, __entry->prio,
		  __entry->partition, __entry->target_cpu)
);

/*
 * Deferrable servers. A server is that of a @partition on the CPU @server_cpu, @pid
 * being 0; or the SCHED_RTDS thread @pid on that CPU, @partition being empty. The
 * clock is CLOCK_MONOTONIC. Where a change of the server is told, it is as it is
 * after that.
 */
DECLARE_EVENT_CLASS(a653_server,

	TP_PROTO(const char *partition, pid_t pid, int server_cpu, s64 now, u64 ran,
		 u32 level, s64 deadline, u64 left),

	TP_ARGS(partition, pid, server_cpu, now, ran, level, deadline, left),

	TP_STRUCT__entry(
		__array(char,		partition, A653_NAME_LEN)
		__field(s64,		now)
		__field(u64,		ran)
		__field(s64,		deadline)
		__field(u64,		left)
		__field(pid_t,		pid)
		__field(int,		server_cpu)
		__field(u32,		level)
	),

	TP_fast_assign(
		memcpy(__entry->partition, partition, A653_NAME_LEN);
		__entry->now		= now;
		__entry->ran		= ran;
		__entry->deadline	= deadline;
		__entry->left		= left;
		__entry->pid		= pid;
		__entry->server_cpu	= server_cpu;
		__entry->level		= level;
	),

	TP_printk("partition=%s pid=%d server_cpu=%d now=%lld ran=%llu level=%u deadline=%lld left=%llu",
		  __entry->partition, __entry->pid, __entry->server_cpu,
		  __entry->now, __entry->ran, __entry->level,
		  __entry->deadline, __entry->left)
);

#define A653_SERVER_EVENT(name)							\
	DEFINE_EVENT(a653_server, name,						\
		TP_PROTO(const char *partition, pid_t pid, int server_cpu,	\
			 s64 now, u64 ran, u32 level, s64 deadline, u64 left),	\
		TP_ARGS(partition, pid, server_cpu, now, ran, level, deadline, left))

/* A period began: the budget is full, the deadline is the end of the period */
A653_SERVER_EVENT(a653_replenish);

/* The budget is used up, and the server waits for the next period */
A653_SERVER_EVENT(a653_deplete);

/* The server goes on at another level: late, or extratime */
A653_SERVER_EVENT(a653_level);

/* The server was charged for @ran */
A653_SERVER_EVENT(a653_burn);

/* This CPU runs the server from now on, at its cost */
A653_SERVER_EVENT(a653_pick);

/**
 * a653_tickle - a CPU is told that a thread waits that it should run
 * @pid: the SCHED_RTDS thread
 * @server_cpu: where it waits
 * @target_cpu: the CPU
 */
TRACE_EVENT(a653_tickle,

	TP_PROTO(pid_t pid, int server_cpu, int target_cpu),

	TP_ARGS(pid, server_cpu, target_cpu),

	TP_STRUCT__entry(
		__field(pid_t,		pid)
		__field(int,		server_cpu)
		__field(int,		target_cpu)
	),

	TP_fast_assign(
		__entry->pid		= pid;
		__entry->server_cpu	= server_cpu;
		__entry->target_cpu	= target_cpu;
	),

	TP_printk("pid=%d server_cpu=%d target_cpu=%d",
		  __entry->pid, __entry->server_cpu, __entry->target_cpu)
);

#endif /* _TRACE_A653_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
