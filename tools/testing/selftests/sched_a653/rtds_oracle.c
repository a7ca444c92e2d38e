// SPDX-License-Identifier: GPL-2.0
/*
 * The checker of deferrable servers, see rtds_oracle.h
 */
#include <stdlib.h>
#include <string.h>

#include "rtds_oracle.h"

#define NOBODY		(-1)
#define MAX_SERVERS	512
#define MAX_PARTS	512
#define MAX_RT_PRIO	100
#define MAX_IRQS	5	/* see oracle.c */
#define LEVEL_LATE	1
#define LEVEL_EXTRA	2
#define LEVEL_LAST	14
#define DEPLETED	99
/* From looking at the clock to the event that tells it */
#define PROMPT_NS	5000

enum task_state { UNKNOWN, ASLEEP, WAITING, RUNNING };

struct task {
	pid_t pid;
	int server;		/* of a thread, or NOBODY */
	int part;		/* of a partition's task, or NOBODY */
	unsigned int flags;
	enum task_state state;
	int cpu, prio;
	bool unsettled;		/* moved since: it may be on its way */
};

struct part {
	char name[A653_NAME_LEN];
	int server[EV_CPUS];
	int ready[EV_CPUS];	/* its tasks that wait or run there */
};

struct cpu {
	bool known;		/* who runs */
	pid_t cur;
	int cur_task;
	int server;		/* at whose cost, or NOBODY */
	uint64_t since;

	bool seen;		/* whether a window is open is known */
	int open;
	bool strict;
	int64_t taken_until;	/* by a window */
	int64_t stamp;		/* of the latest server event since the last switch */
	uint64_t closed;	/* when its window left it to its server; 0: not since */

	bool late;		/* something waits that should run here */
	uint64_t late_since;
	int late_irqs;
	pid_t late_cur;
	int late_for;
	enum rtds_ora_kind late_kind;
	char what[128];

	struct rtds_ora_cpu sum;
};

struct rtds_ora {
	const struct evlist *l;
	struct rtds_ora_server server[MAX_SERVERS];
	int server_part[MAX_SERVERS];
	int nr_servers;
	struct part part[MAX_PARTS];
	int nr_parts;
	struct task *task;
	int nr_tasks;
	size_t room_tasks;
	int by_pid[EV_PIDS];	/* index + 1 */
	struct cpu cpu[EV_CPUS];
	int nr_cpus, nr_known;
	uint64_t known_at;	/* since when all are */
	int64_t tolerance, limit, p99_limit, miss_limit;
	struct ora_series late, renew;
	int64_t late_max;
	const struct ev *late_end;	/* of the longest */
	const struct ev *at;
	struct ev_verdict verdict[NR_RTDS_ORA];
};

static const char *const kind_name[NR_RTDS_ORA] = {
	"trace", "overrun", "unpaid", "miss", "order", "lower", "tie", "ignored",
	"inversion", "priority", "charge", "grid", "late", "level", "early",
};

#define violation(o, kind, ...)							\
do {										\
	struct rtds_ora *of = (o);						\
										\
	ev_violation(of->l, &of->verdict[kind], of->at, __VA_ARGS__);		\
} while (0)

struct rtds_ora *rtds_ora_new(const struct evlist *l)
{
	struct rtds_ora *o = calloc(1, sizeof(*o));
	int c;

	if (!o)
		abort();
	o->l = l;
	o->tolerance = 20 * US;
	o->limit = INT64_MAX;
	o->p99_limit = INT64_MAX;
	o->miss_limit = INT64_MAX;
	for (c = 0; c < EV_CPUS; c++) {
		o->cpu[c].cur_task = NOBODY;
		o->cpu[c].server = NOBODY;
		o->cpu[c].open = NOBODY;
		o->cpu[c].seen = true;
	}
	return o;
}

void rtds_ora_free(struct rtds_ora *o)
{
	free(o->late.v);
	free(o->renew.v);
	free(o->task);
	free(o);
}

static int part_index(struct rtds_ora *o, const char *name)
{
	int i, c;

	for (i = 0; i < o->nr_parts; i++)
		if (!strncmp(o->part[i].name, name, A653_NAME_LEN))
			return i;
	if (i == MAX_PARTS)
		abort();
	memcpy(o->part[i].name, name, strnlen(name, A653_NAME_LEN));
	for (c = 0; c < EV_CPUS; c++)
		o->part[i].server[c] = NOBODY;
	return o->nr_parts++;
}

static int add_server(struct rtds_ora *o, int64_t budget, int64_t period, bool extra,
		      int64_t deadline, unsigned int flags)
{
	struct rtds_ora_server *s = &o->server[o->nr_servers];

	if (o->nr_servers == MAX_SERVERS)
		abort();
	s->budget = budget;
	s->period = period;
	s->extra = extra;
	s->flags = flags;
	s->deadline = deadline;
	s->promise = budget;
	s->on = NOBODY;
	o->server_part[o->nr_servers] = NOBODY;
	return o->nr_servers++;
}

static struct task *add_task(struct rtds_ora *o, pid_t pid, unsigned int flags)
{
	struct task *t;

	o->task = ev_room(o->task, o->nr_tasks, &o->room_tasks, sizeof(*o->task));
	t = &o->task[o->nr_tasks++];
	memset(t, 0, sizeof(*t));
	t->pid = pid;
	t->flags = flags;
	t->part = NOBODY;
	t->server = NOBODY;
	t->cpu = NOBODY;
	if (pid > 0 && pid < EV_PIDS)
		o->by_pid[pid] = o->nr_tasks;
	return t;
}

int rtds_ora_thread(struct rtds_ora *o, pid_t pid, uint64_t allowed, int64_t budget,
		    int64_t period, bool extra, int64_t deadline, unsigned int flags)
{
	int i = add_server(o, budget, period, extra, deadline, flags);

	snprintf(o->server[i].name, sizeof(o->server[i].name), "%.15s:%d",
		 ev_comm(o->l, pid), pid);
	o->server[i].pid = pid;
	o->server[i].cpu = NOBODY;
	o->server[i].allowed = allowed;
	add_task(o, pid, flags)->server = i;
	return i;
}

int rtds_ora_budget(struct rtds_ora *o, const char *part, int cpu, int64_t budget,
		    int64_t period, bool extra, int64_t deadline, unsigned int flags)
{
	int i = add_server(o, budget, period, extra, deadline, flags), p = part_index(o, part);

	snprintf(o->server[i].name, sizeof(o->server[i].name), "%.26s/%d", part, cpu);
	o->server[i].cpu = cpu;
	o->server[i].allowed = 1ULL << cpu;
	o->server_part[i] = p;
	o->part[p].server[cpu] = i;
	return i;
}

void rtds_ora_task(struct rtds_ora *o, pid_t pid, const char *part, unsigned int flags)
{
	int p = part_index(o, part);

	add_task(o, pid, flags)->part = p;
}

void rtds_ora_windows(struct rtds_ora *o, uint64_t cpus)
{
	int c;

	for (c = 0; c < EV_CPUS; c++)
		if (cpus >> c & 1)
			o->cpu[c].seen = false;
}

void rtds_ora_tolerance(struct rtds_ora *o, int64_t ns)
{
	o->tolerance = ns;
}

void rtds_ora_limit(struct rtds_ora *o, int64_t ns)
{
	o->limit = ns;
}

void rtds_ora_p99_limit(struct rtds_ora *o, int64_t ns)
{
	o->p99_limit = ns;
}

void rtds_ora_miss_limit(struct rtds_ora *o, int64_t ns)
{
	o->miss_limit = ns;
}

static struct task *find_task(struct rtds_ora *o, pid_t pid)
{
	int i = pid > 0 && pid < EV_PIDS ? o->by_pid[pid] : 0;

	return i ? &o->task[i - 1] : NULL;
}

/* It is a task of the partition that the partition schedules */
static bool ours(const struct task *t)
{
	return t->part != NOBODY && t->prio < MAX_RT_PRIO;
}

/*
 * The arithmetic of a server. In each period it uses its budget up in this order:
 * @promise at level 0, the rest at level 1, and then, with extratime, a
 * budget each at levels 2, 3...
 */

static int level_at(const struct rtds_ora_server *s, int64_t used)
{
	int64_t level;

	if (used < s->promise)
		return 0;
	if (used < s->budget)
		return LEVEL_LATE;
	if (!s->extra)
		return DEPLETED;
	level = LEVEL_EXTRA + (used - s->budget) / s->budget;
	return level > LEVEL_LAST ? LEVEL_LAST : level;
}

static int64_t unsure(const struct rtds_ora *o, const struct rtds_ora_server *s)
{
	return o->tolerance + s->unsure;
}

static int level_min(const struct rtds_ora *o, const struct rtds_ora_server *s)
{
	return level_at(s, s->used - unsure(o, s));
}

static int level_max(const struct rtds_ora *o, const struct rtds_ora_server *s)
{
	return level_at(s, s->used + unsure(o, s));
}

struct key {
	int level;
	int64_t deadline;
};

static int key_cmp(struct key a, struct key b)
{
	if (a.level != b.level)
		return a.level < b.level ? -1 : 1;
	return a.deadline < b.deadline ? -1 : a.deadline > b.deadline;
}

/* As urgent as it can be */
static struct key key_min(const struct rtds_ora *o, const struct rtds_ora_server *s, int64_t now)
{
	struct key k = { .level = level_min(o, s), .deadline = s->deadline };

	/* the kernel may not have come to the new period yet */
	if (now - (s->deadline - s->period) < unsure(o, s) || s->told < s->deadline) {
		k.level = 0;
		k.deadline = s->deadline - s->period;
	}
	return k;
}

static struct key key_max(const struct rtds_ora *o, const struct rtds_ora_server *s)
{
	return (struct key){ .level = level_max(o, s), .deadline = s->deadline };
}

/* Something else has the right to this CPU: a window */
static bool taken(const struct rtds_ora *o, const struct cpu *cpu, int c)
{
	if (!cpu->seen || cpu->strict)
		return true;
	return cpu->open != NOBODY && o->part[cpu->open].ready[c];
}

/*
 * Since when could @s have been renewed for what began at @ts? If it can run on one CPU
 * only, and a window has that, it is when the window leaves it; INT64_MAX: not yet.
 */
static int64_t renewable(const struct rtds_ora *o, const struct rtds_ora_server *s, int64_t ts)
{
	int c = s->pid ? __builtin_ctzll(s->allowed) : s->cpu;

	if (s->pid && s->allowed & (s->allowed - 1))
		return ts;
	if (taken(o, &o->cpu[c], c))
		return INT64_MAX;
	return o->cpu[c].taken_until > ts ? o->cpu[c].taken_until : ts;
}

static void settle(struct rtds_ora *o, struct rtds_ora_server *s, int64_t now)
{
	int64_t ran, over, before;

	if (s->on == NOBODY)
		return;
	ran = now - (int64_t)s->since;
	if (ran <= 0)
		return;
	s->since = now;
	before = s->used;
	s->used += ran;
	s->burnt += ran;
	s->run_ns += ran;
	over = s->used - (before > s->budget ? before : s->budget);
	if (over > 0 && s->known) {
		s->extra_ns += over;
		o->cpu[s->on].sum.extra_ns += over;
	}
	if (s->extra || !s->known || s->flags & RTDS_ORA_DYNAMIC)
		return;
	over = s->used - s->budget;
	if (over > s->over_max)
		s->over_max = over;
	if (over - unsure(o, s) > o->limit && !s->over_told) {
		violation(o, RTDS_ORA_OVERRUN, "%s has run for %lld ns more than its budget of %lld",
			  s->name, (long long)over, (long long)s->budget);
		s->over_told = true;
	}
}

/* A period ends */
static void roll(struct rtds_ora *o, struct rtds_ora_server *s, int64_t now)
{
	int64_t missing, n;

	settle(o, s, s->deadline);
	if (s->whole && s->known) {
		s->periods++;
		if (s->told < s->deadline && o->limit < INT64_MAX &&
		    !(s->flags & RTDS_ORA_DYNAMIC) && renewable(o, s, s->deadline) <= now)
			violation(o, RTDS_ORA_LATE, "%s got no budget for the period to %lld",
				  s->name, (long long)s->deadline);
		missing = s->budget - s->used - unsure(o, s);
		if (missing > s->miss_max)
			s->miss_max = missing;
		if (missing > 0)
			s->missed++;
		if (s->flags & RTDS_ORA_PROMISED && !(s->flags & RTDS_ORA_DYNAMIC) &&
		    o->miss_limit < INT64_MAX && missing > o->miss_limit)
			violation(o, RTDS_ORA_MISS, "%s had used %lld of %lld ns by %lld",
				  s->name, (long long)s->used, (long long)s->budget,
				  (long long)s->deadline);
	}
	n = s->ready ? 1 : (now - s->deadline) / s->period + 1;
	s->deadline += n * s->period;
	s->used = 0;
	s->promise = s->budget;
	s->unsure = 0;
	s->over_irqs = 0;
	s->over_told = false;
	/* since this period began it is known who runs where */
	if (o->nr_known == o->nr_cpus && s->deadline - s->period >= (int64_t)o->known_at)
		s->known = true;
	s->whole = s->ready;
}

static void catch_up(struct rtds_ora *o, struct rtds_ora_server *s, int64_t now)
{
	while (s->deadline && s->deadline <= now)
		roll(o, s, now);
	settle(o, s, now);
}

/*
 * What it kept until now it cannot use at the rate it was promised: as much as it
 * can stays, the rest is late.
 */
static void wake(struct rtds_ora *o, struct rtds_ora_server *s, int64_t now)
{
	int64_t keep;

	catch_up(o, s, now);
	s->wakeups++;
	if (s->deadline) {
		keep = (__int128)s->budget * (s->deadline - now) / s->period;
		if (s->used + keep < s->promise)
			s->promise = s->used + keep;
	}
	s->ready = true;
}

/*
 * Tasks
 */

static void part_ready(struct rtds_ora *o, struct task *t, int cpu, int n, uint64_t ts)
{
	struct part *p = &o->part[t->part];
	struct rtds_ora_server *s;

	if (cpu < 0 || cpu >= EV_CPUS)
		return;
	p->ready[cpu] += n;
	if (p->server[cpu] == NOBODY)
		return;
	s = &o->server[p->server[cpu]];
	if (n > 0 && p->ready[cpu] == 1) {
		wake(o, s, ts);
	} else if (n < 0 && !p->ready[cpu]) {
		catch_up(o, s, ts);
		s->ready = false;
		s->whole = false;
	}
}

static bool counts(enum task_state state)
{
	return state == WAITING || state == RUNNING;
}

static void set_state(struct rtds_ora *o, struct task *t, enum task_state state, int cpu,
		      uint64_t ts)
{
	bool was = counts(t->state), is = counts(state);
	int from = t->cpu;

	t->state = state;
	t->cpu = cpu;
	if (t->server != NOBODY) {
		struct rtds_ora_server *s = &o->server[t->server];

		s->cpu = cpu;
		if (is && !was) {
			wake(o, s, ts);
		} else if (was && !is) {
			catch_up(o, s, ts);
			s->ready = false;
			s->whole = false;
		}
	} else if (t->part != NOBODY && t->prio < MAX_RT_PRIO) {
		if (is && was && from == cpu)
			return;
		if (is)
			part_ready(o, t, cpu, 1, ts);
		if (was)
			part_ready(o, t, from, -1, ts);
	}
}

/* Does something of this server wait, apart from what runs? */
static bool waits_on(const struct rtds_ora *o, int server, int c)
{
	const struct rtds_ora_server *s = &o->server[server];
	const struct task *t;

	if (!s->ready || s->on != NOBODY || !s->known)
		return false;
	if (s->pid) {
		t = &o->task[o->by_pid[s->pid] - 1];
		return t->state == WAITING && t->cpu == c;
	}
	/* not if its window is open there: then nothing runs at its cost */
	return s->cpu == c && o->cpu[c].open != o->server_part[server];
}

static bool judged(const struct rtds_ora *o, const struct rtds_ora_server *s)
{
	return s->known && !(s->flags & RTDS_ORA_DYNAMIC) &&
	       /* in extratime it may have to leave some time to others */
	       level_max(o, s) < LEVEL_EXTRA;
}

static const char *server_name(const struct rtds_ora *o, int server)
{
	return server == NOBODY ? "nobody" : o->server[server].name;
}

static void late_end(struct rtds_ora *o, struct cpu *cpu, int64_t now)
{
	int64_t t = now - (int64_t)cpu->late_since;

	if (!cpu->late)
		return;
	cpu->late = false;
	ora_series_add(&o->late, t);
	if (t > o->late_max) {
		o->late_max = t;
		o->late_end = o->at;
	}
	if (t > o->limit)
		violation(o, cpu->late_kind, "%s for %lld ns from %llu.%06llu", cpu->what,
			  (long long)t, (unsigned long long)cpu->late_since / 1000000,
			  (unsigned long long)cpu->late_since % 1000000);
}

/* Who waits although @c runs something lesser? */
static int who_waits(struct rtds_ora *o, int c, int64_t now)
{
	struct cpu *cpu = &o->cpu[c];
	struct key best = { .level = DEPLETED, .deadline = 0 }, k;
	const struct task *t;
	int i, found = NOBODY;

	if (cpu->server != NOBODY) {
		struct rtds_ora_server *cur = &o->server[cpu->server];

		if (!cur->known || cur->flags & RTDS_ORA_DYNAMIC)
			return NOBODY;
		catch_up(o, cur, now);
		best = key_min(o, cur, now);
	} else if (cpu->cur_task != NOBODY) {
		/* nothing is known about what it costs */
		return NOBODY;
	}
	for (i = 0; i < o->nr_servers; i++) {
		struct rtds_ora_server *s = &o->server[i];

		if (!s->ready || s->on != NOBODY || !(s->allowed >> c & 1))
			continue;
		catch_up(o, s, now);
		if (!judged(o, s))
			continue;
		if (s->pid) {
			t = &o->task[o->by_pid[s->pid] - 1];
			if (t->state != WAITING)
				continue;
		} else if (!waits_on(o, i, c)) {
			continue;
		}
		k = key_max(o, s);
		if (key_cmp(k, best) >= 0)
			continue;
		best = k;
		found = i;
	}
	return found;
}

static void judge_waiting(struct rtds_ora *o, int64_t now)
{
	enum rtds_ora_kind kind;
	struct cpu *cpu;
	int c, i;

	for (c = 0; c < o->nr_cpus; c++) {
		cpu = &o->cpu[c];
		i = NOBODY;
		if (cpu->known && !ev_is_stop(o->l, cpu->cur) && !taken(o, cpu, c))
			i = who_waits(o, c, now);
		if (i == NOBODY) {
			late_end(o, cpu, now);
			continue;
		}
		kind = cpu->server == NOBODY ? RTDS_ORA_IGNORED : RTDS_ORA_INVERSION;
		if (cpu->late && (cpu->late_kind != kind || cpu->late_cur != cpu->cur ||
				  cpu->late_for != i))
			late_end(o, cpu, now);
		if (cpu->late)
			continue;
		cpu->late = true;
		cpu->late_since = now;
		cpu->late_irqs = 0;
		cpu->late_kind = kind;
		cpu->late_cur = cpu->cur;
		cpu->late_for = i;
		snprintf(cpu->what, sizeof(cpu->what), "CPU %d ran %.15s:%d (of %s) while %s waited",
			 c, ev_comm(o->l, cpu->cur), cpu->cur, server_name(o, cpu->server),
			 o->server[i].name);
	}
}

/*
 * Events
 */

/* At whose cost does @c run what it runs? */
static void recharge(struct rtds_ora *o, int c, uint64_t ts)
{
	struct cpu *cpu = &o->cpu[c];
	const struct task *t = cpu->cur_task == NOBODY ? NULL : &o->task[cpu->cur_task];
	struct rtds_ora_server *s;
	int server = NOBODY;

	if (t && t->server != NOBODY)
		server = t->server;
	else if (t && ours(t) && cpu->seen && cpu->open != t->part)
		server = o->part[t->part].server[c];
	if (server == cpu->server)
		return;
	if (cpu->server != NOBODY) {
		s = &o->server[cpu->server];
		catch_up(o, s, ts);
		s->on = NOBODY;
		s->over_irqs = 0;
	}
	cpu->server = server;
	if (server == NOBODY)
		return;
	s = &o->server[server];
	catch_up(o, s, ts);
	if (s->on != NOBODY)
		violation(o, RTDS_ORA_TRACE, "%s already runs on CPU %d", s->name, s->on);
	s->on = c;
	s->since = ts;
	s->over_irqs = 0;
	/* what it ran before has been told */
	s->burnt = 0;
	s->counted = s->known;
}

static void account(struct rtds_ora *o, int c, uint64_t ts)
{
	struct cpu *cpu = &o->cpu[c];
	const struct task *t = cpu->cur_task == NOBODY ? NULL : &o->task[cpu->cur_task];
	uint64_t d = ts - cpu->since;

	if (cpu->known) {
		if (cpu->server != NOBODY)
			cpu->sum.server_ns += d;
		else if (t && ours(t) && cpu->open == t->part)
			cpu->sum.window_ns += d;
		else if (cpu->cur)
			cpu->sum.lower_ns += d;
		else
			cpu->sum.idle_ns += d;
	}
	cpu->since = ts;
}

/* How long ago did the kernel look at the clock for this switch? */
static int64_t lag(const struct cpu *cpu, uint64_t ts)
{
	return cpu->stamp ? (int64_t)ts - cpu->stamp : 0;
}

/* @server or a lower class was picked: was somebody on this CPU before it? */
static void judge_pick(struct rtds_ora *o, const struct ev *e, int server, int prev)
{
	struct cpu *cpu = &o->cpu[e->cpu];
	struct rtds_ora_server *n = server == NOBODY ? NULL : &o->server[server], *s;
	int i;

	if (lag(cpu, e->ts) > o->tolerance || taken(o, cpu, e->cpu))
		return;
	if (n && (!n->known || n->flags & RTDS_ORA_DYNAMIC))
		return;
	for (i = 0; i < o->nr_servers; i++) {
		s = &o->server[i];
		if (i == server || !waits_on(o, i, e->cpu))
			continue;
		catch_up(o, s, e->ts);
		/* the period may have begun when the choice was made already */
		if (!judged(o, s) || s->told < s->deadline ||
		    e->ts - s->told_at < (uint64_t)o->tolerance)
			continue;
		if (s->pid && o->task[o->by_pid[s->pid] - 1].unsettled)
			continue;
		if (!n)
			violation(o, RTDS_ORA_LOWER, "%s waited there", s->name);
		else if (key_cmp(key_max(o, s), key_min(o, n, e->ts)) < 0)
			violation(o, RTDS_ORA_ORDER, "%s waited there, with deadline %lld",
				  s->name, (long long)s->deadline);
		else if (i == prev && n->told >= n->deadline &&
			 level_max(o, s) == level_min(o, s) &&
			 level_max(o, n) == level_min(o, n) &&
			 !key_cmp(key_max(o, s), key_max(o, n)))
			violation(o, RTDS_ORA_TIE, "%s ran and is as urgent", s->name);
	}
}

/*
 * @t runs on @c. If nothing was seen of it before, it did not wake up: it has been
 * ready since before the trace, and nothing is known of this period.
 */
static void met(struct rtds_ora *o, const struct task *t, int c)
{
	int server = t->server;

	if (t->state != UNKNOWN)
		return;
	if (server == NOBODY && t->part != NOBODY)
		server = o->part[t->part].server[c];
	if (server != NOBODY)
		o->server[server].known = false;
}

static void on_switch(struct rtds_ora *o, const struct ev *e)
{
	struct task *prev = find_task(o, e->sw.prev), *next = find_task(o, e->sw.next);
	struct cpu *cpu = &o->cpu[e->cpu];
	struct rtds_ora_server *s;
	int before, i;

	if (cpu->known && cpu->cur != e->sw.prev)
		violation(o, RTDS_ORA_TRACE, "%d was current", cpu->cur);
	account(o, e->cpu, e->ts);
	before = cpu->server;
	cpu->cur_task = NOBODY;
	recharge(o, e->cpu, e->ts);
	if (prev) {
		prev->prio = e->sw.prev_prio;
		met(o, prev, e->cpu);
		set_state(o, prev, e->sw.prev_state ? ASLEEP : WAITING, e->cpu, e->ts);
	}
	if (next) {
		if (next->state == RUNNING)
			violation(o, RTDS_ORA_TRACE, "it runs on CPU %d too", next->cpu);
		next->prio = e->sw.next_prio;
		met(o, next, e->cpu);
		set_state(o, next, RUNNING, e->cpu, e->ts);
		next->unsettled = false;
		cpu->cur_task = next - o->task;
	}
	if (!cpu->known) {
		o->nr_known++;
		o->known_at = e->ts;
	}
	cpu->known = true;
	cpu->cur = e->sw.next;
	recharge(o, e->cpu, e->ts);

	/* nothing is charged, and told, while the same one pays */
	if (cpu->server == before)
		cpu->stamp = 0;
	if (before != NOBODY && lag(cpu, e->ts) > PROMPT_NS)
		o->server[before].unsure += lag(cpu, e->ts) - PROMPT_NS;
	if (cpu->server != NOBODY) {
		s = &o->server[cpu->server];
		if (lag(cpu, e->ts) > PROMPT_NS)
			s->unsure += lag(cpu, e->ts) - PROMPT_NS;
		if (s->known && !(s->flags & RTDS_ORA_DYNAMIC) &&
		    level_min(o, s) == DEPLETED && s->told >= s->deadline)
			violation(o, RTDS_ORA_UNPAID, "%s has used %lld of %lld ns", s->name,
				  (long long)s->used, (long long)s->budget);
	} else if (next && ours(next) && cpu->seen && cpu->open != next->part &&
		   !(next->flags & RTDS_ORA_DYNAMIC)) {
		violation(o, RTDS_ORA_UNPAID, "%s has no window and no server there",
			  o->part[next->part].name);
	}
	if (cpu->server != NOBODY || (!next && !ev_is_stop(o->l, e->sw.next)))
		judge_pick(o, e, cpu->server, before);
	if (next && ours(next) && cpu->server != NOBODY) {
		for (i = 0; i < o->nr_tasks; i++) {
			const struct task *t = &o->task[i];

			if (t->part == next->part && t->state == WAITING && ours(t) &&
			    t->cpu == e->cpu && t->prio < next->prio && !t->unsettled &&
			    !((t->flags | next->flags) & RTDS_ORA_DYNAMIC))
				violation(o, RTDS_ORA_PRIORITY, "%d (prio %d) waited there",
					  t->pid, t->prio);
		}
	}
	cpu->stamp = 0;
	cpu->closed = 0;
}

static void on_wakeup(struct rtds_ora *o, const struct ev *e)
{
	struct task *t = find_task(o, e->task.pid);

	if (!t || counts(t->state))
		return;
	t->prio = e->task.prio;
	t->unsettled = false;
	set_state(o, t, WAITING, e->task.cpu, e->ts);
}

static void on_migrate(struct rtds_ora *o, const struct ev *e)
{
	struct task *t = find_task(o, e->task.pid);

	if (!t)
		return;
	t->unsettled = t->state == WAITING;
	if (t->state != RUNNING)
		set_state(o, t, t->state, e->task.cpu, e->ts);
}

static void on_window(struct rtds_ora *o, const struct ev *e)
{
	struct cpu *cpu = &o->cpu[e->cpu];
	int i;

	account(o, e->cpu, e->ts);
	/* until now it was not known who paid */
	for (i = 0; i < o->nr_servers && !cpu->seen; i++)
		if (!o->server[i].pid && o->server[i].cpu == e->cpu)
			o->server[i].known = false;
	cpu->seen = true;
	cpu->open = NOBODY;
	cpu->strict = false;
	if (e->type == EV_OPEN) {
		cpu->open = part_index(o, ev_name(o->l, e->name));
		cpu->strict = e->open.strict;
	}
	recharge(o, e->cpu, e->ts);
	cpu->closed = cpu->server == NOBODY ? 0 : e->ts;
}

static void on_irq(struct rtds_ora *o, const struct ev *e)
{
	struct cpu *cpu = &o->cpu[e->cpu];
	struct rtds_ora_server *s;

	if (cpu->late && ++cpu->late_irqs == MAX_IRQS)
		violation(o, cpu->late_kind, "%s, through %d interrupts and %lld ns", cpu->what,
			  cpu->late_irqs, (long long)(e->ts - cpu->late_since));
	if (cpu->server == NOBODY)
		return;
	s = &o->server[cpu->server];
	catch_up(o, s, e->ts);
	if (s->known && !(s->flags & RTDS_ORA_DYNAMIC) && level_min(o, s) == DEPLETED &&
	    ++s->over_irqs == MAX_IRQS)
		violation(o, RTDS_ORA_OVERRUN, "%s has used %lld of %lld ns, through %d interrupts",
			  s->name, (long long)s->used, (long long)s->budget, s->over_irqs);
}

static int event_server(struct rtds_ora *o, const struct ev *e)
{
	const struct task *t;

	if (e->server.pid) {
		t = find_task(o, e->server.pid);
		return t ? t->server : NOBODY;
	}
	if (e->server.cpu < 0 || e->server.cpu >= EV_CPUS)
		return NOBODY;
	return o->part[part_index(o, ev_name(o->l, e->name))].server[e->server.cpu];
}

/* What the kernel says of a server: does it agree with what we know? */
static void on_server(struct rtds_ora *o, const struct ev *e)
{
	int i = event_server(o, e);
	struct rtds_ora_server *s = i == NOBODY ? NULL : &o->server[i];
	int64_t late = (int64_t)e->ts - e->server.now, diff;
	bool counted;

	o->cpu[e->cpu].stamp = e->server.now;
	if (!s)
		return;
	/* it pays from when it is picked; the kernel does that as soon as it can */
	if (e->type == EV_PICK && o->cpu[e->cpu].closed) {
		if (s->on == e->cpu)
			s->unsure += e->ts - o->cpu[e->cpu].closed;
		o->cpu[e->cpu].closed = 0;
	}
	if (!s->deadline)
		s->deadline = e->server.deadline;
	if (late > PROMPT_NS)
		s->unsure += late - PROMPT_NS;
	if (late < 0)
		violation(o, RTDS_ORA_TRACE, "told %lld ns before it was", (long long)-late);
	catch_up(o, s, e->ts);
	if (e->server.deadline > s->told) {
		s->told = e->server.deadline;
		s->told_at = e->ts;
	}
	diff = s->burnt - (int64_t)e->server.ran;
	counted = s->counted;
	if (e->type == EV_BURN) {
		s->burnt = 0;
		s->counted = true;
	}
	if (s->flags & RTDS_ORA_DYNAMIC || (!s->pid && !o->cpu[s->cpu].seen))
		return;

	if ((e->server.deadline - s->deadline) % s->period)
		violation(o, RTDS_ORA_GRID, "%s has a deadline at %lld", s->name,
			  (long long)s->deadline);
	switch (e->type) {
	case EV_REPLENISH:
		s->replenished++;
		if (e->server.now < e->server.deadline - s->period ||
		    e->server.now >= e->server.deadline)
			violation(o, RTDS_ORA_GRID, "%s: not in that period", s->name);
		if (e->server.left > (uint64_t)s->budget ||
		    (s->whole && s->on == NOBODY && (e->server.left != (uint64_t)s->budget ||
						     e->server.level)))
			violation(o, RTDS_ORA_GRID, "%s: the budget of %lld is not full",
				  s->name, (long long)s->budget);
		late = e->server.now - renewable(o, s, e->server.deadline - s->period);
		if (s->whole && late >= 0)
			ora_series_add(&o->renew, late);
		if (s->whole && late > o->limit)
			violation(o, RTDS_ORA_LATE, "%s got its budget %lld ns late", s->name,
				  (long long)late);
		break;
	case EV_DEPLETE:
		s->depleted++;
		/* when the next period has begun already */
		if (e->server.deadline == s->deadline - s->period &&
		    e->server.deadline + unsure(o, s) > (int64_t)e->ts)
			break;
		if (s->known && level_max(o, s) < LEVEL_EXTRA)
			violation(o, RTDS_ORA_EARLY, "%s has used %lld of %lld ns", s->name,
				  (long long)s->used, (long long)s->budget);
		break;
	case EV_LEVEL:
	case EV_PICK:
		s->picked += e->type == EV_PICK;
		/* told in the old period, or before it fell asleep */
		if (!s->known || e->server.deadline != s->deadline || !s->ready ||
		    level_min(o, s) == DEPLETED || level_max(o, s) == DEPLETED)
			break;
		if (e->server.level < level_min(o, s) || e->server.level > level_max(o, s))
			violation(o, RTDS_ORA_LEVEL, "%s should be at level %d", s->name,
				  level_min(o, s));
		break;
	case EV_BURN:
		if (!s->known || !counted)
			break;
		if (diff > unsure(o, s) || -diff > unsure(o, s))
			violation(o, RTDS_ORA_CHARGE, "%s ran for %lld ns", s->name,
				  (long long)(diff + (int64_t)e->server.ran));
		break;
	}
}

/* Periods that begin before @ts, in their order */
static void advance(struct rtds_ora *o, int64_t ts)
{
	struct rtds_ora_server *s, *first;
	int64_t now;
	int i;

	for (;;) {
		first = NULL;
		for (i = 0; i < o->nr_servers; i++) {
			s = &o->server[i];
			if (s->ready && s->deadline && s->deadline < ts &&
			    (!first || s->deadline < first->deadline))
				first = s;
		}
		if (!first)
			return;
		now = first->deadline;
		catch_up(o, first, now);
		judge_waiting(o, now);
	}
}

unsigned int rtds_ora_run(struct rtds_ora *o)
{
	struct rtds_ora_server *s;
	size_t i;
	int k;

	if (o->l->lost)
		violation(o, RTDS_ORA_TRACE, "%llu events were lost",
			  (unsigned long long)o->l->lost);
	for (i = 0; i < o->l->nr; i++)
		if (o->l->ev[i].cpu >= o->nr_cpus)
			o->nr_cpus = o->l->ev[i].cpu + 1;
	for (k = 0; k < o->nr_servers; k++) {
		s = &o->server[k];
		if (s->deadline && o->l->nr && s->flags & RTDS_ORA_FRESH) {
			catch_up(o, s, o->l->ev[0].ts);
			s->known = true;
			s->told = s->deadline;
		}
	}
	for (i = 0; i < o->l->nr; i++) {
		const struct ev *e = &o->l->ev[i];

		advance(o, e->ts);
		for (k = 0; k < o->nr_cpus; k++)
			if (taken(o, &o->cpu[k], k))
				o->cpu[k].taken_until = e->ts;
		o->at = e;
		switch (e->type) {
		case EV_SWITCH:
			on_switch(o, e);
			break;
		case EV_WAKEUP:
			on_wakeup(o, e);
			break;
		case EV_MIGRATE:
			on_migrate(o, e);
			break;
		case EV_OPEN:
		case EV_CLOSE:
			on_window(o, e);
			break;
		case EV_IRQ:
			on_irq(o, e);
			break;
		case EV_REPLENISH:
		case EV_DEPLETE:
		case EV_LEVEL:
		case EV_BURN:
		case EV_PICK:
			on_server(o, e);
			break;
		case EV_TICKLE:
			o->cpu[e->cpu].sum.tickles++;
			continue;
		default:
			continue;
		}
		judge_waiting(o, e->ts);
	}
	for (k = 0; k < o->nr_cpus && i; k++)
		account(o, k, o->l->ev[i - 1].ts);
	o->at = o->late_end;
	if (o->late.nr >= 400 && ora_quantile(&o->late, 0.99) > o->p99_limit)
		violation(o, RTDS_ORA_INVERSION, "one in a hundred waits lasted %lld ns or longer",
			  (long long)ora_quantile(&o->late, 0.99));
	return ev_violations(o->verdict, NR_RTDS_ORA);
}

unsigned int rtds_ora_count(const struct rtds_ora *o, enum rtds_ora_kind kind)
{
	return o->verdict[kind].count;
}

const char *rtds_ora_first(const struct rtds_ora *o, enum rtds_ora_kind kind)
{
	return o->verdict[kind].first;
}

const char *rtds_ora_kind_name(enum rtds_ora_kind kind)
{
	return kind_name[kind];
}

const struct rtds_ora_server *rtds_ora_server(const struct rtds_ora *o, int server)
{
	return &o->server[server];
}

const struct rtds_ora_cpu *rtds_ora_cpu(const struct rtds_ora *o, int cpu)
{
	return &o->cpu[cpu].sum;
}

void rtds_ora_report(struct rtds_ora *o, FILE *to, const char *prefix)
{
	const struct rtds_ora_server *s;
	const struct rtds_ora_cpu *c;
	int k;

	ev_report(o->l, o->verdict, NR_RTDS_ORA, kind_name, to, prefix);
	for (k = 0; k < o->nr_servers && k < 8; k++) {
		s = &o->server[k];
		fprintf(to,
			"%s%s: %lld of %lld us%s; ran %llu ms, %llu ms extra; %llu wake-ups, %llu periods ready, %llu missed by up to %lld us, overrun %lld us\n",
			prefix, s->name, (long long)s->budget / 1000, (long long)s->period / 1000,
			s->extra ? " and more" : "", (unsigned long long)s->run_ns / 1000000,
			(unsigned long long)s->extra_ns / 1000000,
			(unsigned long long)s->wakeups, (unsigned long long)s->periods,
			(unsigned long long)s->missed, (long long)s->miss_max / 1000,
			(long long)s->over_max / 1000);
	}
	for (k = 0; k < o->nr_cpus; k++) {
		c = &o->cpu[k].sum;
		fprintf(to,
			"%sCPU %d: windows %llu ms, servers %llu ms (%llu ms extra), others %llu ms, idle %llu ms, %llu tickles\n",
			prefix, k, (unsigned long long)c->window_ns / 1000000,
			(unsigned long long)c->server_ns / 1000000,
			(unsigned long long)c->extra_ns / 1000000,
			(unsigned long long)c->lower_ns / 1000000,
			(unsigned long long)c->idle_ns / 1000000,
			(unsigned long long)c->tickles);
	}
	fprintf(to,
		"%s%zu servers waited wrongly %lld/%lld/%lld us, renewed late %lld/%lld/%lld us (median/p99/max)\n",
		prefix, o->late.nr, (long long)ora_quantile(&o->late, 0.5) / 1000,
		(long long)ora_quantile(&o->late, 0.99) / 1000,
		(long long)ora_quantile(&o->late, 1) / 1000,
		(long long)ora_quantile(&o->renew, 0.5) / 1000,
		(long long)ora_quantile(&o->renew, 0.99) / 1000,
		(long long)ora_quantile(&o->renew, 1) / 1000);
}
