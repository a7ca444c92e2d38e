/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SCHED_A653 and SCHED_RTDS: what their parts share
 *
 *   a653.c		the scheduling class: queues, pick, windows of a CPU
 *   rtds.c		the servers of a CPU: their order, budgets, timers
 *   rtds_admit.c	what was promised to whom; parameters of SCHED_RTDS threads
 *   rtds_plan.c	the budgets of partitions
 *   rtds_server.c	the arithmetic of a server, and whether servers fit
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
 *   a653_rq	 a CPU: the window that is open, the timer of the next boundary,
 *		 and the servers that have something to run.
 *   rtds_entity a deferrable server: of a partition on one CPU, in its queues
 *		 there; or of a SCHED_RTDS thread, until the thread is freed.
 *
 * Locks, outermost first:
 *
 *   cgroup_mutex -> cpus_read_lock -> a653_mutex -> p->pi_lock -> rq->lock
 *	-> module->lock, rtds_lock (in rtds_admit.c)
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
#include <linux/jump_label.h>
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
#include "rtds_server.h"

struct rq;
struct seq_file;

extern struct mutex a653_mutex;

/**
 * struct rtds_grant - what was promised to a server, under rtds_lock
 * @node: in the list of its CPU, or of its group
 * @par: its parameters; no budget: nothing
 * @util: its utilisation
 * @cpu: without a @group: the CPU to which it belongs
 * @group: the threads that may use the same CPUs, see rtds_admit.c
 */
struct rtds_grant {
	struct list_head node;
	struct rtds_params par;
	u64 util;
	int cpu;
	struct rtds_group *group;
};

/**
 * struct rtds_entity - a deferrable server, under the lock of its CPU's rq
 * @s: what it is
 * @task: the SCHED_RTDS thread whose server it is, or NULL
 * @pc: the partition whose server it is, or NULL
 * @queued: it has something to run: it is in the tree of deadlines
 * @ready: and may run: it is in the tree of those, too, under @key
 * @running: it is a thread that has the CPU: nobody may pull it
 * @key: rtds_key() when it was put there
 * @ready_node: in rtds_rq::ready
 * @due_node: in rtds_rq::due, or with @bound in rtds_rq::due_bound
 * @bound: it can run nowhere else
 * @push_node: in rtds_rq::push, if not empty: a thread that waits and may run on
 *	another CPU
 * @renewed: the next one that got its budget at the same time
 * @grant: what was promised to it
 * @stat: what it got
 */
struct rtds_entity {
	struct rtds_server s;
	struct task_struct *task;
	struct a653_pcpu *pc;
	bool queued;
	bool ready;
	bool running;
	bool bound;
	u64 key;
	struct rb_node ready_node;
	struct rb_node due_node;
	struct rb_node push_node;
	struct rtds_entity *renewed;
	struct rtds_grant grant;
	struct rtds_stat {
		u64 run_ns;
		u64 extra_ns;
		u64 replenished;
		u64 depleted;
	} stat;
};

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
 * @server: its server here; without a budget it has none
 * @server_node: with one, in a653_rq::servers (RCU)
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
	struct rtds_entity server;
	struct list_head server_node;
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

/* May its tasks be picked? Then they are in rq->nr_running. */
static inline bool a653_supplied(const struct a653_pcpu *pc)
{
	return pc->open || pc->server.ready;
}

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
 * @cpus: where it has a window in some schedule of the configuration, or a server
 * @server_cpus: where it has a server
 * @par: the parameters of its servers; under a653_mutex
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
	struct cpumask server_cpus;
	struct rtds_params par;
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
 * @supplies: what each of these frames leaves free, likewise
 * @all_cpus: the CPUs of the module
 * @cpus: by partition, the CPUs on which it has a window in some schedule, or a
 *	server
 * @node: in the list of retired plans, once it has been replaced
 * @rcu: to free it
 */
struct a653_plan {
	struct a653_conf conf;
	struct a653_part **parts;
	struct a653_frame **frames;
	struct rtds_supply **supplies;
	struct cpumask *all_cpus;
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
 * @budgets_of: the plan whose budgets the partitions have; under a653_mutex
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
	const struct a653_plan *budgets_of;

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

/**
 * struct rtds_rq - the servers of a CPU, under its rq->lock
 * @ready: those that have something to run and may run, by key
 * @due: those that have something to run, by deadline: threads that may go elsewhere
 * @due_bound: and the others
 * @push: the threads among the ready ones that wait and may run elsewhere, by key
 * @serving: whose budget pays for what runs, or NULL
 * @from_ns: since when it was not charged
 * @cpu_key: key of what the CPU runs, or is about to: RTDS_KEY_FIRST in a window
 *	that is used, RTDS_KEY_NONE for lower classes, RTDS_KEY_EXTRA for them while
 *	there is no extratime. Others read it as a hint.
 * @push_key: key of the first in @push, likewise
 * @claim_key: key of the thread that it was told of, until @work runs; else
 *	RTDS_KEY_NONE. Without the lock.
 * @due_timer: fires at the first deadline in @due, or, unless a window takes the CPU,
 *	in @due_bound
 * @due_ns: when, S64_MAX if it is not armed
 * @budget_timer: fires when @serving has used up what it has at its level
 * @budget_at_ns: when, S64_MAX if it is not armed
 * @owed_ns: what extratime owes to the lower classes
 * @barred: it pays: no extratime before that is 0
 * @owed_at_ns: since when that was not counted; 0: there is nothing to count
 * @low: the lower classes have the CPU
 * @work: somebody has a thread for this CPU, or changed what @due_timer is for
 * @picked: how often another server was taken up
 * @due_fired: how often @due_timer fired
 * @due_idle: of these, how often nothing was due
 * @budget_fired: how often @budget_timer fired
 */
struct rtds_rq {
	struct rb_root_cached ready;
	struct rb_root_cached due;
	struct rb_root_cached due_bound;
	struct rb_root_cached push;
	struct rtds_entity *serving;
	s64 from_ns;
	u64 cpu_key;
	u64 push_key;
	u64 claim_key;
	struct hrtimer due_timer;
	s64 due_ns;
	struct hrtimer budget_timer;
	s64 budget_at_ns;
	u64 owed_ns;
	s64 owed_at_ns;
	bool barred;
	bool low;
	struct irq_work work;
	u64 picked;
	u64 due_fired;
	u64 due_idle;
	u64 budget_fired;
};

/**
 * struct a653_rq - a CPU
 * @timer: fires at the next boundary
 * @module: whose CPU it is, or NULL
 * @plan: of the schedule in force, NULL before the first one
 * @frame: its table for this CPU
 * @pos: which segment of the frame it is in
 * @consult_ns: the instant at which it asks the module for another schedule
 * @open: the partition whose window is open, or NULL
 * @strict: and strict
 * @counted: how much of rq->nr_running this class has added
 * @nr_queued: tasks of the class that are queued, those that may not run too
 * @opened_at: rq_clock() when the window opened
 * @run_from: rq_clock() since when the running task's time is not accounted
 * @run_before: run_ns of @open when the window opened
 * @pull_work: somebody has a task of a partition for this CPU
 * @servers: the partitions that have a server here (RCU; under its rq->lock)
 * @rtds: its servers
 */
struct a653_rq {
	struct hrtimer timer;
	struct a653_module *module;
	const struct a653_plan *plan;
	const struct a653_frame *frame;
	struct a653_pos pos;
	s64 consult_ns;

	struct a653_pcpu *open;
	bool strict;
	unsigned int counted;
	unsigned int nr_queued;

	u64 opened_at;
	u64 run_from;
	u64 run_before;

	struct irq_work pull_work;
	struct list_head servers;
	struct rtds_rq rtds;
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct a653_rq, a653_rqs);

static inline struct a653_rq *a653_rq_of(struct rq *rq)
{
	return per_cpu_ptr(&a653_rqs, cpu_of(rq));
}

/* What of this class the rest of the scheduler sees */
static inline void a653_count(struct rq *rq, struct a653_rq *ar, unsigned int nr)
{
	ar->counted += nr;
	add_nr_running(rq, nr);
}

static inline void a653_uncount(struct rq *rq, struct a653_rq *ar, unsigned int nr)
{
	ar->counted -= nr;
	sub_nr_running(rq, nr);
}

/* A window takes the CPU: of its partition something is ready, or it is strict */
static inline bool a653_window_busy(const struct a653_rq *ar)
{
	return ar->strict || (ar->open && ar->open->nr_queued);
}

/**
 * struct rtds_want - what a partition's server is to be promised
 * @grant: of the server
 * @par: parameters; budget 0: nothing
 * @old: what it was promised before
 * @cpu: its CPU
 */
struct rtds_want {
	struct rtds_grant *grant;
	struct rtds_params par;
	struct rtds_params old;
	int cpu;
};

/* Only ask whether promises can be kept, make them if so, or make them */
enum rtds_how {
	RTDS_ASK,
	RTDS_MAKE,
	RTDS_FORCE,
};

/**
 * struct rtds_refusal - a promise that could not be kept
 * @cpu: on this CPU
 * @threads: by threads that may run on others, too; else by its own servers
 * @free: what windows leave free of it, in 2^-32
 * @asked: what its own servers ask for, likewise
 * @margin: when the time would be too short, see rtds_fits()
 */
struct rtds_refusal {
	int cpu;
	bool threads;
	u64 free;
	u64 asked;
	struct rtds_margin margin;
};

/* rtds_plan.c */
void rtds_part_set(struct a653_part *part, const struct rtds_params *par,
		   const struct cpumask *cpus, s64 now);
int rtds_admit_plan(struct a653_module *mod, const struct a653_plan *plan,
		    unsigned int schedule, struct list_head *parts, enum rtds_how how,
		    struct rtds_refusal *why);
void rtds_apply_plan(struct a653_module *mod, const struct a653_plan *plan,
		     struct list_head *parts);
void rtds_forget_module(struct a653_module *mod, struct list_head *parts);
int rtds_part_admit(struct a653_part *part, const struct rtds_params *par,
		    const struct cpumask *cpus);
void rtds_part_show(struct seq_file *sf, struct a653_part *part);
int rtds_part_write(struct a653_part *part, char *buf);

/**
 * struct rtds_list - for A653_IOC_SERVERS
 * @ns: in which pids are told
 * @now_ns: when it was made
 * @servers: room for @room_servers
 * @cpus: room for @room_cpus
 * @room_servers: see there
 * @room_cpus: see there
 * @nr_servers: how many there are, which may be more
 * @nr_cpus: likewise
 */
struct rtds_list {
	struct pid_namespace *ns;
	s64 now_ns;
	struct a653_server_stat *servers;
	struct a653_cpu_stat *cpus;
	u32 room_servers;
	u32 room_cpus;
	u32 nr_servers;
	u32 nr_cpus;
};

void rtds_list_servers(struct rtds_list *list, struct list_head *parts);

/* There are, or were, servers: windows alone do not pay for what they need */
DECLARE_STATIC_KEY_FALSE(rtds_key_used);

static inline bool rtds_used(void)
{
	return static_branch_unlikely(&rtds_key_used);
}

void rtds_use(void);

/*
 * rtds.c, with rq->lock held. Tasks are SCHED_RTDS.
 */
void rtds_init_cpu(int cpu);
void rtds_queue(struct rq *rq, struct rtds_entity *e, bool wakes);
void rtds_unqueue(struct rq *rq, struct rtds_entity *e);
struct rtds_entity *rtds_pick(struct rq *rq, struct a653_rq *ar);
void rtds_serve(struct rq *rq, struct rtds_entity *e, bool low);
struct rtds_entity *rtds_first(struct a653_rq *ar);
void rtds_publish(struct rq *rq, struct a653_rq *ar);
void rtds_window_taken(struct rq *rq, struct a653_rq *ar);
void rtds_window_left(struct rq *rq, struct a653_rq *ar);
void rtds_window_changed(struct rq *rq, struct a653_rq *ar);
bool rtds_wants_pull(struct rq *rq, struct a653_rq *ar);
void rtds_pull_later(struct rq *rq);
void rtds_check_preempt(struct rq *rq, struct rtds_entity *e);
void rtds_enqueue_task(struct rq *rq, struct task_struct *p, int flags);
void rtds_dequeue_task(struct rq *rq, struct task_struct *p, int flags);
void rtds_put_prev_task(struct rq *rq, struct task_struct *p);
void rtds_set_next_task(struct rq *rq, struct task_struct *p, bool picked);
void rtds_set_server(struct rq *rq, struct a653_pcpu *pc, const struct rtds_params *par,
		     s64 now);
void rtds_server_stat(struct rq *rq, struct rtds_entity *e, struct a653_server_stat *st);

/* Without it; and rtds_admit.c, which says what it needs */
void rtds_pull(struct rq *rq);
int rtds_select_cpu(struct task_struct *p, int cpu);
u64 rtds_part_key(struct a653_pcpu *pc, s64 now);
void rtds_rq_stat(int cpu, struct a653_cpu_stat *st);
void rtds_admit_init(void);
int rtds_admit_servers(struct rtds_want *want, u32 nr, const struct cpumask *cpus,
		       struct rtds_supply *const *supplies, enum rtds_how how,
		       struct rtds_refusal *why);
void rtds_forget(struct rtds_grant *grant);
void rtds_forget_table(int cpu);
void rtds_cpu_stat(int cpu, struct a653_cpu_stat *st);
int rtds_check_affinity(struct task_struct *p, const struct cpumask *mask);
void rtds_affinity_changed(struct task_struct *p);
void rtds_task_dead(struct task_struct *p);

#ifdef CONFIG_SCHED_A653_DEBUG
unsigned int rtds_check_rq(struct rq *rq);
#else
static inline unsigned int rtds_check_rq(struct rq *rq) { return 0; }
#endif

unsigned int a653_min_slack_pct(void);
void a653_offer_first(struct rq *rq, struct a653_pcpu *pc);
/* The servers of a partition are on other CPUs than before */
void a653_part_kick(struct a653_part *part);
/* A partition's server has its budget again: tasks elsewhere may come, if better */
void a653_kick_pull(struct rq *rq, struct a653_pcpu *pc);

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
int a653_locked_cpus(int (*fn)(void *arg), void *arg);
bool a653_demote(struct task_struct *p);
void a653_wait_verdict(const struct a653_part *part);

/* Partitions, a653_mutex held: */
int a653_part_budget(struct a653_part *part, const struct rtds_params *par,
		     const struct cpumask *cpus);
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
