// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_A653: time windows for partitions
 *
 * A partition has a queue on each CPU, by priority, first come first among
 * equals. A CPU picks from the queue of one partition: the one whose window is
 * open. Tasks of all other partitions wait, and as far as the rest of the
 * scheduler can see they are not there: rq->nr_running counts the tasks of the
 * open partition only.
 *
 * Opening and closing a window are therefore events, not a question that is
 * asked at each pick. One timer per CPU fires at the next boundary of the CPU's
 * frame table, takes rq->lock, takes the tasks of the old partition out of the
 * count and adds those of the new one, O(1), and lets the CPU reschedule. The
 * boundary is an absolute time that follows from the table; a CPU that comes
 * late looks up where it should be (O(log n), n segments of the frame), counts
 * the windows that it missed (O(min(n, those))), and goes on from there.
 *
 * A wake-up in a closed partition queues the task and does nothing else.
 *
 * In a strict window nothing but the partition runs: when none of its tasks is
 * ready the class picks the idle task, and keeps one phantom in rq->nr_running
 * so that it is asked at all.
 *
 * Tasks spread over the CPUs on which their partition has windows: on m CPUs
 * with open windows the m best ready tasks run. There is one way by which a
 * queued task gets to another CPU, the pull:
 *
 *   - a CPU pulls when it opens a window, and when its running task blocks;
 *   - who leaves a task waiting that would be better than what another CPU
 *     with an open window has (offer) asks that CPU to pull, by irq_work.
 *
 * Besides that a wake-up selects the right CPU in the first place. A pull looks
 * once at each CPU with tasks of the partition to give away, and locks those
 * where a better one waits; there it scans past tasks that may not run here.
 *
 * Boundaries are read from the module's clock (CLOCK_MONOTONIC or CLOCK_TAI),
 * which is not the clock of the run queue; times that were spent are measured
 * by rq_clock(). The timer is always one of CLOCK_MONOTONIC: when CLOCK_TAI is set,
 * the segment that the CPU is in still takes the time that it was to take, and
 * then the CPU looks up where it is.
 */
#include <linux/cpu.h>
#include <linux/jump_label_ratelimit.h>
#include <linux/mmu_context.h>
#include <linux/timekeeping.h>

#include <asm/irq_regs.h>

#include "sched.h"
#include "pelt.h"
#include "a653.h"

#define CREATE_TRACE_POINTS
#include <trace/events/a653.h>

/*
 * To change it patches code on all CPUs, and interrupts them. So it stays on for a
 * while when the last module has gone: another one often follows.
 */
DEFINE_STATIC_KEY_DEFERRED_FALSE(a653_loaded, 60 * HZ);

DEFINE_PER_CPU_SHARED_ALIGNED(struct a653_rq, a653_rqs);

static inline struct a653_pcpu *a653_pcpu_on(struct a653_part *part, int cpu)
{
	return per_cpu_ptr(part->pcpu, cpu);
}

static inline struct a653_pcpu *a653_pcpu_of(struct task_struct *p, struct rq *rq)
{
	return a653_pcpu_on(p->a653.part, cpu_of(rq));
}

static inline bool a653_task(struct task_struct *p)
{
	return p->sched_class == &a653_sched_class;
}

/* Of the class, and in the queues of a partition */
static inline bool a653_member(struct task_struct *p)
{
	return a653_task(p) && !rtds_policy(p->policy);
}

/**
 * a653_clock - what time is it for a module?
 * @clock: CLOCK_MONOTONIC or CLOCK_TAI
 *
 * Return: ns.
 */
s64 a653_clock(u32 clock)
{
	return clock == CLOCK_TAI ? ktime_get_clocktai() : ktime_get();
}

/*
 * The checker
 */

#ifdef CONFIG_SCHED_A653_DEBUG

#define A653_BUG(rq, cond) \
	WARN_ONCE(cond, "a653: CPU %d: " #cond "\n", cpu_of(rq))

static void a653_check_pcpu(struct rq *rq, struct a653_pcpu *pc)
{
	unsigned int nr = 0, pushable = 0, may_push = 0;
	int cpu = cpu_of(rq), prio, top = MAX_RT_PRIO;
	struct task_struct *p;

	for (prio = MAX_RT_PRIO - 1; prio >= 0; prio--) {
		struct list_head *queue = &pc->queue[prio];

		A653_BUG(rq, list_empty(queue) == !!test_bit(prio, pc->bitmap));
		list_for_each_entry(p, queue, rt.run_list) {
			A653_BUG(rq, p->prio != prio);
			A653_BUG(rq, p->a653.part != pc->part);
			A653_BUG(rq, task_cpu(p) != cpu);
			A653_BUG(rq, !a653_member(p));
			A653_BUG(rq, !p->rt.on_rq);
			may_push += p->nr_cpus_allowed > 1 && p != rq->curr;
			top = prio;
			nr++;
		}
	}
	plist_for_each_entry(p, &pc->pushable, pushable_tasks) {
		A653_BUG(rq, p->a653.part != pc->part);
		A653_BUG(rq, p->pushable_tasks.prio != p->prio);
		A653_BUG(rq, !p->rt.on_rq);
		pushable++;
	}

	A653_BUG(rq, pc->nr_queued != nr);
	A653_BUG(rq, pc->top_prio != top);
	A653_BUG(rq, pushable != may_push);
	A653_BUG(rq, !plist_head_empty(&pc->pushable) !=
		     cpumask_test_cpu(cpu, &pc->part->push_cpus));
	A653_BUG(rq, pc->open != cpumask_test_cpu(cpu, &pc->part->open_cpus));
	A653_BUG(rq, pc->open != (a653_rq_of(rq)->open == pc));
	A653_BUG(rq, pc->server.queued != (pc->server.s.par.budget_ns && nr));
}

/*
 * Called where an operation is complete, so not in the middle of a switch:
 * rq->curr is the previous task until the context switch.
 */
static void a653_check_rq(struct rq *rq, struct a653_pcpu *pc)
{
	struct a653_rq *ar = a653_rq_of(rq);
	unsigned int open = ar->open ? ar->open->nr_queued : 0;

	lockdep_assert_rq_held(rq);
	A653_BUG(rq, ar->counted != open + ar->strict + rtds_check_rq(rq));
	A653_BUG(rq, ar->counted > rq->nr_running);
	A653_BUG(rq, ar->nr_queued < open);
	if (pc)
		a653_check_pcpu(rq, pc);
	if (ar->open && ar->open != pc)
		a653_check_pcpu(rq, ar->open);
}

#else

static inline void a653_check_rq(struct rq *rq, struct a653_pcpu *pc) { }

#endif /* CONFIG_SCHED_A653_DEBUG */

/*
 * Queues
 */

static void a653_update_push_prio(struct a653_pcpu *pc, int cpu)
{
	if (plist_head_empty(&pc->pushable)) {
		WRITE_ONCE(pc->push_prio, MAX_RT_PRIO);
		cpumask_clear_cpu(cpu, &pc->part->push_cpus);
		return;
	}
	WRITE_ONCE(pc->push_prio, plist_first(&pc->pushable)->prio);
	if (!cpumask_test_cpu(cpu, &pc->part->push_cpus))
		cpumask_set_cpu(cpu, &pc->part->push_cpus);
}

static void a653_del_pushable(struct rq *rq, struct task_struct *p)
{
	struct a653_pcpu *pc = a653_pcpu_of(p, rq);

	if (plist_node_empty(&p->pushable_tasks))
		return;
	plist_del(&p->pushable_tasks, &pc->pushable);
	a653_update_push_prio(pc, cpu_of(rq));
}

/* plist_add() is bounded by the number of priorities, not of tasks */
static void a653_add_pushable(struct rq *rq, struct task_struct *p)
{
	struct a653_pcpu *pc = a653_pcpu_of(p, rq);

	if (p->nr_cpus_allowed == 1)
		return;
	plist_del(&p->pushable_tasks, &pc->pushable);
	plist_node_init(&p->pushable_tasks, p->prio);
	plist_add(&p->pushable_tasks, &pc->pushable);
	a653_update_push_prio(pc, cpu_of(rq));
}

static struct task_struct *a653_first(struct a653_pcpu *pc)
{
	if (!pc->nr_queued)
		return NULL;
	return list_first_entry(&pc->queue[pc->top_prio], struct task_struct,
				rt.run_list);
}

/*
 * Where would @p run? Of the CPUs where its partition has nothing as urgent: one
 * whose window is open; else one that its server would get (2); else, if @waits,
 * one whose server has budget (1), but is not first. Among equals that with the
 * least urgent task. -1 if there is none. A hint: what is on other CPUs is read
 * without their locks. Looks at each CPU of the partition once.
 */
static int a653_find_cpu(struct task_struct *p, bool waits)
{
	struct a653_part *part = p->a653.part;
	int cpu, best = -1, worst = 0, best_rank = waits ? 0 : 1;
	bool budgets = rtds_used() && !cpumask_empty(&part->server_cpus);
	s64 now = budgets ? ktime_get() : 0;

	for_each_cpu_and(cpu, budgets ? &part->cpus : &part->open_cpus, p->cpus_ptr) {
		struct a653_pcpu *pc = a653_pcpu_on(part, cpu);
		int prio = READ_ONCE(pc->top_prio), rank = 3;

		if (prio <= p->prio)
			continue;
		if (!READ_ONCE(pc->open)) {
			u64 key = rtds_part_key(pc, now);

			if (key == RTDS_KEY_NONE)
				continue;
			rank = key < READ_ONCE(per_cpu(a653_rqs, cpu).rtds.cpu_key) ? 2 : 1;
		}
		if (rank > best_rank || (rank == best_rank && best >= 0 && prio > worst)) {
			best_rank = rank;
			worst = prio;
			best = cpu;
		}
	}
	return best;
}

/* Let @cpu pull. An irq_work, so that no second rq->lock is needed here. */
static void a653_kick(int cpu)
{
	irq_work_queue_on(&per_cpu(a653_rqs, cpu).pull_work, cpu);
}

/* Does, or should, the CPU run the partition: by its window, or by its server? */
static bool a653_runs(struct rq *rq, struct a653_pcpu *pc)
{
	struct a653_rq *ar = a653_rq_of(rq);

	return pc->open || (pc->server.ready && !a653_window_busy(ar) &&
			    rtds_first(ar) == &pc->server);
}

/* The partition has neither windows nor a server on this CPU */
static bool a653_stranded(struct a653_part *part, int cpu)
{
	return rtds_used() && !cpumask_test_cpu(cpu, &part->cpus);
}

/* @p waits on @rq: tell a CPU on which it would run, if there is one */
static void a653_offer(struct rq *rq, struct task_struct *p)
{
	struct a653_pcpu *pc = a653_pcpu_of(p, rq);
	int cpu;

	if (p->nr_cpus_allowed == 1 || (a653_runs(rq, pc) && a653_first(pc) == p))
		return;
	/*
	 * Pairs with a653_wants_pull(): either the task is seen there, or the
	 * window, or the priority, here.
	 */
	smp_mb();
	cpu = a653_find_cpu(p, false);
	/* Nothing will ever happen here; there it waits for a budget */
	if (cpu < 0 && a653_stranded(pc->part, cpu_of(rq))) {
		cpu = cpumask_any_and(&pc->part->server_cpus, p->cpus_ptr);
		if (cpu >= nr_cpu_ids)
			cpu = -1;
	}
	if (cpu >= 0 && cpu != cpu_of(rq))
		a653_kick(cpu);
}

/**
 * a653_offer_first - a partition does not come to run what it was to run here
 * @rq: run queue of the CPU
 * @pc: the partition there
 *
 * Others left its first task alone; now who can run it may have it.
 */
void a653_offer_first(struct rq *rq, struct a653_pcpu *pc)
{
	struct task_struct *first = a653_first(pc);

	if (first && first != rq->curr)
		a653_offer(rq, first);
}

/*
 * A task that is taken out only to be put back (SAVE) keeps its place, unless
 * its priority or class changes (MOVE).
 */
static inline bool a653_moves(int flags)
{
	return (flags & (DEQUEUE_SAVE | DEQUEUE_MOVE)) != DEQUEUE_SAVE;
}

static void enqueue_task_a653(struct rq *rq, struct task_struct *p, int flags)
{
	struct a653_rq *ar = a653_rq_of(rq);
	struct task_struct *first;
	struct list_head *queue;
	struct a653_pcpu *pc;

	if (rtds_policy(p->policy)) {
		rtds_enqueue_task(rq, p, flags);
		return;
	}

	pc = a653_pcpu_of(p, rq);
	queue = &pc->queue[p->prio];
	first = a653_first(pc);
	if (a653_moves(flags)) {
		WARN_ON_ONCE(p->rt.on_list);
		if (flags & ENQUEUE_HEAD)
			list_add(&p->rt.run_list, queue);
		else
			list_add_tail(&p->rt.run_list, queue);
		__set_bit(p->prio, pc->bitmap);
		p->rt.on_list = 1;
		if (p->prio < pc->top_prio)
			WRITE_ONCE(pc->top_prio, p->prio);
	}
	p->rt.on_rq = 1;
	pc->nr_queued++;
	ar->nr_queued++;
	if (a653_supplied(pc))
		a653_count(rq, ar, 1);
	if (pc->nr_queued == 1) {
		if (pc->server.s.par.budget_ns)
			rtds_queue(rq, &pc->server, !(flags & ENQUEUE_RESTORE));
		if (pc->open && rtds_used())
			rtds_window_taken(rq, ar);
	}
	if (a653_supplied(pc))
		cpufreq_update_util(rq, 0);
	else if (flags & ENQUEUE_WAKEUP)
		trace_a653_wakeup_closed(p, pc->part->name, cpu_of(rq));

	if (!task_current(rq, p)) {
		a653_add_pushable(rq, p);
		a653_offer(rq, p);
	}
	/* It was left alone as it was to run here; perhaps it did not come to that */
	if (first && first != rq->curr && first != a653_first(pc))
		a653_offer(rq, first);
	a653_check_rq(rq, pc);
}

static void update_curr_a653(struct rq *rq)
{
	update_curr_common(rq);
}

static bool dequeue_task_a653(struct rq *rq, struct task_struct *p, int flags)
{
	struct a653_rq *ar = a653_rq_of(rq);
	struct a653_pcpu *pc;

	if (task_current(rq, p))
		update_curr_a653(rq);
	if (rtds_policy(p->policy)) {
		rtds_dequeue_task(rq, p, flags);
		return true;
	}

	pc = a653_pcpu_of(p, rq);

	if (a653_moves(flags)) {
		int prio = p->prio;

		WARN_ON_ONCE(!p->rt.on_list);
		list_del_init(&p->rt.run_list);
		p->rt.on_list = 0;
		if (list_empty(&pc->queue[prio])) {
			__clear_bit(prio, pc->bitmap);
			if (prio == pc->top_prio)
				WRITE_ONCE(pc->top_prio,
					   find_first_bit(pc->bitmap, MAX_RT_PRIO));
		}
	}
	p->rt.on_rq = 0;
	pc->nr_queued--;
	ar->nr_queued--;
	if (a653_supplied(pc))
		a653_uncount(rq, ar, 1);
	if (!pc->nr_queued) {
		if (pc->server.queued)
			rtds_unqueue(rq, &pc->server);
		if (pc->open && !ar->strict && rtds_used())
			rtds_window_left(rq, ar);
		/* Others did not offer their threads; who runs asks when it leaves the CPU */
		if (rtds_used() && !(flags & DEQUEUE_SAVE) && !task_current(rq, p))
			rtds_pull_later(rq);
	}

	a653_del_pushable(rq, p);
	if (!(flags & DEQUEUE_SAVE))
		a653_check_rq(rq, pc);
	return true;
}

/*
 * Behind the others of its priority: ARINC 653 has no yield, POSIX says so. A thread
 * with a server of its own has nobody to yield to: another one with its deadline
 * does not displace it.
 */
static void yield_task_a653(struct rq *rq)
{
	struct task_struct *p = rq->curr;

	if (a653_member(p))
		list_move_tail(&p->rt.run_list, &a653_pcpu_of(p, rq)->queue[p->prio]);
}

/* @p became better than it was, or came: does it run before rq->curr? */
static void a653_check_preempt(struct rq *rq, struct task_struct *p)
{
	struct task_struct *curr = rq->curr;
	struct rtds_entity *serving = a653_rq_of(rq)->rtds.serving;
	struct a653_pcpu *pc;

	if (rtds_policy(p->policy)) {
		rtds_check_preempt(rq, p->a653.rtds);
		return;
	}
	pc = a653_pcpu_of(p, rq);
	if (!pc->open && serving != &pc->server) {
		rtds_check_preempt(rq, &pc->server);
		return;
	}
	if (sched_class_above(&a653_sched_class, curr->sched_class) ||
	    (serving && serving != &pc->server) ||
	    (a653_member(curr) && (curr->a653.part != p->a653.part ||
				   p->prio < curr->prio)))
		resched_curr(rq);
}

static void wakeup_preempt_a653(struct rq *rq, struct task_struct *p, int flags)
{
	a653_check_preempt(rq, p);
}

/* See a653_task_waits() */
bool __a653_task_waits(struct rq *rq, struct task_struct *p)
{
	if (rtds_policy(p->policy))
		return !p->a653.rtds->ready || a653_window_busy(a653_rq_of(rq));
	return !a653_supplied(a653_pcpu_of(p, rq));
}

/*
 * Pull
 */

/*
 * Does @rq run its first task of the partition by itself? So it does if the
 * window is open there, or if it is about to be: the boundaries of a common
 * instant do not reach all CPUs at the same time.
 */
static bool a653_opens_by(struct rq *rq, struct a653_pcpu *pc, s64 when)
{
	struct a653_rq *ar = a653_rq_of(rq);
	struct a653_pos next = ar->pos;
	u16 partition;

	if (a653_runs(rq, pc))
		return true;
	/* It may have another schedule by then; who knows what it opens */
	if (!ar->frame || ar->pos.end_ns > when || ar->consult_ns <= when)
		return false;
	a653_frame_next(ar->frame, &next);
	partition = ar->frame->seg[next.seg].partition;
	return partition != A653_GAP && ar->plan->parts[partition] == pc->part;
}

/*
 * The best task that waits on @rq, may come to @cpu, and is better than @prio.
 * The list of those that are pushable tells the priority, the queue who was first.
 */
static struct task_struct *a653_pick_pushable(struct rq *rq, struct a653_pcpu *pc,
					      int cpu, int prio, s64 when)
{
	struct task_struct *p, *first, *stays = NULL;

	if (a653_opens_by(rq, pc, when))
		stays = a653_first(pc);
	plist_for_each_entry(p, &pc->pushable, pushable_tasks) {
		if (p->prio >= prio)
			break;
		if (p == stays || !cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		list_for_each_entry(first, &pc->queue[p->prio], rt.run_list) {
			if (first != stays && !plist_node_empty(&first->pushable_tasks) &&
			    cpumask_test_cpu(cpu, first->cpus_ptr))
				return first;
		}
	}
	return NULL;
}

/*
 * A task that waits on @cpu comes if it is better than this: than what is here. Where
 * it would wait for ever it is better here, whatever is before it.
 */
static int a653_pull_prio(struct a653_pcpu *pc, int cpu)
{
	return a653_stranded(pc->part, cpu) ? MAX_RT_PRIO : READ_ONCE(pc->top_prio);
}

static inline bool a653_wants_pull(struct a653_pcpu *pc, int this_cpu)
{
	int cpu;

	/* Pairs with a653_offer(): after the caller wrote open_cpus or top_prio */
	smp_mb();
	for_each_cpu(cpu, &pc->part->push_cpus) {
		if (cpu != this_cpu &&
		    READ_ONCE(a653_pcpu_on(pc->part, cpu)->push_prio) < a653_pull_prio(pc, cpu))
			return true;
	}
	return false;
}

/* If it had a task here, would this CPU run it, or does it run one of it? */
static bool a653_would_run(struct rq *rq, struct a653_pcpu *pc)
{
	struct a653_rq *ar = a653_rq_of(rq);

	if (pc->open || pc->nr_queued)
		return a653_runs(rq, pc);
	return rtds_part_key(pc, ktime_get()) < ar->rtds.cpu_key;
}

/*
 * Get the best waiting task of a partition to this CPU. Interrupts off,
 * no rq->lock held. @pc was open here a moment ago: it does not go away (RCU),
 * but may have closed. @when: who opens the window by then keeps its first task.
 */
static void a653_pull(struct rq *rq, struct a653_pcpu *pc, s64 when)
{
	struct a653_part *part = pc->part;
	int cpu, this_cpu = cpu_of(rq);

	lockdep_assert_irqs_disabled();

	for_each_cpu(cpu, &part->push_cpus) {
		struct a653_pcpu *from = a653_pcpu_on(part, cpu);
		struct rq *src = cpu_rq(cpu);
		struct task_struct *p = NULL;

		if (src == rq || READ_ONCE(from->push_prio) >= a653_pull_prio(pc, cpu))
			continue;

		double_rq_lock(rq, src);
		if (a653_would_run(rq, pc) ||
		    (pc->server.s.par.budget_ns && a653_stranded(part, cpu)))
			p = a653_pick_pushable(src, from, this_cpu, a653_pull_prio(pc, cpu),
					       when);
		if (p) {
			update_rq_clock(rq);
			update_rq_clock(src);
			deactivate_task(src, p, DEQUEUE_NOCLOCK);
			set_task_cpu(p, this_cpu);
			activate_task(rq, p, ENQUEUE_NOCLOCK);
			a653_check_preempt(rq, p);
			/* Two may have been offered to this CPU at the same time */
			if (!plist_head_empty(&from->pushable))
				a653_offer(src, plist_first_entry(&from->pushable,
								  struct task_struct,
								  pushable_tasks));
			a653_check_rq(src, from);
			a653_check_rq(rq, pc);
		}
		double_rq_unlock(rq, src);
	}
}

static void a653_pull_work(struct irq_work *work)
{
	struct a653_rq *ar = container_of(work, struct a653_rq, pull_work);
	struct rq *rq = this_rq();
	struct a653_pcpu *pc;
	s64 when;

	scoped_guard(rq_lock, rq) {
		pc = ar->open;
		when = ar->pos.start_ns;
	}
	if (pc)
		a653_pull(rq, pc, when);

	/* Its servers: each wakes up when it gets a task */
	guard(rcu)();
	list_for_each_entry_rcu(pc, &ar->servers, server_node) {
		if (a653_wants_pull(pc, cpu_of(rq)))
			a653_pull(rq, pc, S64_MIN);
	}
}

/* Tasks that wait where it has none any more come to them */
void a653_part_kick(struct a653_part *part)
{
	int cpu;

	for_each_cpu(cpu, &part->server_cpus)
		a653_kick(cpu);
}

void a653_kick_pull(struct rq *rq, struct a653_pcpu *pc)
{
	if (a653_wants_pull(pc, cpu_of(rq)))
		a653_kick(cpu_of(rq));
}

/*
 * Of which partition could this CPU run a task from elsewhere now that it leaves
 * @prev: of that whose window is open, or of that whose server paid for @prev
 */
static struct a653_pcpu *a653_pcpu_run(struct rq *rq, struct a653_rq *ar,
				       struct task_struct *prev)
{
	if (!a653_window_busy(ar) && a653_member(prev) &&
	    a653_pcpu_of(prev, rq)->server.s.par.budget_ns)
		return a653_pcpu_of(prev, rq);
	return ar->open;
}

static int balance_a653(struct rq *rq, struct task_struct *prev, struct rq_flags *rf)
{
	struct a653_rq *ar = a653_rq_of(rq);
	struct a653_pcpu *pc = rtds_used() ? a653_pcpu_run(rq, ar, prev) : ar->open;
	bool pull, pull_thread;

	pull = pc && !(a653_member(prev) && prev->rt.on_rq &&
		       prev->a653.part == pc->part) &&
	       a653_wants_pull(pc, cpu_of(rq));
	pull_thread = rtds_used() && rtds_wants_pull(rq, ar);
	if (pull || pull_thread) {
		/*
		 * As in balance_rt(): prev is still on_cpu, nobody takes it, and
		 * the picking has not begun.
		 */
		s64 when = ar->pos.start_ns;

		rq_unpin_lock(rq, rf);
		raw_spin_rq_unlock(rq);
		if (pull)
			a653_pull(rq, pc, when);
		if (pull_thread)
			rtds_pull(rq);
		raw_spin_rq_lock(rq);
		rq_repin_lock(rq, rf);
	}

	if (rtds_used())
		return sched_stop_runnable(rq) || a653_window_busy(ar) || rtds_first(ar);
	return sched_stop_runnable(rq) || ar->counted;
}

static int select_task_rq_a653(struct task_struct *p, int cpu, int flags)
{
	struct a653_part *part = p->a653.part;
	int best;

	/* exec: it runs, and goes on where it is */
	if (!(flags & (WF_TTWU | WF_FORK)))
		return cpu;
	if (rtds_policy(p->policy))
		return rtds_select_cpu(p, cpu);

	/* Where it was, if it can run there at once */
	if (cpumask_test_cpu(cpu, p->cpus_ptr) &&
	    READ_ONCE(a653_pcpu_on(part, cpu)->open) &&
	    p->prio < READ_ONCE(a653_pcpu_on(part, cpu)->top_prio))
		return cpu;

	best = a653_find_cpu(p, true);
	if (best >= 0)
		return best;

	/* It has to wait: where there will be a window, preferably where it was */
	if (cpumask_test_cpu(cpu, p->cpus_ptr) && cpumask_test_cpu(cpu, &part->cpus))
		return cpu;
	best = cpumask_any_and(&part->cpus, p->cpus_ptr);
	return best < nr_cpu_ids ? best : cpu;
}

/*
 * Picking
 */

static noinline struct task_struct *a653_pick_served(struct rq *rq, struct a653_rq *ar)
{
	struct rtds_entity *e;

	if (a653_window_busy(ar)) {
		rtds_serve(rq, NULL, false);
		return ar->open->nr_queued ? a653_first(ar->open) : rq->idle;
	}
	e = rtds_pick(rq, ar);
	if (!e)
		return NULL;
	return e->task ?: a653_first(e->pc);
}

static struct task_struct *pick_task_a653(struct rq *rq)
{
	struct a653_rq *ar = a653_rq_of(rq);

	if (rtds_used())
		return a653_pick_served(rq, ar);
	if (!ar->counted)
		return NULL;
	if (ar->open->nr_queued)
		return a653_first(ar->open);
	return rq->idle;
}

/* The time since ar->run_from goes to the partition of @p, which ran in it */
static void a653_account(struct rq *rq, struct task_struct *p)
{
	struct a653_rq *ar = a653_rq_of(rq);
	u64 now = rq_clock(rq);

	a653_pcpu_of(p, rq)->stat.run_ns += now - ar->run_from;
	ar->run_from = now;
}

static void set_next_task_a653(struct rq *rq, struct task_struct *p, bool first)
{
	p->se.exec_start = rq_clock_task(rq);
	a653_rq_of(rq)->run_from = rq_clock(rq);
	if (rtds_policy(p->policy)) {
		rtds_set_next_task(rq, p, first);
	} else {
		a653_del_pushable(rq, p);
		/* Picked it is paid for already; but it may only have been changed */
		if (!first && !a653_pcpu_of(p, rq)->open && a653_pcpu_of(p, rq)->server.ready)
			rtds_serve(rq, &a653_pcpu_of(p, rq)->server, false);
		/* It was a thread, with a budget of its own */
		if (!first && !a653_runs(rq, a653_pcpu_of(p, rq)))
			resched_curr(rq);
	}

	/*
	 * As rt.c does. Both classes share the average that fair.c looks at, and
	 * have updated it in put_prev_task().
	 */
	if (first && !a653_task(rq->curr) && rq->curr->sched_class != &rt_sched_class)
		update_rt_rq_load_avg(rq_clock_pelt(rq), rq, 0);
}

static void put_prev_task_a653(struct rq *rq, struct task_struct *p,
			       struct task_struct *next)
{
	update_curr_a653(rq);
	update_rt_rq_load_avg(rq_clock_pelt(rq), rq, 1);
	/* If this class has picked the next one, it has said who pays for that */
	if (rtds_used() && (!next || !a653_task(next)))
		rtds_serve(rq, NULL, a653_rq_of(rq)->rtds.low);
	if (rtds_policy(p->policy)) {
		rtds_put_prev_task(rq, p);
		return;
	}
	a653_account(rq, p);

	if (p->rt.on_rq) {
		a653_add_pushable(rq, p);
		a653_offer(rq, p);
	}
}

static void task_tick_a653(struct rq *rq, struct task_struct *p, int queued)
{
	update_curr_a653(rq);
	update_rt_rq_load_avg(rq_clock_pelt(rq), rq, 1);
	a653_check_rq(rq, a653_member(p) ? a653_pcpu_of(p, rq) : NULL);
}

/*
 * A task of the class leaves it, or is not as urgent as it was: a better one may
 * wait elsewhere, and balance_a653() is not asked.
 */
static void a653_kick_self(struct rq *rq)
{
	struct a653_rq *ar = a653_rq_of(rq);
	struct a653_pcpu *pc = a653_pcpu_run(rq, ar, rq->curr);

	if (pc && a653_wants_pull(pc, cpu_of(rq)))
		a653_kick(cpu_of(rq));
	if (rtds_used())
		rtds_pull_later(rq);
}

static void switched_from_a653(struct rq *rq, struct task_struct *p)
{
	/* Its new class takes it that nothing above it waits */
	if (task_current(rq, p))
		resched_curr(rq);
	a653_kick_self(rq);
}

static void switched_to_a653(struct rq *rq, struct task_struct *p)
{
	if (!task_on_rq_queued(p))
		return;
	if (!task_current(rq, p))
		a653_check_preempt(rq, p);
	else
		resched_curr(rq);
}

static void prio_changed_a653(struct rq *rq, struct task_struct *p, int oldprio)
{
	struct a653_pcpu *pc;

	if (!task_on_rq_queued(p))
		return;
	if (rtds_policy(p->policy)) {
		/* It has other parameters, or comes from a partition */
		if (task_current(rq, p))
			resched_curr(rq);
		else
			rtds_check_preempt(rq, p->a653.rtds);
		a653_kick_self(rq);
		return;
	}
	pc = a653_pcpu_of(p, rq);
	if (!task_current(rq, p)) {
		a653_check_preempt(rq, p);
	} else if (p->prio > oldprio) {
		if (a653_first(pc) != p)
			resched_curr(rq);
		a653_kick_self(rq);
	}
	a653_check_rq(rq, pc);
}

static void set_cpus_allowed_a653(struct task_struct *p, struct affinity_context *ctx)
{
	set_cpus_allowed_common(p, ctx);
	if (rtds_policy(p->policy) && !(ctx->flags & (SCA_MIGRATE_DISABLE | SCA_MIGRATE_ENABLE)))
		rtds_affinity_changed(p);
}

static void task_dead_a653(struct task_struct *p)
{
	if (rtds_policy(p->policy))
		rtds_task_dead(p);
}

DEFINE_SCHED_CLASS(a653) = {
	.enqueue_task		= enqueue_task_a653,
	.dequeue_task		= dequeue_task_a653,
	.yield_task		= yield_task_a653,

	.wakeup_preempt		= wakeup_preempt_a653,

	.balance		= balance_a653,
	.pick_task		= pick_task_a653,
	.put_prev_task		= put_prev_task_a653,
	.set_next_task		= set_next_task_a653,

	.select_task_rq		= select_task_rq_a653,
	.set_cpus_allowed	= set_cpus_allowed_a653,

	.task_tick		= task_tick_a653,
	.task_dead		= task_dead_a653,

	.switched_from		= switched_from_a653,
	.switched_to		= switched_to_a653,
	.prio_changed		= prio_changed_a653,

	.update_curr		= update_curr_a653,
};

/*
 * Windows
 */

/* By how much the open window adds to rq->nr_running: a server may count its tasks */
static inline unsigned int a653_window_count(const struct a653_rq *ar)
{
	if (rtds_used() && ar->open->server.ready)
		return ar->strict;
	return ar->open->nr_queued + ar->strict;
}

/* The window that is open closes; @sched was the time for it */
static void a653_close(struct rq *rq, struct a653_rq *ar, s64 sched, s64 now)
{
	struct a653_pcpu *pc = ar->open;
	u64 length, run;

	if (a653_member(rq->curr) && rq->curr->a653.part == pc->part)
		a653_account(rq, rq->curr);

	length = rq_clock(rq) - ar->opened_at;
	run = pc->stat.run_ns - ar->run_before;
	pc->stat.open_ns += length;
	if (!ar->strict && run < length)
		pc->stat.slack_ns += length - run;

	a653_uncount(rq, ar, a653_window_count(ar));
	WRITE_ONCE(pc->open, false);
	cpumask_clear_cpu(cpu_of(rq), &pc->part->open_cpus);
	ar->open = NULL;
	ar->strict = false;
	trace_a653_window_close(pc->part->name, sched, now, run);
	a653_offer_first(rq, pc);
}

/* The window of ar->pos opens */
static void a653_open(struct rq *rq, struct a653_rq *ar, const struct a653_seg *seg,
		      s64 now)
{
	struct a653_part *part = ar->plan->parts[seg->partition];
	struct a653_pcpu *pc = a653_pcpu_on(part, cpu_of(rq));
	u64 late = now - ar->pos.start_ns;

	ar->open = pc;
	ar->strict = (seg->flags & A653_WINDOW_STRICT) && READ_ONCE(part->bound);
	WRITE_ONCE(pc->open, true);
	cpumask_set_cpu(cpu_of(rq), &part->open_cpus);
	a653_count(rq, ar, a653_window_count(ar));
	cpufreq_update_util(rq, 0);
	/* In its window it runs at no cost */
	if (rtds_used() && ar->rtds.serving == &pc->server)
		rtds_serve(rq, NULL, false);

	ar->opened_at = rq_clock(rq);
	ar->run_before = pc->stat.run_ns;
	if (!pc->stat.opened++ || late < pc->stat.late_min_ns)
		pc->stat.late_min_ns = late;
	if (late > pc->stat.late_max_ns)
		pc->stat.late_max_ns = late;
	pc->stat.late_sum_ns += late;
	trace_a653_window_open(part->name, ar->pos.start_ns, ar->pos.end_ns, now,
			       ar->strict, pc->nr_queued);
}

/* This CPU has come to ar->pos; the segment before it ended at @ended */
static void a653_enter(struct rq *rq, struct a653_rq *ar, s64 ended, s64 now)
{
	const struct a653_seg *seg = &ar->frame->seg[ar->pos.seg];
	struct a653_pcpu *old = ar->open;
	struct task_struct *curr = rq->curr;
	bool was_strict = ar->strict;

	if (old)
		a653_close(rq, ar, ended, now);
	if (seg->partition != A653_GAP)
		a653_open(rq, ar, seg, now);
	if (rtds_used())
		rtds_window_changed(rq, ar);

	if (a653_task(curr) ? ar->open != old || ar->strict != was_strict :
			      ar->counted || was_strict) {
		struct pt_regs *regs = get_irq_regs();

		resched_curr(rq);
		/* __schedule() comes at once, and would read the clock again */
		if (regs && user_mode(regs))
			rq_clock_skip_update(rq);
	}
	a653_check_rq(rq, old);
}

/* @n windows of segment @i of the frame have been missed */
static u64 a653_missed(struct rq *rq, struct a653_rq *ar, u32 i, u64 n)
{
	const struct a653_seg *seg = &ar->frame->seg[i];
	struct a653_pcpu *pc;

	if (seg->partition == A653_GAP || !n)
		return 0;
	pc = a653_pcpu_on(ar->plan->parts[seg->partition], cpu_of(rq));
	pc->stat.missed += n;
	a653_offer_first(rq, pc);
	return n;
}

/*
 * Count the windows after @from and before @to, neither of them included. That
 * must take much less time than what was missed, or the CPU would never catch up:
 * one step for each segment that was missed, at most a frame of them; beyond that
 * a division for each segment of the frame.
 */
static void a653_count_missed(struct rq *rq, struct a653_rq *ar,
			      const struct a653_pos *from, const struct a653_pos *to,
			      s64 now)
{
	const struct a653_frame *f = ar->frame;
	struct a653_pos pos = *from;
	u64 missed = 0;
	u32 i;

	if (to->start_ns - from->end_ns < (s64)f->major_ns) {
		for (a653_frame_next(f, &pos); pos.start_ns < to->start_ns;
		     a653_frame_next(f, &pos))
			missed += a653_missed(rq, ar, pos.seg, 1);
	} else {
		for (i = 0; i < f->nr_segs; i++)
			missed += a653_missed(rq, ar, i,
					      a653_frame_skipped(f, from, to, i));
	}
	if (missed)
		trace_a653_missed(from->end_ns, now, missed);
}

/*
 * The segment of ar->pos is over as well: the CPU was stopped, or had interrupts
 * off for long. It goes on from where it should be. What comes after the segment
 * that ended at @ended has been missed.
 */
static noinline void a653_resync(struct rq *rq, struct a653_rq *ar, s64 ended, s64 now)
{
	s64 base_ns = ar->pos.frame_ns;
	struct a653_pos from;

	a653_frame_locate(ar->frame, base_ns, ended - 1, &from);
	a653_frame_locate(ar->frame, base_ns, now, &ar->pos);
	a653_count_missed(rq, ar, &from, &ar->pos, now);
}

/*
 * The instant that was announced has come. If the module goes over to another
 * schedule at it, so does this CPU, as late as it may be.
 */
static noinline void a653_adopt(struct rq *rq, struct a653_rq *ar, s64 now)
{
	s64 at_ns = ar->consult_ns, ended;
	struct a653_epoch epoch;
	struct a653_pos pos;

	ar->consult_ns = S64_MAX;
	if (!a653_module_consult(ar->module, cpu_of(rq), at_ns, &epoch))
		return;

	ended = epoch.from_ns;
	if (ar->frame && ar->pos.end_ns < epoch.from_ns) {
		/* Late already in the old schedule */
		ended = ar->pos.end_ns;
		a653_frame_locate(ar->frame, ar->pos.frame_ns, epoch.from_ns, &pos);
		a653_count_missed(rq, ar, &ar->pos, &pos, now);
	}
	ar->plan = epoch.plan;
	ar->frame = a653_plan_frame(epoch.plan, epoch.schedule, cpu_of(rq));
	trace_a653_schedule_switch(ar->module->name,
				   epoch.plan->conf.schedules[epoch.schedule].name,
				   epoch.from_ns, now);

	a653_frame_locate(ar->frame, epoch.base_ns, epoch.from_ns, &ar->pos);
	if (now >= ar->pos.end_ns)
		a653_resync(rq, ar, ar->pos.start_ns, now);
	a653_enter(rq, ar, ended, now);
}

/* Bring this CPU to where it should be at @now; returns when to come again */
static s64 a653_advance(struct rq *rq, struct a653_rq *ar, s64 now)
{
	s64 ended;

	if (unlikely(now >= ar->consult_ns))
		a653_adopt(rq, ar, now);
	if (unlikely(!ar->frame))
		return ar->consult_ns;

	ended = ar->pos.end_ns;
	if (likely(now >= ended)) {
		a653_frame_next(ar->frame, &ar->pos);
		if (unlikely(now >= ar->pos.end_ns))
			a653_resync(rq, ar, ended, now);
		a653_enter(rq, ar, ended, now);
	} else if (unlikely(now < ar->pos.start_ns)) {
		/* CLOCK_TAI was set back */
		a653_frame_locate(ar->frame, ar->pos.frame_ns, now, &ar->pos);
		a653_enter(rq, ar, now, now);
	}
	return min(ar->pos.end_ns, ar->consult_ns);
}

/*
 * A window leaves the CPU to others. A server that has nothing to run here is in no
 * tree; but tasks that came to wait elsewhere meanwhile may use its budget.
 */
static void a653_serve_again(struct rq *rq, struct a653_rq *ar)
{
	struct a653_pcpu *pc;

	if (a653_window_busy(ar))
		return;
	list_for_each_entry(pc, &ar->servers, server_node) {
		if (!pc->nr_queued && a653_wants_pull(pc, cpu_of(rq))) {
			a653_kick(cpu_of(rq));
			return;
		}
	}
}

/* The module's clock when CLOCK_MONOTONIC is @mono */
static inline s64 a653_from_mono(const struct a653_rq *ar, ktime_t mono)
{
	if (likely(ar->module->clock == CLOCK_MONOTONIC))
		return mono;
	return ktime_mono_to_any(mono, TK_OFFS_TAI);
}

static enum hrtimer_restart a653_boundary(struct hrtimer *timer)
{
	struct a653_rq *ar = container_of(timer, struct a653_rq, timer);
	struct a653_pcpu *pull = NULL;
	struct rq *rq = this_rq();
	s64 mono, now, next, start;
	bool pull_thread = false;

	/* The timer of a CPU that goes offline is moved to another one */
	if (unlikely(ar != this_cpu_ptr(&a653_rqs)))
		return HRTIMER_NORESTART;

	scoped_guard(rq_lock, rq) {
		if (unlikely(!ar->module))
			return HRTIMER_NORESTART;
		update_rq_clock(rq);
		/* The clock is read after the lock was got: that can take time */
		mono = ktime_get();
		now = a653_from_mono(ar, mono);
		next = a653_advance(rq, ar, now);
		if (ar->open && a653_wants_pull(ar->open, cpu_of(rq)))
			pull = ar->open;
		if (rtds_used()) {
			pull_thread = rtds_wants_pull(rq, ar);
			a653_serve_again(rq, ar);
		}
		start = ar->pos.start_ns;
	}

	if (unlikely(pull))
		a653_pull(rq, pull, start);
	if (unlikely(pull_thread))
		rtds_pull(rq);

	if (unlikely(next == S64_MAX))
		return HRTIMER_NORESTART;
	hrtimer_set_expires(timer, next - (now - mono));
	return HRTIMER_RESTART;
}

/* On this CPU, outside of the timer's callback */
static void a653_arm(struct a653_rq *ar)
{
	s64 next = ar->frame ? min(ar->pos.end_ns, ar->consult_ns) : ar->consult_ns;
	ktime_t mono = ktime_get();

	lockdep_assert_irqs_disabled();
	if (next != S64_MAX)
		hrtimer_start(&ar->timer, next - (a653_from_mono(ar, mono) - mono),
			      HRTIMER_MODE_ABS_PINNED_HARD);
}

/**
 * a653_rq_start - this CPU belongs to a module, without a schedule yet
 * @module: struct a653_module
 *
 * Context: on the CPU, interrupts off (smp_call_func_t).
 */
void a653_rq_start(void *module)
{
	struct a653_module *mod = module;
	struct rq *rq = this_rq();
	struct a653_rq *ar = a653_rq_of(rq);

	hrtimer_init(&ar->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	ar->timer.function = a653_boundary;

	guard(rq_lock)(rq);
	WARN_ON_ONCE(ar->module);
	ar->consult_ns = S64_MAX;
	ar->module = mod;
}

/**
 * a653_rq_announce - this CPU shall consult its module
 * @at_ns: s64: when; in the middle of a window if need be. Replaces what was
 *	announced earlier.
 *
 * Context: on the CPU, interrupts off (smp_call_func_t).
 */
void a653_rq_announce(void *at_ns)
{
	struct rq *rq = this_rq();
	struct a653_rq *ar = a653_rq_of(rq);

	scoped_guard(rq_lock, rq)
		ar->consult_ns = *(s64 *)at_ns;
	a653_arm(ar);
}

/**
 * a653_rq_stop - this CPU closes its window and belongs to no module any more
 * @unused: for smp_call_func_t
 *
 * Context: on the CPU, interrupts off.
 */
void a653_rq_stop(void *unused)
{
	static const char none[A653_NAME_LEN];
	struct rq *rq = this_rq();
	struct a653_rq *ar = a653_rq_of(rq);

	scoped_guard(rq_lock, rq) {
		s64 now = a653_clock(ar->module->clock);

		update_rq_clock(rq);
		if (ar->open)
			a653_close(rq, ar, now, now);
		trace_a653_schedule_switch(ar->module->name, none, now, now);
		ar->module = NULL;
		ar->plan = NULL;
		ar->frame = NULL;
		rtds_window_left(rq, ar);
		rtds_pull_later(rq);
		resched_curr(rq);
	}
	/* The callback runs on this CPU only, so not now */
	hrtimer_cancel(&ar->timer);
}

/**
 * a653_cpu_has_tasks - does a task wait or run on a CPU, in whatever partition?
 * @cpu: the CPU
 *
 * Return: true if so.
 */
bool a653_cpu_has_tasks(int cpu)
{
	return READ_ONCE(per_cpu(a653_rqs, cpu).nr_queued);
}

/**
 * a653_class_get - a module comes into being: the class is in use
 *
 * Context: inside cpus_read_lock().
 */
void a653_class_get(void)
{
	static_branch_inc_cpuslocked(&a653_loaded.key);
}

/**
 * a653_class_put - the opposite
 */
void a653_class_put(void)
{
	static_branch_slow_dec_deferred(&a653_loaded);
}

/*
 * Partitions and tasks
 */

/**
 * a653_part_alloc_queues - give a partition its queues
 * @part: the partition
 *
 * Context: process, may sleep. Does nothing if it has them.
 * Return: 0 or -ENOMEM.
 */
int a653_part_alloc_queues(struct a653_part *part)
{
	struct a653_pcpu __percpu *pcpu;
	int cpu, prio;

	BUILD_BUG_ON(sizeof(struct a653_pcpu) > 4096);

	if (part->pcpu)
		return 0;
	pcpu = alloc_percpu_gfp(struct a653_pcpu, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!pcpu)
		return -ENOMEM;

	for_each_possible_cpu(cpu) {
		struct a653_pcpu *pc = per_cpu_ptr(pcpu, cpu);

		for (prio = 0; prio < MAX_RT_PRIO; prio++)
			INIT_LIST_HEAD(&pc->queue[prio]);
		plist_head_init(&pc->pushable);
		pc->top_prio = MAX_RT_PRIO;
		pc->push_prio = MAX_RT_PRIO;
		pc->part = part;
		pc->server.pc = pc;
		RB_CLEAR_NODE(&pc->server.due_node);
		RB_CLEAR_NODE(&pc->server.push_node);
	}
	part->pcpu = pcpu;
	return 0;
}

/**
 * a653_part_free_queues - the opposite
 * @part: the partition; no task is left in it, and none looks at it (RCU)
 */
void a653_part_free_queues(struct a653_part *part)
{
	int cpu;

	if (!part->pcpu)
		return;
	for_each_possible_cpu(cpu)
		rtds_forget(&per_cpu_ptr(part->pcpu, cpu)->server.grant);
	free_percpu(part->pcpu);
	part->pcpu = NULL;
}

/**
 * a653_pcpu_read - what a partition got on a CPU
 * @part: the partition
 * @cpu: the CPU
 * @stat: filled in, up to now
 * @open: its window is open
 * @nr_queued: its tasks that are ready there
 */
void a653_pcpu_read(struct a653_part *part, int cpu, struct a653_pcpu_stat *stat,
		    bool *open, unsigned int *nr_queued)
{
	struct a653_pcpu *pc = a653_pcpu_on(part, cpu);
	struct rq *rq = cpu_rq(cpu);

	guard(rq_lock_irqsave)(rq);
	update_rq_clock(rq);
	*stat = pc->stat;
	*open = pc->open;
	*nr_queued = pc->nr_queued;
	if (a653_member(rq->curr) && rq->curr->a653.part == part)
		stat->run_ns += rq_clock(rq) - a653_rq_of(rq)->run_from;
	if (pc->open)
		stat->open_ns += rq_clock(rq) - a653_rq_of(rq)->opened_at;
}

/**
 * a653_part_admits - may a SCHED_A653 task be in this partition?
 * @part: the partition, or NULL
 * @mask: CPUs on which the task may run
 *
 * Context: RCU or a lock of the task that keeps @part alive.
 * Return: 0; -EPERM if no loaded module names the partition; -EAGAIN if the module
 * that does is about to be unloaded, or not (a653_wait_verdict()); -EINVAL if the
 * partition has no window on any of the CPUs.
 */
int a653_part_admits(const struct a653_part *part, const struct cpumask *mask)
{
	/* Pairs with who gives it to a module: then it has queues, and CPUs */
	const struct a653_module *mod = part ? smp_load_acquire(&part->module) : NULL;

	if (!mod)
		return -EPERM;
	if (READ_ONCE(mod->going))
		return -EAGAIN;
	if (!cpumask_intersects(mask, &part->cpus))
		return -EINVAL;
	return 0;
}

/* May @p take @policy? Called by __sched_setscheduler() under task_rq_lock() */
int a653_check_setscheduler(struct task_struct *p, int policy)
{
	lockdep_assert_rq_held(task_rq(p));
	lockdep_assert_held(&p->pi_lock);

	if (!a653_policy(policy))
		return 0;
	if (p->a653.busy)
		return -EBUSY;
	if (rtds_policy(policy))
		return p->a653.rtds && a653_enabled() ? 0 : -EPERM;
	return a653_part_admits(p->a653.part, &p->cpus_mask);
}

/*
 * May @p be confined to @mask? Called by __set_cpus_allowed_ptr_locked(), when
 * user space asks for it, under task_rq_lock()
 */
int a653_check_affinity(struct task_struct *p, const struct cpumask *mask)
{
	lockdep_assert_rq_held(task_rq(p));
	lockdep_assert_held(&p->pi_lock);

	if (!a653_policy(p->policy))
		return 0;
	if (rtds_policy(p->policy))
		return rtds_check_affinity(p, mask);
	return a653_part_admits(p->a653.part, mask);
}

/**
 * a653_task_move - put a task into a partition
 * @p: the task
 * @part: the partition, or NULL for none
 *
 * A SCHED_A653 task that could not run there becomes SCHED_OTHER. Nothing happens
 * to one that is there already.
 *
 * Context: process, may sleep.
 */
void a653_task_move(struct task_struct *p, struct a653_part *part)
{
	int flags = DEQUEUE_SAVE | DEQUEUE_MOVE | DEQUEUE_NOCLOCK;
	bool queued, running;
	struct rq_flags rf;
	struct rq *rq;
	int err;

	for (;;) {
		rq = task_rq_lock(p, &rf);
		err = p->policy == SCHED_A653 ? a653_part_admits(part, &p->cpus_mask) : 0;
		if (!err)
			break;
		/*
		 * Whoever moves a task checks that it may go there. But it can
		 * have become SCHED_A653, or its module gone, in between.
		 */
		task_rq_unlock(rq, p, &rf);
		if (err == -EAGAIN)
			a653_wait_verdict(part);
		else if (!a653_demote(p))
			return;
	}

	if (p->a653.part != part) {
		update_rq_clock(rq);
		queued = a653_member(p) && task_on_rq_queued(p);
		running = a653_member(p) && task_current(rq, p);
		if (queued)
			dequeue_task(rq, p, flags);
		if (running)
			put_prev_task(rq, p);
		p->a653.part = part;
		if (queued)
			enqueue_task(rq, p, flags);
		if (running) {
			set_next_task(rq, p);
			resched_curr(rq);
		} else if (queued) {
			a653_check_preempt(rq, p);
		}
		if (queued)
			a653_check_rq(rq, a653_pcpu_of(p, rq));
	}
	task_rq_unlock(rq, p, &rf);
}

static int __init a653_init(void)
{
	int cpu;

	/* Class order is address order, see SCHED_DATA in vmlinux.lds.h */
	WARN_ON(!sched_class_above(&stop_sched_class, &a653_sched_class));
	WARN_ON(!sched_class_above(&a653_sched_class, &dl_sched_class));

	for_each_possible_cpu(cpu) {
		struct a653_rq *ar = per_cpu_ptr(&a653_rqs, cpu);

		ar->consult_ns = S64_MAX;
		ar->pull_work = IRQ_WORK_INIT_HARD(a653_pull_work);
		INIT_LIST_HEAD(&ar->servers);
		rtds_init_cpu(cpu);
	}
	rtds_admit_init();
	return 0;
}
early_initcall(a653_init);
