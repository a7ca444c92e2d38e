// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of scheduling events
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

struct evlist *ev_new(void)
{
	struct evlist *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->comm = calloc(EV_PIDS, sizeof(*l->comm));
	if (!l->comm)
		abort();
	return l;
}

void ev_free(struct evlist *l)
{
	if (!l)
		return;
	free(l->ev);
	free(l->names);
	free(l->comm);
	free(l);
}

void *ev_room(void *v, size_t nr, size_t *room, size_t size)
{
	if (nr < *room)
		return v;
	*room = *room ? 2 * *room : 1024;
	v = realloc(v, *room * size);
	if (!v)
		abort();
	return v;
}

struct ev *ev_add(struct evlist *l, uint64_t ts, int cpu, enum ev_type type)
{
	struct ev *e;

	l->ev = ev_room(l->ev, l->nr, &l->room, sizeof(*l->ev));
	e = &l->ev[l->nr++];
	memset(e, 0, sizeof(*e));
	e->ts = ts;
	e->cpu = cpu;
	e->type = type;
	e->name = -1;
	return e;
}

static void merge(struct ev *to, const struct ev *a, size_t na,
		  const struct ev *b, size_t nb)
{
	while (na && nb) {
		if (b->ts < a->ts) {
			*to++ = *b++;
			nb--;
		} else {
			*to++ = *a++;
			na--;
		}
	}
	memcpy(to, na ? a : b, (na + nb) * sizeof(*to));
}

static void sort(struct ev *e, struct ev *tmp, size_t n)
{
	size_t half = n / 2;

	if (n < 2)
		return;
	sort(e, tmp, half);
	sort(e + half, tmp, n - half);
	if (e[half - 1].ts <= e[half].ts)
		return;
	memcpy(tmp, e, n * sizeof(*e));
	merge(e, tmp, half, tmp + half, n - half);
}

static void find_nested(struct evlist *l)
{
	bool softirq[EV_CPUS] = { };
	size_t i;

	for (i = 0; i < l->nr; i++) {
		struct ev *e = &l->ev[i];

		if (e->type == EV_SOFTIRQ_ENTRY || e->type == EV_SOFTIRQ_EXIT)
			softirq[e->cpu] = e->type == EV_SOFTIRQ_ENTRY;
		else if (e->type == EV_IRQ && softirq[e->cpu])
			e->type = EV_NESTED_IRQ;
	}
}

void ev_sort(struct evlist *l)
{
	struct ev *tmp = malloc((l->nr + 1) * sizeof(*tmp));

	if (!tmp)
		abort();
	sort(l->ev, tmp, l->nr);
	free(tmp);
	find_nested(l);
}

int ev_intern(struct evlist *l, const char *name)
{
	int i;

	for (i = 0; i < l->nr_names; i++)
		if (!strncmp(l->names[i], name, sizeof(l->names[i])))
			return i;
	l->names = realloc(l->names, (i + 1) * sizeof(*l->names));
	if (!l->names)
		abort();
	strncpy(l->names[i], name, sizeof(l->names[i]) - 1);
	l->names[i][sizeof(l->names[i]) - 1] = 0;
	return l->nr_names++;
}

const char *ev_name(const struct evlist *l, int name)
{
	return name < 0 ? "?" : l->names[name];
}

void ev_set_comm(struct evlist *l, pid_t pid, const char *comm, uint64_t ts)
{
	if (pid < 0 || pid >= EV_PIDS || ts < l->comm[pid].ts)
		return;
	memcpy(l->comm[pid].comm, comm, EV_COMM);
	l->comm[pid].ts = ts;
}

const char *ev_comm(const struct evlist *l, pid_t pid)
{
	return pid >= 0 && pid < EV_PIDS ? l->comm[pid].comm : "";
}

static const char *const server_event[] = {
	"replenish", "deplete", "level", "burn", "pick",
};

void ev_format(const struct evlist *l, const struct ev *e, char *buf, size_t len)
{
	int n = snprintf(buf, len, "%llu.%06llu [%d] ",
			 (unsigned long long)e->ts / 1000000,
			 (unsigned long long)e->ts % 1000000, e->cpu);

	if (n < 0 || (size_t)n >= len)
		return;
	buf += n;
	len -= n;
	switch (e->type) {
	case EV_SWITCH:
		snprintf(buf, len, "switch %s:%d prio %d state %d -> %s:%d prio %d",
			 ev_comm(l, e->sw.prev), e->sw.prev, e->sw.prev_prio,
			 e->sw.prev_state, ev_comm(l, e->sw.next), e->sw.next,
			 e->sw.next_prio);
		break;
	case EV_WAKEUP:
	case EV_MIGRATE:
	case EV_CLOSED_WAKEUP:
		snprintf(buf, len, "%s %s:%d prio %d cpu %d",
			 e->type == EV_WAKEUP ? "wakeup" :
			 e->type == EV_MIGRATE ? "migrate" : "wakeup_closed",
			 ev_comm(l, e->task.pid), e->task.pid, e->task.prio,
			 e->task.cpu);
		break;
	case EV_OPEN:
		snprintf(buf, len, "open %s sched %lld end %lld late %lld%s queued %u",
			 ev_name(l, e->name), (long long)e->open.sched,
			 (long long)e->open.end,
			 (long long)(e->open.now - e->open.sched),
			 e->open.strict ? " strict" : "", e->open.queued);
		break;
	case EV_CLOSE:
		snprintf(buf, len, "close %s sched %lld late %lld run %llu",
			 ev_name(l, e->name), (long long)e->close.sched,
			 (long long)(e->close.now - e->close.sched),
			 (unsigned long long)e->close.run);
		break;
	case EV_MISSED:
		snprintf(buf, len, "missed %llu windows from %lld",
			 (unsigned long long)e->missed.windows,
			 (long long)e->missed.from);
		break;
	case EV_SCHEDULE:
		snprintf(buf, len, "schedule %s of %s sched %lld late %lld",
			 ev_name(l, e->name), ev_name(l, e->schedule.module),
			 (long long)e->schedule.sched,
			 (long long)(e->schedule.now - e->schedule.sched));
		break;
	case EV_IRQ:
	case EV_NESTED_IRQ:
	case EV_SOFTIRQ_ENTRY:
	case EV_SOFTIRQ_EXIT:
		snprintf(buf, len, "%sirq %s", e->type == EV_NESTED_IRQ ? "nested " : "",
			 ev_name(l, e->name));
		break;
	case EV_REPLENISH:
	case EV_DEPLETE:
	case EV_LEVEL:
	case EV_BURN:
	case EV_PICK:
		snprintf(buf, len, "%s %s:%d on %d late %lld ran %llu level %d deadline %lld left %llu",
			 server_event[e->type - EV_REPLENISH],
			 e->server.pid ? ev_comm(l, e->server.pid) : ev_name(l, e->name),
			 e->server.pid, e->server.cpu,
			 (long long)e->ts - (long long)e->server.now,
			 (unsigned long long)e->server.ran, e->server.level,
			 (long long)e->server.deadline, (unsigned long long)e->server.left);
		break;
	case EV_TICKLE:
		snprintf(buf, len, "tickle CPU %d for %s:%d on CPU %d", e->tickle.target,
			 ev_comm(l, e->tickle.pid), e->tickle.pid, e->tickle.cpu);
		break;
	case EV_MARK:
		snprintf(buf, len, "mark %llu", (unsigned long long)e->mark);
		break;
	}
}

bool ev_is_stop(const struct evlist *l, pid_t pid)
{
	return !strncmp(ev_comm(l, pid), "migration/", 10);
}

void ev_violation(const struct evlist *l, struct ev_verdict *v, const struct ev *e,
		  const char *fmt, ...)
{
	char what[160], at[200] = "";
	va_list ap;

	if (v->count++)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (e)
		ev_format(l, e, at, sizeof(at));
	v->where = e;
	snprintf(v->first, sizeof(v->first), "%.150s%s%.100s", what, e ? ": " : "", at);
}

unsigned int ev_violations(const struct ev_verdict *v, int nr)
{
	unsigned int n = 0;

	while (nr--)
		n += v++->count;
	return n;
}

static void context(const struct evlist *l, const struct ev *e, FILE *to, const char *prefix)
{
	const struct ev *i, *end = l->ev + l->nr;
	char line[256];

	if (!e)
		return;
	for (i = e - l->ev > 30 ? e - 30 : l->ev; i < end && i < e + 10; i++) {
		ev_format(l, i, line, sizeof(line));
		fprintf(to, "%s%s%s\n", prefix, i == e ? "> " : "  ", line);
	}
}

void ev_report(const struct evlist *l, const struct ev_verdict *v, int nr,
	       const char *const *rule, FILE *to, const char *prefix)
{
	for (; nr--; v++, rule++) {
		if (!v->count)
			continue;
		fprintf(to, "%s%s: %u times, first: %s\n", prefix, *rule, v->count, v->first);
		context(l, v->where, to, prefix);
	}
}
