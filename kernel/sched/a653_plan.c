// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_A653: modules, and how they come to follow another schedule
 *
 * A module is a set of CPUs with one frame clock. What it follows is an epoch:
 * a schedule of a plan, from some instant on. A plan is what a load published;
 * it is never changed. To load or to switch is to make all CPUs of the module
 * go over from the epoch in force to the next one.
 *
 * They go over at one instant, A, a boundary on the time line of the module's
 * clock. No CPU can be made to act at A; it may be late by any amount. So what
 * is decided once, for all of them, is whether the module goes over *at A*, and
 * each CPU compares A with the time at which it was scheduled to do something,
 * never with the time at which it gets to do it:
 *
 *   NONE -> ANNOUNCED  The loader picks A and tells every CPU, by an IPI that it
 *			waits for, to consult the module at A.
 *   ANNOUNCED -> COMMITTED  All CPUs know. From here on the module goes over.
 *   ANNOUNCED -> SPENT A CPU came to A and consulted before that. It had to be
 *			told something, and was told no; so nobody may go over at A.
 *			The loader tries again with a later A.
 *   COMMITTED -> NONE  The last CPU has consulted: the next epoch is in force.
 *			Or nobody has, A is ahead, and the loader withdrew it.
 *
 * Why no two CPUs follow different schedules at any instant of the time line:
 * Each CPU consults exactly once at A, since it was told before the state could
 * become COMMITTED, and is not told anything else before the state is NONE
 * again. It consults before it acts on any boundary at or after A, and does so
 * when it has acted on all boundaries before A, or skipped them because it is
 * late. All consultations at A happen under module->lock. If the first of them
 * finds ANNOUNCED, it makes that SPENT, which no transition makes COMMITTED for
 * this A: all CPUs are told no. If it finds COMMITTED, that remains until the
 * last one has come: withdrawing needs that no CPU consulted. All are told yes.
 * So either every CPU follows the old epoch for t < A and the new one for
 * t >= A, or every CPU follows the old one throughout. A CPU that is late has
 * its windows late, or misses them, but they are those of the same schedule.
 *
 * The old plan is retired by the last CPU that goes over; the next holder of
 * a653_mutex frees it (settle). What partitions a module has, and where they
 * have windows, is the union of the plan in force and the plan that is pending.
 *
 * Locks: see a653.h. a653_mutex is dropped before waiting for A, which may be
 * years ahead. Where one has to wait until nobody is inside an rq->lock section
 * any more, it is by kick_all_cpus_sync() and not by synchronize_rcu(): a task
 * that was preempted in an RCU read section when its window closed would hold up
 * the latter until its next window.
 */
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/sysctl.h>
#include <linux/uaccess.h>

#include "sched.h"
#include "a653.h"

/* An instant that is so far ahead can usually be announced in time */
#define A653_MARGIN_NS		(100 * NSEC_PER_USEC)
/* A time after which there still is time for any margin */
#define A653_LATEST_NS		(S64_MAX / 2)
/* Tasks that are taken from the list of all tasks at a time */
#define A653_BATCH		32

/* Sizes of what user space hands over, in the first version of the ABI */
#define A653_CONFIG_VER0	offsetofend(struct a653_config, reason)
#define A653_BUDGET_VER0	offsetofend(struct a653_budget, reserved)
#define A653_PARTITION_VER0	offsetofend(struct a653_partition, reserved)
#define A653_SCHEDULE_VER0	offsetofend(struct a653_schedule, nr_windows)
#define A653_WINDOW_VER0	offsetofend(struct a653_window, reserved)
#define A653_REQUEST_VER0	offsetofend(struct a653_request, reason)
#define A653_STATUS_VER0	offsetofend(struct a653_status, reason)
#define A653_STAT_VER0		offsetofend(struct a653_stat, late_sum_ns)
#define A653_SERVERS_VER0	offsetofend(struct a653_servers, reason)
#define A653_SERVER_STAT_VER0	offsetofend(struct a653_server_stat, depleted)
#define A653_CPU_STAT_VER0	offsetofend(struct a653_cpu_stat, budget_timers)

/* What changes rarely: lists of modules and partitions, bindings; see a653.h */
DEFINE_MUTEX(a653_mutex);

/* All modules and all partitions, under a653_mutex */
static LIST_HEAD(a653_modules);
static LIST_HEAD(a653_parts);

/* A module that was to be unloaded, was or was not */
static DECLARE_WAIT_QUEUE_HEAD(a653_verdict);

static unsigned int sysctl_a653_min_slack_pct = 5;

/* How much of a CPU, in percent, is neither given away nor promised */
unsigned int a653_min_slack_pct(void)
{
	return READ_ONCE(sysctl_a653_min_slack_pct);
}

/*
 * a653_mutex
 *
 * A SCHED_A653 task can be without the processor for any time, and when its
 * partition has no window any more, for ever: only a switch, a load or an unload
 * would help it then. These take a653_mutex, so such a task must not hold it. It
 * lets a worker do what is to be done, and holds nothing of this file while it
 * waits. A task that does hold the mutex is busy: it does not become SCHED_A653
 * (a653_check_setscheduler()). Kernel threads that cannot be moved to a cgroup,
 * as workers and those of CPU hotplug, take the mutex as it is.
 */

struct a653_job {
	struct work_struct work;
	int (*fn)(void *arg);
	void *arg;
	bool cpus;
	int ret;
};

static int a653_job_call(struct a653_job *job)
{
	guard(mutex)(&a653_mutex);
	return job->fn(job->arg);
}

static void a653_job_run(struct a653_job *job)
{
	if (!job->cpus) {
		job->ret = a653_job_call(job);
		return;
	}
	scoped_guard(cpus_read_lock)
		job->ret = a653_job_call(job);
}

static void a653_job_work(struct work_struct *work)
{
	a653_job_run(container_of(work, struct a653_job, work));
}

/* False for a SCHED_A653 task. True: the caller does not become one. */
static bool a653_set_busy(void)
{
	guard(raw_spinlock_irq)(&current->pi_lock);

	if (a653_policy(current->policy))
		return false;
	WARN_ON_ONCE(current->a653.busy);
	current->a653.busy = true;
	return true;
}

static int a653_do_job(struct a653_job *job)
{
	if (a653_set_busy()) {
		a653_job_run(job);
		WRITE_ONCE(current->a653.busy, false);
	} else {
		INIT_WORK_ONSTACK(&job->work, a653_job_work);
		queue_work(system_unbound_wq, &job->work);
		flush_work(&job->work);
		destroy_work_on_stack(&job->work);
	}
	return job->ret;
}

/**
 * a653_locked - call a function with a653_mutex held, but not by a SCHED_A653 task
 * @fn: the function; it may run in a worker
 * @arg: its argument
 *
 * Context: process, may sleep. Not inside of threadgroup_rwsem: a new worker may
 * be needed.
 * Return: what @fn returns.
 */
int a653_locked(int (*fn)(void *arg), void *arg)
{
	struct a653_job job = { .fn = fn, .arg = arg };

	return a653_do_job(&job);
}

/* The same, inside cpus_read_lock() */
int a653_locked_cpus(int (*fn)(void *arg), void *arg)
{
	struct a653_job job = { .fn = fn, .arg = arg, .cpus = true };

	return a653_do_job(&job);
}

/*
 * Partitions
 */

/**
 * a653_part_find - the partition of a name
 * @name: the name
 *
 * Context: a653_mutex held.
 * Return: the partition, without a reference of its own, or NULL.
 */
struct a653_part *a653_part_find(const char *name)
{
	struct a653_part *part;

	lockdep_assert_held(&a653_mutex);

	list_for_each_entry(part, &a653_parts, node) {
		if (!strcmp(part->name, name))
			return part;
	}
	return NULL;
}

/**
 * a653_part_get - a reference to the partition of a name, made if needed
 * @name: the name, which must be a valid one
 *
 * Context: a653_mutex held, may sleep.
 * Return: the partition, or NULL if there is no memory.
 */
struct a653_part *a653_part_get(const char *name)
{
	struct a653_part *part = a653_part_find(name);

	if (!part) {
		part = kzalloc(sizeof(*part), GFP_KERNEL_ACCOUNT);
		if (!part)
			return NULL;
		strscpy(part->name, name);
		list_add_tail(&part->node, &a653_parts);
	}
	part->ref++;
	return part;
}

static void a653_part_free(struct rcu_head *rcu)
{
	struct a653_part *part = container_of(rcu, struct a653_part, rcu);

	if (part->pcpu)
		a653_part_free_queues(part);
	kfree(part);
}

/**
 * a653_part_put - the opposite of a653_part_get()
 * @part: the partition
 *
 * Context: a653_mutex held.
 */
void a653_part_put(struct a653_part *part)
{
	lockdep_assert_held(&a653_mutex);

	if (--part->ref)
		return;
	WARN_ON_ONCE(part->module || part->bound);
	list_del(&part->node);
	/* Other CPUs look at the queues under their own rq->lock: a653_pull() */
	call_rcu(&part->rcu, a653_part_free);
}

/*
 * Plans
 */

static int a653_plan_index(const struct a653_plan *plan, const struct a653_part *part)
{
	u32 i;

	for (i = 0; plan && i < plan->conf.cfg.nr_partitions; i++) {
		if (plan->parts[i] == part)
			return i;
	}
	return -1;
}

static int a653_plan_schedule(const struct a653_plan *plan, const char *name)
{
	u32 i;

	for (i = 0; i < plan->conf.cfg.nr_schedules; i++) {
		if (!strcmp(plan->conf.schedules[i].name, name))
			return i;
	}
	return -1;
}

static void a653_plan_free_memory(struct a653_plan *plan)
{
	unsigned int i;

	if (plan->frames) {
		for (i = 0; i < plan->conf.cfg.nr_schedules * nr_cpu_ids; i++)
			kvfree(plan->frames[i]);
	}
	if (plan->supplies) {
		for (i = 0; i < plan->conf.cfg.nr_schedules * nr_cpu_ids; i++)
			kvfree(plan->supplies[i]);
	}
	kvfree(plan->frames);
	kvfree(plan->supplies);
	kvfree(plan->all_cpus);
	kvfree(plan->parts);
	kvfree(plan->cpus);
	kvfree(plan->conf.cpus);
	kvfree(plan->conf.partitions);
	kvfree(plan->conf.schedules);
	kvfree(plan->conf.windows);
	kvfree(plan->conf.budgets);
	kfree(plan);
}

static void a653_plan_free_rcu(struct rcu_head *rcu)
{
	a653_plan_free_memory(container_of(rcu, struct a653_plan, rcu));
}

/*
 * No CPU will take it up again. One that just went over may still look at it,
 * until it drops the rq->lock under which it did.
 */
static void a653_plan_free(struct a653_plan *plan)
{
	u32 i;

	lockdep_assert_held(&a653_mutex);

	if (!plan)
		return;
	for (i = 0; plan->parts && i < plan->conf.cfg.nr_partitions; i++) {
		if (plan->parts[i])
			a653_part_put(plan->parts[i]);
	}
	call_rcu(&plan->rcu, a653_plan_free_rcu);
}

/* The frames, and where each partition has windows. The rules were checked. */
static int a653_plan_build(struct a653_plan *plan, u32 *scratch)
{
	const struct a653_conf *conf = &plan->conf;
	u32 nr_schedules = conf->cfg.nr_schedules;
	u32 i, schedule;
	int cpu;

	plan->cpus = kvcalloc(conf->cfg.nr_partitions, sizeof(*plan->cpus),
			      GFP_KERNEL_ACCOUNT);
	plan->parts = kvcalloc(conf->cfg.nr_partitions, sizeof(*plan->parts),
			       GFP_KERNEL_ACCOUNT);
	plan->frames = kvcalloc(array_size(nr_schedules, nr_cpu_ids),
				sizeof(*plan->frames), GFP_KERNEL_ACCOUNT);
	plan->supplies = kvcalloc(array_size(nr_schedules, nr_cpu_ids),
				  sizeof(*plan->supplies), GFP_KERNEL_ACCOUNT);
	plan->all_cpus = kvzalloc(sizeof(*plan->all_cpus), GFP_KERNEL_ACCOUNT);
	if (!plan->cpus || !plan->parts || !plan->frames || !plan->supplies ||
	    !plan->all_cpus)
		return -ENOMEM;

	for (i = 0; i < conf->cfg.nr_windows; i++)
		cpumask_set_cpu(conf->windows[i].cpu,
				&plan->cpus[conf->windows[i].partition]);
	for (i = 0; i < conf->cfg.nr_budgets; i++)
		cpumask_set_cpu(conf->budgets[i].cpu,
				&plan->cpus[conf->budgets[i].partition]);

	for (schedule = 0; schedule < nr_schedules; schedule++) {
		for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
			struct rtds_supply *sup;
			struct a653_frame *f;
			u32 nr;

			if (!a653_conf_has_cpu(conf, cpu))
				continue;
			cpumask_set_cpu(cpu, plan->all_cpus);
			nr = a653_frame_max_segs(conf, schedule, cpu);
			f = kvzalloc_node(struct_size(f, seg, nr),
					  GFP_KERNEL_ACCOUNT, cpu_to_node(cpu));
			if (!f)
				return -ENOMEM;
			plan->frames[schedule * nr_cpu_ids + cpu] = f;
			a653_frame_build(conf, schedule, cpu, scratch, f);
			sup = kvzalloc_node(sizeof(*sup), GFP_KERNEL_ACCOUNT,
					    cpu_to_node(cpu));
			if (!sup)
				return -ENOMEM;
			plan->supplies[schedule * nr_cpu_ids + cpu] = sup;
			rtds_supply_build(sup, f);
			cond_resched();
		}
	}
	return 0;
}

static int a653_plan_get_parts(struct a653_plan *plan)
{
	u32 i;

	for (i = 0; i < plan->conf.cfg.nr_partitions; i++) {
		if (!plan->parts[i])
			plan->parts[i] = a653_part_get(plan->conf.partitions[i].name);
		if (!plan->parts[i] || a653_part_alloc_queues(plan->parts[i]))
			return -ENOMEM;
	}
	return 0;
}

/*
 * Epochs: the protocol described above. None of these needs more than a module,
 * so that the tests can play the CPUs.
 */

static void a653_ticket_close(struct a653_module *mod, int result)
{
	lockdep_assert_held(&mod->lock);

	/* The waiter is free to go as soon as it sees the result */
	if (mod->ticket)
		WRITE_ONCE(mod->ticket->result, result);
	mod->ticket = NULL;
}

static void a653_next_clear(struct a653_module *mod)
{
	lockdep_assert_held(&mod->lock);

	mod->next_state = A653_NEXT_NONE;
	mod->next = (struct a653_epoch){ .from_ns = S64_MAX, .base_ns = S64_MAX };
	cpumask_clear(&mod->adopted);
}

/* @next is in force. Under the rq->lock of the last CPU: no freeing, no waking */
static void a653_next_complete(struct a653_module *mod)
{
	struct a653_plan *old = mod->now.plan;

	lockdep_assert_held(&mod->lock);

	mod->now = mod->next;
	mod->switched++;
	if (old && old != mod->now.plan)
		list_add_tail(&old->node, &mod->retired);
	a653_ticket_close(mod, 0);
	a653_next_clear(mod);
	irq_work_queue(&mod->adopted_work);
}

/**
 * a653_module_consult - does the module go over at the instant that has come?
 * @mod: the module
 * @cpu: the CPU that asks, which holds its rq->lock
 * @at_ns: the instant, as it was announced
 * @epoch: filled in if so: what the CPU follows from now on
 *
 * Context: interrupts off, under rq->lock. O(nr_cpu_ids / 64).
 * Return: true if the module goes over. False if it does not; should the
 * announcement not have been confirmed yet, it no longer can be.
 */
bool a653_module_consult(struct a653_module *mod, int cpu, s64 at_ns,
			 struct a653_epoch *epoch)
{
	lockdep_assert_irqs_disabled();
	guard(raw_spinlock)(&mod->lock);

	/* Withdrawn, and replaced by another instant */
	if (at_ns != mod->next.from_ns)
		return false;

	switch (mod->next_state) {
	case A653_NEXT_ANNOUNCED:
		mod->next_state = A653_NEXT_SPENT;
		return false;
	case A653_NEXT_COMMITTED:
		break;
	default:
		return false;
	}

	*epoch = mod->next;
	cpumask_set_cpu(cpu, &mod->adopted);
	if (cpumask_equal(&mod->adopted, &mod->cpus))
		a653_next_complete(mod);
	return true;
}

/**
 * a653_next_announce - make an epoch the pending one; nothing is decided yet
 * @mod: the module; no other epoch is pending
 * @next: the epoch
 */
void a653_next_announce(struct a653_module *mod, const struct a653_epoch *next)
{
	guard(raw_spinlock_irq)(&mod->lock);

	WARN_ON_ONCE(mod->next_state != A653_NEXT_NONE);
	a653_next_clear(mod);
	mod->next = *next;
	mod->next_state = A653_NEXT_ANNOUNCED;
}

/**
 * a653_next_commit - decide that the module goes over
 * @mod: the module; all its CPUs know when to consult
 * @ticket: of who waits for it, or NULL
 *
 * Return: false if it is too late for the instant that was announced; nothing
 * is pending then.
 */
bool a653_next_commit(struct a653_module *mod, struct a653_ticket *ticket)
{
	guard(raw_spinlock_irq)(&mod->lock);

	if (mod->next_state != A653_NEXT_ANNOUNCED ||
	    a653_clock(mod->clock) >= mod->next.from_ns) {
		a653_next_clear(mod);
		return false;
	}
	mod->next_state = A653_NEXT_COMMITTED;
	mod->ticket = ticket;
	return true;
}

static bool a653_next_due(struct a653_module *mod)
{
	lockdep_assert_held(&mod->lock);

	return mod->next_state == A653_NEXT_COMMITTED &&
	       (!cpumask_empty(&mod->adopted) ||
		a653_clock(mod->clock) >= mod->next.from_ns);
}

/**
 * a653_next_withdraw - the pending epoch shall not come
 * @mod: the module
 * @old: filled in: what was pending, with a plan of NULL if nothing was
 *
 * Return: false if it is too late: it is due, and will soon be in force.
 */
bool a653_next_withdraw(struct a653_module *mod, struct a653_epoch *old)
{
	scoped_guard(raw_spinlock_irq, &mod->lock) {
		if (a653_next_due(mod))
			return false;
		*old = mod->next;
		a653_ticket_close(mod, -ECANCELED);
		a653_next_clear(mod);
	}
	wake_up_all(&mod->wait);
	return true;
}

/**
 * a653_change_start - when a change can take effect
 * @now: the epoch in force; its plan is NULL if there is none
 * @ch: the change
 * @earliest_ns: not before
 *
 * Return: the instant, S64_MAX if the clock cannot tell one.
 */
s64 a653_change_start(const struct a653_epoch *now, const struct a653_change *ch,
		      s64 earliest_ns)
{
	const struct a653_schedule *s;

	earliest_ns = max(earliest_ns, ch->after_ns);
	if (ch->fixed) {
		s = &ch->plan->conf.schedules[ch->schedule];
		return a653_frame_boundary(s->major_frame_ns, ch->base_ns, earliest_ns);
	}
	if (now->plan) {
		s = &now->plan->conf.schedules[now->schedule];
		return a653_frame_boundary(s->major_frame_ns, now->base_ns, earliest_ns);
	}
	return earliest_ns;
}

static s64 a653_module_start(struct a653_module *mod, const struct a653_change *ch,
			     s64 margin)
{
	s64 earliest = a653_clock(mod->clock) + margin;

	guard(raw_spinlock_irq)(&mod->lock);
	return a653_change_start(&mod->now, ch, earliest);
}

/*
 * Make the module go over as soon as the change allows. Nothing is pending, and
 * nobody else makes something pending: a653_mutex is held. So mod->now stands
 * still until it is decided. Ends when telling the CPUs fits in the margin.
 */
static void a653_activate(struct a653_module *mod, const struct a653_change *ch,
			  struct a653_ticket *ticket)
{
	struct a653_epoch next = {
		.plan = ch->plan,
		.schedule = ch->schedule,
	};
	s64 margin = A653_MARGIN_NS;

	lockdep_assert_held(&a653_mutex);
	lockdep_assert_cpus_held();

	do {
		next.from_ns = a653_module_start(mod, ch, margin);
		next.base_ns = next.from_ns;
		a653_next_announce(mod, &next);
		on_each_cpu_mask(&mod->cpus, a653_rq_announce, &next.from_ns, true);
		margin *= 2;
	} while (!a653_next_commit(mod, ticket));
	mod->next_fixed = ch->fixed;
}

/*
 * Tasks
 */

/*
 * The partition of @mod in which @p is as a SCHED_A653 task, or NULL. With a @mod
 * of NULL: a partition that belongs to no module, where the task will never run.
 * It may have left it by now; but the partition is there as long as a653_mutex is
 * held: it was there when the task came into it, the task keeps its css_set, and
 * that its css, until an RCU grace period after it was taken off the list of
 * tasks.
 */
static struct a653_part *a653_part_of(struct task_struct *p,
				      const struct a653_module *mod)
{
	struct a653_part *part = READ_ONCE(p->a653.part);

	lockdep_assert_held(&a653_mutex);
	if (READ_ONCE(p->policy) != SCHED_A653 || !part || part->module != mod)
		return NULL;
	return part;
}

/**
 * a653_demote - make an ordinary task of a SCHED_A653 task
 * @p: the task
 *
 * Context: process, may sleep.
 * Return: false if that failed, which it should not.
 */
bool a653_demote(struct task_struct *p)
{
	const struct sched_param param = { .sched_priority = 0 };
	int policy = SCHED_NORMAL;

	if (p->sched_reset_on_fork)
		policy |= SCHED_RESET_ON_FORK;
	return !WARN_ON_ONCE(sched_setscheduler_nocheck(p, policy, &param));
}

/* A task that waits or runs in @part on @cpu, with a reference */
static struct task_struct *a653_part_straggler(struct a653_part *part, int cpu)
{
	struct a653_pcpu *pc = per_cpu_ptr(part->pcpu, cpu);
	struct task_struct *p;
	unsigned int prio;

	if (!READ_ONCE(pc->nr_queued))
		return NULL;

	guard(rq_lock_irqsave)(cpu_rq(cpu));
	prio = find_first_bit(pc->bitmap, MAX_RT_PRIO);
	if (prio >= MAX_RT_PRIO)
		return NULL;
	p = list_first_entry(&pc->queue[prio], struct task_struct, rt.run_list);
	return get_task_struct(p);
}

/*
 * The same as a653_evict(), for tasks that are ready, whether they are in the list
 * of tasks or not
 */
static void a653_evict_stragglers(struct a653_module *mod)
{
	struct a653_part *part;
	struct task_struct *p;
	bool ok;
	int cpu;

	lockdep_assert_held(&a653_mutex);

	list_for_each_entry(part, &a653_parts, node) {
		if (part->module != mod || !part->pcpu)
			continue;
		for_each_possible_cpu(cpu) {
			while ((p = a653_part_straggler(part, cpu))) {
				ok = a653_demote(p);
				put_task_struct(p);
				if (!ok)
					break;
			}
		}
	}
}

/*
 * Make ordinary tasks of the SCHED_A653 tasks of @mod, or of those that have no
 * module. Nobody can come to be one meanwhile.
 *
 * A task that reaps itself is not in the list of tasks any more when it comes to
 * its last schedule(). If it is ready, it is a straggler. If it sleeps, as some of
 * what an exiting task does may, it is not found; it will then wait in a partition
 * that has no module, until the next load, or until its CPU is to go offline, looks
 * for stragglers of such partitions.
 */
static void a653_evict(struct a653_module *mod)
{
	struct task_struct *g, *p, *batch[A653_BATCH];
	unsigned int i, nr;
	bool ok;

	lockdep_assert_held(&a653_mutex);

	do {
		nr = 0;
		ok = true;
		scoped_guard(rcu) {
			for_each_process_thread(g, p) {
				if (!a653_part_of(p, mod))
					continue;
				batch[nr++] = get_task_struct(p);
				if (nr == A653_BATCH)
					goto full;
			}
full:;
		}
		for (i = 0; i < nr; i++) {
			ok &= a653_demote(batch[i]);
			put_task_struct(batch[i]);
		}
		cond_resched();
	} while (nr && ok);

	a653_evict_stragglers(mod);
}

/*
 * How many living SCHED_A653 tasks a module has. One of them, with a reference,
 * and the partition in which it was seen.
 */
static unsigned int a653_count_tasks(struct a653_module *mod, struct task_struct **one,
				     struct a653_part **in)
{
	struct task_struct *g, *p;
	unsigned int nr = 0;

	guard(rcu)();
	for_each_process_thread(g, p) {
		struct a653_part *part = a653_part_of(p, mod);

		if (!part || READ_ONCE(p->exit_state))
			continue;
		if (!nr++ && one) {
			*one = get_task_struct(p);
			*in = part;
		}
	}
	return nr;
}

/*
 * Modules
 */

static struct a653_module *a653_module_find(const char *name)
{
	struct a653_module *mod;

	lockdep_assert_held(&a653_mutex);

	list_for_each_entry(mod, &a653_modules, node) {
		if (!strcmp(mod->name, name))
			return mod;
	}
	return NULL;
}

static struct a653_module *a653_module_find_cpu(int cpu)
{
	struct a653_module *mod;

	lockdep_assert_held(&a653_mutex);

	list_for_each_entry(mod, &a653_modules, node) {
		if (cpumask_test_cpu(cpu, &mod->cpus))
			return mod;
	}
	return NULL;
}

static struct a653_module *a653_module_get(struct a653_module *mod)
{
	refcount_inc(&mod->ref);
	return mod;
}

static void a653_module_put(struct a653_module *mod)
{
	if (refcount_dec_and_test(&mod->ref))
		kfree_rcu(mod, rcu);
}

/* What it got in a module that it was in before, does not count */
static void a653_part_clear_stat(struct a653_part *part)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct a653_pcpu *pc = per_cpu_ptr(part->pcpu, cpu);

		guard(rq_lock_irqsave)(cpu_rq(cpu));
		pc->stat = (struct a653_pcpu_stat){ };
	}
}

/*
 * Partitions belong to the module if one of the two plans names them, and to
 * nobody if none does any more. Bit by bit, as others look at the masks.
 * Returns whether a partition was dropped.
 */
static bool __a653_assign_parts(struct a653_module *mod, const struct a653_plan *now,
				const struct a653_plan *next)
{
	struct a653_part *part;
	bool dropped = false;
	int i, j, cpu;

	lockdep_assert_held(&a653_mutex);

	list_for_each_entry(part, &a653_parts, node) {
		i = a653_plan_index(now, part);
		j = a653_plan_index(next, part);
		if (i < 0 && j < 0 && part->module != mod)
			continue;

		for_each_possible_cpu(cpu) {
			if ((i >= 0 && cpumask_test_cpu(cpu, &now->cpus[i])) ||
			    (j >= 0 && cpumask_test_cpu(cpu, &next->cpus[j])))
				cpumask_set_cpu(cpu, &part->cpus);
			else if (!cpumask_test_cpu(cpu, &part->server_cpus))
				cpumask_clear_cpu(cpu, &part->cpus);
		}
		if (i >= 0 || j >= 0) {
			if (!part->module)
				a653_part_clear_stat(part);
			/* With its queues, the module and the masks: a653_part_admits() */
			smp_store_release(&part->module, mod);
		} else {
			WRITE_ONCE(part->module, NULL);
			dropped = true;
		}
	}
	return dropped;
}

static void a653_assign_parts(struct a653_module *mod, const struct a653_plan *now,
			      const struct a653_plan *next)
{
	if (!__a653_assign_parts(mod, now, next))
		return;
	/*
	 * Loading refuses to drop a partition that has tasks. But one can have
	 * come after that, until now.
	 */
	kick_all_cpus_sync();
	a653_evict(NULL);
}

/* Clean up after epochs that have come into force since the last time */
static void a653_module_settle(struct a653_module *mod)
{
	struct a653_plan *plan, *tmp, *now, *next;
	struct a653_part *part;
	LIST_HEAD(retired);

	lockdep_assert_held(&a653_mutex);

	scoped_guard(raw_spinlock_irq, &mod->lock) {
		list_splice_init(&mod->retired, &retired);
		now = mod->now.plan;
		next = mod->next.plan;
	}
	rtds_apply_plan(mod, now, &a653_parts);
	if (list_empty(&retired))
		return;

	a653_assign_parts(mod, now, next);
	list_for_each_entry(part, &a653_parts, node) {
		if (part->module == mod)
			a653_part_kick(part);
	}
	list_for_each_entry_safe(plan, tmp, &retired, node)
		a653_plan_free(plan);
}

/* A task of @part that may run on none of @cpus */
static bool a653_part_needs(struct a653_part *part, const struct cpumask *cpus)
{
	struct task_struct *g, *p;

	guard(rcu)();
	for_each_process_thread(g, p) {
		if (a653_part_of(p, part->module) == part && !READ_ONCE(p->exit_state) &&
		    !cpumask_intersects(&p->cpus_mask, cpus))
			return true;
	}
	return false;
}

/**
 * a653_part_budget - give a partition another budget
 * @part: the partition, of a module
 * @par: the parameters; budget 0: none
 * @cpus: on which CPUs
 *
 * Context: process, a653_mutex.
 * Return: 0; -EINVAL: that is no budget, or not on the CPUs of the module; -EBUSY:
 * there is not enough time for it; -EAGAIN: a configuration is loaded, but not in
 * force; -ENOTEMPTY: a task would have neither window nor budget; -ENOMEM.
 */
int a653_part_budget(struct a653_part *part, const struct rtds_params *par,
		     const struct cpumask *cpus)
{
	struct a653_module *mod = part->module;
	struct a653_plan *now, *next;
	cpumask_var_t left, old;
	int err;
	u32 i;

	a653_module_settle(mod);
	scoped_guard(raw_spinlock_irq, &mod->lock) {
		now = mod->now.plan;
		next = mod->next.plan;
	}
	if (!now || (next && next != now))
		return -EAGAIN;
	if (par->budget_ns && (rtds_params_check(par) || cpumask_empty(cpus) ||
			       !cpumask_subset(cpus, &mod->cpus)))
		return -EINVAL;

	if (!zalloc_cpumask_var(&left, GFP_KERNEL))
		return -ENOMEM;
	if (!alloc_cpumask_var(&old, GFP_KERNEL)) {
		free_cpumask_var(left);
		return -ENOMEM;
	}
	if (par->budget_ns)
		cpumask_copy(left, cpus);
	for (i = 0; i < now->conf.cfg.nr_windows; i++) {
		if (now->parts[now->conf.windows[i].partition] == part)
			cpumask_set_cpu(now->conf.windows[i].cpu, left);
	}

	/* Disturb nobody for a refusal, nor for CPUs that only come */
	err = a653_part_needs(part, left) ? -ENOTEMPTY : 0;
	cpumask_copy(old, &part->cpus);
	if (!err && !cpumask_subset(old, left)) {
		/*
		 * From now on nobody confines itself to CPUs that are about to go. Who
		 * was allowed to has done it, or is inside the rq->lock section in which
		 * it does.
		 */
		cpumask_and(&part->cpus, old, left);
		kick_all_cpus_sync();
		err = a653_part_needs(part, left) ? -ENOTEMPTY : 0;
	}
	err = err ?: rtds_part_admit(part, par, cpus);
	if (!err)
		rtds_part_set(part, par, cpus, ktime_get());
	cpumask_copy(&part->cpus, err ? old : left);
	if (!err)
		a653_part_kick(part);
	free_cpumask_var(old);
	free_cpumask_var(left);
	return err;
}

static void a653_settle_work(struct work_struct *work)
{
	guard(mutex)(&a653_mutex);
	a653_module_settle(container_of(work, struct a653_module, settle_work));
}

static void a653_adopted_work(struct irq_work *work)
{
	struct a653_module *mod = container_of(work, struct a653_module, adopted_work);

	wake_up_all(&mod->wait);
	queue_work(system_unbound_wq, &mod->settle_work);
}

/**
 * a653_module_alloc - a module that no CPU knows yet
 * @name: its name
 * @clock: CLOCK_MONOTONIC or CLOCK_TAI
 * @cpus: its CPUs
 *
 * Return: the module, or NULL if there is no memory.
 */
struct a653_module *a653_module_alloc(const char *name, u32 clock,
				      const struct cpumask *cpus)
{
	struct a653_module *mod = kzalloc(sizeof(*mod), GFP_KERNEL_ACCOUNT);

	if (!mod)
		return NULL;
	strscpy(mod->name, name);
	mod->clock = clock;
	cpumask_copy(&mod->cpus, cpus);
	refcount_set(&mod->ref, 1);
	raw_spin_lock_init(&mod->lock);
	INIT_LIST_HEAD(&mod->node);
	INIT_LIST_HEAD(&mod->retired);
	init_irq_work(&mod->adopted_work, a653_adopted_work);
	INIT_WORK(&mod->settle_work, a653_settle_work);
	init_waitqueue_head(&mod->wait);
	scoped_guard(raw_spinlock_irq, &mod->lock)
		a653_next_clear(mod);
	return mod;
}

/**
 * a653_module_free - the opposite
 * @mod: the module, which no CPU knows any more
 *
 * Context: process, without a653_mutex, which the module's work takes.
 */
void a653_module_free(struct a653_module *mod)
{
	irq_work_sync(&mod->adopted_work);
	cancel_work_sync(&mod->settle_work);
	a653_module_put(mod);
}

/* Its CPUs leave the module, and its plans go. The tasks have gone before. */
static void a653_module_stop(struct a653_module *mod)
{
	struct a653_epoch now, next;

	lockdep_assert_held(&a653_mutex);
	lockdep_assert_cpus_held();

	on_each_cpu_mask(&mod->cpus, a653_rq_stop, NULL, true);
	scoped_guard(raw_spinlock_irq, &mod->lock) {
		now = mod->now;
		next = mod->next;
		mod->now = (struct a653_epoch){ };
		a653_next_clear(mod);
		a653_ticket_close(mod, -ECANCELED);
		mod->dead = true;
	}
	a653_module_settle(mod);
	rtds_forget_module(mod, &a653_parts);
	a653_assign_parts(mod, NULL, NULL);
	if (next.plan != now.plan)
		a653_plan_free(next.plan);
	a653_plan_free(now.plan);

	list_del(&mod->node);
	a653_class_put();
	wake_up_all(&mod->wait);
	wake_up_all(&a653_verdict);
}

static bool a653_part_going(const struct a653_part *part)
{
	const struct a653_module *mod;

	guard(rcu)();
	/* As in a653_part_admits() */
	mod = part ? smp_load_acquire(&part->module) : NULL;
	return mod && READ_ONCE(mod->going);
}

/**
 * a653_wait_verdict - wait until it is decided whether a module is unloaded
 * @part: a partition of the module
 *
 * For those to whom a653_part_admits() said -EAGAIN. Who holds a653_mutex is not
 * told so. A SCHED_A653 task may wait, and threadgroup_rwsem and cgroup_mutex may
 * be held: to decide takes neither, and nothing that waits for a task.
 */
void a653_wait_verdict(const struct a653_part *part)
{
	wait_event(a653_verdict, !a653_part_going(part));
}

/*
 * Requests: how they are read, and how they are refused
 */

/**
 * struct a653_call - a request
 * @reason: why it is refused
 * @to: where user space wants to read that
 * @len: how much room there is
 * @ns: in which pids are told; NULL: in that of the current task
 */
struct a653_call {
	char reason[A653_REASON_LEN];
	char __user *to;
	u32 len;
	struct pid_namespace *ns;
};

static __printf(3, 4) int a653_refuse(struct a653_call *call, int err,
				      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(call->reason, sizeof(call->reason), fmt, args);
	va_end(args);
	return err;
}

static void a653_tell(struct a653_call *call, int err)
{
	size_t len;

	if (!call->to || !call->len)
		return;
	if (!call->reason[0]) {
		switch (err) {
		case -ENOMEM:
			a653_refuse(call, err, "out of memory");
			break;
		case -EFAULT:
			a653_refuse(call, err, "an address is not valid");
			break;
		case -EINTR:
			a653_refuse(call, err, "interrupted by a signal");
			break;
		default:
			a653_refuse(call, err, "error %d", -err);
		}
	}
	len = min_t(size_t, strlen(call->reason) + 1, call->len);
	call->reason[len - 1] = '\0';
	/* There is an error to return already */
	if (copy_to_user(call->to, call->reason, len))
		return;
}

static int a653_capable(struct a653_call *call)
{
	if (capable(CAP_SYS_NICE))
		return 0;
	return a653_refuse(call, -EPERM, "CAP_SYS_NICE is needed");
}

/*
 * Read a structure that begins with its size. A size that is too small is
 * refused without a word: there may not be a place for it. Whether what is too
 * long is zero, is for a653_check_tail() to tell, when @to and @len are known.
 */
static int a653_read(void *dst, size_t ksize, size_t min_size,
		     const void __user *src, u32 *size)
{
	if (get_user(*size, (const u32 __user *)src))
		return -EFAULT;
	if (*size < min_size)
		return -EINVAL;
	memset(dst, 0, ksize);
	if (copy_from_user(dst, src, min_t(size_t, *size, ksize)))
		return -EFAULT;
	/* Whatever happened to it since */
	*(u32 *)dst = *size;
	return 0;
}

static int a653_check_tail(struct a653_call *call, size_t ksize,
			   const void __user *src, u32 size)
{
	int ret;

	if (size <= ksize)
		return 0;
	if (size > PAGE_SIZE)
		return a653_refuse(call, -E2BIG, "a structure of %u bytes is too large",
				   size);
	ret = check_zeroed_user(src + ksize, size - ksize);
	if (!ret)
		return a653_refuse(call, -E2BIG,
				   "the structure has fields that this kernel does not know");
	return min(ret, 0);
}

static int a653_check_size(struct a653_call *call, const char *what, u32 size,
			   size_t min_size)
{
	if (size < min_size)
		return a653_refuse(call, -EINVAL, "%s has %u bytes instead of %zu",
				   what, size, min_size);
	if (size > PAGE_SIZE)
		return a653_refuse(call, -E2BIG, "%s has %u bytes", what, size);
	return 0;
}

/* An array whose elements may be longer or shorter than ours, by their age */
static const void *a653_read_array(struct a653_call *call, const char *what,
				   u64 from, u32 nr, u32 size, size_t ksize,
				   size_t min_size)
{
	const void __user *src = u64_to_user_ptr(from);
	void *array;
	int err;
	u32 i;

	err = a653_check_size(call, what, size, min_size);
	if (err)
		return ERR_PTR(err);
	array = kvcalloc(nr, ksize, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!array)
		return ERR_PTR(-ENOMEM);

	for (i = 0; i < nr && !err; i++) {
		err = copy_struct_from_user(array + i * ksize, ksize,
					    src + (size_t)i * size, size);
		cond_resched();
	}
	if (!err)
		return array;
	kvfree(array);
	if (err == -E2BIG)
		a653_refuse(call, err, "%s has fields that this kernel does not know",
			    what);
	return ERR_PTR(err);
}

static int a653_write_array(u64 to, const void *array, u32 nr, u32 size, size_t ksize)
{
	void __user *dst = u64_to_user_ptr(to);
	size_t len = min_t(size_t, size, ksize);
	u32 i;

	for (i = 0; i < nr; i++, dst += size) {
		if (copy_to_user(dst, array + i * ksize, len) ||
		    clear_user(dst + len, size - len))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

static int a653_check_module_name(struct a653_call *call, const char *name)
{
	if (a653_name_ok(name))
		return 0;
	return a653_refuse(call, -EINVAL, "the name of the module is not valid");
}

static int a653_no_module(struct a653_call *call, const char *name)
{
	return a653_refuse(call, -ENOENT, "no module '%s' is loaded", name);
}

static bool a653_module_is_due(struct a653_module *mod)
{
	guard(raw_spinlock_irq)(&mod->lock);
	return a653_next_due(mod);
}

/*
 * A request came to a module that is about to go over to another schedule, which
 * can no longer be withdrawn. Wait until it is over. Drops the reference.
 */
static int a653_wait_due(struct a653_module *mod)
{
	int err = wait_event_interruptible(mod->wait, !a653_module_is_due(mod));

	a653_module_put(mod);
	return err ? -EINTR : 0;
}

static int a653_settle_locked(void *arg)
{
	struct a653_module *mod = arg;

	if (!mod->dead)
		a653_module_settle(mod);
	return 0;
}

/* Until what was requested is in force. Drops the reference. */
static int a653_wait_ticket(struct a653_call *call, struct a653_module *mod,
			    struct a653_ticket *ticket)
{
	int err;

	wait_event_interruptible(mod->wait,
				 READ_ONCE(ticket->result) != -EINPROGRESS);
	scoped_guard(raw_spinlock_irq, &mod->lock) {
		if (mod->ticket == ticket)
			mod->ticket = NULL;
	}
	err = ticket->result;
	if (err == -EINPROGRESS)
		err = a653_refuse(call, -EINTR,
				  "interrupted by a signal; the schedule is still pending");
	else if (err)
		a653_refuse(call, err, "%s before the schedule was in force",
			    READ_ONCE(mod->dead) ? "the module was unloaded" :
						   "something else was requested");
	/* Who waited finds the partitions that are gone, gone */
	if (!err)
		a653_locked(a653_settle_locked, mod);
	a653_module_put(mod);
	return err;
}

/*
 * Load
 */

/* Who asks, and what the rules say */
struct a653_verdict {
	struct a653_call *call;
	int err;
};

/* The first violation is told; a653ctl tells all of them */
static bool a653_violated(void *ctx, const struct a653_violation *v)
{
	struct a653_verdict *verdict = ctx;

	verdict->err = a653_refuse(verdict->call, -v->err, "%s", v->text);
	return false;
}

/* The arrays, as large as a653_config_check() allows */
static int a653_read_conf(struct a653_call *call, const struct a653_config *cfg,
			  struct a653_conf *conf)
{
	const void *array;
	u32 i, cpus = 0;

	conf->cfg = *cfg;
	conf->cfg.cpus = 0;
	conf->cfg.partitions = 0;
	conf->cfg.schedules = 0;
	conf->cfg.windows = 0;
	conf->cfg.budgets = 0;
	conf->cfg.reason = 0;

	array = a653_read_array(call, "a word of the CPU mask", cfg->cpus,
				cfg->nr_cpu_words, sizeof(u64), sizeof(u64), sizeof(u64));
	if (IS_ERR(array))
		return PTR_ERR(array);
	conf->cpus = array;

	for (i = 0; i < cfg->nr_cpu_words; i++)
		cpus += hweight64(conf->cpus[i]);
	/* Bits of CPUs that do not exist, or none at all, are refused later */
	cpus = clamp(cpus, 1U, nr_cpu_ids);
	if (cfg->nr_windows > (u64)cpus * cfg->nr_schedules * A653_MAX_WINDOWS)
		return a653_refuse(call, -E2BIG,
				   "%u windows; at most %u on a CPU in a schedule",
				   cfg->nr_windows, A653_MAX_WINDOWS);

	array = a653_read_array(call, "a partition", cfg->partitions,
				cfg->nr_partitions, cfg->partition_size,
				sizeof(struct a653_partition), A653_PARTITION_VER0);
	if (IS_ERR(array))
		return PTR_ERR(array);
	conf->partitions = array;

	array = a653_read_array(call, "a schedule", cfg->schedules,
				cfg->nr_schedules, cfg->schedule_size,
				sizeof(struct a653_schedule), A653_SCHEDULE_VER0);
	if (IS_ERR(array))
		return PTR_ERR(array);
	conf->schedules = array;

	array = a653_read_array(call, "a window", cfg->windows, cfg->nr_windows,
				cfg->window_size, sizeof(struct a653_window),
				A653_WINDOW_VER0);
	if (IS_ERR(array))
		return PTR_ERR(array);
	conf->windows = array;

	if (!cfg->nr_budgets)
		return 0;
	array = a653_read_array(call, "a budget", cfg->budgets, cfg->nr_budgets,
				cfg->budget_size, sizeof(struct a653_budget),
				A653_BUDGET_VER0);
	if (IS_ERR(array))
		return PTR_ERR(array);
	conf->budgets = array;
	return 0;
}

static struct a653_limits a653_limits(void)
{
	return (struct a653_limits){
		.nr_cpus = nr_cpu_ids,
		.min_slack_pct = READ_ONCE(sysctl_a653_min_slack_pct),
	};
}

/* The arrays are there: check them, and build what follows from them */
static int a653_plan_complete(struct a653_call *call, struct a653_plan *plan)
{
	const struct a653_limits limits = a653_limits();
	struct a653_verdict verdict = { .call = call };
	struct a653_frame *frame;
	struct rtds_supply *sup;
	int err = -ENOMEM;
	u32 *scratch;

	scratch = kvcalloc(a653_conf_scratch(&plan->conf.cfg), sizeof(*scratch),
			   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	frame = kvzalloc(struct_size(frame, seg, A653_MAX_SEGS), GFP_KERNEL);
	sup = kvzalloc(sizeof(*sup), GFP_KERNEL);
	if (scratch && frame && sup) {
		if (!a653_conf_check(&plan->conf, &limits, scratch, a653_violated, &verdict))
			rtds_conf_check(&plan->conf, &limits, scratch, frame, sup,
					a653_violated, &verdict);
		err = verdict.err ?: a653_plan_build(plan, scratch);
	}
	kvfree(scratch);
	kvfree(frame);
	kvfree(sup);
	return err;
}

/* A plan of what user space says. All that can be told without a653_mutex. */
static struct a653_plan *a653_read_plan(struct a653_call *call,
					const struct a653_config *cfg)
{
	const struct a653_limits limits = a653_limits();
	struct a653_verdict verdict = { .call = call };
	struct a653_plan *plan;
	int err;

	/* How much is read and allocated follows from the head */
	if (a653_config_check(cfg, &limits, a653_violated, &verdict))
		return ERR_PTR(verdict.err);

	plan = kzalloc(sizeof(*plan), GFP_KERNEL_ACCOUNT);
	if (!plan)
		return ERR_PTR(-ENOMEM);
	err = a653_read_conf(call, cfg, &plan->conf) ?: a653_plan_complete(call, plan);
	if (!err)
		return plan;
	a653_plan_free_memory(plan);
	return ERR_PTR(err);
}

/* The plan keeps the rules. Does it fit the machine, and the other modules? */
static int a653_check_place(struct a653_call *call, const struct a653_plan *plan,
			    const struct a653_module *mod)
{
	const struct a653_conf *conf = &plan->conf;
	int cpu;
	u32 i;

	/* A window would begin and end with the tick */
	if (hrtimer_resolution > 1)
		return a653_refuse(call, -ENODEV,
				   "high resolution timers are not active (%u ns)",
				   hrtimer_resolution);

	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct a653_module *other = a653_module_find_cpu(cpu);
		bool wanted = a653_conf_has_cpu(conf, cpu);

		if (wanted && !cpu_possible(cpu))
			return a653_refuse(call, -EINVAL, "there is no CPU %d", cpu);
		if (wanted && !cpu_online(cpu))
			return a653_refuse(call, -ENODEV, "CPU %d is offline", cpu);
		if (wanted && other && other != mod)
			return a653_refuse(call, -EBUSY, "CPU %d belongs to module '%s'",
					   cpu, other->name);
		if (mod && wanted != cpumask_test_cpu(cpu, &mod->cpus))
			return a653_refuse(call, -EBUSY,
					   "module '%s' is loaded with other CPUs (CPU %d); unload it first",
					   mod->name, cpu);
	}
	if (mod && mod->clock != conf->cfg.clock)
		return a653_refuse(call, -EBUSY,
				   "module '%s' is loaded with another clock; unload it first",
				   mod->name);

	for (i = 0; i < conf->cfg.nr_partitions; i++) {
		struct a653_part *part = a653_part_find(conf->partitions[i].name);

		if (part && part->module && part->module != mod)
			return a653_refuse(call, -EBUSY,
					   "partition '%s' belongs to module '%s'",
					   part->name, part->module->name);
	}
	return 0;
}

/* Would a task of the module be left without a window and a budget? */
static int a653_check_tasks(struct a653_call *call, const struct a653_plan *plan,
			    const struct a653_module *mod)
{
	struct task_struct *g, *p;
	char comm[TASK_COMM_LEN];
	int i;

	guard(rcu)();
	for_each_process_thread(g, p) {
		struct a653_part *part = a653_part_of(p, mod);

		if (!part || READ_ONCE(p->exit_state))
			continue;
		for (i = plan->conf.cfg.nr_partitions - 1; i >= 0; i--) {
			if (!strcmp(plan->conf.partitions[i].name, part->name))
				break;
		}
		if (i < 0)
			return a653_refuse(call, -EBUSY,
					   "partition '%s' would be dropped, but has SCHED_A653 tasks: pid %d (%s)",
					   part->name, task_pid_nr_ns(p, call->ns),
					   get_task_comm(comm, p));
		/*
		 * Its affinity can change after this. It may not become one that
		 * does not fit the plan in force; and when this one is, the task
		 * waits, and can be helped by taskset.
		 */
		if (!cpumask_intersects(&p->cpus_mask, &plan->cpus[i]))
			return a653_refuse(call, -EBUSY,
					   "partition '%s' would have no window and no budget on the CPUs of pid %d (%s)",
					   part->name, task_pid_nr_ns(p, call->ns),
					   get_task_comm(comm, p));
	}
	return 0;
}

static u32 a653_per_mille(u64 util)
{
	return mul_u64_u64_shr(util, 1000, RTDS_UNIT_SHIFT);
}

/* Would all budgets fit, those of SCHED_RTDS threads too? @how: see there */
static int a653_check_budgets(struct a653_call *call, struct a653_module *mod,
			      const struct a653_plan *plan, unsigned int schedule,
			      enum rtds_how how)
{
	const char *name = plan->conf.schedules[schedule].name;
	struct rtds_refusal why;
	u32 free, asked;
	int err;

	err = rtds_admit_plan(mod, plan, schedule, &a653_parts, how, &why);
	if (err != -EBUSY)
		return err;
	if (why.threads)
		return a653_refuse(call, err,
				   "schedule '%s' leaves too little free for the SCHED_RTDS threads that may run on CPU %d",
				   name, why.cpu);
	if (why.margin.len_ns)
		return a653_refuse(call, err,
				   "schedule '%s' leaves %llu us of %llu us free on CPU %d in the worst case; servers may ask for %llu us",
				   name, div_u64(why.margin.supply_ns, 1000),
				   div_u64(why.margin.len_ns, 1000), why.cpu,
				   div_u64(why.margin.demand_ns + 999, 1000));
	free = a653_per_mille(why.free);
	asked = a653_per_mille(why.asked);
	return a653_refuse(call, err,
			   "schedule '%s' leaves %u.%u %% of CPU %d free, of which %u %% are not promised; servers ask for %u.%u %%",
			   name, free / 10, free % 10, why.cpu, a653_min_slack_pct(),
			   asked / 10, asked % 10);
}

/* What was promised is that of the configuration that was loaded last */
static void a653_restore_budgets(struct a653_module *mod)
{
	struct a653_epoch last;

	scoped_guard(raw_spinlock_irq, &mod->lock)
		last = mod->next.plan ? mod->next : mod->now;
	rtds_admit_plan(mod, last.plan, last.schedule, &a653_parts, RTDS_FORCE, NULL);
}

static void a653_module_begin(struct a653_module *mod)
{
	a653_class_get();
	list_add_tail(&mod->node, &a653_modules);
	on_each_cpu_mask(&mod->cpus, a653_rq_start, mod, true);
}

struct a653_load_args {
	struct a653_call *call;
	const struct a653_config *cfg;
	struct a653_plan *plan;
	struct a653_ticket *ticket;
	struct a653_module *mod;
};

/*
 * Returns 0 when the plan is pending: it is not the caller's any more. args->mod
 * is the module, with a reference. -EAGAIN: the caller has to wait for args->mod,
 * with a reference, and to try again.
 */
static int a653_load_locked(void *arg)
{
	struct a653_load_args *args = arg;
	const struct a653_config *cfg = args->cfg;
	struct a653_call *call = args->call;
	struct a653_plan *plan = args->plan;
	struct a653_change ch = {
		.plan = plan,
		.schedule = cfg->initial,
		.fixed = cfg->flags & A653_CONFIG_BASE,
		.base_ns = cfg->base_ns,
		.after_ns = S64_MIN,
	};
	struct a653_epoch old = { }, none = { };
	struct a653_module *mod, *begins = NULL;
	s64 start;
	int err;

	a653_evict_stragglers(NULL);
	mod = a653_module_find(cfg->module);
	if (mod)
		a653_module_settle(mod);
	err = a653_check_place(call, plan, mod);
	if (!err && mod)
		err = a653_check_tasks(call, plan, mod);
	if (err)
		return err;

	start = mod ? a653_module_start(mod, &ch, 0) :
		      a653_change_start(&none, &ch, a653_clock(cfg->clock));
	if (start > A653_LATEST_NS)
		return a653_refuse(call, -ERANGE, "the base time is too far ahead");

	err = a653_plan_get_parts(plan);
	if (err)
		return err;
	if (!mod) {
		begins = a653_module_alloc(cfg->module, cfg->clock, plan->all_cpus);
		if (!begins)
			return -ENOMEM;
	}
	err = a653_check_budgets(call, mod ?: begins, plan, ch.schedule,
				 cfg->flags & A653_CONFIG_DRY_RUN ? RTDS_ASK : RTDS_MAKE);
	if (err || (cfg->flags & A653_CONFIG_DRY_RUN)) {
		if (begins)
			a653_module_put(begins);
		return err;
	}

	if (plan->conf.cfg.nr_budgets)
		rtds_use();
	if (begins) {
		mod = begins;
		a653_module_begin(mod);
	} else if (!a653_next_withdraw(mod, &old)) {
		a653_restore_budgets(mod);
		args->mod = a653_module_get(mod);
		return -EAGAIN;
	}
	/* A switch that was pending is one of the plan in force */
	if (old.plan == mod->now.plan)
		old.plan = NULL;

	a653_assign_parts(mod, mod->now.plan, plan);
	a653_activate(mod, &ch, args->ticket);
	a653_plan_free(old.plan);
	args->mod = a653_module_get(mod);
	return 0;
}

static int a653_drop_plan_locked(void *arg)
{
	a653_plan_free(arg);
	return 0;
}

/* The plan is not the caller's any more, whatever happens */
static int a653_load(struct a653_call *call, const struct a653_config *cfg,
		     struct a653_plan *plan)
{
	bool dry_run = cfg->flags & A653_CONFIG_DRY_RUN;
	bool wait = (cfg->flags & A653_CONFIG_WAIT) && !dry_run;
	struct a653_ticket ticket = { .result = -EINPROGRESS };
	struct a653_load_args args = {
		.call = call,
		.cfg = cfg,
		.plan = plan,
		.ticket = wait ? &ticket : NULL,
	};
	int err;

	for (;;) {
		err = a653_locked_cpus(a653_load_locked, &args);
		if (err != -EAGAIN)
			break;
		err = a653_wait_due(args.mod);
		if (err)
			break;
	}

	if (err || dry_run) {
		a653_locked(a653_drop_plan_locked, plan);
		return err;
	}
	if (wait)
		return a653_wait_ticket(call, args.mod, &ticket);
	a653_module_put(args.mod);
	return 0;
}

static int a653_ioctl_load(struct a653_call *call, void __user *arg)
{
	struct a653_config cfg;
	struct a653_plan *plan;
	u32 size;
	int err;

	err = a653_read(&cfg, sizeof(cfg), A653_CONFIG_VER0, arg, &size);
	if (err)
		return err;
	call->to = u64_to_user_ptr(cfg.reason);
	call->len = cfg.reason_len;
	err = a653_check_tail(call, sizeof(cfg), arg, size) ?: a653_capable(call);
	if (err)
		return err;

	plan = a653_read_plan(call, &cfg);
	if (IS_ERR(plan))
		return PTR_ERR(plan);
	return a653_load(call, &cfg, plan);
}

/*
 * Switch, unload
 */

static int a653_read_request(struct a653_call *call, struct a653_request *req,
			     const void __user *arg, u32 flags)
{
	u32 size;
	int err;

	err = a653_read(req, sizeof(*req), A653_REQUEST_VER0, arg, &size);
	if (err)
		return err;
	call->to = u64_to_user_ptr(req->reason);
	call->len = req->reason_len;
	err = a653_check_tail(call, sizeof(*req), arg, size) ?: a653_capable(call);
	if (err)
		return err;
	if ((req->flags & ~flags) || req->reserved)
		return a653_refuse(call, -EINVAL, "the request has unknown flags");
	return a653_check_module_name(call, req->module);
}

struct a653_request_args {
	struct a653_call *call;
	const struct a653_request *req;
	struct a653_ticket *ticket;
	struct a653_module *mod;
};

/* What it returns, and args->mod, are as of a653_load_locked() */
static int a653_switch_locked(void *arg)
{
	struct a653_request_args *args = arg;
	const struct a653_request *req = args->req;
	struct a653_call *call = args->call;
	struct a653_change ch = {
		.after_ns = req->flags & A653_REQUEST_AT ? req->at_ns : S64_MIN,
	};
	struct a653_epoch now, next, old;
	struct a653_module *mod;
	int schedule, err;

	mod = a653_module_find(req->module);
	if (!mod)
		return a653_no_module(call, req->module);
	a653_module_settle(mod);

	scoped_guard(raw_spinlock_irq, &mod->lock) {
		now = mod->now;
		next = mod->next;
	}
	/*
	 * With a load that is pending, the schedule is one of the configuration
	 * that was loaded last, and that one comes with it.
	 */
	ch.plan = next.plan ?: now.plan;
	schedule = a653_plan_schedule(ch.plan, req->schedule);
	if (schedule < 0)
		return a653_refuse(call, -ENOENT, "module '%s' has no schedule '%.*s'",
				   mod->name, A653_NAME_LEN - 1, req->schedule);
	ch.schedule = schedule;
	if (next.plan && next.plan != now.plan && mod->next_fixed) {
		ch.fixed = true;
		ch.base_ns = next.base_ns;
	}
	if (a653_module_start(mod, &ch, 0) > A653_LATEST_NS)
		return a653_refuse(call, -ERANGE, "the time of the switch is too far ahead");
	err = a653_check_budgets(call, mod, ch.plan, schedule, RTDS_MAKE);
	if (err)
		return err;

	/* Too late, or what was pending is in force by now: look again */
	args->mod = a653_module_get(mod);
	if (!a653_next_withdraw(mod, &old) || (next.plan && !old.plan)) {
		a653_restore_budgets(mod);
		return -EAGAIN;
	}
	a653_activate(mod, &ch, args->ticket);
	return 0;
}

static int a653_switch(struct a653_call *call, const struct a653_request *req)
{
	struct a653_ticket ticket = { .result = -EINPROGRESS };
	bool wait = req->flags & A653_REQUEST_WAIT;
	struct a653_request_args args = {
		.call = call,
		.req = req,
		.ticket = wait ? &ticket : NULL,
	};
	int err;

	for (;;) {
		err = a653_locked_cpus(a653_switch_locked, &args);
		if (err != -EAGAIN)
			break;
		err = a653_wait_due(args.mod);
		if (err)
			break;
	}
	if (err)
		return err;
	if (wait)
		return a653_wait_ticket(call, args.mod, &ticket);
	a653_module_put(args.mod);
	return 0;
}

static int a653_ioctl_switch(struct a653_call *call, void __user *arg)
{
	struct a653_request req;
	int err;

	err = a653_read_request(call, &req, arg, A653_REQUEST_AT | A653_REQUEST_WAIT);
	if (err)
		return err;
	if (!a653_name_ok(req.schedule))
		return a653_refuse(call, -EINVAL, "the name of the schedule is not valid");
	return a653_switch(call, &req);
}

static int a653_refuse_tasks(struct a653_call *call, struct a653_module *mod)
{
	char comm[TASK_COMM_LEN];
	struct a653_part *part;
	struct task_struct *p;
	unsigned int nr;
	int err;

	nr = a653_count_tasks(mod, &p, &part);
	if (!nr)
		return 0;
	err = a653_refuse(call, -EBUSY,
			  "partition '%s' has SCHED_A653 tasks: pid %d (%s); %u in the module",
			  part->name, task_pid_nr_ns(p, call->ns),
			  get_task_comm(comm, p), nr);
	put_task_struct(p);
	return err;
}

/* Returns 0 when it is done: args->mod is the module, to be freed */
static int a653_unload_locked(void *arg)
{
	struct a653_request_args *args = arg;
	bool force = args->req->flags & A653_REQUEST_FORCE;
	struct a653_module *mod;
	int err;

	mod = a653_module_find(args->req->module);
	if (!mod)
		return a653_no_module(args->call, args->req->module);

	/* Disturb nobody for a refusal */
	err = force ? 0 : a653_refuse_tasks(args->call, mod);
	if (err)
		return err;

	/*
	 * From now on nobody becomes SCHED_A653 here. Who was allowed to has done
	 * it, or is inside the rq->lock section in which it does. A fork may be
	 * on its way, with a child that is not in the list of tasks yet: it looks
	 * at @going, under rq->lock, after it has put the child there, waits for
	 * the verdict, and makes an ordinary task of it if the module is unloaded
	 * (a653_fork()). Either sees the other.
	 */
	WRITE_ONCE(mod->going, true);
	kick_all_cpus_sync();

	err = force ? 0 : a653_refuse_tasks(args->call, mod);
	if (err) {
		WRITE_ONCE(mod->going, false);
		wake_up_all(&a653_verdict);
		return err;
	}
	a653_evict(mod);
	a653_module_stop(mod);
	args->mod = mod;
	return 0;
}

static int a653_unload(struct a653_call *call, const struct a653_request *req)
{
	struct a653_request_args args = { .call = call, .req = req };
	int err;

	err = a653_locked_cpus(a653_unload_locked, &args);
	if (!err)
		a653_module_free(args.mod);
	return err;
}

static int a653_ioctl_unload(struct a653_call *call, void __user *arg)
{
	struct a653_request req;
	int err;

	err = a653_read_request(call, &req, arg, A653_REQUEST_FORCE);
	if (err)
		return err;
	return a653_unload(call, &req);
}

/*
 * Get, status: open to everybody
 *
 * Nothing is copied to user space with a653_mutex held: it could be made to
 * wait for the page.
 */

/* What a module has loaded: what is in force, or what will be the first */
static const struct a653_plan *a653_module_plan(struct a653_module *mod,
						struct a653_epoch *now)
{
	guard(raw_spinlock_irq)(&mod->lock);

	*now = mod->now.plan ? mod->now : mod->next;
	return now->plan;
}

struct a653_get_args {
	struct a653_call *call;
	struct a653_config *cfg;
	struct a653_conf *copy;
};

/* Is there room in the caller's arrays, and what belongs there */
static int a653_get_locked(void *arg)
{
	struct a653_get_args *args = arg;
	struct a653_config *cfg = args->cfg;
	struct a653_conf *copy = args->copy;
	struct a653_call *call = args->call;
	struct a653_module *mod = a653_module_find(cfg->module);
	const struct a653_config *have;
	const struct a653_plan *plan;
	struct a653_epoch now;
	bool room;

	if (!mod)
		return a653_no_module(call, cfg->module);
	plan = a653_module_plan(mod, &now);
	have = &plan->conf.cfg;

	room = cfg->nr_partitions >= have->nr_partitions &&
	       cfg->nr_schedules >= have->nr_schedules &&
	       cfg->nr_windows >= have->nr_windows &&
	       cfg->nr_budgets >= have->nr_budgets &&
	       cfg->nr_cpu_words >= have->nr_cpu_words;

	/* Loaded again it comes with the same phase, in the same schedule */
	cfg->flags = A653_CONFIG_BASE;
	cfg->base_ns = now.base_ns;
	cfg->initial = now.schedule;
	cfg->clock = mod->clock;
	cfg->nr_partitions = have->nr_partitions;
	cfg->nr_schedules = have->nr_schedules;
	cfg->nr_windows = have->nr_windows;
	cfg->nr_budgets = have->nr_budgets;
	cfg->nr_cpu_words = have->nr_cpu_words;
	if (!room)
		return a653_refuse(call, -ENOSPC,
				   "too little room for %u partitions, %u schedules, %u windows, %u budgets, %u words of CPUs",
				   have->nr_partitions, have->nr_schedules,
				   have->nr_windows, have->nr_budgets,
				   have->nr_cpu_words);

	copy->cpus = kvmemdup(plan->conf.cpus,
			      array_size(have->nr_cpu_words, sizeof(u64)), GFP_KERNEL);
	copy->partitions = kvmemdup(plan->conf.partitions,
				    array_size(have->nr_partitions,
					       sizeof(*copy->partitions)), GFP_KERNEL);
	copy->schedules = kvmemdup(plan->conf.schedules,
				   array_size(have->nr_schedules,
					      sizeof(*copy->schedules)), GFP_KERNEL);
	copy->windows = kvmemdup(plan->conf.windows,
				 array_size(have->nr_windows, sizeof(*copy->windows)),
				 GFP_KERNEL);
	if (have->nr_budgets)
		copy->budgets = kvmemdup(plan->conf.budgets,
					 array_size(have->nr_budgets,
						    sizeof(*copy->budgets)), GFP_KERNEL);
	if (!copy->cpus || !copy->partitions || !copy->schedules || !copy->windows ||
	    (have->nr_budgets && !copy->budgets))
		return -ENOMEM;
	return 0;
}

static int a653_ioctl_get(struct a653_call *call, void __user *arg)
{
	struct a653_conf copy = { };
	struct a653_config cfg;
	struct a653_get_args args = { .call = call, .cfg = &cfg, .copy = &copy };
	u32 size;
	int err;

	err = a653_read(&cfg, sizeof(cfg), A653_CONFIG_VER0, arg, &size);
	if (err)
		return err;
	call->to = u64_to_user_ptr(cfg.reason);
	call->len = cfg.reason_len;
	err = a653_check_tail(call, sizeof(cfg), arg, size);
	/* What is set after the first of two requests may be left as it is */
	if (!err && (cfg.flags & ~(A653_CONFIG_BASE | A653_CONFIG_WAIT |
				   A653_CONFIG_DRY_RUN)))
		err = a653_refuse(call, -EINVAL, "the request has unknown flags");
	err = err ?:
	      a653_check_module_name(call, cfg.module) ?:
	      a653_check_size(call, "a partition", cfg.partition_size,
			      A653_PARTITION_VER0) ?:
	      a653_check_size(call, "a schedule", cfg.schedule_size,
			      A653_SCHEDULE_VER0) ?:
	      a653_check_size(call, "a window", cfg.window_size, A653_WINDOW_VER0);
	if (!err && cfg.nr_budgets)
		err = a653_check_size(call, "a budget", cfg.budget_size, A653_BUDGET_VER0);
	if (err)
		return err;

	err = a653_locked(a653_get_locked, &args);
	if (!err)
		err = a653_write_array(cfg.cpus, copy.cpus, cfg.nr_cpu_words,
				       sizeof(u64), sizeof(u64)) ?:
		      a653_write_array(cfg.partitions, copy.partitions,
				       cfg.nr_partitions, cfg.partition_size,
				       sizeof(struct a653_partition)) ?:
		      a653_write_array(cfg.schedules, copy.schedules,
				       cfg.nr_schedules, cfg.schedule_size,
				       sizeof(struct a653_schedule)) ?:
		      a653_write_array(cfg.windows, copy.windows, cfg.nr_windows,
				       cfg.window_size, sizeof(struct a653_window)) ?:
		      a653_write_array(cfg.budgets, copy.budgets, cfg.nr_budgets,
				       cfg.budget_size, sizeof(struct a653_budget));
	if ((!err || err == -ENOSPC) &&
	    copy_to_user(arg, &cfg, min_t(size_t, size, sizeof(cfg))))
		err = -EFAULT;

	kvfree(copy.cpus);
	kvfree(copy.partitions);
	kvfree(copy.schedules);
	kvfree(copy.windows);
	kvfree(copy.budgets);
	return err;
}

static struct a653_module *a653_module_nth(u32 index)
{
	struct a653_module *mod;

	list_for_each_entry(mod, &a653_modules, node) {
		if (!index--)
			return mod;
	}
	return NULL;
}

static void a653_fill_stats(struct a653_module *mod, const struct a653_plan *plan,
			    struct a653_stat *st)
{
	struct a653_pcpu_stat pcpu;
	unsigned int nr_queued;
	bool open;
	int cpu;
	u32 i;

	for (i = 0; i < plan->conf.cfg.nr_partitions; i++) {
		for_each_cpu(cpu, &mod->cpus) {
			a653_pcpu_read(plan->parts[i], cpu, &pcpu, &open, &nr_queued);
			*st++ = (struct a653_stat){
				.partition	= i,
				.cpu		= cpu,
				.flags		= open ? A653_STAT_OPEN : 0,
				.nr_queued	= nr_queued,
				.opened		= pcpu.opened,
				.missed		= pcpu.missed,
				.run_ns		= pcpu.run_ns,
				.open_ns	= pcpu.open_ns,
				.slack_ns	= pcpu.slack_ns,
				.late_min_ns	= pcpu.late_min_ns,
				.late_max_ns	= pcpu.late_max_ns,
				.late_sum_ns	= pcpu.late_sum_ns,
			};
			cond_resched();
		}
	}
}

struct a653_status_args {
	struct a653_call *call;
	struct a653_status *st;
	struct a653_stat *stats;
};

static int a653_status_locked(void *arg)
{
	struct a653_status_args *args = arg;
	struct a653_call *call = args->call;
	struct a653_status *st = args->st;
	const struct a653_plan *plan;
	struct a653_epoch now, next;
	struct a653_module *mod;
	u32 room = st->nr_stats;

	if (st->module[0]) {
		mod = a653_module_find(st->module);
		if (!mod)
			return a653_no_module(call, st->module);
	} else {
		mod = a653_module_nth(st->index);
		if (!mod)
			return a653_refuse(call, -ENOENT, "there is no module with index %u",
					   st->index);
	}
	a653_module_settle(mod);

	scoped_guard(raw_spinlock_irq, &mod->lock) {
		now = mod->now;
		next = mod->next;
		st->switched = mod->switched;
	}
	plan = now.plan ?: next.plan;

	st->flags = 0;
	st->clock = mod->clock;
	strscpy_pad(st->module, mod->name);
	st->now_ns = a653_clock(mod->clock);
	st->base_ns = 0;
	st->next_ns = 0;
	st->schedule = 0;
	st->next = 0;
	if (now.plan) {
		st->base_ns = now.base_ns;
		st->schedule = now.schedule;
	} else {
		st->flags |= A653_STATUS_IDLE;
	}
	if (next.plan) {
		st->flags |= A653_STATUS_PENDING;
		if (next.plan != plan)
			st->flags |= A653_STATUS_RELOAD;
		st->next_ns = next.from_ns;
		st->next = next.schedule;
	}
	st->nr_partitions = plan->conf.cfg.nr_partitions;
	st->nr_schedules = plan->conf.cfg.nr_schedules;
	st->nr_cpus = cpumask_weight(&mod->cpus);
	st->nr_stats = st->nr_partitions * st->nr_cpus;
	st->nr_tasks = a653_count_tasks(mod, NULL, NULL);

	if (!room && !st->stats)
		return 0;
	if (room < st->nr_stats)
		return a653_refuse(call, -ENOSPC, "too little room for %u stats",
				   st->nr_stats);
	args->stats = kvcalloc(st->nr_stats, sizeof(*args->stats),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!args->stats)
		return -ENOMEM;
	a653_fill_stats(mod, plan, args->stats);
	return 0;
}

static int a653_ioctl_status(struct a653_call *call, void __user *arg)
{
	struct a653_status st;
	struct a653_status_args args = { .call = call, .st = &st };
	u32 size;
	int err;

	err = a653_read(&st, sizeof(st), A653_STATUS_VER0, arg, &size);
	if (err)
		return err;
	call->to = u64_to_user_ptr(st.reason);
	call->len = st.reason_len;
	err = a653_check_tail(call, sizeof(st), arg, size);
	if (!err && st.reserved)
		err = a653_refuse(call, -EINVAL, "the request has unknown flags");
	if (!err && st.module[0])
		err = a653_check_module_name(call, st.module);
	if (!err && (st.nr_stats || st.stats))
		err = a653_check_size(call, "a stat", st.stat_size, A653_STAT_VER0);
	if (err)
		return err;

	err = a653_locked(a653_status_locked, &args);

	if (!err && args.stats)
		err = a653_write_array(st.stats, args.stats, st.nr_stats, st.stat_size,
				       sizeof(*args.stats));
	if ((!err || err == -ENOSPC) &&
	    copy_to_user(arg, &st, min_t(size_t, size, sizeof(st))))
		err = -EFAULT;
	kvfree(args.stats);
	return err;
}

static int a653_servers_locked(void *arg)
{
	rtds_list_servers(arg, &a653_parts);
	return 0;
}

/* No more than that is looked at: a limit on what a request allocates */
#define A653_MAX_SERVERS	65536U

static int a653_ioctl_servers(struct a653_call *call, void __user *arg)
{
	struct rtds_list list = { .ns = call->ns };
	struct a653_servers sv;
	u32 size;
	int err;

	err = a653_read(&sv, sizeof(sv), A653_SERVERS_VER0, arg, &size);
	if (err)
		return err;
	call->to = u64_to_user_ptr(sv.reason);
	call->len = sv.reason_len;
	err = a653_check_tail(call, sizeof(sv), arg, size);
	if (!err && (sv.flags || sv.reserved))
		err = a653_refuse(call, -EINVAL, "the request has unknown flags");
	if (!err && sv.nr_servers)
		err = a653_check_size(call, "a server", sv.server_size,
				      A653_SERVER_STAT_VER0);
	if (!err && sv.nr_cpus)
		err = a653_check_size(call, "a CPU", sv.cpu_size, A653_CPU_STAT_VER0);
	if (err)
		return err;

	list.room_servers = min(sv.nr_servers, A653_MAX_SERVERS);
	list.room_cpus = min(sv.nr_cpus, nr_cpu_ids);
	list.servers = kvcalloc(list.room_servers + 1, sizeof(*list.servers),
				GFP_KERNEL_ACCOUNT);
	list.cpus = kvcalloc(list.room_cpus + 1, sizeof(*list.cpus), GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (list.servers && list.cpus) {
		a653_locked(a653_servers_locked, &list);
		err = 0;
		if ((sv.nr_servers && list.nr_servers > list.room_servers) ||
		    (sv.nr_cpus && list.nr_cpus > list.room_cpus))
			err = a653_refuse(call, -ENOSPC,
					  "too little room for %u servers and %u CPUs",
					  list.nr_servers, list.nr_cpus);
		if (!err && sv.nr_servers)
			err = a653_write_array(sv.servers, list.servers, list.nr_servers,
					       sv.server_size, sizeof(*list.servers));
		if (!err && sv.nr_cpus)
			err = a653_write_array(sv.cpus, list.cpus, list.nr_cpus,
					       sv.cpu_size, sizeof(*list.cpus));
		sv.now_ns = list.now_ns;
		sv.nr_servers = list.nr_servers;
		sv.nr_cpus = list.nr_cpus;
		if ((!err || err == -ENOSPC) &&
		    copy_to_user(arg, &sv, min_t(size_t, size, sizeof(sv))))
			err = -EFAULT;
	}
	kvfree(list.servers);
	kvfree(list.cpus);
	return err;
}

/*
 * /dev/a653
 */

static long a653_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	struct a653_call call = { .ns = task_active_pid_ns(current) };
	int err;

	switch (cmd) {
	case A653_IOC_LOAD:
		err = a653_ioctl_load(&call, uarg);
		break;
	case A653_IOC_GET:
		err = a653_ioctl_get(&call, uarg);
		break;
	case A653_IOC_UNLOAD:
		err = a653_ioctl_unload(&call, uarg);
		break;
	case A653_IOC_SWITCH:
		err = a653_ioctl_switch(&call, uarg);
		break;
	case A653_IOC_STATUS:
		err = a653_ioctl_status(&call, uarg);
		break;
	case A653_IOC_SERVERS:
		err = a653_ioctl_servers(&call, uarg);
		break;
	default:
		return -ENOTTY;
	}
	if (err)
		a653_tell(&call, err);
	return err;
}

static const struct file_operations a653_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= a653_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

/* Everybody may look. What changes something asks for CAP_SYS_NICE. */
static struct miscdevice a653_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "a653",
	.fops	= &a653_fops,
	.mode	= 0666,
};

static struct ctl_table a653_sysctls[] = {
	{
		.procname	= "sched_a653_min_slack_pct",
		.data		= &sysctl_a653_min_slack_pct,
		.maxlen		= sizeof(sysctl_a653_min_slack_pct),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE_HUNDRED,
	},
};

/* Tasks that wait in a closed partition are invisible to what empties a CPU */
static int a653_cpu_vacant(unsigned int cpu)
{
	lockdep_assert_held(&a653_mutex);

	a653_evict_stragglers(NULL);
	if (!a653_cpu_has_tasks(cpu))
		return 0;
	pr_info("a653: CPU %u has SCHED_A653 or SCHED_RTDS tasks and stays online\n", cpu);
	return -EBUSY;
}

/**
 * a653_cpu_deactivate - may this CPU go offline?
 * @cpu: the CPU
 *
 * Called by sched_cpu_deactivate() before it does anything: what is undone after
 * a later refusal would have thrown tasks out of their windows. A CPU of a module
 * has to stay: half a module is none. Only when the system goes down, the module
 * goes with it: a kexec relies on it.
 *
 * Context: cpus_write_lock() is held.
 * Return: 0 or -EBUSY.
 */
int a653_cpu_deactivate(unsigned int cpu)
{
	struct a653_module *mod;

	scoped_guard(mutex, &a653_mutex) {
		mod = a653_module_find_cpu(cpu);
		if (!mod)
			return system_state > SYSTEM_RUNNING ? 0 : a653_cpu_vacant(cpu);
		if (system_state <= SYSTEM_RUNNING) {
			pr_info("a653: CPU %u belongs to module '%s' and stays online\n",
				cpu, mod->name);
			return -EBUSY;
		}
		WRITE_ONCE(mod->going, true);
		kick_all_cpus_sync();
		a653_evict(mod);
		a653_module_stop(mod);
	}
	a653_module_free(mod);
	return 0;
}

/* As a653_cpu_deactivate(), for those that came before the CPU was inactive */
static int a653_cpu_offline(unsigned int cpu)
{
	guard(mutex)(&a653_mutex);
	return system_state > SYSTEM_RUNNING ? 0 : a653_cpu_vacant(cpu);
}

static int __init a653_plan_init(void)
{
	int err;

	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "sched/a653:online",
					NULL, a653_cpu_offline);
	if (err < 0)
		return err;
	register_sysctl_init("kernel", a653_sysctls);
	return misc_register(&a653_device);
}
device_initcall(a653_plan_init);

#if IS_ENABLED(CONFIG_SCHED_A653_KUNIT_TEST)

/* What the ioctls do, for tests in the kernel */

/**
 * a653_test_load - A653_IOC_LOAD
 * @conf: the configuration
 * @reason: why it was refused, of A653_REASON_LEN
 *
 * Return: 0 or -errno.
 */
int a653_test_load(const struct a653_conf *conf, char *reason)
{
	const struct a653_config *cfg = &conf->cfg;
	struct a653_call call = { };
	struct a653_plan *plan;
	int err;

	plan = kzalloc(sizeof(*plan), GFP_KERNEL);
	if (!plan)
		return -ENOMEM;
	plan->conf.cfg = *cfg;
	plan->conf.cpus = kvmemdup(conf->cpus, cfg->nr_cpu_words * sizeof(*conf->cpus),
				   GFP_KERNEL);
	plan->conf.partitions = kvmemdup(conf->partitions,
					 cfg->nr_partitions * sizeof(*conf->partitions),
					 GFP_KERNEL);
	plan->conf.schedules = kvmemdup(conf->schedules,
					cfg->nr_schedules * sizeof(*conf->schedules),
					GFP_KERNEL);
	plan->conf.windows = kvmemdup(conf->windows,
				      cfg->nr_windows * sizeof(*conf->windows),
				      GFP_KERNEL);
	if (!plan->conf.cpus || !plan->conf.partitions || !plan->conf.schedules ||
	    !plan->conf.windows)
		err = -ENOMEM;
	else
		err = a653_plan_complete(&call, plan);
	if (err)
		a653_plan_free_memory(plan);
	else
		err = a653_load(&call, cfg, plan);
	memcpy(reason, call.reason, A653_REASON_LEN);
	return err;
}

/**
 * a653_test_switch - A653_IOC_SWITCH
 * @req: the request
 * @reason: why it was refused, of A653_REASON_LEN
 *
 * Return: 0 or -errno.
 */
int a653_test_switch(const struct a653_request *req, char *reason)
{
	struct a653_call call = { };
	int err = a653_switch(&call, req);

	memcpy(reason, call.reason, A653_REASON_LEN);
	return err;
}

/**
 * a653_test_unload - A653_IOC_UNLOAD
 * @req: the request
 * @reason: why it was refused, of A653_REASON_LEN
 *
 * Return: 0 or -errno.
 */
int a653_test_unload(const struct a653_request *req, char *reason)
{
	struct a653_call call = { };
	int err = a653_unload(&call, req);

	memcpy(reason, call.reason, A653_REASON_LEN);
	return err;
}

#endif /* CONFIG_SCHED_A653_KUNIT_TEST */
