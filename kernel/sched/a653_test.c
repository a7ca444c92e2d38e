// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_A653: tests of the plan switching, and of the class with kernel threads
 *
 * The first half plays the CPUs of a module: the protocol of a653_plan.c needs
 * none. The second half loads modules on the CPUs of the machine and looks at
 * what kernel threads in their partitions do.
 *
 * A thread is asked to do something by a completion, and what it does is seen by
 * counters and completions; asserts are in the test's thread only. Where a test
 * has to know that something did *not* happen on a CPU, it has a work item of an
 * ordinary kworker done there: the class is above that one's, so what could run
 * has run.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mmu_context.h>
#include <linux/prandom.h>
#include <linux/rtmutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <uapi/linux/sched/types.h>

#include "sched.h"
#include "a653.h"

#define PATIENCE	(60 * HZ)

/* Look again and again until it is so, or nobody believes in it any more */
#define until(cond)							\
({									\
	unsigned long until_end = jiffies + PATIENCE;			\
	bool until_ok;							\
									\
	while (!(until_ok = (cond)) && time_before(jiffies, until_end))	\
		schedule_timeout_uninterruptible(1);			\
	until_ok;							\
})

/*
 * The protocol
 */

/* Ahead of the clock on any day */
#define FAR_NS	(S64_MAX / 2)

/**
 * struct play - a module whose CPUs are played
 * @mod: the module
 * @plan: what it follows
 * @nr_cpus: how many CPUs it has
 * @cpu: their numbers
 */
struct play {
	struct a653_module *mod;
	struct a653_plan *plan;
	int nr_cpus;
	int cpu[8];
};

static struct a653_plan *play_plan(u64 major_ns)
{
	struct a653_schedule *schedules;
	struct a653_plan *plan;

	plan = kzalloc(sizeof(*plan), GFP_KERNEL);
	schedules = kcalloc(2, sizeof(*schedules), GFP_KERNEL);
	if (!plan || !schedules) {
		kfree(plan);
		kfree(schedules);
		return NULL;
	}
	INIT_LIST_HEAD(&plan->node);
	schedules[0].major_frame_ns = major_ns;
	schedules[1].major_frame_ns = 3 * major_ns;
	plan->conf.schedules = schedules;
	plan->conf.cfg.nr_schedules = 2;
	return plan;
}

static void play_plan_free(struct a653_plan *plan)
{
	if (plan)
		kfree(plan->conf.schedules);
	kfree(plan);
}

static void play_end(void *data)
{
	struct play *play = data;

	if (play->mod) {
		irq_work_sync(&play->mod->adopted_work);
		flush_work(&play->mod->settle_work);
		a653_module_free(play->mod);
	}
	play_plan_free(play->plan);
}

static struct play *play_begin(struct kunit *test, const char *name)
{
	struct play *play = kunit_kzalloc(test, sizeof(*play), GFP_KERNEL);
	cpumask_var_t cpus;
	int cpu;

	KUNIT_ASSERT_NOT_NULL(test, play);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, play_end, play));
	KUNIT_ASSERT_TRUE(test, zalloc_cpumask_var(&cpus, GFP_KERNEL));
	for_each_possible_cpu(cpu) {
		if (play->nr_cpus == ARRAY_SIZE(play->cpu))
			break;
		play->cpu[play->nr_cpus++] = cpu;
		cpumask_set_cpu(cpu, cpus);
	}
	play->mod = a653_module_alloc(name, CLOCK_MONOTONIC, cpus);
	free_cpumask_var(cpus);
	play->plan = play_plan(NSEC_PER_MSEC);
	KUNIT_ASSERT_NOT_NULL(test, play->mod);
	KUNIT_ASSERT_NOT_NULL(test, play->plan);
	return play;
}

static void play_announce(struct play *play, struct a653_plan *plan,
			  unsigned int schedule, s64 at_ns)
{
	const struct a653_epoch next = {
		.plan = plan,
		.schedule = schedule,
		.base_ns = at_ns,
		.from_ns = at_ns,
	};

	a653_next_announce(play->mod, &next);
}

static bool play_consult(struct play *play, int i, s64 at_ns, struct a653_epoch *epoch)
{
	unsigned long flags;
	bool ret;

	local_irq_save(flags);
	ret = a653_module_consult(play->mod, play->cpu[i], at_ns, epoch);
	local_irq_restore(flags);
	return ret;
}

/* All CPUs go over at @at_ns; it was committed */
static void play_adopt(struct kunit *test, struct play *play, s64 at_ns)
{
	struct a653_epoch epoch;
	int i;

	for (i = 0; i < play->nr_cpus; i++)
		KUNIT_EXPECT_TRUE(test, play_consult(play, i, at_ns, &epoch));
}

static void switch_in_force_when_all_adopted(struct kunit *test)
{
	struct a653_ticket ticket = { .result = -EINPROGRESS };
	struct play *play = play_begin(test, "play");
	struct a653_epoch epoch;
	int i;

	play_announce(play, play->plan, 1, FAR_NS);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(play->mod, &ticket));
	for (i = 0; i < play->nr_cpus; i++) {
		KUNIT_EXPECT_NULL(test, play->mod->now.plan);
		KUNIT_EXPECT_EQ(test, ticket.result, -EINPROGRESS);
		memset(&epoch, 0, sizeof(epoch));
		KUNIT_EXPECT_TRUE(test, play_consult(play, i, FAR_NS, &epoch));
		KUNIT_EXPECT_PTR_EQ(test, epoch.plan, play->plan);
		KUNIT_EXPECT_EQ(test, epoch.schedule, 1);
		KUNIT_EXPECT_EQ(test, epoch.from_ns, FAR_NS);
	}
	KUNIT_EXPECT_PTR_EQ(test, play->mod->now.plan, play->plan);
	KUNIT_EXPECT_EQ(test, ticket.result, 0);
	KUNIT_EXPECT_EQ(test, play->mod->switched, 1);
	KUNIT_EXPECT_EQ(test, play->mod->next_state, A653_NEXT_NONE);
	/* Nothing is left to consult about */
	KUNIT_EXPECT_FALSE(test, play_consult(play, 0, FAR_NS, &epoch));
}

/* Whoever comes before it was decided gets a no, and so does everybody else */
static void lesson04_no_for_one_is_no_for_all(struct kunit *test)
{
	struct play *play = play_begin(test, "play");
	struct a653_epoch epoch;
	int i, first;

	for (first = 0; first < play->nr_cpus; first++) {
		s64 at_ns = FAR_NS + first;

		play_announce(play, play->plan, 0, at_ns);
		KUNIT_EXPECT_FALSE(test, play_consult(play, first, at_ns, &epoch));
		for (i = 0; i < first; i++)
			KUNIT_EXPECT_FALSE(test, play_consult(play, i, at_ns, &epoch));
		KUNIT_EXPECT_FALSE(test, a653_next_commit(play->mod, NULL));
		for (i = first + 1; i < play->nr_cpus; i++)
			KUNIT_EXPECT_FALSE(test, play_consult(play, i, at_ns, &epoch));
	}
	KUNIT_EXPECT_EQ(test, play->mod->switched, 0);

	/* A later instant is another chance */
	play_announce(play, play->plan, 0, FAR_NS + 100);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(play->mod, NULL));
	play_adopt(test, play, FAR_NS + 100);
	KUNIT_EXPECT_EQ(test, play->mod->switched, 1);
}

/* An instant that has passed is not committed, even if nobody consulted yet */
static void commit_in_time_only(struct kunit *test)
{
	struct play *play = play_begin(test, "play");
	struct a653_epoch epoch;
	s64 at_ns = a653_clock(CLOCK_MONOTONIC);

	play_announce(play, play->plan, 0, at_ns);
	KUNIT_EXPECT_FALSE(test, a653_next_commit(play->mod, NULL));
	KUNIT_EXPECT_FALSE(test, play_consult(play, 0, at_ns, &epoch));
}

/* An instant that was replaced neither counts nor spoils the one that is asked for */
static void stale_instant_is_ignored(struct kunit *test)
{
	struct play *play = play_begin(test, "play");
	struct a653_epoch old, epoch;

	play_announce(play, play->plan, 0, FAR_NS);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(play->mod, NULL));
	KUNIT_EXPECT_TRUE(test, a653_next_withdraw(play->mod, &old));
	KUNIT_EXPECT_EQ(test, old.from_ns, FAR_NS);
	KUNIT_EXPECT_FALSE(test, play_consult(play, 0, FAR_NS, &epoch));

	play_announce(play, play->plan, 1, FAR_NS + 1);
	KUNIT_EXPECT_FALSE(test, play_consult(play, 0, FAR_NS, &epoch));
	KUNIT_EXPECT_TRUE(test, a653_next_commit(play->mod, NULL));
	KUNIT_EXPECT_FALSE(test, play_consult(play, 0, FAR_NS, &epoch));
	play_adopt(test, play, FAR_NS + 1);
	KUNIT_EXPECT_EQ(test, play->mod->now.schedule, 1);
}

static void withdraw_before_anybody_adopts(struct kunit *test)
{
	struct a653_ticket ticket = { .result = -EINPROGRESS };
	struct play *play = play_begin(test, "play");
	struct a653_epoch old, epoch;

	/* Nothing is pending: nothing to withdraw, and no reason to wait */
	KUNIT_EXPECT_TRUE(test, a653_next_withdraw(play->mod, &old));
	KUNIT_EXPECT_NULL(test, old.plan);

	play_announce(play, play->plan, 0, FAR_NS);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(play->mod, &ticket));
	KUNIT_EXPECT_TRUE(test, a653_next_withdraw(play->mod, &old));
	KUNIT_EXPECT_PTR_EQ(test, old.plan, play->plan);
	KUNIT_EXPECT_EQ(test, ticket.result, -ECANCELED);
	KUNIT_EXPECT_NULL(test, play->mod->ticket);

	if (play->nr_cpus < 2)
		return;
	play_announce(play, play->plan, 1, FAR_NS);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(play->mod, NULL));
	KUNIT_EXPECT_TRUE(test, play_consult(play, 1, FAR_NS, &epoch));
	KUNIT_EXPECT_FALSE(test, a653_next_withdraw(play->mod, &old));
	KUNIT_EXPECT_TRUE(test, play_consult(play, 0, FAR_NS, &epoch));
	while (play->nr_cpus > 2)
		play_consult(play, --play->nr_cpus, FAR_NS, &epoch);
	KUNIT_EXPECT_EQ(test, play->mod->switched, 1);
}

/* Due is due, even if all CPUs are late */
static void no_withdrawal_after_the_instant(struct kunit *test)
{
	struct play *play = play_begin(test, "play");
	struct a653_epoch old;
	s64 margin = NSEC_PER_MSEC, at_ns;

	for (;; margin *= 2) {
		at_ns = a653_clock(CLOCK_MONOTONIC) + margin;
		play_announce(play, play->plan, 0, at_ns);
		if (a653_next_commit(play->mod, NULL))
			break;
	}
	while (a653_clock(CLOCK_MONOTONIC) < at_ns)
		cpu_relax();
	KUNIT_EXPECT_FALSE(test, a653_next_withdraw(play->mod, &old));
	play_adopt(test, play, at_ns);
	KUNIT_EXPECT_TRUE(test, a653_next_withdraw(play->mod, &old));
}

static void replaced_plan_is_retired(struct kunit *test)
{
	struct play *play = play_begin(test, "play");
	struct a653_module *mod = play->mod;
	struct a653_plan *first = play->plan;

	play_announce(play, first, 0, FAR_NS);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(mod, NULL));
	play_adopt(test, play, FAR_NS);

	/* The same plan in another schedule: it stays */
	play_announce(play, first, 1, FAR_NS + 1);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(mod, NULL));
	play_adopt(test, play, FAR_NS + 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&mod->retired));

	play->plan = play_plan(NSEC_PER_SEC);
	KUNIT_ASSERT_NOT_NULL(test, play->plan);
	scoped_guard(mutex, &a653_mutex) {
		/* The work that frees it waits for the mutex */
		play_announce(play, play->plan, 0, FAR_NS + 2);
		KUNIT_EXPECT_TRUE(test, a653_next_commit(mod, NULL));
		play_adopt(test, play, FAR_NS + 2);
		KUNIT_EXPECT_PTR_EQ(test, mod->retired.next, &first->node);
	}
	irq_work_sync(&mod->adopted_work);
	flush_work(&mod->settle_work);
	KUNIT_EXPECT_TRUE(test, list_empty(&mod->retired));
}

/* Two modules, each in the middle of a change: none knows of the other */
static void lesson10_two_modules_in_turns(struct kunit *test)
{
	struct play *a = play_begin(test, "a"), *b = play_begin(test, "b");
	struct a653_epoch epoch;
	int i;

	play_announce(a, a->plan, 0, FAR_NS);
	play_announce(b, b->plan, 1, FAR_NS);
	KUNIT_EXPECT_TRUE(test, a653_next_commit(a->mod, NULL));
	KUNIT_EXPECT_FALSE(test, play_consult(b, 0, FAR_NS, &epoch));
	for (i = 0; i < a->nr_cpus; i++) {
		KUNIT_EXPECT_TRUE(test, play_consult(a, i, FAR_NS, &epoch));
		KUNIT_EXPECT_PTR_EQ(test, epoch.plan, a->plan);
	}
	KUNIT_EXPECT_FALSE(test, a653_next_commit(b->mod, NULL));
	KUNIT_EXPECT_EQ(test, a->mod->switched, 1);
	KUNIT_EXPECT_EQ(test, b->mod->switched, 0);
}

/**
 * struct walk - a random walk through the protocol
 * @play: the module
 * @rnd: dice
 * @at_ns: what each CPU was told last, S64_MAX once it has consulted
 * @told: of which change that was
 * @follows: which change each CPU adopted last
 * @change: the change that is asked for
 * @change_ns: its instant
 * @deliver: CPUs that have yet to be told
 * @committed: it was committed
 * @asked: a CPU has consulted at its instant
 * @yes: how many CPUs were told to go over, by the change that they were told of
 * @no: how many were told not to
 */
struct walk {
	struct play *play;
	struct rnd_state rnd;
	s64 at_ns[8];
	unsigned int told[8];
	unsigned int follows[8];
	unsigned int change;
	s64 change_ns;
	unsigned long deliver;
	bool committed;
	bool asked;
	u8 *yes;
	u8 *no;
};

#define WALK_CHANGES	2000

static void walk_cpu(struct kunit *test, struct walk *w, int i)
{
	struct a653_epoch epoch;

	if (w->at_ns[i] == S64_MAX)
		return;
	w->asked |= w->at_ns[i] == w->change_ns;
	if (play_consult(w->play, i, w->at_ns[i], &epoch)) {
		KUNIT_EXPECT_EQ(test, w->told[i], w->change);
		KUNIT_EXPECT_EQ(test, epoch.from_ns, w->at_ns[i]);
		w->follows[i] = w->change;
		w->yes[w->told[i]]++;
	} else {
		w->no[w->told[i]]++;
	}
	w->at_ns[i] = S64_MAX;
}

static void walk_loader(struct kunit *test, struct walk *w)
{
	struct a653_epoch old;
	int i;

	if (w->deliver) {
		i = __ffs(w->deliver);
		w->deliver &= ~BIT(i);
		w->at_ns[i] = w->change_ns;
		w->told[i] = w->change;
	} else if (w->change && !w->committed) {
		w->committed = a653_next_commit(w->play->mod, NULL);
		if (!w->committed) {
			KUNIT_EXPECT_TRUE(test, w->asked);
			KUNIT_EXPECT_EQ(test, w->yes[w->change], 0);
			w->change_ns++;
			goto announce;
		}
	} else if (!w->change || a653_next_withdraw(w->play->mod, &old)) {
		/* Sometimes the same instant for another change */
		w->change_ns += prandom_u32_state(&w->rnd) % 3;
		if (w->change && w->yes[w->change])
			w->change_ns++;
announce:
		w->change++;
		w->committed = false;
		w->asked = false;
		w->deliver = BIT(w->play->nr_cpus) - 1;
		play_announce(w->play, w->play->plan, w->change % 2, w->change_ns);
	} else {
		KUNIT_EXPECT_GT(test, w->yes[w->change], 0);
		KUNIT_EXPECT_LT(test, w->yes[w->change], w->play->nr_cpus);
	}
}

/*
 * Loader and CPUs take turns at random, thousands of changes. Whatever happens:
 * a change that one CPU goes over to, all CPUs go over to, and all of them do
 * before the next change is asked for.
 */
static void lesson04_random_walk(struct kunit *test)
{
	struct walk *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned int i, done = 0, gone_over = 0;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->play = play_begin(test, "walk");
	w->yes = kunit_kzalloc(test, WALK_CHANGES + 1, GFP_KERNEL);
	w->no = kunit_kzalloc(test, WALK_CHANGES + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->yes);
	KUNIT_ASSERT_NOT_NULL(test, w->no);
	prandom_seed_state(&w->rnd, 653);
	w->change_ns = FAR_NS;
	for (i = 0; i < ARRAY_SIZE(w->at_ns); i++)
		w->at_ns[i] = S64_MAX;

	while (w->change < WALK_CHANGES) {
		u32 turn = prandom_u32_state(&w->rnd) % (2 * w->play->nr_cpus + 1);

		if (turn < w->play->nr_cpus)
			walk_cpu(test, w, turn);
		else
			walk_loader(test, w);
		for (; done < w->change; done++) {
			if (!w->yes[done])
				continue;
			gone_over++;
			KUNIT_EXPECT_EQ(test, w->yes[done], w->play->nr_cpus);
			KUNIT_EXPECT_EQ(test, w->no[done], 0);
			for (i = 1; i < w->play->nr_cpus; i++)
				KUNIT_EXPECT_EQ(test, w->follows[i], w->follows[0]);
		}
	}
	/* And it is not that nothing ever happened */
	KUNIT_EXPECT_GT(test, gone_over, WALK_CHANGES / 100);
	KUNIT_EXPECT_EQ(test, w->play->mod->switched,
			gone_over + (w->yes[w->change] == w->play->nr_cpus));
}

/* When a change takes effect */
static void start_on_a_boundary(struct kunit *test)
{
	struct play *play = play_begin(test, "play");
	struct a653_change ch = { .plan = play->plan, .after_ns = S64_MIN };
	struct a653_epoch none = { }, now = { .plan = play->plan, .base_ns = 1000 };
	s64 ms = NSEC_PER_MSEC;

	/* A first load: at once */
	KUNIT_EXPECT_EQ(test, a653_change_start(&none, &ch, 12345), 12345);
	/* The major frame of the schedule in force is a millisecond */
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 1000), 1000);
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 1001), 1000 + ms);
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 1000 + 7 * ms), 1000 + 7 * ms);
	now.schedule = 1;
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 1001), 1000 + 3 * ms);
	/* At a given time, if that is not over */
	ch.after_ns = 1001 + 3 * ms;
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 1001), 1000 + 6 * ms);
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 1001 + 6 * ms), 1000 + 9 * ms);
	/* A base: frames of the schedule to come, whatever is in force */
	ch = (struct a653_change){
		.plan = play->plan,
		.after_ns = S64_MIN,
		.fixed = true,
		.base_ns = 500,
	};
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 0), 500);
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 501), 500 + ms);
	KUNIT_EXPECT_EQ(test, a653_change_start(&none, &ch, 501), 500 + ms);
	ch.schedule = 1;
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 501), 500 + 3 * ms);
	/* Base in the future: lesson 6 */
	ch.base_ns = FAR_NS;
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 501), FAR_NS);
	ch.after_ns = S64_MAX;
	KUNIT_EXPECT_EQ(test, a653_change_start(&now, &ch, 501), S64_MAX);
}

/*
 * The class
 */

#define FRAME_NS	(20 * NSEC_PER_MSEC)
#define WINDOW_NS	(15 * NSEC_PER_MSEC)
#define MAX_ACTORS	12

struct scene;

/**
 * struct actor - a kernel thread
 * @scene: where it is
 * @task: the thread
 * @go: asks it to act
 * @done: it has
 * @act: what it does
 * @stop: it shall come to an end with that
 * @quit: and exit
 * @count: goes up while it is spinning
 * @turn: the how manieth it was to act
 */
struct actor {
	struct scene *scene;
	struct task_struct *task;
	struct completion go;
	struct completion done;
	void (*act)(struct actor *actor);
	bool stop;
	bool quit;
	unsigned long count;
	int turn;
};

/**
 * struct scene - modules and threads of a test
 * @nr_actors: threads in @actor
 * @actor: the threads
 * @turns: how many have acted
 * @lock: something to hold
 * @reason: of the last request
 */
struct scene {
	int nr_actors;
	struct actor actor[MAX_ACTORS];
	atomic_t turns;
	struct rt_mutex lock;
	char reason[A653_REASON_LEN];
};

static int actor_main(void *data)
{
	struct actor *a = data;

	complete(&a->done);
	for (;;) {
		wait_for_completion(&a->go);
		if (READ_ONCE(a->quit))
			return 0;
		a->act(a);
		complete(&a->done);
	}
}

/* Each act marks its turn first */
static void actor_turn(struct actor *a)
{
	WRITE_ONCE(a->turn, atomic_inc_return(&a->scene->turns));
}

static void act_turn(struct actor *a)
{
	actor_turn(a);
}

static void act_spin(struct actor *a)
{
	actor_turn(a);
	while (!READ_ONCE(a->stop))
		WRITE_ONCE(a->count, a->count + 1);
}

/* It cannot be taken off its CPU */
static void act_stay(struct actor *a)
{
	guard(preempt)();
	act_spin(a);
}

/* Hold the lock until told to let it go, in any case until one waits for it */
static void act_hold(struct actor *a)
{
	rt_mutex_lock(&a->scene->lock);
	act_spin(a);
	rt_mutex_unlock(&a->scene->lock);
}

static void act_lock(struct actor *a)
{
	rt_mutex_lock(&a->scene->lock);
	actor_turn(a);
	rt_mutex_unlock(&a->scene->lock);
}

static int set_policy(struct actor *a, int policy, int prio)
{
	const struct sched_param param = { .sched_priority = prio };

	return sched_setscheduler_nocheck(a->task, policy, &param);
}

static int set_budget(struct actor *a, u64 budget_ns, u64 period_ns, u64 flags)
{
	const struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_RTDS,
		.sched_flags = flags,
		.sched_runtime = budget_ns,
		.sched_period = period_ns,
	};

	return sched_setattr(a->task, &attr);
}

/* An ordinary thread on @cpu, or wherever with -1, that waits to act */
static struct actor *actor_begin(struct kunit *test, int cpu,
				 void (*act)(struct actor *actor))
{
	struct scene *scene = test->priv;
	struct actor *a = &scene->actor[scene->nr_actors];
	struct task_struct *task;

	KUNIT_ASSERT_LT(test, scene->nr_actors, MAX_ACTORS);
	a->scene = scene;
	a->act = act;
	init_completion(&a->go);
	init_completion(&a->done);
	task = kthread_create(actor_main, a, "a653_actor/%d", scene->nr_actors);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	a->task = get_task_struct(task);
	scene->nr_actors++;
	if (cpu >= 0)
		set_cpus_allowed_ptr(task, cpumask_of(cpu));
	wake_up_process(task);
	wait_for_completion(&a->done);
	/* Not in between the two completions any more */
	KUNIT_ASSERT_TRUE(test, until(!READ_ONCE(task->on_rq)));
	return a;
}

static void actor_join(struct kunit *test, struct actor *a, const char *partition,
		       int prio)
{
	struct a653_part *part;

	scoped_guard(mutex, &a653_mutex) {
		part = a653_part_find(partition);
		KUNIT_EXPECT_NOT_NULL(test, part);
		if (part)
			a653_task_move(a->task, part);
	}
	KUNIT_ASSERT_EQ(test, set_policy(a, SCHED_A653, prio), 0);
}

static void actor_end(struct actor *a)
{
	set_policy(a, SCHED_NORMAL, 0);
	a653_task_move(a->task, NULL);
	WRITE_ONCE(a->stop, true);
	WRITE_ONCE(a->quit, true);
	complete(&a->go);
	kthread_stop(a->task);
	put_task_struct(a->task);
}

/* It is asked to act, and stands in its queue, or on its CPU */
static void actor_go(struct kunit *test, struct actor *a)
{
	reinit_completion(&a->done);
	complete(&a->go);
	KUNIT_ASSERT_TRUE(test, until(READ_ONCE(a->task->on_rq) || completion_done(&a->done)));
}

/*
 * It comes to be so by itself: no clock tick, and nothing that wakes up, makes the
 * CPUs look again. What does so in the end, an RCU grace period, is later. On the
 * CPU of who waits nothing else runs.
 */
#define soon(cond)							\
({									\
	u64 soon_end = ktime_get_ns() + 50 * NSEC_PER_MSEC;		\
	bool soon_ok;							\
									\
	preempt_disable();						\
	while (!(soon_ok = (cond)) && ktime_get_ns() < soon_end)	\
		cpu_relax();						\
	preempt_enable();						\
	soon_ok;							\
})

static bool actor_moves_soon(struct actor *a)
{
	unsigned long count = READ_ONCE(a->count);

	return soon(READ_ONCE(a->count) != count);
}

static bool actor_leaves_soon(struct actor *a, int cpu)
{
	return soon(task_cpu(a->task) != cpu || !task_on_cpu(cpu_rq(cpu), a->task));
}

static bool actor_moves_away_soon(struct actor *a, int cpu)
{
	return soon(task_cpu(a->task) != cpu);
}

static bool actor_done(struct actor *a)
{
	return wait_for_completion_timeout(&a->done, PATIENCE);
}

static bool actor_moves(struct actor *a)
{
	unsigned long count = READ_ONCE(a->count);

	return until(READ_ONCE(a->count) != count);
}

static long nothing(void *unused)
{
	return 0;
}

/* What is above SCHED_NORMAL and could run on @cpu has been running */
static void flush_cpu(int cpu)
{
	work_on_cpu(cpu, nothing, NULL);
}

/* It stands in the queue of @cpu, off the CPU, and does not get on it */
static bool actor_waits(struct actor *a, int cpu)
{
	unsigned long count;

	if (!until(!task_on_cpu(cpu_rq(cpu), a->task)))
		return false;
	count = READ_ONCE(a->count);
	flush_cpu(cpu);
	flush_cpu(cpu);
	return READ_ONCE(a->count) == count && READ_ONCE(a->task->on_rq) &&
	       task_cpu(a->task) == cpu;
}

/**
 * struct config - a module for a test
 * @conf: it
 * @cpus: its CPUs
 * @partitions: one with windows in "open", one with windows in "closed"
 * @schedules: "open" and "closed", the first one in force at load
 * @windows: on each CPU, one in each schedule
 */
struct config {
	struct a653_conf conf;
	u64 cpus[DIV_ROUND_UP(NR_CPUS, 64)];
	struct a653_partition partitions[2];
	struct a653_schedule schedules[2];
	struct a653_window windows[2 * NR_CPUS];
};

enum { OPEN, CLOSED };

/* On CPUs @from to @to; the partitions are called @name and @name.other */
static struct config *config_make(struct kunit *test, const char *name, int from, int to)
{
	struct config *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct a653_config *cfg;
	int cpu, s;

	KUNIT_ASSERT_NOT_NULL(test, c);
	cfg = &c->conf.cfg;
	cfg->size = sizeof(*cfg);
	cfg->flags = A653_CONFIG_WAIT;
	strscpy(cfg->module, name);
	cfg->clock = CLOCK_MONOTONIC;
	cfg->initial = CLOSED;
	cfg->nr_partitions = 2;
	cfg->nr_schedules = 2;
	cfg->nr_cpu_words = ARRAY_SIZE(c->cpus);
	c->conf.cpus = c->cpus;
	c->conf.partitions = c->partitions;
	c->conf.schedules = c->schedules;
	c->conf.windows = c->windows;

	strscpy(c->partitions[0].name, name);
	snprintf(c->partitions[1].name, A653_NAME_LEN, "%s.other", name);
	strscpy(c->schedules[OPEN].name, "open");
	strscpy(c->schedules[CLOSED].name, "closed");
	for (s = OPEN; s <= CLOSED; s++) {
		c->schedules[s].major_frame_ns = FRAME_NS;
		c->schedules[s].nr_windows = to - from + 1;
		for (cpu = from; cpu <= to; cpu++) {
			struct a653_window *w = &c->windows[cfg->nr_windows++];

			c->cpus[cpu / 64] |= BIT_ULL(cpu % 64);
			w->duration_ns = WINDOW_NS;
			w->cpu = cpu;
			w->partition = s;
		}
	}
	return c;
}

static int load(struct kunit *test, const struct config *c)
{
	struct scene *scene = test->priv;

	return a653_test_load(&c->conf, scene->reason);
}

static int switch_to_schedule(struct kunit *test, const char *module, const char *schedule)
{
	struct a653_request req = { .flags = A653_REQUEST_WAIT };
	struct scene *scene = test->priv;

	strscpy(req.module, module);
	strscpy(req.schedule, schedule);
	return a653_test_switch(&req, scene->reason);
}

static int unload(struct kunit *test, const char *module, bool force)
{
	struct a653_request req = { .flags = force ? A653_REQUEST_FORCE : 0 };
	struct scene *scene = test->priv;

	strscpy(req.module, module);
	return a653_test_unload(&req, scene->reason);
}

static int a653_test_init(struct kunit *test)
{
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);

	if (!scene)
		return -ENOMEM;
	rt_mutex_init(&scene->lock);
	test->priv = scene;
	return 0;
}

/* However the test ended: the threads go first */
static void a653_test_exit(struct kunit *test)
{
	struct scene *scene = test->priv;
	int i;

	if (!scene)
		return;
	for (i = 0; i < scene->nr_actors; i++)
		actor_end(&scene->actor[i]);
	unload(test, "kunit", true);
	unload(test, "kunit2", true);
}

static void need_cpus(struct kunit *test, int nr)
{
	int cpu;

	for (cpu = 0; cpu < nr; cpu++) {
		if (cpu >= nr_cpu_ids || !cpu_online(cpu))
			kunit_skip(test, "needs %d CPUs", nr);
	}
}

/* Woken while the window is closed they run when it opens: by priority, then FIFO */
static void order_by_priority_then_fifo(struct kunit *test)
{
	static const struct { int prio, turn; } cast[] = {
		{ 50, 3 }, { 10, 7 }, { 99, 1 }, { 50, 4 }, { 10, 8 }, { 51, 2 },
		{ 50, 5 }, { 49, 6 },
	};
	struct actor *a[ARRAY_SIZE(cast)];
	int i;

	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	for (i = 0; i < ARRAY_SIZE(cast); i++) {
		a[i] = actor_begin(test, 0, act_turn);
		actor_join(test, a[i], "kunit", cast[i].prio);
	}
	for (i = 0; i < ARRAY_SIZE(cast); i++)
		actor_go(test, a[i]);
	flush_cpu(0);
	for (i = 0; i < ARRAY_SIZE(cast); i++)
		KUNIT_EXPECT_EQ(test, a[i]->turn, 0);

	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	for (i = 0; i < ARRAY_SIZE(cast); i++) {
		KUNIT_ASSERT_TRUE(test, actor_done(a[i]));
		KUNIT_EXPECT_EQ(test, a[i]->turn, cast[i].turn);
	}
}

/* A window closes on a running task and opens for it again */
static void windows_open_and_close(struct kunit *test)
{
	struct actor *a;
	int i;

	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	a = actor_begin(test, 0, act_spin);
	actor_join(test, a, "kunit", 50);
	actor_go(test, a);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
		KUNIT_EXPECT_TRUE(test, a653_cpu_has_tasks(0));
		KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves(a));
		KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "closed"), 0);
	}
	WRITE_ONCE(a->stop, true);
	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	KUNIT_EXPECT_TRUE(test, actor_done(a));
}

/* The more urgent task preempts; the preempted one keeps its place */
static void preemption_inside_a_window(struct kunit *test)
{
	struct actor *low, *low2, *high;

	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	KUNIT_ASSERT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	low = actor_begin(test, 0, act_spin);
	low2 = actor_begin(test, 0, act_spin);
	high = actor_begin(test, 0, act_turn);
	actor_join(test, low, "kunit", 10);
	actor_join(test, low2, "kunit", 10);
	actor_join(test, high, "kunit", 11);
	actor_go(test, low);
	KUNIT_EXPECT_TRUE(test, actor_moves(low));
	actor_go(test, low2);
	actor_go(test, high);
	KUNIT_EXPECT_TRUE(test, actor_done(high));
	KUNIT_EXPECT_TRUE(test, actor_moves(low));
	KUNIT_EXPECT_EQ(test, READ_ONCE(low2->count), 0);
	WRITE_ONCE(low->stop, true);
	KUNIT_EXPECT_TRUE(test, actor_moves(low2));
}

/* Classes and priorities change while it waits, runs, and sleeps */
static void class_changes(struct kunit *test)
{
	struct actor *a;
	int i;

	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	a = actor_begin(test, 0, act_spin);
	actor_join(test, a, "kunit", 50);
	actor_go(test, a);
	KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));

	/* The same number means the same p->prio: it still is another class */
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_FIFO, 50), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves(a));
		KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 50), 0);
		KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
		KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 20 + i), 0);
		KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
		KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_NORMAL, 0), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves(a));
		KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 50), 0);
		KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
	}

	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, actor_moves(a));
		KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_NORMAL, 0), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves(a));
		KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 99 - i), 0);
	}
	WRITE_ONCE(a->stop, true);
	KUNIT_EXPECT_TRUE(test, actor_done(a));

	KUNIT_EXPECT_TRUE(test, until(!READ_ONCE(a->task->on_rq)));
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_FIFO, 50), 0);
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 50), 0);
	KUNIT_EXPECT_FALSE(test, a653_cpu_has_tasks(0));
}

/* Lesson 13: a changed affinity takes a waiting task along, and it runs there */
static void lesson13_affinity_while_closed(struct kunit *test)
{
	struct actor *a;

	need_cpus(test, 2);
	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 1)), 0);
	a = actor_begin(test, 0, act_spin);
	actor_join(test, a, "kunit", 50);
	actor_go(test, a);
	KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(a->task, cpumask_of(1)), 0);
	KUNIT_EXPECT_TRUE(test, actor_waits(a, 1));
	KUNIT_EXPECT_FALSE(test, a653_cpu_has_tasks(0));

	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	KUNIT_EXPECT_TRUE(test, actor_moves(a));
	KUNIT_EXPECT_EQ(test, task_cpu(a->task), 1);
	/* And a running one */
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(a->task, cpumask_of(0)), 0);
	KUNIT_EXPECT_TRUE(test, actor_moves(a));
	KUNIT_EXPECT_EQ(test, task_cpu(a->task), 0);
}

/* Lesson 13: as many run as there are CPUs, the best ones, wherever they woke up */
static void lesson13_spread_over_cpus(struct kunit *test)
{
	struct actor *a[3];
	int i;

	need_cpus(test, 2);
	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 1)), 0);
	for (i = 0; i < ARRAY_SIZE(a); i++) {
		a[i] = actor_begin(test, 0, act_spin);
		actor_join(test, a[i], "kunit", 10 * (i + 1));
		actor_go(test, a[i]);
		KUNIT_EXPECT_TRUE(test, actor_waits(a[i], 0));
		set_cpus_allowed_ptr(a[i]->task, cpumask_of(0));
	}
	/* Free to go, but still where they were */
	for (i = 0; i < ARRAY_SIZE(a); i++) {
		struct cpumask *both = kunit_kzalloc(test, cpumask_size(), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, both);
		cpumask_set_cpu(0, both);
		cpumask_set_cpu(1, both);
		KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(a[i]->task, both), 0);
	}
	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	KUNIT_EXPECT_TRUE(test, actor_moves(a[1]));
	KUNIT_EXPECT_TRUE(test, actor_moves(a[2]));
	KUNIT_EXPECT_EQ(test, READ_ONCE(a[0]->count), 0);
	WRITE_ONCE(a[2]->stop, true);
	KUNIT_EXPECT_TRUE(test, actor_moves(a[0]));
	KUNIT_EXPECT_TRUE(test, actor_moves(a[1]));
}

/* Who holds a lock that a more urgent one waits for is not kept from letting it go */
static void priority_inheritance_inside_a_window(struct kunit *test)
{
	struct actor *low, *mid, *high;

	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	KUNIT_ASSERT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	low = actor_begin(test, 0, act_hold);
	mid = actor_begin(test, 0, act_spin);
	high = actor_begin(test, 0, act_lock);
	actor_join(test, low, "kunit", 10);
	actor_join(test, mid, "kunit", 20);
	actor_join(test, high, "kunit", 30);
	actor_go(test, low);
	KUNIT_EXPECT_TRUE(test, actor_moves(low));
	actor_go(test, mid);
	KUNIT_EXPECT_TRUE(test, actor_moves(mid));
	reinit_completion(&high->done);
	complete(&high->go);
	KUNIT_EXPECT_TRUE(test, actor_moves(low));
	KUNIT_EXPECT_EQ(test, low->task->prio, MAX_RT_PRIO - 1 - 30);
	WRITE_ONCE(low->stop, true);
	KUNIT_EXPECT_TRUE(test, actor_done(high));
	KUNIT_EXPECT_TRUE(test, actor_moves(mid));
	KUNIT_EXPECT_EQ(test, low->task->prio, MAX_RT_PRIO - 1 - 10);
}

/* SCHED_A653 is for tasks of a loaded partition that can get at its windows */
static void policy_needs_a_partition(struct kunit *test)
{
	struct actor *a = actor_begin(test, 0, act_turn);
	struct config *c = config_make(test, "kunit", 0, 0);

	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 50), -EPERM);
	KUNIT_ASSERT_EQ(test, load(test, c), 0);
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 50), -EPERM);
	actor_join(test, a, "kunit", 50);
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 100), -EINVAL);

	/* Out of the partition it is an ordinary task */
	a653_task_move(a->task, NULL);
	KUNIT_EXPECT_EQ(test, a->task->policy, SCHED_NORMAL);

	if (nr_cpu_ids < 2 || !cpu_online(1))
		return;
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(a->task, cpumask_of(1)), 0);
	scoped_guard(mutex, &a653_mutex)
		a653_task_move(a->task, a653_part_find("kunit"));
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 50), -EINVAL);
}

static void unload_with_tasks(struct kunit *test)
{
	struct scene *scene = test->priv;
	struct actor *a, *asleep;

	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	a = actor_begin(test, 0, act_spin);
	asleep = actor_begin(test, 0, act_turn);
	actor_join(test, a, "kunit", 50);
	actor_join(test, asleep, "kunit.other", 50);
	actor_go(test, a);
	KUNIT_EXPECT_EQ(test, unload(test, "kunit", false), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->reason, "a653_actor"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->reason, "kunit"));

	/* It was refused, and nothing has changed */
	KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 51), 0);

	KUNIT_EXPECT_EQ(test, unload(test, "kunit", true), 0);
	KUNIT_EXPECT_EQ(test, a->task->policy, SCHED_NORMAL);
	KUNIT_EXPECT_EQ(test, asleep->task->policy, SCHED_NORMAL);
	KUNIT_EXPECT_TRUE(test, actor_moves(a));
	KUNIT_EXPECT_EQ(test, unload(test, "kunit", true), -ENOENT);
	/* The partition is there as long as tasks are in it, but takes no policy */
	a653_task_move(a->task, NULL);
	a653_task_move(asleep->task, NULL);
}

/* What a load of a module that is loaded must not do */
static void reload_refusals(struct kunit *test)
{
	struct config *c = config_make(test, "kunit", 0, 0);
	struct scene *scene = test->priv;
	struct actor *a;

	KUNIT_ASSERT_EQ(test, load(test, c), 0);
	/* Again, as it is: at the next frame */
	KUNIT_EXPECT_EQ(test, load(test, c), 0);

	c->conf.cfg.clock = CLOCK_TAI;
	KUNIT_EXPECT_EQ(test, load(test, c), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->reason, "clock"));
	c->conf.cfg.clock = CLOCK_MONOTONIC;

	/* Its CPU, and its partitions, are taken */
	strscpy(c->conf.cfg.module, "kunit2");
	KUNIT_EXPECT_EQ(test, load(test, c), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->reason, "CPU 0"));
	strscpy(c->conf.cfg.module, "kunit");

	/* A partition with tasks is not dropped: here by another name */
	a = actor_begin(test, 0, act_turn);
	actor_join(test, a, "kunit", 50);
	strscpy(c->partitions[0].name, "kunit.new");
	KUNIT_EXPECT_EQ(test, load(test, c), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->reason, "a653_actor"));
	KUNIT_EXPECT_EQ(test, a->task->policy, SCHED_A653);
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_NORMAL, 0), 0);
	a653_task_move(a->task, NULL);
	KUNIT_EXPECT_EQ(test, load(test, c), 0);
	scoped_guard(mutex, &a653_mutex)
		KUNIT_EXPECT_TRUE(test, !a653_part_find("kunit") ||
				  !a653_part_find("kunit")->module);
	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "ajar"), -ENOENT);
	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit3", "open"), -ENOENT);

	if (nr_cpu_ids < 2 || !cpu_online(1))
		return;
	c = config_make(test, "kunit", 0, 1);
	KUNIT_EXPECT_EQ(test, load(test, c), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(scene->reason, "CPU 1"));
}

/* A load that waits for its time is replaced, and unloaded, like any other */
static void pending_load(struct kunit *test)
{
	struct config *c = config_make(test, "kunit", 0, 0);
	struct a653_request req = { };
	struct scene *scene = test->priv;
	struct actor *a;

	c->conf.cfg.flags = A653_CONFIG_BASE;
	c->conf.cfg.base_ns = a653_clock(CLOCK_MONOTONIC) + 3600 * NSEC_PER_SEC;
	KUNIT_ASSERT_EQ(test, load(test, c), 0);
	a = actor_begin(test, 0, act_spin);
	actor_join(test, a, "kunit", 50);
	actor_go(test, a);
	KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));

	/* A switch of what is pending stays pending */
	strscpy(req.module, "kunit");
	strscpy(req.schedule, "open");
	KUNIT_EXPECT_EQ(test, a653_test_switch(&req, scene->reason), 0);
	KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));

	/* Lesson 5: a load without a base is not kept waiting by one that has */
	c->conf.cfg.flags = A653_CONFIG_WAIT;
	c->conf.cfg.base_ns = 0;
	c->conf.cfg.initial = OPEN;
	KUNIT_EXPECT_EQ(test, load(test, c), 0);
	KUNIT_EXPECT_TRUE(test, actor_moves(a));

	/* In an hour, and then the module goes */
	c->conf.cfg.flags = A653_CONFIG_BASE;
	c->conf.cfg.base_ns = a653_clock(CLOCK_MONOTONIC) + 3600 * NSEC_PER_SEC;
	KUNIT_EXPECT_EQ(test, load(test, c), 0);
	KUNIT_EXPECT_EQ(test, unload(test, "kunit", true), 0);
	a653_task_move(a->task, NULL);
}

/* Lesson 10: modules on different CPUs switch without regard to each other */
static void lesson10_two_modules(struct kunit *test)
{
	struct actor *a, *b;
	int i;

	need_cpus(test, 2);
	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit2", 1, 1)), 0);
	a = actor_begin(test, 0, act_spin);
	b = actor_begin(test, 1, act_spin);
	actor_join(test, a, "kunit", 50);
	actor_join(test, b, "kunit2", 50);
	actor_go(test, a);
	actor_go(test, b);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
		KUNIT_EXPECT_TRUE(test, actor_waits(b, 1));
		KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit2", "open"), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves(b));
		KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
		KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
		KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit2", "closed"), 0);
		KUNIT_EXPECT_TRUE(test, actor_waits(b, 1));
		KUNIT_EXPECT_TRUE(test, actor_moves(a));
		KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "closed"), 0);
	}
	KUNIT_EXPECT_EQ(test, unload(test, "kunit2", true), 0);
	KUNIT_EXPECT_TRUE(test, actor_waits(a, 0));
	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	KUNIT_EXPECT_TRUE(test, actor_moves(a));
	a653_task_move(b->task, NULL);
}

/* On all CPUs of its module */
static int set_part_budget(const char *partition, const struct rtds_params *par)
{
	struct a653_part *part;

	guard(mutex)(&a653_mutex);
	part = a653_part_find(partition);
	return part ? a653_part_budget(part, par, &part->module->cpus) : -ENOENT;
}

/* The test is on CPU 1, what it looks at on CPU 0 */
static void stay_on_cpu1(struct kunit *test)
{
	need_cpus(test, 2);
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(1)), 0);
}

/* The window of "kunit" is open, for longer than the test takes */
static void load_open(struct kunit *test, int from, int to)
{
	struct config *c = config_make(test, "kunit", from, to);
	int i;

	c->conf.cfg.initial = OPEN;
	for (i = OPEN; i <= CLOSED; i++)
		c->schedules[i].major_frame_ns = 4 * NSEC_PER_SEC;
	for (i = 0; i < c->conf.cfg.nr_windows; i++)
		c->windows[i].duration_ns = 3 * NSEC_PER_SEC;
	KUNIT_ASSERT_EQ(test, load(test, c), 0);
}

/* A SCHED_RTDS thread on CPU 0, with half a second in four */
static struct actor *thread_begin(struct kunit *test, void (*act)(struct actor *actor))
{
	struct actor *a = actor_begin(test, 0, act);

	KUNIT_ASSERT_EQ(test, set_budget(a, NSEC_PER_SEC / 2, 4 * NSEC_PER_SEC, 0), 0);
	return a;
}

/*
 * A window takes a CPU whose thread does not leave it yet. If that is changed then,
 * it must not be taken for one that waits there, and run by another CPU as well.
 */
static void changed_thread_that_runs_stays(struct kunit *test)
{
	struct actor *thread, *task;
	int i;

	stay_on_cpu1(test);
	KUNIT_ASSERT_EQ(test, load(test, config_make(test, "kunit", 0, 0)), 0);
	task = actor_begin(test, 0, act_spin);
	actor_join(test, task, "kunit", 50);
	actor_go(test, task);
	thread = thread_begin(test, act_stay);
	actor_go(test, thread);
	KUNIT_EXPECT_TRUE(test, actor_moves(thread));
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(thread->task, cpu_online_mask), 0);

	KUNIT_EXPECT_EQ(test, switch_to_schedule(test, "kunit", "open"), 0);
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_EQ(test, set_budget(thread, NSEC_PER_SEC / 2 + i,
						 4 * NSEC_PER_SEC, 0), 0);
		flush_cpu(1);
		KUNIT_ASSERT_EQ(test, task_cpu(thread->task), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves(thread));
	}
	WRITE_ONCE(thread->stop, true);
	KUNIT_EXPECT_TRUE(test, actor_moves(task));
	KUNIT_EXPECT_TRUE(test, actor_done(thread));
}

/*
 * What waits on CPU 0 is the first to run there, but does not come to it: so others
 * leave it alone, until a task wakes up in the window that is open.
 */
static void window_that_wakes_up_sends_others_away(struct kunit *test,
						   struct actor *waits)
{
	struct actor *stays, *task;

	task = actor_begin(test, 0, act_spin);
	actor_join(test, task, "kunit", 50);
	stays = actor_begin(test, 0, act_stay);
	actor_go(test, stays);
	KUNIT_EXPECT_TRUE(test, actor_moves(stays));
	actor_go(test, waits);
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(waits->task, cpu_online_mask), 0);
	flush_cpu(1);
	KUNIT_EXPECT_EQ(test, task_cpu(waits->task), 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(waits->count), 0);

	reinit_completion(&task->done);
	preempt_disable();
	complete(&task->go);
	KUNIT_EXPECT_TRUE(test, actor_moves_away_soon(waits, 0));
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, actor_moves(waits));
	WRITE_ONCE(stays->stop, true);
	KUNIT_EXPECT_TRUE(test, actor_moves(task));
	KUNIT_EXPECT_TRUE(test, actor_moves(waits));
}

static void window_that_wakes_up_sends_threads_away(struct kunit *test)
{
	stay_on_cpu1(test);
	load_open(test, 0, 0);
	window_that_wakes_up_sends_others_away(test, thread_begin(test, act_spin));
}

static void window_that_wakes_up_sends_served_tasks_away(struct kunit *test)
{
	const struct rtds_params par = {
		.budget_ns = NSEC_PER_SEC / 2,
		.period_ns = 4 * NSEC_PER_SEC,
	};
	struct actor *served;

	stay_on_cpu1(test);
	load_open(test, 0, 1);
	served = actor_begin(test, 0, act_spin);
	actor_join(test, served, "kunit.other", 50);
	KUNIT_ASSERT_EQ(test, set_part_budget("kunit.other", &par), 0);
	window_that_wakes_up_sends_others_away(test, served);
}

/* Who leaves the class while it runs leaves the CPU to who waits in the class */
static void task_that_leaves_the_class_is_preempted(struct kunit *test)
{
	struct actor *task, *thread;
	int i;

	stay_on_cpu1(test);
	load_open(test, 0, 0);
	task = actor_begin(test, 0, act_spin);
	actor_join(test, task, "kunit", 50);
	thread = thread_begin(test, act_spin);
	actor_go(test, task);
	KUNIT_EXPECT_TRUE(test, actor_moves(task));
	actor_go(test, thread);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, actor_moves(task));
		KUNIT_EXPECT_EQ(test, set_policy(task, SCHED_FIFO, 50), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves_soon(thread));
		KUNIT_EXPECT_EQ(test, set_policy(task, SCHED_A653, 50), 0);
	}
}

/* A thread that runs becomes a task whose partition has neither window nor budget now */
static void thread_that_joins_a_closed_window_stops(struct kunit *test)
{
	struct actor *a;

	stay_on_cpu1(test);
	load_open(test, 0, 0);
	a = thread_begin(test, act_spin);
	scoped_guard(mutex, &a653_mutex)
		a653_task_move(a->task, a653_part_find("kunit.other"));
	actor_go(test, a);
	KUNIT_EXPECT_TRUE(test, actor_moves(a));
	KUNIT_EXPECT_EQ(test, set_policy(a, SCHED_A653, 50), 0);
	KUNIT_EXPECT_TRUE(test, actor_leaves_soon(a, 0));
}

/* Lesson 33: a depleted server gets extratime, and the one that has it loses it */
static void lesson33_extratime_is_given_and_taken(struct kunit *test)
{
	u64 budget = 10 * NSEC_PER_MSEC, period = 4 * NSEC_PER_SEC;
	struct actor *a;
	int i;

	stay_on_cpu1(test);
	a = thread_begin(test, act_spin);
	KUNIT_ASSERT_EQ(test, set_budget(a, budget, period, 0), 0);
	actor_go(test, a);
	KUNIT_EXPECT_TRUE(test, until(!task_on_cpu(cpu_rq(0), a->task)));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, set_budget(a, budget, period, SCHED_FLAG_RECLAIM), 0);
		KUNIT_EXPECT_TRUE(test, actor_moves_soon(a));
		KUNIT_EXPECT_EQ(test, set_budget(a, budget, period, 0), 0);
		KUNIT_EXPECT_TRUE(test, actor_leaves_soon(a, 0));
	}
}

static struct kunit_case a653_test_cases[] = {
	KUNIT_CASE(switch_in_force_when_all_adopted),
	KUNIT_CASE(lesson04_no_for_one_is_no_for_all),
	KUNIT_CASE(commit_in_time_only),
	KUNIT_CASE(stale_instant_is_ignored),
	KUNIT_CASE(withdraw_before_anybody_adopts),
	KUNIT_CASE(no_withdrawal_after_the_instant),
	KUNIT_CASE(replaced_plan_is_retired),
	KUNIT_CASE(lesson10_two_modules_in_turns),
	KUNIT_CASE(lesson04_random_walk),
	KUNIT_CASE(start_on_a_boundary),
	KUNIT_CASE(order_by_priority_then_fifo),
	KUNIT_CASE(windows_open_and_close),
	KUNIT_CASE(preemption_inside_a_window),
	KUNIT_CASE(class_changes),
	KUNIT_CASE(lesson13_affinity_while_closed),
	KUNIT_CASE(lesson13_spread_over_cpus),
	KUNIT_CASE(priority_inheritance_inside_a_window),
	KUNIT_CASE(policy_needs_a_partition),
	KUNIT_CASE(unload_with_tasks),
	KUNIT_CASE(reload_refusals),
	KUNIT_CASE(pending_load),
	KUNIT_CASE(lesson10_two_modules),
	KUNIT_CASE(changed_thread_that_runs_stays),
	KUNIT_CASE(window_that_wakes_up_sends_threads_away),
	KUNIT_CASE(window_that_wakes_up_sends_served_tasks_away),
	KUNIT_CASE(task_that_leaves_the_class_is_preempted),
	KUNIT_CASE(thread_that_joins_a_closed_window_stops),
	KUNIT_CASE(lesson33_extratime_is_given_and_taken),
	{}
};

static struct kunit_suite a653_test_suite = {
	.name = "a653",
	.init = a653_test_init,
	.exit = a653_test_exit,
	.test_cases = a653_test_cases,
};

kunit_test_suite(a653_test_suite);
