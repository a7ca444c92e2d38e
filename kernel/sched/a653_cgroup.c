// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_A653: the a653 controller, which binds cgroups to partitions
 *
 * A cgroup is bound to a partition by writing its name to a653.partition. All
 * below it belong to that partition too, down to where another one is bound: the
 * effective partition of a cgroup is that of its nearest bound ancestor, itself
 * included. A name has at most one cgroup at a time. It does not matter whether
 * a module's configuration names the partition yet, or still does.
 *
 * What the scheduler sees is p->a653.part, the effective partition of the task's
 * cgroup, kept with every task, whatever its policy is. It changes under
 * task_rq_lock() only, and is brought up to date by a653_sync_task() after
 * whatever may change what it should be:
 *
 *   a move	after the task is in its new css_set (attach)
 *   a binding	after the effective partition of the cgroups was written, for
 *		each task that is in one of them then
 *   a fork	after the child is in its css_set (fork). Before, it has what
 *		a653_can_fork() gave it, when nobody else could see it.
 *
 * Two of these can meet on one task. Each first makes its change and then comes
 * to a653_sync_task(), which looks at css_set and binding again after the rq->lock
 * section in which it has set the partition. So whichever section comes last sees
 * the changes of all that came before, and no stale partition stays.
 *
 * Between the child's appearance in the list of tasks and a653_fork() somebody may
 * make it SCHED_A653, or find that it is. The partition that it has by then may
 * have been unbound, or left its module; it is still there, since a cgroup keeps
 * each partition that it was ever bound to until css_free(). The child does not
 * run before a653_fork(), which looks at both and makes an ordinary task of it if
 * it could not run where it is.
 *
 * The same holds for tasks that die. cgroup_exit() takes them out of their css_set
 * when they still have to get to their last schedule(), in their partition. They
 * keep p->a653.part, by it the windows, and the css, by a reference to the css_set.
 * A removed cgroup gives up the name at once, though: it can be bound again.
 *
 * Locks: a653_mutex covers all bindings. The handlers of the cgroup files take
 * nothing outside of it but cpus_read_lock: who removes a file waits for its
 * handlers with cgroup_mutex held. Readers of the effective partition take no lock at all.
 *
 * A SCHED_A653 task does not hold a653_mutex, see a653_locked(). But it can do what
 * takes cgroup_mutex (mkdir, rmdir, cgroup.procs), and hold that, as any other lock
 * of the system, until its partition has a window again.
 */
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/mmu_context.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sched.h"
#include "a653.h"

/**
 * struct a653_cgroup - what the controller knows of a cgroup
 * @css: the controller's part of the cgroup
 * @part: the partition that it is bound to, or NULL; under a653_mutex
 * @eff: the effective partition, or NULL. Written under a653_mutex.
 * @held: the partitions that it was ever bound to; under a653_mutex
 * @killed: it is being removed; under a653_mutex
 */
struct a653_cgroup {
	struct cgroup_subsys_state css;
	struct a653_part *part;
	struct a653_part *eff;
	struct list_head held;
	bool killed;
};

/**
 * struct a653_held - a reference to a partition
 * @node: in a653_cgroup::held
 * @part: the partition
 */
struct a653_held {
	struct list_head node;
	struct a653_part *part;
};

static struct a653_cgroup *css_a653(struct cgroup_subsys_state *css)
{
	return css ? container_of(css, struct a653_cgroup, css) : NULL;
}

static struct a653_part *css_part(struct cgroup_subsys_state *css)
{
	return READ_ONCE(css_a653(css)->eff);
}

static struct a653_part *task_part(struct task_struct *p)
{
	guard(rcu)();
	return css_part(task_css(p, a653_cgrp_id));
}

/* See above. A few turns at most: somebody else has to come in between. */
static void a653_sync_task(struct task_struct *p)
{
	struct a653_part *part;

	do {
		part = task_part(p);
		a653_task_move(p, part);
	} while (task_part(p) != part);
}

/*
 * Cgroups come and go
 */

static struct cgroup_subsys_state *
a653_css_alloc(struct cgroup_subsys_state *parent_css)
{
	struct a653_cgroup *cg = kzalloc(sizeof(*cg), GFP_KERNEL);

	if (!cg)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&cg->held);
	return &cg->css;
}

static int a653_online_locked(void *arg)
{
	struct cgroup_subsys_state *css = arg;

	/*
	 * A binding that goes on now sees this cgroup among the descendants, or
	 * has been written to the parent before.
	 */
	if (css->parent)
		WRITE_ONCE(css_a653(css)->eff, css_part(css->parent));
	return 0;
}

static int a653_css_online(struct cgroup_subsys_state *css)
{
	return a653_locked(a653_online_locked, css);
}

/* The name is free; who still is in the partition keeps it until a653_css_free() */
static void a653_release_name(struct a653_cgroup *cg)
{
	lockdep_assert_held(&a653_mutex);

	if (cg->part)
		WRITE_ONCE(cg->part->bound, false);
	cg->part = NULL;
}

static int a653_killed_locked(void *arg)
{
	struct a653_cgroup *cg = arg;

	cg->killed = true;
	a653_release_name(cg);
	return 0;
}

/* When rmdir returns, and not some time later, the name can be bound again */
static void a653_css_killed(struct cgroup_subsys_state *css)
{
	a653_locked(a653_killed_locked, css_a653(css));
}

static int a653_free_locked(void *arg)
{
	struct a653_cgroup *cg = arg;
	struct a653_held *held, *tmp;

	a653_release_name(cg);
	list_for_each_entry_safe(held, tmp, &cg->held, node) {
		a653_part_put(held->part);
		kfree(held);
	}
	return 0;
}

static void a653_css_free(struct cgroup_subsys_state *css)
{
	struct a653_cgroup *cg = css_a653(css);

	a653_locked(a653_free_locked, cg);
	kfree(cg);
}

/*
 * Tasks come and go
 */

/*
 * May @p, a SCHED_A653 task, be in @part, which a cgroup keeps alive? Waits if that
 * is being decided.
 */
static int a653_may_enter(struct task_struct *p, const struct a653_part *part)
{
	int err;

	for (;;) {
		scoped_guard(rcu)
			err = a653_part_admits(part, &p->cpus_mask);
		if (err != -EAGAIN)
			return err;
		a653_wait_verdict(part);
	}
}

static int a653_can_attach(struct cgroup_taskset *tset)
{
	struct cgroup_subsys_state *css;
	struct task_struct *p;
	int err;

	cgroup_taskset_for_each(p, css, tset) {
		if (READ_ONCE(p->policy) != SCHED_A653)
			continue;
		err = a653_may_enter(p, css_part(css));
		if (err)
			return err;
	}
	return 0;
}

static void a653_attach(struct cgroup_taskset *tset)
{
	struct cgroup_subsys_state *css;
	struct task_struct *p;

	cgroup_taskset_for_each(p, css, tset)
		a653_sync_task(p);
}

/*
 * The child has the policy that it will have, and nobody else sees it. Where the
 * parent is, the child may be, too, or is made an ordinary task by a653_fork(). But
 * the parent can have left since the child got its policy. A child that has no
 * partition is not SCHED_A653.
 */
static int a653_can_fork(struct task_struct *p, struct css_set *cset)
{
	struct a653_part *part = css_part(cset->subsys[a653_cgrp_id]);
	int err;

	if (p->policy == SCHED_A653 &&
	    (!part || part != READ_ONCE(current->a653.part))) {
		err = a653_may_enter(p, part);
		if (err)
			return err;
	}
	p->a653.part = part;
	return 0;
}

static void a653_fork(struct task_struct *p)
{
	if (READ_ONCE(p->policy) == SCHED_A653 ||
	    READ_ONCE(p->a653.part) != task_part(p))
		a653_sync_task(p);
}

/*
 * Binding
 */

/*
 * The cgroup after @pos that takes its partition from @css, @css included, NULL
 * for the first one; parents come before their children. RCU.
 */
static struct cgroup_subsys_state *
a653_next_heir(struct cgroup_subsys_state *pos, struct cgroup_subsys_state *css)
{
	pos = css_next_descendant_pre(pos, css);
	while (pos && pos != css && css_a653(pos)->part)
		pos = css_next_descendant_pre(css_rightmost_descendant(pos), css);
	return pos;
}

static bool a653_has_tasks(struct cgroup_subsys_state *css)
{
	struct css_task_iter it;
	struct task_struct *p;
	bool found = false;

	css_task_iter_start(css, 0, &it);
	while (!found && (p = css_task_iter_next(&it)))
		found = READ_ONCE(p->policy) == SCHED_A653;
	css_task_iter_end(&it);
	return found;
}

static void a653_sync_tasks(struct cgroup_subsys_state *css)
{
	struct css_task_iter it;
	struct task_struct *p;

	css_task_iter_start(css, 0, &it);
	while ((p = css_task_iter_next(&it)))
		a653_sync_task(p);
	css_task_iter_end(&it);
}

/*
 * @part is to be the effective partition of @css and its heirs. Tasks that have
 * become SCHED_A653 since that was found to be possible lose that policy.
 */
static void a653_set_effective(struct cgroup_subsys_state *css, struct a653_part *part)
{
	struct cgroup_subsys_state *pos;

	lockdep_assert_held(&a653_mutex);

	scoped_guard(rcu) {
		for (pos = a653_next_heir(NULL, css); pos; pos = a653_next_heir(pos, css))
			WRITE_ONCE(css_a653(pos)->eff, part);
	}

	rcu_read_lock();
	for (pos = a653_next_heir(NULL, css); pos; pos = a653_next_heir(pos, css)) {
		/* One that is on its way to be freed has no tasks to move */
		if (!css_tryget(pos))
			continue;
		rcu_read_unlock();
		a653_sync_tasks(pos);
		rcu_read_lock();
		css_put(pos);
	}
	rcu_read_unlock();
}

static int a653_hold(struct a653_cgroup *cg, struct a653_part *part)
{
	struct a653_held *held;

	list_for_each_entry(held, &cg->held, node) {
		if (held->part == part) {
			a653_part_put(part);
			return 0;
		}
	}
	held = kmalloc(sizeof(*held), GFP_KERNEL_ACCOUNT);
	if (!held) {
		a653_part_put(part);
		return -ENOMEM;
	}
	held->part = part;
	list_add(&held->node, &cg->held);
	return 0;
}

/* Bind @cg to the partition @name, or with an empty name to none */
static int a653_bind(struct a653_cgroup *cg, const char *name)
{
	struct cgroup_subsys_state *css = &cg->css, *pos;
	struct a653_part *part = NULL;
	int err;

	lockdep_assert_held(&a653_mutex);

	if (cg->killed)
		return -ENODEV;
	/* As it is: bound to this name, or to none and none is asked for */
	if (cg->part ? !strcmp(cg->part->name, name) : !*name)
		return 0;

	if (*name) {
		part = a653_part_find(name);
		if (part && part->bound)
			return -EBUSY;
	}
	scoped_guard(rcu) {
		for (pos = a653_next_heir(NULL, css); pos; pos = a653_next_heir(pos, css)) {
			if (a653_has_tasks(pos))
				return -EBUSY;
		}
	}
	if (*name) {
		part = a653_part_get(name);
		if (!part)
			return -ENOMEM;
		err = a653_hold(cg, part);
		if (err)
			return err;
	}

	a653_release_name(cg);
	cg->part = part;
	if (part)
		WRITE_ONCE(part->bound, true);
	a653_set_effective(css, part ?: css_part(css->parent));
	return 0;
}

struct a653_bind_args {
	struct a653_cgroup *cg;
	const char *name;
};

static int a653_bind_locked(void *arg)
{
	struct a653_bind_args *args = arg;

	return a653_bind(args->cg, args->name);
}

/* Nor may one who has it write to a file that one opened who has not */
static bool a653_may_write(struct kernfs_open_file *of)
{
	return capable(CAP_SYS_NICE) &&
	       file_ns_capable(of->file, &init_user_ns, CAP_SYS_NICE);
}

static ssize_t a653_partition_write(struct kernfs_open_file *of, char *buf,
				    size_t nbytes, loff_t off)
{
	char *name = strstrip(buf);
	struct a653_bind_args args = { .cg = css_a653(of_css(of)), .name = name };
	int err;

	if (!a653_may_write(of))
		return -EPERM;
	if (*name && (strlen(name) >= A653_NAME_LEN || !a653_name_ok(name)))
		return -EINVAL;

	err = a653_locked(a653_bind_locked, &args);
	return err ?: nbytes;
}

static int a653_partition_locked(void *arg)
{
	struct seq_file *sf = arg;
	struct a653_cgroup *cg = css_a653(seq_css(sf));

	seq_printf(sf, "%s\n", cg->part ? cg->part->name : "");
	return 0;
}

static int a653_partition_show(struct seq_file *sf, void *v)
{
	return a653_locked(a653_partition_locked, sf);
}

struct a653_rtds_args {
	struct a653_cgroup *cg;
	char *buf;
};

static int a653_rtds_write_locked(void *arg)
{
	struct a653_rtds_args *args = arg;

	if (!args->cg->part)
		return -ENODEV;
	rtds_use();
	return rtds_part_write(args->cg->part, args->buf);
}

static ssize_t a653_rtds_write(struct kernfs_open_file *of, char *buf,
			       size_t nbytes, loff_t off)
{
	struct a653_rtds_args args = { .cg = css_a653(of_css(of)), .buf = strstrip(buf) };

	if (!a653_may_write(of))
		return -EPERM;
	return a653_locked_cpus(a653_rtds_write_locked, &args) ?: nbytes;
}

static int a653_rtds_locked(void *arg)
{
	struct seq_file *sf = arg;
	struct a653_cgroup *cg = css_a653(seq_css(sf));

	if (cg->part)
		rtds_part_show(sf, cg->part);
	else
		seq_putc(sf, '\n');
	return 0;
}

static int a653_rtds_show(struct seq_file *sf, void *v)
{
	return a653_locked(a653_rtds_locked, sf);
}

static void a653_add_stat(struct a653_pcpu_stat *sum, const struct a653_pcpu_stat *st)
{
	if (st->opened && (!sum->opened || st->late_min_ns < sum->late_min_ns))
		sum->late_min_ns = st->late_min_ns;
	sum->late_max_ns = max(sum->late_max_ns, st->late_max_ns);
	sum->late_sum_ns += st->late_sum_ns;
	sum->opened += st->opened;
	sum->missed += st->missed;
	sum->run_ns += st->run_ns;
	sum->open_ns += st->open_ns;
	sum->slack_ns += st->slack_ns;
}

static u64 a653_late_avg(const struct a653_pcpu_stat *st)
{
	return st->opened ? div64_u64(st->late_sum_ns, st->opened) : 0;
}

/* False if it had no window there: leave a CPU alone that it does not concern */
static bool a653_read_part(struct a653_part *part, int cpu, struct a653_pcpu_stat *st)
{
	struct a653_pcpu *pc = per_cpu_ptr(part->pcpu, cpu);
	unsigned int nr_queued;
	bool open;

	if (!cpumask_test_cpu(cpu, &part->cpus) &&
	    !READ_ONCE(pc->stat.opened) && !READ_ONCE(pc->stat.missed))
		return false;
	a653_pcpu_read(part, cpu, st, &open, &nr_queued);
	return true;
}

/* Of the effective partition: a cgroup below it has no numbers of its own */
static int a653_stat_locked(void *arg)
{
	struct seq_file *sf = arg;
	struct a653_cgroup *cg = css_a653(seq_css(sf));
	struct a653_pcpu_stat sum = { }, st;
	struct a653_part *part;
	int cpu;

	part = cg->eff;
	if (part && !part->pcpu)
		part = NULL;

	for_each_possible_cpu(cpu) {
		if (!part)
			break;
		if (a653_read_part(part, cpu, &st))
			a653_add_stat(&sum, &st);
	}
	seq_printf(sf, "windows_opened %llu\n", sum.opened);
	seq_printf(sf, "windows_missed %llu\n", sum.missed);
	seq_printf(sf, "run_ns %llu\n", sum.run_ns);
	seq_printf(sf, "open_ns %llu\n", sum.open_ns);
	seq_printf(sf, "slack_ns %llu\n", sum.slack_ns);
	seq_printf(sf, "late_min_ns %llu\n", sum.late_min_ns);
	seq_printf(sf, "late_avg_ns %llu\n", a653_late_avg(&sum));
	seq_printf(sf, "late_max_ns %llu\n", sum.late_max_ns);

	for_each_possible_cpu(cpu) {
		if (!part)
			break;
		if (!a653_read_part(part, cpu, &st))
			continue;
		seq_printf(sf, "cpu%d opened=%llu missed=%llu run_ns=%llu open_ns=%llu slack_ns=%llu late_min_ns=%llu late_avg_ns=%llu late_max_ns=%llu\n",
			   cpu, st.opened, st.missed, st.run_ns, st.open_ns,
			   st.slack_ns, st.late_min_ns, a653_late_avg(&st),
			   st.late_max_ns);
	}
	return 0;
}

static int a653_stat_show(struct seq_file *sf, void *v)
{
	return a653_locked(a653_stat_locked, sf);
}

static struct cftype a653_files[] = {
	{
		.name		= "partition",
		.flags		= CFTYPE_NOT_ON_ROOT,
		.seq_show	= a653_partition_show,
		.write		= a653_partition_write,
	},
	{
		.name		= "rtds",
		.flags		= CFTYPE_NOT_ON_ROOT,
		.seq_show	= a653_rtds_show,
		.write		= a653_rtds_write,
	},
	{
		.name		= "stat",
		.flags		= CFTYPE_NOT_ON_ROOT,
		.seq_show	= a653_stat_show,
	},
	{ }
};

struct cgroup_subsys a653_cgrp_subsys = {
	.css_alloc	= a653_css_alloc,
	.css_online	= a653_css_online,
	.css_killed	= a653_css_killed,
	.css_free	= a653_css_free,
	.can_attach	= a653_can_attach,
	.attach		= a653_attach,
	.can_fork	= a653_can_fork,
	.fork		= a653_fork,
	.dfl_cftypes	= a653_files,
	.threaded	= true,
};
