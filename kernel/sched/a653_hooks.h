/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SCHED_A653: what the rest of the scheduler calls
 *
 * Included by sched.h. Without CONFIG_SCHED_A653 every call here is a constant,
 * and the code around it compiles to what it was.
 */
#ifndef _KERNEL_SCHED_A653_HOOKS_H
#define _KERNEL_SCHED_A653_HOOKS_H

#include <linux/jump_label_ratelimit.h>
#include <linux/minmax.h>
#include <linux/sched/a653.h>

extern const struct sched_class a653_sched_class;

#ifdef CONFIG_SCHED_A653

/* A module is loaded, or was a minute ago; or there was a SCHED_RTDS thread */
extern struct static_key_false_deferred a653_loaded;

bool __a653_task_waits(struct rq *rq, struct task_struct *p);
int a653_check_setscheduler(struct task_struct *p, int policy);
int a653_check_affinity(struct task_struct *p, const struct cpumask *mask);
int a653_cpu_deactivate(unsigned int cpu);

bool rtds_attr_valid(const struct sched_attr *attr);
int rtds_prepare(struct task_struct *p, int policy);
bool rtds_attr_changed(struct task_struct *p, const struct sched_attr *attr);
int rtds_admit_task(struct task_struct *p, int policy, const struct sched_attr *attr);
void rtds_set_attr(struct task_struct *p, int policy, const struct sched_attr *attr);
void rtds_get_attr(struct task_struct *p, struct sched_attr *attr);

static inline bool a653_enabled(void)
{
	return static_branch_unlikely(&a653_loaded.key);
}

/* @p is of this class, but its partition has no window open on @rq */
static inline bool a653_task_waits(struct rq *rq, struct task_struct *p)
{
	return a653_enabled() && p->sched_class == &a653_sched_class &&
	       __a653_task_waits(rq, p);
}

static inline bool a653_class(const struct sched_class *class)
{
	return class == &a653_sched_class;
}

#else /* !CONFIG_SCHED_A653 */

static inline bool a653_enabled(void)
{
	return false;
}

static inline bool a653_task_waits(struct rq *rq, struct task_struct *p)
{
	return false;
}

static inline bool a653_class(const struct sched_class *class)
{
	return false;
}

static inline int a653_check_setscheduler(struct task_struct *p, int policy)
{
	return 0;
}

static inline int a653_check_affinity(struct task_struct *p,
				      const struct cpumask *mask)
{
	return 0;
}

static inline int a653_cpu_deactivate(unsigned int cpu)
{
	return 0;
}

static inline bool rtds_attr_valid(const struct sched_attr *attr)
{
	return false;
}

static inline int rtds_prepare(struct task_struct *p, int policy)
{
	return 0;
}

static inline bool rtds_attr_changed(struct task_struct *p,
				     const struct sched_attr *attr)
{
	return false;
}

static inline int rtds_admit_task(struct task_struct *p, int policy,
				  const struct sched_attr *attr)
{
	return 0;
}

static inline void rtds_set_attr(struct task_struct *p, int policy,
				 const struct sched_attr *attr)
{
}

static inline void rtds_get_attr(struct task_struct *p, struct sched_attr *attr)
{
}

#endif /* CONFIG_SCHED_A653 */

/* The class and the priority of a child that is SCHED_A653 */
static inline void a653_sched_fork(struct task_struct *p)
{
	p->prio = MAX_RT_PRIO - 1 - p->rt_priority;
	p->normal_prio = p->prio;
	p->sched_class = &a653_sched_class;
}

/*
 * A SCHED_A653 task stays in its class whatever it inherits, so it cannot take
 * the negative priority of a deadline task.
 */
static inline int a653_clamp_prio(int policy, int prio)
{
	return a653_policy(policy) ? max(prio, 0) : prio;
}

#endif /* _KERNEL_SCHED_A653_HOOKS_H */
