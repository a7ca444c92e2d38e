/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SCHED_A653: what its parts share
 *
 *   a653.c		the scheduling class: queues, pick, windows of a CPU
 *   a653_plan.c	modules: loading, switching, unloading, /dev/a653
 *   a653_cgroup.c	the controller: which task belongs to which partition
 *   a653_frame.c	frame arithmetic and the rules of a configuration
 *
 * Objects, and who keeps them alive:
 *
 *   a653_part	 a partition: known by its name, alive while a cgroup is
 *		 bound to it or a module's configuration names it. It has its
 *		 queues since a module first named it.
 *   a653_plan	 one loaded configuration, immutable. Alive until another one
 *		 has replaced it on all CPUs of the module.
 *   a653_module a set of CPUs with one clock.
 *   a653_rq	 a CPU: the window that is open, and the timer of the next
 *		 boundary.
 *
 * Locks, outermost first:
 *
 *   cgroup_mutex -> cpus_read_lock -> a653_mutex -> p->pi_lock -> rq->lock
 *	-> module->lock
 *
 * a653_mutex covers what changes rarely: the lists of modules and partitions
 * and all binding. It is never held while waiting for a CPU to reach a
 * boundary, and never by a SCHED_A653 task (a653_locked()). The hot path takes
 * rq->lock alone; module->lock only at an instant at which a pending schedule may
 * take effect.
 */
#ifndef _KERNEL_SCHED_A653_H
#define _KERNEL_SCHED_A653_H

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "a653_frame.h"

extern struct mutex a653_mutex;

/**
 * struct a653_pcpu - a partition on one CPU, under that CPU's rq->lock
 * @bitmap: priorities (task_struct::prio, 0..MAX_RT_PRIO-1) with a task queued
 * @queue: the tasks of each priority, first come first; the running one too
 * @pushable: of them, those that wait and may run on another CPU
 * @nr_queued: tasks in @queue
 * @open: a window of the partition is open here: the tasks in @queue count in
 *	rq->nr_running
 * @top_prio: prio of the best task in @queue, MAX_RT_PRIO if there is none;
 *	read from other CPUs as a hint
 * @push_prio: prio of the best task in @pushable, likewise
 * @part: the partition
 * @stat: what it got here
 */
struct a653_pcpu {
	DECLARE_BITMAP(bitmap, MAX_RT_PRIO);
	struct list_head queue[MAX_RT_PRIO];
	struct plist_head pushable;
	unsigned int nr_queued;
	bool open;
	int top_prio;
	int push_prio;
	struct a653_part *part;
	struct a653_pcpu_stat {
		u64 opened;
		u64 missed;
		u64 run_ns;
		u64 open_ns;
		u64 slack_ns;
		u64 late_min_ns;
		u64 late_max_ns;
		u64 late_sum_ns;
	} stat;
};

/**
 * struct a653_part - a partition
 * @name: its name
 * @ref: bound cgroups and the module; under a653_mutex
 * @node: in the list of all partitions; under a653_mutex
 * @bound: a cgroup is bound to it (owner of the name); windows of an unbound
 *	partition are slack
 * @module: the module whose configuration names it, or NULL. Written under
 *	a653_mutex. Who reads it without takes it by smp_load_acquire(), and
 *	finds @pcpu and the module; inside RCU.
 * @pcpu: its queues, one for each possible CPU: a task may come to wait on a
 *	CPU on which the partition has no window. NULL until @module is set for
 *	the first time.
 * @cpus: where it has a window in some schedule of the configuration
 * @open_cpus: where a window of it is open
 * @push_cpus: where a task of it waits that may run on another CPU
 * @rcu: to free it
 */
struct a653_part {
	char name[A653_NAME_LEN];
	unsigned int ref;
	struct list_head node;
	bool bound;
	struct a653_module *module;
	struct a653_pcpu __percpu *pcpu;
	struct cpumask cpus;
	struct cpumask open_cpus;
	struct cpumask push_cpus;
	struct rcu_head rcu;
};

/**
 * struct a653_plan - a loaded configuration
 * @conf: as it was loaded; its arrays belong to the plan
 * @parts: the partitions, by their index in the configuration
 * @frames: the frame of each schedule on each CPU:
 *	frames[schedule * nr_cpu_ids + cpu], NULL for CPUs outside the module
 * @cpus: by partition, the CPUs on which it has a window in some schedule
 * @node: in the list of retired plans, once it has been replaced
 * @rcu: to free it
 */
struct a653_plan {
	struct a653_conf conf;
	struct a653_part **parts;
	struct a653_frame **frames;
	struct cpumask *cpus;
	struct list_head node;
	struct rcu_head rcu;
};

static inline struct a653_frame *
a653_plan_frame(const struct a653_plan *plan, unsigned int schedule, int cpu)
{
	return plan->frames[schedule * nr_cpu_ids + cpu];
}

/**
 * struct a653_epoch - a schedule in force from some instant on
 * @plan: the configuration; NULL: none, the module is being unloaded
 * @schedule: index of the schedule in it
 * @base_ns: start of a major frame
 * @from_ns: the boundary at which it takes effect
 */
struct a653_epoch {
	struct a653_plan *plan;
	unsigned int schedule;
	s64 base_ns;
	s64 from_ns;
};

/* How far a653_module::next has come, see a653_plan.c */
enum a653_next_state {
	A653_NEXT_NONE,
	A653_NEXT_ANNOUNCED,
	A653_NEXT_SPENT,
	A653_NEXT_COMMITTED,
};

/**
 * struct a653_ticket - what became of a schedule that somebody waits for
 * @result: -EINPROGRESS; 0 once it is in force on all CPUs; -ECANCELED when it
 *	was replaced before
 */
struct a653_ticket {
	int result;
};

/**
 * struct a653_module - a set of CPUs with one frame clock
 * @node: in the list of all modules; under a653_mutex
 * @name: its name
 * @clock: CLOCK_MONOTONIC or CLOCK_TAI
 * @cpus: its CPUs
 * @ref: the list, and who waits for it without a653_mutex
 * @going: it is being unloaded: no task may become SCHED_A653 in it
 * @lock: of all that follows. Taken by a CPU, under its rq->lock, only at an
 *	instant for which a schedule was announced to it.
 * @now: the schedule in force
 * @next: the schedule that is pending
 * @next_state: how far @next has come
 * @next_fixed: @next has its base from the configuration
 * @adopted: CPUs that went over to @next
 * @ticket: of who waits for @next, or NULL
 * @retired: plans that no CPU uses any more
 * @switched: how many schedules took effect
 * @dead: it was unloaded
 * @adopted_work: @next has become @now
 * @settle_work: to clean up after that
 * @wait: who waits for a change of the above
 * @rcu: to free it
 */
struct a653_module {
	struct list_head node;
	char name[A653_NAME_LEN];
	u32 clock;
	struct cpumask cpus;
	refcount_t ref;
	bool going;

	raw_spinlock_t lock;
	struct a653_epoch now;
	struct a653_epoch next;
	enum a653_next_state next_state;
	bool next_fixed;
	struct cpumask adopted;
	struct a653_ticket *ticket;
	struct list_head retired;
	u64 switched;
	bool dead;
	struct irq_work adopted_work;
	struct work_struct settle_work;
	wait_queue_head_t wait;
	struct rcu_head rcu;
};

bool a653_module_consult(struct a653_module *mod, int cpu, s64 at_ns,
			 struct a653_epoch *epoch);

/**
 * struct a653_change - an epoch that is asked for
 * @plan: the configuration
 * @schedule: index of the schedule in it
 * @fixed: its major frames start at @base_ns + k * major frame; otherwise it
 *	takes effect at a major-frame boundary of the schedule in force
 * @base_ns: see @fixed
 * @after_ns: not before
 */
struct a653_change {
	struct a653_plan *plan;
	unsigned int schedule;
	bool fixed;
	s64 base_ns;
	s64 after_ns;
};

/* The steps of a change, see a653_plan.c; and the requests. For the tests. */
struct a653_module *a653_module_alloc(const char *name, u32 clock,
				      const struct cpumask *cpus);
void a653_module_free(struct a653_module *mod);
void a653_next_announce(struct a653_module *mod, const struct a653_epoch *next);
bool a653_next_commit(struct a653_module *mod, struct a653_ticket *ticket);
bool a653_next_withdraw(struct a653_module *mod, struct a653_epoch *old);
s64 a653_change_start(const struct a653_epoch *now, const struct a653_change *ch,
		      s64 earliest_ns);
int a653_test_load(const struct a653_conf *conf, char *reason);
int a653_test_switch(const struct a653_request *req, char *reason);
int a653_test_unload(const struct a653_request *req, char *reason);

/*
 * a653.c, on the CPU concerned, as smp_call_func_t. Start: the CPU belongs to
 * the module, with no schedule yet. Announce: it will consult the module at
 * *at_ns (which replaces an earlier announcement), even if that is in the
 * middle of a window. Stop: it closes its window and belongs to no module.
 */
void a653_rq_start(void *module);
void a653_rq_announce(void *at_ns);
void a653_rq_stop(void *unused);

/* Some module is loaded: the class is in use. Inside cpus_read_lock(). */
void a653_class_get(void);
void a653_class_put(void);
/* Tasks that wait on a CPU, in closed partitions too */
bool a653_cpu_has_tasks(int cpu);

int a653_part_alloc_queues(struct a653_part *part);
void a653_part_free_queues(struct a653_part *part);
void a653_pcpu_read(struct a653_part *part, int cpu,
		    struct a653_pcpu_stat *stat, bool *open,
		    unsigned int *nr_queued);
s64 a653_clock(u32 clock);
int a653_part_admits(const struct a653_part *part, const struct cpumask *mask);

int a653_locked(int (*fn)(void *arg), void *arg);
bool a653_demote(struct task_struct *p);
void a653_wait_verdict(const struct a653_part *part);

/* Partitions, a653_mutex held: */
struct a653_part *a653_part_find(const char *name);
struct a653_part *a653_part_get(const char *name);
void a653_part_put(struct a653_part *part);

/*
 * Put @p into @part, or into none: the task keeps its place if that is where
 * it is. A SCHED_A653 task that could not run there becomes SCHED_OTHER.
 * Process context, may sleep.
 */
void a653_task_move(struct task_struct *p, struct a653_part *part);

#endif /* _KERNEL_SCHED_A653_H */
