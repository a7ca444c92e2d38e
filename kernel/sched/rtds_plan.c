// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_RTDS: the budgets of partitions
 *
 * A partition has its servers from the configuration that is in force, until another
 * one comes into force, or somebody writes to a653.rtds of the cgroup that is bound to
 * it. What is promised (rtds_admit.c) is ahead of that: it is what the configuration
 * that was loaded last asks for, since the load must be able to say no. When it comes
 * into force its budgets are set, by the worker that cleans up after that.
 *
 * All servers of a partition have the same parameters and their periods begin at the
 * same instants: when the budget of a task's partition is used up on one CPU, there
 * is none left elsewhere that would last for longer.
 *
 * Everything here is under a653_mutex.
 */
#include <linux/mmu_context.h>
#include <linux/parser.h>
#include <linux/pid_namespace.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "sched.h"
#include "a653.h"

static const struct rtds_params rtds_no_params;

/* What a configuration gives to a partition, and on which CPUs */
static struct rtds_params rtds_declared(const struct a653_plan *plan,
					const struct a653_part *part, struct cpumask *cpus)
{
	struct rtds_params par = rtds_no_params;
	u32 i;

	cpumask_clear(cpus);
	for (i = 0; plan && i < plan->conf.cfg.nr_budgets; i++) {
		const struct a653_budget *b = &plan->conf.budgets[i];

		if (plan->parts[b->partition] != part)
			continue;
		cpumask_set_cpu(b->cpu, cpus);
		par.budget_ns = b->budget_ns;
		par.period_ns = b->period_ns;
		par.extra = b->flags & A653_BUDGET_EXTRATIME;
	}
	return par;
}

static bool rtds_params_equal(const struct rtds_params *a, const struct rtds_params *b)
{
	return a->budget_ns == b->budget_ns && a->period_ns == b->period_ns &&
	       a->extra == b->extra;
}

/**
 * rtds_part_set - give a partition other servers
 * @part: the partition; it has queues
 * @par: the parameters; budget 0: none
 * @cpus: on which CPUs
 * @now: CLOCK_MONOTONIC: when the periods of new servers begin
 *
 * What it has already goes on as it is.
 *
 * Context: process, a653_mutex.
 */
void rtds_part_set(struct a653_part *part, const struct rtds_params *par,
		   const struct cpumask *cpus, s64 now)
{
	bool same = rtds_params_equal(&part->par, par);
	int cpu;

	lockdep_assert_held(&a653_mutex);
	for_each_possible_cpu(cpu) {
		bool has = cpumask_test_cpu(cpu, &part->server_cpus);
		bool wants = par->budget_ns && cpumask_test_cpu(cpu, cpus);

		if (has == wants && (!wants || same))
			continue;
		scoped_guard(rq_lock_irqsave, cpu_rq(cpu)) {
			update_rq_clock(cpu_rq(cpu));
			rtds_set_server(cpu_rq(cpu), per_cpu_ptr(part->pcpu, cpu),
					wants ? par : &rtds_no_params, now);
		}
		cpumask_assign_cpu(cpu, &part->server_cpus, wants);
		if (wants)
			cpumask_set_cpu(cpu, &part->cpus);
	}
	part->par = *par;
}

/*
 * What a module asks for with a configuration: the budgets that it declares, or
 * those that its partitions have now if that is the one in force.
 */
static int rtds_wants(struct a653_module *mod, const struct a653_plan *plan, bool declared,
		      struct list_head *parts, struct rtds_want **want)
{
	struct a653_part *part;
	cpumask_var_t cpus;
	u32 nr = 0, i = 0;
	int cpu;

	list_for_each_entry(part, parts, node)
		nr++;
	*want = kvcalloc(array_size(nr, num_possible_cpus()), sizeof(**want), GFP_KERNEL);
	if (!*want)
		return -ENOMEM;
	if (!alloc_cpumask_var(&cpus, GFP_KERNEL)) {
		kvfree(*want);
		return -ENOMEM;
	}
	list_for_each_entry(part, parts, node) {
		struct rtds_params par = part->par;

		if (declared)
			par = rtds_declared(plan, part, cpus);
		else
			cpumask_copy(cpus, &part->server_cpus);
		/* Of no module: what a load that failed asked for, if anything */
		if (!part->pcpu || (part->module && part->module != mod))
			continue;
		for_each_possible_cpu(cpu) {
			struct rtds_grant *grant = &per_cpu_ptr(part->pcpu, cpu)->server.grant;
			bool wants = par.budget_ns && cpumask_test_cpu(cpu, cpus);

			if (!wants && !grant->par.budget_ns)
				continue;
			(*want)[i++] = (struct rtds_want) {
				.grant = grant,
				.par = wants ? par : rtds_no_params,
				.cpu = cpu,
			};
		}
	}
	free_cpumask_var(cpus);
	return i;
}

/**
 * rtds_admit_plan - can all promises be kept with this schedule?
 * @mod: the module that is to follow it
 * @plan: the configuration
 * @schedule: index of the schedule in it
 * @parts: all partitions
 * @how: ask only; make the promises if they can be kept; make them
 * @why: filled in if they cannot
 *
 * Context: process, a653_mutex.
 * Return: 0, -EBUSY, -ENOMEM.
 */
int rtds_admit_plan(struct a653_module *mod, const struct a653_plan *plan,
		    unsigned int schedule, struct list_head *parts, enum rtds_how how,
		    struct rtds_refusal *why)
{
	struct rtds_want *want;
	int nr, err;

	lockdep_assert_held(&a653_mutex);
	nr = rtds_wants(mod, plan, plan != mod->budgets_of, parts, &want);
	if (nr < 0)
		return nr;
	err = rtds_admit_servers(want, nr, &mod->cpus,
				 &plan->supplies[schedule * nr_cpu_ids], how, why);
	kvfree(want);
	return err;
}

/**
 * rtds_apply_plan - a configuration has come into force, or went
 * @mod: the module
 * @plan: the configuration, or NULL
 * @parts: all partitions
 *
 * Context: process, a653_mutex.
 */
void rtds_apply_plan(struct a653_module *mod, const struct a653_plan *plan,
		     struct list_head *parts)
{
	static struct cpumask cpus;
	struct rtds_params par;
	struct a653_part *part;
	s64 now = ktime_get();

	lockdep_assert_held(&a653_mutex);
	if (mod->budgets_of == plan)
		return;
	mod->budgets_of = plan;
	list_for_each_entry(part, parts, node) {
		if (part->module != mod)
			continue;
		par = rtds_declared(plan, part, &cpus);
		rtds_part_set(part, &par, &cpus, now);
	}
}

/**
 * rtds_forget_module - withdraw all that was promised to the partitions of a module
 * @mod: the module, which is being unloaded; its partitions are still its own
 * @parts: all partitions
 *
 * Context: process, a653_mutex.
 */
void rtds_forget_module(struct a653_module *mod, struct list_head *parts)
{
	struct a653_part *part;
	int cpu;

	lockdep_assert_held(&a653_mutex);
	list_for_each_entry(part, parts, node) {
		if (part->module != mod)
			continue;
		for_each_possible_cpu(cpu)
			rtds_forget(&per_cpu_ptr(part->pcpu, cpu)->server.grant);
	}
	for_each_cpu(cpu, &mod->cpus)
		rtds_forget_table(cpu);
}

/**
 * rtds_part_admit - promise a partition another budget, if that can be
 * @part: the partition
 * @par: the parameters; budget 0: none
 * @cpus: on which CPUs
 *
 * Context: process, a653_mutex.
 * Return: 0, -EBUSY, -ENOMEM.
 */
int rtds_part_admit(struct a653_part *part, const struct rtds_params *par,
		    const struct cpumask *cpus)
{
	struct rtds_refusal why;
	struct rtds_want *want;
	int cpu, err;
	u32 nr = 0;

	want = kvcalloc(num_possible_cpus(), sizeof(*want), GFP_KERNEL);
	if (!want)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct rtds_grant *grant = &per_cpu_ptr(part->pcpu, cpu)->server.grant;
		bool wants = par->budget_ns && cpumask_test_cpu(cpu, cpus);

		if (wants || grant->par.budget_ns)
			want[nr++] = (struct rtds_want) {
				.grant = grant,
				.par = wants ? *par : rtds_no_params,
				.cpu = cpu,
			};
	}
	err = rtds_admit_servers(want, nr, cpu_none_mask, NULL, RTDS_MAKE, &why);
	kvfree(want);
	return err;
}

/*
 * a653.rtds
 */

/**
 * rtds_part_show - the budget of a partition, as it can be written
 * @sf: where to
 * @part: the partition
 */
void rtds_part_show(struct seq_file *sf, struct a653_part *part)
{
	if (part->par.budget_ns)
		seq_printf(sf, "budget_ns=%llu period_ns=%llu extratime=%d cpus=%*pbl",
			   part->par.budget_ns, part->par.period_ns, part->par.extra,
			   cpumask_pr_args(&part->server_cpus));
	seq_putc(sf, '\n');
}

enum { RTDS_OPT_BUDGET, RTDS_OPT_PERIOD, RTDS_OPT_EXTRA, RTDS_OPT_CPUS, RTDS_OPT_ERR };

static const match_table_t rtds_options = {
	{ RTDS_OPT_BUDGET, "budget_ns=%s" },
	{ RTDS_OPT_PERIOD, "period_ns=%s" },
	{ RTDS_OPT_EXTRA, "extratime=%s" },
	{ RTDS_OPT_CPUS, "cpus=%s" },
	{ RTDS_OPT_ERR, NULL }
};

/**
 * rtds_part_write - change the budget of a partition
 * @part: the partition
 * @buf: "none", or what is to be changed, as "key=value ..."; is written to
 *
 * Context: process, a653_mutex.
 * Return: 0; -EINVAL; what a653_part_budget() returns; -EPERM if the partition is in
 * no module.
 */
int rtds_part_write(struct a653_part *part, char *buf)
{
	struct rtds_params par = part->par;
	substring_t args[MAX_OPT_ARGS];
	unsigned int seen = 0, extra;
	cpumask_var_t cpus;
	int option, err = 0;
	char *token;

	lockdep_assert_held(&a653_mutex);
	if (!part->module)
		return -EPERM;
	if (!alloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	cpumask_copy(cpus, par.budget_ns ? &part->server_cpus : &part->module->cpus);

	if (!strcmp(buf, "none")) {
		err = a653_part_budget(part, &rtds_no_params, cpus);
		free_cpumask_var(cpus);
		return err;
	}
	while (!err && (token = strsep(&buf, " \t\n"))) {
		if (!*token)
			continue;
		option = match_token(token, rtds_options, args);
		/* A second one would silently be the one that counts */
		if (seen & BIT(option))
			option = RTDS_OPT_ERR;
		seen |= BIT(option);
		switch (option) {
		case RTDS_OPT_BUDGET:
			err = kstrtou64(args->from, 0, &par.budget_ns);
			break;
		case RTDS_OPT_PERIOD:
			err = kstrtou64(args->from, 0, &par.period_ns);
			break;
		case RTDS_OPT_EXTRA:
			err = kstrtouint(args->from, 0, &extra);
			if (!err && extra > 1)
				err = -EINVAL;
			par.extra = extra;
			break;
		case RTDS_OPT_CPUS:
			err = cpulist_parse(args->from, cpus);
			break;
		default:
			err = -EINVAL;
		}
	}
	if (!err && !par.budget_ns)
		err = -EINVAL;
	if (err == -ERANGE)
		err = -EINVAL;
	err = err ?: a653_part_budget(part, &par, cpus);
	free_cpumask_var(cpus);
	return err;
}

/*
 * A653_IOC_SERVERS
 */

static void rtds_list_one(struct rtds_list *list, struct rq *rq, struct rtds_entity *e,
			  const char *name, pid_t pid)
{
	struct a653_server_stat *st;

	if (list->nr_servers++ >= list->room_servers)
		return;
	st = &list->servers[list->nr_servers - 1];
	rtds_server_stat(rq, e, st);
	strscpy(st->name, name);
	st->pid = pid;
}

/**
 * rtds_list_servers - all servers, and all CPUs
 * @list: filled in
 * @parts: all partitions
 *
 * Context: process, a653_mutex.
 */
void rtds_list_servers(struct rtds_list *list, struct list_head *parts)
{
	struct task_struct *g, *p;
	struct a653_part *part;
	char comm[TASK_COMM_LEN];
	struct rq_flags rf;
	struct rq *rq;
	pid_t pid;
	int cpu;

	lockdep_assert_held(&a653_mutex);
	list->now_ns = ktime_get();
	list_for_each_entry(part, parts, node) {
		for_each_cpu(cpu, &part->server_cpus) {
			guard(rq_lock_irqsave)(cpu_rq(cpu));
			rtds_list_one(list, cpu_rq(cpu), &per_cpu_ptr(part->pcpu, cpu)->server,
				      part->name, 0);
		}
	}
	scoped_guard(rcu) {
		for_each_process_thread(g, p) {
			if (!rtds_policy(READ_ONCE(p->policy)) || READ_ONCE(p->exit_state))
				continue;
			get_task_comm(comm, p);
			rq = task_rq_lock(p, &rf);
			pid = task_pid_nr_ns(p, list->ns);
			/* Not one that the caller does not see */
			if (rtds_policy(p->policy) && pid)
				rtds_list_one(list, rq, p->a653.rtds, comm, pid);
			task_rq_unlock(rq, p, &rf);
		}
	}
	for_each_online_cpu(cpu) {
		if (list->nr_cpus < list->room_cpus) {
			struct a653_cpu_stat *st = &list->cpus[list->nr_cpus];

			st->cpu = cpu;
			rtds_cpu_stat(cpu, st);
			rtds_rq_stat(cpu, st);
		}
		list->nr_cpus++;
	}
}
