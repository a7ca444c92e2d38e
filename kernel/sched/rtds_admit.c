// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_RTDS: what was promised to whom, and the parameters of threads
 *
 * Each server has a grant: its utilisation, on the CPU to which it belongs. A thread
 * that may use several CPUs has it on all of them: threads with the same CPUs are a
 * group. Before a grant is made or changed, or a CPU gets another frame table, it is
 * entered as if it had been made; then every CPU and every group that it concerns is
 * asked whether it still can keep what it promised. If one cannot, all is as before.
 *
 *   A CPU has servers of its own. In every interval that is as long as the shortest
 *   of their periods, or longer, the time that the frame table leaves free must be
 *   enough for their utilisation (rtds_fits()). Threads of groups may come before
 *   them at any time: their utilisation is added, and as demand that comes at once
 *   what such threads may bring with them that were running elsewhere.
 *
 *   A group has the free time of its CPUs, but for what others take there: servers
 *   that belong to one of these CPUs, and threads of groups that overlap with it.
 *   Each of these takes its utilisation, and in any interval not more than
 *   rtds_burst() beyond that. The rest must do for rtds_fits_global().
 *
 * So each kind takes the other for one that always comes first, as far as it can: of
 * what has a later deadline nothing does. That is pessimistic: a CPU cannot be filled
 * up with both. On CPUs with servers of one kind the bounds are those that
 * sched-rtds.rst proves.
 *
 * What is promised is bounded by all that windows leave but for the share of
 * kernel.sched_a653_min_slack_pct, which stays with the lower classes.
 *
 * rtds_lock is a leaf. Under it everything is linear in the number of grants of a
 * group, and of CPUs times groups.
 */
#include <linux/mmu_context.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>

#include "sched.h"
#include "a653.h"

/* Different sets of CPUs that threads may have at a time */
#define RTDS_MAX_GROUPS		32

/**
 * struct rtds_group - threads that may use the same CPUs, more than one
 * @cpus: the CPUs
 * @grants: theirs; empty: it is not in use
 */
struct rtds_group {
	struct cpumask cpus;
	struct list_head grants;
};

/**
 * struct rtds_cap - what a CPU has to give
 * @supply: what its frame table leaves free
 * @grants: of servers that belong to this CPU
 * @util: sum of their utilisations
 * @burst_ns: what they may use beyond that in any interval
 */
struct rtds_cap {
	struct rtds_supply supply;
	struct list_head grants;
	u64 util;
	u64 burst_ns;
};

static DEFINE_RAW_SPINLOCK(rtds_lock);
static struct rtds_group rtds_groups[RTDS_MAX_GROUPS];
static DEFINE_PER_CPU(struct rtds_cap, rtds_caps);

/*
 * Entering and removing
 */

static struct rtds_group *rtds_find_group(const struct cpumask *cpus)
{
	struct rtds_group *g, *unused = NULL;

	for (g = rtds_groups; g < rtds_groups + RTDS_MAX_GROUPS; g++) {
		if (list_empty(&g->grants))
			unused = unused ?: g;
		else if (cpumask_equal(&g->cpus, cpus))
			return g;
	}
	if (unused)
		cpumask_copy(&unused->cpus, cpus);
	return unused;
}

/*
 * In no interval of a length L does a server run for more than util * L and this: the
 * budget of a period that began before it, and of one that ends after it.
 */
static u64 rtds_burst(const struct rtds_grant *grant)
{
	u64 budget_ns = grant->par.budget_ns;

	return 2 * (budget_ns - mul_u64_u64_shr(budget_ns, min(grant->util, RTDS_UNIT),
						RTDS_UNIT_SHIFT));
}

static void rtds_remove(struct rtds_grant *grant)
{
	struct rtds_cap *cap;

	if (!grant->par.budget_ns)
		return;
	list_del(&grant->node);
	if (!grant->group) {
		cap = per_cpu_ptr(&rtds_caps, grant->cpu);
		cap->util -= grant->util;
		cap->burst_ns -= rtds_burst(grant);
	}
	grant->par.budget_ns = 0;
}

/* Budget 0: nothing is promised. -EINVAL: no CPU. -ENOSPC: too many sets of CPUs. */
static int rtds_enter(struct rtds_grant *grant, const struct rtds_params *par,
		      const struct cpumask *cpus)
{
	struct rtds_group *group = NULL;
	struct rtds_cap *cap;
	int cpu;

	if (!par->budget_ns)
		return 0;
	cpu = cpumask_first(cpus);
	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	if (cpumask_next(cpu, cpus) < nr_cpu_ids) {
		group = rtds_find_group(cpus);
		if (!group)
			return -ENOSPC;
	}
	grant->par = *par;
	grant->util = rtds_util(par);
	grant->group = group;
	grant->cpu = cpu;
	if (group) {
		list_add(&grant->node, &group->grants);
	} else {
		cap = per_cpu_ptr(&rtds_caps, cpu);
		list_add(&grant->node, &cap->grants);
		cap->util += grant->util;
		cap->burst_ns += rtds_burst(grant);
	}
	return 0;
}

/*
 * Asking
 */

/*
 * What threads ask of a CPU. Such with a deadline that is near for a server of the
 * CPU come while it is busy with that, but for those that run on the other CPUs of
 * their group when it begins to be: at most one on each, and each with no more than
 * a budget.
 */
static void rtds_threads_demand(int cpu, struct rtds_demand *dem)
{
	struct rtds_grant *grant;
	struct rtds_group *g;
	u64 max_ns, sum_ns;

	for (g = rtds_groups; g < rtds_groups + RTDS_MAX_GROUPS; g++) {
		if (list_empty(&g->grants) || !cpumask_test_cpu(cpu, &g->cpus))
			continue;
		max_ns = 0;
		sum_ns = 0;
		list_for_each_entry(grant, &g->grants, node) {
			dem->util += grant->util;
			sum_ns += grant->par.budget_ns;
			max_ns = max(max_ns, grant->par.budget_ns);
		}
		dem->burst_ns += min(sum_ns, (cpumask_weight(&g->cpus) - 1) * max_ns);
	}
}

/* What other groups may take of the CPUs of a group */
static void rtds_others_demand(const struct rtds_group *group, u64 *util, u64 *burst_ns)
{
	struct rtds_grant *grant;
	struct rtds_group *g;

	for (g = rtds_groups; g < rtds_groups + RTDS_MAX_GROUPS; g++) {
		if (g == group || list_empty(&g->grants) ||
		    !cpumask_intersects(&g->cpus, &group->cpus))
			continue;
		list_for_each_entry(grant, &g->grants, node) {
			*util += grant->util;
			*burst_ns += rtds_burst(grant);
		}
	}
}

/* Can a CPU keep what it promised to the servers that belong to it? */
static bool rtds_cpu_keeps(int cpu, struct rtds_margin *margin)
{
	struct rtds_cap *cap = per_cpu_ptr(&rtds_caps, cpu);
	struct rtds_demand dem = {
		.util = cap->util,
		.shortest_ns = U64_MAX,
	};
	struct rtds_grant *grant;

	if (list_empty(&cap->grants))
		return true;
	list_for_each_entry(grant, &cap->grants, node)
		dem.shortest_ns = min(dem.shortest_ns, grant->par.period_ns);
	rtds_threads_demand(cpu, &dem);
	return rtds_fits(&cap->supply, &dem, a653_min_slack_pct(), margin);
}

/* Can the CPUs of a group keep what they promised to its threads? */
static bool rtds_group_keeps(const struct rtds_group *g)
{
	u64 free = 0, taken = 0, lag_ns = 0, util = 0, util_max = 0, shortest_ns = U64_MAX;
	u64 reserve = RTDS_UNIT * a653_min_slack_pct() / 100;
	struct rtds_grant *grant;
	unsigned int cpus = 0;
	int cpu;

	for_each_cpu(cpu, &g->cpus) {
		struct rtds_cap *cap = per_cpu_ptr(&rtds_caps, cpu);

		free += rtds_supply_util(&cap->supply);
		taken += cap->util + reserve;
		lag_ns += cap->supply.lag_ns + cap->burst_ns;
		cpus++;
	}
	rtds_others_demand(g, &taken, &lag_ns);
	if (free < taken)
		return false;
	list_for_each_entry(grant, &g->grants, node) {
		util += grant->util;
		util_max = max(util_max, grant->util);
		shortest_ns = min(shortest_ns, grant->par.period_ns);
	}
	return rtds_fits_global(free - taken, lag_ns, util, util_max, cpus, shortest_ns);
}

/* Can all promises be kept that were made on @cpus? If not, @why says which. */
static bool rtds_keep(const struct cpumask *cpus, struct rtds_refusal *why)
{
	struct rtds_cap *cap;
	struct rtds_group *g;
	int cpu;

	for_each_cpu(cpu, cpus) {
		if (rtds_cpu_keeps(cpu, &why->margin))
			continue;
		cap = per_cpu_ptr(&rtds_caps, cpu);
		why->cpu = cpu;
		why->threads = false;
		why->free = rtds_supply_util(&cap->supply);
		why->asked = cap->util;
		return false;
	}
	for (g = rtds_groups; g < rtds_groups + RTDS_MAX_GROUPS; g++) {
		if (list_empty(&g->grants) || !cpumask_intersects(&g->cpus, cpus) ||
		    rtds_group_keeps(g))
			continue;
		why->cpu = cpumask_first_and(&g->cpus, cpus);
		why->threads = true;
		return false;
	}
	return true;
}

/* With the same CPUs, nobody else can have less for it */
static bool rtds_no_more(const struct rtds_params *old, const struct rtds_params *par)
{
	return !par->budget_ns || (par->budget_ns <= old->budget_ns &&
				   par->period_ns >= old->period_ns);
}

/*
 * Make @grant one of @par on @cpus, or leave it as it is on @old_cpus. -EBUSY if not
 * all promises could be kept. With @force it is made all the same, if it can be.
 */
static int rtds_change_grant(struct rtds_grant *grant, const struct cpumask *old_cpus,
			     const struct rtds_params *par, const struct cpumask *cpus,
			     bool force)
{
	struct rtds_params old = grant->par;
	struct rtds_refusal why;
	int err;

	lockdep_assert_held(&rtds_lock);
	if (!par->budget_ns || (cpumask_equal(old_cpus, cpus) && rtds_no_more(&old, par)))
		force = true;
	rtds_remove(grant);
	err = rtds_enter(grant, par, cpus);
	if (!err && (force || rtds_keep(cpus, &why)))
		return 0;
	rtds_remove(grant);
	/* There was room for it */
	rtds_enter(grant, &old, old_cpus);
	return err ?: -EBUSY;
}

/*
 * Partitions
 */

/**
 * rtds_admit_servers - can all promises be kept with other budgets and frame tables?
 * @want: the servers of partitions that are to have other parameters
 * @nr: elements at @want
 * @cpus: CPUs that get another frame table
 * @supplies: what these leave free, by CPU
 * @how: ask only; make the promises if they can be kept; make them
 * @why: filled in if they cannot
 *
 * Context: process.
 * Return: 0, -EBUSY, -ENOMEM.
 */
int rtds_admit_servers(struct rtds_want *want, u32 nr, const struct cpumask *cpus,
		       struct rtds_supply *const *supplies, enum rtds_how how,
		       struct rtds_refusal *why)
{
	struct rtds_supply *old;
	bool fits, undo, no_more = cpumask_empty(cpus);
	cpumask_var_t concerned;
	int cpu, i = 0;
	u32 n;

	if (!alloc_cpumask_var(&concerned, GFP_KERNEL))
		return -ENOMEM;
	old = kvcalloc(cpumask_weight(cpus) + 1, sizeof(*old), GFP_KERNEL);
	if (!old) {
		free_cpumask_var(concerned);
		return -ENOMEM;
	}
	cpumask_copy(concerned, cpus);

	scoped_guard(raw_spinlock_irq, &rtds_lock) {
		for_each_cpu(cpu, cpus) {
			struct rtds_cap *cap = per_cpu_ptr(&rtds_caps, cpu);

			old[i++] = cap->supply;
			cap->supply = *supplies[cpu];
		}
		for (n = 0; n < nr; n++) {
			want[n].old = want[n].grant->par;
			no_more &= rtds_no_more(&want[n].old, &want[n].par);
			rtds_remove(want[n].grant);
			rtds_enter(want[n].grant, &want[n].par, cpumask_of(want[n].cpu));
			cpumask_set_cpu(want[n].cpu, concerned);
		}
		fits = how == RTDS_FORCE || no_more || rtds_keep(concerned, why);
		undo = how == RTDS_ASK || (how == RTDS_MAKE && !fits);
		for (n = 0; undo && n < nr; n++) {
			rtds_remove(want[n].grant);
			rtds_enter(want[n].grant, &want[n].old, cpumask_of(want[n].cpu));
		}
		i = 0;
		for_each_cpu(cpu, cpus) {
			if (undo)
				per_cpu_ptr(&rtds_caps, cpu)->supply = old[i++];
		}
	}
	kvfree(old);
	free_cpumask_var(concerned);
	return fits ? 0 : -EBUSY;
}

/**
 * rtds_forget - withdraw a promise
 * @grant: what was promised, if anything
 *
 * Context: any.
 */
void rtds_forget(struct rtds_grant *grant)
{
	guard(raw_spinlock_irqsave)(&rtds_lock);
	rtds_remove(grant);
}

/**
 * rtds_forget_table - a CPU has no frame table any more
 * @cpu: the CPU
 */
void rtds_forget_table(int cpu)
{
	guard(raw_spinlock_irq)(&rtds_lock);
	rtds_supply_full(&per_cpu_ptr(&rtds_caps, cpu)->supply);
}

/**
 * rtds_cpu_stat - what was promised on a CPU
 * @cpu: the CPU
 * @st: filled in, but for the counters
 */
void rtds_cpu_stat(int cpu, struct a653_cpu_stat *st)
{
	struct rtds_cap *cap = per_cpu_ptr(&rtds_caps, cpu);
	struct rtds_grant *grant;
	struct rtds_demand dem = { };

	guard(raw_spinlock_irq)(&rtds_lock);
	st->major_ns = cap->supply.major_ns;
	st->free_ns = cap->supply.free_ns;
	st->util = cap->util;
	list_for_each_entry(grant, &cap->grants, node) {
		if (!st->shortest_ns || grant->par.period_ns < st->shortest_ns)
			st->shortest_ns = grant->par.period_ns;
	}
	rtds_threads_demand(cpu, &dem);
	st->global_util = dem.util;
}

/*
 * Threads
 */

static const struct rtds_params rtds_no_params;

static struct rtds_params rtds_params_of(const struct sched_attr *attr)
{
	return (struct rtds_params) {
		.budget_ns = attr->sched_runtime,
		.period_ns = attr->sched_period,
		.extra = attr->sched_flags & SCHED_FLAG_RECLAIM,
	};
}

/* Of the grant, when it was made. One that has none has no CPUs either. */
static const struct cpumask *rtds_grant_cpus(const struct rtds_grant *grant)
{
	return grant->group ? &grant->group->cpus : cpumask_of(grant->cpu);
}

/* Under rtds_lock */
static struct cpumask rtds_tmp_cpus, rtds_old_cpus;

static int rtds_change_task(struct task_struct *p, const struct rtds_params *par,
			    const struct cpumask *mask, bool force)
{
	struct rtds_grant *grant = &p->a653.rtds->grant;

	lockdep_assert_held(&rtds_lock);
	cpumask_copy(&rtds_old_cpus, rtds_grant_cpus(grant));
	/* CPUs that will never be do not count */
	cpumask_and(&rtds_tmp_cpus, mask, cpu_active_mask);
	return rtds_change_grant(grant, &rtds_old_cpus, par, &rtds_tmp_cpus, force);
}

/* Are these the parameters of a server? */
bool rtds_attr_valid(const struct sched_attr *attr)
{
	struct rtds_params par = rtds_params_of(attr);

	return !rtds_params_check(&par) &&
	       (!attr->sched_deadline || attr->sched_deadline == attr->sched_period) &&
	       !(attr->sched_flags & SCHED_FLAG_DL_OVERRUN);
}

static bool rtds_enabled;

static int rtds_enable_locked(void *unused)
{
	if (rtds_enabled)
		return 0;
	a653_class_get();
	rtds_use();
	/* Pairs with rtds_prepare() */
	smp_store_release(&rtds_enabled, true);
	return 0;
}

/*
 * Before @p gets the policy @policy: a server for it, and the class in use. The first
 * SCHED_RTDS thread switches that on, and nothing switches it off.
 *
 * Context: process, may sleep.
 */
int rtds_prepare(struct task_struct *p, int policy)
{
	struct rtds_entity *e;

	if (!rtds_policy(policy) || READ_ONCE(p->a653.rtds))
		return 0;
	/* Pairs with rtds_enable_locked() */
	if (!smp_load_acquire(&rtds_enabled))
		a653_locked_cpus(rtds_enable_locked, NULL);
	e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	e->task = p;
	RB_CLEAR_NODE(&e->due_node);
	RB_CLEAR_NODE(&e->push_node);
	if (cmpxchg(&p->a653.rtds, NULL, e))
		kfree(e);
	return 0;
}

/* @p is a copy of its parent */
void rtds_fork_task(struct task_struct *p)
{
	p->a653.rtds = NULL;
}

/* A zombie can have got a promise after its last breath: rtds_task_dead() */
void rtds_free_task(struct task_struct *p)
{
	if (!p->a653.rtds)
		return;
	rtds_forget(&p->a653.rtds->grant);
	kfree(p->a653.rtds);
}

/* Would it change @p, which is SCHED_RTDS? Under rq->lock. */
bool rtds_attr_changed(struct task_struct *p, const struct sched_attr *attr)
{
	struct rtds_params par = rtds_params_of(attr), *now = &p->a653.rtds->s.par;

	return par.budget_ns != now->budget_ns || par.period_ns != now->period_ns ||
	       par.extra != now->extra;
}

/**
 * rtds_admit_task - may a thread have this policy with these parameters?
 * @p: the thread
 * @policy: what it is to be
 * @attr: the parameters, if that is SCHED_RTDS
 *
 * Context: rq->lock of the thread, p->pi_lock.
 * Return: 0, and the promise is made, or withdrawn if it is to be something else;
 * -EBUSY; -EINVAL if none of its CPUs is there; -ENOSPC if there are too many sets of
 * CPUs.
 */
int rtds_admit_task(struct task_struct *p, int policy, const struct sched_attr *attr)
{
	struct rtds_params par = rtds_no_params;

	lockdep_assert_rq_held(task_rq(p));
	/* Neither will the policy change then */
	if (!p->a653.rtds || (attr->sched_flags & SCHED_FLAG_KEEP_PARAMS))
		return 0;
	if (rtds_policy(policy))
		par = rtds_params_of(attr);
	guard(raw_spinlock)(&rtds_lock);
	return rtds_change_task(p, &par, &p->cpus_mask, false);
}

/* Of a thread that is in no queue. Under rq->lock. */
void rtds_set_attr(struct task_struct *p, int policy, const struct sched_attr *attr)
{
	struct rtds_entity *e = p->a653.rtds;
	struct rtds_params par;

	if (!e)
		return;
	if (!rtds_policy(policy)) {
		e->s.par.budget_ns = 0;
		return;
	}
	par = rtds_params_of(attr);
	if (!e->s.par.budget_ns)
		rtds_start(&e->s, &par, ktime_get());
	else
		rtds_change(&e->s, &par, ktime_get());
}

void rtds_get_attr(struct task_struct *p, struct sched_attr *attr)
{
	const struct rtds_params *par = &p->a653.rtds->s.par;

	attr->sched_runtime = par->budget_ns;
	attr->sched_period = par->period_ns;
	attr->sched_deadline = par->period_ns;
	attr->sched_flags &= ~SCHED_FLAG_RECLAIM;
	if (par->extra)
		attr->sched_flags |= SCHED_FLAG_RECLAIM;
}

/*
 * May @p, a SCHED_RTDS thread, be confined to @mask? If so that is promised: it will
 * be. Under rq->lock and pi_lock.
 */
int rtds_check_affinity(struct task_struct *p, const struct cpumask *mask)
{
	struct rtds_params par = p->a653.rtds->grant.par;

	guard(raw_spinlock)(&rtds_lock);
	return rtds_change_task(p, &par, mask, false);
}

/* It was confined to p->cpus_mask, whether that was a good idea or not */
void rtds_affinity_changed(struct task_struct *p)
{
	struct rtds_params par = p->a653.rtds->grant.par;

	guard(raw_spinlock)(&rtds_lock);
	rtds_change_task(p, &par, &p->cpus_mask, true);
}

void rtds_task_dead(struct task_struct *p)
{
	rtds_forget(&p->a653.rtds->grant);
}

/**
 * rtds_admit_init - at boot
 */
void __init rtds_admit_init(void)
{
	struct rtds_group *g;
	int cpu;

	for (g = rtds_groups; g < rtds_groups + RTDS_MAX_GROUPS; g++)
		INIT_LIST_HEAD(&g->grants);
	for_each_possible_cpu(cpu) {
		struct rtds_cap *cap = per_cpu_ptr(&rtds_caps, cpu);

		INIT_LIST_HEAD(&cap->grants);
		rtds_supply_full(&cap->supply);
	}
}
