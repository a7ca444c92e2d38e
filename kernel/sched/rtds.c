// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_RTDS: deferrable servers
 *
 * A server may run for its budget in each of its periods. There are two kinds:
 * that of a partition on one CPU, which runs the SCHED_A653 tasks that are queued
 * there; and that of a SCHED_RTDS thread, which goes with the thread. What a
 * server is, and how its budget comes and goes, is arithmetic, and told in
 * rtds_server.c. Here is which of them a CPU runs, and when.
 *
 * A server is queued on a CPU while it has something to run. Then it is in two
 * trees: that of deadlines (due), and while it has budget that of the servers that
 * may run (ready), by its key: level first, then deadline. A CPU that no window
 * takes runs the first in the latter. What is not ready does not count in
 * rq->nr_running. The server whose task runs pays for it by the nanosecond of
 * CLOCK_MONOTONIC: it is charged whenever something is decided, and before.
 *
 * Nothing polls. One timer per CPU is armed for the first deadline in the tree:
 * there a server gets its new budget and its new place in the order. Servers that
 * sleep are not in the tree; they catch up when they wake up. While a window takes
 * the CPU the timer is for threads only that may run elsewhere: the others are as
 * well off if they get their budget when the window leaves the CPU. They are in a
 * tree of their own. A second timer enforces the budget of the one that runs. It is
 * armed for what is left of it, and not at all if the period ends before. Both are of
 * this CPU alone. Who changes something from another CPU has them re-armed by
 * irq_work.
 *
 * Threads are scheduled by global EDF: of those that are ready, the m with the
 * smallest keys run on the m CPUs that windows leave free. As with the tasks of a
 * partition there is one way by which a waiting thread gets to another CPU, the
 * pull. A CPU publishes the key of what it runs. It pulls when that gets larger;
 * and who leaves a thread waiting (offer) tells the CPU with the largest key, if
 * that is larger than the thread's, and claims it: until it has looked, it counts as
 * if it had the thread. Keys that are equal displace nobody.
 *
 * Extratime comes before the lower classes as well, so it must leave them
 * something: while there is extratime the CPU owes them the share of
 * kernel.sched_a653_min_slack_pct of all time. What they get pays for it. When a
 * millisecond is owed there is no extratime before that is paid.
 *
 * Bounds, with interrupts off: O(log n) for n queued servers, O(m) to look for one
 * of m CPUs. A timer that finds k servers due takes k such steps; k is one, but for
 * servers whose periods end at the same time. So does a window that leaves the CPU,
 * for the bound servers whose periods ended in it. A pull locks those of the CPUs
 * where a better thread waits, one after the other, until it gets one. A CPU that was
 * told locks each of those where there is still one that should run somewhere;
 * threads that may go to some CPUs only, if they wait there before it, are passed
 * over.
 */
#include <linux/mmu_context.h>
#include <linux/rbtree.h>

#include "sched.h"
#include "pelt.h"
#include "a653.h"

#include <trace/events/a653.h>

DEFINE_STATIC_KEY_FALSE(rtds_key_used);

/* What extratime may owe before it has to pay */
#define RTDS_MAX_OWED_NS	NSEC_PER_MSEC

/* CPUs with threads in rtds_rq::push */
static struct cpumask rtds_push_cpus;

/* The CPUs a pull has yet to look at; interrupts are off */
static DEFINE_PER_CPU(struct cpumask, rtds_pull_mask);

static inline struct rtds_rq *rtds_rq_of(struct rq *rq)
{
	return &a653_rq_of(rq)->rtds;
}

static bool rtds_offer(struct rq *rq, struct rtds_entity *e);

static const char rtds_no_name[A653_NAME_LEN];

#define rtds_trace(event, rq, entity, now, ran)					\
do {										\
	const struct rtds_entity *__e = entity;					\
										\
	trace_a653_##event(__e->pc ? __e->pc->part->name : rtds_no_name,	\
			   __e->task ? __e->task->pid : 0, cpu_of(rq), now, ran,	\
			   __e->s.level, __e->s.deadline_ns, __e->s.left_ns);	\
} while (0)

/*
 * The trees
 */

static inline struct rtds_entity *rtds_of_ready(const struct rb_node *node)
{
	return rb_entry(node, struct rtds_entity, ready_node);
}

static bool rtds_ready_before(struct rb_node *a, const struct rb_node *b)
{
	return rtds_of_ready(a)->key < rtds_of_ready(b)->key;
}

/* For the one that runs: it stays before its equals */
static bool rtds_ready_not_after(struct rb_node *a, const struct rb_node *b)
{
	return rtds_of_ready(a)->key <= rtds_of_ready(b)->key;
}

static inline struct rtds_entity *rtds_of_due(const struct rb_node *node)
{
	return rb_entry(node, struct rtds_entity, due_node);
}

static bool rtds_due_before(struct rb_node *a, const struct rb_node *b)
{
	return rtds_of_due(a)->s.deadline_ns < rtds_of_due(b)->s.deadline_ns;
}

static inline struct rtds_entity *rtds_of_push(const struct rb_node *node)
{
	return rb_entry(node, struct rtds_entity, push_node);
}

static bool rtds_push_before(struct rb_node *a, const struct rb_node *b)
{
	return rtds_of_push(a)->key < rtds_of_push(b)->key;
}

static void rtds_ready_add(struct rq *rq, struct rtds_entity *e)
{
	struct a653_rq *ar = a653_rq_of(rq);

	e->key = rtds_key(&e->s);
	rb_add_cached(&e->ready_node, &ar->rtds.ready,
		      e == ar->rtds.serving ? rtds_ready_not_after : rtds_ready_before);
	e->ready = true;
	if (!e->pc)
		a653_count(rq, ar, 1);
	else if (!e->pc->open)
		a653_count(rq, ar, e->pc->nr_queued);
}

static void rtds_ready_del(struct rq *rq, struct rtds_entity *e)
{
	struct a653_rq *ar = a653_rq_of(rq);

	if (!e->ready)
		return;
	rb_erase_cached(&e->ready_node, &ar->rtds.ready);
	e->ready = false;
	if (!e->pc)
		a653_uncount(rq, ar, 1);
	else if (!e->pc->open)
		a653_uncount(rq, ar, e->pc->nr_queued);
}

/* Threads that wait, and may run elsewhere, are in the tree of those */
static void rtds_update_push(struct rq *rq, struct rtds_entity *e)
{
	struct rtds_rq *rr = rtds_rq_of(rq);
	struct rb_node *first;

	if (!RB_EMPTY_NODE(&e->push_node)) {
		rb_erase_cached(&e->push_node, &rr->push);
		RB_CLEAR_NODE(&e->push_node);
	}
	if (e->ready && e->task && e->task->nr_cpus_allowed > 1 && !e->running)
		rb_add_cached(&e->push_node, &rr->push, rtds_push_before);

	first = rb_first_cached(&rr->push);
	WRITE_ONCE(rr->push_key, first ? rtds_of_push(first)->key : RTDS_KEY_NONE);
	if (cpumask_test_cpu(cpu_of(rq), &rtds_push_cpus) != !!first)
		cpumask_assign_cpu(cpu_of(rq), &rtds_push_cpus, first);
}

static inline struct rb_root_cached *rtds_due_of(struct rtds_rq *rr,
						 const struct rtds_entity *e)
{
	return e->bound ? &rr->due_bound : &rr->due;
}

/* The state of @e is another one: put it where it belongs now */
static void rtds_place(struct rq *rq, struct rtds_entity *e)
{
	struct a653_rq *ar = a653_rq_of(rq);

	rtds_ready_del(rq, e);
	if (!RB_EMPTY_NODE(&e->due_node)) {
		rb_erase_cached(&e->due_node, rtds_due_of(&ar->rtds, e));
		RB_CLEAR_NODE(&e->due_node);
	}
	if (e->queued) {
		e->bound = e->pc || e->task->nr_cpus_allowed == 1;
		rb_add_cached(&e->due_node, rtds_due_of(&ar->rtds, e), rtds_due_before);
		if (!rtds_depleted(&e->s))
			rtds_ready_add(rq, e);
	}
	if (e->task)
		rtds_update_push(rq, e);
	rtds_publish(rq, ar);
}

/**
 * rtds_first - the server that a CPU should run, if no window takes it
 * @ar: the CPU
 *
 * Return: the server, or NULL.
 */
struct rtds_entity *rtds_first(struct a653_rq *ar)
{
	struct rb_node *node = rb_first_cached(&ar->rtds.ready);
	struct rtds_entity *e;

	if (!node)
		return NULL;
	e = rtds_of_ready(node);
	return ar->rtds.barred && e->s.level >= RTDS_LEVEL_EXTRA ? NULL : e;
}

/**
 * rtds_publish - tell other CPUs what this one runs, or is about to run
 * @rq: the run queue
 * @ar: the CPU
 */
void rtds_publish(struct rq *rq, struct a653_rq *ar)
{
	struct rtds_entity *e = rtds_first(ar);
	u64 key = RTDS_KEY_NONE;

	if (a653_window_busy(ar))
		key = RTDS_KEY_FIRST;
	else if (e)
		key = e->key;
	else if (ar->rtds.barred)
		key = RTDS_KEY_EXTRA;	/* no extratime from elsewhere, either */
	WRITE_ONCE(ar->rtds.cpu_key, key);
}

/* Whose period ends first? */
static struct rtds_entity *rtds_next_due(const struct rtds_rq *rr, bool with_bound)
{
	struct rb_node *first = rb_first_cached(&rr->due);
	struct rb_node *bound = with_bound ? rb_first_cached(&rr->due_bound) : NULL;

	if (!first || (bound && rtds_due_before(bound, first)))
		first = bound;
	return first ? rtds_of_due(first) : NULL;
}

/*
 * When does a server have to get its budget? S64_MAX: never. What can run nowhere
 * else gets it when the window that takes the CPU leaves it.
 */
static s64 rtds_first_due(const struct a653_rq *ar)
{
	const struct rtds_rq *rr = &ar->rtds;
	struct rtds_entity *e = rtds_next_due(rr, !a653_window_busy(ar));

	if (IS_ENABLED(CONFIG_SCHED_A653_RTDS_SCAN) && (e || rr->due_fired))
		return rr->due_ns != S64_MAX ? rr->due_ns :
		       (div_u64(ktime_get(), NSEC_PER_MSEC) + 1) * NSEC_PER_MSEC;
	return e ? e->s.deadline_ns : S64_MAX;
}

/*
 * The checker
 */

#ifdef CONFIG_SCHED_A653_DEBUG

#define RTDS_WARN(rq, cond) \
	WARN_ONCE(cond, "rtds: CPU %d: " #cond "\n", cpu_of(rq))

static void rtds_check_due(struct rq *rq, struct rb_root_cached *due, bool bound)
{
	struct rtds_entity *e;
	struct rb_node *node;
	s64 deadline_ns = 0;

	for (node = rb_first_cached(due); node; node = rb_next(node)) {
		e = rtds_of_due(node);
		RTDS_WARN(rq, !e->queued);
		RTDS_WARN(rq, e->bound != bound);
		RTDS_WARN(rq, e->s.deadline_ns < deadline_ns);
		RTDS_WARN(rq, e->ready == rtds_depleted(&e->s));
		deadline_ns = e->s.deadline_ns;
	}
}

/* What the servers add to rq->nr_running */
unsigned int rtds_check_rq(struct rq *rq)
{
	struct rtds_rq *rr = rtds_rq_of(rq);
	u64 key = 0, push_key = RTDS_KEY_NONE;
	unsigned int counted = 0;
	struct rtds_entity *e;
	struct rb_node *node;
	bool armed = true;

	lockdep_assert_rq_held(rq);
	for (node = rb_first_cached(&rr->ready); node; node = rb_next(node)) {
		e = rtds_of_ready(node);
		RTDS_WARN(rq, !e->ready || !e->queued);
		RTDS_WARN(rq, rtds_depleted(&e->s));
		RTDS_WARN(rq, e->key != rtds_key(&e->s));
		RTDS_WARN(rq, e->key < key);
		RTDS_WARN(rq, e->pc && !e->pc->nr_queued);
		RTDS_WARN(rq, e->task && task_cpu(e->task) != cpu_of(rq));
		key = e->key;
		if (!e->pc)
			counted++;
		else if (!e->pc->open)
			counted += e->pc->nr_queued;
	}
	rtds_check_due(rq, &rr->due, false);
	rtds_check_due(rq, &rr->due_bound, true);
	for (node = rb_first_cached(&rr->push); node; node = rb_next(node)) {
		e = rtds_of_push(node);
		RTDS_WARN(rq, !e->task || !e->ready || e->running);
		push_key = min(push_key, e->key);
	}
	RTDS_WARN(rq, rr->push_key != push_key);
	RTDS_WARN(rq, !RB_EMPTY_ROOT(&rr->push.rb_root) !=
		     cpumask_test_cpu(cpu_of(rq), &rtds_push_cpus));
	RTDS_WARN(rq, rr->serving && !rr->serving->queued);
	/* Another CPU leaves the timer to this one, whose next interrupt sets it */
	if (rtds_first_due(a653_rq_of(rq)) != S64_MAX)
		armed = rr->due_ns != S64_MAX || irq_work_is_busy(&rr->work);
	RTDS_WARN(rq, !armed);
	return counted;
}

#endif /* CONFIG_SCHED_A653_DEBUG */

/*
 * Timers
 */

/*
 * A timer is pinned to the CPU that starts it, which must be the one whose timer it
 * is. It may be running its callback: there, this is called from it.
 */
static bool rtds_other_cpu(struct rq *rq)
{
	if (likely(cpu_of(rq) == smp_processor_id()))
		return false;
	irq_work_queue_on(&rtds_rq_of(rq)->work, cpu_of(rq));
	return true;
}

static void rtds_start_timer(struct hrtimer *timer, s64 at_ns)
{
	if (at_ns == S64_MAX)
		hrtimer_try_to_cancel(timer);
	else
		hrtimer_start(timer, at_ns, HRTIMER_MODE_ABS_PINNED_HARD);
}

/* The first deadline may be another one than before */
static void rtds_arm_due(struct rq *rq)
{
	struct rtds_rq *rr = rtds_rq_of(rq);
	s64 due_ns = rtds_first_due(a653_rq_of(rq));

	if (due_ns == rr->due_ns || rtds_other_cpu(rq))
		return;
	rr->due_ns = due_ns;
	rtds_start_timer(&rr->due_timer, due_ns);
}

/* The share of the lower classes; that of what is above them is never nothing */
static u32 rtds_low_pct(void)
{
	return min(a653_min_slack_pct(), 99U);
}

/* For how long can there be extratime, or must there be none? */
static u64 rtds_owed_left(const struct rtds_rq *rr)
{
	u32 pct = rtds_low_pct();

	if (rr->barred)
		return div_u64(rr->owed_ns * 100, 100 - pct);
	return pct ? div_u64((RTDS_MAX_OWED_NS - rr->owed_ns) * 100, pct) : S64_MAX / 2;
}

/* What the served one has at its level ends at some time */
static void rtds_arm_budget(struct rq *rq)
{
	struct rtds_rq *rr = rtds_rq_of(rq);
	struct rtds_entity *e = rr->serving;
	s64 at_ns = S64_MAX;
	u64 left_ns;

	if (e && !rtds_depleted(&e->s)) {
		left_ns = e->s.left_ns;
		if (e->s.level >= RTDS_LEVEL_EXTRA && !rr->barred)
			left_ns = min(left_ns, rtds_owed_left(rr));
		at_ns = rr->from_ns + left_ns;
		/* It gets another budget before that, or then */
		if (at_ns >= e->s.deadline_ns)
			at_ns = S64_MAX;
	} else if (!e && rr->barred && rr->low) {
		at_ns = rr->owed_at_ns + rtds_owed_left(rr);
	}
	if (at_ns == rr->budget_at_ns || rtds_other_cpu(rq))
		return;
	rr->budget_at_ns = at_ns;
	rtds_start_timer(&rr->budget_timer, at_ns);
}

/*
 * Who pays
 */

/*
 * What is owed to the lower classes grows all the time, and gets less while they have
 * the CPU. It is counted from when there is extratime until it is paid.
 */
static void rtds_owe(struct rq *rq, s64 now)
{
	struct rtds_rq *rr = rtds_rq_of(rq);
	bool was_barred = rr->barred;
	u32 pct = rtds_low_pct();
	u64 ns = now - rr->owed_at_ns;

	if (!rr->owed_at_ns)
		return;
	rr->owed_at_ns = now;
	if (!rr->low)
		rr->owed_ns += div_u64(ns * pct, 100);
	else
		rr->owed_ns -= min(div_u64(ns * (100 - pct), 100), rr->owed_ns);
	if (rr->owed_ns >= RTDS_MAX_OWED_NS) {
		rr->barred = true;
	} else if (!rr->owed_ns) {
		rr->barred = false;
		rr->owed_at_ns = 0;
	}
	if (rr->barred != was_barred)
		rtds_publish(rq, a653_rq_of(rq));
}

/* Tell of a server what has become of it, and what that means for its place */
static void rtds_tell(struct rq *rq, struct rtds_entity *e, s64 now, u64 ran,
		      unsigned int what)
{
	if (what & RTDS_RENEWED) {
		e->stat.replenished++;
		rtds_trace(replenish, rq, e, now, 0);
	}
	if (what & RTDS_DEPLETED) {
		e->stat.depleted++;
		rtds_trace(deplete, rq, e, now, ran);
	} else if (what & RTDS_LEVELLED) {
		rtds_trace(level, rq, e, now, ran);
	}
}

/* Charge the server that is served, up to @now */
static void rtds_account(struct rq *rq, s64 now)
{
	struct rtds_rq *rr = rtds_rq_of(rq);
	struct rtds_entity *e = rr->serving;
	unsigned int what;
	bool was_extra;
	u64 ran;

	lockdep_assert_rq_held(rq);
	if (!e || now <= rr->from_ns)
		return;

	ran = now - rr->from_ns;
	was_extra = e->s.level >= RTDS_LEVEL_EXTRA;
	what = rtds_charge(&e->s, rr->from_ns, now);
	rr->from_ns = now;
	e->stat.run_ns += ran;
	rtds_trace(burn, rq, e, now, ran);
	if (was_extra) {
		e->stat.extra_ns += ran;
		if (!rr->owed_at_ns)
			rr->owed_at_ns = now - ran;
	}
	rtds_owe(rq, now);
	if (what) {
		rtds_tell(rq, e, now, ran, what);
		rtds_place(rq, e);
		rtds_arm_due(rq);
	}
}

/* Time has come to @now, whoever had it */
static void rtds_update(struct rq *rq, s64 now)
{
	if (rtds_rq_of(rq)->serving)
		rtds_account(rq, now);
	else
		rtds_owe(rq, now);
}

static void rtds_serve_at(struct rq *rq, struct rtds_entity *e, bool low, s64 now)
{
	struct rtds_rq *rr = rtds_rq_of(rq);

	rtds_update(rq, now);
	rr->low = low;
	rr->from_ns = now;
	if (rr->serving != e) {
		rr->serving = e;
		if (e) {
			rr->picked++;
			rtds_trace(pick, rq, e, now, 0);
		}
	}
	rtds_arm_budget(rq);
}

/**
 * rtds_pick - serve the server that should have the CPU, if no window takes it
 * @rq: run queue of the CPU
 * @ar: the CPU
 *
 * Return: the server, or NULL: the lower classes get the CPU.
 */
struct rtds_entity *rtds_pick(struct rq *rq, struct a653_rq *ar)
{
	struct rtds_rq *rr = &ar->rtds;
	struct rtds_entity *e;
	u64 key;
	s64 now;

	lockdep_assert_rq_held(rq);
	if (!rr->serving && !rr->owed_at_ns) {
		e = rtds_first(ar);
		if (!e) {
			rr->low = true;
			return NULL;
		}
		rtds_serve_at(rq, e, false, ktime_get());
		return e;
	}
	/* What it is charged may put it behind others, here and elsewhere */
	now = ktime_get();
	key = rr->cpu_key;
	rtds_update(rq, now);
	e = rtds_first(ar);
	rtds_serve_at(rq, e, !e, now);
	if (rr->cpu_key > key)
		rtds_pull_later(rq);
	return e;
}

/**
 * rtds_serve - another server pays from now on
 * @rq: run queue of the CPU
 * @e: the server, or NULL: nobody does
 * @low: with @e NULL: the lower classes get the CPU
 */
void rtds_serve(struct rq *rq, struct rtds_entity *e, bool low)
{
	struct rtds_rq *rr = rtds_rq_of(rq);

	lockdep_assert_rq_held(rq);
	if (rr->serving == e && (rr->low == low || !rr->owed_at_ns))
		rr->low = low;
	else
		rtds_serve_at(rq, e, low, ktime_get());
}

/*
 * Queueing
 */

/**
 * rtds_queue - a server has something to run
 * @rq: run queue of the CPU
 * @e: the server, which had nothing to run there
 * @wakes: it had nothing to run at all
 */
void rtds_queue(struct rq *rq, struct rtds_entity *e, bool wakes)
{
	s64 now = ktime_get(), deadline_ns = e->s.deadline_ns;
	struct rtds_entity *first = rtds_first(a653_rq_of(rq));

	lockdep_assert_rq_held(rq);
	if (wakes)
		rtds_wake(&e->s, now);
	else
		rtds_catch_up(&e->s, now);
	if (e->s.deadline_ns != deadline_ns)
		rtds_tell(rq, e, now, 0, RTDS_RENEWED);
	e->queued = true;
	rtds_place(rq, e);
	rtds_arm_due(rq);
	/* It was left alone as it was to run here; perhaps it did not come to that */
	if (first && rtds_first(a653_rq_of(rq)) != first)
		rtds_offer(rq, first);
}

/**
 * rtds_unqueue - a server has nothing more to run, or leaves the CPU
 * @rq: run queue of the CPU
 * @e: the server
 *
 * Of a partition's server the tasks are still counted.
 */
void rtds_unqueue(struct rq *rq, struct rtds_entity *e)
{
	lockdep_assert_rq_held(rq);
	if (rtds_rq_of(rq)->serving == e)
		rtds_serve(rq, NULL, false);
	e->queued = false;
	rtds_place(rq, e);
	rtds_arm_due(rq);
}

/*
 * To other CPUs
 */

/* What @cpu runs, or is going to get */
static u64 rtds_key_of(int cpu)
{
	struct rtds_rq *rr = rtds_rq_of(cpu_rq(cpu));

	return min(READ_ONCE(rr->cpu_key), READ_ONCE(rr->claim_key));
}

/*
 * Of the CPUs where @p may run, the one that runs what is least urgent, if that is
 * less urgent than @key; else -1. One that idles before others of the same kind.
 */
static int rtds_find_cpu(struct task_struct *p, u64 key)
{
	int cpu, best = -1;
	u64 worst = key;

	for_each_cpu_and(cpu, p->cpus_ptr, cpu_active_mask) {
		u64 cpu_key = rtds_key_of(cpu);

		if (cpu_key <= key)
			continue;
		if (cpu_key > worst || (cpu_key == worst && !available_idle_cpu(best) &&
					available_idle_cpu(cpu))) {
			worst = cpu_key;
			best = cpu;
		}
	}
	return best;
}

/* The same; until that CPU has looked, nobody else takes it for so little urgent */
static int rtds_claim_cpu(struct task_struct *p, u64 key, int this_cpu)
{
	struct rtds_rq *rr;
	u64 claim;
	int cpu;

	/* Each time it fails others have succeeded */
	for (;;) {
		cpu = rtds_find_cpu(p, key);
		if (cpu < 0 || cpu == this_cpu)
			return -1;
		rr = rtds_rq_of(cpu_rq(cpu));
		claim = READ_ONCE(rr->claim_key);
		if (claim > key && try_cmpxchg(&rr->claim_key, &claim, key))
			return cpu;
	}
}

/*
 * @e waits here: let a CPU pull it that should run it. Returns false if there is none,
 * or nothing to be done. A partition's server stays, but its first task may go.
 */
static bool rtds_offer(struct rq *rq, struct rtds_entity *e)
{
	struct a653_rq *ar = a653_rq_of(rq);
	int cpu;

	if (e->pc) {
		a653_offer_first(rq, e->pc);
		return false;
	}
	if (RB_EMPTY_NODE(&e->push_node) ||
	    (!a653_window_busy(ar) && rtds_first(ar) == e))
		return false;
	/*
	 * Pairs with rtds_wants_pull(): either the thread is seen there, or what
	 * that CPU runs, here.
	 */
	smp_mb();
	cpu = rtds_claim_cpu(e->task, e->key, cpu_of(rq));
	if (cpu < 0)
		return false;
	trace_a653_tickle(e->task->pid, cpu_of(rq), cpu);
	irq_work_queue_on(&per_cpu(a653_rqs, cpu).rtds.work, cpu);
	return true;
}

/**
 * rtds_wants_pull - does a thread wait elsewhere that this CPU should rather run?
 * @rq: of this CPU
 * @ar: this CPU; what it is about to run is published
 *
 * Return: true if it seems so.
 */
bool rtds_wants_pull(struct rq *rq, struct a653_rq *ar)
{
	int cpu;

	/* It would not get rid of them any more */
	if (!cpu_active(cpu_of(rq)))
		return false;
	/* Pairs with rtds_offer() */
	smp_mb();
	for_each_cpu(cpu, &rtds_push_cpus) {
		if (cpu != cpu_of(rq) &&
		    READ_ONCE(per_cpu(a653_rqs, cpu).rtds.push_key) < ar->rtds.cpu_key)
			return true;
	}
	return false;
}

/**
 * rtds_pull_later - a CPU may be about to run something less urgent than before
 * @rq: of the CPU; any CPU may call
 *
 * If a better thread waits elsewhere, it pulls that by its next interrupt.
 */
void rtds_pull_later(struct rq *rq)
{
	struct a653_rq *ar = a653_rq_of(rq);

	if (rtds_wants_pull(rq, ar))
		irq_work_queue_on(&ar->rtds.work, cpu_of(rq));
}

/* The most urgent thread that waits on @src, may come here, and should */
static struct rtds_entity *rtds_pick_push(struct rq *src, int cpu, u64 key)
{
	struct rb_node *node;
	struct rtds_entity *e;

	for (node = rb_first_cached(&rtds_rq_of(src)->push); node; node = rb_next(node)) {
		e = rtds_of_push(node);
		if (e->key >= key)
			break;
		/* It is to run there, and comes to it soon */
		if (!a653_window_busy(a653_rq_of(src)) && rtds_first(a653_rq_of(src)) == e)
			continue;
		if (cpumask_test_cpu(cpu, e->task->cpus_ptr))
			return e;
	}
	return NULL;
}

/**
 * rtds_pull - get the most urgent thread that waits elsewhere to this CPU
 * @rq: of this CPU
 *
 * Context: no rq->lock held, interrupts off.
 */
void rtds_pull(struct rq *rq)
{
	struct cpumask *mask = this_cpu_ptr(&rtds_pull_mask);
	struct rtds_rq *rr = rtds_rq_of(rq);
	int cpu, best, this_cpu = cpu_of(rq);
	struct rtds_entity *e = NULL;
	struct rq *src;
	u64 key, first;

	lockdep_assert_irqs_disabled();
	if (!cpu_active(this_cpu))
		return;

	cpumask_copy(mask, &rtds_push_cpus);
	cpumask_clear_cpu(this_cpu, mask);
	while (!e) {
		first = READ_ONCE(rr->cpu_key);
		best = -1;
		for_each_cpu(cpu, mask) {
			key = READ_ONCE(per_cpu(a653_rqs, cpu).rtds.push_key);
			if (key < first) {
				first = key;
				best = cpu;
			}
		}
		if (best < 0)
			return;
		cpumask_clear_cpu(best, mask);

		src = cpu_rq(best);
		double_rq_lock(rq, src);
		e = rtds_pick_push(src, this_cpu, rr->cpu_key);
		if (e) {
			struct task_struct *p = e->task;

			update_rq_clock(rq);
			update_rq_clock(src);
			deactivate_task(src, p, DEQUEUE_NOCLOCK);
			set_task_cpu(p, this_cpu);
			activate_task(rq, p, ENQUEUE_NOCLOCK);
			rtds_check_preempt(rq, e);
			rtds_check_rq(src);
			rtds_check_rq(rq);
		}
		double_rq_unlock(rq, src);
	}
}

/*
 * This CPU was offered a thread, and has looked. It can have got a better one in the
 * meantime, from itself or from yet another CPU; and whose thread was left then may
 * count on it. So who still has one that some CPU should rather run offers it again.
 * That ends: each time a CPU has got something better.
 */
static void rtds_offer_rest(int this_cpu)
{
	struct rb_node *node;
	u64 worst = 0;
	struct rq *rq;
	int cpu;

	for_each_cpu(cpu, cpu_active_mask)
		worst = max(worst, rtds_key_of(cpu));
	for_each_cpu(cpu, &rtds_push_cpus) {
		rq = cpu_rq(cpu);
		if (cpu == this_cpu || READ_ONCE(rtds_rq_of(rq)->push_key) >= worst)
			continue;
		guard(rq_lock)(rq);
		node = rb_first_cached(&rtds_rq_of(rq)->push);
		while (node && rtds_of_push(node)->key < worst &&
		       !rtds_offer(rq, rtds_of_push(node)))
			node = rb_next(node);
	}
}

static void rtds_work(struct irq_work *work)
{
	struct a653_rq *ar = container_of(work, struct a653_rq, rtds.work);
	struct rq *rq = this_rq();
	bool pull, asked;

	scoped_guard(rq_lock, rq) {
		asked = xchg(&ar->rtds.claim_key, RTDS_KEY_NONE) != RTDS_KEY_NONE;
		rtds_arm_due(rq);
		rtds_arm_budget(rq);
		pull = rtds_wants_pull(rq, ar);
	}
	if (pull)
		rtds_pull(rq);
	if (asked)
		rtds_offer_rest(cpu_of(rq));
}

/*
 * The timers fire
 */

/* Does the CPU run something else than it should? */
static void rtds_reconsider(struct rq *rq, struct a653_rq *ar)
{
	if (!a653_window_busy(ar) && rtds_first(ar) != ar->rtds.serving)
		resched_curr(rq);
}

/*
 * The servers whose period is over by @now get their budget. Returns those that are
 * threads, chained by @renewed.
 */
static struct rtds_entity *rtds_replenish(struct rq *rq, struct a653_rq *ar, s64 now,
					  bool *any)
{
	struct rtds_entity *e, *threads = NULL;

	while ((e = rtds_next_due(&ar->rtds, true)) && e->s.deadline_ns <= now) {
		rtds_catch_up(&e->s, now);
		rtds_tell(rq, e, now, 0, RTDS_RENEWED);
		rtds_place(rq, e);
		if (e->pc) {
			a653_kick_pull(rq, e->pc);
		} else {
			e->renewed = threads;
			threads = e;
		}
		*any = true;
	}
	return threads;
}

/* Time has come to @now: who is due gets its budget, and @any tells that somebody was */
static void rtds_renew(struct rq *rq, struct a653_rq *ar, s64 now, bool *any)
{
	struct rtds_entity *first = rtds_first(ar), *e;

	rtds_account(rq, now);
	e = rtds_replenish(rq, ar, now, any);
	rtds_arm_due(rq);
	rtds_arm_budget(rq);

	/* All keys are known now, and so is who runs here */
	if (first)
		rtds_offer(rq, first);
	for (; e; e = e->renewed)
		rtds_offer(rq, e);
}

/**
 * rtds_window_taken - a window takes the CPU: it was opened, or got its first task
 * @rq: of the CPU
 * @ar: the CPU
 *
 * If that is not at a boundary, the timer may fire once for what could wait.
 */
void rtds_window_taken(struct rq *rq, struct a653_rq *ar)
{
	struct rtds_entity *e = rtds_first(ar);

	rtds_publish(rq, ar);
	/* Others left it alone, as it was to run here; now a window comes first */
	if (e)
		rtds_offer(rq, e);
}

/**
 * rtds_window_left - a window leaves the CPU: it was closed, or its last task sleeps
 * @rq: of the CPU
 * @ar: the CPU
 *
 * Servers whose period ended meanwhile, and that could not have run, get their budget.
 */
void rtds_window_left(struct rq *rq, struct a653_rq *ar)
{
	s64 now = ktime_get();
	bool any;

	rtds_publish(rq, ar);
	if (rtds_first_due(ar) <= now) {
		/* The timer that was to do it, and to look again then, is for others now */
		rtds_renew(rq, ar, now, &any);
		rtds_reconsider(rq, ar);
	} else {
		rtds_arm_due(rq);
	}
}

/**
 * rtds_window_changed - a window was opened or closed
 * @rq: of this CPU
 * @ar: this CPU
 */
void rtds_window_changed(struct rq *rq, struct a653_rq *ar)
{
	if (a653_window_busy(ar)) {
		rtds_window_taken(rq, ar);
		rtds_arm_due(rq);
	} else {
		rtds_window_left(rq, ar);
	}
}

static enum hrtimer_restart rtds_due(struct hrtimer *timer)
{
	struct a653_rq *ar = container_of(timer, struct a653_rq, rtds.due_timer);
	struct rq *rq = this_rq();
	struct rtds_entity *e;
	bool pull, any;
	s64 now;

	/* The timer of a CPU that goes offline is moved to another one */
	if (unlikely(ar != this_cpu_ptr(&a653_rqs)))
		return HRTIMER_NORESTART;

	scoped_guard(rq_lock, rq) {
		update_rq_clock(rq);
		now = ktime_get();
		ar->rtds.due_fired++;
		ar->rtds.due_ns = S64_MAX;
		e = ar->rtds.serving;
		any = e && e->s.deadline_ns <= now;
		rtds_renew(rq, ar, now, &any);
		if (!any)
			ar->rtds.due_idle++;
		rtds_reconsider(rq, ar);
		pull = rtds_wants_pull(rq, ar);
		rtds_check_rq(rq);
	}
	/* What it runs may have become less urgent than what waits elsewhere */
	if (pull)
		rtds_pull(rq);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart rtds_budget(struct hrtimer *timer)
{
	struct a653_rq *ar = container_of(timer, struct a653_rq, rtds.budget_timer);
	struct rtds_rq *rr = &ar->rtds;
	struct rq *rq = this_rq();
	bool pull;
	s64 now;

	if (unlikely(ar != this_cpu_ptr(&a653_rqs)))
		return HRTIMER_NORESTART;

	scoped_guard(rq_lock, rq) {
		update_rq_clock(rq);
		now = ktime_get();
		rr->budget_fired++;
		rr->budget_at_ns = S64_MAX;
		rtds_update(rq, now);
		rtds_arm_budget(rq);
		rtds_reconsider(rq, ar);
		pull = rtds_wants_pull(rq, ar);
		rtds_check_rq(rq);
	}
	if (pull)
		rtds_pull(rq);
	return HRTIMER_NORESTART;
}

/*
 * Threads. What the class does when the task is SCHED_RTDS; under rq->lock.
 */

/* Should @e have the CPU now? */
void rtds_check_preempt(struct rq *rq, struct rtds_entity *e)
{
	struct a653_rq *ar = a653_rq_of(rq);

	if (e->ready && !a653_window_busy(ar) && rtds_first(ar) == e &&
	    ar->rtds.serving != e)
		resched_curr(rq);
}

void rtds_enqueue_task(struct rq *rq, struct task_struct *p, int flags)
{
	struct rtds_entity *e = p->a653.rtds;

	p->rt.on_rq = 1;
	a653_rq_of(rq)->nr_queued++;
	rtds_queue(rq, e, flags & ENQUEUE_WAKEUP);
	if (!task_current(rq, p)) {
		rtds_offer(rq, e);
		/* With other parameters it may be the first here, which nobody else looks at */
		if (flags & ENQUEUE_RESTORE)
			rtds_check_preempt(rq, e);
	}
	if (flags & ENQUEUE_RESTORE)
		rtds_pull_later(rq);
	rtds_check_rq(rq);
}

void rtds_dequeue_task(struct rq *rq, struct task_struct *p, int flags)
{
	p->rt.on_rq = 0;
	a653_rq_of(rq)->nr_queued--;
	rtds_unqueue(rq, p->a653.rtds);
	if (flags & DEQUEUE_SAVE)
		return;
	/* Who runs asks when it leaves the CPU */
	if (!task_current(rq, p))
		rtds_pull_later(rq);
	rtds_check_rq(rq);
}

/*
 * @p was picked, and is served already. Or it runs and has only been changed: perhaps
 * so that something else should run.
 */
void rtds_set_next_task(struct rq *rq, struct task_struct *p, bool picked)
{
	struct a653_rq *ar = a653_rq_of(rq);
	struct rtds_entity *e = p->a653.rtds;

	e->running = true;
	if (e->ready && !a653_window_busy(ar))
		rtds_serve(rq, e, false);
	rtds_update_push(rq, e);
	if (!picked && rtds_first(ar) != e)
		resched_curr(rq);
}

void rtds_put_prev_task(struct rq *rq, struct task_struct *p)
{
	struct rtds_entity *e = p->a653.rtds;

	e->running = false;
	if (!e->queued)
		return;
	rtds_update_push(rq, e);
	rtds_offer(rq, e);
}

/**
 * rtds_select_cpu - where shall a thread that wakes up run?
 * @p: the thread
 * @cpu: where it was
 *
 * Context: p->pi_lock held: it does not run, and its server does not change.
 * Return: a CPU.
 */
int rtds_select_cpu(struct task_struct *p, int cpu)
{
	u64 key = rtds_wake_key(&p->a653.rtds->s, ktime_get());
	bool allowed = cpumask_test_cpu(cpu, p->cpus_ptr);
	int best;

	if (allowed && key < READ_ONCE(per_cpu(a653_rqs, cpu).rtds.cpu_key))
		return cpu;
	best = rtds_find_cpu(p, key);
	if (best >= 0)
		return best;
	best = allowed ? cpu : cpumask_any_and(p->cpus_ptr, cpu_active_mask);
	return best < nr_cpu_ids ? best : cpu;
}

/*
 * Servers of partitions
 */

/**
 * rtds_part_key - how urgent would a partition's server be?
 * @pc: the partition on a CPU, whose rq->lock is not held: a hint
 * @now: CLOCK_MONOTONIC
 *
 * Return: the key; RTDS_KEY_NONE if it has no budget.
 */
u64 rtds_part_key(struct a653_pcpu *pc, s64 now)
{
	/*
	 * Who asks will look again when it has the lock. But what it reads now may be
	 * half of one server and half of another, or be just becoming one.
	 */
	const struct rtds_server *from = &pc->server.s;
	const struct rtds_server s = {
		.par.budget_ns = READ_ONCE(from->par.budget_ns),
		.par.period_ns = READ_ONCE(from->par.period_ns),
		.par.extra = READ_ONCE(from->par.extra),
		.deadline_ns = READ_ONCE(from->deadline_ns),
		.left_ns = READ_ONCE(from->left_ns),
		.late_ns = READ_ONCE(from->late_ns),
		.level = READ_ONCE(from->level),
	};

	if (!s.par.budget_ns || !s.par.period_ns)
		return RTDS_KEY_NONE;
	if (READ_ONCE(pc->server.queued))
		return rtds_depleted(&s) ? RTDS_KEY_NONE : rtds_key(&s);
	return rtds_wake_key(&s, now);
}

/**
 * rtds_set_server - give a partition a server on a CPU, another one, or none
 * @rq: run queue of the CPU, locked; any CPU may call
 * @pc: the partition there
 * @par: the parameters; budget 0: none
 * @now: CLOCK_MONOTONIC; the same for all CPUs, so that their periods are in step
 */
void rtds_set_server(struct rq *rq, struct a653_pcpu *pc, const struct rtds_params *par,
		     s64 now)
{
	struct rtds_entity *e = &pc->server;

	lockdep_assert_rq_held(rq);
	if (e->queued) {
		if (rtds_rq_of(rq)->serving == e)
			rtds_serve(rq, NULL, false);
		e->queued = false;
		rtds_place(rq, e);
	}
	if (par->budget_ns && !e->s.par.budget_ns)
		list_add_tail_rcu(&pc->server_node, &a653_rq_of(rq)->servers);
	else if (!par->budget_ns && e->s.par.budget_ns)
		list_del_rcu(&pc->server_node);
	if (!par->budget_ns)
		e->s.par = *par;
	else if (!e->s.par.budget_ns)
		rtds_start(&e->s, par, now);
	else
		rtds_change(&e->s, par, now);
	if (par->budget_ns && pc->nr_queued) {
		e->queued = true;
		rtds_place(rq, e);
	}
	rtds_arm_due(rq);
	resched_curr(rq);
	rtds_pull_later(rq);
}

/**
 * rtds_server_stat - how is a server?
 * @rq: run queue of its CPU, locked
 * @e: the server
 * @st: filled in, but for the name
 */
void rtds_server_stat(struct rq *rq, struct rtds_entity *e, struct a653_server_stat *st)
{
	struct rtds_rq *rr = rtds_rq_of(rq);
	struct rtds_server s = e->s;
	s64 now = ktime_get();

	lockdep_assert_rq_held(rq);
	st->cpu = cpu_of(rq);
	st->run_ns = e->stat.run_ns;
	st->extra_ns = e->stat.extra_ns;
	if (rr->serving == e) {
		st->flags |= A653_SERVER_RUNNING;
		if (now > rr->from_ns) {
			st->run_ns += now - rr->from_ns;
			if (s.level >= RTDS_LEVEL_EXTRA)
				st->extra_ns += now - rr->from_ns;
			rtds_charge(&s, rr->from_ns, now);
		}
	} else {
		rtds_catch_up(&s, now);
	}
	if (e->queued)
		st->flags |= A653_SERVER_READY;
	if (s.par.extra)
		st->flags |= A653_SERVER_EXTRATIME;
	st->level = s.level;
	st->budget_ns = s.par.budget_ns;
	st->period_ns = s.par.period_ns;
	st->left_ns = s.left_ns + s.late_ns;
	st->deadline_ns = s.deadline_ns;
	st->replenished = e->stat.replenished;
	st->depleted = e->stat.depleted;
}

/**
 * rtds_rq_stat - what has a CPU done for servers?
 * @cpu: the CPU
 * @st: counters are filled in
 */
void rtds_rq_stat(int cpu, struct a653_cpu_stat *st)
{
	struct rtds_rq *rr = &per_cpu(a653_rqs, cpu).rtds;

	guard(rq_lock_irqsave)(cpu_rq(cpu));
	st->picked = rr->picked;
	st->due_timers = rr->due_fired;
	st->due_idle = rr->due_idle;
	st->budget_timers = rr->budget_fired;
}

/**
 * rtds_use - there will be servers
 *
 * Before, CPUs do not publish what they run. Nothing ever switches that off again.
 *
 * Context: process, inside cpus_read_lock(), a653_mutex.
 */
void rtds_use(void)
{
	int cpu;

	lockdep_assert_held(&a653_mutex);
	if (rtds_used())
		return;
	static_branch_enable_cpuslocked(&rtds_key_used);
	for_each_possible_cpu(cpu) {
		guard(rq_lock_irqsave)(cpu_rq(cpu));
		rtds_publish(cpu_rq(cpu), per_cpu_ptr(&a653_rqs, cpu));
	}
}

/**
 * rtds_init_cpu - at boot
 * @cpu: the CPU
 */
void rtds_init_cpu(int cpu)
{
	struct rtds_rq *rr = &per_cpu(a653_rqs, cpu).rtds;

	rr->ready = RB_ROOT_CACHED;
	rr->due = RB_ROOT_CACHED;
	rr->due_bound = RB_ROOT_CACHED;
	rr->push = RB_ROOT_CACHED;
	rr->cpu_key = RTDS_KEY_NONE;
	rr->push_key = RTDS_KEY_NONE;
	rr->claim_key = RTDS_KEY_NONE;
	rr->due_ns = S64_MAX;
	rr->budget_at_ns = S64_MAX;
	rr->work = IRQ_WORK_INIT_HARD(rtds_work);
	hrtimer_init(&rr->due_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	rr->due_timer.function = rtds_due;
	hrtimer_init(&rr->budget_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	rr->budget_timer.function = rtds_budget;
}
