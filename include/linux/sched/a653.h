/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_SCHED_A653_H
#define _LINUX_SCHED_A653_H

#include <linux/kconfig.h>
#include <linux/types.h>
#include <uapi/linux/sched_a653.h>

struct task_struct;

/* A thread with a deferrable server of its own, see kernel/sched/rtds.c */
static inline bool rtds_policy(int policy)
{
	return IS_ENABLED(CONFIG_SCHED_A653) && policy == SCHED_RTDS;
}

/* A task of the a653 class: that, or a process of a partition */
static inline bool a653_policy(int policy)
{
	return IS_ENABLED(CONFIG_SCHED_A653) &&
	       (policy == SCHED_A653 || policy == SCHED_RTDS);
}

#ifdef CONFIG_SCHED_A653
void rtds_fork_task(struct task_struct *p);
void rtds_free_task(struct task_struct *p);
#else
static inline void rtds_fork_task(struct task_struct *p) { }
static inline void rtds_free_task(struct task_struct *p) { }
#endif

#endif /* _LINUX_SCHED_A653_H */
