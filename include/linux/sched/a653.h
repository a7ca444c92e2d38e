/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_SCHED_A653_H
#define _LINUX_SCHED_A653_H

#include <linux/kconfig.h>
#include <linux/types.h>
#include <uapi/linux/sched_a653.h>

/* Is @policy the policy of a process of a partition, see kernel/sched/a653.c */
static inline bool a653_policy(int policy)
{
	return IS_ENABLED(CONFIG_SCHED_A653) && policy == SCHED_A653;
}

#endif /* _LINUX_SCHED_A653_H */
