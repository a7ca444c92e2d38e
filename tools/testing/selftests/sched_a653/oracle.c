// SPDX-License-Identifier: GPL-2.0
/*
 * The trace checker, see oracle.h
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define NOBODY		(-1)
#define MAX_MODULES	8
#define MAX_CONFS	4
#define MAX_PARTS	1024
#define MAX_RT_PRIO	100
/* So many interrupts must not pass a CPU that has something to do */
#define MAX_IRQS	5

struct table {			/* windows of one CPU in one schedule */
	const struct a653_window **w;
	unsigned int nr;
	uint64_t major;
	bool exclusive;
	const struct conf *conf;
};

struct module {
	const struct conf *conf[MAX_CONFS];
	int nr_confs;
	uint64_t cpus;
};

enum task_state { UNKNOWN, ASLEEP, WAITING, RUNNING };

struct task {
	pid_t pid;
	int part;
	uint64_t allowed;
	unsigned int flags;
	enum task_state state;
	int cpu;
	int prio;
	uint64_t seq;		/* when it was queued */
	bool unsettled;		/* moved since: its place is not known */
};

/* A window as it was opened */
struct instance {
	int cpu, part, mod;
	int64_t sched, end;
	uint64_t open_ts, close_ts;
	int64_t epoch;		/* start of the schedule it belongs to */
	bool exclusive;
};

struct epoch {
	int mod;
	int64_t sched;
	int name;
};

/* Something that must not last */
struct pending {
	bool on;
	uint64_t since;
	int irqs;		/* since the CPU did anything about it */
	pid_t cur, waits;
	enum ora_kind kind;
	char what[128];
};

struct cpu {
	int mod;
	bool known;		/* who runs */
	pid_t cur;
	int cur_task;
	int cur_prio;
	uint64_t cur_since;

	bool seen;		/* whether a window is open is known */
	int open;
	bool strict;
	bool entered;		/* a task of the partition ran in this window */
	int64_t sched, end;
	uint64_t open_ts;
	size_t inst;

	struct table table;
	int64_t base;
	bool counted;		/* @last is known */
	int64_t last;		/* index of the last window since @base */
	uint64_t skipped, missed;

	struct pending stay, inv;
};

struct ora {
	const struct evlist *l;
	struct module mod[MAX_MODULES];
	int nr_mods;
	struct ora_part part[MAX_PARTS];
	bool unbound[MAX_PARTS];
	bool budgeted[MAX_PARTS];
	int nr_parts;
	struct task *task;
	int nr_tasks;
	size_t room_tasks;
	int by_pid[EV_PIDS];	/* index + 1 */
	int by_name[MAX_PARTS];	/* of the event list's names; index + 1 */
	struct cpu cpu[EV_CPUS];
	struct instance *inst;
	size_t nr_inst, room_inst;
	struct epoch *epoch;
	size_t nr_epochs, room_epochs;
	struct ora_series stay, inv;
	uint64_t seq, switches;
	int64_t hard_ns, p99_ns, late_ns, overlap_ns, overlap_max, skew_max;
	struct ev_verdict verdict[NR_ORA];
};

static const char *const kind_name[NR_ORA] = {
	"trace", "outside", "stayed", "early", "grid", "sequence", "overlap",
	"unused", "ignored", "strict", "inversion", "order", "share", "split",
	"late", "wakeup",
};

void ora_series_add(struct ora_series *s, int64_t v)
{
	s->v = ev_room(s->v, s->nr, &s->room, sizeof(*s->v));
	s->v[s->nr++] = v;
	s->sorted = false;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int64_t ora_quantile(struct ora_series *s, double q)
{
	size_t i;

	if (!s->nr)
		return 0;
	if (!s->sorted)
		qsort(s->v, s->nr, sizeof(*s->v), by_value);
	s->sorted = true;
	i = q * s->nr;
	return s->v[i < s->nr ? i : s->nr - 1];
}

#define violation(o, kind, e, ...)						\
do {										\
	struct ora *of = (o);							\
										\
	ev_violation(of->l, &of->verdict[kind], e, __VA_ARGS__);		\
} while (0)

struct ora *ora_new(const struct evlist *l)
{
	struct ora *o = calloc(1, sizeof(*o));
	int c;

	if (!o)
		abort();
	o->l = l;
	o->hard_ns = INT64_MAX;
	o->p99_ns = INT64_MAX;
	o->late_ns = INT64_MAX;
	o->overlap_ns = INT64_MAX;
	for (c = 0; c < EV_CPUS; c++) {
		o->cpu[c].mod = NOBODY;
		o->cpu[c].cur_task = NOBODY;
		o->cpu[c].open = NOBODY;
	}
	return o;
}

void ora_free(struct ora *o)
{
	int i;

	for (i = 0; i < o->nr_parts; i++) {
		free(o->part[i].late.v);
		free(o->part[i].first.v);
	}
	for (i = 0; i < EV_CPUS; i++)
		free(o->cpu[i].table.w);
	free(o->stay.v);
	free(o->inv.v);
	free(o->task);
	free(o->inst);
	free(o->epoch);
	free(o);
}

static int part_index(struct ora *o, const char *name)
{
	int i;

	for (i = 0; i < o->nr_parts; i++)
		if (!strncmp(o->part[i].name, name, A653_NAME_LEN))
			return i;
	if (i == MAX_PARTS)
		abort();
	memcpy(o->part[i].name, name, strnlen(name, A653_NAME_LEN));
	o->part[i].mod = NOBODY;
	return o->nr_parts++;
}

void ora_reload(struct ora *o, int mod, const struct conf *f)
{
	struct module *m = &o->mod[mod];
	unsigned int i;

	if (m->nr_confs == MAX_CONFS)
		abort();
	m->conf[m->nr_confs++] = f;
	for (i = 0; i < f->c.nr_partitions; i++)
		o->part[part_index(o, f->part[i].name)].mod = mod;
}

int ora_module(struct ora *o, const struct conf *f)
{
	int c, m = o->nr_mods++;

	if (m == MAX_MODULES)
		abort();
	o->mod[m].cpus = f->cpus[0];
	for (c = 0; c < EV_CPUS; c++)
		if (f->cpus[0] >> c & 1)
			o->cpu[c].mod = m;
	ora_reload(o, m, f);
	return m;
}

static int by_offset(const void *a, const void *b)
{
	const struct a653_window *x = *(const struct a653_window **)a;
	const struct a653_window *y = *(const struct a653_window **)b;

	return x->offset_ns < y->offset_ns ? -1 : x->offset_ns > y->offset_ns;
}

static void set_table(struct ora *o, int cpu, const struct conf *f, unsigned int s)
{
	struct table *t = &o->cpu[cpu].table;
	unsigned int i, w = conf_first_win(f, s);

	free(t->w);
	memset(t, 0, sizeof(*t));
	t->w = calloc(f->sched[s].nr_windows + 1, sizeof(*t->w));
	if (!t->w)
		abort();
	t->conf = f;
	t->major = f->sched[s].major_frame_ns;
	t->exclusive = f->sched[s].flags & A653_SCHEDULE_EXCLUSIVE;
	for (i = 0; i < f->sched[s].nr_windows; i++, w++)
		if (f->win[w].cpu == (unsigned int)cpu)
			t->w[t->nr++] = &f->win[w];
	qsort(t->w, t->nr, sizeof(*t->w), by_offset);
}

static bool find_sched(const struct module *m, const char *name,
		       const struct conf **f, unsigned int *s)
{
	int i;

	/* the latest configuration first: names may be used again */
	for (i = m->nr_confs - 1; i >= 0; i--)
		for (*f = m->conf[i], *s = 0; *s < (*f)->c.nr_schedules; ++*s)
			if (!strncmp((*f)->sched[*s].name, name, A653_NAME_LEN))
				return true;
	return false;
}

void ora_start(struct ora *o, int mod, const char *sched, int64_t base)
{
	const struct conf *f;
	unsigned int s;
	int c;

	if (!find_sched(&o->mod[mod], sched, &f, &s))
		abort();
	for (c = 0; c < EV_CPUS; c++) {
		if (o->cpu[c].mod != mod)
			continue;
		set_table(o, c, f, s);
		o->cpu[c].base = base;
	}
}

void ora_task(struct ora *o, pid_t pid, const char *part, uint64_t allowed,
	      unsigned int flags)
{
	struct task *t;

	o->task = ev_room(o->task, o->nr_tasks, &o->room_tasks, sizeof(*o->task));
	t = &o->task[o->nr_tasks++];
	memset(t, 0, sizeof(*t));
	t->pid = pid;
	t->part = part_index(o, part);
	t->allowed = allowed;
	t->flags = flags;
	if (pid > 0 && pid < EV_PIDS)
		o->by_pid[pid] = o->nr_tasks;
}

void ora_share(struct ora *o, const char *part, double share)
{
	o->part[part_index(o, part)].share = share;
}

void ora_unbound(struct ora *o, const char *part)
{
	o->unbound[part_index(o, part)] = true;
}

void ora_budgeted(struct ora *o, const char *part)
{
	o->budgeted[part_index(o, part)] = true;
}

void ora_hard_limit(struct ora *o, int64_t ns)
{
	o->hard_ns = ns;
}

void ora_late_limit(struct ora *o, int64_t ns)
{
	o->late_ns = ns;
}

void ora_missed_limit(struct ora *o, const char *part, double share)
{
	o->part[part_index(o, part)].may_miss = share;
}

void ora_p99_limit(struct ora *o, int64_t ns)
{
	o->p99_ns = ns;
}

void ora_overlap_limit(struct ora *o, int64_t ns)
{
	o->overlap_ns = ns;
}

static struct task *find_task(struct ora *o, pid_t pid)
{
	int i = pid > 0 && pid < EV_PIDS ? o->by_pid[pid] : 0;

	return i ? &o->task[i - 1] : NULL;
}

static void set_state(struct ora *o, struct task *t, enum task_state state)
{
	if (t->state == WAITING)
		o->part[t->part].nr_wait--;
	t->state = state;
	if (t->state == WAITING)
		o->part[t->part].nr_wait++;
}

/* It is a task of the partition that the partition schedules */
static bool ours(const struct task *t, int part)
{
	return (t->part == part || t->flags & ORA_MOVES) && t->prio < MAX_RT_PRIO;
}

static const struct task *current_task(const struct ora *o, const struct cpu *c)
{
	return c->cur_task == NOBODY ? NULL : &o->task[c->cur_task];
}

static void pending_end(struct ora *o, struct pending *p, struct ora_series *s,
			uint64_t ts)
{
	int64_t t = ts - p->since;

	if (!p->on)
		return;
	p->on = false;
	ora_series_add(s, t);
	if (t > o->hard_ns)
		violation(o, p->kind, NULL, "%s for %lld ns from %llu.%06llu",
			  p->what, (long long)t,
			  (unsigned long long)p->since / 1000000,
			  (unsigned long long)p->since % 1000000);
}

static void pending_irq(struct ora *o, struct pending *p, const struct ev *e)
{
	if (p->on && ++p->irqs == MAX_IRQS)
		violation(o, p->kind, e, "%s, through %d interrupts and %lld ns",
			  p->what, p->irqs, (long long)(e->ts - p->since));
}

/* Who waits although @c, in an open window, runs something lesser? */
static const struct task *who_waits(const struct ora *o, int c)
{
	const struct cpu *cpu = &o->cpu[c];
	const struct task *cur = current_task(o, cpu), *t, *best = NULL;
	int i, prio = cur && ours(cur, cpu->open) ? cpu->cur_prio : MAX_RT_PRIO;

	if (!o->part[cpu->open].nr_wait)
		return NULL;
	for (i = 0; i < o->nr_tasks; i++) {
		t = &o->task[i];
		if (t->state != WAITING || !ours(t, cpu->open) || t->prio >= prio ||
		    t->flags & ORA_MOVES)
			continue;
		if (t->flags & ORA_DYNAMIC ? t->cpu != c : !(t->allowed >> c & 1))
			continue;
		best = t;
		prio = t->prio;
	}
	return best;
}

static void judge_inversions(struct ora *o, const struct ev *e)
{
	const struct task *t;
	enum ora_kind kind;
	struct cpu *cpu;
	int c;

	for (c = 0; c < EV_CPUS; c++) {
		cpu = &o->cpu[c];
		if (cpu->mod == NOBODY || !cpu->known)
			continue;
		t = NULL;
		if (cpu->open != NOBODY && !ev_is_stop(o->l, cpu->cur))
			t = who_waits(o, c);
		if (!t) {
			pending_end(o, &cpu->inv, &o->inv, e->ts);
			continue;
		}
		kind = cpu->cur_task != NOBODY && ours(current_task(o, cpu), cpu->open) ?
		       ORA_INVERSION : ORA_IGNORED;
		if (cpu->inv.on && cpu->inv.kind != kind)
			pending_end(o, &cpu->inv, &o->inv, e->ts);
		if (cpu->inv.cur != cpu->cur || cpu->inv.waits != t->pid)
			cpu->inv.irqs = 0;
		cpu->inv.cur = cpu->cur;
		cpu->inv.waits = t->pid;
		if (!cpu->inv.on) {
			cpu->inv.on = true;
			cpu->inv.since = e->ts;
			cpu->inv.irqs = 0;
			cpu->inv.kind = kind;
			snprintf(cpu->inv.what, sizeof(cpu->inv.what),
				 "CPU %d ran %.15s:%d (prio %d) while %.15s:%d (prio %d, on CPU %d) waited",
				 c, ev_comm(o->l, cpu->cur), cpu->cur,
				 cpu->cur_prio, ev_comm(o->l, t->pid), t->pid,
				 t->prio, t->cpu);
		}
	}
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* Account what the current task ran in the open window until @ts */
static void account(struct ora *o, struct cpu *cpu, uint64_t ts)
{
	const struct task *cur = current_task(o, cpu);
	struct ora_part *p;
	uint64_t from;

	if (cpu->open == NOBODY || !cpu->seen || !cur || !ours(cur, cpu->open))
		return;
	p = &o->part[cpu->open];
	from = cpu->cur_since > cpu->open_ts ? cpu->cur_since : cpu->open_ts;
	p->run_ns += ts - from;
	p->received_ns += clamp(ts, cpu->sched, cpu->end) -
			  clamp(from, cpu->sched, cpu->end);
}

static void on_switch(struct ora *o, const struct ev *e)
{
	struct task *prev = find_task(o, e->sw.prev), *next = find_task(o, e->sw.next);
	struct cpu *cpu = &o->cpu[e->cpu];
	const struct task *t;
	int i;

	o->switches++;
	if (cpu->known && cpu->cur != e->sw.prev)
		violation(o, ORA_TRACE, e, "%d was current", cpu->cur);
	account(o, cpu, e->ts);
	pending_end(o, &cpu->stay, &o->stay, e->ts);

	if (prev) {
		prev->prio = e->sw.prev_prio;
		if (prev->state == UNKNOWN || prev->flags & ORA_YIELDS)
			prev->seq = ++o->seq;
		set_state(o, prev, e->sw.prev_state ? ASLEEP : WAITING);
		prev->cpu = e->cpu;
	}
	if (next) {
		if (next->state == RUNNING)
			violation(o, ORA_TRACE, e, "it runs on CPU %d too", next->cpu);
		next->prio = e->sw.next_prio;
	}

	if (next && ours(next, next->part)) {
		if (cpu->mod != NOBODY && cpu->seen && cpu->open != next->part &&
		    !o->budgeted[next->part] &&
		    (cpu->open == NOBODY || !(next->flags & ORA_MOVES)))
			violation(o, ORA_OUTSIDE, e, "%s is not open",
				  o->part[next->part].name);
		for (i = 0; i < o->nr_tasks && o->part[next->part].nr_wait; i++) {
			t = &o->task[i];
			if (t == next || t->state != WAITING || t->cpu != e->cpu ||
			    !ours(t, next->part) || t->unsettled ||
			    (t->flags | next->flags) & (ORA_DYNAMIC | ORA_MOVES))
				continue;
			if (t->prio < next->prio)
				violation(o, ORA_ORDER, e, "%d (prio %d) waited here",
					  t->pid, t->prio);
			else if (t->prio == next->prio && t->seq < next->seq &&
				 !next->unsettled && !(next->flags & ORA_YIELDS) &&
				 next->state == WAITING)
				violation(o, ORA_ORDER, e, "%d was queued before it",
					  t->pid);
		}
		if (cpu->open == next->part && !cpu->entered) {
			cpu->entered = true;
			ora_series_add(&o->part[next->part].first,
				       (int64_t)e->ts - cpu->sched);
		}
	} else if (cpu->mod != NOBODY && cpu->open != NOBODY &&
		   !ev_is_stop(o->l, e->sw.next)) {
		for (i = 0; i < o->nr_tasks && o->part[cpu->open].nr_wait; i++) {
			t = &o->task[i];
			if (t->state == WAITING && t->cpu == e->cpu &&
			    ours(t, cpu->open) && !t->unsettled &&
			    !(t->flags & (ORA_DYNAMIC | ORA_MOVES))) {
				violation(o, ORA_UNUSED, e, "%s is open and %d ready here",
					  o->part[cpu->open].name, t->pid);
				break;
			}
		}
		if (cpu->strict && e->sw.next)
			violation(o, ORA_STRICT, e, "%s has a strict window",
				  o->part[cpu->open].name);
	}

	if (next) {
		set_state(o, next, RUNNING);
		next->cpu = e->cpu;
		next->unsettled = false;
	}
	cpu->known = true;
	cpu->cur = e->sw.next;
	cpu->cur_prio = e->sw.next_prio;
	cpu->cur_task = next ? next - o->task : NOBODY;
	cpu->cur_since = e->ts;
}

static void on_wakeup(struct ora *o, const struct ev *e)
{
	struct task *t = find_task(o, e->task.pid);

	if (!t || t->state == RUNNING || t->state == WAITING)
		return;
	t->prio = e->task.prio;
	t->cpu = e->task.cpu;
	t->seq = ++o->seq;
	t->unsettled = false;
	set_state(o, t, WAITING);
}

static void on_migrate(struct ora *o, const struct ev *e)
{
	struct task *t = find_task(o, e->task.pid);

	if (!t)
		return;
	t->cpu = e->task.cpu;
	t->seq = ++o->seq;
	t->unsettled = t->state == WAITING;
}

static void on_closed_wakeup(struct ora *o, const struct ev *e)
{
	struct task *t = find_task(o, e->task.pid);
	int c = e->task.cpu;

	if (t && c >= 0 && c < EV_CPUS && o->cpu[c].seen && o->cpu[c].open == t->part)
		violation(o, ORA_WAKEUP, e, "%s is open there", o->part[t->part].name);
}

static int event_part(struct ora *o, int name)
{
	if (name < 0 || name >= MAX_PARTS)
		abort();
	if (!o->by_name[name])
		o->by_name[name] = part_index(o, ev_name(o->l, name)) + 1;
	return o->by_name[name] - 1;
}

/* Windows @from to @to - 1 since the base were left out */
static void skip(struct ora *o, struct cpu *cpu, int64_t from, int64_t to)
{
	const struct table *t = &cpu->table;

	for (; from < to; from++) {
		const struct a653_window *w = t->w[from % t->nr];
		struct ora_part *p;

		p = &o->part[part_index(o, t->conf->part[w->partition].name)];
		p->missed++;
		p->entitled_ns += w->duration_ns;
		cpu->skipped++;
	}
}

/* Where in the table is a window with this start? */
static bool locate(const struct cpu *cpu, int64_t sched, unsigned int *win, int64_t *index)
{
	const struct table *t = &cpu->table;
	int64_t rel = sched - cpu->base, frame;
	unsigned int i;

	if (!t->major)
		return false;
	frame = rel / (int64_t)t->major;
	rel %= (int64_t)t->major;
	if (rel < 0) {
		rel += t->major;
		frame--;
	}
	for (i = 0; i < t->nr; i++) {
		if (t->w[i]->offset_ns != (uint64_t)rel)
			continue;
		*win = i;
		*index = frame * t->nr + i;
		return true;
	}
	return false;
}

static void skew(struct ora *o, const struct ev *e, int64_t now)
{
	int64_t d = (int64_t)e->ts - now;

	if (d < 0)
		d = -d;
	if (d > o->skew_max)
		o->skew_max = d;
}

static void on_open(struct ora *o, const struct ev *e)
{
	struct cpu *cpu = &o->cpu[e->cpu];
	int part = event_part(o, e->name);
	struct ora_part *p = &o->part[part];
	struct instance *in;
	unsigned int i;
	int64_t index;

	skew(o, e, e->open.now);
	if (cpu->mod == NOBODY) {
		violation(o, ORA_GRID, e, "the CPU belongs to no module");
		return;
	}
	if (cpu->seen && cpu->open != NOBODY)
		violation(o, ORA_SEQUENCE, e, "%s is still open", o->part[cpu->open].name);
	if (e->open.now < e->open.sched)
		violation(o, ORA_EARLY, e, "opened early");
	if (e->open.now >= e->open.end)
		violation(o, ORA_SEQUENCE, e, "opened after its end");

	if (!locate(cpu, e->open.sched, &i, &index)) {
		violation(o, ORA_GRID, e, "no window starts then");
		cpu->counted = false;
	} else {
		const struct a653_window *w = cpu->table.w[i];

		if (part_index(o, cpu->table.conf->part[w->partition].name) != part)
			violation(o, ORA_GRID, e, "the window is that of %s",
				  cpu->table.conf->part[w->partition].name);
		if (e->open.end - e->open.sched != (int64_t)w->duration_ns)
			violation(o, ORA_GRID, e, "the window lasts %llu ns",
				  (unsigned long long)w->duration_ns);
		if (e->open.strict !=
		    (w->flags & A653_WINDOW_STRICT && !o->unbound[part]))
			violation(o, ORA_GRID, e, "strict or not?");
		if (cpu->counted) {
			if (index <= cpu->last)
				violation(o, ORA_SEQUENCE, e, "not after the one before");
			skip(o, cpu, cpu->last + 1, index);
			if (cpu->skipped != cpu->missed)
				violation(o, ORA_SEQUENCE, e,
					  "%llu windows left out, %llu accounted as missed",
					  (unsigned long long)cpu->skipped,
					  (unsigned long long)cpu->missed);
		}
		cpu->counted = true;
		cpu->last = index;
	}
	cpu->skipped = 0;
	cpu->missed = 0;

	/* it stayed so long that it may stay again */
	if (cpu->cur_task != NOBODY && ours(current_task(o, cpu), part))
		pending_end(o, &cpu->stay, &o->stay, e->ts);

	p->windows++;
	p->entitled_ns += e->open.end - e->open.sched;
	ora_series_add(&p->late, e->open.now - e->open.sched);
	cpu->seen = true;
	cpu->open = part;
	cpu->strict = e->open.strict;
	cpu->entered = false;
	cpu->sched = e->open.sched;
	cpu->end = e->open.end;
	cpu->open_ts = e->ts;

	o->inst = ev_room(o->inst, o->nr_inst, &o->room_inst, sizeof(*o->inst));
	in = &o->inst[o->nr_inst];
	memset(in, 0, sizeof(*in));
	in->cpu = e->cpu;
	in->part = part;
	in->mod = cpu->mod;
	in->sched = e->open.sched;
	in->end = e->open.end;
	in->open_ts = e->ts;
	in->close_ts = UINT64_MAX;
	in->epoch = cpu->base;
	in->exclusive = cpu->table.exclusive;
	cpu->inst = o->nr_inst++;
}

static void on_close(struct ora *o, const struct ev *e)
{
	struct cpu *cpu = &o->cpu[e->cpu];
	int part = event_part(o, e->name);
	const struct task *cur = current_task(o, cpu);
	struct instance *in;

	skew(o, e, e->close.now);
	if (cpu->mod == NOBODY || (cpu->seen && cpu->open != part)) {
		violation(o, ORA_SEQUENCE, e, "it was not open");
		return;
	}
	if (cpu->seen) {
		account(o, cpu, e->ts);
		o->part[part].open_ns += e->ts - cpu->open_ts;
		in = &o->inst[cpu->inst];
		in->close_ts = e->ts;
		if (e->close.now < e->close.sched)
			violation(o, ORA_EARLY, e, "closed early");
		/* Cut short only by a change of schedule: judged at the end */
		if (e->close.sched > cpu->end)
			violation(o, ORA_GRID, e, "it was to end at %lld",
				  (long long)cpu->end);
		in->end = e->close.sched;
	}
	cpu->seen = true;
	cpu->open = NOBODY;
	cpu->strict = false;
	if (cur && ours(cur, part) && !o->budgeted[part]) {
		cpu->stay.on = true;
		cpu->stay.since = e->ts;
		cpu->stay.irqs = 0;
		cpu->stay.kind = ORA_STAYED;
		snprintf(cpu->stay.what, sizeof(cpu->stay.what),
			 "CPU %d ran %.15s:%d of %.31s on after the close", e->cpu,
			 ev_comm(o->l, cur->pid), cur->pid, ev_name(o->l, e->name));
	}
}

static void on_missed(struct ora *o, const struct ev *e)
{
	skew(o, e, e->missed.now);
	o->cpu[e->cpu].missed += e->missed.windows;
}

static void on_schedule(struct ora *o, const struct ev *e)
{
	struct cpu *cpu = &o->cpu[e->cpu];
	const struct table *t = &cpu->table;
	const char *name = ev_name(o->l, e->name);
	const struct conf *f;
	struct epoch *ep;
	unsigned int s;
	int64_t n;

	if (cpu->mod == NOBODY) {
		violation(o, ORA_SPLIT, e, "the CPU belongs to no module");
		return;
	}
	if (e->schedule.now < e->schedule.sched)
		violation(o, ORA_EARLY, e, "schedule in force early");
	/* What the old schedule should still have opened before */
	if (cpu->counted && t->nr) {
		for (n = cpu->last + 1;
		     cpu->base + n / t->nr * (int64_t)t->major +
			(int64_t)t->w[n % t->nr]->offset_ns < e->schedule.sched;)
			n++;
		skip(o, cpu, cpu->last + 1, n);
	}
	cpu->counted = true;
	cpu->last = -1;
	cpu->base = e->schedule.sched;
	cpu->seen = true;
	if (!*name) {
		free(cpu->table.w);
		memset(&cpu->table, 0, sizeof(cpu->table));
	} else if (find_sched(&o->mod[cpu->mod], name, &f, &s)) {
		set_table(o, e->cpu, f, s);
	} else {
		violation(o, ORA_SPLIT, e, "the module has no such schedule");
	}
	o->epoch = ev_room(o->epoch, o->nr_epochs, &o->room_epochs, sizeof(*o->epoch));
	ep = &o->epoch[o->nr_epochs++];
	ep->mod = cpu->mod;
	ep->sched = e->schedule.sched;
	ep->name = e->name;
}

static int by_epoch(const void *a, const void *b)
{
	const struct epoch *x = a, *y = b;

	if (x->mod != y->mod)
		return x->mod - y->mod;
	return x->sched < y->sched ? -1 : x->sched > y->sched;
}

static int by_sched(const void *a, const void *b)
{
	const struct instance *x = a, *y = b;

	return x->sched < y->sched ? -1 : x->sched > y->sched;
}

static int by_open(const void *a, const void *b)
{
	const struct instance *x = a, *y = b;

	return x->open_ts < y->open_ts ? -1 : x->open_ts > y->open_ts;
}

/* All CPUs of a module changed over at the same scheduled boundaries */
static void judge_epochs(struct ora *o)
{
	struct instance *in;
	struct epoch in_force;
	size_t i, e = 0, nr = 0;

	if (!o->nr_epochs)
		return;
	/* unloading is not a schedule, and each CPU does it when it comes to it */
	for (i = 0; i < o->nr_epochs; i++) {
		if (!*ev_name(o->l, o->epoch[i].name))
			continue;
		in_force = o->epoch[i];
		o->epoch[i] = o->epoch[nr];
		o->epoch[nr++] = in_force;
	}
	qsort(o->epoch, nr, sizeof(*o->epoch), by_epoch);
	for (i = 1; i < nr; i++)
		if (!by_epoch(&o->epoch[i - 1], &o->epoch[i]) &&
		    o->epoch[i - 1].name != o->epoch[i].name)
			violation(o, ORA_SPLIT, NULL, "schedules %s and %s both begin at %lld",
				  ev_name(o->l, o->epoch[i - 1].name),
				  ev_name(o->l, o->epoch[i].name),
				  (long long)o->epoch[i].sched);
	for (i = 0; i < o->nr_inst; i++) {
		int64_t from = INT64_MIN, to = INT64_MAX;
		size_t lo = 0, hi = nr;

		in = &o->inst[i];
		/* the first epoch that begins after the window's start */
		while (lo < hi) {
			struct epoch at = { .mod = in->mod, .sched = in->sched };

			e = (lo + hi) / 2;
			if (by_epoch(&o->epoch[e], &at) <= 0)
				lo = e + 1;
			else
				hi = e;
		}
		if (lo && o->epoch[lo - 1].mod == in->mod)
			from = o->epoch[lo - 1].sched;
		if (lo < nr && o->epoch[lo].mod == in->mod)
			to = o->epoch[lo].sched;
		if (from != INT64_MIN && in->epoch != from)
			violation(o, ORA_SPLIT, NULL,
				  "CPU %d opened %s at %lld in the schedule from %lld, that from %lld was in force",
				  in->cpu, o->part[in->part].name,
				  (long long)in->sched, (long long)in->epoch,
				  (long long)from);
		if (in->end > to)
			violation(o, ORA_SPLIT, NULL,
				  "CPU %d kept %s open until %lld, the next schedule began at %lld",
				  in->cpu, o->part[in->part].name,
				  (long long)in->end, (long long)to);
	}
}

/* By scheduled times exactly, by actual times within the tolerance */
static void judge_overlap(struct ora *o)
{
	struct instance *a, *b;
	size_t i, j, max_dur = 0;
	int64_t d;

	qsort(o->inst, o->nr_inst, sizeof(*o->inst), by_sched);
	for (i = 0; i < o->nr_inst; i++)
		if (o->inst[i].end - o->inst[i].sched > (int64_t)max_dur)
			max_dur = o->inst[i].end - o->inst[i].sched;
	for (i = 0; i < o->nr_inst; i++) {
		a = &o->inst[i];
		for (j = i + 1; j < o->nr_inst && o->inst[j].sched < a->end; j++) {
			b = &o->inst[j];
			if (a->mod == b->mod && a->part != b->part &&
			    a->exclusive && b->exclusive)
				violation(o, ORA_OVERLAP, NULL,
					  "%s on CPU %d until %lld, %s on CPU %d from %lld",
					  o->part[a->part].name, a->cpu, (long long)a->end,
					  o->part[b->part].name, b->cpu,
					  (long long)b->sched);
		}
	}
	qsort(o->inst, o->nr_inst, sizeof(*o->inst), by_open);
	for (i = 0; i < o->nr_inst; i++) {
		a = &o->inst[i];
		if (!a->exclusive || a->close_ts == UINT64_MAX)
			continue;
		for (j = i + 1; j < o->nr_inst && o->inst[j].open_ts < a->close_ts; j++) {
			b = &o->inst[j];
			if (a->mod != b->mod || a->part == b->part || !b->exclusive)
				continue;
			d = (int64_t)((b->close_ts < a->close_ts ? b->close_ts :
				       a->close_ts) - b->open_ts);
			if (d > o->overlap_max)
				o->overlap_max = d;
			if (d > o->overlap_ns)
				violation(o, ORA_OVERLAP, NULL,
					  "%s on CPU %d and %s on CPU %d both open for %lld ns",
					  o->part[a->part].name, a->cpu,
					  o->part[b->part].name, b->cpu, (long long)d);
		}
	}
}

/* A window that ended before its time did so for a change of schedule */
static void judge_cuts(struct ora *o)
{
	size_t i, j;

	for (i = 0; i < o->nr_inst; i++) {
		const struct instance *in = &o->inst[i];
		bool cut = false;

		if (in->close_ts == UINT64_MAX)
			continue;
		for (j = 0; j < o->nr_epochs && !cut; j++)
			cut = o->epoch[j].mod == in->mod && o->epoch[j].sched == in->end;
		if (!cut)
			violation(o, ORA_GRID, NULL, "CPU %d closed %s at %lld, before its end",
				  in->cpu, o->part[in->part].name, (long long)in->end);
	}
}

unsigned int ora_run(struct ora *o)
{
	struct instance *cut = NULL;
	size_t i, nr_cut = 0;
	int k;

	if (o->l->lost)
		violation(o, ORA_TRACE, NULL, "%llu events were lost",
			  (unsigned long long)o->l->lost);
	for (i = 0; i < o->l->nr; i++) {
		const struct ev *e = &o->l->ev[i];
		struct cpu *cpu = &o->cpu[e->cpu];
		size_t inst = cpu->inst;
		bool was_open = cpu->open != NOBODY;
		int64_t end = cpu->end;

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
		case EV_CLOSED_WAKEUP:
			on_closed_wakeup(o, e);
			continue;
		case EV_OPEN:
			on_open(o, e);
			break;
		case EV_CLOSE:
			on_close(o, e);
			if (was_open && cpu->open == NOBODY &&
			    o->inst[inst].end < end) {
				cut = realloc(cut, (nr_cut + 1) * sizeof(*cut));
				if (!cut)
					abort();
				cut[nr_cut++] = o->inst[inst];
			}
			break;
		case EV_MISSED:
			on_missed(o, e);
			continue;
		case EV_SCHEDULE:
			on_schedule(o, e);
			continue;
		case EV_IRQ:
			pending_irq(o, &cpu->stay, e);
			pending_irq(o, &cpu->inv, e);
			continue;
		default:
			continue;
		}
		judge_inversions(o, e);
	}

	/* windows that are open when the trace ends */
	for (k = 0; k < EV_CPUS && o->l->nr; k++) {
		if (o->cpu[k].open == NOBODY || !o->cpu[k].seen)
			continue;
		account(o, &o->cpu[k], o->l->ev[o->l->nr - 1].ts);
		o->part[o->cpu[k].open].open_ns +=
			o->l->ev[o->l->nr - 1].ts - o->cpu[k].open_ts;
	}

	if (ora_quantile(&o->inv, 0.99) > o->p99_ns)
		violation(o, ORA_INVERSION, NULL, "one in a hundred lasted %lld ns or longer",
			  (long long)ora_quantile(&o->inv, 0.99));
	judge_epochs(o);
	judge_overlap(o);
	if (nr_cut) {
		free(o->inst);
		o->inst = cut;
		o->nr_inst = nr_cut;
		o->room_inst = nr_cut;
		judge_cuts(o);
	}
	for (k = 0; k < o->nr_parts; k++) {
		struct ora_part *p = &o->part[k];

		if (p->share > 0 && p->run_ns < p->share * p->open_ns)
			violation(o, ORA_SHARE, NULL, "%s ran %llu of %llu ns, less than %.4f",
				  p->name, (unsigned long long)p->run_ns,
				  (unsigned long long)p->open_ns, p->share);
		if (ora_quantile(&p->late, 0.5) > o->late_ns)
			violation(o, ORA_LATE, NULL, "half of %s's windows opened %lld ns late",
				  p->name, (long long)ora_quantile(&p->late, 0.5));
		if (p->may_miss > 0 && p->missed > p->may_miss * (p->windows + p->missed))
			violation(o, ORA_LATE, NULL, "%s missed %llu of %llu windows", p->name,
				  (unsigned long long)p->missed,
				  (unsigned long long)(p->windows + p->missed));
		if (p->share > 0 && !p->open_ns)
			violation(o, ORA_SHARE, NULL, "%s had no window", p->name);
	}
	return ev_violations(o->verdict, NR_ORA);
}

unsigned int ora_count(const struct ora *o, enum ora_kind kind)
{
	return o->verdict[kind].count;
}

const char *ora_first(const struct ora *o, enum ora_kind kind)
{
	return o->verdict[kind].first;
}

const char *ora_kind_name(enum ora_kind kind)
{
	return kind_name[kind];
}

const struct ora_part *ora_part(const struct ora *o, const char *name)
{
	int i;

	for (i = 0; i < o->nr_parts; i++)
		if (!strncmp(o->part[i].name, name, A653_NAME_LEN))
			return &o->part[i];
	return NULL;
}

int64_t ora_actual_overlap(const struct ora *o)
{
	return o->overlap_max;
}

uint64_t ora_switches(const struct ora *o)
{
	return o->switches;
}

void ora_report(struct ora *o, FILE *to, const char *prefix)
{
	int k;

	ev_report(o->l, o->verdict, NR_ORA, kind_name, to, prefix);
	for (k = 0; k < o->nr_parts; k++) {
		struct ora_part *p = &o->part[k];

		if (p->mod == NOBODY || !p->windows)
			continue;
		fprintf(to,
			"%s%s: %llu windows, %llu missed, ran %.2f %% of open, %.2f %% of entitled time; late %lld/%lld/%lld us, first task %lld/%lld/%lld us\n",
			prefix, p->name, (unsigned long long)p->windows,
			(unsigned long long)p->missed,
			p->open_ns ? 100.0 * p->run_ns / p->open_ns : 0,
			p->entitled_ns ? 100.0 * p->received_ns / p->entitled_ns : 0,
			(long long)ora_quantile(&p->late, 0.5) / 1000,
			(long long)ora_quantile(&p->late, 0.99) / 1000,
			(long long)ora_quantile(&p->late, 1) / 1000,
			(long long)ora_quantile(&p->first, 0.5) / 1000,
			(long long)ora_quantile(&p->first, 0.99) / 1000,
			(long long)ora_quantile(&p->first, 1) / 1000);
	}
	fprintf(to,
		"%s%llu switches; after a close %lld/%lld/%lld us, inversions %zu of %lld/%lld/%lld us (median/p99/max), partitions at once by actual time at most %lld us\n",
		prefix, (unsigned long long)o->switches,
		(long long)ora_quantile(&o->stay, 0.5) / 1000,
		(long long)ora_quantile(&o->stay, 0.99) / 1000,
		(long long)ora_quantile(&o->stay, 1) / 1000, o->inv.nr,
		(long long)ora_quantile(&o->inv, 0.5) / 1000,
		(long long)ora_quantile(&o->inv, 0.99) / 1000,
		(long long)ora_quantile(&o->inv, 1) / 1000,
		(long long)o->overlap_max / 1000);
}
